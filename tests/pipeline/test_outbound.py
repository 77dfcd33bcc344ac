"""A send has four ends: sent, failed, retry later, uncertain. Nothing is doubled, nothing vanishes."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest
from raven import Raven, Roost, message, settling

from socialsupport_core.contract import Draft, Flow, Refusal, Uncertain
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.model import Intent, Receipt
from socialsupport_core.store import Tx, micros
from socialsupport_core.store import outbox as table


@pytest.fixture
def asked(roost: Roost) -> Roost:
    """Kerry has asked something."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    return roost


def outbox(roost: Roost) -> dict[str, int]:
    found: dict[str, int] = roost.hub.health()["outbox"]
    return found


# the four ends


def test_sent(asked: Roost) -> None:
    shown = asked.reply("**hi**", key="k1")
    assert [part["state"] for part in shown["parts"]] == ["queued"]
    assert asked.states() == ["queued"]
    asked.hub.drain()
    assert asked.states() == ["sent"]
    assert asked.sky.messages == [{"thread": "dm-kerry", "text": "hi", "key": "k1", "id": "raven-1"}]
    assert "waiting_since" not in asked.hub.queue("acme")[0]


@pytest.mark.parametrize(("fault", "wait"), [("rate_limit", 1), ("unavailable", 60)])
def test_later_and_then_sent(asked: Roost, fault: str, wait: int) -> None:
    setattr(asked.sky.faults, fault, 2)
    asked.reply("hi")
    for _ in range(2):
        asked.hub.drain()
        assert asked.states() == ["retrying"]
        assert asked.sky.messages == []
        asked.clock.forward(seconds=wait)
    asked.hub.drain()
    assert asked.states() == ["sent"]
    assert asked.sky.texts() == ["hi"]


def test_retry_after_is_honoured_to_the_second(asked: Roost) -> None:
    asked.sky.rate_limited = lambda request: httpx.Response(429, headers={"retry-after": "90"})  # type: ignore[method-assign]
    asked.sky.faults.rate_limit = 1
    asked.reply("hi")
    asked.hub.drain()
    asked.clock.forward(seconds=89)
    asked.hub.drain()
    assert asked.sky.messages == []
    asked.clock.forward(seconds=2)
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]


def test_given_up_after_a_day(asked: Roost) -> None:
    asked.sky.faults.unavailable = 1000
    asked.reply("hi")
    for _ in range(60):
        asked.hub.drain()
        asked.clock.forward(hours=1)
        if asked.states() == ["failed"]:
            break
    assert asked.states() == ["failed"]
    assert len(asked.sky.calls) <= 60
    (last,) = [one for one in asked.log("delivery.updated") if one["data"]["state"] == "failed"]
    assert "503" in last["data"]["reason"]


def test_failed_at_once_and_says_why(asked: Roost) -> None:
    asked.sky.blocked.add("dm-kerry")
    asked.reply("hi")
    asked.hub.drain()
    assert asked.states() == ["failed"]
    (event,) = [one for one in asked.log("delivery.updated") if one["data"]["state"] == "failed"]
    assert (event["data"]["code"], event["data"]["reason"]) == ("blocked", "this raven is blocked there")
    asked.clock.forward(days=2)
    asked.hub.drain()
    assert len(asked.sky.calls) == 1


@pytest.mark.parametrize("trouble", ["cut", "500", "502", "504", "nonsense", "empty"])
def test_uncertain_is_shown_and_never_sent_again(asked: Roost, trouble: str) -> None:
    answers: dict[str, Callable[[], httpx.Response]] = {
        "nonsense": lambda: httpx.Response(200, text="<html>"),
        "empty": lambda: httpx.Response(200, json={}),
    }
    take = asked.sky.take

    def taken(content: dict[str, str]) -> httpx.Response:
        take(content)
        return answers[trouble]() if trouble in answers else httpx.Response(int(trouble))

    if trouble == "cut":
        asked.sky.faults.drop = 1
    else:
        asked.sky.take = taken  # type: ignore[method-assign]
    asked.reply("hi")
    asked.hub.drain()
    assert asked.states() == ["uncertain"]
    (event,) = asked.log("intent.uncertain")
    assert event["data"]["reason"]
    for _ in range(5):
        asked.clock.forward(hours=30)
        asked.hub.drain()
    assert asked.sky.texts() == ["hi"]
    assert asked.states() == ["uncertain"]


