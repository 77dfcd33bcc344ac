"""Routing as a pure function: never above capacity, never without the skill, the same for the same state."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from socialsupport_core.guidance.routing import (
    AgentAtWork,
    AtWork,
    Case,
    Need,
    Routing,
    choose,
    choose_all,
    skills_needed,
)

NOBODY: dict[str, Any] = {}


def at(name: str, load: int = 0, on: Any = "hours", away: str | None = None, idle: int = 0, **can: Any) -> AtWork:
    return AtWork(name, AgentAtWork(**can), load, on, away, idle)


def case(number: int = 1, **needs: Any) -> Case:
    return Case(f"con_{number}", number, needs.pop("channels", frozenset({"tower", "raven"})), **needs)


BILLING = {"skills": frozenset({"billing"})}


@pytest.mark.parametrize(
    ("team", "needs", "who", "why"),
    [
        ([at("bo", 1), at("dana", 0)], NOBODY, "dana", "0 of 5 open"),
        ([at("bo", 1, capacity=10), at("dana", 1, capacity=2)], NOBODY, "bo", "1 of 10 open"),
        ([at("bo", 0, idle=2), at("dana", 0, idle=1)], NOBODY, "dana", "0 of 5 open"),
        ([at("bo"), at("dana", 4, **BILLING)], BILLING, "dana", "needs billing; 4 of 5 open"),
        ([at("bo"), at("dana", 5, **BILLING)], BILLING, None, "nobody can have it: has no room (1), lacks billing (1)"),
        (
            [at("bo", languages={"en"}), at("dana", languages={"de"})],
            {"language": "de"},
            "dana",
            "writes de; 0 of 5 open",
        ),
        ([at("bo", languages={"en"})], {"language": "de"}, None, "nobody can have it: does not write de (1)"),
        ([at("bo", channels={"email"}), at("dana", 3, channels={"raven"})], NOBODY, "dana", "3 of 5 open"),
        (
            [at("bo", on=None), at("dana", away="is away")],
            NOBODY,
            None,
            "nobody can have it: is away (1), is off duty (1)",
        ),
        ([at("bo", on="call"), at("dana", 4)], NOBODY, "dana", "4 of 5 open"),
        ([at("bo", on="call"), at("dana", 5)], NOBODY, "bo", "on call, nobody else is there; 0 of 5 open"),
        ([at("bo"), at("dana", 4)], {"known_by": ("dana",)}, "dana", "knows this customer; 4 of 5 open"),
        ([at("bo"), at("dana", 5)], {"known_by": ("dana",)}, "bo", "0 of 5 open"),
        ([at("bo"), at("dana")], {"known_by": ("dana", "bo")}, "dana", "knows this customer; 0 of 5 open"),
        ([at("bo"), at("dana", groups={"seniors"})], {"group": "seniors"}, "dana", "escalated to seniors; 0 of 5 open"),
        ([at("bo", capacity=0)], NOBODY, None, "nobody can have it: has no room (1)"),
        ([], NOBODY, None, "no agent is named in the settings of routing"),
    ],
)
def test_who_is_chosen_and_why(team: list[AtWork], needs: dict[str, Any], who: str | None, why: str) -> None:
    chosen = choose(case(**needs), team, Routing())
    assert (chosen.agent, chosen.reason) == (who, why)


def test_whoever_knows_the_customer_is_one_of_many_if_that_is_switched_off() -> None:
    chosen = choose(case(known_by=("dana",)), [at("bo"), at("dana", 4)], Routing(sticky=False))
    assert (chosen.agent, chosen.reason) == ("bo", "0 of 5 open")


def test_the_rest_goes_to_the_fallback_with_its_reason() -> None:
    routing = Routing(agents={"bo": AgentAtWork(groups={"rest"})}, fallback="rest")
    team = [at("bo", 2, groups={"rest"}), at("dana", 5, skills={"billing"}, languages={"de"})]
    chosen = choose(case(**BILLING), team, routing)
    assert chosen.agent == "bo"
    assert chosen.reason == "nobody with billing is free; rest takes the rest; 2 of 5 open"
    full = [at("bo", 5, groups={"rest"}), *team[1:]]
    assert choose(case(**BILLING), full, routing).agent is None


def test_what_needs_a_skill() -> None:
    routing = Routing(
        needs=(
            Need(skill="billing", words=("invoice", "Rechnung")),
            Need(skill="vip", channels={"gold"}),
            Need(skill="parcels", told={"order"}),
        )
    )
    none: frozenset[str] = frozenset()
    assert skills_needed(routing, "Meine RECHNUNG fehlt", none, none) == {"billing"}
    assert skills_needed(routing, "hello", frozenset({"order"}), frozenset({"gold"})) == {"vip", "parcels"}
    assert skills_needed(routing, "hello", none, none) == none


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"fallback": "rest"}, "nobody is in the group 'rest'"),
        ({"escalation": [{"after": 60, "to": "seniors"}]}, "nobody is in the group 'seniors'"),
        ({"needs": [{"skill": "billing"}]}, "says of nothing that it needs the skill"),
        (
            {
                "agents": {"bo": {"groups": ["a"]}},
                "escalation": [{"after": 60, "to": "a"}, {"after": 60, "to": "a"}],
            },
            "must come later",
        ),
    ],
)
def test_settings_that_cannot_be_meant(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Routing.model_validate(given)


SKILLS = st.frozensets(st.sampled_from(["billing", "parcels", "vip"]), max_size=2)
TEAM = st.lists(
    st.builds(
        AtWork,
        agent=st.sampled_from([f"a{n}" for n in range(6)]),
        at=st.builds(
            AgentAtWork,
            skills=SKILLS,
            capacity=st.integers(0, 4),
            languages=st.frozensets(st.sampled_from(["en", "de"])),
        ),
        load=st.integers(0, 4),
        on=st.sampled_from(["hours", "hours", "call", None]),
        away=st.sampled_from([None, None, "is away"]),
        idle_since=st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda one: one.agent,
)
CASES = st.lists(
    st.builds(
        Case,
        conversation=st.integers(0, 999).map("con_{}".format),
        waiting_since=st.integers(0, 50),
        skills=SKILLS,
        language=st.sampled_from([None, "en", "de"]),
        known_by=st.lists(st.sampled_from([f"a{n}" for n in range(6)]), max_size=2, unique=True).map(tuple),
    ),
    max_size=12,
    unique_by=lambda one: one.conversation,
)


@settings(max_examples=150)
@given(TEAM, CASES, st.randoms(use_true_random=False))
def test_no_limit_is_ever_broken(team: list[AtWork], cases: list[Case], chance: Any) -> None:
    routing = Routing()
    chosen = choose_all(cases, team, routing, 100)
    mixed = chance.sample(team, len(team)), chance.sample(cases, len(cases))
    assert choose_all(mixed[1], mixed[0], routing, 100) == chosen
    by_name = {one.agent: one for one in team}
    load = {one.agent: one.load for one in team}
    for one, choice in chosen:
        assert choice.reason
        if choice.agent is None:
            fits = [each for each in team if _fits(each, one) and load[each.agent] < each.at.capacity]
            assert fits == []
            continue
        agent = by_name[choice.agent]
        assert _fits(agent, one)
        assert load[choice.agent] < agent.at.capacity
        load[choice.agent] += 1


def _fits(agent: AtWork, case: Case) -> bool:
    spoken = case.language is None or not agent.at.languages or case.language in agent.at.languages
    return case.skills <= agent.at.skills and spoken and agent.on is not None and agent.away is None


@given(st.integers(1, 5), st.integers(0, 40))
def test_equals_get_equally_much(agents: int, count: int) -> None:
    team = [at(f"a{n}", capacity=50) for n in range(agents)]
    given_to = [choice.agent for _, choice in choose_all([case(n) for n in range(count)], team, Routing(), 1)]
    shares = [given_to.count(one.agent) for one in team]
    assert max(shares) - min(shares) <= 1


@given(st.integers(0, 3), st.integers(2, 6))
def test_among_the_equally_loaded_it_goes_round(load: int, agents: int) -> None:
    """Nobody gets a second one before everybody got one, though each is answered and closed at once."""
    team = [at(f"a{n}", load, capacity=9) for n in range(agents)]
    got: list[str] = []
    for turn in range(1, agents + 1):
        chosen = choose(case(turn), team, Routing()).agent
        assert chosen is not None
        got.append(chosen)
        team = [at(one.agent, load, capacity=9, idle=turn) if one.agent == chosen else one for one in team]
    assert len(set(got)) == agents
