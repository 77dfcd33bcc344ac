"""E-mail: IMAP, a Maildir or an SMTP door in, SMTP out."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar

from socialsupport_core.contract import (
    Connector,
    ContentRejected,
    Flow,
    MalformedPayload,
    ReadBlob,
    ReadPayload,
    Unreachable,
    Unsupported,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Event,
    Facts,
    Intent,
    MediaLimit,
    Page,
    Party,
    Payload,
    Receipt,
    SendMessage,
    Thread,
    Unrecognised,
)
from socialsupport_email import filed, mbox, mime, token
from socialsupport_email.address import canonical, domain_of, tagged
from socialsupport_email.asks import (
    CheckImap,
    CheckMaildir,
    CheckSmtp,
    FetchMail,
    FindMail,
    Mails,
    SendMail,
    SmtpFeatures,
)
from socialsupport_email.compose import Address, Draft, compose, reply_subject
from socialsupport_email.context import Context
from socialsupport_email.inbound import Reader, content_of
from socialsupport_email.settings import EmailSettings, ImapServer, SmtpServer

MAX_ATTACHMENT = 7_000_000  # bytes: with base64's third and the text below Postfix's default of 10,240,000


class Email(Connector[EmailSettings]):
    """One mailbox: support@acme.example."""

    name: ClassVar[str] = "email"
    settings_model = EmailSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"poll", "stream", "file"}),
        verification="none",
        events=frozenset({"interaction.received", "delivery.updated", "identity.claimed", "unrecognised"}),
        intents=frozenset({"send.message"}),
        unsupported=frozenset(
            {"interaction.edited", "interaction.deleted", "reaction.added", "reaction.removed", "typing.started",
             "erasure.requested", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"}
        ),
        sends=frozenset({"private"}),
        markup=True,
        subject=True,
        media=(MediaLimit(media_type="*/*", max_bytes=MAX_ATTACHMENT),),
        attachments=20,
        receipts=frozenset({"delivered", "read", "failed"}),
        settles="lookup",
    )  # fmt: skip

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(server.host for server in (self.settings.smtp, self.settings.imap) if server)

    def capabilities_in(self, thread: Thread) -> Capabilities:
        """Without a mailbox in which the server files what we send, only a person can settle a doubtful send."""
        settles = "lookup" if self._sent_mailbox else "none"
        receipts = {"delivered", "read", "failed"} if self.settings.ask_receipts else {"failed"}
        return self.capabilities.model_copy(update={"settles": settles, "receipts": frozenset(receipts)})

    # inbound

    def parse(self, payload: Payload) -> Iterable[Event]:
        reader = Reader(self.settings)
        if payload.source == "file" and mbox.is_mbox(payload.body):
            return _each(reader, payload)
        return list(reader.events(payload.body, payload.received_at))

    def poll(self, cursor: str | None) -> Flow[Page]:
        if self.settings.maildir:
            return filed.poll(self.settings.maildir, cursor)
        imap = self._imap
        return self._page(imap, cursor, only_new=cursor is None and imap.start == "new")

    def history(self, since: datetime, cursor: str | None) -> Flow[Page]:
        """The mailbox from its first mail on: what is older than `since` comes along, but for a Maildir's."""
        if self.settings.maildir:
            return filed.history(self.settings.maildir, since, cursor)
        return self._page(self._imap, cursor, only_new=False)

    @property
    def _imap(self) -> ImapServer:
        if self.settings.imap is None:
            raise Unsupported("no mailbox is configured; add `imap` or `maildir` to the channel's settings")
        return self.settings.imap

    def _page(self, imap: ImapServer, cursor: str | None, *, only_new: bool) -> Flow[Page]:
        uidvalidity, uid = _position(cursor)
        mails: Mails = yield FetchMail(imap, imap.mailbox, uidvalidity, uid, only_new=only_new)
        position = json.dumps({"uidvalidity": mails.uidvalidity, "uid": mails.uid}, separators=(",", ":"))
        return Page(payloads=tuple(map(filed.payload, mails.mails)), cursor=position, more=mails.more)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """From the stored mail itself: there is no other copy."""
        payload: Payload = yield ReadPayload()
        digest, _, which = (attachment.native_id or "").partition(":")
        for raw in _mails(payload):
            mail = mime.read(raw)
            if mail.digest() == digest and (found := content_of(mail, which)):
                content, media_type, name = found
                return Blob(content=content, media_type=media_type, name=name)
        raise ContentRejected(f"the stored mail has no part {attachment.native_id!r}")

    # outbound

    def invitation(self, token: str) -> str | None:
        """Writing to this address brings the token along (RFC 6068)."""
        return f"mailto:{self.handoff_address(token)}" if self.settings.plus_addressing else None

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"e-mail has no {intent.type}")
        server = self._smtp
        blobs: list[Blob] = []
        for attachment in intent.attachments:
            blob: Blob = yield ReadBlob(attachment.blob or "")
            blobs.append(_named(blob, attachment))
        draft = self._draft(intent, tuple(blobs))
        message = compose(draft)
        if len(message) > self.settings.max_message_bytes:
            raise ContentRejected(
                f"the mail has {len(message)} bytes, at most {self.settings.max_message_bytes} are allowed; "
                "send fewer or smaller attachments"
            )
        sender, recipient = draft.sender.address, draft.recipient.address
        yield SendMail(server, sender, recipient, message, draft.message_id, self.settings.ask_receipts)
        return self._receipt(intent, draft)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        imap, mailbox = self.settings.imap, self._sent_mailbox
        if imap is None or mailbox is None or not isinstance(intent, SendMessage):
            raise Unsupported("no `sent_mailbox` is configured, so nobody can look up what was sent")
        draft = self._draft(intent, ())
        answer = yield FindMail(imap, mailbox, draft.message_id)
        return self._receipt(intent, draft) if answer.found else None

    # about the world

    def probe(self) -> Flow[Facts]:
        limits: dict[str, int] = {}
        if self.settings.smtp:
            features: SmtpFeatures = yield CheckSmtp(self.settings.smtp, self.settings.address)
            limits |= {"message_bytes": features.max_bytes} if features.max_bytes else {}
        if self.settings.imap:
            limits["mails"] = yield CheckImap(self.settings.imap, self.settings.imap.mailbox)
        if self.settings.maildir:
            limits["mails"] = yield CheckMaildir(self.settings.maildir.path)
        return Facts(own_account=self.settings.address, name=self.settings.name, limits=limits)

    def handoff_address(self, token_: str) -> str:
        """The address to write to with a hand-off token. Raises Unsupported without plus addressing."""
        if not self.settings.plus_addressing:
            raise Unsupported("plus_addressing is off, so no address can carry a hand-off token")
        return tagged(self.settings.address, token.handoff_tag(token_))

    # inside

    @property
    def _smtp(self) -> SmtpServer:
        if self.settings.smtp is None:
            raise Unsupported("no SMTP server is configured; add `smtp` to the channel's settings")
        return self.settings.smtp

    @property
    def _sent_mailbox(self) -> str | None:
        return self.settings.imap.sent_mailbox if self.settings.imap else None

    def _thread(self, intent: SendMessage) -> str:
        """The thread that we answer in, or a new one."""
        known = intent.thread.id
        return known if token.is_thread(known) else token.thread_id(f"intent {intent.key}")

    def _draft(self, intent: SendMessage, blobs: tuple[Blob, ...]) -> Draft:
        settings = self.settings
        context = Context.read(intent.target.context if intent.target else None)
        thread, secret = self._thread(intent), settings.secrets[0]
        reply_to = tagged(settings.address, token.tag_of(thread, secret)) if settings.plus_addressing else None
        subject = intent.subject or (intent.target.subject if intent.target else None) or context.subject
        otherwise = f"Message from {settings.name or settings.address}"
        return Draft(
            message_id=token.message_id(intent.key, thread, domain_of(settings.address), secret),
            sender=Address(settings.address, settings.name),
            recipient=self._recipient(intent, context),
            subject=reply_subject(subject, otherwise) if intent.target else intent.subject or otherwise,
            text=intent.text or "",
            reply_to=Address(reply_to, settings.name) if reply_to else None,
            references=(*context.references, context.id) if context.id else context.references,
            attachments=blobs,
            ask_receipt=settings.ask_receipts,
        )

    def _recipient(self, intent: SendMessage, context: Context) -> Address:
        party = intent.recipient or (intent.target.counterpart if intent.target else None)
        address = _address_of(party)
        if party is None or address is None:
            raise Unreachable("no e-mail address of this person is known")
        if intent.target and context.reply_to and address == _address_of(intent.target.author):
            address = context.reply_to
        if address in (self.settings.address, *self.settings.aliases):
            raise Unreachable(f"{address} is our own address")
        return Address(address, party.name)

    def _receipt(self, intent: SendMessage, draft: Draft) -> Receipt:
        context = Context(draft.message_id, draft.references, draft.subject).write()
        thread = Thread(id=self._thread(intent), visibility="private")
        return Receipt(native_id=draft.message_id, thread=thread, context=context)


