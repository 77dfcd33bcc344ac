"""Histories in a few words: hours since Monday, 2 November 2026, midnight UTC."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from socialsupport_core.insight import Handed, History, Touch, Turn

MONDAY = int(datetime(2026, 11, 2, tzinfo=UTC).timestamp()) * 1_000_000
HOUR = 3_600_000_000
_ids = itertools.count(1)


def at(hours: float) -> int:
    return MONDAY + round(hours * HOUR)


def said(hours: float, channel: str, by: str = "customer", customer: str = "cus_kerry", **more: Any) -> Touch:
    """The channel's name is its network's, and each customer has one thread there."""
    given: dict[str, Any] = {
        "id": f"{next(_ids):06}",
        "network": channel,
        "thread": f"{channel}-{customer}",
        "visibility": "private" if channel in {"email", "webchat", "phone"} else "public",
        "conversation": f"con-{customer}",
        "agent": "dana" if by == "agent" else None,
        "attended": channel == "phone" and by == "customer",
    } | more
    for name in ("topics", "told", "asks"):
        given[name] = frozenset(given.get(name, ()))
    return Touch(at(hours), given.pop("id"), customer, channel, by=by, **given)  # type: ignore[arg-type]


def resolved(hours: float, customer: str = "cus_kerry", type: str = "resolved") -> Turn:
    return Turn(at(hours), type, f"con-{customer}", "dana")  # type: ignore[arg-type]


def handed(hours: float, channel: str, state: str = "arrived", to: str = "", customer: str = "cus_kerry") -> Handed:
    return Handed(at(hours), f"con-{customer}", channel, state, to)


def past(*events: Touch | Turn | Handed, until: float = 24 * 30) -> History:
    def only(kind: type) -> Iterable[Any]:
        return (one for one in events if isinstance(one, kind))

    return History(tuple(only(Touch)), tuple(only(Turn)), tuple(only(Handed)), at(until))
