"""The business calendar as a table, so that the hours between two moments are a join and a subtraction.

`gone(t)`, the microseconds of opening hours before `t`, is a line within each piece of the table; between two moments
lie `gone(end) - gone(begin)` of them, to the microsecond what `Hours.within` gives.
"""

from datetime import date, timedelta
from itertools import pairwise

from ibis import _

from socialsupport_core.guidance.service import Hours
from socialsupport_core.insight.scaled.place import Place, Table

DAY = 86_400_000_000
_PIECES = ("day", "start", "stop", "before", "open")


def pieces(hours: Hours, begin: int, end: int) -> list[tuple[int, int, int, int, int]]:
    """Day since 1970, start, end, gone by the start, how many openings overlap: for all moments between `begin` and
    `end`, in microseconds."""
    slopes: dict[int, int] = {}
    for opens, closes in _openings(hours, begin, end):
        slopes[opens] = slopes.get(opens, 0) + 1
        slopes[closes] = slopes.get(closes, 0) - 1
    first, last = begin // DAY - 2, end // DAY + 3
    edges = sorted({*slopes, *(day * DAY for day in range(first, last + 1))})
    found, gone, slope = [], 0, 0
    for at, until in pairwise(edges):
        slope += slopes.get(at, 0)
        found.append((at // DAY, at, until, gone, slope))
        gone += slope * (until - at)
    return found


def _openings(hours: Hours, begin: int, end: int) -> list[tuple[int, int]]:
    """Of a day more on either side: no zone is further than that from UTC."""
    first = date(1970, 1, 1) + timedelta(days=begin // DAY - 1)
    days = (first + timedelta(days=n) for n in range(end // DAY - begin // DAY + 3))
    return [(opens, closes) for day in days for opens, closes in hours.openings(day) if opens < closes]


class Clock:
    """Of these hours, for moments between two."""

    def __init__(self, place: Place, hours: Hours, begin: int, end: int) -> None:
        self._always = not hours.week
        if not self._always:
            self._pieces = place.put("pieces", _PIECES, pieces(hours, begin, end))

    def within(self, rows: Table) -> Table:
        """The rows with `value`, the opening hours between their `begins` and `ends`."""
        if self._always:
            return rows.mutate(value=(_.ends - _.begins).cast("int64"))
        known = self._gone(self._gone(rows, "begins"), "ends")
        return known.mutate(value=_.gone_ends - _.gone_begins).drop("gone_ends", "gone_begins")

    def _gone(self, rows: Table, name: str) -> Table:
        mine = self._pieces.rename({f"{column}_{name}": column for column in _PIECES})
        at = rows[name]
        there = (at // DAY == mine[f"day_{name}"]) & (at >= mine[f"start_{name}"]) & (at < mine[f"stop_{name}"])
        known = rows.join(mine, there)
        gone = known[f"before_{name}"] + known[f"open_{name}"] * (known[name] - known[f"start_{name}"])
        return known.mutate(**{f"gone_{name}": gone}).drop(*(f"{column}_{name}" for column in _PIECES))
