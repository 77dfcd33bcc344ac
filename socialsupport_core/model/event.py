"""Events: what a connector says has happened on its network."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from socialsupport_core.model.base import Instant, Value, is_empty
from socialsupport_core.model.identifier import Identifier
from socialsupport_core.model.interaction import Interaction, NativeId, Party, Thread

EventId = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
DeliveryState = Literal["sent", "delivered", "read", "failed"]
Tier = Literal["claimed", "asserted", "verified"]


class _Event(Value):
    type: str
    id: EventId
    """Stable over redelivery and over every way in: webhook, poll and import give the same id."""


class _InteractionEvent(_Event):
    interaction: Interaction

    @property
    def own_account(self) -> str:
        return self.interaction.own_account


class _AccountEvent(_Event):
    own_account: NativeId


class InteractionReceived(_InteractionEvent):
    """A new touch, an echo of our own included."""

    type: Literal["interaction.received"] = "interaction.received"


class InteractionEdited(_InteractionEvent):
    """The touch as it reads now. The newest edit wins, of two at one moment that with the longer, then the greater id;
    it may come before its original."""

    type: Literal["interaction.edited"] = "interaction.edited"
    edited_at: Instant


class InteractionDeleted(_AccountEvent):
    """A tombstone; it may come before its original."""

    type: Literal["interaction.deleted"] = "interaction.deleted"
    thread: Thread | None = None
    native_id: NativeId
    at: Instant


class _Reaction(_AccountEvent):
    thread: Thread
    native_id: NativeId
    """Of the interaction reacted to."""
    author: Party
    reaction: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    sole: bool = Field(default=False, exclude_if=is_empty)
    """Everybody has at most one there: it takes the place of any other, and a removal takes whichever it was."""
    at: Instant


class ReactionAdded(_Reaction):
    type: Literal["reaction.added"] = "reaction.added"


class ReactionRemoved(_Reaction):
    type: Literal["reaction.removed"] = "reaction.removed"


class DeliveryUpdated(_AccountEvent):
    """What the network says became of something that we sent."""

    type: Literal["delivery.updated"] = "delivery.updated"
    state: DeliveryState
    native_id: NativeId | None = None
    """Of the message; absent where `thread` and `at` mean "everything until then", or only our key is known."""
    thread: Thread | None = None
    client_key: str | None = None
    code: str | None = None
    """The network's own code of a failure."""
    reason: str | None = None
    gone: bool | None = None
    """True if the address is nobody's any more, so that whoever has it one day is somebody else."""
    at: Instant


class ProfileUpdated(_AccountEvent):
    type: Literal["profile.updated"] = "profile.updated"
    party: Party
    at: Instant


class IdentityClaimed(_AccountEvent):
    """Reason to believe that `subject` and `claims` are one customer.

    `token` is a hand-off or conversation token that the subject brought along; the hub redeems it.
    """

    type: Literal["identity.claimed"] = "identity.claimed"
    subject: Identifier
    claims: tuple[Identifier, ...] = Field(default=(), exclude_if=is_empty)
    tier: Tier = "claimed"
    proof: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """How: `signed_identity`, `handoff_token`, `dmarc`, `typed`, `provider_migration` …"""
    token: Annotated[str, StringConstraints(max_length=256)] | None = None
    thread: Thread | None = None
    at: Instant


class ThreadUpdated(_AccountEvent):
    """Something about a thread: members, title, closed. `change` is one of our words or the network's."""

    type: Literal["thread.updated"] = "thread.updated"
    thread: Thread
    change: str
    at: Instant


class TypingStarted(_AccountEvent):
    type: Literal["typing.started"] = "typing.started"
    thread: Thread
    author: Party
    at: Instant


class ErasureRequested(_AccountEvent):
    """The network, or the person through it, demands that data be erased."""

    type: Literal["erasure.requested"] = "erasure.requested"
    identifiers: tuple[Identifier, ...]
    at: Instant


class Unrecognised(_Event):
    """Something native that this connector does not know. It is kept and counted, never dropped."""

    type: Literal["unrecognised"] = "unrecognised"
    own_account: NativeId | None = None
    native_type: str
    reason: str | None = None


Event = (
    InteractionReceived
    | InteractionEdited
    | InteractionDeleted
    | ReactionAdded
    | ReactionRemoved
    | DeliveryUpdated
    | ProfileUpdated
    | IdentityClaimed
    | ThreadUpdated
    | TypingStarted
    | ErasureRequested
    | Unrecognised
)
EventType = Literal[
    "interaction.received",
    "interaction.edited",
    "interaction.deleted",
    "reaction.added",
    "reaction.removed",
    "delivery.updated",
    "profile.updated",
    "identity.claimed",
    "thread.updated",
    "typing.started",
    "erasure.requested",
    "unrecognised",
]
EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
"""Reads one event from JSON."""
