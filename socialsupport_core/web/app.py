"""The application: which path is answered where."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route

from socialsupport_core.hub import Hub
from socialsupport_core.web import api, doors, pages
from socialsupport_core.web.guards import HostCheck, SecurityHeaders
from socialsupport_core.web.problems import HANDLERS
from socialsupport_core.web.surfaces import Surfaces


def create_app(
    hub: Hub,
    *,
    inbox: bool = False,
    hosts: frozenset[str] = frozenset(),
    run_workers: bool = True,
    more: tuple[BaseRoute, ...] = (),
) -> Starlette:
    """`inbox` turns the agents' page on; people sign in there with an API token.

    `hosts` are names beside that of the public address under which pages and API may be called. With
    `run_workers` the hub starts and closes with the application; a host that mounts the application inside its
    own passes False and does both itself.
    """
    routes: list[BaseRoute] = [
        Route("/hooks/app/{door}", doors.door, methods=["GET", "POST", "PUT"]),
        Route("/hooks/{door}", doors.door, methods=["GET", "POST", "PUT"]),
        Mount("/chat", Surfaces(hub)),
        Route("/h/{token}", pages.handoff),
        Route("/health", api.health),
        Route("/metrics", api.metrics),
        Mount("/api", routes=api.ROUTES, name="api"),
        *more,
        *(pages.INBOX if inbox else ()),
    ]
    app = Starlette(
        routes=routes,
        lifespan=_lifespan(hub) if run_workers else None,
        exception_handlers=HANDLERS,
        middleware=[
            Middleware(HostCheck, public_url=hub.public_url, more=hosts),
            Middleware(SecurityHeaders),
        ],
    )
    app.state.hub = hub
    return app


def _lifespan(hub: Hub) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        hub.start()
        try:
            yield
        finally:
            hub.close()

    return lifespan
