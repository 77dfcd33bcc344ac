"""A host that does not answer is left alone, asked once in a while, and used again when it answers."""

import asyncio
from collections.abc import Awaitable, Callable

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
from socialsupport_core.store import Database
from socialsupport_core.store.breakers import Breaker
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire.breaker import (
    FAILURES,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    PROBE,
    SECOND,
    NotAnswering,
    noted,
    probing,
    wait,
)

NOW = 10**15
DOWN = Unavailable("down")
ME = "host:1:1"


def after(*errors: DeliveryError | None, breaker: Breaker | None = None) -> Breaker | None:
    """What is left of it after calls that ended so."""
    for error in errors:
        breaker = noted(breaker, error, NOW, probe=False)
    return breaker


def broken() -> Breaker:
    found = after(*[DOWN] * FAILURES)
    assert found is not None
    return found


def test_it_opens_after_so_many_in_a_row_and_no_sooner() -> None:
    assert wait(None, NOW) == 0
    assert wait(after(*[DOWN] * (FAILURES - 1)), NOW) == 0
    assert wait(broken(), NOW) == FIRST_PAUSE


@pytest.mark.parametrize(
    "answer", [None, RateLimited("slowly"), AuthExpired("who?"), ContentRejected("no"), Unreachable("gone")]
)
def test_any_answer_starts_the_count_anew(answer: DeliveryError | None) -> None:
    few = [DOWN] * (FAILURES - 1)
    assert after(*few, answer) is None
    assert wait(after(*few, answer, *few), NOW) == 0


def test_a_doubtful_call_neither_counts_nor_clears() -> None:
    doubtful = after(*[DOWN] * (FAILURES - 1), *[Uncertain("cut")] * 10)
    assert wait(doubtful, NOW) == 0
    assert wait(after(DOWN, breaker=doubtful), NOW) > 0
    assert after(Uncertain("cut")) is None


@pytest.mark.parametrize("failed", [DOWN, Uncertain("cut")])
def test_each_probe_that_fails_doubles_the_pause(failed: DeliveryError) -> None:
    breaker, now, pauses = broken(), NOW, []
    for _ in range(10):
        pause = wait(breaker, now)
        pauses.append(pause)
        now += pause
        assert wait(breaker, now) == 0
        found = noted(probing(breaker, ME, now), failed, now, probe=True)
        assert found is not None
        breaker = found
    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(10)]


def test_late_failures_of_earlier_calls_do_not_prolong_it() -> None:
    """Sixty were under way when it opened, and some end while another probes."""
    assert wait(after(*[DOWN] * 60, breaker=broken()), NOW) == FIRST_PAUSE
    asked = probing(broken(), ME, NOW + FIRST_PAUSE)
    late = noted(asked, DOWN, NOW + FIRST_PAUSE, probe=False)
    assert late is not None
    assert (late.prober, late.until, late.pause) == (ME, asked.until, asked.pause)


def test_a_probe_of_which_nothing_is_heard_is_followed_by_another() -> None:
    asked = probing(broken(), ME, NOW)
    assert wait(asked, NOW + PROBE - 1) == 1
    assert wait(asked, NOW + PROBE) == 0


