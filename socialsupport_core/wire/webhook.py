"""What leaves for an endpoint that listens: signed as Standard Webhooks, by one POST that is bounded in every way.

How it is signed is in `contract.standard_webhooks`, which connectors use as well.
"""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import httpx

from socialsupport_core.contract import standard_webhooks
from socialsupport_core.contract.errors import ConfigError, DeliveryError, retry_after
from socialsupport_core.wire.guard import PinnedTransport, check, is_public, place

SECRET_BYTES = 32
TIMEOUT = 20.0  # seconds for the whole call; 15 to 30 are recommended ("Request timeouts")
MAX_ANSWER = 64 * 1024  # bytes; the rest of an answer is not read
MAX_URL = 2_000  # characters
CONNECTIONS = 256
AGENT = f"socialsupport/{version('socialsupport')}"


def new_secret(random_bytes: Callable[[int], bytes]) -> str:
    return standard_webhooks.PREFIX + base64.b64encode(random_bytes(SECRET_BYTES)).decode()


def check_secret(secret: str) -> None:
    """Raises ConfigError that does not repeat it."""
    if not standard_webhooks.SHORTEST <= len(_key(secret)) <= standard_webhooks.LONGEST:
        raise ConfigError("a webhook's secret holds 24 to 64 bytes; leave it out and one is made")


def sign(secrets: Sequence[str], id_: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret."""
    return standard_webhooks.sign([_key(secret) for secret in secrets], id_, timestamp, body)


def _key(secret: str) -> bytes:
    try:
        return standard_webhooks.secret_key(secret)
    except ValueError as error:
        raise ConfigError(f"{error}; leave it out and one is made") from None


def check_url(url: str, *, open_network: bool) -> None:
    """Raises ConfigError for an address to which nothing would ever be sent."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError):
        raise ConfigError(f"{url[:100]!r} is not an address; write https://…") from None
    if len(url) > MAX_URL:
        raise ConfigError(f"the address has {len(url):,} characters; {MAX_URL:,} are the most")
    if parsed.scheme not in {"https", "http"} or not parsed.host or not 0 < (parsed.port or 443) < 65_536:
        raise ConfigError(f"{url[:100]!r} is not an address of the web; write https://…")
    if parsed.userinfo or parsed.fragment:
        raise ConfigError("the address of a webhook holds no user, password or fragment; a signature proves us")
    if parsed.scheme == "http" and not open_network:
        raise ConfigError("a webhook is sent by https; `open_network` in the configuration file allows http")
    if _is_private(parsed.host) and not open_network:
        raise ConfigError(f"{parsed.host} is not public; `open_network` in the configuration file allows it")


def _is_private(host: str) -> bool:
    """Of an address in numbers; where a name leads is seen when it is called."""
    try:
        return not is_public(host)
    except ValueError:
        return host.rstrip(".").lower() == "localhost"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `reason` says why it is no success, without anything of the address but its host."""

    status: int | None
    body: bytes
    reason: str | None
    retry_after: float | None = None

    @property
    def gone(self) -> bool:
        return self.status == HTTPStatus.GONE


class Poster:
    """One for a host process. A call has its own connection, since one that was opened under the name of one
    endpoint proves nothing about another at the same address."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        """`transport` replaces the network."""
        self._transport = transport
        self._made: dict[tuple[asyncio.AbstractEventLoop, bool], httpx.AsyncBaseTransport] = {}

    async def post(self, url: str, headers: dict[str, str], body: bytes, *, open_network: bool) -> Answer:
        """Sends it once. Whatever goes wrong is an answer too."""
        return await self._exchange(self._request("POST", url, headers, body), open_network=open_network)

    async def get(self, url: str) -> Answer:
        """What stands at a public address; nothing leads on from there. Whatever goes wrong is an answer too."""
        return await self._exchange(self._request("GET", url, {}, b""), open_network=False)

    async def _exchange(self, request: httpx.Request, *, open_network: bool) -> Answer:
        host = request.url.host
        try:
            check(request, frozenset({host}), open_network=open_network)
            async with asyncio.timeout(TIMEOUT):
                response = await self._network(open_network).handle_async_request(request)
                try:
                    content = await _beginning(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            return Answer(None, b"", f"{place(request.url)} did not answer within {TIMEOUT:g} seconds")
        except DeliveryError as error:
            return Answer(None, b"", str(error))
        except Exception as error:  # a transport may raise anything; it has not been delivered
            return Answer(None, b"", f"{place(request.url)}: {type(error).__name__}")
        return _answer(host, response, content)

    async def aclose(self) -> None:
        """Of the running loop; the others' connections end with theirs."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._made if key[0] is loop or key[0].is_closed()]:
            network = self._made.pop(key)
            if key[0] is loop:
                await network.aclose()

    def _request(self, method: str, url: str, headers: dict[str, str], body: bytes) -> httpx.Request:
        common = {"user-agent": AGENT, "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
        limits: dict[str, Any] = {"timeout": httpx.Timeout(TIMEOUT).as_dict()}
        return httpx.Request(method, url, headers=common | headers, content=body, extensions=limits)

    def _network(self, open_network: bool) -> httpx.AsyncBaseTransport:
        """Without a client: it would keep cookies, and follow what an endpoint says."""
        if self._transport is not None:
            return self._transport
        key = asyncio.get_running_loop(), open_network
        if key not in self._made:
            limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=0)
            make = partial(httpx.AsyncHTTPTransport, limits=limits)
            self._made[key] = PinnedTransport(make, open_network=open_network)
        return self._made[key]


async def _beginning(response: httpx.Response) -> bytes:
    """As it came: what is packed stays packed."""
    assert isinstance(response.stream, httpx.AsyncByteStream)
    content = bytearray()
    async for chunk in response.stream:
        content += chunk[: MAX_ANSWER - len(content)]
        if len(content) >= MAX_ANSWER:
            break
    return bytes(content)


def _answer(host: str, response: httpx.Response, content: bytes) -> Answer:
    status = response.status_code
    if 200 <= status < 300:
        return Answer(status, content, None)
    return Answer(status, content, f"{host} answered {_named(status)}", retry_after(response))


def _named(status: int) -> str:
    """Never in the endpoint's own words."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
