"""One owner at a time: a lease ends by itself, and whoever has lost one commits nothing on the strength of it."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from help_desk import Shop
from raven import Clock, Roost, message
from raven.events import NOON

from socialsupport_core.model import Attachment
from socialsupport_core.pipeline.leases import SPAN, LeaseLost, Leases
from socialsupport_core.store import Database, attachments, leases, open_store

HOLD = 100


@pytest.fixture
def database(store: str | Path) -> Iterator[Database]:
    opened = open_store(store)
    yield opened
    opened.close()


def hold(database: Database, worker: str, now: int, name: str = "poll") -> int | None:
    return database.do(lambda tx: leases.hold(tx, name, worker, now, now + HOLD))


def confirm(database: Database, worker: str, fence: int, name: str = "poll") -> bool:
    return database.do(lambda tx: leases.confirm(tx, name, worker, fence))


def test_it_is_one_workers_until_it_has_ended(database: Database) -> None:
    assert hold(database, "first", 0) == 1
    assert hold(database, "second", HOLD) is None, "at its last moment too"
    assert hold(database, "second", HOLD + 1) == 2
    assert hold(database, "first", HOLD + 2) is None
    assert hold(database, "first", 0, "another") == 1


def test_a_renewal_makes_it_last_and_is_no_change_of_hands(database: Database) -> None:
    assert hold(database, "first", 0) == hold(database, "first", 50) == 1
    assert hold(database, "second", HOLD + 1) is None
    assert hold(database, "second", HOLD + 51) == 2


def test_whoever_has_lost_it_confirms_nothing(database: Database) -> None:
    hold(database, "first", 0)
    assert confirm(database, "first", 1)
    hold(database, "second", HOLD + 1)
    assert not confirm(database, "first", 1)
    assert not confirm(database, "first", 2), "it is another worker's"
    assert hold(database, "first", 3 * HOLD) == 3
    assert not confirm(database, "first", 1), "what was begun before it changed hands"
    assert confirm(database, "first", 3)
    assert not confirm(database, "first", 3, "another")


def test_only_what_is_ones_own_is_let_go(database: Database) -> None:
    hold(database, "first", 0)
    hold(database, "second", 0, "another")
    database.do(lambda tx: leases.release(tx, "first"))
    assert hold(database, "third", 1) == 2
    assert hold(database, "third", 1, "another") is None
    database.do(leases.release_all)
    assert hold(database, "fourth", 1, "another") == 2


def test_it_is_renewed_in_time_and_let_go_in_the_end(database: Database) -> None:
    clock, seconds = Clock(), SPAN / 1_000_000
    mine, other = Leases(database, clock), Leases(database, clock)

    async def run() -> None:
        for _ in range(4):
            assert await mine.mine("poll")
            assert not await other.mine("poll")
            clock.forward(seconds=seconds / 2)
        await mine.mine("poll")
        mine.release()
        assert await other.mine("poll")
        assert not await mine.mine("poll")

    asyncio.run(run())


def test_a_lease_that_was_lost_is_not_confirmed(database: Database) -> None:
    clock = Clock()
    mine, other = Leases(database, clock), Leases(database, clock)

    async def run() -> None:
        assert await mine.mine("poll")
        clock.forward(seconds=SPAN / 1_000_000 + 1)
        assert await other.mine("poll")

    asyncio.run(run())
    with pytest.raises(LeaseLost):
        database.do(lambda tx: mine.confirm(tx, "poll"))
    with pytest.raises(LeaseLost):
        database.do(lambda tx: mine.confirm(tx, "what nobody has held"))
    database.do(lambda tx: other.confirm(tx, "poll"))


# what is done under one


def taken_by_another(roost: Roost, name: str) -> Callable[..., None]:
    """While we wait for the network's answer, another process finds our lease ended."""

    def take(*_: Any) -> None:
        roost.clock.forward(seconds=SPAN / 1_000_000 + 1)
        now = int(roost.clock().timestamp() * 1_000_000)
        fence = roost.hub._database.do(lambda tx: leases.hold(tx, name, "another", now, now + SPAN))
        assert fence is not None

    return take


