"""Streams: kept and acknowledged in this order, one owner each, gone on with after whatever happens."""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from raven import Roost
from raven.herald import DEAD, Choked, Herald, Tower, letter

from socialsupport_core.contract import Closed, Frame
from socialsupport_core.pipeline import streaming
from socialsupport_core.pipeline.leases import Leases
from socialsupport_core.pipeline.streaming import Streaming
from socialsupport_core.store import streams
from socialsupport_core.testing import Network

CHANNEL = ("acme", "tower")


def wait_for(true: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.01)


@pytest.fixture
def tower() -> Tower:
    return Tower()


@pytest.fixture
def roost(tmp_path: Any, store: Any, tower: Tower) -> Iterator[Roost]:
    """The usual one, whose channel streams."""
    made = Roost(tmp_path, Herald, store=store, sky=tower, sockets=Network([tower]).sockets())
    tower.clock = made.clock
    made.hub.add_channel(*CHANNEL, "raven", {}, mode="stream")
    yield made
    made.hub.close()


def texts(roost: Roost) -> list[str]:
    return roost.texts() if roost.hub.find_customers("acme", "kerry") else []


def state(roost: Roost) -> dict[str, Any]:
    kept = roost.hub._database.read(lambda tx: streams.get(tx, *CHANNEL))
    return json.loads(kept.state) if kept else {}


def listen(roost: Roost, quiet: float = 0.1) -> int:
    taken = asyncio.run(roost.hub.workers.stream(*CHANNEL, quiet))
    roost.hub.drain()
    return taken


def shown(roost: Roost) -> dict[str, Any]:
    found = {one["id"]: one for one in roost.hub.list_channels("acme")}
    return found["tower"]


@contextmanager
def short(**numbers: float) -> Iterator[None]:
    before = {name: getattr(streaming, name) for name in numbers}
    vars(streaming).update(numbers)
    try:
        yield
    finally:
        vars(streaming).update(before)


def test_what_comes_is_recorded_then_acknowledged(roost: Roost, tower: Tower) -> None:
    tower.tell(1, 2, 3)
    assert listen(roost) == 3
    assert texts(roost) == ["text 1", "text 2", "text 3"]
    assert tower.acknowledged == [1, 2, 3]
    assert tower.handshakes[0].headers["authorization"] == "Bearer raven-token-1"
    assert roost.journal()["unexplained"] == 0


def test_a_new_connection_goes_on_from_the_state(roost: Roost, tower: Tower) -> None:
    tower.tell(1, 2)
    listen(roost)
    roost.reopen(Herald)
    tower.tell(3)
    listen(roost)
    assert tower.resumed == [0, 2]
    assert texts(roost) == ["text 1", "text 2", "text 3"]


def test_a_state_that_nobody_can_read_any_more_begins_anew(roost: Roost, tower: Tower) -> None:
    roost.hub._database.do(lambda tx: streams.put(tx, *CHANNEL, '{"of": "another release"}', 1, kept=True))
    tower.tell(1)
    listen(roost)
    assert tower.resumed == [0]


def test_what_was_not_committed_is_not_acknowledged_and_comes_again(roost: Roost, tower: Tower) -> None:
    database = roost.hub._database
    write = database.write

    def refuse(call: Any) -> Any:
        database.write = write  # type: ignore[method-assign]
        raise roost.trouble("disk full")

    tower.tell(1, 2)

    async def run() -> None:
        await roost.hub.leases.mine("stream acme tower")
        database.write = refuse  # type: ignore[method-assign, assignment]
        await roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL), 0.1)

    with pytest.raises(type(roost.trouble(""))):
        asyncio.run(run())
    assert tower.acknowledged == []
    roost.settle()
    assert state(roost) in ({}, {"after": 0, "greeted": True})  # never ahead of what was kept
    listen(roost)
    assert texts(roost) == ["text 1", "text 2"]
    assert tower.acknowledged == [1, 2]


def test_a_frame_told_twice_is_there_once(roost: Roost, tower: Tower) -> None:
    tower.greet = lambda line: line.tell(Frame('{"op": "hello"}'), Frame(letter(1)), Frame(letter(1)))
    assert listen(roost) == 2
    assert texts(roost) == ["text 1"]


