"""Staffing from a history: arrivals by hour of the week, what handling takes, what the targets need."""

import pytest
from past import HOUR, MONDAY, at, past, said

from socialsupport_core.guidance import Hours
from socialsupport_core.insight import Settings
from socialsupport_core.insight.staffing import ASSUMED, occurrences, staffing

WEEK = 7 * 24
WORK = Hours(zone="Europe/Berlin", week=dict.fromkeys(("mon", "tue"), ("09:00-11:00",)))


def crowd(hours: float, count: int, channel: str = "webchat", first: int = 0) -> list[object]:
    return [said(hours + n / 1000, channel, customer=f"cus_{channel}{first}_{hours}_{n}") for n in range(count)]


def test_arrivals_are_a_mean_over_the_weeks_there_were() -> None:
    history = past(*crowd(9, 20), *crowd(9 + WEEK, 40), *crowd(15, 6), until=2 * WEEK)  # type: ignore[arg-type]
    found = staffing(history, Settings(), MONDAY, handling=180)
    (queue,) = found["queues"]
    assert [(row["day"], row["hour"], row["arrivals"]) for row in queue["hours"]] == [
        ("mon", 9, 30.0),
        ("mon", 15, 3.0),
    ]
    assert (queue["target_seconds"], queue["channels"], queue["contacts"]) == (300.0, ["webchat"], 66)
    first = queue["hours"][0]
    assert (first["agents"], found["hours"][0]) == (3, {"day": "mon", "hour": 9, "agents": 3, "rostered": 5})
    assert first["within_target"] >= 0.8
    assert found["assumptions"]["handling"] == "given"


def test_who_comes_out_of_hours_is_there_when_they_begin() -> None:
    history = past(*crowd(3, 5), *crowd(8.5, 2), *crowd(20, 4), until=WEEK)  # type: ignore[arg-type]
    found = staffing(history, Settings(hours=WORK), MONDAY, handling=180)
    rows = [(row["day"], row["hour"], row["arrivals"]) for row in found["queues"][0]["hours"]]
    assert rows == [("mon", 9, 7.0), ("tue", 9, 4.0)]


def test_each_target_is_a_queue_of_its_own() -> None:
    history = past(*crowd(9, 30), *crowd(9, 10, "email"), until=WEEK)  # type: ignore[arg-type]
    found = staffing(history, Settings(), MONDAY, handling=600)
    assert [(one["channels"], one["target_seconds"]) for one in found["queues"]] == [
        (["webchat"], 300.0),
        (["email"], 86_400.0),
    ]
    assert found["hours"][0]["agents"] == sum(one["hours"][0]["agents"] for one in found["queues"])
    (together,) = staffing(history, Settings(), MONDAY, handling=600, target=300)["queues"]
    assert together["contacts"] == 40


def test_what_handling_takes_is_measured_where_nobody_was_idle() -> None:
    """Thirty are waiting; they are answered one after the other, every four minutes."""
    events = crowd(9, 30)
    events += [said(10 + n * 4 / 60, "webchat", "agent", f"cus_webchat0_9_{n}") for n in range(30)]
    found = staffing(past(*events, until=WEEK), Settings(), MONDAY)  # type: ignore[arg-type]
    assert found["assumptions"]["handling_seconds"] == 240.0
    assert found["assumptions"]["handling"] == "measured from 29 answers given one after the other"


def test_where_few_were_waiting_it_is_assumed_and_said_so() -> None:
    events = [
        one for n in range(30) for one in (said(9 + n, "x", customer=f"c{n}"), said(9.1 + n, "x", "agent", f"c{n}"))
    ]
    found = staffing(past(*events), Settings(), MONDAY)
    assert found["assumptions"]["handling_seconds"] == ASSUMED
    assert "only 0 answers" in found["assumptions"]["handling"]


def test_only_the_period_counts() -> None:
    history = past(*crowd(9, 20), *crowd(9 + WEEK, 4), until=2 * WEEK)  # type: ignore[arg-type]
    found = staffing(history, Settings(), at(WEEK), handling=180)
    assert found["queues"][0]["hours"][0]["arrivals"] == 4.0
    assert staffing(past(), Settings(), MONDAY)["queues"] == []


@pytest.mark.parametrize(("weeks", "times"), [(1, 1), (3, 3)])
def test_how_often_an_hour_was_there(weeks: int, times: int) -> None:
    found = occurrences(WORK, MONDAY, MONDAY + weeks * WEEK * HOUR)
    assert dict(found) == {(0, 9): times, (0, 10): times, (1, 9): times, (1, 10): times}
    assert sum(occurrences(Hours(), MONDAY, MONDAY + weeks * WEEK * HOUR).values()) == weeks * WEEK
