"""The doors: where networks call us. Verify, journal, commit, and only then acknowledge."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload

MAX_BODY = 1024 * 1024  # bytes; GitHub takes 25 MB, Slack and Telegram stay far below one
PATIENCE = 60.0  # seconds
SLOWEST = 64 * 1024  # bytes a second, on top of it
MOST_UNREAD = 64 * 1024 * 1024  # bytes that are read in vain before the line is cut
REPEATABLE = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "cookie", "forwarded", "via", "te"}
    | {"connection", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "pragma", "vary"}
)
"""Headers of which two may come; two of any other could make us verify one and read the other."""


async def door(request: Request) -> Response:
    """404 for a door that is not there, 401 for a forged payload, 413 and 400 for broken HTTP, 503 if nothing
    can be promised or its channel cannot run; else what the connector acknowledges with, after the commit."""
    hub: Hub = request.app.state.hub
    payload = await read_payload(request, hub)
    reply = await asyncio.wrap_future(hub.receive(request.path_params["door"], payload))
    return Response(reply.body, reply.status, headers=dict(reply.headers))


async def read_payload(request: Request, hub: Hub, limit: int = MAX_BODY) -> Payload:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    _no_doubles(headers)
    body = await read_body(request, limit)
    return Payload(
        method=request.method,
        url=called_url(request, hub.public_url),
        headers=headers,
        body=body,
        received_at=hub.clock(),
    )


async def read_body(request: Request, limit: int) -> bytes:
    """Keeps no more than the limit, whatever the length that was announced, and waits no longer than is decent."""
    announced = request.headers.get("content-length", "0")
    if not (announced.isascii() and announced.isdigit()):
        raise HTTPException(400, "Content-Length is not a number")
    chunks = request.stream()
    body = bytearray()
    patience = PATIENCE + limit / SLOWEST
    try:
        if len(announced) <= 18 and int(announced) <= limit:
            async with asyncio.timeout(patience):
                async for chunk in chunks:
                    body += chunk
                    if len(body) > limit:
                        break
                else:
                    return bytes(body)
        if request.headers.get("expect", "").lower() != "100-continue":  # who asks first has sent nothing yet
            await _heard_out(chunks)
    except TimeoutError:
        raise HTTPException(408, f"the body was not there after {patience:.0f} seconds") from None
    except ClientDisconnect:
        raise HTTPException(400, "the connection ended before the body did") from None
    raise HTTPException(413, f"at most {limit:,} bytes are taken")


async def _heard_out(chunks: AsyncIterator[bytes]) -> None:
    """Reads what is too much and keeps nothing of it: whoever is still writing when the line is cut sees a broken line
    and comes again, where a 413 would tell them not to. Not for ever."""
    left = MOST_UNREAD
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            async for chunk in chunks:
                left -= len(chunk)
                if left < 0:
                    return


def called_url(request: Request, public_url: str) -> str:
    """The address as the network called it: our configured one, the raw path and query; never from Host."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.decode("latin-1").removeprefix(request.scope.get("root_path", ""))
    query = request.scope["query_string"].decode("latin-1")
    return f"{public_url}{path}" + (f"?{query}" if query else "")


def _no_doubles(headers: tuple[tuple[str, str], ...]) -> None:
    doubled = [name for name, count in Counter(n.lower() for n, _ in headers).items() if count > 1]
    if wrong := sorted(set(doubled) - REPEATABLE):
        raise HTTPException(400, f"the header {wrong[0]} came twice")
