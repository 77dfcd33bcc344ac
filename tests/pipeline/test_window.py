"""The reply window is checked again right before sending, and a failed answer leaves somebody waiting."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from raven import Raven, Roost, delivered, message, settling

from socialsupport_core.contract import Flow
from socialsupport_core.model import Receipt, SendMessage

CLOSED = (
    "reply window closed: raven takes answers for 48 h after the customer's last message, which came 48 h 1 min ago;"
    " wait for the customer to write, or hand the conversation off to another channel"
)


@pytest.fixture
def asked(roost: Roost) -> Roost:
    """Kerry has asked something."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    return roost


def entry(roost: Roost) -> dict[str, Any]:
    (found,) = roost.hub.queue("acme")
    return found


def stop_the_clock_at(roost: Roost, hours: int, minutes: int = 0) -> None:
    """What is said now waits until then: every call is answered 503."""
    roost.sky.faults.unavailable = 1
    roost.hub.drain()
    assert roost.states() == ["retrying"]
    roost.clock.forward(hours=hours, minutes=minutes)


# the window


def test_a_part_whose_window_closed_while_it_waited_fails_without_a_call(asked: Roost) -> None:
    asked.reply("hi")
    stop_the_clock_at(asked, 48, 1)
    asked.sky.calls.clear()
    asked.hub.drain()
    assert (asked.states(), asked.sky.calls) == (["failed"], [])
    (event,) = [one for one in asked.log("delivery.updated") if one["data"]["state"] == "failed"]
    assert (event["data"]["code"], event["data"]["reason"]) == ("reply_window", CLOSED)


def test_to_the_minute_it_is_still_sent(asked: Roost) -> None:
    asked.reply("hi")
    stop_the_clock_at(asked, 48)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_a_word_of_the_customer_opens_it_again(asked: Roost) -> None:
    asked.reply("hi")
    stop_the_clock_at(asked, 40)
    asked.hear(message(2, "anybody?", at=asked.clock.now))
    assert asked.states() == ["sent"]
    asked.reply("more")
    asked.sky.faults.unavailable = 1
    asked.hub.drain()
    asked.clock.forward(hours=47)
    asked.hub.drain()
    assert asked.states() == ["sent", "sent"]


def test_a_part_that_waited_for_credentials_is_looked_at_too(asked: Roost) -> None:
    asked.sky.faults.expire = 1
    asked.reply("hi")
    asked.hub.drain()
    asked.clock.forward(days=30)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["failed"], [])


def test_what_may_have_been_sent_is_not_said_to_have_failed(asked: Roost) -> None:
    """Its answer was lost while the window was open, so nobody knows."""
    asked.reopen(settling("none"))
    asked.reply("hi")
    asked.sky.faults.drop = 1
    asked.hub.drain()
    asked.clock.forward(days=3)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["uncertain"], ["hi"])


def test_what_may_have_been_sent_is_asked_for_by_its_key_after_the_window(asked: Roost) -> None:
    """The network knows it by our key: that is no new message, and "failed" would be a lie."""
    asked.sky.forgets_keys = False
    asked.reopen(settling("native_key"))
    asked.reply("hi")
    asked.sky.faults.drop = 1
    asked.hub.drain()
    assert asked.states() == ["retrying"]
    asked.clock.forward(days=3)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_what_was_answered_before_the_process_died_was_sent(asked: Roost) -> None:
    """The answer is in the notes; only the end is missing."""
    asked.reply("hi")
    finish = asked.hub._database.write

    def dying(call: Any, tenant: str | None = None) -> Any:
        if tenant is not None:
            raise KeyboardInterrupt
        return finish(call, tenant)

    asked.hub._database.write = dying  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        asked.hub.drain()
    asked.hub._database.write = finish  # type: ignore[method-assign]
    assert asked.sky.texts() == ["hi"]
    asked.clock.forward(days=3)
    asked.reopen()
    asked.hub._database.do(lambda tx: tx.run("UPDATE outbox SET lease_until = 0"))
    import asyncio

    from socialsupport_core.store import micros

    asyncio.run(asked.hub.workers._take_over(micros(asked.clock())))
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_a_flow_that_shrugs_it_off_reaches_nobody(asked: Roost) -> None:
    class Stubborn(Raven):
        def fly(self, intent: SendMessage) -> Flow[Receipt]:
            for _ in range(2):
                try:
                    yield self.ask("POST", "/messages", json={"thread": "t", "text": "x", "key": intent.key})
                except Exception:
                    continue
            return Receipt(native_id="made up")

    asked.reply("hi")
    stop_the_clock_at(asked, 60)
    asked.reopen(Stubborn)
    asked.sky.calls.clear()
    asked.hub.drain()
    assert (asked.states(), asked.sky.calls) == (["failed"], [])


