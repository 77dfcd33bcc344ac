"""Runs an ASGI application until Ctrl-C, on a port that is known to be free."""

import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from socialsupport_core.contract import ConfigError


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any that is free. Raises ConfigError when the port is in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise ConfigError(f"cannot listen on {host}:{port} ({error.strerror}); give another --port") from None
    opened.listen(128)
    return opened


def free_port(host: str) -> int:
    with bound(host, 0) as opened:
        return int(opened.getsockname()[1])


def run(app: ASGIApp, opened: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serves until the process is asked to stop, then finishes what is under way. `ready` is called in between."""
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=3,
        server_header=False,
        ws="none",
    )
    server = _Announcing(config)
    server.ready = ready
    server.run(sockets=[opened])
    if not server.started:
        raise ConfigError("the application could not start; its reason stands above")


class _Announcing(uvicorn.Server):
    """Says when it answers."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()
            sys.stdout.flush()
