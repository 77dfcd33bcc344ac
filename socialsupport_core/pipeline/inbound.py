"""Inbound: translate, resolve, attach, record, publish. Unordered and convergent."""

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

from socialsupport_core.contract import Connector, MalformedPayload, SocialSupportError
from socialsupport_core.model import Event
from socialsupport_core.pipeline.ahead import read_ahead
from socialsupport_core.pipeline.record import Place, Recorder
from socialsupport_core.pipeline.subjects import ERASED
from socialsupport_core.store import Tx, journal
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.journal import Entry

logger = logging.getLogger("socialsupport")
MAX_EVENTS = 10_000  # in one payload; an archive of more is imported in pages
WORTH = 10  # entries for which it pays to read ahead again

Route = Callable[[Event], Channel | str]
"""The channel to which an event belongs, or the reason why it belongs to none."""
Routed = tuple[Event, Place | str]


class Counted(NamedTuple):
    """The numbers by which a network counts what it sends to a channel, and for how many microseconds it goes on."""

    tenant: str
    channel: str
    numbers: tuple[int, ...]
    span: int


class Translated(NamedTuple):
    """What a payload says and where it belongs, as far as it could be read; `trouble` is why the rest could not."""

    entry: Entry
    events: tuple[Routed, ...] = ()
    trouble: str | None = None
    counted: Counted | None = None
    ended: tuple[Channel, str] | None = None
    """The channel on which nothing works any more after this, and why."""
    finish: Callable[[Tx], None] | None = None
    """Settles the entry in place of the recorder: what came from a CRM is acted upon."""


def translate(connector: Connector[Any], entry: Entry, route: Route) -> Translated:
    """Never raises: what a connector cannot read is trouble with a reason, and what came before it is kept."""
    events: list[Routed] = []
    is_signed = connector.capabilities.verification != "none" or entry.payload.source != "webhook"
    try:
        for event in connector.parse(entry.payload):
            events.append((event, _place(route(event), entry, is_signed=is_signed)))
            if len(events) > MAX_EVENTS:
                return Translated(entry, tuple(events), f"more than {MAX_EVENTS:,} events in one payload")
    except MalformedPayload as error:
        return Translated(entry, tuple(events), str(error))
    except (Exception, SystemExit) as error:
        return Translated(entry, tuple(events), f"{connector.name} failed: {type(error).__name__}: {error}")
    return Translated(entry, tuple(events))


def _place(channel: Channel | str, entry: Entry, *, is_signed: bool) -> Place | str:
    if isinstance(channel, str):
        return channel
    return Place(channel.tenant, channel.id, channel.connector, channel.own_account, entry, is_signed)


def at_hand(tx: Tx, batch: Sequence[Translated]) -> Sequence[Translated]:
    """What is about tenants that nobody else changes just now; the rest waits for another turn. They are ours then."""
    tenants = {one.entry.number: {place.tenant for _, place in _placed([one])} for one in batch if one.finish is None}
    wanted = set[str]().union(*tenants.values())
    free = {tenant for tenant in sorted(wanted) if tx.try_lock(tenant)}
    if wanted and not free:
        tx.lock(*wanted)
        free = wanted
    return [one for one in batch if tenants.get(one.entry.number, free) <= free]


def record(tx: Tx, recorder: Recorder, batch: Sequence[Translated]) -> None:
    """Records what was translated: all at once, and if any of it cannot be, each event for itself."""
    mine = [one for one in batch if one.finish is None]
    try:
        with tx.savepoint():
            _record_at_once(tx, recorder, mine)
    except tx.outside:
        raise
    except Exception:  # which one it was shows below
        for one in mine:
            _record_one(tx, recorder, one, each_alone=True)
    for one in batch:
        if one.finish is not None:
            one.finish(tx)


def _record_at_once(tx: Tx, recorder: Recorder, batch: Sequence[Translated]) -> None:
    for number, one in enumerate(batch):
        if not tx.memo("seen") and (number == 0 or len(batch) - number > WORTH):
            read_ahead(tx, _placed(batch[number:]))
        _record_one(tx, recorder, one, each_alone=False)


def _placed(batch: Iterable[Translated]) -> list[tuple[Event, Place]]:
    return [(event, place) for one in batch for event, place in one.events if isinstance(place, Place)]


def _record_one(tx: Tx, recorder: Recorder, one: Translated, *, each_alone: bool) -> None:
    """One payload's events. Each alone, one bad event among fifty leaves forty-nine."""
    reasons = [one.trouble] if one.trouble else []
    recorded = 0
    bad = bool(one.trouble)
    for event, place in one.events:
        if isinstance(place, str):
            reasons.append(place)
            continue
        try:
            with tx.savepoint() if each_alone else nullcontext():
                outcome = recorder.record(tx, place, event)
        except tx.outside:
            raise  # the disk, not the event
        except Exception as error:
            if not each_alone:
                raise
            bad = True
            reasons.append(f"{event.id}: {_refused(error, event, one.entry)}")
            continue
        recorded += outcome != ERASED
        if outcome:
            reasons.append(outcome)
    journal.settle(tx, one.entry.number, *_verdict(recorded, reasons, bad=bad))
    if ERASED in reasons and not bad:
        journal.empty(tx, [one.entry.number], ERASED)


def _refused(error: Exception, event: Event, entry: Entry) -> str:
    """Why, for the quarantine. What we refuse on purpose is a line in the log; anything else is a mistake of ours."""
    if isinstance(error, SocialSupportError):
        logger.warning("event %s of entry %d is in quarantine: %s", event.id, entry.number, error)
        return str(error)
    logger.error("event %s of entry %d could not be recorded", event.id, entry.number, exc_info=error)
    return f"{type(error).__name__}: {error}"


def _verdict(recorded: int, reasons: Sequence[str], *, bad: bool) -> tuple[journal.State, str | None, int]:
    reason = "; ".join(dict.fromkeys(reasons))[:2000] or None
    if bad:
        return "quarantined", reason, recorded
    if recorded:
        return "recorded", reason, recorded
    return "ignored", reason or "it holds no event", 0
