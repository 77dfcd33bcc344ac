"""What every answer has in common: whose name it answers to, and what a browser may do with it."""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socialsupport_core.hub import Hub
from socialsupport_core.web.problems import problem

logger = logging.getLogger("socialsupport")

FREE = ("/hooks/", "/health")
"""Paths that answer to any name: networks sign what they send, and health checks come by address."""
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "testserver"})

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": CSP,
    "cross-origin-opener-policy": "same-origin",
}


class HostCheck:
    """Refuses other names, so that no page elsewhere can reach us by pointing its own name here."""

    def __init__(self, app: ASGIApp, *, public_url: str, more: frozenset[str]) -> None:
        self._app = app
        self._names = {urlsplit(public_url).hostname or "", *more, *LOOPBACK}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._free(scope) or self._known(scope):
            await self._app(scope, receive, send)
            return
        said = f"{self._name(scope)[:80]!r} is not configured as a name of this hub; see `public_url` and `hosts`"
        await problem(421, "Misdirected Request", said)(scope, receive, send)

    def _free(self, scope: Scope) -> bool:
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return path.startswith(FREE)

    def _known(self, scope: Scope) -> bool:
        return self._name(scope).lower() in self._names

    def _name(self, scope: Scope) -> str:
        host = Headers(scope=scope).get("host", "")
        return host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host


class IdleCheck:
    """Says once that nobody records or sends: the application was meant to run the workers, and never started."""

    def __init__(self, app: ASGIApp, hub: Hub) -> None:
        self._app = app
        self._hub = hub
        self._said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._said and not self._hub.running:
            self._said = True
            logger.warning(
                "this application is mounted in another one and was never started, so nothing is recorded or sent;"
                " give create_app run_workers=False, and call hub.start() and hub.close() in the outer lifespan"
            )
        await self._app(scope, receive, send)


class SecurityHeaders:
    """Adds what is not set already; a surface may set its own policy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
