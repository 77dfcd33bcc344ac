"""The store goes away between a claim and its answer, or before the first ask: no part stays with nobody."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from raven import Roost, message

from socialsupport_core.store import StoreError, micros, outbox


def wait_until(true: Callable[[], bool], seconds: float = 8) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_claim_that_is_committed_without_our_knowing_is_taken_over_at_once(
    roost: Roost, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = roost.hub.workers
    really = workers._claim
    failed: list[Any] = []

    async def in_doubt(under_way: Any) -> Any:
        parts = await really(under_way)
        if parts and not failed:
            failed.append(parts)
            raise StoreError("the server went away with the COMMIT")
        return parts

    monkeypatch.setattr(workers, "_claim", in_doubt)
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    roost.hub.start()
    wait_until(lambda: roost.states() == ["sent"])
    assert failed
    assert roost.sky.texts() == ["hi"]


def test_what_another_process_sends_is_not_given_back(roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    database, now = roost.hub._database, micros(roost.clock())
    claimed = database.do(lambda tx: outbox.claim(tx, now, 9, worker="other:1", until=now + 30_000_000))
    assert len(claimed) == 1
    roost.hub.workers._claimed_unknown = True
    roost.hub.drain()
    assert database.read(outbox.counts) == {"sending": 1}


def test_only_what_is_under_way_is_kept_for_longer(roost: Roost) -> None:
    roost.hear(message(1, "one"), message(2, "two", "lee"))
    roost.reply("hi", "kerry", key="a")
    roost.reply("ho", "lee", key="b")
    database, now = roost.hub._database, micros(roost.clock())
    known, unknown = database.do(lambda tx: outbox.claim(tx, now, 9, worker="me:1", until=now + 1))
    database.do(lambda tx: outbox.renew(tx, "me:1", now + 100, [known]))
    assert [part.key for part in database.do(lambda tx: outbox.abandoned(tx, now + 2))] == [unknown.key]


@pytest.mark.parametrize("where", ["asked", "the channel"])
def test_a_store_that_is_away_before_the_first_ask_puts_the_part_off(
    roost: Roost, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    roost.hear(message(1, "hello"))
    roost.reply("hi")
    times = iter([True])

    def once(really: Callable[..., Any]) -> Callable[..., Any]:
        def away(*given: Any) -> Any:
            if next(times, False):
                raise StoreError("the server does not answer")
            return really(*given)

        return away

    if where == "asked":
        monkeypatch.setattr(outbox, "asked", once(outbox.asked))
    else:
        monkeypatch.setattr(roost.hub.channels, "get", once(roost.hub.channels.get))
    roost.hub.drain()
    assert roost.hub._database.read(outbox.counts) == {"retrying": 1}
    roost.clock.forward(seconds=10)
    roost.hub.drain()
    assert (roost.states(), roost.sky.texts()) == (["sent"], ["hi"])
