"""Figures in words; what they are made of is always beside them."""

from collections.abc import Mapping
from typing import Any

from socialsupport_core.insight.words import span as _span

NOTHING = "nothing yet"


def percent(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.1%}"


def share(one: Mapping[str, Any]) -> str:
    return NOTHING if one["share"] is None else f"{one['share']:.1%} ({one['count']:,} of {one['of']:,})"


def answer(one: Mapping[str, Any], words: str) -> str:
    """A share as a sentence; without anything to be a share of there is none."""
    return f"{share(one)} {words}" if one["of"] else "nothing to tell yet"


def spread(one: Mapping[str, Any]) -> str:
    if not one["count"]:
        return NOTHING
    return f"{span(one['p50'])}; 9 of 10 within {span(one['p90'])} (of {one['count']:,})"


def span(seconds: float) -> str:
    return _span(round(seconds * 1_000_000))


def edge(seconds: float) -> str:
    """Short, for an axis."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def brief(seconds: float) -> str:
    """Shorter than `span`, for what stands above a column."""
    for length, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.{0 if seconds >= 9.95 * length else 1}f} {unit}"
    return f"{seconds:.0f} s"


def monday(at: str) -> str:
    """`21 Sep`, of `2026-09-21`."""
    return f"{int(at[8:10])} {MONTHS[int(at[5:7]) - 1]}"


MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def money(amount: float, currency: str) -> str:
    return f"{amount:,.2f} {currency}"


def day(at: str) -> str:
    return at[:10]


def touch(place: Mapping[str, str]) -> str:
    """A channel, and whether everybody reads along."""
    return f"{place['channel']} ({place['visibility']})"