def test_a_connection_that_never_was_is_tried_again(asked: Roost) -> None:
    def refuse(request: httpx.Request) -> None:
        asked.sky.before = lambda request: None
        raise httpx.ConnectError("refused", request=request)

    asked.sky.before = refuse
    asked.reply("hi")
    asked.hub.drain()
    assert asked.states() == ["retrying"]
    asked.clock.forward(seconds=10)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


# what settles a doubtful send


def uncertain(roost: Roost) -> str:
    roost.sky.faults.drop = 1
    key: str = roost.reply("hi", key="k1")["parts"][0]["key"]
    roost.hub.drain()
    assert roost.states() == ["uncertain"]
    return key


@pytest.mark.parametrize(("verdict", "texts"), [("sent", ["hi"]), ("failed", ["hi"]), ("queued", ["hi", "hi"])])
def test_a_person_settles_it(asked: Roost, verdict: Any, texts: list[str]) -> None:
    part = uncertain(asked)
    asked.hub.settle("acme", part, verdict, agent="dana")
    asked.hub.drain()
    assert asked.states() == ["failed" if verdict == "failed" else "sent"]
    assert asked.sky.texts() == texts
    assert asked.log("delivery.updated")[0]["data"]["agent"] == "dana"


def test_a_person_settles_only_what_is_in_doubt(asked: Roost) -> None:
    part = uncertain(asked)
    with pytest.raises(ReplyRefused):
        asked.hub.settle("rival", part, "queued", agent="dana")
    asked.hub.settle("acme", part, "sent", agent="dana")
    with pytest.raises(ReplyRefused):
        asked.hub.settle("acme", part, "queued", agent="dana")
    with pytest.raises(ValueError, match="no verdict"):
        asked.hub.settle("acme", part, "sending", agent="dana")
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]


def test_a_network_that_knows_our_key_is_asked_again(asked: Roost) -> None:
    asked.reopen(settling("native_key"))
    asked.sky.forgets_keys = False
    asked.sky.faults.drop = 1
    asked.reply("hi")
    asked.hub.drain()
    assert asked.states() == ["retrying"]
    asked.clock.forward(minutes=1)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


@pytest.mark.parametrize("lost", [False, True])
def test_a_network_that_can_be_looked_into_settles_it(asked: Roost, lost: bool) -> None:
    """Dropped after it was done, or before: the look-up tells which."""
    asked.reopen(settling("lookup"))

    def cut(request: httpx.Request) -> None:
        if request.method == "POST":
            asked.sky.before = lambda request: None
            raise httpx.ReadError("cut before anything was done", request=request)

    if lost:
        asked.sky.before = cut
    else:
        asked.sky.faults.drop = 1
    asked.reply("hi")
    asked.hub.drain()
    asked.clock.forward(minutes=1)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_a_network_whose_clock_is_behind_is_looked_into_too(asked: Roost) -> None:
    """What it has taken from us it may date some minutes before we asked."""
    since: list[datetime] = []

    class Recalling(settling("lookup")):  # type: ignore[misc]
        def lookup(self, intent: Intent, since_: datetime) -> Flow[Receipt | None]:
            since.append(since_)
            return (yield from super().lookup(intent, since_))

    asked.reopen(Recalling)
    asked.sky.faults.drop = 1
    asked.reply("hi")
    begun = asked.clock.now
    asked.hub.drain()
    assert [(begun - one).total_seconds() for one in since] == [pytest.approx(600)]


def test_a_look_up_that_fails_leaves_it_uncertain(asked: Roost) -> None:
    class Blind(settling("lookup")):  # type: ignore[misc]
        def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
            raise ZeroDivisionError

    asked.reopen(Blind)
    uncertain(asked)
    assert asked.sky.texts() == ["hi"]


