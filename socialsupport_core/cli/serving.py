"""Runs an ASGI application until Ctrl-C, on a port that is known to be free and on a store that nobody else has."""

import asyncio
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

import uvicorn
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from socialsupport_core.cli import garbage
from socialsupport_core.cli.patience import Patient
from socialsupport_core.contract import ConfigError

GRACE = 3  # seconds that requests under way get at the end


def bound(host: str, port: int, option: str = "--port") -> socket.socket:
    """A listening socket; port 0 takes any that is free. Raises ConfigError that names the option to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        other = "--host" if isinstance(error, socket.gaierror) else option
        raise ConfigError(f"cannot listen on {host}:{port} ({error.strerror}); give another {other}") from None
    opened.listen(128)
    return opened


def free_port(host: str, port: int = 0, option: str = "--port") -> int:
    """That port if it is free, any if it is 0."""
    with bound(host, port, option) as opened:
        return int(opened.getsockname()[1])


def run(app: Starlette, opened: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serves until the process is asked to stop, then finishes what is under way. `ready` is called in between.

    Whatever the application's own start raises is raised here.
    """
    ending = _Ending(app)
    config = uvicorn.Config(
        ending,
        lifespan="off",  # done here: uvicorn would print the stack of an error that has one line
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=GRACE,
        server_header=False,
        ws="none",
        http=Patient,
    )
    server = _Serving(config)
    server.app, server.ending, server.ready = app, ending, ready
    server.run(sockets=[opened])


class _Serving(uvicorn.Server):
    """Starts and ends the application around the serving, and says when it answers."""

    app: Starlette
    ending: "_Ending"
    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._around = AsyncExitStack()
        await self._around.enter_async_context(self.app.router.lifespan_context(self.app))
        await super().startup(sockets)
        if self.started:
            garbage.settle()
            self.ready()
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.ending.begin()
        await super().shutdown(sockets)
        await self._around.aclose()


class _Ending:
    """Ends what has no end of its own. To an event stream the end of the serving looks as if its reader had gone;
    the reader gets a proper end of the answer, and comes back with its cursor."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._begun = asyncio.Event()

    def begin(self) -> None:
        self._begun.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(receive, send, self._begun)
        await self._app(scope, answer.receive, answer.send)
        await answer.complete()


class _Answer:
    def __init__(self, receive: Receive, send: Send, ending: asyncio.Event) -> None:
        self._receive, self._send, self._ending = receive, send, ending
        self._asked = self._open = False

    async def receive(self) -> Message:
        """A body that is still coming is waited for; whoever waits after it waits for the reader to go."""
        if not self._asked:
            message = await self._receive()
            self._asked = not message.get("more_body", False)
            return message
        gone = asyncio.ensure_future(self._receive())
        ending = asyncio.ensure_future(self._ending.wait())
        try:
            await asyncio.wait({gone, ending}, return_when=asyncio.FIRST_COMPLETED)
            return gone.result() if gone.done() else {"type": "http.disconnect"}
        finally:
            gone.cancel()
            ending.cancel()

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message["type"].startswith("http.response"):
            self._open = message["type"] == "http.response.start" or message.get("more_body", False)

    async def complete(self) -> None:
        if self._open and self._ending.is_set():
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