def _named(blob: Blob, attachment: Attachment) -> Blob:
    """The store knows bytes; what they are, the intent says."""
    unknown = attachment.media_type == "application/octet-stream"
    media_type = blob.media_type if unknown else attachment.media_type
    return Blob(content=blob.content, media_type=media_type, name=attachment.name or blob.name)


def _each(reader: Reader, payload: Payload) -> Iterator[Event]:
    """The mails of a file one after the other; one that is broken does not hide the rest."""
    for raw in mbox.messages(payload.body):
        try:
            yield from reader.events(raw, payload.received_at)
        except MalformedPayload as error:
            identifier = f"sha256:{hashlib.sha256(raw).hexdigest()}"
            yield Unrecognised(id=identifier, native_type="message/rfc822", reason=str(error))


def _mails(payload: Payload) -> Iterator[bytes]:
    if payload.source == "file" and mbox.is_mbox(payload.body):
        yield from mbox.messages(payload.body)
    else:
        yield payload.body


def _position(cursor: str | None) -> tuple[int | None, int]:
    """(uidvalidity, uid); the beginning for a cursor that is not ours, since event ids make that harmless."""
    try:
        found = json.loads(cursor or "{}")
        return int(found["uidvalidity"]), int(found["uid"])
    except (ValueError, KeyError, TypeError):
        return None, 0


def _address_of(party: Party | None) -> str | None:
    if party is None:
        return None
    return next((canonical(one.value) for one in party.identifiers if one.kind == "email"), None)