def unanswered(asked: Roost) -> list[int]:
    """Drops the call after it was done; look-ups are not answered as long as the list holds something."""
    left = [1]

    def before(request: httpx.Request) -> None:
        if request.method == "GET" and left:
            raise httpx.ConnectError("nobody is there", request=request)

    asked.reopen(settling("lookup"))
    asked.sky.faults.drop = 1
    asked.sky.before = before
    asked.reply("hi")
    asked.hub.drain()
    return left


def test_a_look_up_that_is_not_answered_is_asked_again_and_nothing_is_sent_before(asked: Roost) -> None:
    left = unanswered(asked)
    for _ in range(3):
        assert (asked.states(), asked.sky.texts()) == (["retrying"], ["hi"])
        asked.clock.forward(minutes=5)
        asked.hub.drain()
    left.clear()
    asked.clock.forward(minutes=30)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_a_look_up_that_is_never_answered_is_a_question_to_a_person(asked: Roost) -> None:
    unanswered(asked)
    asked.clock.forward(hours=2)
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["uncertain"], ["hi"])


# order


def test_a_thread_keeps_its_order(asked: Roost) -> None:
    asked.sky.faults.unavailable = 1
    for text in ("one", "two", "three"):
        asked.reply(text)
    asked.hub.drain()
    assert asked.sky.messages == []
    assert asked.states() == ["retrying", "queued", "queued"]
    asked.clock.forward(seconds=10)
    asked.hub.drain()
    assert asked.sky.texts() == ["one", "two", "three"]


def test_a_long_answer_goes_out_in_parts_and_in_order(asked: Roost) -> None:
    words = [f"word{n:03}" for n in range(60)]
    shown = asked.reply(" ".join(words), key="long")
    assert len(shown["parts"]) > 2
    asked.hub.drain()
    assert " ".join(asked.sky.texts()).split() == words
    assert asked.states() == ["sent"] * len(shown["parts"])
    assert [one["interaction"]["text"] for one in asked.timeline()[1:]] == asked.sky.texts()


def test_one_thread_in_trouble_holds_nobody_else_up(asked: Roost) -> None:
    asked.hear(message(2, "me too", "robin", at=asked.clock.now))

    def only_kerry(request: httpx.Request) -> None:
        if b"dm-kerry" in request.read():
            raise httpx.ConnectError("no", request=request)

    asked.sky.before = only_kerry
    asked.reply("to kerry")
    asked.reply("to robin", "robin")
    asked.hub.drain()
    assert asked.sky.texts() == ["to robin"]


def test_calls_that_hang_hold_nobody_else_up(asked: Roost) -> None:
    """More of them than are sent at once, so that no slot is left to chance."""
    released, entered = threading.Event(), []

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if b"slow" in await request.aread():
                entered.append(request)
                await asyncio.to_thread(released.wait)
            return asked.sky.handle(request)

    asked.options["transport"] = Slow()
    asked.reopen()
    hub = asked.hub
    hub.add_channel("acme", "other", "raven", {"secret": "other-secret"})
    for n in range(12):
        asked.deliver(message(f"s{n}", "help", f"slow{n}", at=asked.clock.now))
        asked.hub.workers.record_waiting()
        asked.reply("hi", f"slow{n}")
    hub.start()
    try:
        wait_for(lambda: len(entered) > 3)
        door = hub.list_channels("acme")[0]["door"].rsplit("/", 1)[1]
        hub.receive(
            door, asked.payload(message("q1", "quick?", "quick", at=asked.clock.now), secret="other-secret")
        ).result()
        wait_for(lambda: bool(hub.find_customers("acme", "quick")))
        started = time.monotonic()
        asked.reply("quick!", "quick")
        wait_for(lambda: asked.states("quick") == ["sent"])
        assert time.monotonic() - started < 3
    finally:
        released.set()
        hub.close()
    assert len(asked.sky.messages) >= 5


def wait_for(true: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


# once


def test_the_same_key_twice_is_one_reply(asked: Roost) -> None:
    first = asked.reply("hi", key="order-17")
    asked.hub.drain()
    again = asked.reply("hi", key="order-17")
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]
    assert [one["key"] for one in again["parts"]] == [one["key"] for one in first["parts"]]
    assert again["parts"][0]["state"] == "sent"


