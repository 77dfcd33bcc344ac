"""A world of mailboxes: people write to us and read what we answer, with no mail server anywhere."""

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    Forbidden,
    RateLimited,
    Unavailable,
    Uncertain,
    Wire,
)
from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_email import addresses, mime, token
from socialsupport_email.address import canonical, domain_of, split_tag
from socialsupport_email.asks import (
    Accepted,
    CheckImap,
    CheckSmtp,
    FetchMail,
    FindMail,
    Found,
    Mails,
    SendMail,
    SmtpFeatures,
)
from socialsupport_email.body import text_of
from socialsupport_email.compose import Address, Draft, compose, reply_subject
from socialsupport_email.context import message_id, references
from socialsupport_email.settings import EmailSettings

HOME = "mail.example"  # where people without a domain have their mailboxes; RFC 2606 reserves it
MAIL = Place("mail", "E-mail", "private")
MAX_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in a person's mailbox."""

    id: str
    references: tuple[str, ...]
    subject: str
    reply_to: str
    thread: str
    at: datetime


class EmailSimulator(Simulator):
    """Plays every mail server of the world. `wires` replaces the wires that talk to real ones."""

    network: ClassVar[str] = "email"
    hosts: ClassVar[frozenset[str]] = frozenset()
    places: ClassVar[tuple[Place, ...]] = (MAIL,)

    def __init__(self, settings: EmailSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.settings: EmailSettings = settings
        self.gone: set[str] = set()
        """Addresses that bounce: `nobody@…` always does."""
        self.mailboxes: dict[str, list[Letter]] = {}
        """What a person has received, by address, oldest first."""
        self.asked: list[Any] = []
        self._count = 0

    def wires(self) -> list[Wire]:
        return [MailboxWire(self)]

    def respond(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(404, text="there is no HTTP here")

    # people

    @staticmethod
    def address_of(person: str) -> str:
        """A person is named by an address, or by a name with a mailbox at mail.example."""
        return canonical(person) or f"{re.sub(r'[^a-z0-9]+', '.', person.lower()).strip('.') or 'somebody'}@{HOME}"

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """Writes a mail: an answer to the last one they got from us, or a new one where `subject` or `to` is given.

        `to` is the address, for instance one with a hand-off token; `headers` are added as they are.
        """
        sender = self.address_of(person)
        received = self.mailboxes.get(sender, [])
        last = received[-1] if received and not {"subject", "to"} & more.keys() else None
        self._count += 1
        draft = Draft(
            message_id=f"{self._count}.{self.random.getrandbits(64):016x}@{domain_of(sender)}",
            sender=Address(sender, more.get("name") or (person.title() if "@" not in person else None)),
            recipient=Address(more.get("to") or (last.reply_to if last else self.settings.address)),
            subject=reply_subject(last.subject, "Re:") if last else more.get("subject") or _subject(text),
            text=text + (_quotation(last, self._text_of(last)) if last else ""),
            references=(*last.references, last.id) if last else (),
            attachments=tuple(more.get("attachments", ())),
        )
        said = self._said(draft, last, person, text)
        self.emit(self._payload(draft, more.get("headers", {})))
        return said

    def heard(self, person: str) -> list[Said]:
        """What they wrote, and our mails to them."""
        address = self.address_of(person)
        ours = {letter.id for letter in self.mailboxes.get(address, [])}
        return [one for one in self.said if self.address_of(one.author) == address or one.id in ours]

    # what the wire tells

    def deliver(self, ask: SendMail) -> Accepted:
        """As the real world would: the server takes it, a mailbox that does not exist bounces."""
        if len(ask.message) > MAX_BYTES:
            raise ContentRejected("the mail server answered 552 5.3.4 too large", code="5.3.4")
        mail = mime.read(ask.message)
        if [one.address for one in addresses.read(mail.first("from") or "")] != [ask.sender]:
            raise Forbidden("the mail server answered 550 5.7.1 you may not send as that", code="5.7.1")
        identifier = message_id(mail) or ask.message_id
        address = canonical(ask.recipient) or ask.recipient
        if address in self.gone or address.startswith("nobody@"):
            self.emit(self._bounce(ask, address))
            return Accepted("queued")
        letter = Letter(
            identifier,
            references(mail),
            mail.shown("subject") or "",
            _reply_address(mail, ask.sender),
            _thread(mail, identifier),
            self.clock(),
        )
        self.mailboxes.setdefault(address, []).append(letter)
        self.said.append(Said(identifier, MAIL.id, letter.thread, "us", _readable(mail), self.clock()))
        return Accepted("queued")

    # inside

    def _said(self, draft: Draft, last: Letter | None, person: str, text: str) -> Said:
        thread = last.thread if last else token.thread_id(draft.message_id)
        said = Said(draft.message_id, MAIL.id, thread, person, text, self.clock())
        self.said.append(said)
        return said

    def _payload(self, draft: Draft, headers: dict[str, str]) -> Payload:
        now = self.clock()
        trace = [("Return-Path", f"<{draft.sender.address}>"), ("Delivered-To", draft.recipient.address),
                 ("Date", format_datetime(now)), *self._results(draft, headers), *headers.items()]  # fmt: skip
        head = "".join(f"{name}: {value}\r\n" for name, value in trace).encode()
        return Payload(source="stream", method="", body=head + compose(draft), received_at=now)

    def _results(self, draft: Draft, headers: dict[str, str]) -> list[tuple[str, str]]:
        """What our own server has found, if it is trusted: everybody's domain lets its mails out, as long as nobody
        says otherwise in `headers`."""
        server = self.settings.trusted_authserv_id
        if server is None or "Authentication-Results" in headers:
            return []
        said = f"{server}; dmarc=pass header.from={domain_of(draft.sender.address)}"
        return [("Authentication-Results", said)]

    def _bounce(self, ask: SendMail, address: str) -> Payload:
        now = self.clock()
        body = _BOUNCE.format(
            date=format_datetime(now),
            us=ask.sender,
            address=address,
            original=ask.message_id,
            domain=domain_of(address),
        )
        return Payload(source="stream", method="", body=body.replace("\n", "\r\n").encode(), received_at=now)

    def _text_of(self, letter: Letter) -> str:
        return next((said.text for said in self.said if said.id == letter.id), "")


class MailboxWire:
    """Answers instead of SmtpWire and ImapWire, with trouble on demand."""

    asks: ClassVar[tuple[type, ...]] = (SendMail, CheckSmtp, FetchMail, FindMail, CheckImap)

    def __init__(self, world: EmailSimulator) -> None:
        self._world = world

    async def answer(self, ask: Any) -> Any:
        self._world.asked.append(ask)
        self._trouble()
        if isinstance(ask, SendMail):
            answer = self._world.deliver(ask)
            if self._spent("drop"):
                raise Uncertain("the whole mail was sent, then no answer came")
            return answer
        if isinstance(ask, FindMail):
            letters = [letter for mailbox in self._world.mailboxes.values() for letter in mailbox]
            return Found(any(letter.id == ask.message_id for letter in letters))
        if isinstance(ask, FetchMail):
            return Mails((), 1, ask.uid)
        return SmtpFeatures(MAX_BYTES) if isinstance(ask, CheckSmtp) else 0

    async def aclose(self) -> None:
        pass

    def _trouble(self) -> None:
        if self._spent("rate_limit"):
            raise RateLimited("the mail server answered 450 4.7.1 too many mails, slow down", code="4.7.1")
        if self._spent("unavailable"):
            raise Unavailable("the mail server answered 421 4.3.2 closing", code="4.3.2")
        if self._spent("expire"):
            raise AuthExpired("the mail server answered 535 5.7.8 wrong password", code="5.7.8")

    def _spent(self, fault: str) -> bool:
        left: int = getattr(self._world.faults, fault)
        setattr(self._world.faults, fault, max(0, left - 1))
        return left > 0


def _subject(text: str) -> str:
    first = text.strip().split("\n", 1)[0]
    return first if len(first) <= 60 else f"{first[:57].rsplit(' ', 1)[0]}…"


def _quotation(letter: Letter, text: str) -> str:
    """As mail programs put it under an answer."""
    quoted = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
    sender = split_tag(letter.reply_to)[0]
    return f"\n\nOn {format_datetime(letter.at)}, <{sender}> wrote:\n\n{quoted}\n"


def _reply_address(mail: mime.Mail, otherwise: str) -> str:
    found = [one.address for name in ("reply-to", "from") for value in mail.all(name) for one in addresses.read(value)]
    return found[0] if found else otherwise


def _thread(mail: mime.Mail, identifier: str) -> str:
    """What a mail program would put together."""
    return token.thread_id((*references(mail), identifier)[0])


def _readable(mail: mime.Mail) -> str:
    return text_of(mail).plain


_BOUNCE = """\
From: Mail Delivery System <mailer-daemon@{domain}>
To: {us}
Date: {date}
Subject: Undelivered Mail Returned to Sender
Message-ID: <bounce.{original}>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="=_bounce"

--=_bounce

<{address}>: there is no such mailbox here
--=_bounce
Content-Type: message/delivery-status

Reporting-MTA: dns; {domain}

Final-Recipient: rfc822; {address}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{address}>: there is no such mailbox here

--=_bounce
Content-Type: text/rfc822-headers

Message-ID: <{original}>
--=_bounce--
"""
