"""What leaves for an endpoint: its signature, and how little the endpoint can do to us."""

import asyncio
import base64
import gzip
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import ConfigError
from socialsupport_core.wire import webhook
from socialsupport_core.wire.webhook import Answer, Poster, check_secret, check_url, new_secret, sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'


def test_the_published_vector() -> None:
    """https://github.com/standard-webhooks/standard-webhooks/tree/main/libraries (2026-11), where all of them check it"""
    assert sign([SECRET], ID, 1614265330, BODY) == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_two_signatures() -> None:
    other = new_secret(lambda count: b"x" * count)
    both = sign([other, SECRET], ID, 1614265330, BODY).split(" ")
    assert both == [sign([other], ID, 1614265330, BODY), sign([SECRET], ID, 1614265330, BODY)]
    assert both[0] != both[1]


def test_the_official_library_accepts_ours_and_nothing_else() -> None:
    official = pytest.importorskip("standardwebhooks")
    now = int(datetime.now(UTC).timestamp())
    old, new = new_secret(lambda count: b"o" * count), new_secret(lambda count: b"n" * count)

    def verified(secret: str, *, at: int = now, body: bytes = BODY, id_: str = ID, by: tuple[str, ...] = ()) -> bool:
        headers = {
            "webhook-id": ID,
            "webhook-timestamp": str(at),
            "webhook-signature": sign(by or (old,), id_, at, BODY),
        }
        try:
            return official.Webhook(secret).verify(body, headers) == {"test": 2432232314}
        except official.WebhookVerificationError:
            return False

    assert verified(old)
    assert verified(old, by=(new, old))
    assert verified(new, by=(new, old))
    assert not verified(new)
    assert not verified(old, by=(new,))
    assert not verified(old, body=BODY + b" ")
    assert not verified(old, id_="msg_another")
    assert not verified(old, at=now - 3_600)


def test_a_new_secret_is_of_the_recommended_kind() -> None:
    secret = new_secret(lambda count: bytes(range(count)))
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    check_secret(secret)


def of_length(count: int) -> str:
    return "whsec_" + base64.b64encode(b"k" * count).decode()


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "canary-canary-canary-canary", "whsec_canary!", of_length(23), of_length(65)]
)
def test_a_bad_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ConfigError) as raised:
        check_secret(secret)
    assert "leave it out" in str(raised.value)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("count", [24, 64])
def test_secrets_of_every_allowed_length(count: int) -> None:
    check_secret(of_length(count))


GOOD = [
    "https://desk.example",
    "https://desk.example:8443/hook?token=1",
    "https://8.8.8.8/x",
    "https://[2606:4700:4700::1111]/x",
]
BAD = [
    "",
    "desk.example",
    "ftp://desk.example/",
    "file:///etc/passwd",
    "https://",
    "https:///x",
    "http://desk.example/",
    "https://user:secret@desk.example/",
    "https://desk.example/#x",
    f"https://desk.example/{'x' * 2_000}",
    "https://desk.example:99999999/",
    "https://[::1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://127.0.0.1/",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://0.0.0.0/",
]


@pytest.mark.parametrize("url", GOOD)
def test_addresses_that_are_taken(url: str) -> None:
    check_url(url, open_network=False)


@pytest.mark.parametrize("url", BAD)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(ConfigError):
        check_url(url, open_network=False)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/x", "http://desk.internal/", "https://10.0.0.1/"])
def test_the_operator_may_open_the_network(url: str) -> None:
    check_url(url, open_network=True)
    with pytest.raises(ConfigError, match="open_network"):
        check_url(url.replace("desk.internal", "localhost"), open_network=False)


def post(url: str = "https://desk.example/", *, open_network: bool = False, poster: Poster | None = None) -> Answer:
    async def go() -> Answer:
        mine = poster or Poster()
        try:
            return await mine.post(url, {"x": "y"}, BODY, open_network=open_network)
        finally:
            await mine.aclose()

    return asyncio.run(go())