def test_a_clock_that_is_set_back_makes_nobody_wait_for_it() -> None:
    assert wait(broken(), NOW - 3600 * SECOND) == 0
    assert wait(broken(), NOW - SECOND // 2) > 0  # clocks differ a little


class Host:
    """Answers as it is told, and counts."""

    def __init__(self) -> None:
        self.status, self.calls, self.clock = 503, 0, Clock()
        self.during: Callable[[], Awaitable[None]] | None = None

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        if self.during:
            await self.during()
        return httpx.Response(self.status)


class Twofold(Raven):
    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.raven.example", "files.raven.example"})


class Worker:
    """One of those that work on the store."""

    def __init__(self, database: Database, host: Host) -> None:
        self.wire = NetworkWire(database=database, transport=httpx.MockTransport(host.answer), clock=host.clock)

    async def ask(self, url: str = "https://api.raven.example/x") -> DeliveryError | None:
        def flow() -> Flow[None]:
            yield httpx.Request("POST", url)

        try:
            await self.wire.run(flow(), Twofold(RavenSettings()))
        except DeliveryError as error:
            return error
        return None

    def call(self, *url: str) -> DeliveryError | None:
        return asyncio.run(self.ask(*url))


def test_no_call_reaches_a_host_that_is_down(shared: Database) -> None:
    """Whoever calls: two workers count together."""
    host = Host()
    one, other = Worker(shared, host), Worker(shared, host)
    for number in range(20):
        assert isinstance((one, other)[number % 2].call(), Unavailable)
    assert host.calls == FAILURES
    told = one.call()
    assert isinstance(told, NotAnswering)
    assert told.retry_after == FIRST_PAUSE / SECOND
    assert "api.raven.example has not answered 5 calls in a row since 2026-" in str(told)
    assert str(other.call()) == str(told)

    assert not isinstance(one.call("https://files.raven.example/x"), NotAnswering)
    host.status = 200
    assert isinstance(one.call(), NotAnswering)
    host.clock.forward(microseconds=FIRST_PAUSE)
    assert [worker.call() for worker in (one, other, one)] == [None, None, None]
    host.status = 503
    assert not isinstance(one.call(), NotAnswering)  # it counts from the beginning


def test_one_of_all_workers_probes_and_once(shared: Database) -> None:
    host = Host()
    workers = [Worker(shared, host) for _ in range(3)]
    for _ in range(FAILURES):
        workers[0].call()
    host.clock.forward(microseconds=FIRST_PAUSE)
    host.during = lambda: asyncio.sleep(0.2)

    async def all_at_once() -> list[DeliveryError | None]:
        return await asyncio.gather(*(worker.ask() for worker in workers * 4))

    found = asyncio.run(all_at_once())
    assert host.calls == FAILURES + 1
    assert sum(isinstance(one, NotAnswering) for one in found) == 11
    assert max(one.retry_after or 0 for one in found if isinstance(one, NotAnswering)) <= PROBE / SECOND
    told = workers[1].call()
    assert isinstance(told, NotAnswering)
    assert told.retry_after == 2 * FIRST_PAUSE / SECOND


def test_what_is_known_of_a_host_survives_a_restart(shared: Database) -> None:
    host = Host()
    for _ in range(FAILURES - 1):
        Worker(shared, host).call()
    assert not isinstance(Worker(shared, host).call(), NotAnswering)
    assert isinstance(Worker(shared, host).call(), NotAnswering)
    (row,) = shared.read(lambda tx: tx.all("SELECT * FROM breakers"))
    assert (row["host"], row["failures"], row["prober"]) == ("api.raven.example", FAILURES, None)


def test_a_probe_that_dies_is_followed_by_another_workers(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    dying, other = Worker(database, host), Worker(database, host)
    for _ in range(FAILURES):
        other.call()
    host.clock.forward(microseconds=FIRST_PAUSE)
    host.during = lambda: asyncio.sleep(60)
    monkeypatch.setattr(dying.wire._turns, "cut_off", lambda *_: None)  # the dead say nothing

    async def die() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dying.ask(), 0.3)

    asyncio.run(die())
    assert host.calls == FAILURES + 1
    host.during, host.status = None, 200
    assert isinstance(other.call(), NotAnswering)
    host.clock.forward(microseconds=PROBE)
    assert other.call() is None


def test_a_probe_that_is_cut_off_says_so(database: Database) -> None:
    host = Host()
    worker = Worker(database, host)
    for _ in range(FAILURES):
        worker.call()
    host.clock.forward(microseconds=FIRST_PAUSE)
    host.during = lambda: asyncio.sleep(60)

    async def cut() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.ask(), 0.3)

    asyncio.run(cut())
    database.do(lambda tx: None)
    told = worker.call()
    assert isinstance(told, NotAnswering)
    assert told.retry_after == 2 * FIRST_PAUSE / SECOND


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
