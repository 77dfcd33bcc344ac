"""How channels feel: what is wrong with each, said once when it turns and once when it is well again.

A channel can have several troubles at once; its state is that of the worst, and it is `active` when none is left.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from socialsupport_core.contract import AuthExpired, Connector, DeliveryError
from socialsupport_core.pipeline.channels import Door
from socialsupport_core.pipeline.inbound import Counted, Translated
from socialsupport_core.store import Tx, accounts, log
from socialsupport_core.store import health as table
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.health import HOUR, Missing, Trouble, Watched
from socialsupport_core.store.journal import Entry
from socialsupport_core.wire.keeper import Unusable

logger = logging.getLogger("socialsupport")
Kind = Literal["poll", "stream", "send", "test", "gap", "silent"]
STATES: dict[Kind, str] = {
    "poll": "failing",
    "stream": "failing",
    "send": "failing",
    "test": "failing",
    "gap": "gap",
    "silent": "silent",
}
"""The state for which each kind of trouble stands, the worst first."""
CONNECTION: tuple[Kind, ...] = ("poll", "stream", "send", "test")
"""What a connection test that succeeds puts an end to."""
READ_BACK = "x-socialsupport-read-back"
"""Marks a payload that was read back: it is no sign that anything comes in by itself."""
FURTHEST = 100_000  # a number that is further away than this is of another count


@dataclass(frozen=True, slots=True)
class Turned:
    """A channel's new state and reason. `told` unless only the reason has changed."""

    tenant: str
    channel: str
    state: str
    reason: str | None
    told: bool

    def say(self) -> None:
        """On stderr of whoever serves, once."""
        if self.told and self.state == "active":
            logger.info("channel %s/%s is well again", self.tenant, self.channel)
        elif self.told:
            logger.warning("channel %s/%s is %s: %s", self.tenant, self.channel, self.state, self.reason)


def trouble(tx: Tx, channel: Channel, kind: Kind, reason: str, now: int) -> Turned | None:
    """Something is wrong with it. None if that makes no difference."""
    table.put_trouble(tx, channel.tenant, channel.id, Trouble(kind, reason, now))
    return _turn(tx, channel, now)


def well(tx: Tx, channel: Channel, kinds: Iterable[Kind], now: int) -> Turned | None:
    """These troubles are over. None if that makes no difference."""
    table.end_troubles(tx, channel.tenant, channel.id, kinds)
    return _turn(tx, channel, now)


def _turn(tx: Tx, channel: Channel, now: int) -> Turned | None:
    known = accounts.state(tx, channel.tenant, channel.id)
    if known is None or known == "paused":
        return None
    state, reason = standing(tx, channel)
    if not accounts.set_state(tx, channel.tenant, channel.id, state, reason):
        return None
    turned = Turned(channel.tenant, channel.id, state, reason, told=state != known)
    if turned.told:
        tell(tx, channel, state, reason, now)
    return turned


def standing(tx: Tx, channel: Channel) -> tuple[str, str | None]:
    """The state that follows from its troubles, and the reason."""
    found = table.troubles(tx, channel.tenant, channel.id)
    worst = next((kind for kind in STATES if kind in found), None)
    return (STATES[worst], found[worst].reason) if worst else ("active", None)


def known(tx: Tx, channel: Channel) -> dict[str, str]:
    """The reason of each trouble that it has."""
    return {kind: one.reason for kind, one in table.troubles(tx, channel.tenant, channel.id).items()}


def tell(tx: Tx, channel: Channel, state: str, reason: str | None, now: int) -> None:
    data = {"channel": channel.id, "state": state, "reason": reason or ""}
    log.publish(tx, channel.tenant, "channel.changed", now, data, channel=channel.id)


def remedied(error: DeliveryError) -> str:
    """What is wrong, and what to do where it does not mend itself."""
    is_told = isinstance(error, Unusable) or "connect it again" in str(error)
    if isinstance(error, AuthExpired) and not is_told:
        return f"{error}; enter a new token or connect it again, then test the connection"
    return str(error)


