"""A send that goes on after an end in its midst repeats no step, whatever its flow has made of a refusal."""

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import pytest
from raven import Raven, Roost, message

from socialsupport_core.contract import DeliveryError, Flow, Unavailable, Unreachable, Wait
from socialsupport_core.model import Intent, Receipt
from socialsupport_core.store import outbox


class Killed(BaseException):
    """The process ends here."""


class Steps(Raven):
    """Its sends are what the test says."""

    flow: ClassVar[Callable[["Steps", Intent], Flow[Receipt]]]

    def send(self, intent: Intent) -> Flow[Receipt]:
        return type(self).flow(self, intent)

    def post(self, text: str) -> httpx.Request:
        return self.ask("POST", "/messages", json={"thread": text, "text": text, "key": text})


def steps(flow: Callable[[Steps, Intent], Flow[Receipt]]) -> type[Steps]:
    return type("Steps", (Steps,), {"flow": flow})


@pytest.fixture
def asked(roost: Roost) -> Roost:
    roost.hear(message(1, "hello", at=roost.clock.now))
    return roost


def dying_at(roost: Roost, text: str, *, after: bool = False) -> None:
    """The process ends with the call for this text, before it is made or after it was carried out."""

    def die(request: httpx.Request) -> None:
        if request.method == "POST" and text.encode() in request.read():
            roost.sky.before = lambda request: None
            if after:
                roost.sky.respond(request)
            raise Killed

    roost.sky.before = die


def go_on(roost: Roost, connector: type[Raven]) -> None:
    roost.reopen(connector)
    roost.clock.forward(minutes=5)
    roost.hub.drain()


def with_a_fallback(self: Steps, intent: Intent) -> Flow[Receipt]:
    """What is refused is done in another way, and then comes more."""
    yield self.post("first")
    try:
        yield self.post("blocked")
    except Unreachable as error:
        if (error.code, str(error)) != ("blocked", "this raven is blocked there"):
            raise
    yield self.post("instead")
    response = yield self.post("last")
    return Receipt(native_id=response.json()["id"])


@pytest.mark.parametrize("still_blocked", [True, False])
@pytest.mark.parametrize("where", ["first", "instead", "last"])
def test_a_step_after_a_refusal_is_not_repeated(asked: Roost, where: str, still_blocked: bool) -> None:
    """Neither if the refused step would succeed by now: it has been replaced."""
    asked.reopen(steps(with_a_fallback))
    asked.sky.blocked.add("blocked")
    asked.reply("hi")
    dying_at(asked, where)
    with pytest.raises(Killed):
        asked.hub.drain()
    if not still_blocked:
        asked.sky.blocked.clear()
    go_on(asked, steps(with_a_fallback))
    texts = asked.sky.texts()
    assert len(texts) == len(set(texts))
    assert asked.states() == ["uncertain"]  # whether the last one was made nobody knows
    assert texts == ["first", "instead", "last"][: ["first", "instead", "last"].index(where)]


@pytest.mark.parametrize("still_blocked", [True, False])
def test_what_was_answered_after_a_refusal_is_replayed(asked: Roost, still_blocked: bool) -> None:
    """The last step is turned away for a while; those before it are not made again."""
    asked.reopen(steps(with_a_fallback))
    asked.sky.blocked.add("blocked")
    asked.reply("hi")

    def busy(request: httpx.Request) -> None:
        if b"last" in request.read():
            asked.sky.before = lambda request: None
            raise httpx.ConnectError("refused", request=request)

    asked.sky.before = busy
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["retrying"], ["first", "instead"])
    if not still_blocked:
        asked.sky.blocked.clear()
    calls = len(asked.sky.calls)
    go_on(asked, steps(with_a_fallback))
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["first", "instead", "last"])
    assert len(asked.sky.calls) == calls + 1


@pytest.mark.parametrize("trouble", [Unavailable, DeliveryError])
def test_a_call_that_was_never_made_is_a_refusal_too(asked: Roost, trouble: type[DeliveryError]) -> None:
    def flow(self: Steps, intent: Intent) -> Flow[Receipt]:
        try:
            yield self.post("first")
        except trouble:
            yield self.post("instead")
        response = yield self.post("last")
        return Receipt(native_id=response.json()["id"])

    def cut(request: httpx.Request) -> None:
        if b"first" in request.read():
            raise httpx.ConnectError("refused", request=request)
        if b"last" in request.read():
            asked.sky.before = lambda request: None
            raise httpx.ConnectError("refused", request=request)

    asked.reopen(steps(flow))
    asked.reply("hi")
    asked.sky.before = cut
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["retrying"], ["instead"])
    go_on(asked, steps(flow))
    assert (asked.states(), asked.sky.texts()) == (["sent"], ["instead", "last"])


