"""When it is worse than usual, worked out by hand."""

from past import at

from socialsupport_core.guidance.service import Hours
from socialsupport_core.insight.peaks import peaks

WEEK = 7 * 24
BERLIN = Hours(zone="Europe/Berlin")


def moments(week: int, hours: float, count: int) -> list[int]:
    return [at(week * WEEK + hours) + n for n in range(count)]


def test_the_worst_week_and_the_worst_hours_are_told_with_all_that_began_then() -> None:
    usual = [one for week in range(4) for one in moments(week, 34, 25)]  # Tuesday morning
    evening = [one for week in range(4) for one in moments(week, 90, 5)]  # Thursday, 19:00 in Berlin
    bad = [*moments(2, 34, 13), *evening]
    # week: 13 + 5 of 30 against 15 of 90, evening: 20 of 20 against 13 of 100
    assert peaks(bad, [*usual, *evening], BERLIN) == [
        {"by": "week", "name": "the week of 2026-11-16", "matters": {"share": 0.6, "count": 18, "of": 30}},
        {"by": "hours", "name": "Thursdays, 18:00 to 21:00", "matters": {"share": 1.0, "count": 20, "of": 20}},
    ]


def test_what_chance_would_have_is_not_told() -> None:
    """5 of 10 against 20 of 90 is 1.9 standard deviations, and one of them is always the worst."""
    everything = [one for week in range(10) for one in moments(week, 34, 10)]
    bad = [*moments(0, 34, 5), *[one for week in range(1, 6) for one in moments(week, 34, 4)]]
    assert peaks(bad, everything, BERLIN) == []


def test_few_are_no_peak_and_neither_is_everything() -> None:
    everything = [one for week in range(10) for one in moments(week, 34, 10)]
    assert peaks(moments(0, 34, 4), everything, BERLIN) == []
    assert [one["by"] for one in peaks(moments(0, 34, 5), everything, BERLIN)] == ["week"]
    assert peaks(everything, everything, BERLIN) == []
    assert peaks([], [], BERLIN) == []


def test_the_day_is_that_of_the_zone_and_the_week_that_of_all_weeks() -> None:
    """Sunday, 23:30 UTC is Monday in Berlin."""
    late = [at(WEEK - 0.5) + n for n in range(5)]
    told = peaks(late, [*late, *moments(1, 34, 30)], BERLIN)
    assert [one["name"] for one in told] == ["the week of 2026-11-02", "Mondays, 00:00 to 03:00"]
