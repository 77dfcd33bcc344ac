"""Intents: what we want to happen on a network; receipts: what the network said."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from socialsupport_core.model.base import Instant, Value, is_empty
from socialsupport_core.model.event import DeliveryState
from socialsupport_core.model.interaction import Attachment, Choice, Interaction, NativeId, Party, Thread


class _Intent(Value):
    type: str
    key: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    """Ours, stable over retries; native idempotency keys derive from it."""
    own_account: NativeId
    thread: Thread
    recipient: Party | None = None
    target: Interaction | None = None
    """The stored interaction that we answer, edit, delete or react to, with its `context`."""


class Template(Value):
    """A message that the network has approved beforehand. `parameters` fill its blanks, in their order."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=512)]
    language: Annotated[str, StringConstraints(min_length=2, max_length=32)]
    """As the network writes it, `en_US`."""
    parameters: tuple[Annotated[str, StringConstraints(min_length=1, max_length=1024)], ...] = Field(
        default=(), exclude_if=is_empty
    )


class SendMessage(_Intent):
    """`text` is CommonMark. The core has split it: what reaches `send` fits the declared limits."""

    type: Literal["send.message"] = "send.message"
    text: str | None = None
    subject: str | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), exclude_if=is_empty)
    """Outbound attachments name a `blob`; ask `ReadBlob` for its content."""
    choices: tuple[Choice, ...] = Field(default=(), exclude_if=is_empty)
    template: Template | None = None
    """It is sent alone; a `text` beside it is what our own timeline shows."""
    by_person: bool = Field(default=False, exclude_if=is_empty)
    """A person answers, and no bot: some networks give people longer."""


class EditMessage(_Intent):
    type: Literal["edit.message"] = "edit.message"
    text: str


class DeleteMessage(_Intent):
    type: Literal["delete.message"] = "delete.message"


class React(_Intent):
    """An empty `reaction` takes ours back."""

    type: Literal["react"] = "react"
    reaction: str


class OpenPrivate(_Intent):
    """Begin a private thread with somebody who spoke in public."""

    type: Literal["open.private"] = "open.private"
    text: str


class MarkRead(_Intent):
    type: Literal["mark.read"] = "mark.read"


class Typing(_Intent):
    type: Literal["typing"] = "typing"


Intent = SendMessage | EditMessage | DeleteMessage | React | OpenPrivate | MarkRead | Typing
IntentType = Literal["send.message", "edit.message", "delete.message", "react", "open.private", "mark.read", "typing"]
INTENT: TypeAdapter[Intent] = TypeAdapter(Annotated[Intent, Field(discriminator="type")])
"""Reads one intent from JSON."""


class Receipt(Value):
    """What the network said to one part. `native_id` is the id under which its echo comes back."""

    native_id: NativeId | None = None
    thread: Thread | None = None
    """Where it went, if that is a new thread (a private reply, a new mail)."""
    state: DeliveryState = "sent"
    at: Instant | None = None
    context: str | None = None
