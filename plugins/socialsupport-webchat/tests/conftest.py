"""A hub in memory for the surface to stand in, and a server to put it on."""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount

from socialsupport_core.contract import Entry, SignatureError, drive
from socialsupport_core.model import (
    Choice,
    DeleteMessage,
    EditMessage,
    Event,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Reply,
    SendMessage,
    Thread,
)
from socialsupport_webchat.connector import Webchat, WebchatSettings
from socialsupport_webchat.surface import Surface

SETTINGS = WebchatSettings(
    own_account="acme-web",
    secret=SecretStr("a-secret-for-these-tests"),
    identity_secret=SecretStr("an-identity-secret-for-these-tests"),
    title="Acme support",
    allowed_origins=("https://www.acme.example",),
)


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class MemoryHost:
    """What the hub does for a surface, without a store: verify, journal, record once, acknowledge."""

    channel = "acme-web"

    def __init__(self, connector: Webchat, public_url: str, clock: Callable[[], datetime]) -> None:
        self.connector = connector
        self.public_url = public_url
        self.clock = clock
        self.journal: list[Payload] = []
        self.events: list[Event] = []
        self.log: list[tuple[str, Entry]] = []
        self.refuse = 0
        """So many payloads are answered 503, uncommitted."""
        self.lose_answers = 0
        """So many payloads are committed and then answered 500."""
        self.when_idle: Callable[[], None] = lambda: None
        self._news = asyncio.Condition()

    async def accept(self, payload: Payload) -> Reply:
        if self.refuse > 0:
            self.refuse -= 1
            return Reply(status=503)
        try:
            self.connector.verify(payload)
        except SignatureError:
            return Reply(status=401)
        self.journal.append(payload)
        for event in self.connector.parse(payload):
            if event.id not in {known.id for known in self.events}:
                self.events.append(event)
                await self._record(event)
        if self.lose_answers > 0:
            self.lose_answers -= 1
            return Reply(status=500)
        return self.connector.acknowledge(payload)

    async def entries(self, thread: str, after: int = 0) -> list[Entry]:
        return [entry for where, entry in self.log if where == thread and entry.cursor > after][:200]

    async def changed(self, after: int, timeout: float) -> int:
        async with self._news:
            if after == 0:
                self.when_idle()
            elif len(self.log) <= after:
                try:
                    await asyncio.wait_for(self._news.wait(), timeout)
                except TimeoutError:
                    self.when_idle()
        return len(self.log)

    async def write(self, thread: str, kind: str, data: dict[str, Any]) -> None:
        async with self._news:
            self.log.append((thread, Entry(cursor=len(self.log) + 1, type=kind, data=data)))
            self._news.notify_all()

    async def _record(self, event: Event) -> None:
        if isinstance(event, InteractionReceived):
            await self.write(event.interaction.thread.id, event.type, json.loads(event.to_json()))

    # what agents do

    async def reply(self, visitor: str, text: str, *choices: str, key: str = "") -> str:
        thread = Thread(id=visitor, visibility="private")
        buttons = tuple(Choice(title=title, value=title.lower()) for title in choices)
        intent = SendMessage(
            key=key or f"reply-{len(self.log)}",
            own_account="acme-web",
            thread=thread,
            text=text,
            choices=buttons,
        )
        receipt = drive(self.connector.send(intent), _no_calls, self.connector.failure)
        sent = self.interaction(visitor, receipt.native_id or "", text)
        data: dict[str, Any] = json.loads(InteractionReceived(id=f"sent:{intent.key}", interaction=sent).to_json())
        if choices:
            data["interaction"]["choices"] = [button.model_dump() for button in buttons]
        await self.write(visitor, "interaction.received", data)
        return sent.native_id

    async def edit(self, visitor: str, native_id: str, text: str) -> None:
        target = self.interaction(visitor, native_id, "before")
        intent = EditMessage(key="edit", own_account="acme-web", thread=target.thread, target=target, text=text)
        receipt = drive(self.connector.send(intent), _no_calls, self.connector.failure)
        edited = self.interaction(visitor, receipt.native_id or "", text)
        await self.write(visitor, "interaction.edited", {"interaction": json.loads(edited.to_json())})

    async def delete(self, visitor: str, native_id: str) -> None:
        target = self.interaction(visitor, native_id, "before")
        intent = DeleteMessage(key="delete", own_account="acme-web", thread=target.thread, target=target)
        receipt = drive(self.connector.send(intent), _no_calls, self.connector.failure)
        await self.write(visitor, "interaction.deleted", {"native_id": receipt.native_id})

    async def type(self, visitor: str) -> None:
        await self.write(visitor, "typing.started", {"author": {"is_self": True, "name": "Robin"}})

    def interaction(self, visitor: str, native_id: str, text: str) -> Interaction:
        return Interaction(
            network="webchat",
            native_id=native_id,
            kind="message",
            direction="outbound",
            own_account="acme-web",
            thread=Thread(id=visitor, visibility="private"),
            author=Party(name="Robin", is_self=True),
            text=text,
            context="never for the visitor",
            sent_at=self.clock(),
        )

    def texts(self) -> list[str | None]:
        """What visitors have said, as recorded."""
        return [event.interaction.text for event in self.events if isinstance(event, InteractionReceived)]


def _no_calls(ask: Any) -> Any:
    raise AssertionError(f"the web chat calls nobody, but asked {ask!r}")


class Server:
    """The surface on a real port, in a thread of its own."""

    def __init__(self, settings: WebchatSettings = SETTINGS) -> None:
        self.config = uvicorn.Config(
            self._app,
            host="127.0.0.1",
            port=0,
            log_level="warning",
            timeout_graceful_shutdown=1,
            ws="none",
            lifespan="off",
            interface="asgi3",
        )
        self.server = uvicorn.Server(self.config)
        self.connector = Webchat(settings)
        self.host = MemoryHost(self.connector, "http://127.0.0.1/chat/acme-web", lambda: datetime.now(UTC))
        surface = Surface(self.connector, self.host, heartbeat=0.5).app()
        self.mounted = Starlette(routes=[Mount("/chat/acme-web", surface)])
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        self.loop = asyncio.get_running_loop()
        await self.mounted(scope, receive, send)

    def __enter__(self) -> "Server":
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/chat/acme-web/"
        self.host.public_url = self.url.rstrip("/")
        return self

    def __exit__(self, *error: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs what an agent does on the server's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def webchat() -> Webchat:
    return Webchat(SETTINGS)


@pytest.fixture
def host(webchat: Webchat, clock: Clock) -> MemoryHost:
    return MemoryHost(webchat, "https://hub.example/chat/acme-web", clock)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        yield server
