"""What happens on the network, from a seed: letters that arrive, and replies that are asked for."""

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from socialsupport_core.model import (
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Thread,
)
from socialsupport_core.testing.torture.network import MODES

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OURS = "lighthouse"
"""The account of ours on every beacon."""


@dataclass(frozen=True, eq=False)
class Letter:
    """One payload: what it says, and at which channel it arrives."""

    id: str
    channel: str
    events: tuple[Any, ...]
    """Events as JSON values; one under `meant`, beside `poison`, is misunderstood until the connector is mended."""

    @cached_property
    def body(self) -> bytes:
        return json.dumps(self.events, ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Said:
    """A reply that an agent asks for, once the person has spoken."""

    key: str
    person: str
    text: str
    channel: str


@dataclass(frozen=True, eq=False)
class Story:
    """Two are the same only if they are one object: events are plain JSON values."""

    letters: tuple[Letter, ...]
    replies: tuple[Said, ...] = ()
    accounts: frozenset[str] = field(default_factory=frozenset)
    """Every account that occurs, as `kind:value`."""


def person(name: str) -> Identifier:
    return Identifier(kind="beacon.person", value=name)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def message(native: str, author: str, text: str, seconds: float, **more: Any) -> InteractionReceived:
    """`outbound=True` is an echo of ours to that person."""
    outbound = more.pop("outbound", False)
    them, us = Party(identifiers=(person(author),), name=author.capitalize()), Party(is_self=True, name="Us")
    given: dict[str, Any] = {
        "network": "beacon",
        "native_id": native,
        "kind": "message",
        "direction": "outbound" if outbound else "inbound",
        "own_account": OURS,
        "thread": Thread(id=f"dm-{author}", visibility="private"),
        "author": us if outbound else them,
        "recipients": (them,) if outbound else (),
        "text": text,
        "sent_at": at(seconds),
    }
    return InteractionReceived(id=f"m-{native}", interaction=Interaction(**(given | more)))


def edited(original: InteractionReceived, text: str, seconds: float) -> InteractionEdited:
    changed = original.interaction.model_copy(update={"text": text})
    return InteractionEdited(id=f"e-{original.id}-{seconds}", interaction=changed, edited_at=at(seconds))


def deleted(original: InteractionReceived, seconds: float) -> InteractionDeleted:
    one = original.interaction
    return InteractionDeleted(
        id=f"d-{original.id}", own_account=OURS, thread=one.thread, native_id=one.native_id, at=at(seconds)
    )


def reacted(
    original: InteractionReceived, reaction: str, author: str, seconds: float, *, removed: bool = False
) -> ReactionAdded | ReactionRemoved:
    one = original.interaction
    kind = ReactionRemoved if removed else ReactionAdded
    return kind(
        id=f"r-{original.id}-{reaction}-{seconds}",
        own_account=OURS,
        thread=one.thread,
        native_id=one.native_id,
        author=Party(identifiers=(person(author),)),
        reaction=reaction,
        at=at(seconds),
    )


def delivered(native: str, state: Any, seconds: float) -> DeliveryUpdated:
    return DeliveryUpdated(id=f"s-{native}-{state}", own_account=OURS, native_id=native, state=state, at=at(seconds))


def claimed(subject: str, other: Identifier, seconds: float, **more: Any) -> IdentityClaimed:
    given: dict[str, Any] = {"claims": (other,), "tier": "verified", "proof": "signed_in"}
    return IdentityClaimed(
        id=f"c-{subject}-{other}", own_account=OURS, subject=person(subject), at=at(seconds), **(given | more)
    )


def phone(number: int) -> Identifier:
    return Identifier(kind="phone", value=f"+1555{number:07d}")


def letter(id_: str, channel: str, *events: Event | dict[str, Any]) -> Letter:
    return Letter(id_, channel, tuple(one if isinstance(one, dict) else json.loads(one.to_json()) for one in events))


def told(letters: Iterable[Letter], replies: Sequence[Said] = ()) -> Story:
    kept = tuple(letters)
    found = {account for one in kept for event in one.events for account in _accounts(event)}
    return Story(kept, tuple(replies), frozenset(found))


def _accounts(event: Any) -> Iterable[str]:
    """Every identifier in an event, at any depth."""
    if isinstance(event, dict):
        if event.keys() >= {"kind", "value"} and "network" not in event:
            yield f"{event['kind']}:{event['value']}"
        for value in event.values():
            yield from _accounts(value)
    elif isinstance(event, list):
        for value in event:
            yield from _accounts(value)


def chatter(chance: random.Random, people: int = 4, turns: int = 3, channels: Sequence[str] = MODES) -> Story:
    """Several people on several channels: messages, edits, tombstones, reactions, echoes, receipts, claims."""
    letters: list[Letter] = []
    replies: list[Said] = []
    for number in range(people):
        name, channel = f"person{number}", channels[number % len(channels)]
        events = [*_turns(chance, name, turns), claimed(name, phone(number // 2), 500 + number)]
        while events:
            some, events = events[: (size := chance.randint(1, 3))], events[size:]
            letters.append(letter(f"{name}-{len(letters)}", channel, *some))
        replies.append(Said(f"answer-{name}", name, f"On its way, {name}.", channel))
    return told(letters, replies)


def _turns(chance: random.Random, name: str, turns: int) -> list[Event]:
    events: list[Event] = []
    for turn in range(turns):
        moment = turn * 60 + chance.random() * 30
        one = message(f"{name}.{turn}", name, f"{name} says {turn}", round(moment, 3))
        events.append(one)
        if chance.random() < 0.4:
            events += [edited(one, f"{name} meant {turn}", round(moment + 5, 3))]
        if chance.random() < 0.2:
            events.append(deleted(one, round(moment + 9, 3)))
        if chance.random() < 0.4:
            events.append(reacted(one, "👍", name, round(moment + 7, 3)))
        if chance.random() < 0.4:
            echo = message(f"{name}.app{turn}", name, f"typed for {name} in the app {turn}", moment + 11, outbound=True)
            events += [echo, delivered(f"{name}.app{turn}", chance.choice(["delivered", "read"]), moment + 20)]
    return events
