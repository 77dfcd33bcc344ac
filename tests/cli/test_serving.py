"""Serving: what has no end of its own is ended, what has one is waited for, and a store is served by one process."""

import asyncio
import gc
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from socialsupport_core.cli import garbage, patience
from socialsupport_core.cli.serving import _Ending, _Serving, bound, run
from socialsupport_core.contract import ConfigError
from socialsupport_core.store.alone import alone


async def endless(_request: Request) -> Response:
    async def ticks() -> AsyncIterator[str]:
        while True:
            yield "tick\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(ticks())


async def slow(request: Request) -> Response:
    body = await request.body()
    await asyncio.sleep(0.5)
    return PlainTextResponse(f"{len(body)} bytes")


class Running:
    def __init__(self) -> None:
        self.steps: list[str] = []
        self.socket = bound("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.servers: list[_Serving] = []
        self.thread = threading.Thread(target=self.serve)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self.steps.append("started")
        yield
        self.steps.append("ended")

    def serve(self) -> None:
        app = Starlette(routes=[Route("/", endless), Route("/slow", slow, methods=["POST"])], lifespan=self.lifespan)
        run(app, self.socket, lambda: self.steps.append("ready"))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    made, before = Running(), gc.get_threshold()
    serve = _Serving.startup

    async def startup(self: _Serving, sockets: Any = None) -> None:
        made.servers.append(self)
        await serve(self, sockets)

    monkeypatch.setattr(_Serving, "startup", startup)
    made.thread.start()
    until(lambda: "ready" in made.steps)
    yield made
    made.servers[0].should_exit = True
    made.thread.join(10)
    made.socket.close()
    gc.unfreeze()
    gc.set_threshold(*before)


def until(true: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stream_comes_to_a_proper_end(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Its reader sees the end of an answer and no broken connection; nobody waits for the grace to run out."""
    with httpx.stream("GET", running.url, timeout=5) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "tick"
        running.servers[0].should_exit = True
        started = time.monotonic()
        assert set(lines) <= {"tick"}
    running.thread.join(10)
    assert time.monotonic() - started < 2
    assert running.steps == ["started", "ready", "ended"]
    assert [one for one in caplog.records if one.levelname in {"ERROR", "CRITICAL"}] == []


def test_what_is_there_at_the_start_is_not_looked_through_for_garbage(running: Running) -> None:
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == garbage.YOUNG


def test_what_is_under_way_is_finished(running: Running) -> None:
    """A body that is still coming when the end begins is waited for."""

    def body() -> Iterator[bytes]:
        yield b"x" * 10
        running.servers[0].should_exit = True
        time.sleep(0.3)
        yield b"x" * 10

    assert httpx.post(f"{running.url}/slow", content=body(), timeout=5).text == "20 bytes"
    running.thread.join(10)
    assert running.steps[-1] == "ended"


def test_what_the_start_raises_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        raise ConfigError("no such port")
        yield

    with bound("127.0.0.1", 0) as socket, pytest.raises(ConfigError, match="no such port"):
        run(Starlette(lifespan=lifespan), socket)
    assert caplog.records == []


def test_an_answer_that_ends_by_itself_is_not_ended_twice() -> None:
    async def asked() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []
        ending = _Ending(Starlette(routes=[Route("/slow", slow, methods=["POST"])]))
        ending.begin()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"x", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/slow", "headers": [], "query_string": b""}
        await ending(scope, receive, send)
        return sent

    assert [one["type"] for one in asyncio.run(asked())] == ["http.response.start", "http.response.body"]


def test_a_store_is_served_by_one_at_a_time(tmp_path: Path) -> None:
    store = tmp_path / "data" / "support.sqlite"
    attempt = f"from socialsupport_core.store.alone import alone\nwith alone({str(store)!r}): print('free')"
    with alone(store), alone(store):  # one process may take it twice
        other = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
        assert f"support.sqlite is being served by process {os.getpid()};" in other.stderr
    other = subprocess.run([sys.executable, "-c", attempt], capture_output=True, text=True, check=False)
    assert other.stdout == "free\n", other.stderr


def test_a_store_on_a_server_is_for_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with alone("postgresql://localhost/support"), alone("postgresql://localhost/support"):
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n", b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-"])
def test_headers_that_do_not_come_end_the_connection(
    running: Running, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """Also of whoever goes on sending a byte now and then."""
    monkeypatch.setattr(patience, "HEADERS", 0.3)
    began = time.monotonic()
    with socket.create_connection(running.socket.getsockname(), timeout=10) as line:
        line.sendall(said)
        time.sleep(0.1)
        line.sendall(said and b"X")
        answer = line.recv(1000)
        assert (answer[:12], line.recv(1000)) == (b"HTTP/1.1 408", b"")
    assert 0.25 < time.monotonic() - began < 5


def test_who_has_sent_the_headers_is_waited_for_and_comes_again(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "HEADERS", 0.3)
    request = b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection(running.socket.getsockname(), timeout=10) as line:
        for _ in range(2):  # the answer takes half a second, and so does the body
            line.sendall(request)
            time.sleep(0.5)
            line.sendall(b"body")
            answer = line.recv(1000)
            while b"4 bytes" not in answer:
                answer += line.recv(1000)
            assert answer.startswith(b"HTTP/1.1 200")
        line.sendall(request[:20])  # on the same connection
        assert line.recv(1000).startswith(b"HTTP/1.1 408")
