"""When two identities turn out to be one, so do their open conversations; and back."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from raven import ACCOUNT, Roost, bird
from raven.events import NOON, message

from socialsupport_core.conversation.moving import MoveRefused
from socialsupport_core.model import Identifier, IdentityClaimed, Thread

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


def test_whoever_turns_out_to_have_come_first_goes_on_in_the_conversation_that_is_there(roost: Roost) -> None:
    """The sight that moves the customer's id is the one that needs the conversation."""
    roost.hear(message(1, "this is morris", "morris", at=60))
    kerry, morris = bird("kerry").identifiers[0], bird("morris").identifiers[0]
    proven: dict[str, Any] = {"tier": "verified", "proof": "network", "at": NOON + timedelta(seconds=600)}
    roost.hear(IdentityClaimed(id="c", own_account=ACCOUNT, subject=morris, claims=(kerry,), **proven))
    roost.hear(message(2, "this is kerry", "kerry", at=10))
    assert roost.hub.customer("acme", MORRIS)["id"] == roost.hub.customer("acme", KERRY)["id"]
    assert roost.conversation("kerry") == roost.conversation("morris")
    assert len(roost.log("conversation.opened")) == 1


def test_a_resolved_conversation_stays_as_it_is(talking: Roost) -> None:
    done = talking.conversation("morris")
    talking.hub.resolve("acme", done, agent="dana")
    talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    assert talking.hub.conversation("acme", done)["status"] == "resolved"
    assert len(talking.hub.conversation("acme", done)["legs"]) == 1


# divided along its legs


def texts(roost: Roost, conversation: str) -> list[str]:
    entries = roost.hub.conversation("acme", conversation)["entries"]
    return [one["interaction"]["text"] for one in entries]


@pytest.fixture
def couple(roost: Roost) -> Roost:
    """Kerry and Morris are taken for one person before Morris says a word."""
    roost.hear(message(1, "this is kerry", "kerry", at=60))
    roost.hub.link("acme", KERRY, MORRIS, agent="dana")
    roost.hear(message(2, "this is morris", "morris", at=120))
    assert len(roost.hub.queue("acme")) == 1
    return roost


def test_when_its_customer_splits_it_divides_and_its_id_stays_with_the_first(couple: Roost) -> None:
    con = couple.conversation("kerry")
    couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    other = couple.conversation("morris")
    assert other != con
    assert (texts(couple, con), texts(couple, other)) == (["this is kerry"], ["this is morris"])
    (leg,) = couple.hub.conversation("acme", other)["legs"]
    assert (leg["rule"], leg["reason"]) == ("parted", "its customer turned out to be two, and this part is the other's")
    assert {one["waiting_since"] for one in queue(couple)} == {"2026-03-01T12:01:00Z", "2026-03-01T12:02:00Z"}
    couple.hear(message(3, "morris again", "morris", at=180))
    assert texts(couple, other) == ["this is morris", "morris again"]
    opened, split = couple.log("conversation.opened")[-1], couple.log("conversation.split")[-1]
    assert (opened["conversation"], split["data"]["from"], split["data"]["to"]) == (other, con, other)


def test_it_is_whole_again_when_the_split_is_taken_back(couple: Roost) -> None:
    con, before = couple.conversation("kerry"), queue(couple)
    verdict = couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    other = couple.conversation("morris")
    couple.hear(message(3, "morris again", "morris", at=180))
    couple.hub.undo("acme", verdict.id, agent="dana")
    assert queue(couple) == before
    assert texts(couple, con) == ["this is kerry", "this is morris", "morris again"]
    gone = couple.hub.conversation("acme", other)
    assert (gone["status"], gone["superseded_by"]) == ("superseded", con)


def test_a_resolved_conversation_divides_too_and_stays_resolved(couple: Roost) -> None:
    couple.hub.resolve("acme", couple.conversation("kerry"), agent="dana")
    couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert [one["status"] for one in queue(couple)] == ["resolved", "resolved"]


def test_whoever_takes_part_in_a_thread_goes_with_it(couple: Roost) -> None:
    room = Thread(id="dm-morris", visibility="private")
    couple.hear(message(3, "flo is here too", "flo", at=180, thread=room))
    couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert texts(couple, couple.conversation("morris")) == ["this is morris", "flo is here too"]
    assert texts(couple, couple.conversation("kerry")) == ["this is kerry"]


def test_whoever_takes_part_in_it_is_no_reason_to_divide(roost: Roost) -> None:
    room = Thread(id="dm-kerry", visibility="private")
    roost.hear(message(1, "this is kerry", "kerry"), message(2, "this is flo", "flo", at=1, thread=room))
    roost.hear(message(3, "this is morris", "morris", at=2))
    verdict = roost.hub.link("acme", FLO, MORRIS, agent="dana")
    assert texts(roost, roost.conversation("kerry")) == ["this is kerry", "this is flo"]
    roost.hub.undo("acme", verdict.id, agent="dana")
    assert texts(roost, roost.conversation("kerry")) == ["this is kerry", "this is flo"]
    assert texts(roost, roost.conversation("morris")) == ["this is morris"]