def test_heartbeats_are_said_while_nothing_comes(roost: Roost, tower: Tower) -> None:
    beats: list[str] = []
    spoken_to = tower.spoken_to
    tower.spoken_to = lambda line, text: (beats.append(text), spoken_to(line, text))[1]  # type: ignore[method-assign]
    listen(roost, quiet=0.5)
    assert beats.count('{"op": "beat"}') >= 3


def test_a_state_that_moves_without_anything_kept_is_saved_in_the_end(roost: Roost, tower: Tower) -> None:
    tower.greet = lambda line: line.tell(Frame('{"op": "hello"}'), Frame('{"op": "noise", "n": 40}'))
    listen(roost)
    assert state(roost)["after"] == 40


def test_frames_that_say_nothing_change_nothing(roost: Roost, tower: Tower) -> None:
    rubbish = ["", "null", "[]", '{"op": 1}', '{"op": "letter"}', "\x00", "{" * 1000]
    tower.greet = lambda line: line.tell(*map(Frame, rubbish), Frame(b"\xff\xfe"), Frame(letter(7)))
    assert listen(roost) == 1
    assert texts(roost) == ["text 7"]


def test_one_owner_and_when_it_dies_the_next(roost: Roost, tower: Tower) -> None:
    hub = roost.hub
    other = Leases(hub._database, roost.clock)
    second = Streaming(hub._database, hub.keepers, other, hub.workers.watching, roost.clock, random.Random(1))

    async def run() -> tuple[float, float, list[int]]:
        live = hub.channels.get(*CHANNEL)
        first = asyncio.create_task(hub.workers.streaming.once(live))
        await _until(lambda: tower.lines)
        early = await second.once(live, 0.05)
        roost.clock.forward(seconds=31)  # the first one hangs
        held = await other.mine("stream acme tower")
        assert held
        tower.tell(1)  # it comes to the first, which is not the owner any more
        late = await asyncio.wait_for(first, 5)
        missed = list(tower.acknowledged)
        await second.once(live, 0.2)
        return early, late, missed

    early, late, missed = asyncio.run(run())
    assert early == late == streaming.ELSEWHERE
    assert missed == []
    assert tower.acknowledged == [1]
    hub.drain()
    assert texts(roost) == ["text 1"]


async def _until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110 - what is waited for is plain data
            await asyncio.sleep(0.01)


def test_it_streams_beside_everything_else_until_it_is_stopped(roost: Roost, tower: Tower) -> None:
    roost.hub.start()
    wait_for(lambda: tower.lines)
    tower.tell(1)
    wait_for(lambda: texts(roost) == ["text 1"])
    tower.lines[0].tell(Closed(1012))
    wait_for(lambda: len(tower.handshakes) == 2)
    tower.tell(2)
    wait_for(lambda: texts(roost) == ["text 1", "text 2"])
    roost.hub.workers.stop()
    assert tower.lines == []
    assert tower.resumed == [0, 1]


def test_who_is_asked_to_move_moves_at_once(roost: Roost, tower: Tower) -> None:
    async def run() -> float:
        tower.greet = lambda line: line.tell(Frame(letter(1)), Frame('{"op": "move", "in": 0.5}'))
        return await roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL))

    assert asyncio.run(run()) == 0.5


def test_connections_that_come_to_nothing_are_made_less_and_less_often_and_told(roost: Roost, tower: Tower) -> None:
    tower.greet = lambda line: line.tell(Closed(1013, "try again later"))

    async def run(times: int) -> list[float]:
        live = roost.hub.channels.get(*CHANNEL)
        return [await roost.hub.workers.streaming.once(live) for _ in range(times)]

    assert all(a < 2 * b for a, b in zip(asyncio.run(run(2)), (1, 2), strict=True))
    assert shown(roost)["state"] == "active"  # one broken line is everyday life
    pauses = asyncio.run(run(10))
    assert shown(roost)["state"] == "failing"
    assert "1013 (try again later)" in shown(roost)["reason"]
    assert 30 <= pauses[-1] <= streaming.LONGEST_PAUSE
    assert len(set(pauses)) == len(pauses), "there is no jitter"
    tower.greet = lambda line: line.tell(Frame(letter(1)))
    listen(roost)
    assert shown(roost)["state"] == "active"


