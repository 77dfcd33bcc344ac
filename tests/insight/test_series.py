"""What charts are drawn from, worked out by hand; and that it adds up to the figures, whatever happened."""

from typing import Any

import pytest
from busy import history
from past import at, handed, past, resolved, said
from test_measures import WEEK, share

from socialsupport_core.guidance import Hours
from socialsupport_core.insight import Settings, report, settings_of
from socialsupport_core.insight.series import arrivals

BERLIN = {"zone": "Europe/Berlin", "week": {"mon": ["09:00-12:00", "13:00-17:30"], "tue": ["22:00-24:00"]}}


@pytest.fixture(scope="module")
def week() -> dict[str, Any]:
    return report(past(*WEEK), Settings())


@pytest.fixture(scope="module", params=[1, 2])
def busy(request: pytest.FixtureRequest) -> dict[str, Any]:
    return report(history(300, seed=request.param), settings_of({"hours": BERLIN}), at(-40 * 24))


def test_how_many_were_answered_by_then(week: dict[str, Any]) -> None:
    """After 6 and 30 minutes, twice an hour, 6 hours; Morris and Max never. Lou may still be."""
    every = week["distributions"][0]
    assert [one["count"] for one in every["bins"]] == [0, 1, 3, 0, 1, 0, 0]
    assert [one["by_then"]["count"] for one in every["bins"]] == [0, 1, 4, 4, 5, 5, 5]
    assert every["bins"][2]["by_then"] == share(4, 7)
    assert (every["contacts"], every["later"]) == (7, 0)
    assert (every["answered"], every["unanswered"]) == (share(5, 7), share(2, 7))
    assert every["target_seconds"] is None, "each channel has its own"


def test_each_channel_has_its_own_distribution_and_target(week: dict[str, Any]) -> None:
    told = [(one["channel"], one["contacts"], one["target_seconds"]) for one in week["distributions"][1:]]
    assert told == [("x", 3, 14_400.0), ("email", 2, 86_400.0), ("webchat", 2, 300.0)]
    same = report(past(said(1, "x"), said(2, "x", "agent")), Settings())["distributions"]
    assert [one["target_seconds"] for one in same] == [14_400.0, 14_400.0]


def test_a_wait_of_more_than_three_days_is_later() -> None:
    told = report(past(said(1, "x"), said(80, "x", "agent")), Settings())["distributions"][0]
    assert (told["later"], told["bins"][-1]["by_then"], told["answered"]) == (1, share(0, 1), share(1, 1))


def test_a_call_that_was_taken_waits_for_nothing() -> None:
    assert report(past(said(1, "phone")), Settings())["distributions"][0]["contacts"] == 0


def test_what_is_published_stands_beside_the_nearest_of_ours(week: dict[str, Any]) -> None:
    assert [(one["share"], one["ours"]) for one in week["benchmarks"]] == [
        (0.66, share(4, 7)),
        (0.23, share(2, 7)),
        (0.13, share(5, 7)),
    ]
    assert all(one["source"] for one in week["benchmarks"])
    own = [{"share": 0.5, "wording": "half", "source": "our own", "within": 3600}]
    (told,) = report(past(*WEEK), settings_of({"benchmarks": own}))["benchmarks"]
    assert (told["ours"], told["within_seconds"]) == (share(4, 7), 3600.0)


def test_week_by_week_without_a_gap() -> None:
    events = (
        said(9, "x"),
        said(10, "x", "agent"),
        said(9, "x", customer="cus_flo"),
        said(30, "phone", customer="cus_flo"),
    )
    told = report(past(*events, said(24 * 15, "x", customer="cus_lou"), until=24 * 30), Settings())["weeks"]
    assert [(one["week"], one["from"], one["matters"], one["incurred"]) for one in told] == [
        ("2026-W45", "2026-11-02", 2, 15.0),
        ("2026-W46", "2026-11-09", 0, 0.0),
        ("2026-W47", "2026-11-16", 1, 0.0),
    ]
    assert (told[0]["response_p50"], told[0]["broke"]) == (3600.0, share(1, 2))
    assert told[0]["coverage"]["answered"] == share(2, 3)
    assert told[1]["broke"]["share"] is None


def test_a_year_may_end_within_the_weeks() -> None:
    events = (said(24 * 50, "x"), said(24 * 66, "x", customer="cus_flo"))
    told = report(past(*events, until=24 * 90), Settings())["weeks"]
    assert [one["week"] for one in told] == ["2026-W52", "2026-W53", "2027-W01"]


