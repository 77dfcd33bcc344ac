"""When two identities turn out to be one, so do their open conversations; and back."""

from typing import Any

import pytest
from raven import Roost
from raven.events import message

KERRY, MORRIS, FLO = "raven.ring:kerry", "raven.ring:morris", "raven.ring:flo"


def queue(roost: Roost) -> list[dict[str, Any]]:
    return [
        {name: one.get(name) for name in ("id", "status", "waiting_since")}
        for one in roost.hub.queue("acme", status=None)
    ]


@pytest.fixture
def talking(roost: Roost) -> Roost:
    for number, name in enumerate(("kerry", "morris", "flo"), 1):
        roost.hear(message(number, f"this is {name}", name, at=number * 60))
    return roost


def test_an_agents_link_makes_their_open_conversations_one(talking: Roost) -> None:
    first = talking.conversation("kerry")
    talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    found = talking.hub.conversation("acme", first)
    assert [leg["account"] for leg in found["legs"]] == [KERRY, MORRIS]
    assert [entry["interaction"]["text"] for entry in found["entries"]] == ["this is kerry", "this is morris"]
    assert [one["id"] for one in talking.hub.queue("acme")] == [first, talking.conversation("flo")]


def test_what_comes_next_goes_on_there(talking: Roost) -> None:
    talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    talking.hear(message(9, "one more thing", "morris", at=600))
    assert talking.timeline("kerry")[-1]["conversation"] == talking.hub.queue("acme")[0]["id"]


@pytest.mark.parametrize("way", ["undo", "split"])
def test_undo_and_split_restore_the_conversations_exactly(talking: Roost, way: str) -> None:
    before = queue(talking)
    verdict = talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    assert queue(talking) != before
    if way == "undo":
        talking.hub.undo("acme", verdict.id, agent="dana")
    else:
        talking.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert queue(talking) == before


def test_undoing_the_middle_of_a_chain_parts_both_sides(talking: Roost) -> None:
    """The account that goes back need not be the one that the verdict named."""
    talking.hub.link("acme", MORRIS, FLO, agent="dana")
    before = queue(talking)
    verdict = talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    assert len(talking.hub.queue("acme")) == 1
    talking.hub.undo("acme", verdict.id, agent="dana")
    assert queue(talking) == before


def test_a_resolved_conversation_stays_as_it_is(talking: Roost) -> None:
    done = talking.conversation("morris")
    talking.hub.resolve("acme", done, agent="dana")
    talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    assert talking.hub.conversation("acme", done)["status"] == "resolved"
    assert len(talking.hub.conversation("acme", done)["legs"]) == 1
