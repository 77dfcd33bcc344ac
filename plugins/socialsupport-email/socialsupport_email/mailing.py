"""What every connector that carries mail shares: reading mails, drafting answers that find their thread."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

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
    Event,
    Intent,
    Party,
    Payload,
    Receipt,
    SendMessage,
    Thread,
    Unrecognised,
)
from socialsupport_email import mbox, mime, token
from socialsupport_email.address import canonical, domain_of, tagged
from socialsupport_email.compose import Address, Draft, compose, reply_subject
from socialsupport_email.context import Context
from socialsupport_email.inbound import Reader, content_of
from socialsupport_email.settings import MailSettings

M = TypeVar("M", bound=MailSettings)


class MailConnector(Connector[M], Generic[M]):
    """One mailbox: support@acme.example. Who carries its mail is for a subclass to say."""

    # what a subclass writes

    def carry(self, intent: SendMessage, draft: Draft, message: bytes) -> Flow[None]:
        """Sends the mail: `message` is `draft` as bytes, without a Date."""
        raise NotImplementedError

    def mails(self, payload: Payload) -> Iterator[bytes]:
        """The mails in a payload as they came. Raises MalformedPayload."""
        if payload.source == "file" and mbox.is_mbox(payload.body):
            yield from mbox.messages(payload.body)
        else:
            yield payload.body

    # inbound

    def parse(self, payload: Payload) -> Iterable[Event]:
        reader = Reader(self.settings, self.name)
        if payload.source == "file" and mbox.is_mbox(payload.body):
            return self._each(reader, payload)
        return [event for raw in self.mails(payload) for event in reader.events(raw, payload.received_at)]

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """From the stored mail itself: there is no other copy."""
        payload: Payload = yield ReadPayload()
        digest, _, which = (attachment.native_id or "").partition(":")
        for raw in self.mails(payload):
            mail = mime.read(raw)
            if mail.digest() == digest and (found := content_of(mail, which)):
                content, media_type, name = found
                return Blob(content=content, media_type=media_type, name=name)
        raise ContentRejected(f"the stored mail has no part {attachment.native_id!r}")

    def _each(self, reader: Reader, payload: Payload) -> Iterator[Event]:
        """The mails of a file one after the other; one that is broken does not hide the rest."""
        for raw in self.mails(payload):
            try:
                yield from reader.events(raw, payload.received_at)
            except MalformedPayload as error:
                identifier = f"sha256:{hashlib.sha256(raw).hexdigest()}"
                yield Unrecognised(id=identifier, native_type="message/rfc822", reason=str(error))

    # outbound

    def invitation(self, token: str) -> str | None:
        """Writing to this address brings the token along (RFC 6068)."""
        return f"mailto:{self.handoff_address(token)}" if self.settings.plus_addressing else None

    def handoff_address(self, token_: str) -> str:
        """The address to write to with a hand-off token. Raises Unsupported without plus addressing."""
        if not self.settings.plus_addressing:
            raise Unsupported("plus_addressing is off, so no address can carry a hand-off token")
        return tagged(self.settings.address, token.handoff_tag(token_))

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"e-mail has no {intent.type}")
        self.ready()
        blobs: list[Blob] = []
        for attachment in intent.attachments:
            blob: Blob = yield ReadBlob(attachment.blob or "")
            blobs.append(_named(blob, attachment))
        draft = self.draft(intent, tuple(blobs))
        message = compose(draft)
        if len(message) > self.settings.max_message_bytes:
            raise ContentRejected(
                f"the mail has {len(message)} bytes, at most {self.settings.max_message_bytes} are allowed; "
                "send fewer or smaller attachments"
            )
        yield from self.carry(intent, draft, message)
        return self.receipt(intent, draft)

    def ready(self) -> None:
        """Raises Unsupported if nothing can be sent at all, before anything is read."""

    def draft(self, intent: SendMessage, blobs: tuple[Blob, ...]) -> Draft:
        settings = self.settings
        context = Context.read(intent.target.context if intent.target else None)
        thread, secret = _thread(intent), settings.secrets[0]
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

    def receipt(self, intent: SendMessage, draft: Draft) -> Receipt:
        context = Context(draft.message_id, draft.references, draft.subject).write()
        thread = Thread(id=_thread(intent), visibility="private")
        return Receipt(native_id=draft.message_id, thread=thread, context=context)

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


def _thread(intent: SendMessage) -> str:
    """The thread that we answer in, or a new one."""
    known = intent.thread.id
    return known if token.is_thread(known) else token.thread_id(f"intent {intent.key}")


def _named(blob: Blob, attachment: Attachment) -> Blob:
    """The store knows bytes; what they are, the intent says."""
    unknown = attachment.media_type == "application/octet-stream"
    media_type = blob.media_type if unknown else attachment.media_type
    return Blob(content=blob.content, media_type=media_type, name=attachment.name or blob.name)


def _address_of(party: Party | None) -> str | None:
    if party is None:
        return None
    return next((canonical(one.value) for one in party.identifiers if one.kind == "email"), None)