def test_arrivals_and_answers_by_weekday_and_hour(week: dict[str, Any]) -> None:
    told = week["arrivals"]
    assert (told["contacts"][0][9], told["contacts"][0][20], told["contacts"][1][23]) == (6, 1, 1)
    assert {hour: count for hour, count in enumerate(told["answers"][0]) if count} == {9: 2, 10: 1, 15: 1, 21: 1}
    assert sum(map(sum, told["contacts"])) == week["matters"]["contacts"] == 8
    assert told["open"] == [[1.0] * 24] * 7
    assert told["outside_hours"] == share(0, 8)


def test_they_are_told_by_the_clock_of_the_hours() -> None:
    hours = Hours.model_validate(BERLIN)
    events = (said(7.5, "x"), said(8.5, "x", customer="cus_flo"), said(46.5, "x", customer="cus_lou"))
    told = report(past(*events), settings_of({"hours": BERLIN}))["arrivals"]
    assert (told["contacts"][0][8], told["contacts"][0][9], told["contacts"][1][23]) == (1, 1, 1)
    assert told["outside_hours"] == share(1, 3), "7:30 UTC is before nine there"
    assert told["open"][0] == [0.0] * 9 + [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.5] + [0.0] * 6
    assert told["open"][1][21:] == [0.0, 1.0, 1.0]
    assert arrivals([], hours)["contacts"] == [[0] * 24] * 7


def test_what_the_network_did_not_take_is_no_answer() -> None:
    told = report(past(said(1, "x"), said(2, "x", "agent", failed=True), said(3, "x", "bot")), Settings())
    assert sum(map(sum, told["arrivals"]["answers"])) == 0


def test_from_where_to_where() -> None:
    """Finn was handed off; Kerry was known where she went on, and Flo was not, twice."""
    events = (
        said(1, "x", customer="cus_finn"),
        said(1.5, "x", "agent", "cus_finn"),
        handed(1.5, "x", "arrived", "webchat", "cus_finn"),
        said(2, "webchat", customer="cus_finn"),
        said(1, "x"),
        said(9, "webchat"),
        said(1, "x", customer="cus_flo"),
        said(9, "webchat", customer="cus_flo", conversation="con-2"),
        said(18, "phone", customer="cus_flo", conversation="con-3"),
    )
    told = report(past(*events), Settings())["flows"]
    assert told == [
        {
            "from": {"channel": "x", "visibility": "public"},
            "to": {"channel": "webchat", "visibility": "private"},
            "count": 3,
            "handed_off": 1,
            "with_context": share(2, 3),
        },
        {
            "from": {"channel": "webchat", "visibility": "private"},
            "to": {"channel": "phone", "visibility": "private"},
            "count": 1,
            "handed_off": 0,
            "with_context": share(0, 1),
        },
    ]


def test_failures_by_reason_channel_and_leg() -> None:
    """Lou was handed off as it should be, and then nobody answered there."""
    events = (
        said(1, "x"),
        said(1, "x", customer="cus_flo"),
        said(1, "x", customer="cus_lou"),
        said(1.5, "x", "agent", "cus_lou"),
        handed(1.5, "x", "arrived", "webchat", "cus_lou"),
        said(2, "webchat", customer="cus_lou"),
        said(3, "email", customer="cus_max"),
        resolved(4, "cus_max"),
    )
    assert report(past(*events), Settings())["failures"] == [
        {"reason": "no answer in time", "channel": "x", "leg": 1, "matters": 2},
        {"reason": "no answer in time", "channel": "webchat", "leg": 2, "matters": 1},
    ]


def test_charts_add_up_to_the_figures(busy: dict[str, Any]) -> None:
    assert sum(one["count"] for one in busy["flows"]) == busy["channel_switches"]["count"] > 20
    assert (
        sum(one["with_context"]["count"] for one in busy["flows"]) == busy["channel_switches"]["with_context"]["count"]
    )
    assert sum(one["matters"] for one in busy["failures"]) == busy["breakdowns"]["count"] > 20
    assert sum(one["matters"] for one in busy["weeks"]) == busy["matters"]["count"]
    assert sum(map(sum, busy["arrivals"]["contacts"])) == busy["matters"]["contacts"]
    assert round(sum(one["incurred"] for one in busy["weeks"]), 2) == busy["cost"]["incurred"]["amount"]
    every, *channels = busy["distributions"]
    for one in busy["distributions"]:
        assert sum(b["count"] for b in one["bins"]) + one["later"] == one["answered"]["count"]
        assert one["answered"]["count"] + one["unanswered"]["count"] == one["contacts"]
    assert sum(one["contacts"] for one in channels) == every["contacts"]
    assert every["answered"]["count"] == busy["response"]["people"]["count"]


def test_every_reason_is_there(busy: dict[str, Any]) -> None:
    assert len(busy["breakdowns"]["by_reason"]) == 7
