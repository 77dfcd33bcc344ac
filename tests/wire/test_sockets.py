"""Sockets against real servers on this machine: a WebSocket server, and one of server-sent events."""

import asyncio
import functools
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import serve

from socialsupport_core.contract import Closed, DeliveryError, Dial, Forbidden, Frame, Unavailable
from socialsupport_core.contract.stream import MAX_FRAME
from socialsupport_core.wire import sockets
from socialsupport_core.wire.sockets import RealSockets, Refused


def awaited(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @functools.wraps(test)
    def run(*given: Any, **named: Any) -> None:
        async def within() -> None:
            async with asyncio.timeout(20):
                await test(*given, **named)

        asyncio.run(within())

    return run


async def connected(dial: Dial, *, open_network: bool = True, **headers: str) -> sockets.Line:
    url = dial.url.replace("ws", "http", 1) if dial.url.startswith("ws") else dial.url
    request = httpx.Request("GET", url, headers=headers)
    return await RealSockets().connect(dial, request, open_network=open_network)


async def heard(line: sockets.Line) -> list[Frame]:
    async with asyncio.timeout(10):
        return [frame async for frame in line.frames()]


@asynccontextmanager
async def websocket(handler: Callable[[Any], Awaitable[None]], **options: Any) -> AsyncIterator[str]:
    async with serve(handler, "127.0.0.1", 0, **options) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream?ticket=secret-ticket"


@asynccontextmanager
async def http(answer: bytes, *, hold: bool = False) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers whatever is asked with these bytes."""
    asked: list[bytes] = []
    let_go, done = asyncio.Event(), asyncio.Event()

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if hold:
            await let_go.wait()
        writer.close()
        await writer.wait_closed()
        done.set()

    server = await asyncio.start_server(respond, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream", asked
        let_go.set()
        if asked:
            await asyncio.wait([asyncio.create_task(done.wait())], timeout=5)


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n\r\n"


@awaited
async def test_a_websocket_hears_and_says() -> None:
    said: list[Any] = []

    async def talk(server: Any) -> None:
        said.append(server.request.headers["authorization"])
        await server.send("hello")
        await server.send(b"\x00\x01")
        said.append(await server.recv())
        await server.close(4004, "no more")

    async with websocket(talk) as url:
        line = await connected(Dial(url), authorization="Bearer t")
        await line.say("ack")
        assert await heard(line) == [Frame("hello"), Frame(b"\x00\x01")]
        assert line.closed == Closed(4004, "no more")
        await line.say("into the void")
        await line.aclose()
    assert said == ["Bearer t", "ack"]


@awaited
async def test_we_hang_up_with_the_code_that_was_asked_for() -> None:
    codes: list[int] = []

    async def listen(server: Any) -> None:
        await server.wait_closed()
        codes.append(server.close_code)

    async with websocket(listen) as url:
        line = await connected(Dial(url, close_code=4000))
        await line.aclose()
        await asyncio.sleep(0.05)
    assert codes == [4000]


@awaited
async def test_a_line_that_is_cut_has_no_code() -> None:
    async def cut(server: Any) -> None:
        server.transport.abort()

    async with websocket(cut) as url:
        line = await connected(Dial(url))
        assert await heard(line) == []
        assert line.closed.code is None
        await line.aclose()


@awaited
async def test_a_frame_that_is_too_large_ends_the_connection() -> None:
    async def shout(server: Any) -> None:
        await server.send("x" * (MAX_FRAME + 1))
        await server.wait_closed()

    async with websocket(shout, compression=None) as url:
        line = await connected(Dial(url))
        assert await heard(line) == []
        assert line.closed.code == sockets.TOO_LARGE
        await line.aclose()


@awaited
async def test_a_handshake_that_is_refused_is_an_answer() -> None:
    def refuse(server: Any, request: Any) -> Any:
        return server.respond(401, "who are you?")

    async with websocket(lambda server: server.wait_closed(), process_request=refuse) as url:
        with pytest.raises(Refused) as refused:
            await connected(Dial(url))
    assert refused.value.response.status_code == 401
    assert refused.value.response.text == "who are you?"


@awaited
async def test_a_redirect_is_not_followed() -> None:
    landed: list[Any] = []

    async def land(server: Any) -> None:
        landed.append(server)

    async with websocket(land) as goal:
        moved = f"HTTP/1.1 302 Found\r\nlocation: {goal}\r\ncontent-length: 0\r\n\r\n".encode()
        async with http(moved) as (url, _):
            with pytest.raises((Refused, Unavailable)):
                await connected(Dial(url.replace("http", "ws")))
    assert landed == []


@pytest.mark.parametrize("protocol", ["websocket", "sse"])
@awaited
async def test_a_private_address_is_for_the_operator_to_open(protocol: Any) -> None:
    scheme = "wss" if protocol == "websocket" else "https"
    with pytest.raises(Forbidden, match="not a public address"):
        await connected(Dial(f"{scheme}://localhost:9/", protocol), open_network=False)


@pytest.mark.parametrize("protocol", ["websocket", "sse"])
@awaited
async def test_nobody_there_is_unavailable(protocol: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        scheme = "ws" if protocol == "websocket" else "http"
        with pytest.raises(Unavailable):
            await connected(Dial(f"{scheme}://127.0.0.1:{port}/", protocol))


@awaited
async def test_something_else_than_a_websocket_is_unavailable() -> None:
    async with http(b"SSH-2.0-OpenSSH_9.2\r\n") as (url, _):
        with pytest.raises(DeliveryError):
            await connected(Dial(url.replace("http", "ws")))


@awaited
async def test_events_are_heard() -> None:
    async with http(STREAM + b":thump\n\nevent: update\nid: 4\ndata: {}\n\n") as (url, asked):
        line = await connected(Dial(url, "sse"), authorization="Bearer t")
        assert await heard(line) == [Frame("{}", "update", "4")]
        assert line.closed.code is None
        await line.say("nobody listens")
        await line.aclose()
    assert b"accept: text/event-stream" in asked[0].lower()
    assert b"authorization: bearer t" in asked[0].lower()


@awaited
async def test_an_event_that_is_too_large_ends_the_connection() -> None:
    async with http(STREAM + b"data: " + b"x" * (MAX_FRAME + 1), hold=True) as (url, _):
        line = await connected(Dial(url, "sse"))
        assert await heard(line) == []
        assert line.closed.code == sockets.TOO_LARGE
        await line.aclose()


@awaited
async def test_a_stream_that_is_silent_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "SILENCE", 0.1)
    async with http(STREAM, hold=True) as (url, _):
        line = await connected(Dial(url, "sse"))
        assert await heard(line) == []
        assert line.closed.reason == "ReadTimeout"
        await line.aclose()


@awaited
async def test_a_page_is_no_stream() -> None:
    async with http(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi") as (url, _):
        with pytest.raises(Unavailable, match="no stream of events"):
            await connected(Dial(url, "sse"))


@awaited
async def test_a_stream_that_is_refused_is_an_answer() -> None:
    async with http(b"HTTP/1.1 429 Slow\r\nretry-after: 7\r\ncontent-length: 4\r\n\r\nslow") as (url, _):
        with pytest.raises(Refused) as refused:
            await connected(Dial(url, "sse"))
    assert refused.value.response.headers["retry-after"] == "7"
    assert refused.value.response.text == "slow"


def test_a_ticket_in_an_address_is_not_shown() -> None:
    assert "ticket" not in repr(Dial("wss://stream.example/?ticket=secret"))


def certificate(folder: Path, name: str) -> ssl.SSLContext:
    """Of a server, signed by itself; `trusted.pem` in the folder is what clients must trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "trusted.pem").write_bytes(made.public_bytes(pem))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, form, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "trusted.pem", folder / "key.pem")
    return context


@pytest.mark.parametrize(("name", "is_trusted"), [("localhost", True), ("elsewhere.example", False)])
@awaited
async def test_the_certificate_must_be_that_of_the_name(
    name: str, is_trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def greet(server: Any) -> None:
        await server.send("hello")

    context = certificate(tmp_path, name)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "trusted.pem"))
    async with websocket(greet, ssl=context) as url:
        dial = Dial(url.replace("ws://127.0.0.1", "wss://localhost"))
        if is_trusted:
            line = await connected(dial)
            assert await heard(line) == [Frame("hello")]
            await line.aclose()
        else:
            with pytest.raises(Unavailable, match="SSLCertVerificationError"):
                await connected(dial)


@awaited
async def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets", None)
    with pytest.raises(Forbidden, match=r"socialsupport\[streams\]"):
        await connected(Dial("ws://127.0.0.1:9/"))
