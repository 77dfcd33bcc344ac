"""Of whom and of what an event speaks: so that an erased person's past is known when it comes again."""

from collections.abc import Iterator, Sequence
from typing import Literal

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ProfileUpdated,
    ReactionAdded,
    ReactionRemoved,
    TypingStarted,
)
from socialsupport_core.store import Tx, erasures, micros
from socialsupport_core.store.digests import digest
from socialsupport_core.store.identity import account_digest

ERASED: Literal["erased"] = "erased"
"""Why nothing was done about an event."""


def is_erased(tx: Tx, tenant: str, channel: str, event: Event) -> bool:
    """Whether it is of somebody who has been erased since, or about a message that has."""
    if not erasures.any_tombstone(tx, tenant):
        return False
    at = _at(event)
    for mark in [*_people(tx, tenant, event), *_threads(tx, tenant, channel, event)]:
        buried = erasures.tombstone(tx, tenant, mark)
        if buried is not None and at <= buried[0]:
            return True
    return any(erasures.tombstone(tx, tenant, mark) for mark in _messages(tx, tenant, channel, event))


def read_ahead(tx: Tx, tenant: str, channel: str, events: Sequence[Event]) -> None:
    if erasures.any_tombstone(tx, tenant):
        wanted = [mark for event in events for mark in _all(tx, tenant, channel, event)]
        erasures.read_ahead(tx, tenant, wanted)


def note(tx: Tx, tenant: str, channel: str, event: Event, entry: int) -> None:
    """The journal's entry speaks of them, though no interaction points to it."""
    marks = list(_people(tx, tenant, event)) or list(_all(tx, tenant, channel, event))
    erasures.note_subjects(tx, tenant, marks, entry)


def message_digest(tx: Tx, tenant: str, channel: str, thread: str | None, native_id: str) -> str:
    """Ids of messages are unique in their threads; where a network names no thread, on its channel."""
    return digest(tx, tenant, "message", channel, thread or "", native_id)


def thread_digest(tx: Tx, tenant: str, channel: str, thread: str) -> str:
    return digest(tx, tenant, "thread", channel, thread)


def people(event: Event) -> Iterator[Identifier]:
    """The account of the author or counterpart, and whoever else it says something about."""
    if isinstance(event, IdentityClaimed):
        yield from (event.subject, *event.claims)
        return
    for party in _parties(event):
        if party is not None and party.account is not None and not party.is_self:
            yield party.account


def _parties(event: Event) -> Iterator[Party | None]:
    if isinstance(event, InteractionReceived | InteractionEdited):
        yield from (event.interaction.author, event.interaction.counterpart)
    elif isinstance(event, ReactionAdded | ReactionRemoved | TypingStarted):
        yield event.author
    elif isinstance(event, ProfileUpdated):
        yield event.party


def _at(event: Event) -> int:
    if isinstance(event, InteractionReceived | InteractionEdited):
        return micros(event.interaction.sent_at)
    at = getattr(event, "at", None)
    return micros(at) if at is not None else 0


def _all(tx: Tx, tenant: str, channel: str, event: Event) -> Iterator[str]:
    yield from _people(tx, tenant, event)
    yield from _messages(tx, tenant, channel, event)
    yield from _threads(tx, tenant, channel, event)


def _people(tx: Tx, tenant: str, event: Event) -> Iterator[str]:
    for account in people(event):
        yield account_digest(tx, tenant, canonical(account))


def _messages(tx: Tx, tenant: str, channel: str, event: Event) -> Iterator[str]:
    """The message to which something has happened, or whose echo this is."""
    native_id, thread = None, None
    if isinstance(event, InteractionDeleted | ReactionAdded | ReactionRemoved | DeliveryUpdated):
        native_id, thread = event.native_id, event.thread
    elif isinstance(event, InteractionEdited) or (
        isinstance(event, InteractionReceived) and event.interaction.direction == "outbound"
    ):
        native_id, thread = event.interaction.native_id, event.interaction.thread
    if native_id is not None:
        yield message_digest(tx, tenant, channel, thread.id if thread else None, native_id)


def _threads(tx: Tx, tenant: str, channel: str, event: Event) -> Iterator[str]:
    """Where no person is named, the thread may tell who it was."""
    thread = getattr(event, "thread", None)
    if thread is not None and not isinstance(event, IdentityClaimed):
        yield thread_digest(tx, tenant, channel, thread.id)
