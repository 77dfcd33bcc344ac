"""To which conversation a touch belongs: the rules one by one, each with its reason."""

import pytest
from raven import Raven, Roost, message
from raven.connector import plugin
from raven.events import bird

from socialsupport_core.contract import Registry
from socialsupport_core.model import Capabilities, Thread


def legs(roost: Roost, name: str = "kerry") -> list[tuple[str, str, str]]:
    """Of the newest conversation: visibility, rule and reason of each leg."""
    found = roost.hub.conversation("acme", roost.conversation(name))["legs"]
    return [(one["visibility"], one["rule"], one["reason"]) for one in found]


def count(roost: Roost) -> int:
    return len(roost.hub.queue("acme", status=None))


def hours(roost: Roost, number: float) -> None:
    roost.clock.forward(hours=number)


def say(roost: Roost, number: int, name: str = "kerry", **more: object) -> None:
    roost.hear(message(number, f"text {number}", name, at=roost.clock.now, **more))


def test_new(roost: Roost) -> None:
    say(roost, 1)
    assert legs(roost) == [("private", "new", "nothing that it could continue")]
    (opened,) = roost.log("conversation.opened")
    assert opened["conversation"] == roost.conversation()
    assert opened["data"]["customer"] == roost.hub.customer("acme", "raven.ring:kerry")["id"]


@pytest.mark.parametrize("visibility", ["private", "public"])
def test_the_same_thread_goes_on(roost: Roost, visibility: str) -> None:
    for number in range(3):
        say(roost, number, visibility=visibility)
        hours(roost, 200)
    assert count(roost) == 1
    assert len(legs(roost)) == 1


def test_everybody_speaks_for_themselves_in_public(roost: Roost) -> None:
    for number, name in enumerate(["kerry", "robin", "kerry", "wren"]):
        say(roost, number, name, visibility="public")
    assert count(roost) == 3
    shown = roost.hub.conversation("acme", roost.conversation("kerry"))
    assert [one["interaction"]["native_id"] for one in shown["entries"]] == ["0", "2"]


def test_others_in_a_private_thread_are_participants(roost: Roost) -> None:
    say(roost, 1, "kerry")
    group = Thread(id="dm-kerry", visibility="private")
    say(roost, 2, "robin", thread=group)
    assert count(roost) == 1
    assert roost.conversation("kerry") == roost.conversation("robin")
    accounts = {one["account"] for one in roost.hub.conversation("acme", roost.conversation())["legs"]}
    assert accounts == {"raven.ring:kerry", "raven.ring:robin"}
    assert legs(roost)[1][1:] == ("native_thread", "the same thread on the same network")
    shown = roost.hub.conversation("acme", roost.conversation())["entries"]
    assert [one["interaction"]["native_id"] for one in shown] == ["1", "2"]


def test_the_customers_only_open_conversation_goes_on_elsewhere(roost: Roost) -> None:
    say(roost, 1, visibility="public")
    say(roost, 2)
    assert count(roost) == 1
    reason = "the customer's only open conversation, active within seven days"
    assert legs(roost)[1] == ("private", "open_conversation", reason)


@pytest.mark.parametrize(("silence", "conversations"), [(7 * 24 - 1, 1), (7 * 24, 1), (7 * 24 + 1, 2)])
def test_the_window_is_seven_days(roost: Roost, silence: float, conversations: int) -> None:
    say(roost, 1, visibility="public")
    hours(roost, silence)
    say(roost, 2)
    assert count(roost) == conversations


def test_of_two_open_conversations_none_is_guessed(roost: Roost) -> None:
    say(roost, 1)
    hours(roost, 200)
    say(roost, 2, visibility="public")
    say(roost, 4)
    assert count(roost) == 2
    roost.hear(message(3, "x", at=roost.clock.now, thread=Thread(id="third", visibility="private")))
    assert count(roost) == 3


def test_what_answers_us_belongs_to_what_it_answers(roost: Roost) -> None:
    """Two conversations are open, so only the answer tells."""
    say(roost, 1)
    first = roost.conversation()
    hours(roost, 200)
    say(roost, 2, visibility="public")
    roost.hub.reply("acme", roost.conversation(), "please say more", agent="dana")
    roost.hub.drain()
    second = roost.conversation()
    assert first != second
    elsewhere = Thread(id="third", visibility="public")
    say(roost, 3, thread=elsewhere, in_reply_to="raven-1")
    assert count(roost) == 2
    assert legs(roost)[-1] == ("public", "answers_us", "it answers a message of ours")
    assert roost.conversation() == second


def test_an_answer_to_a_word_of_their_own_is_no_answer_to_us(roost: Roost) -> None:
    """It leads to where the customer is now, not to where the old word stands."""
    say(roost, 1)
    hours(roost, 200)
    say(roost, 2, visibility="public")
    newer = roost.conversation()
    hours(roost, 1)
    say(roost, 3, thread=Thread(id="third", visibility="public"), in_reply_to="1")
    shown = roost.hub.conversation("acme", newer)["entries"]
    assert [one["interaction"]["native_id"] for one in shown] == ["2", "3"]
    assert count(roost) == 2


