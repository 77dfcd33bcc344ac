"""By when an answer can be expected: worked out by hand."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.guidance import Hours
from socialsupport_core.guidance.away import ENOUGH, expected

HOUR = 3_600_000_000
MONDAY = round(datetime(2026, 11, 2, tzinfo=UTC).timestamp() * 1_000_000)
WORK = Hours(week=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",)))


def at(hours: float) -> int:
    return MONDAY + round(hours * HOUR)


@pytest.mark.parametrize(
    ("now", "took", "opens", "by"),
    [
        (20, [], 33, 37),  # Monday evening; the target of four hours, from Tuesday at nine
        (20, [1.0] * (ENOUGH - 1), 33, 37),  # too few answers
        (20, [1, 1, 2, 3, 9], 33, 36),  # the fourth of five
        (20, [10.0] * 5, 33, 59),  # more than a day of eight hours: Wednesday at eleven
        (5 * 24, [2.0] * 5, 7 * 24 + 9, 7 * 24 + 11),  # Saturday
        (10, [2.0] * 5, 10, 12),
    ],
)
def test_three_of_four_hear_by_then(now: float, took: list[float], opens: float, by: float) -> None:
    found = expected(WORK, at(now), [round(one * HOUR) for one in took], 4 * HOUR)
    assert found is not None
    assert (found.opens, found.by) == (at(opens), at(by))


def test_nobody_is_promised_what_never_comes() -> None:
    assert expected(Hours(week={"mon": ()}), MONDAY, [], HOUR) is None


@given(st.integers(0, 400), st.integers(1, 100 * 60))
def test_the_moment_is_the_first_one(begin: int, minutes: int) -> None:
    start, span = at(begin), minutes * 60_000_000
    found = WORK.after(start, span)
    assert found is not None
    assert WORK.within(start, found) == span
    assert WORK.within(start, found - 1) < span
