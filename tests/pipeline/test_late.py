"""Edits, tombstones, reactions and receipts may come in any order, before their original too."""

from datetime import datetime
from itertools import permutations
from pathlib import Path
from typing import Any, Literal

import pytest
from raven import Roost, deleted, delivered, edited, message, reacted

from socialsupport_core.model import DeliveryUpdated, Event, ReactionRemoved, Thread

VOLATILE = ("id", "cursor", "leg", "conversation", "received_at")


def seen(roost: Roost, name: str = "kerry") -> list[dict[str, Any]]:
    """The timeline without numbers that count arrivals."""
    return [{key: value for key, value in one.items() if key not in VOLATILE} for one in roost.timeline(name)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)  # much work, and nothing in it is the store's
def test_every_order_of_six_events_gives_the_same_timeline(roost: Roost) -> None:
    """One person per order; 720 orders."""
    found = []
    for number, order in enumerate(permutations(range(6))):
        who = f"bird{number}"
        said = message(number, "first", who, at=0, outbound=True)
        native = said.interaction.native_id
        events: list[Event] = [
            said,
            edited(said, "second", 10),
            edited(said, "third", 20),
            deleted(said, 30),
            reacted(said, "👍", 40, who),
            delivered(native, "read", 50),
        ]
        roost.deliver(*(events[index] for index in order))
        found.append((who, order))
    roost.hub.drain()
    assert roost.journal()["quarantined"] == 0
    wanted = _neutral(seen(roost, "bird0"), "bird0", "0")
    assert wanted[0]["state"] == "read"
    assert wanted[0]["edited_at"] == "2026-03-01T12:00:20Z"
    assert wanted[0]["deleted_at"] == "2026-03-01T12:00:30Z"
    assert "text" not in wanted[0]["interaction"]
    for number, (who, order) in enumerate(found):
        assert _neutral(seen(roost, who), who, str(number)) == wanted, order


def _neutral(shown: list[dict[str, Any]], who: str, number: str) -> list[dict[str, Any]]:
    for one in shown:
        interaction = one["interaction"]
        assert interaction.pop("native_id") == number
        assert interaction.pop("thread")["id"] == f"dm-{who}"
        interaction.pop("recipients")
    return shown


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_of_two_edits_in_the_same_second_the_later_id_wins(roost: Roost, order: tuple[int, ...]) -> None:
    said = message(1, "first")
    events = [said, edited(said, "second", 10, id="9"), edited(said, "third", 10, id="10")]
    roost.hear(*(events[index] for index in order))
    assert roost.texts() == ["third"]


def test_an_edit_of_an_edit_keeps_the_time_of_the_message(roost: Roost) -> None:
    said = message(1, "first", at=5)
    roost.hear(edited(said, "second", 10))
    assert roost.hub.find_customers("acme", "kerry") == []
    roost.hear(said)
    (entry,) = roost.timeline()
    assert (entry["at"], entry["interaction"]["text"]) == ("2026-03-01T12:00:05Z", "second")


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_is_shown_again_as_it_was_is_no_edit(roost: Roost, order: tuple[int, ...]) -> None:
    """Some networks show a touch as it is, again and again, and never say whether it was edited."""
    said = message(1, "first", at=5)
    events = [said, edited(said, "first", 5, id="now"), edited(said, "first", 4, id="before")]
    roost.hear(*(events[index] for index in order))
    assert ["edited_at" in one for one in roost.timeline()] == [False]
    roost.hear(edited(said, "second", 5, id="same second"))
    assert [(one["interaction"]["text"], "edited_at" in one) for one in roost.timeline()] == [("second", True)]


def test_a_deleted_message_shows_neither_text_nor_files(roost: Roost) -> None:
    said = message(
        1, "my card is 4111", attachments=({"media_type": "image/png", "native_id": "f1", "name": "card.png"},)
    )
    roost.hear(said)
    roost.hear(deleted(said, 10))
    assert "4111" not in str(roost.timeline())
    assert "card.png" not in str(roost.timeline())


