"""What a call costs besides the network."""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from importlib.machinery import ModuleSpec
from types import ModuleType

import httpx
from raven import Raven, RavenSettings

from socialsupport_core.contract import Flow
from socialsupport_core.store import Database
from socialsupport_core.wire import NetworkWire


class Asked:
    """Writes down which modules are looked for on the path."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, name: str, _path: Sequence[str] | None, _target: ModuleType | None = None) -> ModuleSpec | None:
        self.names.append(name)
        return None


class Homing(Raven):
    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"127.0.0.1"})


async def answer(done: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(asyncio.IncompleteReadError):
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
    writer.close()
    await writer.wait_closed()
    done.set()


def flow_of(url: str) -> Flow[str]:
    answered: httpx.Response = yield httpx.Request("GET", url)
    return answered.text


def test_a_call_looks_for_no_module(database: Database) -> None:
    """A module that is missing is looked for again each time, in every folder of the path."""
    asked, raven = Asked(), Homing(RavenSettings.model_validate({"token": "a-token", "secret": "a-secret"}))

    async def go() -> list[str]:
        done = asyncio.Event()
        server = await asyncio.start_server(partial(answer, done), "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        wire = NetworkWire(database=database)
        told = [await wire.run(flow_of(url), raven, open_network=True)]
        sys.meta_path.insert(0, asked)
        told.append(await wire.run(flow_of(url), raven, open_network=True))
        await wire.aclose()
        await done.wait()
        server.close()
        return told

    try:
        assert asyncio.run(go()) == ["ok", "ok"]
    finally:
        if asked in sys.meta_path:
            sys.meta_path.remove(asked)
    assert asked.names == []