def test_what_an_agent_merged_goes_home_when_its_customer_splits(roost: Roost) -> None:
    roost.hear(message(1, "this is kerry", "kerry"))
    roost.hear(message(2, "this is morris", "morris", at=1))
    kerrys, morriss = roost.conversation("kerry"), roost.conversation("morris")
    roost.hub.resolve("acme", morriss, agent="dana")
    roost.hub.link("acme", KERRY, MORRIS, agent="dana")
    roost.hub.merge_conversation("acme", morriss, kerrys, agent="dana")
    verdict = roost.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert (texts(roost, kerrys), texts(roost, morriss)) == (["this is kerry"], ["this is morris"])
    roost.hub.undo("acme", verdict.id, agent="dana")
    assert texts(roost, kerrys) == ["this is kerry", "this is morris"], "the merge counts again"


# what an agent has decided stays


def test_what_an_agent_took_apart_is_not_put_together_by_itself(couple: Roost) -> None:
    con = couple.conversation("kerry")
    leg = couple.hub.conversation("acme", con)["legs"][1]["id"]
    couple.hub.split_conversation("acme", con, legs=[leg], agent="dana")
    couple.hear(message(3, "this is flo", "flo", at=180))
    couple.hub.link("acme", KERRY, FLO, agent="dana")
    left = sorted(texts(couple, one["id"]) for one in couple.hub.queue("acme"))
    assert left == [["this is kerry", "this is flo"], ["this is morris"]]


def test_what_was_put_together_by_itself_an_agent_takes_apart_for_good(talking: Roost) -> None:
    first, second = talking.conversation("kerry"), talking.conversation("morris")
    talking.hub.link("acme", KERRY, MORRIS, agent="dana")
    talking.hub.undo_move("acme", first, agent="dana")
    assert {one["id"] for one in talking.hub.queue("acme")} >= {first, second}
    talking.hub.link("acme", KERRY, FLO, agent="dana")
    assert texts(talking, second) == ["this is morris"]


def test_what_is_divided_because_they_are_two_is_not_merged_by_undoing(couple: Roost) -> None:
    couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    with pytest.raises(MoveRefused, match="link the customers"):
        couple.hub.undo_move("acme", couple.conversation("morris"), agent="dana")


# whatever joins them


def test_what_a_network_proves_makes_their_conversations_one(talking: Roost) -> None:
    first = talking.conversation("kerry")
    kerry, morris = bird("kerry").identifiers[0], bird("morris").identifiers[0]
    proven: dict[str, Any] = {"tier": "verified", "proof": "network", "at": NOON + timedelta(seconds=300)}
    claim = IdentityClaimed(id="c", own_account=ACCOUNT, subject=morris, claims=(kerry,), **proven)
    talking.hear(claim)
    assert texts(talking, first) == ["this is kerry", "this is morris"]


def test_what_a_network_tells_with_a_message_does_so_before_the_message_is_placed(roost: Roost) -> None:
    """Two open conversations would leave it open which of them a new thread continues."""
    number = Identifier(kind="phone", value="+15550147")
    nest = Identifier(kind="owl.nest", value="morris")

    def say(n: int, where: str, *identifiers: Identifier) -> None:
        said = message(n, f"text {n}", at=n * 60, thread=Thread(id=where, visibility="private"))
        author = said.interaction.author.model_copy(update={"identifiers": identifiers})
        roost.hear(said.model_copy(update={"interaction": said.interaction.model_copy(update={"author": author})}))

    kerry = bird("kerry").identifiers[0]
    say(1, "one", kerry, number)
    say(2, "two", nest)
    first = roost.conversation("kerry")
    assert len(roost.hub.queue("acme")) == 2
    say(3, "three", nest, number)
    assert texts(roost, first) == ["text 1", "text 2", "text 3"]
    assert roost.hub.conversation("acme", first)["legs"][-1]["rule"] == "open_conversation"


# whatever came first


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_thread_that_spoke_before_its_token_came_is_in_the_same_conversation(
    roost: Roost, order: tuple[int, ...]
) -> None:
    """The bearer's first word, the token, and a word of the one who was sent: any may come first."""
    roost.hear(message(1, "hello?", "kerry"))
    con = roost.conversation("kerry")
    token = roost.hub.hand_off("acme", con, agent="dana")["token"]
    brought = IdentityClaimed(
        id="claim",
        own_account=ACCOUNT,
        subject=bird("flo").identifiers[0],
        proof="handoff_token",
        token=token,
        thread=Thread(id="dm-flo", visibility="private"),
        at=NOON + timedelta(seconds=30),
    )
    events: list[Any] = [message(2, "sent here", "flo", at=40), brought, message(3, "and?", "kerry", at=50)]
    for index in order:
        roost.hear(events[index])
    assert [one["id"] for one in roost.hub.queue("acme", status=None)] == [con]
    assert texts(roost, con) == ["hello?", "sent here", "and?"]


def test_what_was_divided_and_made_whole_divides_again(couple: Roost) -> None:
    """Nobody has said a word meanwhile, so it is the same part that leaves the same conversation."""
    first = couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    before, other = queue(couple), couple.conversation("morris")
    couple.hub.undo("acme", first.id, agent="dana")
    couple.clock.forward(seconds=1)
    second = couple.hub.split("acme", KERRY, [MORRIS], agent="dana")
    assert (queue(couple), couple.conversation("morris")) == (before, other)
    couple.hub.undo("acme", second.id, agent="dana")
    assert len(couple.hub.queue("acme")) == 1
