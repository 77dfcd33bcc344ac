"""Surfaces: the pages that plugins bring along, each mounted at `/chat/{door}`."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from socialsupport_core.contract import Entry
from socialsupport_core.hub import Hub, NoSuchDoor
from socialsupport_core.model import Payload, Reply
from socialsupport_core.store import StoreError
from socialsupport_core.store.accounts import Channel

T = TypeVar("T")
PAUSE = 1.0  # seconds until the store is asked again
SHOWN = frozenset({"interaction.received", "interaction.edited", "interaction.deleted", "delivery.updated"})


class Host:
    """What one channel's surface may do (`contract.SurfaceHost`)."""

    def __init__(self, hub: Hub, channel: Channel) -> None:
        self._hub = hub
        self._channel = channel

    @property
    def channel(self) -> str:
        return self._channel.id

    @property
    def public_url(self) -> str:
        return f"{self._hub.public_url}/chat/{self._channel.door}"

    async def accept(self, payload: Payload) -> Reply:
        """503 while nothing can be promised."""
        try:
            return await asyncio.wrap_future(self._hub.receive(self._channel.door, payload))
        except StoreError:
            return Reply(status=503)

    async def entries(self, thread: str, after: int = 0) -> list[Entry]:
        tenant, channel = self._channel.tenant, self._channel.id
        found = await _patiently(self._hub.thread_events, tenant, channel, thread, after, SHOWN)
        return [Entry(cursor=one.cursor, type=one.type, data=one.data) for one in found]

    async def changed(self, after: int, timeout: float) -> int:
        heard = self._hub.bell.heard()
        newest = await _patiently(self._hub.cursor)
        if newest > after:
            return newest
        await self._hub.bell.listen(heard, timeout)
        return await _patiently(self._hub.cursor)


async def _patiently(call: Callable[..., T], *values: Any) -> T:
    """A stream that is open goes on when the store answers again."""
    while True:
        try:
            return await asyncio.to_thread(call, *values)
        except StoreError:
            await asyncio.sleep(PAUSE)


class Surfaces:
    """Finds the channel's surface, made when it is first asked for and again when its settings change."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._apps: dict[str, tuple[Any, ASGIApp]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        root = scope.get("root_path", "")
        door, slash, _ = scope["path"].removeprefix(root).lstrip("/").partition("/")
        try:
            app = self._app(door)
        except NoSuchDoor:
            await PlainTextResponse("there is no such chat", 404)(scope, receive, send)
            return
        if not slash and scope["type"] == "http":
            location = {"location": f"{root}/{door}/"}
            await PlainTextResponse("", 308, headers=location)(scope, receive, send)
            return
        await app({**scope, "root_path": f"{root}/{door}"}, receive, send)

    def _app(self, door: str) -> ASGIApp:
        found = self._hub.channels.door(door)
        factory = self._hub.registry.surfaces.get(found.connector.name)
        if factory is None or found.tenant is None:
            raise NoSuchDoor("there is no such chat")
        made = self._apps.get(door)
        if made is None or made[0] is not found.connector:
            made = (found.connector, factory(found.connector, Host(self._hub, found.channels[0])))
            self._apps[door] = made
        return made[1]
