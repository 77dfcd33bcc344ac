"""Surfaces: web pages that a plugin brings along, such as the web chat. Mounted at `/chat/{channel}`."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from socialsupport_core.model import Payload, Reply, Value

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class Entry(Value):
    """One entry of a thread as its participant may see it."""

    cursor: int
    type: str
    """`interaction.received` or `.edited`, `interaction.deleted`, `delivery.updated`."""
    data: dict[str, Any]
    """The event as JSON; internal notes never appear."""


class SurfaceHost(Protocol):
    """What the hub offers to a surface."""

    @property
    def channel(self) -> str: ...

    @property
    def public_url(self) -> str:
        """Of this surface, without a slash at the end."""
        ...

    async def accept(self, payload: Payload) -> Reply:
        """Exactly what the channel's door does: verify, journal, commit, acknowledge."""
        ...

    async def entries(self, thread: str, after: int = 0) -> list[Entry]:
        """What was recorded in the thread since the cursor, in both directions, at most 200."""
        ...

    async def changed(self, after: int, timeout: float) -> int:
        """Waits until something was recorded anywhere after the log cursor `after`; the newest cursor.

        0 as `after` answers at once. After `timeout` seconds it answers with what there is.
        """
        ...


class Listener(Protocol):
    """A door that is not HTTP, such as an SMTP server."""

    async def start(self) -> str:
        """Starts to listen; the address as `host:port`."""
        ...

    async def stop(self) -> None:
        """Stops; what is under way is finished first."""
        ...


ListenerFactory = Callable[[Any, Callable[[Payload], Awaitable[Reply]], str, int], Listener]
"""From the channel's connector, what its door does with a payload, a host and a port (0 takes any) to a listener."""

SurfaceFactory = Callable[[Any, SurfaceHost], ASGIApp]
"""From the channel's connector and the host to an ASGI application."""