def test_a_reaction_taken_back_is_gone_whatever_came_first(roost: Roost) -> None:
    said = message(1, "hello")
    added = reacted(said, "👍", 10)
    removed = ReactionRemoved(
        **(added.model_dump() | {"id": "gone", "type": "reaction.removed", "at": added.at.replace(second=20)})
    )
    roost.hear(removed, added, said)
    assert "reactions" not in roost.timeline()[0]
    roost.hear(added.model_copy(update={"id": "again", "at": added.at.replace(second=30)}))
    assert roost.timeline()[0]["reactions"] == ["👍"]


def test_read_never_falls_back_to_delivered(roost: Roost) -> None:
    roost.hear(message(1, "hello", outbound=True), delivered("1", "read", 5), delivered("1", "delivered", 3))
    assert roost.states() == ["read"]


@pytest.mark.parametrize("order", list(permutations(range(4))), ids=str)
def test_everything_until_then_is_read_and_nothing_later(roost: Roost, order: tuple[int, ...]) -> None:
    """Echoes of what was typed natively, and a network that reports reading by time."""
    said = [message(n, f"text {n}", at=n * 10, outbound=True) for n in (1, 2, 3)]
    thread, at = said[0].interaction.thread, said[1].interaction.sent_at
    until = DeliveryUpdated(id="until-2", own_account="tower", thread=thread, state="read", at=at)
    events: list[Event] = [*said, until]
    roost.hear(*(events[index] for index in order))
    assert roost.states() == ["read", "read", "sent"]


def test_what_is_not_sent_yet_is_not_read_by_the_time(roost: Roost) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    roost.sky.faults.unavailable = 1
    roost.reply("hi")
    thread = message(1, "").interaction.thread
    roost.hear(DeliveryUpdated(id="u", own_account="tower", thread=thread, state="read", at=roost.clock.now))
    assert roost.states() == ["retrying"]