def run(roost: Roost, call: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    async def once() -> None:
        await call()
        await roost.hub.wire.aclose()

    asyncio.run(once())


def letters(roost: Roost, count: int) -> None:
    roost.sky.letters += [json.loads(message(n, f"text {n}", at=n).to_json()) for n in range(count)]


def polled(roost: Roost) -> list[str]:
    return [call.url.params["after"] for call in roost.sky.calls if call.url.path == "/letters"]


def test_a_page_that_comes_after_the_lease_is_left_to_whoever_has_it_now(roost: Roost) -> None:
    roost.hub.add_channel("acme", "loft", "raven", {}, mode="poll")
    letters(roost, 1)
    roost.sky.before = taken_by_another(roost, "poll acme loft")
    run(roost, lambda: roost.hub.workers.poll("acme", "loft"))
    assert polled(roost) == ["0"]
    assert roost.journal()["accepted"] == 0
    roost.sky.before = lambda request: None
    run(roost, lambda: roost.hub.workers.poll("acme", "loft"))
    assert polled(roost) == ["0"], "another has it"
    roost.clock.forward(seconds=SPAN / 1_000_000 + 1)
    run(roost, lambda: roost.hub.workers.poll("acme", "loft"))
    assert polled(roost) == ["0", "0"], "the cursor has not moved"
    roost.hub.drain()
    assert roost.texts() == ["text 0"]


def test_the_channel_of_another_tenant_with_the_same_name_has_a_lease_of_its_own(roost: Roost) -> None:
    for tenant in ("acme", "rival"):
        roost.hub.add_channel(tenant, "loft", "raven", {}, mode="poll")
    letters(roost, 1)
    taken_by_another(roost, "poll acme loft")()
    for tenant in ("acme", "rival"):
        run(roost, lambda tenant=tenant: roost.hub.workers.poll(tenant, "loft"))  # type: ignore[misc]
    roost.hub.drain()
    assert roost.texts(tenant="rival") == ["text 0"]
    assert roost.hub.find_customers("acme", "kerry") == []


def test_a_page_of_history_that_comes_after_the_lease_is_read_again(roost: Roost) -> None:
    letters(roost, 3)
    roost.hub.backfill("acme", "tower", since=NOON)
    roost.sky.before = taken_by_another(roost, "backfill acme tower")
    run(roost, roost.hub.workers.backfilling.round)
    assert roost.journal()["accepted"] == 0
    found = roost.hub.backfilled("acme", "tower")
    assert found is not None
    assert (found["state"], found["pages"]) == ("running", 0)


def test_the_trouble_of_whoever_has_lost_the_lease_is_nobodys(roost: Roost) -> None:
    roost.hub.backfill("acme", "tower", since=NOON)
    take = taken_by_another(roost, "backfill acme tower")

    def fail(request: httpx.Request) -> None:
        take()
        raise ZeroDivisionError

    roost.sky.before = fail
    run(roost, roost.hub.workers.backfilling.round)
    found = roost.hub.backfilled("acme", "tower")
    assert found is not None
    assert found["state"] == "running"


def test_the_trouble_of_a_history_that_was_begun_anew_meanwhile_is_not_its_own(roost: Roost) -> None:
    roost.hub.backfill("acme", "tower", since=NOON)

    def fail(request: httpx.Request) -> None:
        roost.hub.backfill("acme", "tower", since=NOON - timedelta(days=9))
        raise ZeroDivisionError

    roost.sky.before = fail
    run(roost, roost.hub.workers.backfilling.round)
    found = roost.hub.backfilled("acme", "tower")
    assert found is not None
    assert (found["state"], found["since"]) == ("running", "2026-02-20T12:00:00Z")


def test_a_file_that_another_has_brought_in_stays(roost: Roost) -> None:
    """Ours took longer than its claim lasts, and the network does not give it a second time."""
    roost.deliver(message(1, "look", at=roost.clock(), attachments=(Attachment(native_id="nest"),)))
    roost.hub.workers.record_waiting()
    digest, database = roost.hub.blobs.put(b"eggs"), roost.hub._database

    def brought_in(request: httpx.Request) -> None:
        ((tenant, kept),) = database.read(lambda tx: attachments.pending(tx, 10**18, 1))
        database.do(lambda tx: attachments.settle(tx, tenant, replace(kept, state="stored", blob=digest)))

    roost.sky.before = brought_in
    run(roost, roost.hub.workers.fetching.pending)
    (entry,) = roost.timeline()
    assert [one["state"] for one in entry["attachments"]] == ["stored"]
    assert roost.hub.attachment("acme", entry["attachments"][0]["id"])[1] == b"eggs"
    assert roost.log("attachment.refused") == []


@pytest.mark.parametrize("what", ["payloads", "interactions"])
def test_nothing_is_swept_by_whoever_has_lost_the_lease(roost: Roost, what: str) -> None:
    roost.hub.set_retention("acme", **{what: 1})
    roost.hear(message(1, "hello"))
    before = roost.dump()
    roost.clock.forward(days=2)
    keeping = roost.hub.workers._subscribers.keeping
    ahead = Clock(roost.clock() + timedelta(minutes=1))  # by its clock our lease has ended

    async def sweep() -> None:
        assert await keeping._leases.mine("retention")
        assert await Leases(roost.hub._database, ahead).mine("retention")
        with pytest.raises(LeaseLost):
            await keeping.turn(at_once=True)

    asyncio.run(sweep())
    assert roost.texts() == ["hello"]
    assert roost.dump().count("hello") == before.count("hello")


@pytest.fixture
def shop(tmp_path: Path, store: str | Path) -> Iterator[Shop]:
    made = Shop(tmp_path, store)
    yield made
    made.hub.close()


def test_news_of_a_crm_that_come_after_the_lease_are_asked_for_again(shop: Shop) -> None:
    shop.say(1, "hello")
    shop.clock.forward(minutes=1)
    shop.office.news = [shop.replied("r-1", "on its way")]
    accepted, ask = shop.journal()["accepted"], shop.office._news

    def late(after: int) -> httpx.Response:
        taken_by_another(shop, "crm acme desk")()
        return ask(after)

    shop.office._news = late  # type: ignore[method-assign]
    shop.hub.drain()
    assert shop.journal()["accepted"] == accepted
    shop.office._news = ask  # type: ignore[method-assign]
    shop.clock.forward(minutes=1)
    shop.hub.drain()
    assert shop.texts() == ["hello", "on its way"]
