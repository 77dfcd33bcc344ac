"""Conversations merged, split and moved by agents, and every way back."""

import random
from typing import Any

import pytest
from raven import Roost, message
from raven.events import NOON

from socialsupport_core.conversation.moving import MoveRefused
from socialsupport_core.hub import NoSuchConversation
from socialsupport_core.model import Thread

AGENT = {"agent": "dana"}


def say(roost: Roost, number: int, text: str = "", name: str = "kerry", **more: Any) -> None:
    roost.hear(message(number, text or f"text {number}", name, at=roost.clock.now, **more))
    roost.clock.forward(minutes=1)


def thread(name: str, visibility: Any = "private") -> Thread:
    return Thread(id=name, visibility=visibility)


def shown(roost: Roost) -> dict[str, Any]:
    """By conversation: status, since when somebody waits, and what was said, in order."""
    return {
        one["id"]: (one["status"], one.get("waiting_since"), one["updated_at"], texts(roost, one["id"]))
        for one in roost.hub.queue("acme", status=None)
    }


def texts(roost: Roost, conversation: str) -> list[str]:
    entries = roost.hub.conversation("acme", conversation)["entries"]
    return [one["interaction"]["text"] for one in entries]


def legs(roost: Roost, conversation: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = roost.hub.conversation("acme", conversation)["legs"]
    return found


@pytest.fixture
def two(roost: Roost) -> tuple[str, str]:
    """Two conversations of one customer: the first was silent for longer than the window."""
    say(roost, 1, "the lamp is broken", visibility="public")
    first = roost.conversation()
    roost.clock.forward(days=8)
    say(roost, 2, "the lamp, again")
    second = roost.conversation()
    assert first != second
    return first, second


def test_what_is_merged_reads_in_order_and_its_id_leads_on(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    done = roost.hub.merge_conversation("acme", second, first, **AGENT)
    assert done.conversations == (second, first)
    assert texts(roost, first) == ["the lamp is broken", "the lamp, again"]
    assert [one["rule"] for one in legs(roost, first)] == ["new", "merged"]
    gone = roost.hub.conversation("acme", second)
    assert (gone["status"], gone["superseded_by"], gone["legs"]) == ("superseded", first, [])
    assert [one["id"] for one in roost.hub.queue("acme", status=None)] == [first]
    roost.hub.reply("acme", second, "we are on it", **AGENT)  # whoever has the old id open still answers
    assert texts(roost, first)[-1] == "we are on it"
    (told,) = roost.log("conversation.merged")
    assert told["data"] == {"from": second, "to": first, "move": done.id, "legs": [2], "agent": "dana"}


def test_a_merge_is_taken_back_exactly(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    roost.hub.resolve("acme", first, **AGENT)
    before = shown(roost)
    roost.clock.forward(hours=1)
    done = roost.hub.merge_conversation("acme", second, first, **AGENT)
    assert shown(roost)[first][0] == "open", "somebody waits in what was merged into it"
    assert [one["data"]["by"] for one in roost.log("conversation.reopened")] == ["merge"]
    roost.hub.undo_move("acme", second, done.id, **AGENT)
    assert shown(roost) == before
    assert roost.hub.conversation("acme", first)["moves"][0]["undone_by"] == "dana"


def test_what_was_opened_for_a_merge_stays_open_once_somebody_speaks(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    roost.hub.resolve("acme", first, **AGENT)
    roost.hub.merge_conversation("acme", second, first, **AGENT)
    roost.clock.forward(minutes=5)
    say(roost, 3, "hello?", visibility="public")
    roost.hub.undo_move("acme", first, **AGENT)
    assert {name: one[0] for name, one in shown(roost).items()} == {first: "open", second: "open"}


def test_what_comes_after_a_merge_goes_on_there_and_stays_when_its_leg_began_there(
    roost: Roost, two: tuple[str, str]
) -> None:
    first, second = two
    roost.hub.merge_conversation("acme", second, first, **AGENT)
    say(roost, 3, "in the merged thread")
    say(roost, 4, "in a new one", thread=thread("third"))
    assert texts(roost, first)[-2:] == ["in the merged thread", "in a new one"]
    roost.hub.undo_move("acme", first, **AGENT)
    assert texts(roost, second) == ["the lamp, again", "in the merged thread"]
    assert texts(roost, first) == ["the lamp is broken", "in a new one"]


def test_legs_are_split_off(roost: Roost) -> None:
    say(roost, 1, visibility="public")
    say(roost, 2)
    con = roost.conversation()
    _, private = legs(roost, con)
    before = shown(roost)
    done = roost.hub.split_conversation("acme", con, legs=[private["id"]], **AGENT)
    new = done.conversations[-1]
    assert (texts(roost, con), texts(roost, new)) == (["text 1"], ["text 2"])
    assert legs(roost, new)[0]["reason"] == "Dana made it a conversation of its own"
    assert {one[0] for one in shown(roost).values()} == {"open"}
    opened = roost.log("conversation.opened")[-1]
    assert (opened["conversation"], opened["data"]["from"]) == (new, con)
    roost.hub.undo_move("acme", con, **AGENT)
    assert shown(roost) == before
    assert roost.hub.conversation("acme", new)["superseded_by"] == con


def test_a_leg_that_is_named_twice_goes_once(roost: Roost) -> None:
    say(roost, 1, visibility="public")
    say(roost, 2)
    con = roost.conversation()
    private = legs(roost, con)[1]["id"]
    roost.hub.split_conversation("acme", con, legs=[private, private], **AGENT)
    assert roost.log("conversation.split")[-1]["data"]["legs"] == [private]


def test_a_thread_is_cut_at_a_message_and_goes_on_behind_the_cut(roost: Roost) -> None:
    for number in range(1, 5):
        say(roost, number)
    roost.reply("we look into it")
    con = roost.conversation()
    entries = roost.hub.conversation("acme", con)["entries"]
    done = roost.hub.split_conversation("acme", con, since=int(entries[2]["id"]), **AGENT)
    new = done.conversations[-1]
    assert texts(roost, con) == ["text 1", "text 2"]
    assert texts(roost, new) == ["text 3", "text 4", "we look into it"]
    roost.clock.forward(minutes=1)
    say(roost, 5)
    assert texts(roost, new)[-1] == "text 5"
    assert shown(roost)[con][1] is not None, "what was answered is in the other"
    roost.hub.undo_move("acme", new, **AGENT)
    assert texts(roost, con) == ["text 1", "text 2", "text 3", "text 4", "we look into it", "text 5"]
    assert [one["id"] for one in legs(roost, con)] == [entries[0]["leg"]]
    say(roost, 6)
    assert texts(roost, con)[-1] == "text 6"


def test_a_cut_takes_along_everybody_in_the_thread(roost: Roost) -> None:
    room = thread("dm-kerry")
    for number, name in enumerate(["kerry", "robin", "kerry", "robin"], 1):
        say(roost, number, name=name, thread=room)
    con = roost.conversation("kerry")
    third = roost.hub.conversation("acme", con)["entries"][2]
    new = roost.hub.split_conversation("acme", con, since=int(third["id"]), **AGENT).conversations[-1]
    assert (texts(roost, con), texts(roost, new)) == (["text 1", "text 2"], ["text 3", "text 4"])
    assert {one["account"] for one in legs(roost, new)} == {"raven.ring:kerry", "raven.ring:robin"}


def test_in_public_a_cut_takes_along_only_who_said_it(roost: Roost) -> None:
    """Two accounts of one customer under one post: the other's leg stays."""
    post = thread("post", "public")
    for number, name in enumerate(["kerry", "robin", "kerry"], 1):
        say(roost, number, name=name, thread=post)
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", **AGENT)
    say(roost, 4, name="robin", thread=post)
    con = roost.conversation()
    assert texts(roost, con) == ["text 1", "text 2", "text 3", "text 4"]
    third = roost.hub.conversation("acme", con)["entries"][2]
    new = roost.hub.split_conversation("acme", con, since=int(third["id"]), **AGENT).conversations[-1]
    assert (texts(roost, con), texts(roost, new)) == (["text 1", "text 2", "text 4"], ["text 3"])


def test_an_empty_conversation_goes_on_where_its_last_leg_went(roost: Roost) -> None:
    found = []
    for number in range(3):
        say(roost, number, thread=thread(f"t{number}"))
        found.append(roost.conversation())
        roost.clock.forward(days=8)
    roost.hub.resolve("acme", found[-1], **AGENT)
    say(roost, 3, thread=thread("t2"))
    say(roost, 4, thread=thread("t4"))
    con = roost.conversation()
    others = [one for one in found if one != con]
    going = [leg["id"] for leg in legs(roost, con)]
    assert len(going) == 2
    for leg, into in zip(going, others, strict=True):
        roost.hub.move_legs("acme", con, into, legs=[leg], **AGENT)
    assert roost.hub.conversation("acme", con)["superseded_by"] == others[-1]


def test_legs_are_moved_to_another_conversation_and_back(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    say(roost, 3, "and the shade", thread=thread("third"))
    third = legs(roost, second)[-1]
    before = shown(roost)
    roost.hub.move_legs("acme", second, first, legs=[third["id"]], **AGENT)
    assert texts(roost, first) == ["the lamp is broken", "and the shade"]
    assert texts(roost, second) == ["the lamp, again"]
    roost.hub.undo_move("acme", second, **AGENT)
    assert shown(roost) == before


def test_a_message_on_is_moved_to_another_conversation(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    say(roost, 3, "about the first one")
    last = roost.hub.conversation("acme", second)["entries"][-1]
    roost.hub.move_legs("acme", second, first, since=int(last["id"]), **AGENT)
    assert texts(roost, first) == ["the lamp is broken", "about the first one"]
    roost.hub.undo_move("acme", first, **AGENT)
    assert texts(roost, second) == ["the lamp, again", "about the first one"]


@pytest.mark.parametrize("seed", range(6))
def test_whatever_was_done_and_in_whatever_order_it_is_taken_back_all_is_as_before(roost: Roost, seed: int) -> None:
    chance = random.Random(seed)
    for number in range(8):
        say(roost, number, thread=thread(f"t{number % 4}", chance.choice(["private", "public"])))
        if number == 3:
            roost.clock.forward(days=8)
            roost.hub.resolve("acme", roost.conversation(), **AGENT)
            roost.clock.forward(minutes=1)
    before = shown(roost)
    done: list[tuple[str, str]] = []
    for _ in range(6):
        open_ones = [one["id"] for one in roost.hub.queue("acme", status=None)]
        one = chance.choice(open_ones)
        with_legs = legs(roost, one)
        verb = chance.choice(["merge", "split", "move", "cut"])
        try:
            if verb == "merge":
                made = roost.hub.merge_conversation("acme", one, chance.choice(open_ones), **AGENT)
            elif verb == "split":
                made = roost.hub.split_conversation("acme", one, legs=[chance.choice(with_legs)["id"]], **AGENT)
            elif verb == "move":
                other = chance.choice(open_ones)
                made = roost.hub.move_legs("acme", one, other, legs=[chance.choice(with_legs)["id"]], **AGENT)
            else:
                entries = roost.hub.conversation("acme", one)["entries"]
                made = roost.hub.split_conversation("acme", one, since=int(chance.choice(entries)["id"]), **AGENT)
        except MoveRefused:
            continue
        done.append((one, made.id))
        everything = sorted(text for each in shown(roost).values() for text in each[3])
        assert everything == sorted(f"text {number}" for number in range(8)), "nothing lost, nothing twice"
    assert done
    chance.shuffle(done)
    for _ in range(len(done)):  # a cut is made whole only after what was done with its rest
        for one, move in list(done):
            try:
                roost.hub.undo_move("acme", one, move, **AGENT)
            except MoveRefused:
                continue
            done.remove((one, move))
    assert done == []
    assert shown(roost) == before


def test_what_is_undone_first_came_first(roost: Roost) -> None:
    """A leg was moved to a conversation that was merged into a third since: without the move it is at home."""
    days: list[str] = []
    for number in range(3):
        say(roost, number, thread=thread(f"t{number}"))
        days.append(roost.conversation())
        roost.clock.forward(days=8)
    say(roost, 3, thread=thread("t0"))
    say(roost, 4, thread=thread("t5"))
    first, second, third = days
    fifth = next(leg for one in days for leg in legs(roost, one) if leg["thread"] == "t5")
    home = next(one for one in days if fifth["id"] in {leg["id"] for leg in legs(roost, one)})
    others = [one for one in (first, second, third) if one != home]
    moved = roost.hub.move_legs("acme", home, others[0], legs=[fifth["id"]], **AGENT)
    merged = roost.hub.merge_conversation("acme", others[0], others[1], **AGENT)
    assert "text 4" in texts(roost, others[1])
    roost.hub.undo_move("acme", home, moved.id, **AGENT)
    assert "text 4" in texts(roost, home)
    assert "text 4" not in texts(roost, others[1])
    roost.hub.undo_move("acme", others[1], merged.id, **AGENT)
    assert "text 4" in texts(roost, home)


# what is refused


def test_conversations_of_two_customers_are_not_merged(roost: Roost) -> None:
    say(roost, 1, name="kerry")
    say(roost, 2, name="robin")
    with pytest.raises(MoveRefused, match="two customers; link the customers first"):
        roost.hub.merge_conversation("acme", roost.conversation("kerry"), roost.conversation("robin"), **AGENT)
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    assert len(roost.hub.queue("acme")) == 1


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ({"legs": []}, "name the legs that go, or the interaction"),
        ({"legs": [1], "since": 1}, "one of the two"),
        ({"legs": [1, 2]}, "leaves something on both sides"),
        ({"legs": [99]}, r"has no leg 99; it has 1, 2"),
        ({"since": 99}, "the interaction 99 is not in this conversation"),
    ],
)
def test_a_split_that_makes_no_sense_says_why(roost: Roost, how: dict[str, Any], why: str) -> None:
    say(roost, 1, visibility="public")
    say(roost, 2)
    before = shown(roost)
    with pytest.raises(MoveRefused, match=why):
        roost.hub.split_conversation("acme", roost.conversation(), **how, **AGENT)
    assert shown(roost) == before
    assert len(roost.log("conversation.opened")) == 1


def test_where_a_conversation_begins_it_cannot_be_cut(roost: Roost) -> None:
    say(roost, 1)
    say(roost, 2)
    first = roost.hub.conversation("acme", roost.conversation())["entries"][0]
    with pytest.raises(MoveRefused, match="nothing left of it"):
        roost.hub.split_conversation("acme", roost.conversation(), since=int(first["id"]), **AGENT)
    assert len(legs(roost, roost.conversation())) == 1


def test_nothing_is_merged_into_itself_or_with_what_is_unknown(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    with pytest.raises(MoveRefused, match="cannot go on in itself"):
        roost.hub.merge_conversation("acme", first, first, **AGENT)
    roost.hub.merge_conversation("acme", second, first, **AGENT)
    with pytest.raises(MoveRefused, match="cannot go on in itself"):
        roost.hub.merge_conversation("acme", second, first, **AGENT)  # its id leads there already
    with pytest.raises(NoSuchConversation):
        roost.hub.merge_conversation("acme", first, "con_nobody", **AGENT)
    with pytest.raises(NoSuchConversation):
        roost.hub.merge_conversation("rival", first, second, **AGENT)


def test_nothing_is_taken_back_twice(roost: Roost, two: tuple[str, str]) -> None:
    first, second = two
    with pytest.raises(MoveRefused, match="nothing was merged, split or moved here"):
        roost.hub.undo_move("acme", first, **AGENT)
    done = roost.hub.merge_conversation("acme", second, first, **AGENT)
    roost.hub.undo_move("acme", first, done.id, **AGENT)
    with pytest.raises(MoveRefused, match="taken back already"):
        roost.hub.undo_move("acme", first, done.id, **AGENT)
    with pytest.raises(MoveRefused, match="there is no move"):
        roost.hub.undo_move("acme", first, "mov_99", **AGENT)


def test_what_waited_for_is_counted_anew(roost: Roost) -> None:
    say(roost, 1, visibility="public")
    say(roost, 2)
    con = roost.conversation()
    _, private = legs(roost, con)
    roost.reply("on its way", leg=private["id"])
    assert roost.hub.conversation("acme", con).get("waiting_since") is None
    roost.hub.split_conversation("acme", con, legs=[private["id"]], **AGENT)
    assert roost.hub.conversation("acme", con)["waiting_since"] == NOON.replace(hour=13).isoformat().replace(
        "+00:00", "Z"
    )
    roost.hub.undo_move("acme", con, **AGENT)
    assert roost.hub.conversation("acme", con).get("waiting_since") is None


def test_an_agent_who_is_none_moves_nothing(roost: Roost, two: tuple[str, str]) -> None:
    with pytest.raises(Exception, match="no agent 'ghost'"):
        roost.hub.merge_conversation("acme", *two, agent="ghost")
    assert len(shown(roost)) == 2
