"""The page itself: files of this package, three words of the channel's, and strict headers."""

import hashlib
import html
from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from string import Template

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from socialsupport_core.contract.pages import readable_on
from socialsupport_webchat.connector import WebchatSettings

STATIC = files("socialsupport_webchat") / "static"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
SCRIPTS = ("chat.js", "log.js", "outbox.js", "richtext.js", "session.js", "stream.js", "widget.js")
EMBEDDED = frozenset({"widget.js", "theme.css"})
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types webchat; "
    "frame-ancestors {ancestors}"
)


def page_routes(settings: WebchatSettings) -> list[BaseRoute]:
    served = {name: _static(name) for name in (*SCRIPTS, "chat.css")}
    served["theme.css"] = theme(settings.accent)
    routes: list[BaseRoute] = [Route("/", _file(page(settings), ".html"))]
    return routes + [
        Route(f"/{name}", _file(content, f".{name.rpartition('.')[2]}")) for name, content in served.items()
    ]


def page(settings: WebchatSettings) -> str:
    words = {
        "title": settings.title,
        "greeting": settings.greeting,
        "channel": settings.own_account,
        "origins": " ".join(settings.allowed_origins),
        "ask": "email" if settings.ask_email else "",
    }
    return Template(_static("chat.html")).substitute({key: html.escape(word) for key, word in words.items()})


def theme(accent: str) -> str:
    return f":root, :host {{ --accent: {accent}; --on-accent: {readable_on(accent)}; }}\n"


def _static(name: str) -> str:
    return (STATIC / name).read_text("utf-8")


def _file(content: str, suffix: str) -> Callable[[Request], Awaitable[Response]]:
    body = content.encode()
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "cache-control": "no-cache"}

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=MEDIA_TYPES[suffix], headers=headers)

    return serve


class PageHeaders:
    """Headers on every answer. Only what a host page needs may be loaded by other sites."""

    def __init__(self, app: ASGIApp, allowed_origins: Iterable[str] = ()) -> None:
        self.app = app
        ancestors = " ".join(("'self'", *allowed_origins))
        self.headers = {
            "content-security-policy": CSP.format(ancestors=ancestors),
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",  # a hand-off token may be in the address
            "permissions-policy": "camera=(), microphone=(), geolocation=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self.headers)
                headers["cross-origin-resource-policy"] = _readers(scope)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _readers(scope: Scope) -> str:
    return "cross-origin" if scope["path"].rpartition("/")[2] in EMBEDDED else "same-origin"
