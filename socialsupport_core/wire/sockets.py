"""The sockets of streams: WebSocket and server-sent events, at checked addresses only."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Protocol

import httpx

from socialsupport_core.contract.errors import Forbidden, Unavailable
from socialsupport_core.contract.stream import MAX_FRAME, Closed, Dial, Frame
from socialsupport_core.wire.guard import PinnedTransport, place, public_addresses
from socialsupport_core.wire.sse import Events, TooLarge

OPENING = 15.0  # seconds
CLOSING = 2.0
SILENCE = 90.0  # seconds without a byte after which server-sent events are given up; a comment is enough
MAX_QUEUE = 64  # frames that are read ahead
TOO_LARGE = 1009  # RFC 6455, 7.4.1
MAX_REFUSAL = 64 * 1024  # bytes of an answer that refuses a connection


class Refused(Exception):
    """The network has answered with something else than a stream."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(f"the network answered {response.status_code}")
        self.response = response


class Line(Protocol):
    """One connection."""

    @property
    def closed(self) -> Closed:
        """How it ended, once `frames` is at its end."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """What comes, until it is closed."""
        ...

    async def say(self, text: str) -> None:
        """Whatever is said to a closed line is lost."""
        ...

    async def aclose(self) -> None: ...


class Sockets(Protocol):
    """Opens connections. A simulated network brings its own."""

    async def connect(self, dial: Dial, request: httpx.Request, *, open_network: bool) -> Line:
        """`request` has the address and all headers. Raises Refused, Unavailable, Forbidden."""
        ...


class RealSockets:
    async def connect(self, dial: Dial, request: httpx.Request, *, open_network: bool) -> Line:
        if dial.protocol == "sse":
            return await _listen(request, open_network)
        return await _speak(dial, request, open_network)


# WebSocket


async def _speak(dial: Dial, request: httpx.Request, open_network: bool) -> Line:
    try:
        from websockets import exceptions  # noqa: PLC0415 - an optional dependency
        from websockets.asyncio.client import connect  # noqa: PLC0415
    except ImportError:
        raise Forbidden(
            "a stream over WebSocket needs a library: pip install 'socialsupport[streams]', then start again"
        ) from None
    host = request.url.host
    sock = await _connected(request.url, open_network)
    named = {name: value for name, value in request.headers.items() if name not in _OF_THE_HANDSHAKE}
    tls: dict[str, Any] = {"server_hostname": host} if request.url.scheme == "https" else {}
    try:
        connection = await connect(
            dial.url,
            sock=sock,  # so that it is the address that was checked, and no redirect is followed
            proxy=None,
            additional_headers=named,
            user_agent_header=None,
            open_timeout=OPENING,
            ping_interval=dial.ping,
            close_timeout=CLOSING,
            max_size=MAX_FRAME,
            max_queue=MAX_QUEUE,
            **tls,
        )
    except exceptions.InvalidStatus as error:
        sock.close()
        answer = error.response
        raise Refused(
            _answer(answer.status_code, answer.headers.raw_items(), bytes(answer.body or b""), request)
        ) from None
    except (OSError, ValueError, exceptions.WebSocketException) as error:
        sock.close()
        raise Unavailable(f"{place(request.url)}: no WebSocket there ({type(error).__name__})") from error
    return _WebSocket(connection, dial.close_code)


_OF_THE_HANDSHAKE = frozenset({"host", "content-length", "connection", "accept-encoding", "accept"})


async def _connected(url: httpx.URL, open_network: bool) -> socket.socket:
    port = url.port or (443 if url.scheme == "https" else 80)
    loop, failed = asyncio.get_running_loop(), "no address"
    for address in await public_addresses(url.host, port, open_network=open_network):
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(OPENING):
                await loop.sock_connect(sock, (address, port))
        except OSError as error:
            sock.close()
            failed = type(error).__name__
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise Unavailable(f"{place(url)}: {failed}")


def _answer(status: int, headers: Any, body: bytes, request: httpx.Request) -> httpx.Response:
    return httpx.Response(status, headers=list(headers), content=body[:MAX_REFUSAL], request=request)


class _WebSocket:
    def __init__(self, connection: Any, code: int) -> None:
        self._connection = connection
        self._code = code
        self.closed = Closed()

    async def frames(self) -> AsyncIterator[Frame]:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - an optional dependency

        try:
            while True:
                yield Frame(await self._connection.recv())
        except ConnectionClosed as error:
            ended = error.rcvd or error.sent  # what we found fault with is our own word
            self.closed = Closed(ended.code, ended.reason) if ended else Closed()

    async def say(self, text: str) -> None:
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 - an optional dependency

        with suppress(ConnectionClosed):
            await self._connection.send(text)

    async def aclose(self) -> None:
        await self._connection.close(self._code)


# server-sent events


async def _listen(request: httpx.Request, open_network: bool) -> Line:
    network = PinnedTransport(httpx.AsyncHTTPTransport, open_network=open_network)
    client = httpx.AsyncClient(transport=network, timeout=httpx.Timeout(OPENING, read=SILENCE))
    request.headers["accept"] = "text/event-stream"
    try:
        response = await client.send(request, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        raise Unavailable(f"{place(request.url)}: {type(error).__name__}") from error
    except BaseException:
        await client.aclose()
        raise
    if response.status_code == 200 and response.headers.get("content-type", "").startswith("text/event-stream"):
        return _EventStream(client, response)
    try:
        raise Refused(await _refusal(response, request))
    finally:
        await response.aclose()
        await client.aclose()


async def _refusal(response: httpx.Response, request: httpx.Request) -> httpx.Response:
    if response.status_code == 200:
        raise Unavailable(f"{place(request.url)} answered with no stream of events")
    body = bytearray()
    with suppress(httpx.HTTPError):
        async for piece in response.aiter_bytes():
            body += piece
            if len(body) > MAX_REFUSAL:
                break
    headers = [(k, v) for k, v in response.headers.items() if k not in {"content-encoding", "content-length"}]
    return _answer(response.status_code, headers, bytes(body), request)


class _EventStream:
    def __init__(self, client: httpx.AsyncClient, response: httpx.Response) -> None:
        self._client = client
        self._response = response
        self.closed = Closed()

    async def frames(self) -> AsyncIterator[Frame]:
        events = Events()
        try:
            async for piece in self._response.aiter_bytes():
                for frame in events.feed(piece):
                    yield frame
        except TooLarge:
            self.closed = Closed(TOO_LARGE, f"an event is larger than {MAX_FRAME:,} bytes")
        except httpx.HTTPError as error:
            self.closed = Closed(None, type(error).__name__)

    async def say(self, text: str) -> None:
        """Nobody listens at the other end."""

    async def aclose(self) -> None:
        await self._response.aclose()
        await self._client.aclose()
