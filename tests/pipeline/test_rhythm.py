"""A silence is remarkable by the channel's own rhythm, and never in a quiet shop. Hours are counted by hand here."""

import random
from collections.abc import Callable

import pytest

from socialsupport_core.pipeline.rhythm import SHORTEST, WEEK, WEEKS, missed, silent
from socialsupport_core.store.health import HOUR

MONDAY = 493_200 - 493_200 % WEEK + 4 * 24  # some Monday, 0:00 UTC: hour 0 since 1970 was a Thursday
FIRST = MONDAY - 6 * WEEK


def weekly(count: Callable[[int, int], int], weeks: int = 6) -> dict[int, int]:
    """What came in during the weeks before: `count` by weekday and hour."""
    hours = range(MONDAY - weeks * WEEK, MONDAY)
    found = {hour: count((hour - MONDAY) // 24 % 7, hour % 24) for hour in hours}
    return {hour: events for hour, events in found.items() if events}


def office(day: int, hour: int) -> int:
    """Ten an hour from nine to five, Monday to Friday."""
    return 10 if day < 5 and 9 <= hour < 17 else 0


def at(hours: float) -> int:
    """So many hours after Monday, 0:00."""
    return int((MONDAY + hours) * HOUR)


def test_two_busy_hours_without_a_word_are_remarkable() -> None:
    counts = weekly(office)
    assert silent(counts, FIRST, at(9), at(10.9)) is None
    assert silent(counts, FIRST, at(9), at(11)) == 20


def test_nights_and_weekends_are_not_missed() -> None:
    counts = weekly(office)
    friday_evening = at(-7 * 24 + 4 * 24 + 17)
    assert silent(counts, FIRST, friday_evening, at(9)) is None
    assert silent(counts, FIRST, friday_evening, at(11)) == 20


def test_a_quiet_shop_is_not_alarmed_for_days() -> None:
    counts = weekly(lambda day, hour: 1 if day in (1, 4) and hour == 14 else 0)
    assert silent(counts, FIRST, at(15), at(15 + 7 * 24)) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_quiet_shop_at_random_hours_has_no_rhythm_at_all(seed: int) -> None:
    chance = random.Random(seed)
    counts = {hour: 1 for hour in range(FIRST, MONDAY) if chance.random() < 5 / WEEK}
    assert silent(counts, FIRST, at(0), at(3 * WEEK)) is None


def test_a_very_busy_channel_is_given_half_an_hour() -> None:
    counts = weekly(lambda day, hour: 6000)
    assert silent(counts, FIRST, at(9), at(9) + SHORTEST - 1) is None
    assert silent(counts, FIRST, at(9), at(9) + SHORTEST) == 3000


def test_there_is_no_rhythm_before_two_weeks() -> None:
    counts = weekly(office, weeks=2)
    assert silent(counts, MONDAY - 2 * WEEK + 16, at(9), at(17)) is None
    assert silent(counts, MONDAY - 2 * WEEK + 8, at(9), at(17)) == 80


def test_one_outage_and_one_flood_change_nothing() -> None:
    counts = weekly(office)
    for hour in range(9, 17):
        counts.pop(MONDAY - WEEK + hour)
        counts[MONDAY - 2 * WEEK + hour] = 5000
    assert silent(counts, FIRST, at(9), at(11)) == 20


def test_what_was_busy_in_the_weeks_before_last_is_still_known_and_what_is_older_is_not() -> None:
    old = dict.fromkeys(range(MONDAY - (WEEKS + 2) * WEEK, MONDAY - WEEKS * WEEK), 10)
    assert missed(old, MONDAY - 20 * WEEK, at(0), at(24)) == 0


def test_what_came_in_the_hour_itself_is_not_missed_in_it() -> None:
    counts = weekly(office) | {MONDAY + 9: 8}
    assert missed(counts, FIRST, at(9.1), at(10)) == 2
    assert missed(counts | {MONDAY + 9: 30}, FIRST, at(9.1), at(11)) == 10


@pytest.mark.parametrize("hours", [1, 10, 100, 1000, 100_000])
def test_the_longer_the_more_and_never_endless(hours: int) -> None:
    counts = weekly(office)
    found = missed(counts, FIRST, at(0), at(hours))
    assert 0 <= found <= 4 * 40 * 10 + 80