def test_a_window_is_the_threads_own(asked: Roost) -> None:
    """Where a connector narrows it, the narrow one holds."""

    class Hasty(Raven):
        def capabilities_in(self, thread: Any) -> Any:
            return self.capabilities.model_copy(update={"reply_window": timedelta(hours=1)})

    asked.reply("hi")
    stop_the_clock_at(asked, 2)
    asked.reopen(Hasty)
    asked.hub.drain()
    assert asked.states() == ["failed"]


# who waits


def test_a_failed_answer_leaves_its_customer_waiting_and_says_why(asked: Roost) -> None:
    since = entry(asked)["waiting_since"]
    asked.clock.forward(minutes=5)
    asked.hear(message(2, "hello?", at=asked.clock.now))
    asked.sky.blocked.add("dm-kerry")
    asked.clock.forward(minutes=5)
    asked.reply("hi", key="k1")
    assert "waiting_since" not in entry(asked)
    asked.hub.drain()
    found = entry(asked)
    assert found["waiting_since"] == since
    assert found["failed"] == {
        "channel": "tower",
        "agent": "dana",
        "part": "k1",
        "state": "failed",
        "reason": "this raven is blocked there",
        "code": "blocked",
        "attempts": 1,
    }
    assert asked.hub.queue("acme", waiting=True) == [found]


def test_another_answer_ends_it(asked: Roost) -> None:
    asked.sky.blocked.add("dm-kerry")
    asked.reply("hi")
    asked.hub.drain()
    asked.sky.blocked.clear()
    asked.clock.forward(minutes=1)
    asked.reply("hi again")
    asked.hub.drain()
    assert not {"waiting_since", "failed"} & entry(asked).keys()


def test_what_was_answered_before_stays_answered(asked: Roost) -> None:
    asked.clock.forward(minutes=1)
    asked.reply("yes?")
    asked.hub.drain()
    asked.clock.forward(minutes=1)
    asked.hear(message(2, "one more thing", at=asked.clock.now))
    since = entry(asked)["waiting_since"]
    asked.clock.forward(minutes=1)
    asked.sky.blocked.add("dm-kerry")
    asked.reply("sure")
    asked.hub.drain()
    assert entry(asked)["waiting_since"] == since


def test_an_answer_that_nobody_waited_for_makes_nobody_wait(asked: Roost) -> None:
    asked.reply("hi")
    asked.hub.drain()
    asked.clock.forward(minutes=1)
    asked.sky.blocked.add("dm-kerry")
    asked.reply("and by the way")
    asked.hub.drain()
    assert "waiting_since" not in entry(asked)
    assert entry(asked)["failed"]["reason"] == "this raven is blocked there"


def test_half_an_answer_is_none(asked: Roost) -> None:
    since = entry(asked)["waiting_since"]
    asked.reply("word " * 60)
    take, taken = asked.sky.take, list[Any]()

    def second_refused(content: dict[str, str]) -> httpx.Response:
        taken.append(content)
        return take(content) if len(taken) == 1 else httpx.Response(400, text="no")

    asked.sky.take = second_refused  # type: ignore[method-assign]
    asked.hub.drain()
    assert asked.states() == ["sent", "failed"]
    assert entry(asked)["waiting_since"] == since


def test_tried_again_nobody_waits_and_failed_again_somebody_does(asked: Roost) -> None:
    asked.sky.blocked.add("dm-kerry")
    asked.reply("hi", key="k1")
    asked.hub.drain()
    asked.hub.settle("acme", "k1", "queued", agent="dana")
    assert not {"waiting_since", "failed"} & entry(asked).keys()
    asked.hub.drain()
    assert {"waiting_since", "failed"} <= entry(asked).keys()
    asked.hub.settle("acme", "k1", "sent", agent="dana")
    assert not {"waiting_since", "failed"} & entry(asked).keys()


