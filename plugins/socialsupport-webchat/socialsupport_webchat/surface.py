"""The web chat's page and its protocol, as an ASGI application. The hub's log is the only store."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from socialsupport_core.contract import MalformedPayload, SurfaceHost
from socialsupport_core.model import Payload
from socialsupport_webchat import protocol
from socialsupport_webchat.connector import IdentityRefused, Webchat
from socialsupport_webchat.entries import shown
from socialsupport_webchat.limits import Buckets, Rate
from socialsupport_webchat.page import PageHeaders, page_routes

MAX_BODY = 64 * 1024
BODY_SECONDS = 15
HEARTBEAT_SECONDS = 15.0
"""Below the half minute after which common proxies cut a silent connection."""
STREAM_LIFETIME = timedelta(minutes=15)
"""Then the browser comes again, with a token that is looked at anew."""
MAX_STREAMS = 8
"""For one visitor: as many tabs."""

SESSIONS = Rate(burst=60, seconds=1)  # for one address; a company may sit behind it
MESSAGES = Rate(burst=20, seconds=1)  # for one visitor: more than anybody types
SIGNALS = Rate(burst=20, seconds=2)  # typing and read

SAID_AT: Mapping[str, tuple[type[protocol.Said], Rate]] = {
    "messages": (protocol.Message, MESSAGES),
    "identify": (protocol.Identify, MESSAGES),
    "typing": (protocol.Typing, SIGNALS),
    "read": (protocol.Read, SIGNALS),
}


class Surface:
    def __init__(
        self,
        connector: Webchat,
        host: SurfaceHost,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        self.connector = connector
        self.settings = connector.settings
        self.host = host
        self.clock = clock
        self.heartbeat = heartbeat
        self._streams: Counter[str] = Counter()
        self._sessions = self._buckets(SESSIONS)
        self._said = {path: self._buckets(rate) for path, (_, rate) in SAID_AT.items()}

    def app(self) -> Starlette:
        return Starlette(
            routes=self._routes(),
            middleware=[
                Middleware(PageHeaders, allowed_origins=self.settings.allowed_origins),
                Middleware(
                    CORSMiddleware,
                    allow_origins=self.settings.allowed_origins,
                    allow_methods=("GET", "POST"),
                    allow_headers=("authorization", "content-type", "last-event-id"),
                ),
            ],
            exception_handlers={HTTPException: _problem},
        )

    def _routes(self) -> list[BaseRoute]:
        said = [Route(f"/{path}", self.say, methods=["POST"], name=path) for path in SAID_AT]
        return [
            *page_routes(self.settings),
            Route("/session", self.session, methods=["POST"]),
            Route("/stream", self.stream, methods=["GET"]),
            *said,
        ]

    # the protocol

    async def session(self, request: Request) -> Response:
        """A new visitor, or a fresh token for one who shows a good old one."""
        self._check_origin(request)
        _spend(self._sessions, request.client.host if request.client else "")
        visitor = self._visitor(request) or secrets.token_hex(16)
        now = self.clock()
        token = protocol.make_token(self.settings.secret, self.settings.own_account, visitor, now)
        return JSONResponse({"visitor": visitor, "token": token, "now": now.isoformat()})

    async def say(self, request: Request) -> Response:
        """Everything that a visitor does. 2xx only after the hub has committed it."""
        self._check_origin(request)
        visitor = self._signed_in(request)
        path = request.url.path.rsplit("/", 1)[1]
        _spend(self._said[path], visitor)
        said = _understood(SAID_AT[path][0], visitor, await _body(request))
        self._check_identity(said)
        reply = await self.host.accept(self._payload(path, said))
        if reply.status >= 300:
            raise HTTPException(reply.status, "the message was not taken; try again later")
        return JSONResponse({"ok": True})

    async def stream(self, request: Request) -> Response:
        """Recorded entries as server-sent events, from the cursor on."""
        self._check_origin(request)
        visitor = self._signed_in(request)
        after = _cursor(request)
        if self._streams[visitor] >= MAX_STREAMS:
            raise HTTPException(429, f"at most {MAX_STREAMS} streams; close a tab", {"retry-after": "10"})
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._counted(visitor, after), media_type="text/event-stream", headers=headers)

    async def _counted(self, visitor: str, after: int) -> AsyncIterator[str]:
        self._streams[visitor] += 1
        try:
            async for event in self._events(visitor, after):
                yield event
        finally:
            self._streams[visitor] -= 1
            if not self._streams[visitor]:
                del self._streams[visitor]

    async def _events(self, visitor: str, after: int) -> AsyncIterator[str]:
        until = self.clock() + STREAM_LIFETIME
        caught_up = False
        newest = await self.host.changed(0, 0)
        while self.clock() < until:
            entries = await self.host.entries(visitor, after)
            for entry in entries:
                after = entry.cursor
                if content := shown(entry):
                    yield f"id: {after}\nevent: entry\ndata: {json.dumps(content)}\n\n"
            if entries:
                continue  # there may be more than one page
            if not caught_up:
                yield "event: live\ndata: {}\n\n"
                caught_up = True
            seen, newest = newest, await self._news(newest)
            if newest == seen:
                yield ": still here\n\n"

    async def _news(self, newest: int) -> int:
        if newest == 0:  # nothing was ever recorded, and the host answers 0 at once
            await asyncio.sleep(min(1.0, self.heartbeat))
        return await self.host.changed(newest, self.heartbeat)

    # who may

    def _visitor(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        own_account = self.settings.own_account
        return protocol.read_token(token, self.connector.secrets, own_account, self.clock())

    def _signed_in(self, request: Request) -> str:
        visitor = self._visitor(request)
        if visitor is None:
            raise HTTPException(401, "the token is missing, wrong or too old; ask for a new session")
        return visitor

    def _check_origin(self, request: Request) -> None:
        """A page of another site may not speak for its visitors. Programs that are no browser send no Origin."""
        origin = request.headers.get("origin")
        if origin is None or request.headers.get("sec-fetch-site") == "same-origin":
            return
        if origin != _origin(self.host.public_url) and origin not in self.settings.allowed_origins:
            raise HTTPException(403, f"{origin} is not among the channel's `allowed_origins`")

    def _check_identity(self, said: protocol.Said) -> None:
        if not isinstance(said, protocol.Identify):
            return
        try:
            self.connector.identity(said.identity, said.signature, self.clock())
        except IdentityRefused as error:
            raise HTTPException(400 if said.signature is None else 401, str(error)) from None

    # inside

    def _payload(self, path: str, said: protocol.Said) -> Payload:
        body = protocol.write(said)
        signature = protocol.sign(self.settings.secret, body)
        return Payload(
            url=f"{self.host.public_url}/{path}",
            headers=(("content-type", "application/json"), (protocol.SIGNATURE_HEADER, signature)),
            body=body,
            received_at=self.clock(),
        )

    def _buckets(self, rate: Rate) -> Buckets:
        return Buckets(rate, lambda: self.clock().timestamp())


def make_surface(connector: Webchat, host: SurfaceHost) -> Starlette:
    return Surface(connector, host).app()


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _spend(buckets: Buckets, key: str) -> None:
    if wait := buckets.take(key):
        raise HTTPException(429, "too much at once; wait a little", {"retry-after": str(int(wait) + 1)})


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise HTTPException(413, f"at most {MAX_BODY} bytes")
    except ClientDisconnect:
        raise HTTPException(400, "the body was cut short") from None
    except TimeoutError:
        raise HTTPException(408, f"the body did not come within {BODY_SECONDS} seconds") from None
    return bytes(body)


def _understood(model: type[protocol.Said], visitor: str, body: bytes) -> protocol.Said:
    """What the visitor says, under the visitor's own id whatever the body claims."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is not JSON") from None
    if not isinstance(content, dict):
        raise HTTPException(400, "the body is not a JSON object")
    try:
        return protocol.read(model, json.dumps({**content, "visitor": visitor}))
    except MalformedPayload as error:
        raise HTTPException(400, str(error)) from None


def _cursor(request: Request) -> int:
    written = request.query_params.get("after") or request.headers.get("last-event-id") or "0"
    if not (written.isascii() and written.isdigit() and len(written) <= 18):
        raise HTTPException(400, "`after` is a cursor: a whole number")
    return int(written)


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    content = {"type": "about:blank", "status": error.status_code, "detail": error.detail}
    return JSONResponse(content, error.status_code, headers=error.headers, media_type="application/problem+json")