@pytest.mark.parametrize("keys", [("a/2", "a"), ("a", "a/1"), ("a/1", "a"), ("k" * 127, "k" * 128)])
def test_keys_that_look_alike_are_two_replies(asked: Roost, keys: tuple[str, str]) -> None:
    long = " ".join(f"word{n:03}" for n in range(40))
    parts = [len(asked.reply(f"{key[-3:]} {long}", key=key)["parts"]) for key in keys]
    asked.hub.drain()
    assert len(asked.sky.messages) == sum(parts)


def test_a_key_is_not_taken_twice_for_different_things(asked: Roost) -> None:
    asked.hear(message(2, "me too", "robin", at=asked.clock.now))
    asked.reply("hi", key="k1")
    with pytest.raises(ReplyRefused, match="k1"):
        asked.reply("something else", key="k1")
    with pytest.raises(ReplyRefused, match="k1"):
        asked.reply("hi", "robin", key="k1")
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]


def test_a_key_is_not_taken_twice_for_different_files(asked: Roost) -> None:
    file = {"media_type": "image/png", "name": "x.png", "size": 1}
    asked.reply("see there", key="k1", attachments=[file | {"blob": "a" * 64}])
    with pytest.raises(ReplyRefused, match="k1"):
        asked.reply("see there", key="k1", attachments=[file | {"blob": "b" * 64}])


def test_eight_threads_with_one_key_send_once(asked: Roost) -> None:
    threads = [threading.Thread(target=lambda: asked.reply("hi", key="k1")) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]