def test_a_doubtful_answer_makes_nobody_wait_until_a_person_says_that_it_failed(asked: Roost) -> None:
    asked.reopen(settling("none"))
    asked.sky.faults.drop = 1
    asked.reply("hi", key="k1")
    asked.hub.drain()
    assert "waiting_since" not in entry(asked)
    asked.hub.settle("acme", "k1", "failed", agent="dana")
    assert {"waiting_since", "failed"} <= entry(asked).keys()


def test_a_resolved_matter_is_open_again(asked: Roost) -> None:
    conversation = asked.conversation()
    asked.sky.blocked.add("dm-kerry")
    asked.reply("hi")
    asked.clock.forward(minutes=1)
    asked.hub.resolve("acme", conversation, agent="dana")
    asked.hub.drain()
    assert {"waiting_since", "failed"} <= entry(asked).keys()
    assert asked.log("conversation.reopened")[-1]["data"] == {"by": "failed answer"}


def test_what_was_resolved_without_a_word_is_not_waited_for_again(asked: Roost) -> None:
    asked.clock.forward(minutes=1)
    asked.hub.resolve("acme", asked.conversation(), agent="dana")
    asked.clock.forward(minutes=1)
    asked.hear(message(2, "something else", at=asked.clock.now))
    since = entry(asked)["waiting_since"]
    asked.sky.blocked.add("dm-kerry")
    asked.reply("hi")
    asked.hub.drain()
    assert entry(asked)["waiting_since"] == since


def test_a_private_answer_to_a_public_word_that_fails_leaves_it_waiting(roost: Roost) -> None:
    roost.hear(message(1, "hello all", at=roost.clock.now, visibility="public"))
    since = entry(roost)["waiting_since"]
    roost.sky.blocked.add("dm-kerry")
    roost.reply("hi", private=True)
    assert "waiting_since" not in entry(roost)
    roost.hub.drain()
    assert (entry(roost)["waiting_since"], entry(roost)["failed"]["state"]) == (since, "failed")


def test_the_reply_window_that_closed_is_in_the_queue(asked: Roost) -> None:
    asked.reply("hi")
    stop_the_clock_at(asked, 48, 1)
    asked.hub.drain()
    assert entry(asked)["failed"]["reason"] == CLOSED
    assert "waiting_since" in entry(asked)


# what the network takes back


@pytest.mark.parametrize("early", [False, True])
def test_what_the_network_took_and_did_not_deliver_is_no_answer(asked: Roost, early: bool) -> None:
    """Also if it says so before its answer to our call is there."""
    asked.reply("hi", key="k1")
    if not early:
        asked.hub.drain()
    asked.hear(delivered("raven-1", "failed", 3700))
    asked.hub.drain()
    assert asked.states() == ["failed"]
    assert "waiting_since" in entry(asked)
    assert entry(asked)["failed"]["state"] == "failed"
    assert [one["data"]["state"] for one in asked.log("delivery.updated")] == ["sent", "failed"]
    asked.hear(delivered("raven-1", "sent", 3600))  # late, and no news
    assert asked.states() == ["failed"]


def test_it_may_be_sent_again(asked: Roost) -> None:
    asked.reply("hi", key="k1")
    asked.hub.drain()
    asked.hear(delivered("raven-1", "failed", 3700))
    asked.hub.settle("acme", "k1", "queued", agent="dana")
    asked.hub.drain()
    assert asked.states() == ["sent"]
    assert asked.sky.texts() == ["hi", "hi"]
    assert not {"waiting_since", "failed"} & entry(asked).keys()


def test_what_arrived_after_all_is_an_answer(asked: Roost) -> None:
    asked.reply("hi", key="k1")
    asked.hub.drain()
    asked.hear(delivered("raven-1", "failed", 3700), delivered("raven-1", "delivered", 3800))
    assert asked.states() == ["delivered"]
    assert not {"waiting_since", "failed"} & entry(asked).keys()


def test_what_was_delivered_has_not_failed(asked: Roost) -> None:
    asked.reply("hi", key="k1")
    asked.hub.drain()
    asked.hear(delivered("raven-1", "delivered", 3800), delivered("raven-1", "failed", 3700))
    assert asked.states() == ["delivered"]
    assert not {"waiting_since", "failed"} & entry(asked).keys()
