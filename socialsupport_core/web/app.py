"""The application: which path is answered where."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from socialsupport_core.hub import Hub
from socialsupport_core.web import api, connect, doors, metrics, pages
from socialsupport_core.web.guards import HostCheck, IdleCheck, SecurityHeaders
from socialsupport_core.web.presence import Presence
from socialsupport_core.web.problems import HANDLERS
from socialsupport_core.web.surfaces import Surfaces


def create_app(
    hub: Hub,
    *,
    inbox: bool = False,
    hosts: frozenset[str] = frozenset(),
    run_workers: bool = True,
    more: tuple[BaseRoute, ...] = (),
    around: Callable[[], AbstractAsyncContextManager[object]] | None = None,
) -> Starlette:
    """`inbox` turns the agents' page on; people sign in there with an API token.

    `hosts` are names beside that of the public address under which pages and API may be called. With
    `run_workers` the hub starts and closes with the application; a host that mounts the application inside its
    own passes False and does both itself, for a mounted application is never told of its start. Should that be
    forgotten, the first request says so in the log, and /health is 503. `around` is entered before the first
    request and left after the last.
    """
    routes: list[BaseRoute] = [
        Route("/hooks/app/{door}", doors.door, methods=["GET", "POST", "PUT"]),
        Route("/hooks/{door}", doors.door, methods=["GET", "POST", "PUT"]),
        Mount("/chat", Surfaces(hub)),
        *pages.HANDOFF,
        *connect.PAGES,
        Route("/health", metrics.health),
        Route("/metrics", metrics.metrics),
        Mount("/api", routes=api.ROUTES, name="api"),
        *more,
        *(pages.INBOX if inbox else ()),
    ]
    app = Starlette(
        routes=routes,
        lifespan=_lifespan(hub, run_workers, around),
        exception_handlers=HANDLERS,
        middleware=[
            *([Middleware(IdleCheck, hub)] if run_workers else ()),
            Middleware(HostCheck, public_url=hub.public_url, more=hosts),
            Middleware(SecurityHeaders),
        ],
    )
    app.state.hub = hub
    app.state.inbox = inbox
    app.state.run_workers = run_workers
    app.state.presence = Presence(hub.clock, hub.bell.ring)
    return app


def _lifespan(
    hub: Hub, run_workers: bool, around: Callable[[], AbstractAsyncContextManager[object]] | None
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        if run_workers:
            hub.start()
        try:
            async with around() if around else nullcontext():
                yield
        finally:
            if run_workers:
                await asyncio.to_thread(hub.close)

    return lifespan