def mocked(handler: Callable[[httpx.Request], Any]) -> Poster:
    return Poster(httpx.MockTransport(handler))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(status: int) -> None:
    answer = post(poster=mocked(lambda request: httpx.Response(status, text="fine")))
    assert (answer.status, answer.reason) == (status, None)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (302, "desk.example answered 302 Found"),
        (410, "desk.example answered 410 Gone"),
        (599, "desk.example answered 599"),
    ],
)
def test_everything_else_is_not_and_says_so_in_our_words(status: int, reason: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, extensions={"reason_phrase": b"canary"}, text="canary")

    answer = post("https://desk.example/?token=canary", poster=mocked(handler))
    assert (answer.status, answer.reason, answer.gone) == (status, reason, status == 410)


@pytest.mark.parametrize(
    "error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, ValueError, OSError]
)
def test_whatever_is_raised_is_an_answer_without_the_address(error: type[Exception]) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise error(f"canary {request.url}")

    answer = post("https://desk.example/canary", poster=mocked(handler))
    assert (answer.status, answer.reason) == (None, f"desk.example: {error.__name__}")


def test_a_port_that_is_not_the_usual_one_is_told() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    for port, told in ((443, "desk.example"), (8443, "desk.example:8443")):
        answer = post(f"https://desk.example:{port}/canary", poster=mocked(handler))
        assert answer.reason == f"{told}: ConnectError"


def test_plain_http_is_not_sent_unless_opened() -> None:
    called: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200)

    answer = post("http://desk.example/", poster=mocked(handler))
    assert answer.status is None
    assert "refused" in str(answer.reason)
    assert called == []


def test_no_cookie_and_no_credential_goes_along() -> None:
    called: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200, headers={"set-cookie": "a=b; Path=/"})

    poster = mocked(handler)
    for _ in range(2):
        post(poster=poster)
    assert [set(request.headers) & {"cookie", "authorization"} for request in called] == [set(), set()]
    assert called[0].headers["user-agent"].startswith("socialsupport/")


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[int]:
    async def contained(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    running = await asyncio.start_server(contained, "127.0.0.1", 0)
    try:
        yield running.sockets[0].getsockname()[1]
    finally:
        running.close()


def against(serve: Serve, *, open_network: bool = True, host: str = "127.0.0.1") -> Answer:
    async def go() -> Answer:
        async with server(serve) as port:
            poster = Poster()
            try:
                return await poster.post(f"http://{host}:{port}/", {}, BODY, open_network=open_network)
            finally:
                await poster.aclose()

    return asyncio.run(go())


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 10_000)
        await writer.drain()


def test_of_an_endless_answer_64_kb_are_read() -> None:
    answer = against(endless)
    assert (answer.status, len(answer.body), answer.reason) == (200, 65_536, None)


def test_what_is_packed_stays_packed() -> None:
    packed = gzip.compress(b"x" * 10_000_000)

    async def bomb(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)
        await writer.drain()

    assert against(bomb).body == packed[: 64 * 1024]


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10_000_000)
    await reader.read(1)


async def trickling(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def headers_without_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"x: y\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("serve", [silent, trickling, headers_without_end])
def test_nobody_takes_longer_than_the_whole_call_may(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT", 1.0)
    answer = against(serve)  # which each of them would keep for ever
    told = re.fullmatch(r"127\.0\.0\.1:\d+ did not answer within 1 seconds", answer.reason or "")
    assert (answer.status, bool(told)) == (None, True)


def test_what_is_sent_is_what_was_signed() -> None:
    got: list[bytes] = []

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readexactly(len(BODY)))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

    assert against(keep).status == 204
    assert got == [BODY]


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "::ffff:127.0.0.1"])
def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return [address]

    monkeypatch.setattr("socialsupport_core.wire.guard._resolve", resolve)
    answer = post("https://desk.example/")
    assert (answer.status, answer.reason) == (None, f"desk.example leads to {address}, which is not a public address")


def test_retry_after_is_read_as_seconds_or_a_date() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    date = "%a, %d %b %Y %H:%M:%S GMT"
    told = {"retry-after": (now + timedelta(minutes=2)).strftime(date), "date": now.strftime(date)}
    assert post(poster=mocked(lambda request: httpx.Response(503, headers=told))).retry_after == 120
    assert post(poster=mocked(lambda request: httpx.Response(429, headers={"retry-after": "7"}))).retry_after == 7
    assert post(poster=mocked(lambda request: httpx.Response(500))).retry_after is None