def test_a_receipt_that_overtakes_the_answer_of_the_call_counts(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hear(delivered("raven-1", "delivered", 3700))
    roost.hub.drain()
    assert roost.states() == ["delivered"]


GREETING = message(1, "hello", outbound=True)


def sole(reaction: str, at: float, author: str = "robin") -> Event:
    """Where everybody has one reaction at most. An empty one takes it back, and does not tell which."""
    told = reacted(GREETING, reaction or "any", at, author).model_copy(update={"sole": True})
    if reaction:
        return told
    return ReactionRemoved.model_validate(told.model_dump() | {"type": "reaction.removed", "id": f"gone-{at}"})


@pytest.mark.parametrize("order", [(0, *late) for late in permutations((1, 2, 3))] + [(3, 0, 1, 2), (2, 1, 3, 0)])
def test_the_newest_of_the_reactions_of_which_everybody_has_one(roost: Roost, order: tuple[int, ...]) -> None:
    told = [GREETING, sole("👍", 5), sole("", 6), sole("❤", 7)]
    roost.hear(*(told[index] for index in order))
    assert roost.timeline()[0]["reactions"] == ["❤"]
    roost.hear(sole("", 8), sole("👎", 4, author="mallory"))
    assert roost.timeline()[0]["reactions"] == ["👎"]


@pytest.mark.parametrize(
    ("told", "state", "outbox"),
    [
        (("failed",), "failed", "failed"),
        (("failed", "sent"), "failed", "failed"),
        (("failed", "delivered"), "delivered", "sent"),
        (("delivered", "failed"), "delivered", "sent"),
        (("read", "failed", "sent"), "read", "sent"),
    ],
)
def test_what_the_network_took_and_could_not_deliver_has_failed(
    roost: Roost, told: tuple[Literal["sent", "delivered", "read", "failed"], ...], state: str, outbox: str
) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hub.drain()
    for at, one in enumerate(told):
        roost.hear(delivered("raven-1", one, 3700 + at))
    assert (roost.states(), roost.hub.health()["outbox"]) == ([state], {outbox: 1})
    waits = roost.hub.conversation("acme", roost.conversation("kerry")).get("waiting_since")
    assert (waits is not None) is (state == "failed")


@pytest.mark.parametrize(("state", "shown"), [("delivered", "delivered"), ("failed", "failed")])
def test_a_report_under_our_own_key_settles_what_a_cut_connection_left_open(
    roost: Roost, state: Literal["delivered", "failed"], shown: str
) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.faults.drop = 1
    key = roost.reply("hi")["parts"][0]["key"]
    roost.hub.drain()
    assert roost.states() == ["uncertain"]
    report = delivered("raven-9", state, 3700).model_copy(update={"client_key": key, "reason": "no such tower"})
    roost.hear(report)
    assert roost.states() == [shown]
    assert roost.hub.health()["outbox"] == {"failed" if state == "failed" else "sent": 1}
    roost.hear(delivered("raven-9", "read", 3800))
    assert roost.states() == (["read"] if state == "delivered" else ["failed"])


def test_what_was_waited_for_in_vain_is_accounted_for(roost: Roost, tmp_path: Path) -> None:
    roost.hear(edited(message(1, "never seen"), "second", 10))
    found = roost.journal()
    assert (found["accepted"], found["unexplained"], found["quarantined"]) == (1, 0, 0)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_of_two_edits_at_one_moment_the_one_with_the_later_number_counts(roost: Roost, order: tuple[int, ...]) -> None:
    """9 comes before 10."""
    original = message(1, "written")
    happened = [original, edited(original, "ninth", 5, "e-9"), edited(original, "tenth", 5, "e-10")]
    for index in order:
        roost.hear(happened[index])
    assert roost.texts() == ["tenth"]


# what was said at one moment


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_of_one_moment_the_networks_own_numbers_decide(roost: Roost, order: tuple[int, ...]) -> None:
    """A network whose times are whole seconds; 9 comes before 10."""
    said = [message(number, str(number), at=0) for number in (9, 10, 11)]
    roost.hear(*(said[index] for index in order))
    assert roost.texts() == ["9", "10", "11"]


@pytest.mark.parametrize("kind", ["word", "number"])
def test_of_one_moment_in_two_threads_nothing_depends_on_what_came_first(roost: Roost, kind: str) -> None:
    found = []
    for number, order in enumerate(permutations(range(2))):
        who = f"bird{number}"
        ids = [f"{number}", f"{number + 5}"] if kind == "number" else [f"a{number}", f"b{number}"]
        said = [
            message(ids[0], "written", who, at=0, thread=Thread(id=f"dm-{kind}", visibility="private")),
            message(ids[1], "called out", who, at=0, visibility="public"),
        ]
        roost.hear(*(said[index] for index in order))
        found.append(roost.texts(who))
    assert found[0] == found[1]


def test_of_one_moment_in_a_thread_without_numbers_what_came_first_stands_first(roost: Roost) -> None:
    roost.hear(*(message(name, name, at=0) for name in ("so", "and", "then")))
    assert roost.texts() == ["so", "and", "then"]


def test_our_answer_comes_after_what_was_said_at_its_moment(roost: Roost) -> None:
    roost.hear(message(1, "hello", at=-60))
    roost.reply("hi")
    late = roost.timeline()[-1]["at"]
    roost.hear(message(2, "are you there?", at=datetime.fromisoformat(late)))
    assert roost.texts() == ["hello", "are you there?", "hi"]
    (newest,) = roost.hub.queue("acme")
    assert newest["last"]["text"] == "hi"


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_is_cut_off_at_one_moment_is_what_is_shown_from_there_on(roost: Roost, order: tuple[int, ...]) -> None:
    said = [message(number, str(number), at=0) for number in (9, 10, 11)]
    roost.hear(*(said[index] for index in order))
    shown = roost.timeline()
    roost.hub.split_conversation("acme", shown[1]["conversation"], since=int(shown[1]["id"]), agent="dana")
    first, *rest = [one["conversation"] for one in roost.timeline()]
    assert len(set(rest)) == 1
    assert first not in rest
