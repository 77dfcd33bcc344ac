"""Brokers: each tenant's log in order, at least once, from where the broker has it; and only what was committed."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr
from raven import Raven, Roost, message
from raven.connector import plugin

from socialsupport_core.config import load, open_hub
from socialsupport_core.contract import (
    ConfigError,
    FanOut,
    LogRecord,
    RateLimited,
    Registry,
    Settings,
    Unavailable,
    hookimpl,
)
from socialsupport_core.pipeline import fanouts as pipeline
from socialsupport_core.pipeline import leases
from socialsupport_core.pipeline.leases import SHORT
from socialsupport_core.store import Tx, fanouts
from socialsupport_core.store.fanouts import Feed


class TubeSettings(Settings):
    key: SecretStr = SecretStr("canary")
    name: str = "tube"


class Tube(FanOut[TubeSettings]):
    """A broker in memory that takes, refuses or hangs as told. `got` is what arrived, whole batch or not."""

    name = "tube"
    settings_model: ClassVar[type[Settings]] = TubeSettings
    got: ClassVar[dict[str, list[LogRecord]]] = {}
    calls: ClassVar[list[tuple[str, int]]] = []
    trouble: ClassVar[Callable[[Sequence[LogRecord]], None]]
    hanging: ClassVar[set[str]] = set()
    closed: ClassVar[int] = 0

    async def publish(self, records: Sequence[LogRecord]) -> None:
        Tube.calls.append((records[0].tenant, len(records)))
        if self.settings.name in Tube.hanging:
            await asyncio.sleep(60)
        for record in records:
            type(self).trouble([record])
            Tube.got.setdefault(self.settings.name, []).append(record)

    async def aclose(self) -> None:
        Tube.closed += 1


def fine(_: Sequence[LogRecord]) -> None:
    pass


def tubes() -> Any:
    """What the plugin of a broker offers."""

    @hookimpl
    def socialsupport_fanouts() -> Sequence[type[FanOut[Any]]]:
        return (Tube,)

    return SimpleNamespace(__name__="tubes", socialsupport_fanouts=socialsupport_fanouts)


@pytest.fixture(autouse=True)
def fresh() -> None:
    Tube.got, Tube.calls, Tube.trouble, Tube.hanging, Tube.closed = {}, [], staticmethod(fine), set(), 0  # type: ignore[assignment]


@pytest.fixture
def roost(tmp_path: Path, store: str | Path) -> Iterator[Roost]:
    made = Roost(tmp_path, store=store, registry=Registry.of(plugin(Raven), tubes()))
    yield made
    made.hub.close()


def hear(roost: Roost, number: int, tenant: str = "acme", name: str = "kerry") -> None:
    roost.hear(message(number, "hello", name, at=roost.clock.now), tenant=tenant)


def got(tenant: str = "acme", name: str = "tube") -> list[dict[str, Any]]:
    return [one.model_dump(exclude_none=True) for one in Tube.got.get(name, ()) if one.tenant == tenant]


def test_everything_of_every_tenant_as_the_api_shows_it(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    hear(roost, 1)
    hear(roost, 1, "rival")
    hear(roost, 2)
    for tenant in ("acme", "rival"):
        assert got(tenant) == roost.hub.events(tenant)
    assert len(got()) == 3


def test_a_new_one_begins_now_or_with_everything(roost: Roost) -> None:
    hear(roost, 1)
    roost.hub.add_fanout("now", "tube", {"name": "now"})
    roost.hub.add_fanout("all", "tube", {"name": "all"}, everything=True)
    roost.hub.drain()
    assert got(name="now") == []
    assert got(name="all") == roost.hub.events("acme")
    hear(roost, 2)
    assert got(name="now") == roost.hub.events("acme", 2)


def test_one_that_was_here_before_goes_on_where_it_was(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    hear(roost, 1)
    roost.reopen()
    hear(roost, 2)
    before = len(got())
    roost.hub.add_fanout("tube", "tube", {}, everything=True)
    roost.hub.drain()
    assert before < len(got())
    assert got() == roost.hub.events("acme")


def test_a_tenant_that_is_new_is_told_from_its_beginning(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    roost.reopen()
    roost.hub.add_tenant("late", "Late")
    roost.hub.record_interaction("late", message(1, "hello", at=roost.clock.now).interaction)
    roost.hub.drain()
    roost.hub.add_fanout("tube", "tube", {})
    roost.hub.drain()
    assert got("late") == roost.hub.events("late") != []


def test_what_is_not_acknowledged_comes_again_and_in_order(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    failed = []

    def once(records: Sequence[LogRecord]) -> None:
        if records[0].cursor == 2 and not failed:
            failed.append(1)
            raise Unavailable("the broker is away")

    Tube.trouble = staticmethod(once)  # type: ignore[assignment]
    hear(roost, 1)
    assert [one["cursor"] for one in got()] == [1]
    roost.hub.drain()
    assert len(Tube.calls) == 1, "it waits a second"
    roost.clock.forward(seconds=1)
    roost.hub.drain()
    assert [one["cursor"] for one in got()] == [1, 1, 2]


def test_pauses_grow_to_a_minute_and_health_says_so(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})

    def away(_: Sequence[LogRecord]) -> None:
        raise ConnectionError("canary is not reachable")

    Tube.trouble = staticmethod(away)  # type: ignore[assignment]
    hear(roost, 1)
    tried = []
    for second in range(400):
        before = len(Tube.calls)
        roost.clock.forward(seconds=1)
        roost.hub.drain()
        if len(Tube.calls) > before:
            tried.append(second)
    pauses = [later - sooner for sooner, later in pairwise(tried)]
    assert pauses[:5] == [2, 4, 8, 16, 32]
    assert set(pauses[5:]) == {60}
    health = roost.hub.health()
    assert health["status"] == "degraded"
    assert health["failing"] == ["acme/fan-out tube: ConnectionError: *** is not reachable"]
    Tube.trouble = staticmethod(fine)  # type: ignore[assignment]
    roost.clock.forward(minutes=1)
    roost.hub.drain()
    assert roost.hub.health()["status"] == "ok"
    assert got() == roost.hub.events("acme")


def test_a_broker_may_say_when(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})

    def busy(_: Sequence[LogRecord]) -> None:
        raise RateLimited("slowly", retry_after=300)

    Tube.trouble = staticmethod(busy)  # type: ignore[assignment]
    hear(roost, 1)
    for seconds, calls in ((299, 1), (2, 2)):
        roost.clock.forward(seconds=seconds)
        roost.hub.drain()
        assert len(Tube.calls) == calls


def test_batches_are_of_a_hundred_and_no_tenant_waits_for_another(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    for number in range(130):
        roost.deliver(message(number, "hello", f"bird{number}", at=roost.clock.now))
    hear(roost, 1, "rival")
    assert Tube.calls == [("acme", 100), ("rival", 2), ("acme", 100), ("acme", 60)]
    assert [one["cursor"] for one in got()] == [one["cursor"] for one in roost.hub.events("acme", limit=500)]


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError(), TimeoutError()])
def test_whatever_a_plugin_raises_is_its_own_trouble(roost: Roost, error: BaseException) -> None:
    roost.hub.add_fanout("bad", "tube", {"name": "bad"})

    def raise_it(_: Sequence[LogRecord]) -> None:
        raise error

    Tube.trouble = staticmethod(raise_it)  # type: ignore[assignment]
    hear(roost, 1)
    assert roost.texts() == ["hello"]
    (feed,) = roost.hub._database.read(lambda tx: fanouts.failing(tx, 1))
    assert str(feed.reason).startswith(type(error).__name__)


def test_one_that_hangs_holds_up_nobody(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "TIMEOUT", 0.5)
    Tube.hanging = {"slow"}
    for name in ("slow", "quick"):
        roost.hub.add_fanout(name, "tube", {"name": name})
    roost.hub.start()
    for number in range(3):
        roost.deliver(message(number, "hello", f"bird{number}", at=roost.clock.now))
    until(lambda: len(got(name="quick")) == 6)
    until(lambda: bool(roost.hub._database.read(lambda tx: fanouts.failing(tx, 1))))
    assert got(name="slow") == []


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_under_way_in_a_crash_comes_again(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.hub.workers.record_waiting()
    now = int(roost.clock.now.timestamp() * 1_000_000)
    database = roost.hub._database
    (feed,) = database.read(lambda tx: fanouts.behind(tx, "tube", now))
    assert database.do(lambda tx: fanouts.claim(tx, feed, "other", now, now + SHORT))
    assert not database.do(lambda tx: fanouts.claim(tx, feed, "other", now, now + SHORT)), "one worker has it"
    roost.hub.drain()
    assert got() == []
    roost.clock.forward(seconds=9)
    roost.hub.drain()
    assert got() == roost.hub.events("acme")


LATE: list[Callable[[Tx, Feed], None]] = [
    lambda tx, feed: fanouts.advance(tx, feed, "late", 2),
    lambda tx, feed: fanouts.fail(tx, feed, "late", 999, "no"),
    lambda tx, feed: fanouts.release(tx, feed, "late", 999),
    lambda tx, feed: fanouts.renew(tx, feed, "late", 999),
    lambda tx, feed: fanouts.abandon(tx, "late"),
]


def test_whoever_has_lost_a_feed_changes_nothing_of_it(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.hub.workers.record_waiting()
    database = roost.hub._database
    (feed,) = database.read(lambda tx: fanouts.behind(tx, "tube", 1))
    assert database.do(lambda tx: fanouts.claim(tx, feed, "late", 1, 2))
    assert database.do(lambda tx: fanouts.claim(tx, feed, "next", 2, 50))
    rows = database.read(lambda tx: tx.all("SELECT * FROM fanouts"))
    for late in LATE:
        database.do(partial(late, feed=feed))
        assert database.read(lambda tx: tx.all("SELECT * FROM fanouts")) == rows
    assert not database.do(lambda tx: fanouts.claim(tx, feed, "late", 3, 9))
    database.do(fanouts.abandon)
    assert database.do(lambda tx: fanouts.claim(tx, feed, "late", 3, 9)), "after a restart nobody waits"


def test_whoever_saw_it_before_another_went_on_has_nothing_of_it(roost: Roost) -> None:
    """Neither who would claim what was handed on already, nor who was under way when it was set back."""
    roost.hub.add_fanout("tube", "tube", {})
    roost.deliver(message(1, "hello", at=roost.clock.now))
    roost.hub.workers.record_waiting()
    database = roost.hub._database
    (feed,) = database.read(lambda tx: fanouts.behind(tx, "tube", 1))
    assert database.do(lambda tx: fanouts.claim(tx, feed, "one", 1, 50))
    database.do(lambda tx: fanouts.advance(tx, feed, "one", feed.cursor + 1))
    assert not database.do(lambda tx: fanouts.claim(tx, feed, "other", 2, 50))
    (further,) = database.read(lambda tx: fanouts.behind(tx, "tube", 2))
    assert database.do(lambda tx: fanouts.claim(tx, further, "one", 2, 50))
    database.do(lambda tx: fanouts.rewind(tx, "tube", "acme", 0))
    assert database.do(lambda tx: fanouts.claim(tx, feed, "one", 3, 50)), "by the same worker"
    database.do(lambda tx: fanouts.advance(tx, further, "one", further.cursor + 1))
    (again,) = database.read(lambda tx: fanouts.behind(tx, "tube", 50))
    assert again.cursor == 0


def test_a_slow_broker_is_one_workers_for_as_long_as_it_takes(roost: Roost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "RENEW", 0.01)
    roost.hub.add_fanout("tube", "tube", {})
    seen: list[int] = []

    async def publish(self: Tube, records: Sequence[LogRecord]) -> None:
        for _ in range(3):
            roost.clock.forward(seconds=6)  # the claim that it began with has ended after the second
            await asyncio.sleep(0.1)
            now = int(roost.clock.now.timestamp() * 1_000_000)
            seen.append(len(roost.hub._database.read(lambda tx, now=now: fanouts.behind(tx, "tube", now))))

    monkeypatch.setattr(Tube, "publish", publish)
    hear(roost, 1)
    assert seen[:3] == [0, 0, 0]


def test_from_any_cursor_again(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    hear(roost, 1)
    hear(roost, 2)
    Tube.got.clear()
    roost.hub.replay_fanout("tube", "acme", 1)
    roost.hub.drain()
    assert got() == roost.hub.events("acme", 1)
    for name, tenant, after in (("tube", "acme", 99), ("tube", "nobody", 0), ("nothing", "acme", 0)):
        with pytest.raises(ConfigError):
            roost.hub.replay_fanout(name, tenant, after)


def test_removed(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    roost.hub.remove_fanout("tube")
    hear(roost, 1)
    assert Tube.calls == []
    roost.hub.add_fanout("tube", "tube", {}, everything=True)
    roost.hub.drain()
    assert got() == roost.hub.events("acme")


@pytest.mark.parametrize("seed", range(4))
def test_in_whatever_way_it_fails_the_order_stays(roost: Roost, seed: int) -> None:
    chance = random.Random(seed)
    roost.hub.add_fanout("tube", "tube", {})

    def whim(_: Sequence[LogRecord]) -> None:
        if chance.random() < 0.2:
            raise chance.choice([Unavailable("away"), ValueError("broken")])

    Tube.trouble = staticmethod(whim)  # type: ignore[assignment]
    for number in range(40):
        roost.deliver(message(number, "hello", f"bird{number % 5}", at=roost.clock.now))
        if chance.random() < 0.6:
            roost.hub.drain()
        roost.clock.forward(seconds=chance.choice([0.5, 5, 100]))
    Tube.trouble = staticmethod(fine)  # type: ignore[assignment]
    for _ in range(3):
        roost.clock.forward(minutes=2)
        roost.hub.drain()
    first_seen = list(dict.fromkeys(one["cursor"] for one in got()))
    assert first_seen == [one["cursor"] for one in roost.hub.events("acme", limit=500)]


def test_it_is_closed_at_the_end(roost: Roost) -> None:
    roost.hub.add_fanout("tube", "tube", {})
    roost.hub.drain()
    assert Tube.closed > 0


@pytest.mark.parametrize(
    ("adapter", "settings", "problem"),
    [("tubee", {}, "there is no fan-out 'tubee'; did you mean tube?"), ("tube", {"nam": 1}, "fan-out tube: nam")],
)
def test_what_is_wrong_is_named(roost: Roost, adapter: str, settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem.replace("?", r"\?")):
        roost.hub.add_fanout("tube", adapter, settings)


def test_a_class_that_is_none_is_a_broken_plugin() -> None:
    @hookimpl
    def socialsupport_fanouts() -> Any:
        return (object,)

    with pytest.raises(ConfigError, match="is not a subclass of FanOut"):
        Registry.of(SimpleNamespace(__name__="bad", socialsupport_fanouts=socialsupport_fanouts))


def test_by_the_configuration_file(tmp_path: Path) -> None:
    path = tmp_path / "socialsupport.toml"
    path.write_text('[tenants.acme]\nname = "Acme"\n[fanouts.broker]\nadapter = "tube"\nsettings = { name = "x" }\n')
    read = load(path)
    assert read.connectors() == {"tube"}
    hub = open_hub(read, tmp_path, registry=Registry.of(plugin(Raven), tubes()))
    assert list(hub.fanouts._live) == ["broker"]
    hub.close()
