"""Numbers in words."""

from collections.abc import Iterable

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def span(micros: int) -> str:
    """`3 hours`, in the largest unit of which there are two or more."""
    seconds = max(0, micros) // 1_000_000
    for length, unit in _UNITS:
        if seconds >= 2 * length or length == 1:
            return counted(seconds // length, unit)
    raise AssertionError("a second is the last unit")


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *some, last = words
    return f"{', '.join(some)} and {last}" if some else last
