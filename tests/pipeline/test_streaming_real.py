"""Streams over real sockets: a WebSocket server and one of server-sent events on this machine, and a death between the
commit and the acknowledgement."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from raven import Roost
from raven.herald import Herald, Loop, letter
from websockets.asyncio.server import serve

from socialsupport_core.contract import Frame, Step
from socialsupport_core.store import streams

CHANNEL = ("acme", "tower")
VICTIM = Path(__file__).with_name("stream_victim.py")


def wait_for(true: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


class Office:
    """A WebSocket server that tells every letter again until its acknowledgement comes."""

    def __init__(self) -> None:
        self.letters = {1: letter(1)}
        self.told: list[int] = []
        self.acknowledged: list[int] = []
        self.resumed: list[int] = []
        self._loop = Loop()
        self._server = self._loop.run(self._serve())
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"

    async def _serve(self) -> Any:
        return await serve(self._talk, "127.0.0.1", 0)

    async def _talk(self, line: Any) -> None:
        await line.send('{"op": "hello", "beat": 0.2}')
        async for text in line:
            said = json.loads(text)
            if said["op"] == "resume":
                self.resumed.append(said["after"])
                for n, one in sorted(self.letters.items()):
                    if n not in self.acknowledged:
                        self.told.append(n)
                        await line.send(one)
            elif said["op"] == "ack":
                self.acknowledged.append(said["n"])

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def close(self) -> None:
        self._loop.run(self._stop())
        self._loop.close()


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.close()


@pytest.fixture
def roost(tmp_path: Path, store: str | Path) -> Iterator[Roost]:
    made = Roost(tmp_path, Herald, store=store)
    yield made
    made.hub.close()


def stream(roost: Roost, **settings: Any) -> None:
    roost.hub.add_channel(*CHANNEL, "raven", settings, mode="stream", open_network=True)


def test_what_was_committed_and_not_acknowledged_is_told_again_and_there_once(roost: Roost, office: Office) -> None:
    stream(roost, stream=office.url)
    roost.hub.close()
    died = subprocess.run(
        [sys.executable, str(VICTIM), str(roost.store), str(roost.path.parent)], check=False, timeout=60
    )
    assert died.returncode == 9
    assert (office.told, office.acknowledged) == ([1], [])
    roost.hub = roost.open(Herald)
    kept = roost.hub._database.read(lambda tx: streams.get(tx, *CHANNEL))
    assert kept is not None
    assert json.loads(kept.state)["after"] == 1
    assert roost.hub.health()["journal"]["accepted"] == 1
    roost.clock.now = time_now()  # the dead one's lease runs out
    roost.hub.start()
    wait_for(lambda: office.acknowledged == [1])
    wait_for(lambda: roost.journal()["waiting"] == 0)
    assert office.resumed == [0, 1]
    assert roost.journal()["accepted"] == 2
    assert roost.texts() == ["text 1"]


def time_now() -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(minutes=1)


def test_a_private_address_that_nobody_has_opened_is_not_dialled(roost: Roost, office: Office) -> None:
    url = office.url.replace("ws://127.0.0.1", "wss://localhost")
    roost.hub.add_channel(*CHANNEL, "raven", {"stream": url}, mode="stream")
    roost.hub.start()
    wait_for(lambda: "not a public address" in str(roost.hub.health()))
    assert office.resumed == []


class Reader(Herald):
    """Reads server-sent events: the id is how far it is."""

    def read_frame(self, state: Any, frame: Frame) -> Step:
        if frame.event != "letter":
            return Step(state)
        body = json.dumps([json.loads(frame.data)["letter"]]).encode()
        return Step(state.model_copy(update={"after": int(frame.id)}), keep=(body,))


def test_events_are_kept_and_gone_on_with_by_their_id(tmp_path: Path, store: str | Path) -> None:
    asked: list[bytes] = []
    loop = Loop()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).lower())
        n = len(asked)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n:thump\n\n"
        writer.write(head + f"event: letter\nid: {n}\ndata: {letter(n)}\n\nevent: other\ndata: x\n\n".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def begin() -> Any:
        return await asyncio.start_server(respond, "127.0.0.1", 0)

    async def end() -> None:
        server.close()
        await server.wait_closed()

    server = loop.run(begin())
    made = Roost(tmp_path, Reader, store=store)
    try:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream"
        made.hub.add_channel(*CHANNEL, "raven", {"stream": url, "sse": True}, mode="stream", open_network=True)
        made.hub.start()
        wait_for(lambda: len(asked) >= 2)
        wait_for(lambda: len(made.texts()) >= 2 if made.hub.find_customers("acme", "kerry") else False)
        assert made.texts()[:2] == ["text 1", "text 2"]
        assert b"last-event-id: 0" in asked[0]
        assert b"last-event-id: 1" in asked[1]
        assert b"authorization: bearer raven-token-1" in asked[0]
    finally:
        made.hub.close()
        loop.run(end())
        loop.close()
