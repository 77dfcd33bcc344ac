"""Inbound: translate, resolve, attach, record, publish. Unordered and convergent."""

import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from socialsupport_core.contract import Connector, MalformedPayload
from socialsupport_core.model import Event
from socialsupport_core.pipeline.record import Place, Recorder
from socialsupport_core.store import Tx, journal
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.journal import Entry

logger = logging.getLogger("socialsupport")
MAX_EVENTS = 10_000  # in one payload; an archive of more is imported in pages


@dataclass(frozen=True, slots=True)
class Translated:
    """What a payload says, as far as it could be read; `trouble` is why the rest could not."""

    entry: Entry
    events: tuple[Event, ...] = ()
    trouble: str | None = None


def translate(connector: Connector[Any], entry: Entry) -> Translated:
    """Never raises: what a connector cannot read is trouble with a reason, and what came before it is kept."""
    events: list[Event] = []
    try:
        for event in connector.parse(entry.payload):
            events.append(event)
            if len(events) > MAX_EVENTS:
                return Translated(entry, tuple(events), f"more than {MAX_EVENTS:,} events in one payload")
    except MalformedPayload as error:
        return Translated(entry, tuple(events), str(error))
    except (Exception, SystemExit) as error:
        return Translated(entry, tuple(events), f"{connector.name} failed: {type(error).__name__}: {error}")
    return Translated(entry, tuple(events))


Route = Callable[[Event], Channel | str]
"""The channel to which an event belongs, or the reason why it belongs to none."""


def record(tx: Tx, recorder: Recorder, translated: Translated, route: Route) -> None:
    """Records one payload's events, each for itself: one bad event among fifty leaves forty-nine."""
    entry = translated.entry
    reasons = [translated.trouble] if translated.trouble else []
    recorded = 0
    bad = bool(translated.trouble)
    for event in translated.events:
        channel = route(event)
        if isinstance(channel, str):
            reasons.append(channel)
            continue
        place = Place(channel.tenant, channel.id, channel.connector, channel.own_account, entry)
        try:
            with tx.savepoint():
                outcome = recorder.record(tx, place, event)
        except sqlite3.OperationalError:
            raise  # the disk, not the event
        except Exception as error:
            logger.exception("event %s of entry %d could not be recorded", event.id, entry.number)
            bad = True
            reasons.append(f"{event.id}: {type(error).__name__}: {error}")
            continue
        recorded += 1
        if outcome:
            reasons.append(outcome)
    journal.settle(tx, entry.number, *_verdict(recorded, reasons, bad=bad))


def _verdict(recorded: int, reasons: Sequence[str], *, bad: bool) -> tuple[journal.State, str | None, int]:
    reason = "; ".join(dict.fromkeys(reasons))[:2000] or None
    if bad:
        return "quarantined", reason, recorded
    if recorded:
        return "recorded", reason, recorded
    return "ignored", reason or "it holds no event", 0