# a crash while sending


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("how", ["none", "native_key", "lookup"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_while_sending_doubles_nothing_and_loses_nothing(asked: Roost, how: Any, when: str) -> None:
    """Killed when the request was noted but not made, or when it was made and not answered."""
    asked.reopen(settling(how))
    asked.sky.forgets_keys = how != "native_key"

    def die(request: httpx.Request) -> None:
        asked.sky.before = lambda request: None
        if when == "after":
            asked.sky.respond(request)
        raise Killed

    asked.sky.before = die
    asked.reply("hi")
    with pytest.raises(Killed):
        asked.hub.drain()
    assert outbox(asked) == {"sending": 1}

    asked.reopen(settling(how))
    asked.hub.start()
    asked.clock.forward(minutes=1)
    wait_for(lambda: asked.states()[0] in {"sent", "uncertain", "retrying"} and "sending" not in outbox(asked))
    for _ in range(3):
        asked.clock.forward(minutes=5)
        asked.hub.bell.ring()
        time.sleep(0.05)
    asked.hub.workers.stop()
    if how == "none":
        assert (asked.states(), len(asked.sky.messages)) == (["uncertain"], int(when == "after"))
    else:
        assert (asked.states(), asked.sky.texts()) == (["sent"], ["hi"])


def test_a_crash_after_a_doubtful_answer_does_not_ask_again(asked: Roost) -> None:
    class Dying(Raven):
        def send(self, intent: Intent) -> Flow[Receipt]:
            try:
                return (yield from super().send(intent))
            except Uncertain:
                raise Killed from None

    def taken(content: dict[str, str]) -> httpx.Response:
        take(content)
        return httpx.Response(500)

    take, asked.sky.take = asked.sky.take, taken  # type: ignore[method-assign]
    asked.reopen(Dying)
    asked.reply("hi")
    with pytest.raises(Killed):
        asked.hub.drain()
    asked.reopen()
    asked.hub.start()
    asked.clock.forward(minutes=1)
    wait_for(lambda: asked.states() == ["uncertain"])
    asked.hub.workers.stop()
    assert asked.sky.texts() == ["hi"]


def test_a_crash_between_claim_and_request_just_goes_on(asked: Roost) -> None:
    asked.reply("hi")

    def claim(tx: Tx) -> int:
        return len(table.claim(tx, micros(asked.clock.now) + 1000, 8))

    assert asked.hub._database.do(claim) == 1
    asked.reopen()
    asked.hub.start()
    asked.clock.forward(minutes=1)
    wait_for(lambda: asked.states() == ["sent"])
    asked.hub.workers.stop()
    assert asked.sky.texts() == ["hi"]


# what may not be said


@pytest.fixture
def public(roost: Roost) -> Roost:
    roost.hear(message(1, "hello there", visibility="public", at=roost.clock.now))
    return roost


@pytest.mark.parametrize(
    "secret", ["+44 20 7946 0958", "kerry@acme.example", "4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00"]
)
@pytest.mark.parametrize("where", ["text", "choices", "attachments"])
def test_a_private_thing_never_goes_out_in_public(public: Roost, secret: str, where: str) -> None:
    how: dict[str, Any] = {
        "text": {},
        "choices": {"choices": [{"title": secret, "value": "v"}]},
        "attachments": {"attachments": [{"media_type": "image/png", "blob": "0" * 64, "text": secret}]},
    }[where]
    text = f"write to {secret}" if where == "text" else "see below"
    conversation = public.conversation()
    plan = public.hub.plan("acme", conversation, text, agent="dana", **how)
    assert not plan["possible"]
    (refusal,) = plan["refusals"]
    assert refusal["rule"] == "no_personal_data_in_public"
    assert "private" in refusal["remedy"]
    with pytest.raises(ReplyRefused) as refused:
        public.reply(text, **how)
    assert refused.value.refusals[0].rule == "no_personal_data_in_public"
    public.hub.drain()
    assert public.sky.calls == []
    assert outbox(public) == {}


def test_the_same_may_be_said_in_private(asked: Roost) -> None:
    asked.reply("write to kerry@acme.example")
    asked.hub.drain()
    assert asked.sky.texts() == ["write to kerry@acme.example"]


def test_what_opens_a_private_thread_is_private(public: Roost) -> None:
    public.reply("write to kerry@acme.example", private=True)
    public.hub.drain()
    assert public.sky.messages[0]["thread"] == "dm-kerry"
    legs = public.hub.conversation("acme", public.conversation())["legs"]
    assert [(leg["visibility"], leg["rule"]) for leg in legs] == [("public", "new"), ("private", "open_private")]
    public.hear(message(9, "thanks", at=public.clock.now))
    assert len(public.hub.queue("acme")) == 1


@pytest.mark.parametrize("first", ["kerry", "owl"])
def test_a_private_thread_is_found_though_the_conversation_became_one_with_another(roost: Roost, first: str) -> None:
    """Between what is said and its being sent; and though both accounts have spoken in the same public thread."""
    for name in sorted(["kerry", "owl"], key=lambda one: one != first):
        roost.clock.forward(seconds=1)
        roost.hear(message(name, "hello there", name, visibility="public", at=roost.clock.now))
    roost.reply("Let us talk here.", private=True)
    roost.hub.link("acme", "raven.ring:kerry", "raven.ring:owl", agent="dana")
    roost.hub.drain()
    (one,) = roost.hub.queue("acme")
    legs = roost.hub.conversation("acme", one["id"])["legs"]
    assert [leg["account"] for leg in legs if leg["visibility"] == "private"] == ["raven.ring:kerry"]
    assert "Let us talk here." in roost.texts()


def test_a_policy_that_fails_refuses(asked: Roost) -> None:
    def broken(draft: Draft) -> Refusal | None:
        raise RuntimeError("no rules today")

    asked.options["policies"] = (broken,)
    asked.reopen()
    with pytest.raises(ReplyRefused, match="no rules today"):
        asked.reply("hi")
    asked.hub.drain()
    assert asked.sky.calls == []


def test_what_the_plan_forbids_is_not_sent(asked: Roost) -> None:
    asked.clock.forward(days=3)
    with pytest.raises(ReplyRefused, match="takes answers for 48 h") as refused:
        asked.reply("too late")
    assert refused.value.plan is not None
    assert [one.rule for one in refused.value.plan.obstacles] == ["reply_window"]
    with pytest.raises(ReplyRefused):
        asked.reply("   ")
    asked.hub.drain()
    assert asked.sky.calls == []


def test_an_internal_note_never_leaves(asked: Roost) -> None:
    asked.hub.note("acme", asked.conversation(), "he is a VIP", agent="dana")
    asked.hub.drain()
    assert asked.sky.calls == []
    assert [one["interaction"]["direction"] for one in asked.timeline()] == ["inbound", "internal"]


# broken plugins and channels


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, AssertionError, KeyError])
def test_a_connector_that_fails_before_it_asks_fails_alone(asked: Roost, error: type[BaseException]) -> None:
    class Broken(Raven):
        def send(self, intent: Intent) -> Flow[Receipt]:
            raise error("raven-token-1 is broken")

    asked.hear(message(2, "me too", "robin", at=asked.clock.now))
    asked.reopen(Broken)
    asked.reply("hi")
    asked.reply("ho", "robin")
    asked.hub.drain()
    assert asked.states("kerry") == asked.states("robin") == ["failed"]
    assert "raven-token-1" not in str(asked.log("delivery.updated"))