def test_a_dead_token_is_told_and_tried_again_when_an_operator_has_mended_it(roost: Roost, tower: Tower) -> None:
    tower.greet = lambda line: line.tell(Closed(4004, "authentication failed"))
    with short(LOOK=0.05):
        roost.hub.start()
        wait_for(lambda: shown(roost)["state"] == "failing")
        assert shown(roost)["reason"] == DEAD
        time.sleep(0.3)
        assert len(tower.handshakes) == 1
        tower.greet = lambda line: line.tell(Frame(letter(1)))
        asyncio.run(roost.hub.test_channel(*CHANNEL))
        wait_for(lambda: texts(roost) == ["text 1"])
    states = [one["data"]["state"] for one in roost.log("channel.changed")]
    assert states == ["failing", "active"]


def test_new_settings_dial_anew(roost: Roost, tower: Tower) -> None:
    tower.greet = lambda line: line.tell(Closed(4004))
    roost.hub.start()
    wait_for(lambda: shown(roost)["state"] == "failing")
    tower.greet = lambda line: line.tell(Frame(letter(1)))
    roost.hub.add_channel(*CHANNEL, "raven", {"token": "fresh-token"}, mode="stream")
    wait_for(lambda: texts(roost) == ["text 1"])
    assert tower.handshakes[-1].headers["authorization"] == "Bearer fresh-token"


@pytest.mark.parametrize(("status", "state"), [(401, "failing"), (403, "failing"), (503, "active"), (429, "active")])
def test_a_refused_handshake_is_what_its_status_says(roost: Roost, tower: Tower, status: int, state: str) -> None:
    tower.refuse = [status]

    async def run() -> None:
        task = asyncio.create_task(roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL)))
        await _until(lambda: tower.handshakes)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())
    assert shown(roost)["state"] == state


def test_a_connector_that_fails_is_told_without_what_it_said(roost: Roost, tower: Tower) -> None:
    roost.reopen(Choked)
    tower.greet = lambda line: line.tell(Frame('{"op": "trip"}'))
    asyncio.run(roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL)))
    assert "ZeroDivisionError" in shown(roost)["reason"]
    assert "raven-token-1" not in str(shown(roost))


def test_what_cannot_be_told_again_is_read_back(roost: Roost, tower: Tower) -> None:
    tower.tell(1)
    listen(roost)
    tower.letters = [json.loads(letter(n))["letter"] for n in (1, 2, 3)]
    tower.greet = lambda line: line.tell(Frame('{"op": "hello"}'), Frame('{"op": "lost", "n": 9}'))
    listen(roost)
    roost.hub.drain()
    assert texts(roost) == ["text 1", "text 2", "text 3"]
    assert shown(roost)["backfill"]["cause"] == "gap"


def test_a_gap_reaches_back_to_what_was_kept_last(roost: Roost, tower: Tower) -> None:
    tower.tell(1)
    listen(roost)
    before = roost.clock()
    roost.clock.forward(hours=3)
    tower.greet = lambda line: line.tell(Frame('{"op": "noise", "n": 5}'))
    listen(roost)  # the state moves, and nothing is kept
    tower.greet = lambda line: line.tell(Frame('{"op": "lost", "n": 9}'))
    listen(roost)
    since = datetime.fromisoformat(str(shown(roost)["backfill"]["since"]))
    assert since == before - timedelta(minutes=1)


def test_a_channel_without_a_stream_says_so(roost: Roost) -> None:
    from raven import Raven

    roost.reopen(Raven)
    asyncio.run(roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL)))
    assert "has no stream" in shown(roost)["reason"]


def test_a_removed_channel_leaves_no_state(roost: Roost, tower: Tower) -> None:
    tower.tell(1)
    listen(roost)
    roost.hub.remove_channel(*CHANNEL)
    assert state(roost) == {}


def test_a_paused_channel_hangs_up(roost: Roost, tower: Tower) -> None:
    roost.hub.start()
    wait_for(lambda: tower.lines)
    roost.hub.set_channel_state(*CHANNEL, "paused")
    roost.hub.bell.ring()
    wait_for(lambda: not tower.lines)


def test_an_undeclared_or_unencrypted_stream_is_not_dialled(roost: Roost, tower: Tower) -> None:
    for address, why in (("wss://elsewhere.example/", "may not call"), ("ws://api.raven.example/", "is refused")):
        roost.hub.add_channel(*CHANNEL, "raven", {"stream": address}, mode="stream")

        async def run() -> None:
            task = asyncio.create_task(roost.hub.workers.streaming.once(roost.hub.channels.get(*CHANNEL)))
            await asyncio.sleep(0.2)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        asyncio.run(run())
        assert why in shown(roost)["reason"]
    assert tower.handshakes == []
