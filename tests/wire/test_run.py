"""The wire: what goes wrong on the way becomes a decision, and no secret leaves with it."""

import asyncio
import base64
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr
from raven import Clock, Raven, RavenSettings

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    RateLimited,
    ReadBlob,
    ReadPayload,
    Unavailable,
    Uncertain,
    Unsupported,
)
from socialsupport_core.model import Facts
from socialsupport_core.store import Database, StoreError
from socialsupport_core.wire import NetworkWire
from socialsupport_core.wire import run as wire_module
from socialsupport_core.wire.keeper import Unusable

SECRET = "s3cr/t+väl ue"


def raven() -> Raven:
    return Raven(RavenSettings(token=SecretStr(SECRET), secret=SecretStr("other-secret")))


def ask(method: str = "POST", url: str = "https://api.raven.example/x", **more: Any) -> httpx.Request:
    return httpx.Request(method, url, **more)


def flow_of(request: Any) -> Flow[Any]:
    answer = yield request
    return answer


Handler = Callable[[httpx.Request], httpx.Response]
STORE: list[Database] = []


@pytest.fixture(autouse=True)
def _own_store(database: Database) -> Iterator[None]:
    STORE.append(database)
    yield
    STORE.clear()


def wire_of(**options: Any) -> NetworkWire:
    """On the store of this test."""
    return NetworkWire(database=STORE[0], **options)


def run(flow: Flow[Any], handler: Handler = lambda request: httpx.Response(200), **options: Any) -> Any:
    async def go() -> Any:
        wire = wire_of(transport=httpx.MockTransport(handler), **options)
        try:
            return await wire.run(flow, raven())
        finally:
            await wire.aclose()

    return asyncio.run(go())


NEVER = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
CUT = [
    httpx.ReadError,
    httpx.ReadTimeout,
    httpx.WriteError,
    httpx.WriteTimeout,
    httpx.CloseError,
    httpx.RemoteProtocolError,
]


