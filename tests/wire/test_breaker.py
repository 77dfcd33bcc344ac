"""A host that does not answer is left alone, asked once in a while, and used again when it answers."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from raven import Clock, Raven, RavenSettings, Roost, message

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Flow,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
)
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, PROBE, SECOND, Breaker, NotAnswering

NOW = 10**15
DOWN = Unavailable("down")


def broken(failures: int = FAILURES) -> Breaker:
    breaker = Breaker()
    for _ in range(failures):
        assert breaker.wait(NOW) == 0
        breaker.note(DOWN, NOW)
    return breaker


def test_it_opens_after_so_many_in_a_row_and_no_sooner() -> None:
    assert broken(FAILURES - 1).wait(NOW) == 0
    assert broken().wait(NOW) == FIRST_PAUSE


@pytest.mark.parametrize(
    "answer", [None, RateLimited("slowly"), AuthExpired("who?"), ContentRejected("no"), Unreachable("gone")]
)
def test_any_answer_starts_the_count_anew(answer: DeliveryError | None) -> None:
    breaker = broken(FAILURES - 1)
    breaker.note(answer, NOW)
    for _ in range(FAILURES - 1):
        breaker.note(DOWN, NOW)
    assert breaker.wait(NOW) == 0


def test_a_doubtful_call_neither_counts_nor_clears() -> None:
    breaker = broken(FAILURES - 1)
    for _ in range(10):
        breaker.note(Uncertain("cut"), NOW)
    assert breaker.wait(NOW) == 0
    breaker.note(DOWN, NOW)
    assert breaker.wait(NOW) > 0


def test_one_probe_goes_through_and_closes_it() -> None:
    breaker, then = broken(), NOW + FIRST_PAUSE
    assert breaker.wait(then) == 0
    assert breaker.wait(then) == PROBE  # somebody else has the probe
    breaker.note(None, then)
    assert [breaker.wait(then) for _ in range(3)] == [0, 0, 0]
    breaker.note(DOWN, then)
    assert breaker.wait(then) == 0  # it counts from the beginning


@pytest.mark.parametrize("failed", [DOWN, Uncertain("cut")])
def test_each_probe_that_fails_doubles_the_pause(failed: DeliveryError) -> None:
    breaker, now, pauses = broken(), NOW, []
    for _ in range(10):
        pause = breaker.wait(now)
        pauses.append(pause)
        now += pause
        assert breaker.wait(now) == 0
        breaker.note(failed, now)
    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(10)]


def test_late_failures_of_earlier_calls_do_not_prolong_it() -> None:
    """Sixty were under way when it opened."""
    breaker = broken()
    for _ in range(60):
        breaker.note(DOWN, NOW)
    assert breaker.wait(NOW) == FIRST_PAUSE


def test_a_probe_of_which_nothing_is_heard_is_followed_by_another() -> None:
    breaker, then = broken(), NOW + FIRST_PAUSE
    assert breaker.wait(then) == 0
    assert breaker.wait(then + PROBE) == 0


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it() -> None:
    assert broken().wait(NOW - 3600 * SECOND) <= max(LONGEST_PAUSE, PROBE)


class Host:
    """Answers as it is told, and counts."""

    def __init__(self) -> None:
        self.status, self.calls, self.clock = 503, 0, Clock()
        self.wire = NetworkWire(transport=httpx.MockTransport(self.answer), clock=self.clock)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        return httpx.Response(self.status)

    def call(self, url: str = "https://api.raven.example/x") -> DeliveryError | None:
        def flow() -> Flow[None]:
            yield httpx.Request("POST", url)

        class Twofold(Raven):
            @property
            def hosts(self) -> frozenset[str]:
                return frozenset({"api.raven.example", "files.raven.example"})

        try:
            asyncio.run(self.wire.run(flow(), Twofold(RavenSettings())))
        except DeliveryError as error:
            return error
        return None


def test_no_call_reaches_a_host_that_is_down() -> None:
    host = Host()
    for _ in range(20):
        assert isinstance(host.call(), Unavailable)
    assert host.calls == FAILURES
    told = host.call()
    assert isinstance(told, NotAnswering)
    assert told.retry_after == FIRST_PAUSE / SECOND
    assert "api.raven.example has not answered 5 calls in a row" in str(told)

    assert not isinstance(host.call("https://files.raven.example/x"), NotAnswering)
    host.status = 200
    assert isinstance(host.call(), NotAnswering)
    host.clock.now += timedelta(microseconds=FIRST_PAUSE)
    assert [host.call() for _ in range(3)] == [None, None, None]


@pytest.fixture
def asked(roost: Roost) -> Roost:
    for number, name in enumerate(("kerry", "lee", "max", "nia", "ola", "pat", "quin")):
        roost.hear(message(number, "hello", name, at=roost.clock.now))
    return roost


def test_the_channel_says_so_once_and_everything_arrives_in_the_end(asked: Roost) -> None:
    names = ("kerry", "lee", "max", "nia", "ola", "pat", "quin")
    asked.sky.faults.unavailable = 10_000
    for name in names:
        asked.reply("hi", name)
    for _ in range(30):
        asked.hub.drain()
        asked.clock.forward(seconds=1)
    assert len(asked.sky.calls) < 15
    (shown,) = asked.hub.list_channels("acme")
    assert shown["state"] == "failing"
    assert "has not answered" in shown["reason"]
    assert [one["data"]["state"] for one in asked.log("channel.changed")] == ["failing"]

    asked.sky.faults.unavailable = 0
    for _ in range(20):
        asked.clock.forward(minutes=2)
        asked.hub.drain()
    assert [asked.states(name) for name in names] == [["sent"]] * len(names)
    assert sorted(asked.sky.texts()) == ["hi"] * len(names)
    assert asked.hub.list_channels("acme")[0]["state"] == "active"


def test_another_credential_of_the_same_host_goes_on(asked: Roost) -> None:
    """The breaker is of one credential: what the network closes to one account it leaves open to others."""
    asked.hub.add_channel("rival", "tower", "raven", {"token": "another-token"}, mode="webhook")
    asked.hear(message(90, "hello", "kerry", at=asked.clock.now), tenant="rival")
    fail: Callable[[httpx.Request], httpx.Response] = lambda request: httpx.Response(503)  # noqa: E731
    respond = asked.sky.respond
    asked.sky.respond = lambda request: (  # type: ignore[method-assign]
        respond(request) if "another-token" in request.headers["authorization"] else fail(request)
    )
    for name in ("kerry", "lee", "max", "nia", "ola", "pat"):
        asked.reply("hi", name)
    for _ in range(3):
        asked.hub.drain()
        asked.clock.forward(seconds=3)
    assert "has not answered" in asked.hub.list_channels("acme")[0]["reason"]
    conversation = asked.conversation(tenant="rival")
    asked.hub.reply("rival", conversation, "hi", agent="dana")
    asked.hub.drain()
    assert asked.sky.texts() == ["hi"]
    assert asked.hub.list_channels("rival")[0]["state"] == "active"
