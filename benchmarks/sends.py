"""A reply, from the call to the receipt, against a bare POST of the same JSON: CPU time, in one run.

    python -m benchmarks.sends     is the server that answers; it prints its port

*socialsupport* plans the reply, commits it to the outbox, claims it, renders its CommonMark, sends it with whatever
it takes not to send it twice, and commits the receipt. The rates that Telegram allows are switched off.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpx

from benchmarks import telegram
from benchmarks.figures import MICRO, Figure, cpu
from benchmarks.stores import Ground, sqlite
from socialsupport_core.contract import Connector, hookimpl
from socialsupport_core.hub import Hub
from socialsupport_core.model import RateLimit
from socialsupport_telegram import Telegram

HOUSE = Path(__file__).parents[1]
AT_ONCE = 64
"""As many as the hub has under way."""
PEOPLE = 100
PATIENCE = 600.0
TEXT = "Thank you, **Kerry**. Your parcel [4711](https://shop.example/4711) arrives tomorrow, *promised*."
PLAIN = "Thank you, Kerry. Your parcel 4711 arrives tomorrow, promised."
ENTITIES = [
    {"type": "bold", "offset": 11, "length": 5},
    {"type": "text_link", "offset": 30, "length": 4, "url": "https://shop.example/4711"},
    {"type": "italic", "offset": 53, "length": 8},
]
ANSWER = (
    b'{"ok":true,"result":{"message_id":%d,"date":1767225600,"chat":{"id":%d,"type":"private"},'
    b'"from":{"id":123456,"is_bot":true,"first_name":"Bot"},"text":"Thank you"}}'
)


class Unlimited(Telegram):
    rate_limits: ClassVar[tuple[RateLimit, ...]] = ()


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Unlimited,)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says that each message was sent, as the Bot API does."""
    number = 0
    while head := await reader.readuntil(b"\r\n\r\n"):
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(length)
        number += 1
        body = ANSWER % (number * 100_000 + id(writer) % 100_000, 42)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
        writer.write(body)
        await writer.drain()


async def serve() -> None:
    async def until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(until_closed, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def server() -> Iterator[str]:
    """In a process of its own, so that its CPU time is not ours."""
    command = [sys.executable, "-m", "benchmarks.sends"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=HOUSE, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.communicate()


def bare(kind: Callable[[str, int], Awaitable[None]], address: str, count: int) -> float:
    return cpu(lambda: asyncio.run(kind(f"{address}/bot1:A/sendMessage", count)))  # type: ignore[arg-type]


def content(number: int) -> dict[str, Any]:
    return {"chat_id": 1000 + number % PEOPLE, "text": f"{number}: {PLAIN}", "entities": ENTITIES}


async def by_httpx(address: str, count: int) -> None:
    async with httpx.AsyncClient() as client:

        async def post(number: int) -> None:
            (await client.post(address, json=content(number))).json()["result"]

        await _at_once(post, count)


async def by_aiohttp(address: str, count: int) -> None:
    import aiohttp  # noqa: PLC0415 - a peer, measured here only

    async with aiohttp.ClientSession() as client:

        async def post(number: int) -> None:
            async with client.post(address, json=content(number)) as response:
                (await response.json())["result"]

        await _at_once(post, count)


async def _at_once(post: Callable[[int], Awaitable[None]], count: int) -> None:
    for at in range(0, count, AT_ONCE):
        await asyncio.gather(*(post(number) for number in range(at, min(count, at + AT_ONCE))))


def ours(place: Ground, address: str, count: int) -> float:
    """Seconds of CPU."""
    with closing(place.open(place.store(), sys.modules[__name__])) as hub:
        conversations = prepare(hub, address)
        hub.start()

        def send() -> None:
            for number in range(count):
                hub.reply("acme", conversations[number % PEOPLE], f"{number}: {TEXT}", agent="dana")
            _until_sent(hub, count)

        return cpu(send)


def prepare(hub: Hub, address: str) -> list[str]:
    """A bot whose API is the local server, and people who have written to it."""
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    settings = telegram.SETTINGS | {"api": address}
    door = hub.add_channel("acme", "bot", "telegram", settings, open_network=True).rsplit("/", 1)[1]
    telegram.ingest(hub, door, [telegram.payload(number, number) for number in range(PEOPLE)])
    return [
        hub.customer("acme", f"telegram.user:{1000 + number}")["conversations"][0]["id"] for number in range(PEOPLE)
    ]


def _until_sent(hub: Hub, count: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while (states := hub.health()["outbox"]).get("sent", 0) < count:
        if states.get("failed") or states.get("uncertain") or time.monotonic() > deadline:
            raise AssertionError(f"not all was sent: {states}")
        time.sleep(0.2)


def measure(count: int) -> list[Figure]:
    with server() as address, sqlite() as place:
        for kind in (by_httpx, by_aiohttp):
            bare(kind, address, AT_ONCE)  # imports, and the first connections
        plain = {name: bare(kind, address, count) for name, kind in (("httpx", by_httpx), ("aiohttp", by_aiohttp))}
        used = ours(place, address, count)
    each = used / count * MICRO
    return [
        Figure(
            "a reply until its receipt, durable", each, f"a bare POST by {name}", base / count * MICRO, "µs CPU each"
        )
        for name, base in plain.items()
    ]


if __name__ == "__main__":
    asyncio.run(serve())