@pytest.mark.parametrize("error", NEVER + CUT)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_what_breaks_is_classified_by_whether_it_may_have_been_done(error: type[httpx.HTTPError], method: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error("broken", request=request)  # type: ignore[call-arg]

    wanted = Uncertain if error in CUT and method not in ("GET", "HEAD") else Unavailable
    with pytest.raises(DeliveryError) as raised:
        run(flow_of(ask(method)), handler)
    assert type(raised.value) is wanted
    assert str(raised.value).startswith(f"api.raven.example: {error.__name__}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    called: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return httpx.Response(status, headers={"location": "https://evil.example/take"})

    with pytest.raises(Unavailable):
        run(flow_of(ask()), handler)
    assert called == ["https://api.raven.example/x"]


def test_only_where_the_connector_said() -> None:
    called: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return httpx.Response(200)

    for url in ("https://evil.example/x", "http://api.raven.example/x"):
        with pytest.raises(Forbidden):
            run(flow_of(ask(url=url)), handler)
    assert called == []


@pytest.mark.parametrize(("method", "kind"), [("POST", Uncertain), ("GET", ContentRejected)])
def test_an_answer_without_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, method: str, kind: type[DeliveryError]
) -> None:
    monkeypatch.setattr(wire_module, "MAX_ANSWER", 1_000_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    with pytest.raises(kind, match="larger than"):
        run(flow_of(ask(method)), lambda request: httpx.Response(200, content=endless()))
    assert sent < 1_200_000


def test_a_bomb_is_cut_off_as_it_unfolds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_module, "MAX_ANSWER", 1_000_000)
    bomb = gzip.compress(b"0" * 50_000_000)
    with pytest.raises(ContentRejected):
        run(
            flow_of(ask("GET")), lambda request: httpx.Response(200, content=bomb, headers={"content-encoding": "gzip"})
        )


SPELLINGS = [
    SECRET,
    quote(SECRET, safe=""),
    str(httpx.URL(f"https://a.example/{SECRET}").raw_path, "ascii")[1:],
    quote(SECRET),
    base64.b64encode(SECRET.encode()).decode(),
    base64.b64encode(f"user:{SECRET}".encode()).decode(),
    repr(SECRET),
    ascii(SECRET),
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_error_holds_a_secret_however_it_is_spelt(spelling: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadError(f"cut while calling /{spelling}", request=request)

    class Chatty(Raven):
        def failure(self, response: httpx.Response) -> DeliveryError | None:
            return AuthExpired(f"the network says: {response.text}", code=response.text)

    def unreadable() -> Flow[Any]:
        yield ask("GET")
        raise ValueError(f"cannot read {spelling}")

    def caused() -> Flow[Any]:
        yield ask("GET")
        try:
            raise KeyError(spelling)  # noqa: TRY301
        except KeyError as error:
            raise Forbidden(f"because of {spelling}") from error

    async def go(flow: Flow[Any], connector: Raven, answer: Handler) -> None:
        await wire_of(transport=httpx.MockTransport(answer)).run(flow, connector)

    chatty = Chatty(raven().settings)
    fine: Handler = lambda request: httpx.Response(400, text=spelling)  # noqa: E731
    cases = [(flow_of(ask()), raven(), handler), (unreadable(), raven(), lambda request: httpx.Response(200))]
    cases += [(caused(), raven(), lambda request: httpx.Response(200)), (flow_of(ask()), chatty, fine)]
    for flow, connector, answer in cases:
        with pytest.raises(DeliveryError) as raised:
            asyncio.run(go(flow, connector, answer))
        error = raised.value
        told = f"{error!s} {error!r} {error.code} {error.__cause__!r} {error.__context__!r}"
        assert spelling not in told
        assert "s3cr" not in told


def test_a_wire_of_a_plugin_answers_its_own_asks_and_no_others() -> None:
    class Say:
        pass

    class Wire:
        asks = (Say,)
        closed = False

        async def answer(self, ask: Any) -> str:
            return "said"

        async def aclose(self) -> None:
            Wire.closed = True

    assert run(flow_of(Say()), wires=[Wire()]) == "said"
    assert Wire.closed
    with pytest.raises(Unsupported, match="no wire answers Say"):
        run(flow_of(Say()))


def test_blobs_and_payloads_come_from_the_host() -> None:
    def read(digest: str) -> bytes:
        return {"d": b"file"}[digest]

    assert run(flow_of(ReadBlob("d")), read_blob=read).content == b"file"
    with pytest.raises(ContentRejected):
        run(flow_of(ReadBlob("e" * 64)), read_blob=read)
    with pytest.raises(Unavailable):
        run(flow_of(ReadPayload()))


def test_a_blob_that_cannot_be_read_now_is_for_an_operator_to_mend() -> None:
    def read(_digest: str) -> bytes:
        raise StoreError("the attachments in /data cannot be read: Permission denied")

    with pytest.raises(Unusable, match="Permission denied"):
        run(flow_of(ReadBlob("d")), read_blob=read)


def test_a_flow_that_asks_for_ever_is_cut_off() -> None:
    def endless() -> Flow[None]:
        while True:
            yield ask("GET")

    with pytest.raises(Uncertain, match="1000 times"):
        run(endless())


class Patience:
    """A sleep that moves a clock and notes by how much."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.forward(seconds=seconds)


@pytest.mark.parametrize(("retry_after", "tries"), [("1", 3), ("5", 3), ("6", 1), ("3600", 1), (None, 3)])
def test_a_read_is_patient_for_seconds_only(retry_after: str | None, tries: int) -> None:
    calls: list[httpx.Request] = []
    patience = Patience()

    def handler(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(429, headers={"retry-after": retry_after} if retry_after else {})

    async def go() -> Facts:
        wire = wire_of(transport=httpx.MockTransport(handler), sleep=patience, clock=patience.clock)
        return await wire.read(Raven(RavenSettings()).probe, Raven(RavenSettings()))

    with pytest.raises(RateLimited):
        asyncio.run(go())
    assert len(calls) == tries
    assert all(seconds <= 5 for seconds in patience.slept)
    assert sum(patience.slept) >= (tries - 1) * float(retry_after or 0) - 0.001
    assert bool(patience.slept) == (tries > 1)


def test_one_wire_serves_several_event_loops() -> None:
    """The workers have one, the web server another."""
    opened: list[object] = []

    class Real(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            opened.append(asyncio.get_running_loop())
            return httpx.Response(200, json={"account": "tower"})

    wire = wire_of(transport=Real())
    for _ in range(3):
        plain = Raven(RavenSettings())
        assert asyncio.run(wire.read(plain.probe, plain)).own_account == "tower"
    assert len(set(map(id, opened))) >= 1
    assert len(wire._clients) <= 3
    asyncio.run(wire.aclose())
    assert wire._clients == {}
