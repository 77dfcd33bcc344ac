"""When a matter broke down, and why: worked by hand."""

from dataclasses import replace
from typing import Any

import pytest
from past import at, handed, past, resolved, said

from socialsupport_core.insight import History, Journey, Settings, journey, matters, report

SETTINGS = Settings()


def journeys(history: History) -> list[Journey]:
    return [journey(one, SETTINGS, history.until) for one in matters(history, SETTINGS)]


def only(*events: Any, until: float = 24 * 30) -> Journey:
    (found,) = journeys(past(*events, until=until))
    return found


def steps(found: Journey) -> list[tuple[str, str, str | None]]:
    return [(step.leg.channel, step.outcome, step.reason) for step in found.steps]


FACEBOOK_TWITTER_CALL = (
    said(9, "facebook"),
    said(14, "facebook"),
    said(33, "facebook"),
    said(40, "x"),
    said(40.5, "x", "agent"),
    said(58, "phone"),
    resolved(58.2),
)
"""Several contacts on Facebook that nobody answers, a complaint on Twitter whose answer is ignored, then a call."""


def test_the_failure_belongs_to_facebook_and_not_to_twitter() -> None:
    found = only(*FACEBOOK_TWITTER_CALL)
    assert steps(found) == [
        ("facebook", "failed", "no_answer"),
        ("x", "failed", "not_resolved"),
        ("phone", "resolved", None),
    ]
    assert found.broke == 0
    assert [step.because_of for step in found.steps] == [None, 0, 0]
    assert found.words == (
        "it broke down on facebook: no answer in time; without that the customer would not have gone on to x and phone"
    )
    assert found.steps[0].words == "3 contacts, none answered; 7 hours after the last, the customer turned to x"
    assert found.steps[1].words == "answered, but the customer turned to phone all the same"


def test_its_cost_is_told_with_the_table() -> None:
    told = report(past(*FACEBOOK_TWITTER_CALL), SETTINGS)
    cost = told["cost"]
    assert cost["failed_contact"]["amount"] == 7.7225
    assert [row["product"] for row in cost["failed_contact"]["table"]] == [6.0, 0.0625, 0.51, 0.75, 0.4]
    assert cost["expected"] == {"failed_legs": 2, "amount": 15.45}  # 2 x 7.7225, to a cent
    assert cost["incurred"]["amount"] == 15.0, "one call; a contact on X has no price"
    assert (cost["incurred"]["contacts"], cost["incurred"]["without_a_price"]) == (2, 1)
    assert cost["incurred"]["by_channel"] == {"facebook": 15.0}
    assert cost["incurred"]["by_reason"] == {"no answer in time": 15.0}
    assert told["breakdowns"]["by_channel"] == {"facebook": 1}


def test_a_late_answer_on_the_first_channel_changes_nothing() -> None:
    """It came after the customer had gone on."""
    late = said(59, "facebook", "agent")
    assert only(*FACEBOOK_TWITTER_CALL[:-1], late, resolved(60)).broke == 0


def test_an_answer_in_time_puts_the_blame_where_the_matter_went_wrong() -> None:
    answered = (said(9, "facebook"), said(9.5, "facebook", "agent"))
    found = only(*answered, said(40, "x"), said(41, "x", "agent"), said(58, "phone"), resolved(59))
    assert steps(found)[0] == ("facebook", "failed", "not_resolved")
    assert found.broke == 0


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ((said(1, "facebook"), said(1.1, "facebook", "agent", failed=True), said(9, "email")), "send_failed"),
        (
            (
                said(1, "facebook", told=["order"]),
                said(1.5, "facebook", "agent", asks=["order"]),
                said(9, "email"),
            ),
            "asked_again",
        ),
        ((said(1, "x"), said(1.5, "x", "agent"), handed(1.5, "x", "offered"), said(9, "phone")), "bounced"),
        ((said(1, "x"), said(1.5, "x", "agent"), resolved(2), said(3, "phone", answers="r")), "reopened"),
        ((said(1, "x"), said(1.5, "x", "agent"), said(9, "phone")), "not_resolved"),
        ((said(1, "x"), said(1.5, "x", "bot"), said(9, "phone")), "not_resolved"),
        ((said(1, "x"), said(1.5, "x", "agent"), handed(1.5, "x", "expired")), "gave_up"),
        ((said(1, "x"),), "no_answer"),
        ((said(1, "x"), said(2, "x", "agent", failed=True)), "send_failed"),
    ],
)
def test_why_a_leg_fails(events: tuple[Any, ...], reason: str) -> None:
    events = tuple(_answering(one, events) for one in events)
    found = only(*events)
    assert (found.steps[0].outcome, found.steps[0].reason) == ("failed", reason)
    assert found.broke == 0


def _answering(one: Any, events: tuple[Any, ...]) -> Any:
    """Who comes back to a resolved matter on another channel does so by answering us."""
    return replace(one, answers=events[1].id) if getattr(one, "answers", None) == "r" else one


def test_what_was_not_known_may_be_asked_for() -> None:
    events = (said(1, "x"), said(1.5, "x", "agent", asks=["order"]), said(2, "x", told=["order"]), said(9, "phone"))
    assert only(*events).steps[0].reason == "no_answer"


def test_a_hand_off_that_arrives_is_no_failure() -> None:
    events = (
        said(1, "x"),
        said(1.5, "x", "agent"),
        handed(1.5, "x", "arrived", to="webchat"),
        said(1.6, "webchat"),
        said(1.7, "webchat", "agent"),
        resolved(2),
    )
    found = only(*events)
    assert steps(found) == [("x", "handed_off", None), ("webchat", "resolved", None)]
    assert found.broke is None
    told = report(past(*events), SETTINGS)
    assert told["cost"]["avoided"] == {"hand_offs": 1, "amount": 7.72}
    assert told["channel_switches"] == {"count": 1, "with_context": {"share": 1.0, "count": 1, "of": 1}}
    assert told["handled_twice"]["count"] == 0


def test_nobody_has_failed_who_may_still_answer() -> None:
    found = only(said(1, "x"), until=2)
    assert steps(found) == [("x", "waiting", None)]
    assert only(said(1, "x"), until=6).broke == 0, "four hours are over"


def test_an_answer_is_a_resolution_once_the_customer_has_been_silent_for_the_window() -> None:
    events = (said(1, "x"), said(2, "x", "agent"))
    assert only(*events, until=24).ended == "answered"
    assert only(*events, until=24 * 8).ended == "resolved"


def test_journeys_are_told_leg_by_leg() -> None:
    (told,) = report(past(*FACEBOOK_TWITTER_CALL), SETTINGS)["journeys"]
    assert (told["broke_at"], told["outcome"]) == (1, "resolved")
    assert [leg["because_of"] for leg in told["legs"]] == [None, 1, 1]
    assert [leg["contacts"] for leg in told["legs"]] == [3, 1, 1]
    assert told["conversations"] == ["con-cus_kerry"]
    assert told["began"] == "2026-11-02T09:00:00Z"
    assert at(9) == 1_793_610_000_000_000
