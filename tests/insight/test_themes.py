"""Themes: what is named, when it rises, and what does not matter to it."""

import random
from math import log, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from past import past, said

from socialsupport_core.guidance.terms import terms_of
from socialsupport_core.insight import History, Settings, Touch, report

WEEK = 7 * 24
USUAL = ("my invoice is missing", "the parcel is late", "change my address", "cancel my contract", "the price is wrong")
LIGHT = "router shows a red light"


def asks(hours: float, customer: str, text: str) -> Touch:
    return said(hours, "email", customer=customer, terms=terms_of(text, "en"))


def three_weeks(*, light: int = 6, customers: int | None = None) -> list[Touch]:
    """Twenty matters a week; in the second, of so many customers, some with a red light besides."""
    found = [asks(week * WEEK + n, f"cus_{week}_{n}", USUAL[n % 5]) for week in range(3) for n in range(20)]
    who = customers or light
    return found + [asks(WEEK + 20 + n * (1 if who == light else 0.01), f"cus_l{n % who}", LIGHT) for n in range(light)]


def told(touches: list[Touch], since: int | None = None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = report(past(*touches, until=24 * 60), Settings(), since)["themes"]
    return found


def test_what_rises_in_a_week_is_one_theme_with_its_examples() -> None:
    (theme,) = told(three_weeks())
    assert theme["name"] == "red light, router shows"
    assert set(theme["terms"]) == {"light", "red", "red light", "router", "router shows", "shows"}
    assert theme["matters"] == {"share": round(6 / 66, 4), "count": 6, "of": 66}
    assert theme["customers"] == 6
    assert theme["rise"]["week"] == "2026-W46"
    assert theme["weeks"] == [{"week": "2026-W46", "matters": {"share": round(6 / 26, 4), "count": 6, "of": 26}}]
    assert [one["customer"] for one in theme["examples"]] == ["cus_l5", "cus_l4", "cus_l3", "cus_l2", "cus_l1"]
    assert theme["examples"][0]["conversations"] == ["con-cus_l5"]


def test_the_score_is_the_log_odds_ratio_with_a_prior() -> None:
    """By hand: 6 of 26 matters that week, 0 of 40 in the others; a prior of 10 matters, of which 60/66 have it."""
    prior = 10 * 6 / 66
    now, elsewhere = 6 + prior, 0 + prior
    odds = log(now / (26 + 10 - now + 0.5)) - log(elsewhere / (40 + 10 - elsewhere + 0.5))
    (theme,) = told(three_weeks())
    assert theme["rise"]["score"] == round(odds / sqrt(1 / now + 1 / elsewhere), 2) == 2.28


def test_what_is_said_every_week_does_not_rise() -> None:
    assert told(three_weeks(light=0)) == []


def test_what_fewer_than_three_customers_say_is_not_named() -> None:
    assert told(three_weeks(light=12, customers=2)) == []


def test_in_the_only_week_there_is_the_most_frequent_are_told() -> None:
    found = told([asks(n, f"cus_{n}", USUAL[n % 2] if n < 8 else LIGHT) for n in range(11)])
    assert [one["name"] for one in found] == ["invoice, missing", "late, parcel", "red light, router shows"]
    assert {one["rise"] for one in found} == {None}


def test_a_period_is_told_against_what_was_before_it() -> None:
    touches = three_weeks()
    since = min(one.at for one in touches) + WEEK * 3_600_000_000
    (theme,) = told(touches, since)
    assert theme["matters"]["of"] == 46
    assert theme["rise"]["week"] == "2026-W46"


WORDS = st.sampled_from(["lamp", "router", "red light", "parcel", "late", "invoice", "broken lamp", ""])
MATTER = st.tuples(st.integers(0, 5 * WEEK), st.integers(0, 12), WORDS)


@settings(max_examples=30)
@given(given_=st.lists(MATTER, max_size=60), seed=st.integers(0, 99))
def test_order_of_arrival_changes_nothing_and_every_figure_holds(given_: list[tuple[int, int, str]], seed: int) -> None:
    touches = [asks(hours, f"cus_{who:02}", text) for hours, who, text in given_]
    found = told(touches)
    shuffled = touches.copy()
    random.Random(seed).shuffle(shuffled)
    assert told(shuffled) == found
    assert len({one["name"] for one in found}) == len(found)
    for one in found:
        assert one["customers"] >= 3
        assert sum(week["matters"]["count"] for week in one["weeks"]) == one["matters"]["count"]
        assert one["matters"]["count"] <= one["matters"]["of"]
        assert one["rise"] is None or one["rise"]["week"] in {week["week"] for week in one["weeks"]}
        assert 0 < len(one["examples"]) <= 5


@settings(max_examples=15)
@given(times=st.integers(1, 9))
def test_who_says_it_often_counts_once(times: int) -> None:
    once, often = three_weeks(), three_weeks()
    often += [asks(WEEK + 20.01 + n / 100, "cus_l0", LIGHT) for n in range(times)]
    assert [one["rise"] for one in told(often)] == [one["rise"] for one in told(once)]


def test_nothing_said_has_no_themes() -> None:
    assert report(History(), Settings())["themes"] == []
    assert told([said(1, "phone", customer=f"cus_{n}") for n in range(9)]) == []


@pytest.mark.parametrize("also", [False, True])
def test_names_are_stable_while_others_come(also: bool) -> None:
    more = [asks(2 * WEEK + 60 + n, f"cus_m{n}", "card stolen") for n in range(8)] if also else []
    assert "red light, router shows" in {one["name"] for one in told(three_weeks(light=8) + more)}
