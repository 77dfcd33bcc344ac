"""From a mail to what happened."""

from collections.abc import Iterator

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import (
    Attachment,
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    Instant,
    Interaction,
    InteractionReceived,
    Party,
    Thread,
    Unrecognised,
)
from socialsupport_email import addresses, mime, token
from socialsupport_email.address import domain_of, split_tag
from socialsupport_email.addresses import Mailbox
from socialsupport_email.automatic import is_automatic
from socialsupport_email.body import MAX_TEXT, Text, attachments_of, text_of
from socialsupport_email.context import Context, message_id, references
from socialsupport_email.mime import Mail
from socialsupport_email.proof import dmarc
from socialsupport_email.reports import reports
from socialsupport_email.settings import MailSettings

MAX_RECIPIENTS = 50
DELIVERED_TO = ("to", "cc", "bcc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to")
"""Where the address stands to which a mail was delivered; servers differ, and the tokens are signed anyway."""
AUTHORS = ("from", "sender", "resent-from", "reply-to", "return-path")
FULL_TEXT = "text"


class Reader:
    """Reads the mails of one account. `network` is what its connector is called."""

    def __init__(self, settings: MailSettings, network: str = "email") -> None:
        self._settings = settings
        self._network = network
        self._own = frozenset({settings.address, *settings.aliases})

    def events(self, raw: bytes, received_at: Instant) -> Iterator[Event]:
        """Raises MalformedPayload when the bytes are not a mail, or one without an author."""
        mail = mime.read(raw)
        digest = mail.digest()
        native_id = message_id(mail) or f"{digest}@no-message-id"
        event_id = f"{native_id}#{digest}"
        if found := list(self._deliveries(mail, event_id, received_at)):
            yield from found
            return
        author = self._author(mail)
        if self._is_own(author) and dmarc(mail, author.address, self._settings.trusted_authserv_id) == "fail":
            yield self._forged(event_id, author)
            return
        interaction = self._interaction(mail, native_id, digest, author, received_at)
        yield from self._claims(mail, event_id, interaction)
        yield InteractionReceived(id=event_id, interaction=interaction)

    def _deliveries(self, mail: Mail, event_id: str, received_at: Instant) -> Iterator[Event]:
        for number, report in enumerate(reports(mail)):
            ours = token.read_message_id(report.message_id, self._settings.secrets)
            yield DeliveryUpdated(
                id=f"{event_id}:{number}",
                own_account=self._settings.address,
                state=report.state,
                native_id=report.message_id,
                thread=Thread(id=ours[1], visibility="private") if ours else None,
                client_key=ours[0] if ours else None,
                code=report.code,
                reason=report.reason,
                gone=report.gone or None,
                at=min(mail.date or received_at, received_at),
            )

    def _forged(self, event_id: str, author: Mailbox) -> Event:
        return Unrecognised(
            id=event_id,
            own_account=self._settings.address,
            native_type="message/rfc822",
            reason=f"it claims to come from our own {author.address}, but fails DMARC",
        )

    def _author(self, mail: Mail) -> Mailbox:
        for name in AUTHORS:
            if found := [one for value in mail.all(name) for one in addresses.read(value)]:
                return found[0]
        raise MalformedPayload("a mail without an author: no From, Sender or Return-Path with an address")

    def _interaction(
        self, mail: Mail, native_id: str, digest: str, author: Mailbox, received_at: Instant
    ) -> Interaction:
        outbound = self._is_own(author)
        ours = token.read_message_id(native_id, self._settings.secrets) if outbound else None
        refers_to = references(mail)
        subject = mail.shown("subject")
        full = text_of(mail)
        text = (full if ours else full.without_quotation(subject)).cut(MAX_TEXT)
        return Interaction(
            network=self._network,
            native_id=native_id,
            kind="message",
            direction="outbound" if outbound else "inbound",
            own_account=self._settings.address,
            thread=Thread(id=self._thread(mail, native_id, refers_to), visibility="private"),
            author=self._party(author, is_bot=is_automatic(mail, author.address)),
            recipients=tuple(map(self._party, self._recipients(mail))),
            in_reply_to=refers_to[-1] if refers_to else None,
            subject=subject,
            text=(text.plain if ours else text.commonmark) or None,  # ours is CommonMark already
            attachments=tuple(_attachments(mail, digest, full, text)),
            context=self._context(mail, author, native_id, refers_to),
            client_key=ours[0] if ours else None,
            doubt=None if outbound else self._doubt(mail, author),
            sent_at=min(mail.date or received_at, received_at),
        )

    def _doubt(self, mail: Mail, author: Mailbox) -> str | None:
        """What our own server has found against the author; that it found nothing the core says for every network."""
        found = dmarc(mail, author.address, self._settings.trusted_authserv_id)
        if found in (None, "pass"):
            return None
        return f"our mail server's check of {domain_of(author.address)} says dmarc={found}"

    def _context(self, mail: Mail, author: Mailbox, native_id: str, refers_to: tuple[str, ...]) -> str:
        reply_to = next((one.address for value in mail.all("reply-to") for one in addresses.read(value)), None)
        # Elsewhere than at the author's own domain an answer could be led astray by a forged mail.
        trusted = reply_to != author.address and reply_to and domain_of(reply_to) == domain_of(author.address)
        is_foreign = not self._is_own(author)
        return Context(
            native_id if message_id(mail) else None,
            refers_to,
            mail.shown("subject"),
            reply_to if trusted and is_foreign else None,
        ).write()

    def _thread(self, mail: Mail, native_id: str, refers_to: tuple[str, ...]) -> str:
        """By a token of ours in the address, by a Message-ID of ours that it names, else by the first mail named."""
        secrets = self._settings.secrets
        for tag in self._tags(mail):
            if thread := token.thread_of(tag, secrets):
                return thread
        for known in (native_id, *reversed(refers_to)):
            if ours := token.read_message_id(known, secrets):
                return ours[1]
        return token.thread_id(refers_to[0] if refers_to else native_id)

    def _claims(self, mail: Mail, event_id: str, interaction: Interaction) -> Iterator[Event]:
        author = interaction.author
        subject = author.account
        if subject is None or author.is_self or author.is_bot:
            return
        about = {"own_account": self._settings.address, "subject": subject, "at": interaction.sent_at}
        if self._is_proven(mail, subject.value):  # first, for it makes what follows count
            yield IdentityClaimed(id=f"{event_id}:dmarc", proof="dmarc", tier="verified", claims=(subject,), **about)
        handoffs = [found for tag in self._tags(mail) if (found := token.handoff_of(tag))]
        for number, handoff in enumerate(dict.fromkeys(handoffs[:3])):
            yield IdentityClaimed(
                id=f"{event_id}:handoff{number}",
                proof="handoff_token",
                token=handoff,
                thread=interaction.thread,
                **about,
            )

    def _is_proven(self, mail: Mail, author: str) -> bool:
        """A From with two authors, or two of them, proves neither."""
        named = [one for value in mail.all("from") for one in addresses.read(value)]
        alone = len(mail.all("from")) == 1 and len(named) == 1
        return alone and dmarc(mail, author, self._settings.trusted_authserv_id) == "pass"

    def _recipients(self, mail: Mail) -> list[Mailbox]:
        found = [one for name in ("to", "cc") for value in mail.all(name) for one in addresses.read(value)]
        return list({self._base(one.address): one for one in reversed(found)}.values())[::-1][:MAX_RECIPIENTS]

    def _party(self, mailbox: Mailbox, is_bot: bool = False) -> Party:
        address = self._base(mailbox.address)
        return Party(
            identifiers=(Identifier(kind="email", value=address),),
            name=mailbox.name,
            is_self=address in self._own,
            is_bot=is_bot,
        )

    def _tags(self, mail: Mail) -> list[str]:
        """The tags of our own addresses among those it was sent to."""
        found = [one.address for name in DELIVERED_TO for value in mail.all(name) for one in addresses.read(value)]
        tagged = [split_tag(address) for address in found if self._base(address) in self._own]
        return list(dict.fromkeys(tag for _base, tag in tagged if tag))

    def _is_own(self, mailbox: Mailbox) -> bool:
        return self._base(mailbox.address) in self._own

    def _base(self, address: str) -> str:
        """Our own address without its tag; anybody else's as it is, for their tags may be other people."""
        base, _tag = split_tag(address)
        return base if base in self._own else address


def _attachments(mail: Mail, digest: str, full: Text, text: Text) -> Iterator[Attachment]:
    for number, part in attachments_of(mail):
        yield Attachment(
            media_type=part.media_type, native_id=f"{digest}:{number}", name=part.name, size=len(part.content)
        )
    if full.plain.rstrip() != text.plain.rstrip():
        size = len(full.plain.encode())
        yield Attachment(media_type="text/plain", native_id=f"{digest}:{FULL_TEXT}", name="full-message.txt", size=size)


def content_of(mail: Mail, which: str) -> tuple[bytes, str, str | None] | None:
    """(content, media type, name) of an attachment that `_attachments` has named; None if there is no such."""
    if which == FULL_TEXT:
        return text_of(mail).plain.encode(), "text/plain", "full-message.txt"
    for number, part in attachments_of(mail):
        if str(number) == which:
            return part.content, part.media_type, part.name
    return None
