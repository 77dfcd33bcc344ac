"""A filter chooses whole matters: those with one leg that meets all of it."""

import pytest
from past import at, past, resolved, said

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight import Filters, Settings, report
from socialsupport_core.insight.filters import Known, check

EVENTS = (
    # Kerry: publicly on X, where Dana answers, then by telephone
    said(1, "x"),
    said(2, "x", "agent"),
    said(9, "phone"),
    # Flo: by mail, where Sam answers
    said(1, "email", customer="cus_flo"),
    said(2, "email", "agent", "cus_flo", agent="sam"),
    resolved(3, "cus_flo"),
    # Lou: privately on X, where Sam answers
    said(1, "x", customer="cus_lou", visibility="private"),
    said(2, "x", "agent", "cus_lou", agent="sam", visibility="private"),
)


@pytest.mark.parametrize(
    ("given", "matters", "contacts"),
    [
        ({}, 3, 4),
        ({"channel": "x"}, 2, 3),
        ({"channel": "phone"}, 1, 2),
        ({"network": "email"}, 1, 1),
        ({"visibility": "public"}, 1, 2),
        ({"visibility": "private"}, 3, 4),
        ({"agent": "sam"}, 2, 2),
        ({"agent": "sam", "channel": "x"}, 1, 1),
        ({"agent": "dana", "visibility": "private"}, 0, 0),
        ({"channel": "x", "visibility": "private"}, 1, 1),
    ],
)
def test_a_matter_is_chosen_by_one_leg_and_counts_whole(given: dict[str, str], matters: int, contacts: int) -> None:
    """Dana answered Kerry in public, and somebody's call was private; but not both on one leg."""
    told = report(past(*EVENTS), Settings(), filters=Filters(**given))
    assert (told["matters"]["count"], told["matters"]["contacts"]) == (matters, contacts)
    assert told["filters"] == {"channel": None, "network": None, "visibility": None, "agent": None} | given


def test_the_journey_stays_whole() -> None:
    told = report(past(*EVENTS), Settings(), filters=Filters(channel="phone"))
    assert [leg["channel"] for leg in told["journeys"][0]["legs"]] == ["x", "phone"]
    assert told["breakdowns"]["by_channel"] == {"x": 1}
    assert [one["channel"] for one in told["changes"]] == ["x"]


def test_the_period_before_is_chosen_alike() -> None:
    events = (*EVENTS, said(-20, "x", customer="cus_old"), said(-20, "email", customer="cus_older"))
    told = report(past(*events, until=24), Settings(), at(0), Filters(network="x"))
    assert (told["matters"]["count"], told["previous"]["matters"]["count"]) == (2, 1)


def test_the_period_does_not_depend_on_the_filter() -> None:
    events = (said(1, "x"), said(30, "email", customer="cus_flo"))
    assert (
        report(past(*events), Settings(), filters=Filters(network="email"))["period"]["from"] == "2026-11-02T01:00:00Z"
    )


def test_what_only_we_said_on_a_leg_chooses_nothing() -> None:
    events = (said(1, "x"), said(2, "email", "agent"))
    assert report(past(*events), Settings(), filters=Filters(channel="email"))["matters"]["count"] == 0


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"channel": "phon"}, r"there is no channel 'phon' to report on; did you mean phone\?"),
        ({"agent": "kim"}, "there is no agent 'kim' to report on; there is: bo, dana, sam"),
        ({"visibility": "secret"}, "no visibility 'secret'.*there is: private, public"),
        ({"network": "fax" * 100}, "no network '(fax)+fa' to report on"),
    ],
)
def test_a_name_that_is_nowhere_is_told(given: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        check(Filters(**given), past(*EVENTS), Known(agent={"bo"}))


def test_a_name_that_there_is_now_or_was_then_is_taken() -> None:
    check(Filters(channel="shop", agent="bo", visibility="public"), past(*EVENTS), Known({"shop"}, agent={"bo"}))
    check(Filters(channel="email", network="phone", agent="dana"), past(*EVENTS), Known())
