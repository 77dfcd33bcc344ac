"""Our own messages come back: typed in the network's application, or as the echo of what we sent."""

import httpx
import pytest
from raven import Roost, message, settling

from socialsupport_core.model import InteractionReceived, Thread


def echo(roost: Roost, text: str, native_id: str = "raven-1", **more: object) -> InteractionReceived:
    return message(native_id, text, outbound=True, at=roost.clock.now, **more)


def test_what_was_typed_natively_becomes_an_outbound_interaction(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.clock.forward(minutes=1)
    roost.hear(echo(roost, "hi from my phone"))
    assert roost.texts() == ["hello", "hi from my phone"]
    assert roost.states() == ["sent"]
    assert "waiting_since" not in roost.hub.queue("acme")[0]


def test_the_echo_of_a_sent_message_is_not_a_second_one(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hub.drain()
    roost.hear(echo(roost, "hi"))
    assert roost.texts() == ["hello", "hi"]
    assert roost.states() == ["sent"]


@pytest.mark.parametrize("keyed", [True, False])
def test_an_echo_settles_what_was_uncertain(roost: Roost, keyed: bool) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.faults.drop = 1
    key = roost.reply("hi", key="k1")["key"]
    roost.hub.drain()
    assert roost.states() == ["uncertain"]
    roost.hear(echo(roost, "hi", client_key=key if keyed else None))
    assert roost.states() == ["sent"]
    assert roost.texts() == ["hello", "hi"]
    assert roost.timeline()[-1]["interaction"]["native_id"] == "raven-1"
    assert roost.hub.health()["outbox"] == {"sent": 1}


@pytest.mark.parametrize("text", ["hi", "hi, as the network has rendered it"])
def test_an_echo_before_the_receipt_is_the_same_message(roost: Roost, text: str) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")

    def overtake(request: httpx.Request) -> None:
        if request.method == "POST":
            roost.sky.before = lambda request: None
            roost.deliver(echo(roost, text))
            roost.hub.workers.record_waiting()

    roost.sky.before = overtake
    roost.hub.drain()
    assert len(roost.timeline()) == 2
    entry = roost.timeline()[-1]
    assert (entry["state"], entry["agent"], entry["interaction"]["native_id"]) == ("sent", "dana", "raven-1")
    assert len(roost.sky.messages) == 1


def test_two_doubtful_messages_are_settled_each_by_its_own_echo(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.faults.drop = 2
    roost.reply("one")
    roost.reply("two")
    roost.hub.drain()
    roost.hear(echo(roost, "two", "raven-2"))
    assert roost.states() == ["uncertain", "sent"]
    roost.hear(echo(roost, "one", "raven-1"))
    assert roost.states() == ["sent", "sent"]


def test_an_echo_by_our_key_settles_even_what_was_given_up(roost: Roost) -> None:
    roost.reopen(settling("none"))
    roost.hear(message(1, "hello"))
    roost.sky.faults.drop = 1
    part = roost.reply("hi", key="k1")["parts"][0]["key"]
    roost.hub.drain()
    roost.hub.settle("acme", part, "failed", agent="dana")
    roost.hear(echo(roost, "hi", client_key=part))
    assert roost.states() == ["sent"]
    assert roost.hub.health()["outbox"] == {"sent": 1}


def test_a_second_copy_under_our_key_is_shown_as_the_second_message_that_it_is(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    part = roost.reply("hi", key="k1")["parts"][0]["key"]
    roost.hub.drain()
    roost.hear(echo(roost, "hi", "raven-1", client_key=part))
    roost.clock.forward(seconds=1)
    roost.hear(echo(roost, "hi", "raven-2", client_key=part))
    assert [one["interaction"]["native_id"] for one in roost.timeline()] == ["1", "raven-1", "raven-2"]


def test_the_same_id_on_another_channel_is_another_message(roost: Roost) -> None:
    """Two accounts of ours, and networks number what is said to each of them from one on."""
    door = roost.hub.add_channel("acme", "loft", "raven", {}, mode="webhook").rsplit("/", 1)[1]
    roost.hear(message("raven-1", "to the tower", "robin", at=0, thread=Thread(id="dm-1", visibility="private")))
    said = message("a", "to the loft", at=60, thread=Thread(id="dm-1", visibility="private"))
    roost.hub.receive(door, roost.payload(said)).result()
    roost.hub.drain()
    roost.reply("on its way")
    roost.hub.drain()
    assert roost.states() == ["sent"]
    assert [one["interaction"]["native_id"] for one in roost.timeline()] == ["a", "raven-1"]
    assert roost.texts("robin") == ["to the tower"]
