"""Routing on a hub: who gets what waits, with its reason, once, and what happens when somebody goes."""

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, message

from socialsupport_core.contract import ConfigError, RoutingCase, RoutingChoice, hookimpl
from socialsupport_core.store import routing

TEAM = {"dana": {}, "bo": {}, "ada": {"skills": ["billing"], "languages": ["de"], "groups": ["seniors"]}}
DAY = {"week": {day: ["09:00-17:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}}


@pytest.fixture
def team(roost: Roost) -> Roost:
    for one in ("bo", "ada"):
        roost.hub.add_agent("acme", one, one.capitalize())
    return roost


def switch_on(roost: Roost, tenant: str = "acme", *, hours: dict[str, Any] | None = None, **routing: Any) -> None:
    given = {"enabled": True, "agents": TEAM} | routing
    roost.hub.set_guidance(tenant, {"routing": given} | ({"hours": hours} if hours else {}))


def hear(roost: Roost, number: int, text: str = "hello", who: str = "", **more: Any) -> str:
    name = who or f"bird{number}"
    roost.hear(message(number, text, name, at=roost.clock.now, **more))
    return roost.conversation(name)


def assigned(roost: Roost) -> list[tuple[str, str]]:
    return [(one["data"]["assignee"], one["data"].get("reason", "")) for one in roost.log("conversation.assigned")]


def holder(roost: Roost, con: str) -> str | None:
    found: str | None = roost.hub.conversation("acme", con).get("assignee")
    return found


def test_nothing_is_assigned_unless_it_is_switched_on(team: Roost) -> None:
    con = hear(team, 1)
    assert holder(team, con) is None
    assert team.hub.routed("acme", con) is None


def test_equals_take_turns_and_the_log_says_why(team: Roost) -> None:
    switch_on(team)
    cons = [hear(team, n) for n in range(1, 7)]
    names = [holder(team, con) for con in cons]
    assert sorted(names) == ["ada", "ada", "bo", "bo", "dana", "dana"]  # type: ignore[type-var]
    assert len(set(names[:3])) == 3
    first = team.log("conversation.assigned")[0]["data"]
    assert first == {"assignee": "ada", "agent": "routing", "reason": "0 of 5 open"}
    assert team.hub.routed("acme", cons[0])["reason"] == "0 of 5 open"  # type: ignore[index]
    shown = [one for one in team.hub.conversation("acme", cons[0])["turns"] if one["type"] == "conversation.assigned"]
    assert shown[0]["reason"] == "0 of 5 open"


def test_by_skill_language_and_channel(team: Roost) -> None:
    switch_on(
        team,
        agents={"dana": {"channels": ["email"]}, "bo": {"languages": ["en"]}, "ada": {"skills": ["billing"]}},
        needs=[{"skill": "billing", "words": ["invoice"]}],
    )
    assert holder(team, hear(team, 1, "my invoice is wrong")) == "ada"
    assert holder(team, hear(team, 2, "hallo", language="de-AT")) == "ada"
    assert holder(team, hear(team, 3, "hello", language="en")) == "bo"


def test_nobody_gets_more_than_fits_and_the_queue_says_why(team: Roost) -> None:
    switch_on(team, agents={"dana": {"capacity": 1}})
    first, second = hear(team, 1), hear(team, 2)
    assert (holder(team, first), holder(team, second)) == ("dana", None)
    assert team.hub.routed("acme", second)["reason"] == "nobody can have it: has no room (1)"  # type: ignore[index]
    (told,) = team.log("conversation.unrouted")
    assert (told["conversation"], told["data"]["reason"]) == (second, "nobody can have it: has no room (1)")
    before = len(team.hub.events("acme", limit=500))
    team.hub.drain()
    assert len(team.hub.events("acme", limit=500)) == before
    team.hub.resolve("acme", first, agent="dana")
    team.hub.drain()
    assert holder(team, second) == "dana"


def test_whoever_knows_the_customer_gets_the_next_matter_too(team: Roost) -> None:
    con = hear(team, 1, who="kerry")
    team.hub.reply("acme", con, "Hello Kerry", agent="dana")
    team.hub.resolve("acme", con, agent="dana")
    team.clock.forward(days=10)
    switch_on(team)
    other = hear(team, 2, who="kerry")
    assert other != con
    assert holder(team, other) == "dana"
    assert assigned(team) == [("dana", "knows this customer; 0 of 5 open")]


def test_what_a_person_decides_stands(team: Roost) -> None:
    switch_on(team, agents={"dana": {}})
    con = hear(team, 1)
    team.hub.assign("acme", con, None, agent="dana")
    team.hub.drain()
    assert holder(team, con) is None
    team.clock.forward(minutes=1)
    hear(team, 2, who="bird1")
    assert holder(team, con) == "dana"
    team.hub.assign("acme", con, "bo", agent="dana")
    team.hub.sign_off("acme", "bo")
    team.clock.forward(hours=2)
    team.hub.drain()
    assert holder(team, con) == "bo"


def test_who_signed_off_gets_nothing_and_loses_it_after_a_while(team: Roost) -> None:
    switch_on(team, agents={"dana": {}, "bo": {}}, away_after=600)
    con = hear(team, 1)
    gone, other = ("bo", "dana") if holder(team, con) == "bo" else ("dana", "bo")
    team.hub.sign_off("acme", gone)
    assert holder(team, hear(team, 2)) == other
    team.clock.forward(seconds=599)
    team.hub.drain()
    assert holder(team, con) == gone
    team.clock.forward(seconds=1)
    team.hub.drain()
    assert holder(team, con) == other
    team.hub.sign_off("acme", gone, away=False)
    team.hub.drain()
    assert holder(team, con) == other
    assert holder(team, hear(team, 3)) == gone


def test_only_who_was_seen_if_so_wanted(team: Roost) -> None:
    switch_on(team, agents={"dana": {}, "bo": {}}, seen_within=300)
    con = hear(team, 1)
    assert holder(team, con) is None
    team.hub.seen("acme", "bo")
    team.settle()
    team.hub.drain()
    assert holder(team, con) == "bo"
    assert [(one["agent"], one.get("away")) for one in team.hub.team("acme")] == [
        ("bo", None),
        ("dana", "away for long"),
    ]


def test_when_hours_end_others_take_over(team: Roost) -> None:
    late = {"week": {"sun": ["13:30-23:00"]}}
    team.clock.now = datetime(2026, 3, 1, 16, 50, tzinfo=UTC)  # a Sunday
    switch_on(team, hours=DAY, agents={"dana": {"hours": DAY}, "bo": {"hours": late, "capacity": 1}})
    team.hub.sign_off("acme", "bo")
    con = hear(team, 1)
    assert holder(team, con) == "dana"
    team.hub.sign_off("acme", "bo", away=False)
    team.clock.forward(minutes=15)
    team.hub.drain()
    assert holder(team, con) == "bo"
    assert assigned(team)[-1] == ("bo", "0 of 1 open")
    team.clock.forward(hours=7)
    team.hub.drain()
    assert holder(team, con) is None
    assert assigned(team)[-1] == ("", "nobody can have it: had it and is not there (1), is off duty (1)")


def test_at_night_the_one_on_call_has_it(team: Roost) -> None:
    team.clock.now = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
    switch_on(team, hours=DAY, agents={"dana": {}, "bo": {"on_call": {"week": {"sun": ["17:00-24:00"]}}}})
    con = hear(team, 1)
    assert (holder(team, con), assigned(team)[-1][1]) == ("bo", "on call, nobody else is there; 0 of 5 open")


def test_what_waits_too_long_goes_to_the_next_group(team: Roost) -> None:
    steps = [{"after": 600, "to": "seniors"}]
    switch_on(team, agents={"dana": {}, "ada": {"groups": ["seniors"], "capacity": 1}}, escalation=steps)
    team.hub.sign_off("acme", "ada")
    con = hear(team, 1)
    assert holder(team, con) == "dana"
    team.hub.sign_off("acme", "ada", away=False)
    team.clock.forward(minutes=10)
    team.hub.drain()
    assert holder(team, con) == "ada"
    (event,) = team.log("conversation.escalated")
    assert event["data"] == {"to": "seniors", "reason": "no answer for 10 minutes of the hours", "step": 1}
    assert assigned(team)[-1] == ("ada", "escalated to seniors; 0 of 1 open")
    team.hub.reply("acme", con, "Sorry!", agent="ada")
    team.hub.drain()
    team.clock.forward(minutes=1)
    hear(team, 2, who="bird1")
    team.clock.forward(minutes=10)
    team.hub.drain()
    assert len(team.log("conversation.escalated")) == 2


def test_while_nobody_of_the_group_is_free_somebody_is_better_than_nobody(team: Roost) -> None:
    steps = [{"after": 600, "to": "seniors"}]
    switch_on(team, agents={"dana": {}, "ada": {"groups": ["seniors"]}}, escalation=steps)
    team.hub.sign_off("acme", "ada")
    con = hear(team, 1)
    team.clock.forward(minutes=11)
    team.hub.drain()
    assert holder(team, con) == "dana"
    assert len(team.log("conversation.escalated")) == 1
    team.hub.sign_off("acme", "ada", away=False)
    team.hub.drain()
    assert holder(team, con) == "ada"
    team.clock.forward(minutes=30)
    team.hub.drain()
    assert len(team.log("conversation.escalated")) == 1


def test_minutes_of_closed_hours_do_not_count(team: Roost) -> None:
    team.clock.now = datetime(2026, 3, 1, 16, 55, tzinfo=UTC)
    steps = [{"after": 600, "to": "seniors"}]
    switch_on(team, hours=DAY, agents={"dana": {"groups": ["seniors"]}}, escalation=steps)
    hear(team, 1)
    team.clock.forward(hours=16, minutes=9)
    team.hub.drain()
    assert team.log("conversation.escalated") == []
    team.clock.forward(minutes=1)
    team.hub.drain()
    assert len(team.log("conversation.escalated")) == 1


def test_tenants_are_apart(team: Roost) -> None:
    switch_on(team, agents={"dana": {}})
    team.hear(message(1, "hello", "owl", at=team.clock.now), tenant="rival")
    assert team.hub.conversation("rival", team.conversation("owl", "rival")).get("assignee") is None
    with pytest.raises(ConfigError, match="'nobody'"):
        team.hub.sign_off("acme", "nobody")


@pytest.mark.parametrize(
    ("own", "who"),
    [
        (lambda case: RoutingChoice(agent="bo", reason="bo likes birds"), ("bo", "bo likes birds")),
        (lambda case: RoutingChoice(agent="ada", reason="she is full"), ("bo", "0 of 3 open")),
        (lambda case: None, ("bo", "0 of 3 open")),
        (lambda case: 1 / 0, ("bo", "0 of 3 open")),
    ],
)
def test_a_plugin_may_choose_among_those_who_may(tmp_path: Path, own: Any, who: tuple[str, str]) -> None:
    asked: list[RoutingCase] = []
    roost = Roost(tmp_path)
    roost.hub.close()

    @hookimpl
    def socialsupport_routers() -> list[Any]:
        return [lambda case: asked.append(case) or own(case)]

    roost.hub = roost.open(Raven, socialsupport_routers=socialsupport_routers)
    for one in ("bo", "ada"):
        roost.hub.add_agent("acme", one, one.capitalize())
    agents = {"ada": {"capacity": 0}, "bo": {"capacity": 3}, "dana": {"capacity": 3}}
    switch_on(roost, agents=agents)
    roost.hub.add_agent("acme", "cy", "Cy")
    hear(roost, 1, who="kerry")
    (given, reason) = assigned(roost)[0]
    roost.hub.close()
    assert (given, reason) == who
    assert [one.agent for one in asked[0].candidates] == ["bo", "dana"]


def test_many_workers_give_it_to_one(roost: Roost) -> None:
    """Several processes' worth of routers at once, on each store: each conversation is assigned once, nobody has too many."""
    from socialsupport_core.pipeline.routing import Guide

    roost.hub.add_agent("acme", "bo", "Bo")
    for n in range(12):
        hear(roost, n + 1)
    switch_on(roost, agents={"dana": {"capacity": 4}, "bo": {"capacity": 5}})
    hubs = [roost.hub, *(roost.open(Raven) for _ in range(3))]
    guides = [Guide(hub._database, hub.channels, ()) for hub in hubs]
    threads = [threading.Thread(target=guide._route, args=("acme", 10**16)) for guide in guides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for hub in hubs[1:]:
        hub.close()
    given = roost.log("conversation.assigned")
    assert len({one["conversation"] for one in given}) == len(given) == 9
    loads = {one["agent"]: one["load"] for one in roost.hub.team("acme")}
    assert loads == {"dana": 4, "bo": 5}


def test_a_failure_in_the_middle_changes_nothing(team: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    from socialsupport_core.store import routing as table

    con, other = hear(team, 1), hear(team, 2)
    switch_on(team)
    put, calls = table.put, []

    def failing(tx: Any, one: Any) -> None:
        calls.append(one)
        if len(calls) == 2:
            raise RuntimeError("in the middle")
        put(tx, one)

    monkeypatch.setattr(table, "put", failing)
    team.hub.drain()
    assert (holder(team, con), holder(team, other)) == (None, None)
    assert assigned(team) == []
    team.hub.drain()
    assert None not in (holder(team, con), holder(team, other))


def test_it_goes_with_its_customer(team: Roost) -> None:
    switch_on(team)
    hear(team, 1, who="kerry")
    done = team.hub.erase("acme", "raven.ring:kerry", agent="dana")
    assert done["removed"]["routing"] == 1


# what the choice goes by


def two_conversations(team: Roost) -> tuple[str, str]:
    """Of kerry, who waits in both."""
    first = hear(team, 1, who="kerry", visibility="public")
    team.clock.forward(days=8)
    second = hear(team, 2, who="kerry")
    assert first != second
    return first, second


def test_what_waits_is_nobodys_and_stands_for_itself(team: Roost) -> None:
    first, second = two_conversations(team)
    third = hear(team, 3)
    database = team.hub._database

    def names(which: Any) -> set[str]:
        return {row["conversation"] for row in database.read(lambda tx: which(tx, "acme", 10))}

    assert names(routing.waiting) == {first, second, third}
    team.hub.assign("acme", third, "bo", agent="dana")
    team.hub.merge_conversation("acme", second, first, agent="dana")
    assert (names(routing.waiting), names(routing.held)) == ({first}, {third})


def test_what_was_merged_into_another_is_no_load(team: Roost) -> None:
    first, second = two_conversations(team)
    for one in (first, second):
        team.hub.assign("acme", one, "bo", agent="dana")
    database = team.hub._database
    assert database.read(lambda tx: routing.loads(tx, "acme")) == {"bo": 2}
    team.hub.merge_conversation("acme", second, first, agent="dana")
    assert database.read(lambda tx: routing.loads(tx, "acme")) == {"bo": 1}


def test_the_last_that_was_given_counts(team: Roost) -> None:
    database = team.hub._database
    for con, at in (("a", 5), ("b", 9), ("c", 7)):
        one = routing.Routed("acme", con, "bo", "idle longest", None, 0, at)
        database.do(lambda tx, one=one: routing.put(tx, one))  # type: ignore[misc]
    assert database.read(lambda tx: routing.given_last(tx, "acme")) == {"bo": 9}


def test_who_has_answered_last_comes_first_and_what_is_long_ago_does_not_count(team: Roost) -> None:
    con = hear(team, 1, who="kerry")
    for agent in ("dana", "bo"):
        team.clock.forward(hours=1)
        team.hub.reply("acme", con, "on its way", agent=agent)
    now = int(team.clock.now.timestamp() * 1_000_000)
    database = team.hub._database
    (node,) = {row["node"] for row in database.read(lambda tx: tx.all("SELECT node FROM nodes WHERE value = 'kerry'"))}
    assert database.read(lambda tx: routing.answered_by(tx, "acme", [node], 0)) == ["bo", "dana"]
    assert database.read(lambda tx: routing.answered_by(tx, "acme", [node], now)) == ["bo"]


def test_whoever_signs_off_twice_is_away_since_the_first_time(team: Roost) -> None:
    database = team.hub._database

    def sign(at: int, *, away: bool) -> tuple[bool, int | None]:
        changed = database.do(lambda tx: routing.sign_off(tx, "acme", "bo", at, away=away))
        return changed, database.read(lambda tx: routing.seen(tx, "acme"))["bo"].away_since

    assert [sign(5, away=True), sign(9, away=True)] == [(True, 5), (False, 5)]
    assert [sign(10, away=False), sign(12, away=True)] == [(True, None), (True, 12)]