def test_a_stranger_who_answers_us_in_public_is_no_part_of_it(roost: Roost) -> None:
    say(roost, 1, visibility="public")
    roost.reply("please say more")
    roost.hub.drain()
    say(roost, 2, "robin", visibility="public", in_reply_to="raven-1")
    assert roost.conversation("kerry") != roost.conversation("robin")


def test_a_resolved_conversation_that_goes_on_is_reopened(roost: Roost) -> None:
    say(roost, 1)
    con = roost.conversation()
    roost.hub.resolve("acme", con, agent="dana")
    roost.hub.resolve("acme", con, agent="dana")
    assert roost.hub.queue("acme") == []
    hours(roost, 24)
    say(roost, 2)
    assert [one["id"] for one in roost.hub.queue("acme")] == [con]
    assert len(roost.log("conversation.resolved")) == 1
    assert [one["data"]["by"] for one in roost.log("conversation.reopened")] == ["customer"]


def test_long_after_its_end_a_new_one_begins(roost: Roost) -> None:
    say(roost, 1)
    first = roost.conversation()
    roost.hub.resolve("acme", first, agent="dana")
    hours(roost, 24 * 8)
    say(roost, 2)
    assert roost.conversation() != first
    assert [one["status"] for one in roost.hub.queue("acme", status=None)] == ["open", "resolved"]


def test_on_the_last_moment_of_the_window_it_still_goes_on(roost: Roost) -> None:
    say(roost, 1)
    con = roost.conversation()
    roost.hub.resolve("acme", con, agent="dana")
    hours(roost, 7 * 24)
    say(roost, 2)
    assert roost.conversation() == con


def test_our_own_word_does_not_reopen(roost: Roost) -> None:
    say(roost, 1)
    roost.hub.resolve("acme", roost.conversation(), agent="dana")
    hours(roost, 1)
    say(roost, 2, outbound=True)
    assert roost.hub.queue("acme") == []


def test_two_accounts_of_one_customer_share_what_is_open(roost: Roost) -> None:
    say(roost, 1, "kerry")
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:robin", agent="dana")
    hours(roost, 1)
    say(roost, 2, "robin")
    assert roost.conversation("kerry") == roost.conversation("robin")
    assert roost.texts("kerry") == roost.texts("robin") == ["text 1", "text 2"]


def test_another_network_is_another_leg(roost: Roost) -> None:
    class Owl(Raven):
        name = "owl"
        capabilities = Capabilities(receives=frozenset({"webhook"}), verification="shared_secret")

    roost.options["registry"] = Registry.of(plugin(Raven, Owl))
    roost.reopen()
    door = roost.hub.add_channel("acme", "barn", "owl", {}).rsplit("/", 1)[1]
    say(roost, 1)
    later = message("o1", "by owl", at=roost.clock.now, network="owl")
    roost.hub.receive(door, roost.payload(later)).result()
    roost.hub.drain()
    shown = roost.hub.conversation("acme", roost.conversation())
    assert [one["channel"] for one in shown["legs"]] == ["tower", "barn"]
    assert shown["legs"][1]["rule"] == "open_conversation"


# who waits


def waiting(roost: Roost) -> str | None:
    found: str | None = roost.hub.queue("acme")[0].get("waiting_since")
    return found


def test_whoever_waited_longest_comes_first(roost: Roost) -> None:
    for number, name in enumerate(["robin", "kerry", "wren"]):
        say(roost, number, name)
        hours(roost, 1)
    roost.reply("hi", "robin")
    names = [one["customer"]["name"] for one in roost.hub.queue("acme")]
    assert names == ["Kerry", "Wren", "Robin"]
    assert [one["customer"]["name"] for one in roost.hub.queue("acme", waiting=True)] == ["Kerry", "Wren"]


def test_waiting_counts_from_the_first_unanswered_word(roost: Roost) -> None:
    roost.hear(message(1, "a", at=10), message(2, "b", at=20))
    assert waiting(roost) == "2026-03-01T12:00:10Z"
    roost.hear(message(3, "we", at=30, outbound=True))
    assert waiting(roost) is None
    roost.hear(message(4, "c", at=40))
    assert waiting(roost) == "2026-03-01T12:00:40Z"


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2), (2, 3, 0, 1)], ids=str)
def test_waiting_is_the_same_whatever_came_first(roost: Roost, order: tuple[int, ...]) -> None:
    """A delayed message that was answered already does not wait; one after the answer does."""
    said = [
        message(1, "a", at=10),
        message(2, "we", at=20, outbound=True),
        message(3, "b", at=30),
        message(4, "c", at=40),
    ]
    for index in order:
        roost.hear(said[index])
    assert waiting(roost) == "2026-03-01T12:00:30Z"


def test_a_bot_does_not_wait(roost: Roost) -> None:
    say(roost, 1, "kerry")
    robot = bird("robot").model_copy(update={"is_bot": True})
    said = message(2, "automatic reply", "robot", at=roost.clock.now)
    roost.hear(said.model_copy(update={"interaction": said.interaction.model_copy(update={"author": robot})}))
    assert [one["customer"]["name"] for one in roost.hub.queue("acme", waiting=True)] == ["Kerry"]
