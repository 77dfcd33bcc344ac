"""What every answer has in common: whose name it answers to, and what a browser may do with it."""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
        answer = PlainTextResponse("this name is not configured; see `public_url` and `hosts`", 421)
        await answer(scope, receive, send)

    def _free(self, scope: Scope) -> bool:
        path: str = scope["path"].removeprefix(scope.get("root_path", ""))
        return path.startswith(FREE)

    def _known(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "")
        name = host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
        return name.lower() in self._names


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
