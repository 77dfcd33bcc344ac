"""A channel's own rhythm: how much usually comes in at which hour of which weekday. Pure functions; UTC throughout."""

from collections.abc import Mapping
from statistics import median_low

from socialsupport_core.store.health import HOUR

WEEK = 7 * 24  # hours
WEEKS = 8  # that are looked back at
LEARNED = 2  # weeks from which on there is a rhythm
SHORTEST = 30 * 60 * 1_000_000  # microseconds; a shorter silence is never remarkable
MISSED = 20.0  # events that would have come in usually: a quiet shop hardly ever misses so many
LONGEST = 4 * WEEK  # hours of a silence that are looked at


def missed(counts: Mapping[int, int], first: int, since: int, now: int) -> float:
    """How many events would have been usual from `since` until `now`, in microseconds since 1970.

    `counts` are events by hour since 1970, `first` is the hour in which the channel was heard first. Usual at an hour
    is the lower median of the same hour in the weeks before, so one week of outage or of flood changes little. An hour
    of which fewer than two weeks are known counts for nothing.
    """
    start, end = since // HOUR, now // HOUR
    found = 0.0
    for hour in range(max(start, end - LONGEST), end + 1):
        usual = _usual(counts, first, hour)
        still = usual - counts.get(hour, 0) if hour == start else usual  # some of it has come before it fell silent
        found += max(0, min(still, usual * _share(hour, since, now)))
    return found


def silent(counts: Mapping[int, int], first: int, since: int, now: int) -> float | None:
    """How much would have come in usually, if the silence is remarkable."""
    if now - since < SHORTEST:
        return None
    found = missed(counts, first, since, now)
    return found if found >= MISSED else None


def _usual(counts: Mapping[int, int], first: int, hour: int) -> int:
    known = [counts.get(past, 0) for week in range(1, WEEKS + 1) if (past := hour - week * WEEK) > first]
    return median_low(known) if len(known) >= LEARNED else 0


def _share(hour: int, since: int, now: int) -> float:
    """The part of this hour that lies within the silence."""
    begin, end = max(hour * HOUR, since), min((hour + 1) * HOUR, now)
    return max(0, end - begin) / HOUR
