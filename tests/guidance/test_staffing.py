"""Erlang C against published values, and against the formula in whole fractions."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.guidance.staffing import agents_needed, erlang_c, rostered, staffed

PUBLISHED = {"arrivals": 200.0, "handling": 180.0, "target": 20.0}
"""100 calls in half an hour, 180 seconds each, 20 seconds to answer: the example of the R package ErlangC 0.1.0,
https://rdocumentation.org/packages/ErlangC/versions/0.1.0 (2026-11)."""


def exactly(load: Fraction, agents: int) -> Fraction:
    """As textbooks write it, with factorials."""
    last = load**agents / math.factorial(agents) * Fraction(agents) / (agents - load)
    return last / (sum(load**k / math.factorial(k) for k in range(agents)) + last)


def test_the_published_example() -> None:
    found = staffed(agents=14, **PUBLISHED)
    assert found.load == 10
    assert found.waits == pytest.approx(0.1741319, abs=5e-8)
    assert found.within == pytest.approx(0.88835, abs=5e-7)
    assert found.mean_wait == pytest.approx(7.83593701177724)
    assert found.occupancy == pytest.approx(0.7142857, abs=5e-8)
    assert erlang_c(10, 11) == pytest.approx(0.6821182, abs=5e-8)
    assert agents_needed(share=0.8, **PUBLISHED) == found


@pytest.mark.parametrize(
    ("load", "agents", "waits"),
    [
        (Fraction(1, 2), 1, Fraction(1, 2)),  # one agent: the share of the time at work
        (1, 2, Fraction(1, 3)),
        (2, 3, Fraction(4, 9)),
        (3, 5, Fraction(81, 343)),
    ],
)
def test_by_hand(load: Fraction, agents: int, waits: Fraction) -> None:
    assert exactly(Fraction(load), agents) == waits
    assert erlang_c(float(load), agents) == pytest.approx(float(waits), rel=1e-12)


@given(st.integers(1, 400), st.integers(1, 30))
def test_the_recursion_is_the_formula(tenths: int, more: int) -> None:
    load = Fraction(tenths, 10)
    agents = math.floor(load) + more
    assert erlang_c(float(load), agents) == pytest.approx(float(exactly(load, agents)), rel=1e-9)


@given(st.integers(0, 5000), st.integers(10, 3600), st.integers(0, 7200), st.integers(1, 99))
def test_one_agent_fewer_would_not_do(arrivals: int, handling: int, target: int, percent: int) -> None:
    found = agents_needed(arrivals, handling, target, percent / 100)
    assert found.within >= percent / 100
    if found.agents:
        assert staffed(arrivals, handling, found.agents - 1, target).within < percent / 100
    assert 0 <= found.occupancy < 1


def test_the_ends() -> None:
    assert erlang_c(0, 0) == 0
    assert erlang_c(3, 3) == 1
    assert agents_needed(0, 300, 20, 0.8).agents == 0
    assert staffed(200, 180, 10, 20).within == 0
    assert math.isinf(staffed(200, 180, 10, 20).mean_wait)
    assert erlang_c(5000, 5100) < 0.3  # no factorial overflows
    for wrong in ({"share": 1.0}, {"share": 0.0}, {"handling": 0.0}):
        with pytest.raises(ValueError, match="handling is above 0"):
            agents_needed(**({"arrivals": 1.0, "handling": 300.0, "target": 60.0, "share": 0.8} | wrong))
    with pytest.raises(ValueError, match="more than 10,000"):
        agents_needed(1e9, 300, 60, 0.8)


def test_who_is_on_the_roster() -> None:
    assert [rostered(7, 0.3), rostered(1, 0), rostered(0, 0.3), rostered(8, 0.3)] == [10, 1, 0, 12]
