"""What to change first, and the matters behind each figure: worked out by hand."""

from typing import Any

import pytest
from busy import history
from past import at, handed, past, said
from test_measures import WEEK, share

from socialsupport_core.insight import Settings, report, settings_of
from socialsupport_core.insight.changes import DO
from socialsupport_core.insight.evidence import FIGURES, SHOWN
from socialsupport_core.insight.journey import REASONS

BROKEN = (
    # Kerry phones after nobody has answered: 15
    said(1, "x"),
    said(9, "phone"),
    # Flo gives up without a word: what is expected, 7.7225
    said(2, "x", customer="cus_flo"),
    # Max goes on where a contact has no price: the same
    said(1, "facebook", customer="cus_max"),
    said(9, "x", customer="cus_max"),
    said(10, "x", "agent", "cus_max"),
    # Lou was sent away from where no social contact failed, and did not come: nothing that is known
    said(1, "email", customer="cus_lou"),
    said(2, "email", "agent", "cus_lou"),
    handed(2, "email", "expired", "", "cus_lou"),
)


@pytest.fixture(scope="module")
def changes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = report(past(*BROKEN), Settings())["changes"]
    return found


def test_the_dearest_comes_first(changes: list[dict[str, Any]]) -> None:
    assert [(one["rank"], one["channel"], one["reason"], one["amount"]) for one in changes] == [
        (1, "x", "no answer in time", 22.72),
        (2, "facebook", "no answer in time", 7.72),
        (3, "email", "sent to another channel, and gave up", 0.0),
    ]
    assert [one["matters"] for one in changes] == [share(2, 4), share(1, 4), share(1, 4)]


def test_no_matter_counts_twice(changes: list[dict[str, Any]]) -> None:
    assert (changes[0]["incurred"], changes[0]["expected"]) == (
        {"matters": 1, "amount": 15.0},
        {"matters": 1, "amount": 7.72},
    )
    assert [one["without_a_price"] for one in changes] == [0, 0, 1]
    for one in changes:
        assert (
            one["incurred"]["matters"] + one["expected"]["matters"] + one["without_a_price"] == one["matters"]["count"]
        )


def test_it_says_why_and_what_to_do_and_shows_the_journeys(changes: list[dict[str, Any]]) -> None:
    assert changes[0]["why"] == "2 matters broke down on x: no answer in time"
    assert changes[0]["do"].startswith("Answer x sooner")
    newest, oldest = changes[0]["evidence"]
    assert (newest["customer"], oldest["customer"]) == ("cus_flo", "cus_kerry")
    assert oldest["conversations"] == ["con-cus_kerry"]
    assert oldest["explanation"].endswith("would not have gone on to phone")


def test_prices_of_ones_own_change_the_order() -> None:
    own = settings_of({"costs": {"contact": {"phone": 1.0}, "after_failure": {"phone": 1.0}, "kinds": {"x": "phone"}}})
    told = report(past(*BROKEN), own)["changes"]
    assert [(one["channel"], one["amount"]) for one in told] == [("email", 1.0), ("facebook", 1.0), ("x", 0.0)]


def test_something_is_to_be_done_about_every_reason() -> None:
    assert set(DO) == set(REASONS)
    told = report(history(400), Settings(), at(-91 * 24))
    assert {one["reason"] for one in told["changes"]} == set(REASONS.values())
    amounts = [one["amount"] for one in told["changes"]]
    assert amounts == sorted(amounts, reverse=True)
    assert sum(one["matters"]["count"] for one in told["changes"]) == told["breakdowns"]["count"]
    assert round(sum(one["incurred"]["amount"] for one in told["changes"]), 2) == told["cost"]["incurred"]["amount"]


def test_nothing_broken_is_nothing_to_change() -> None:
    assert report(past(said(1, "x"), said(2, "x", "agent")), Settings())["changes"] == []


# the matters behind each figure

