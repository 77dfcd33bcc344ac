"""Who else is answering: a courtesy that fades by itself."""

from datetime import timedelta
from typing import Any

import pytest
from raven import Clock, Roost, message
from raven.web import Desk, Web

from socialsupport_core.web.presence import LIFETIME, MOST, Presence


class Bell:
    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Clock, bell: Bell) -> Presence:
    return Presence(clock, bell)


def at_it(presence: Presence, agent: str, conversation: str = "con_1", *, answering: bool = True) -> None:
    presence.note("acme", agent, agent.capitalize(), conversation, answering=answering)


def test_others_see_who_is_answering_and_nobody_sees_themselves(presence: Presence) -> None:
    at_it(presence, "dana")
    at_it(presence, "bo")
    at_it(presence, "bo", "con_2")
    assert presence.others("acme", "dana") == {"con_1": ["Bo"], "con_2": ["Bo"]}
    assert presence.others("acme", "bo") == {"con_1": ["Dana"]}
    assert presence.others("acme", "eve") == {"con_1": ["Bo", "Dana"], "con_2": ["Bo"]}


def test_another_tenant_sees_nothing(presence: Presence) -> None:
    at_it(presence, "dana")
    assert presence.others("rival", "dana") == {}


def test_it_ends_by_word_or_by_time(presence: Presence, clock: Clock) -> None:
    at_it(presence, "dana")
    at_it(presence, "bo")
    at_it(presence, "dana", answering=False)
    assert presence.others("acme", "eve") == {"con_1": ["Bo"]}
    clock.now += LIFETIME - timedelta(seconds=1)
    assert presence.rest() == 1
    at_it(presence, "bo")  # another sign of life
    clock.now += timedelta(seconds=2)
    assert presence.others("acme", "eve") == {"con_1": ["Bo"]}
    clock.now += LIFETIME
    assert presence.others("acme", "eve") == {}
    assert presence.rest() == LIFETIME.total_seconds()


def test_the_bell_rings_only_when_there_is_something_to_see(presence: Presence, bell: Bell) -> None:
    at_it(presence, "dana", answering=False)
    assert bell.rung == 0
    at_it(presence, "dana")
    at_it(presence, "dana")
    assert bell.rung == 1
    at_it(presence, "dana", answering=False)
    assert bell.rung == 2


def test_one_agent_fills_no_memory(presence: Presence) -> None:
    for number in range(3 * MOST):
        at_it(presence, "dana", f"con_{number}")
    seen = presence.others("acme", "bo")
    assert len(seen) == MOST
    assert f"con_{3 * MOST - 1}" in seen


# over HTTP


@pytest.fixture
def bo(roost: Roost, web: Web) -> Any:
    roost.hub.add_agent("acme", "bo", "Bo")
    desk = Desk(roost, web, "acme")
    desk.token = roost.hub.issue_token("acme", "bo", ("read", "reply"))
    return desk


def test_the_queue_and_the_conversation_tell(acme: Any, bo: Any, roost: Roost) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    con = roost.conversation()
    answer = bo.post(f"/api/conversations/{con}/presence", {"answering": True})
    assert answer.json() == {"answering": []}
    assert acme.get("/api/conversations").json()["conversations"][0]["answering"] == ["Bo"]
    assert acme.get(f"/api/conversations/{con}").json()["answering"] == ["Bo"]
    assert bo.get(f"/api/conversations/{con}").json()["answering"] == []
    assert acme.post(f"/api/conversations/{con}/presence", {"answering": True}).json() == {"answering": ["Bo"]}
    roost.clock.forward(seconds=16)
    assert acme.get("/api/conversations").json()["conversations"][0]["answering"] == []


@pytest.mark.parametrize("body", [{}, {"answering": "perhaps"}, {"answering": True, "for": 9}])
def test_a_sign_of_life_is_yes_or_no(acme: Any, body: dict[str, Any]) -> None:
    answer = acme.post("/api/conversations/con_x/presence", body)
    assert answer.status_code == 422
    assert answer.json()["fields"]


def test_what_stands_in_no_timeline_yet_and_what_agents_did(acme: Any, roost: Roost) -> None:
    """The page shows these beside the entries."""
    roost.hear(message(1, "hello", at=roost.clock.now, visibility="public"))
    con = roost.conversation()
    roost.sky.faults.drop = 1
    roost.hub.reply("acme", con, "In private, then", agent="dana", private=True, key="k")
    roost.hub.drain()
    roost.hub.assign("acme", con, "dana", agent="dana")
    roost.hub.hand_off("acme", con, agent="dana")
    roost.hub.resolve("acme", con, agent="dana")
    found = acme.get(f"/api/conversations/{con}").json()
    (part,) = found["unsent"]
    assert (part["type"], part["text"], part["agent"]) == ("open.private", "In private, then", "dana")
    assert part["delivery"]["state"] == "uncertain"
    assert part["delivery"]["part"] == "k"
    assert part["delivery"]["reason"]
    turns = [(turn["type"], turn["agent"]) for turn in found["turns"]]
    kinds = ("conversation.assigned", "conversation.handed_off", "conversation.resolved")
    assert turns == [(kind, "dana") for kind in kinds]


def test_what_is_not_out_says_how_it_stands(acme: Any, roost: Roost) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.blocked.add("dm-kerry")
    roost.reply("Are you there?", key="k")
    roost.hub.drain()
    entry = acme.get(f"/api/conversations/{roost.conversation()}").json()["timeline"][-1]
    assert entry["state"] == "failed"
    assert entry["delivery"]["part"] == "k"
    assert entry["delivery"]["code"] == "blocked"
    assert "blocked" in entry["delivery"]["reason"]
