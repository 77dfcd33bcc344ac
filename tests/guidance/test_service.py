"""Hours and targets: worked out by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from socialsupport_core.guidance import Hours, Service

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = 3_600_000_000
WORK = Hours(
    zone="Europe/Berlin",
    week=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), ("09:00-17:00",)),
    holidays=(date(2026, 11, 3),),
)


def at(hours: float) -> int:
    """So many hours after Monday began in UTC."""
    return round(MONDAY.timestamp() * 1_000_000 + hours * HOUR)


@pytest.mark.parametrize(
    ("begin", "end", "hours"),
    [
        (8, 9, 1),  # 9 to 10 in Berlin
        (7, 9, 1),
        (15, 32, 1),  # 16:00 on Monday to 9:00 on a holiday
        (15.5, 56.5, 1),  # over the holiday, to Wednesday 9:30: half an hour each
        (16, 30, 0),
        (-72, 0, 7 / 8 * 8 + 1),  # Friday midnight to Monday 1:00 in Berlin: Friday's eight hours
    ],
)
def test_time_is_counted_within_the_hours(begin: float, end: float, hours: float) -> None:
    assert WORK.within(at(begin), at(end)) == round(hours * HOUR)


def test_without_hours_it_is_always() -> None:
    assert Hours().within(at(0), at(100)) == 100 * HOUR


def test_an_hour_that_is_skipped_in_spring_does_not_count() -> None:
    night = Hours(zone="Europe/Berlin", week={"sun": ("00:00-24:00",)})
    day = at(24 * (date(2027, 3, 28) - date(2026, 11, 2)).days)
    assert night.within(day - HOUR, day + 23 * HOUR) == 23 * HOUR


def test_a_channel_has_its_own_target_else_its_networks() -> None:
    service = Service(target=60, targets={"shop-chat": 10, "webchat": 20})
    found = [service.target_of(*place) for place in (("shop-chat", "webchat"), ("other", "webchat"), ("x", "x"))]
    assert found == [10_000_000, 20_000_000, 60_000_000]


def test_a_target_of_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Service(targets={"email": 0})


# when the target runs out


@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        (8, 1, 9),
        (15, 2, 57),  # one hour on Monday, Tuesday is a holiday, Wednesday 9:00 to 10:00 in Berlin
        (16, 0.5, 56.5),  # exactly at closing time: from Wednesday on
        (-72, 8, -56),  # Friday's eight hours, to the minute
        (4, 8, 16),
    ],
)
def test_a_target_runs_out_by_the_hours(begin: float, hours: float, end: float) -> None:
    assert WORK.after(at(begin), round(hours * HOUR)) == at(end)


def test_without_hours_it_runs_out_by_the_clock() -> None:
    assert Hours().after(at(0), HOUR) == at(1)


def test_a_target_longer_than_a_month_runs_out_too() -> None:
    one = Hours(week={"mon": ("09:00-10:00",)})
    assert one.within(at(0), one.after(at(0), 40 * HOUR) or 0) == 40 * HOUR


def test_hours_in_which_nobody_ever_is_know_no_end() -> None:
    assert Hours(week={"mon": ()}).after(at(0), HOUR) is None


@settings(max_examples=60)
@given(st.floats(0, 24 * 400), st.integers(1, 100 * HOUR))
def test_it_is_the_inverse_of_counting(begin: float, span: int) -> None:
    end = WORK.after(at(begin), span)
    assert end is not None
    assert WORK.within(at(begin), end) == span
    assert WORK.within(at(begin), end - 1) == span - 1


def test_what_is_urgent_is_due_sooner_and_a_warning_comes_before() -> None:
    service = Service(target=3600, targets={}, urgencies={"high": 0.5, "low": 2})
    dues = [service.due(at(0), "x", "x", urgency) for urgency in ("high", None, "low")]
    assert dues == [at(0.5), at(1), at(2)]
    assert service.warned(at(0), at(1)) == at(0.75)
    by_hours = Service(target=7200, hours=WORK, warn=0.75)
    assert by_hours.due(at(15), "x", "x") == at(57)
    assert by_hours.warned(at(15), at(57)) == at(56.5)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        (8, 8),  # 9:00 in Berlin: open
        (7.5, 8),
        (15.99, 15.99),
        (16, 56),  # over the holiday, to Wednesday
        (5 * 24, 7 * 24 + 8),  # from Saturday to Monday
    ],
)
def test_when_somebody_is_there_again(now: float, opens: float) -> None:
    assert WORK.opens_after(at(now)) == at(opens)
    assert WORK.open_at(at(opens))
    assert WORK.within(at(now), at(opens)) == 0


def test_who_is_always_there_or_never() -> None:
    assert Hours().opens_after(at(3)) == at(3)
    assert Hours().open_at(at(3))
    closed = Hours(
        week={"mon": ("09:00-10:00",)}, holidays=tuple(date(2026, 11, 2) + timedelta(weeks=n) for n in range(60))
    )
    assert closed.opens_after(at(0)) is None


def test_two_openings_of_a_day_and_a_change_of_the_clock() -> None:
    split = Hours(zone="Europe/Berlin", week={"sun": ("01:00-02:00", "12:00-13:00")})
    march = round(
        datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp() * 1_000_000
    )  # 1:30 in Berlin; at 2:00 it is 3:00
    assert split.opens_after(march) == march
    assert split.opens_after(march + HOUR) == round(datetime(2026, 3, 29, 10, tzinfo=UTC).timestamp() * 1_000_000)