COUNTS = {
    "response.first": 1,  # Finn in the web chat, a minute late
    "response.bots": 2,
    "matters.waiting": 1,
    "coverage.answered": 2,  # Morris, Max
    "coverage.in_target": 3,  # and Finn
    "reach.answered": 2,  # Morris, Lou
    "resolution.resolved": 2,
    "first_contact_resolution": 3,
    "resolution.reopened": 1,
    "handled_twice": 1,
    "channel_switches.with_context": 0,
    "hand_offs.arrived": 0,
    "deflection": 1,
    "accuracy.edited": 1,
    "accuracy.rating": 0,
    "accuracy.verdicts.good": 0,
    "accuracy.verdicts.answered": 0,
    "breakdowns": 1,
    "cost.incurred": 0,
    "cost.avoided": 1,
}


def test_each_figure_leads_to_its_matters() -> None:
    told = report(past(*WEEK), Settings())["evidence"]
    assert {path: one["count"] for path, one in told.items()} == COUNTS
    assert [one["customer"] for one in told["handled_twice"]["newest"]] == ["cus_flo"]
    assert told["breakdowns"]["newest"] == [
        {
            "customer": "cus_morris",
            "conversations": ["con-cus_morris"],
            "began": "2026-11-02T09:00:00Z",
            "outcome": "failed",
        }
    ]


def test_what_was_lost_and_who_did_not_arrive_is_found() -> None:
    lost = (said(1, "x"), said(9, "phone", conversation="con-2"))
    gone = (said(1, "x"), said(1.5, "x", "agent"), handed(1.5, "x", "expired"))
    assert report(past(*lost), Settings())["evidence"]["channel_switches.with_context"]["count"] == 1
    assert report(past(*lost), Settings())["evidence"]["cost.incurred"]["count"] == 1
    assert report(past(*gone), Settings())["evidence"]["hand_offs.arrived"]["count"] == 1


def test_of_many_the_newest_are_named() -> None:
    told = report(past(*(said(n, "x", customer=f"cus_{n}") for n in range(SHOWN + 5))), Settings())
    one = told["evidence"]["breakdowns"]
    assert (one["count"], len(one["newest"])) == (SHOWN + 5, SHOWN)
    assert one["newest"][0]["customer"] == f"cus_{SHOWN + 4}"


def test_figures_with_a_share_agree_with_their_matters() -> None:
    """Where a figure is a share of matters, the matters behind it are those that it counts, or those that it misses."""
    told = report(history(300), Settings())
    counted = ("resolution.reopened", "handled_twice", "deflection", "breakdowns")
    for path in counted:
        found: Any = told
        for name in path.split("."):
            found = found[name]
        assert found["count"] == told["evidence"][path]["count"] > 0
    for path in ("resolution.resolved", "first_contact_resolution"):
        found = told
        for name in path.split("."):
            found = found[name]
        assert found["of"] - found["count"] == told["evidence"][path]["count"] > 0
    assert set(told["evidence"]) == {path for path, _, _ in FIGURES}


def test_a_period_before_that_is_known_in_part_says_so() -> None:
    whole = report(past(said(1, "x"), until=20), Settings(), at(8))["previous"]["period"]
    part = report(past(said(1, "x"), until=20), Settings(), at(10))["previous"]["period"]
    assert whole["known_from"] == part["known_from"] == "2026-11-02T01:00:00Z"
    assert "known_from" not in report(past(said(1, "x"), until=20), Settings(), at(10.5))["previous"]["period"]


def test_where_and_when_it_is_worst() -> None:
    """Every evening of five Thursdays is missed on X; nothing else is."""
    good = [
        one
        for n in range(60)
        for one in (said(n * 12 + 9, "x", customer=f"a{n}"), said(n * 12 + 10, "x", "agent", f"a{n}"))
    ]
    missed = [said(week * 168 + 91, "x", customer=f"b{week}") for week in range(5)]
    told = report(past(*good, *missed, until=24 * 60), Settings())
    (change,) = told["changes"]
    assert [(one["name"], one["matters"]["count"]) for one in change["when"]] == [("Thursdays, 18:00 to 21:00", 5)]
    assert told["worst"] == change["when"]