def test_a_connector_that_fails_after_it_asked_is_uncertain(asked: Roost) -> None:
    class Broken(Raven):
        def send(self, intent: Intent) -> Flow[Receipt]:
            yield from super().send(intent)
            raise RuntimeError("after the fact with raven-token-1")

    asked.reopen(Broken)
    asked.reply("hi")
    asked.hub.drain()
    assert asked.states() == ["uncertain"]
    assert "raven-token-1" not in str(asked.log("intent.uncertain"))


def test_a_paused_channel_sends_nothing_until_it_goes_on(asked: Roost) -> None:
    asked.hub.set_channel_state("acme", "tower", "paused", "holiday")
    asked.reply("hi")
    asked.hub.drain()
    assert asked.sky.calls == []
    asked.hub.set_channel_state("acme", "tower", "active")
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]


def test_a_token_that_expires_turns_the_channel_and_back(asked: Roost) -> None:
    asked.sky.faults.expire = 1
    asked.reply("hi")
    asked.hub.drain()
    assert (asked.states(), asked.hub.health()["status"]) == (["retrying"], "degraded")
    asked.clock.forward(minutes=1)
    asked.hub.drain()
    assert (asked.states(), asked.hub.health()["status"]) == (["sent"], "ok")
    assert [one["data"]["state"] for one in asked.log("channel.changed")] == ["failing", "active"]


def test_a_channel_that_is_gone_fails_its_parts_with_the_reason(asked: Roost) -> None:
    asked.reply("hi")
    asked.hub.remove_channel("acme", "tower")
    asked.hub.drain()
    assert asked.states() == ["failed"]
    assert "no channel" in str(asked.log("delivery.updated"))


def test_a_long_backlog_of_one_thread_is_one_seek_for_everybody_else(roost: Roost) -> None:
    """Only the first of a thread is ever looked at; whoever waits behind it costs nothing."""
    roost.hear(message(1, "hello"), message(2, "me too", "robin"))
    for number in range(30):
        roost.reply(f"to kerry {number}")
    roost.reply("to robin", "robin")
    ready = roost.hub._database.read(
        lambda tx: [row["n"] for row in tx.all("SELECT number AS n FROM outbox WHERE ready = 1")]
    )
    assert len(ready) == 2
    roost.hub.drain()
    assert [text for text in roost.sky.texts() if "kerry" in text] == [f"to kerry {number}" for number in range(30)]
    assert "to robin" in roost.sky.texts()[:2]
    assert not roost.hub._database.read(lambda tx: tx.all("SELECT 1 FROM outbox WHERE ready = 1"))


def test_a_part_that_a_person_sends_again_goes_before_those_that_wait(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.sky.blocked.add("dm-kerry")
    first = roost.reply("one")["parts"][0]["key"]
    roost.hub.drain()
    assert roost.states() == ["failed"]
    roost.sky.blocked.clear()
    roost.reply("two")
    roost.hub.settle("acme", first, "queued", agent="dana")
    roost.hub.drain()
    assert roost.sky.texts() == ["one", "two"]


def test_a_round_that_fails_is_not_the_last_one(
    asked: Roost, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tend, failing = asked.hub.workers._tend, [RuntimeError("a mistake of ours")]

    def tended(pollers: Any) -> None:
        if failing:
            raise failing.pop()
        tend(pollers)

    monkeypatch.setattr(asked.hub.workers, "_tend", tended)
    asked.reply("hi")
    asked.hub.start()
    deadline = time.monotonic() + 20
    while asked.states() != ["sent"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert "a round of sending failed" in caplog.text