def test_what_is_refused_at_the_end_is_tried_again(asked: Roost) -> None:
    """Nothing came after it, so nothing hangs on it."""
    asked.reopen(steps(with_a_fallback))
    asked.sky.faults.rate_limit = 1
    asked.reply("hi")
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["retrying"], [])
    go_on(asked, steps(with_a_fallback))
    assert asked.sky.texts() == ["first", "blocked", "instead", "last"]


def test_another_ask_in_the_place_of_a_doubtful_one_is_not_made(asked: Roost) -> None:
    """The connector is another by now: nobody knows what the old one has done."""

    def flow(self: Steps, intent: Intent) -> Flow[Receipt]:
        response = yield self.post("one")
        return Receipt(native_id=response.json()["id"])

    asked.reopen(steps(flow))
    asked.reply("hi")
    dying_at(asked, "one", after=True)
    with pytest.raises(Killed):
        asked.hub.drain()
    go_on(asked, steps(with_a_fallback))
    assert (asked.states(), asked.sky.texts()) == (["uncertain"], ["one"])


def test_no_secret_is_kept_with_a_refusal(asked: Roost) -> None:
    def flow(self: Steps, intent: Intent) -> Flow[Receipt]:
        try:
            yield self.post("first")
        except Unreachable:
            yield self.post("second")
        return Receipt()

    class Chatty(steps(flow)):  # type: ignore[misc]
        def failure(self, response: httpx.Response) -> DeliveryError | None:
            return Unreachable("not with raven-token-1") if b"blocked" in response.content else None

    asked.reopen(Chatty)
    asked.sky.blocked.add("first")
    asked.reply("hi")
    asked.hub.drain()
    kept = asked.hub._database.read(lambda tx: str([dict(row) for row in tx.all("SELECT * FROM asks")]))
    assert "refused" in kept
    assert "raven-token-1" not in kept


# a flow that waits


def waiting(self: Steps, intent: Intent) -> Flow[Receipt]:
    yield self.post("upload")
    yield Wait(90)
    yield Wait(0.01)
    yield Wait(30)
    response = yield self.post("publish")
    return Receipt(native_id=response.json()["id"])


def test_a_flow_that_waits_is_parked_and_anybody_goes_on_with_it(asked: Roost) -> None:
    asked.reopen(steps(waiting))
    asked.reply("hi")
    asked.hub.drain()
    assert (asked.states(), asked.sky.texts()) == (["retrying"], ["upload"])
    asked.reopen(steps(waiting))
    for seconds, texts in ((89, ["upload"]), (2, ["upload"]), (28, ["upload"]), (2, ["upload", "publish"])):
        asked.clock.forward(seconds=seconds)
        asked.hub.drain()
        assert asked.sky.texts() == texts
    assert asked.states() == ["sent"]
    assert len(asked.sky.calls) == 2


def test_a_wait_that_another_worker_takes_up_early_is_not_cut_short(asked: Roost) -> None:
    asked.reopen(steps(waiting))
    asked.reply("hi")
    asked.hub.drain()
    now = asked.hub._database.read(outbox.next_due)
    assert now is not None
    asked.hub._database.do(lambda tx: outbox.hurry(tx, "acme", "tower", 0))
    asked.hub.drain()
    assert asked.sky.texts() == ["upload"]
    assert asked.hub._database.read(outbox.next_due) == now


def test_nobody_sleeps_meanwhile(asked: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    really = asyncio.sleep

    async def sleep(seconds: float, *given: Any) -> None:
        slept.append(seconds)
        await really(0, *given)

    asked.reopen(steps(waiting))
    monkeypatch.setattr(asked.hub.wire, "_sleep", sleep)
    asked.reply("hi")
    for _ in range(3):
        asked.hub.drain()
        asked.clock.forward(minutes=2)
    assert asked.states() == ["sent"]
    assert set(slept) == {0.01}


def test_who_was_taken_for_dead_makes_no_further_step(asked: Roost) -> None:
    """While one waits for an answer, another takes the part over: the first goes no further and unsays nothing."""

    def two(self: Steps, intent: Intent) -> Flow[Receipt]:
        yield self.post("first")
        yield self.post("second")
        return Receipt(native_id="both")

    asked.reopen(steps(two))
    asked.reply("hi")

    def overtaken(request: httpx.Request) -> None:
        if b"first" in request.read():
            asked.sky.before = lambda request: None
            asked.hub._database.do(lambda tx: tx.run("UPDATE outbox SET attempts = attempts + 1"))

    asked.sky.before = overtaken
    asyncio.run(asked.hub.workers.send_due())
    assert asked.sky.texts() == ["first"]
    (part,) = asked.hub._database.read(lambda tx: outbox.in_state(tx, "sending"))  # its end is the other's to say
    known = asked.hub._database.read(lambda tx: outbox.asked(tx, part))
    assert [answer for _, answer in known.values()] == [None]  # what came of it is not for the first to note