# signs of life


def counted(door: Door, entry: Entry) -> Counted | None:
    """The network's own numbers in this payload; None where it does not count, or nobody can read them."""
    connector, span = door.connector, door.connector.capabilities.sequence
    if door.tenant is None or span is None:
        return None
    try:
        found = tuple(connector.numbered(entry.payload))
    except (Exception, SystemExit):
        return None  # what cannot be read is in quarantine, with its reason
    return Counted(door.tenant, door.channels[0].id, found, span // timedelta(microseconds=1))


def ended(door: Door, entry: Entry, now: int) -> tuple[Channel, str] | None:
    """The channel that the network has just put an end to, and why. What was read back or replayed is long past."""
    fresh = now - entry.received_at < HOUR and _came_by_itself(entry)
    if door.tenant is None or not fresh:
        return None
    try:
        reason = door.connector.ends(entry.payload)
    except (Exception, SystemExit):
        return None
    return (door.channels[0], reason) if reason else None


def end(tx: Tx, batch: Sequence[Translated], now: int) -> list[Turned]:
    """What has turned by it."""
    turned = [trouble(tx, one.ended[0], "test", one.ended[1], now) for one in batch if one.ended]
    return [one for one in turned if one is not None]


def note(tx: Tx, batch: Sequence[Translated]) -> None:
    """Notes what came in, in the commit in which it is recorded."""
    heard: dict[tuple[str, str, int], tuple[int, int]] = {}
    # by channel and hour the last moment in it, and how many events
    for one in batch:
        if not _came_by_itself(one.entry):
            continue
        at = one.entry.received_at
        for _, place in one.events:
            if not isinstance(place, str):
                key = place.tenant, place.channel, at // HOUR
                last, events = heard.get(key, (at, 0))
                heard[key] = (max(last, at), events + 1)
    for (tenant, channel, _), (at, events) in heard.items():
        table.arrived(tx, tenant, channel, at, events)
    _note_numbers(tx, batch)


def _came_by_itself(entry: Entry) -> bool:
    """What was imported or read back says nothing about the way in."""
    source = entry.payload.source
    return source != "file" and not (source == "poll" and entry.payload.header(READ_BACK))


def _note_numbers(tx: Tx, batch: Sequence[Translated]) -> None:
    """Of a whole batch in order: what only overtook each other within it leaves no hole."""
    came: dict[tuple[str, str, int], list[tuple[int, int]]] = defaultdict(list)
    for one in batch:
        if one.counted is not None:
            at = one.entry.received_at
            key = one.counted.tenant, one.counted.channel, one.counted.span
            came[key] += [(number, at) for number in one.counted.numbers]
    for (tenant, channel, span), found in came.items():
        watched = table.watched(tx, tenant, channel)
        top, top_at = watched.top, watched.top_at
        for number, at in sorted(found):
            top, top_at = _count(tx, watched, top, top_at, number, at, span)
        if top is not None and top_at is not None and (top, top_at) != (watched.top, watched.top_at):
            table.count_to(tx, tenant, channel, top, top_at)


def _count(
    tx: Tx, watched: Watched, top: int | None, top_at: int | None, number: int, at: int, span: int
) -> tuple[int, int]:
    """The highest number so far and its time."""
    if top is None or top_at is None or at - top_at > span or abs(number - top) > FURTHEST:
        return number, at  # the first, or of a new count
    if number > top:
        if number > top + 1:
            table.miss(tx, watched.tenant, watched.channel, Missing(top + 1, number - 1, at))
        return number, at
    table.found(tx, watched.tenant, watched.channel, number)
    return top, top_at


def reads_back(connector: Connector[Any], now: Any) -> bool:
    """Whether its network can be asked again for what it has told."""
    try:
        connector.history(now, None)
    except DeliveryError:
        return False
    return True
