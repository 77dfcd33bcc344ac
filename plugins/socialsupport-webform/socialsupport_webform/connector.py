"""What was filled into a contact form. It cannot be answered there: the page is closed again."""

import mimetypes
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from socialsupport_core.contract import Connector, Flow, ReadPayload, Settings, Unsupported
from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.contract.typed import contacts
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Event,
    Facts,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Thread,
)
from socialsupport_core.text import file_name
from socialsupport_webform import protocol
from socialsupport_webform.settings import WebformSettings

MAX_WAIT = timedelta(days=7)
"""How long ago a form may say that it was filled in."""


class Webform(Connector[WebformSettings]):
    """Each form is an account of its own: what people type proves nothing about who they are."""

    name: ClassVar[str] = "webform"
    settings_model: ClassVar[type[Settings]] = WebformSettings
    capabilities: ClassVar[Capabilities] = Capabilities(
        receives=frozenset({"webhook"}),
        verification="signature",
        events=frozenset({"interaction.received", "identity.claimed"}),
        unsupported=frozenset(
            {
                "interaction.edited",
                "interaction.deleted",
                "reaction.added",
                "reaction.removed",
                "delivery.updated",
                "profile.updated",
                "thread.updated",
                "typing.started",
                "send.message",
                "edit.message",
                "delete.message",
                "react",
                "open.private",
                "mark.read",
                "typing",
            }
        ),
    )

    # inbound

    def verify(self, payload: Payload) -> None:
        signing.verify(self.settings.keys, payload)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return list(self._events(protocol.read(payload.body), payload.received_at))

    def _events(self, said: protocol.Submission, now: datetime) -> Iterator[Event]:
        account = Identifier(kind="webform.sender", scope=self.settings.own_account, value=said.id)
        thread = Thread(id=said.id, visibility="private")
        at = _believed(said.at, now)
        if claims := contacts(said.email, said.phone):
            yield IdentityClaimed(
                id=f"claim:{said.id}",
                own_account=self.settings.own_account,
                subject=account,
                claims=claims,
                proof="typed",
                thread=thread,
                at=at,
            )
        yield InteractionReceived(
            id=f"form:{said.id}",
            interaction=Interaction(
                network=self.name,
                native_id=said.id,
                kind="form",
                direction="inbound",
                own_account=self.settings.own_account,
                thread=thread,
                author=Party(identifiers=(account,), name=said.name or said.email or said.phone),
                subject=_subject(said),
                text=said.text,
                attachments=tuple(_attachment(at, file) for at, file in enumerate(said.files)),
                sent_at=at,
            ),
        )

    # about the world

    def probe(self) -> Flow[Facts]:
        yield from ()
        return Facts(own_account=self.settings.own_account, name=self.settings.title)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """Out of the form itself, as it was journalled."""
        payload: Payload = yield ReadPayload()
        files = protocol.read(payload.body).files
        position = int(attachment.native_id or "-1")
        if not 0 <= position < len(files):
            raise Unsupported("the form holds no such file")
        return Blob(content=files[position].bytes, media_type=attachment.media_type, name=attachment.name)


def _subject(said: protocol.Submission) -> str | None:
    order = f"order {said.order}" if said.order else ""
    if said.subject and order:
        return f"{said.subject} ({order})"
    return said.subject or order.capitalize() or None


def _attachment(position: int, file: protocol.File) -> Attachment:
    """By its name alone: what a browser says of it is whatever its sender likes."""
    name = file_name(file.name)
    return Attachment(
        native_id=str(position),
        name=name,
        media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
        size=len(file.bytes),
    )


def _believed(at: datetime | None, now: datetime) -> datetime:
    if at is None or at > now or now - at > MAX_WAIT:
        return now
    return at.astimezone(UTC)
