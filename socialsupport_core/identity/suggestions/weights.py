"""What an agreement or a difference is worth: fixed weights (Fellegi, Sunter: A Theory for Record Linkage, 1969).

Each level of a comparison has two chances: `m`, to find it in two profiles of one person, and `u`, to find it in those
of two persons. It is worth log2(m / u) bits. They are written down and not learnt: `m` from how often people change or
misspell such a thing, `u` from how many values there are. How common a value is, the profiles at hand tell.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from socialsupport_core.identity.suggestions.similarity import edits, jaro_winkler


@dataclass(frozen=True, slots=True)
class Level:
    """`alike` says whether two values, which are not the same, are at this level."""

    name: str
    alike: Callable[[str, str], bool]
    m: float
    u: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """From `same` over the levels in their order to `apart`."""

    same: float
    levels: tuple[Level, ...]
    apart: float
    values: int
    """About how many different values there are in the world: how rare is a value that nobody else has here?"""
    words: bool = False
    """Compared word by word, in whatever order they stand."""


def _spelling(a: str, b: str) -> bool:
    """One slip, or more of them in what is long."""
    return jaro_winkler(a, b) >= 0.92 or (min(len(a), len(b)) > 2 and edits(a, b) <= 1)


def _similar(a: str, b: str) -> bool:
    return jaro_winkler(a, b) >= 0.8


def _one_slip(a: str, b: str) -> bool:
    return abs(len(a) - len(b)) <= 1 and edits(a, b) <= 1


def _initial(a: str, b: str) -> bool:
    return min(len(a), len(b)) == 1 and a[0] == b[0]


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _swapped(a: str, b: str) -> bool:
    """Day and month, which two countries write in two orders."""
    return len(a) == len(b) == 8 and a == b[:4] + b[6:] + b[4:6]


def _within(days: int) -> Callable[[str, str], bool]:
    def alike(a: str, b: str) -> bool:
        left, right = _day(a), _day(b)
        return left is not None and right is not None and abs(left - right) <= timedelta(days=days)

    return alike


def _local(address: str) -> str:
    return address.partition("@")[0].partition("+")[0]


def _same_local(a: str, b: str) -> bool:
    return len(_local(a)) > 4 and _local(a) == _local(b)


def _mail_spelling(a: str, b: str) -> bool:
    return jaro_winkler(a, b) >= 0.92 or edits(a, b) <= 2


def _mail_similar(a: str, b: str) -> bool:
    return jaro_winkler(a, b) >= 0.85 or (min(len(a), len(b)) > 12 and edits(a, b) <= 5)


def _number_end(a: str, b: str) -> bool:
    """The same number with and without its country."""
    return min(len(a), len(b)) > 7 and a[-8:] == b[-8:]


WORD = (
    Level("initial", _initial, 0.02, 0.05),
    Level("spelling", _spelling, 0.12, 0.003),
    Level("similar", _similar, 0.06, 0.02),
)
DATE = (
    Level("swapped", _swapped, 0.02, 0.0002),
    Level("spelling", _one_slip, 0.08, 0.002),
    Level("within a month", _within(31), 0.03, 0.003),
    Level("within a year", _within(366), 0.05, 0.025),
)
MAIL = (
    Level("same local part", _same_local, 0.08, 0.0005),
    Level("spelling", _mail_spelling, 0.1, 0.0005),
    Level("similar", _mail_similar, 0.05, 0.005),
)
CODE = (Level("spelling", _one_slip, 0.06, 0.0005),)

COMPARISONS: dict[str, Comparison] = {
    "name": Comparison(0.75, WORD, 0.05, 1_000, words=True),
    "handle": Comparison(0.35, WORD[1:], 0.47, 100_000),
    "email": Comparison(0.57, MAIL, 0.2, 1_000_000),
    "phone": Comparison(0.65, (Level("same end", _number_end, 0.05, 0.0001), *CODE), 0.25, 1_000_000),
    "birth_date": Comparison(0.8, DATE, 0.02, 25_000),
    "national_id": Comparison(0.89, CODE, 0.05, 1_000_000),
    "street": Comparison(0.62, WORD[1:], 0.2, 10_000),
    "street_number": Comparison(0.65, (Level("spelling", _one_slip, 0.1, 0.15),), 0.25, 300),
    "district": Comparison(0.52, WORD[1:], 0.3, 10_000),
    "city": Comparison(0.62, WORD[1:], 0.2, 1_000),
    "postcode": Comparison(0.7, (Level("spelling", _one_slip, 0.1, 0.005),), 0.2, 3_000),
    "region": Comparison(0.82, (Level("spelling", _one_slip, 0.08, 0.01),), 0.1, 20),
}
