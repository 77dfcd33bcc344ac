"""Runs flows: checks where they may call, sends, turns transport failures into decisions, waits."""

import asyncio
import secrets as chance
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from socialsupport_core.contract import (
    Answer,
    Ask,
    ContentRejected,
    DeliveryError,
    Flow,
    FlowRun,
    RateLimited,
    ReadBlob,
    ReadPayload,
    Unavailable,
    Uncertain,
    Unsupported,
    Wait,
    Wire,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.model import Blob, Credentials, Payload
from socialsupport_core.wire.guard import PinnedTransport, check
from socialsupport_core.wire.redact import redact, secrets_in

T = TypeVar("T")
TIMEOUT = httpx.Timeout(30.0, read=40.0)  # a long poll holds the line for 25 seconds
MAX_ANSWER = 100 * 1024 * 1024  # bytes; the largest attachment that is kept
MAX_ASKS = 1_000  # of one flow; one that asks on for ever is cut off here
PATIENCE = 5.0  # seconds that a read waits for a Retry-After by itself; longer waits go back to the caller

Step = Callable[[Ask, Callable[[], Awaitable[Answer]]], Awaitable[Answer]]
"""Sees each ask and performs it: where the outbox notes what is asked and what was answered."""


async def _perform(_ask: Ask, perform: Callable[[], Awaitable[Answer]]) -> Answer:
    return await perform()


class NetworkWire:
    """One for a host process. One HTTP client a channel, made when it is first needed."""

    def __init__(
        self,
        wires: Iterable[Wire] = (),
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        read_blob: Callable[[str], bytes] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`transport` replaces the network: a simulated one, or a faster client than httpx's own."""
        self._wires = {ask: wire for wire in wires for ask in wire.asks}
        self._transport = transport
        self._read_blob = read_blob
        self._clock = clock
        self._sleep = sleep
        self._clients: dict[tuple[asyncio.AbstractEventLoop, bool], httpx.AsyncClient] = {}

    async def run(
        self,
        flow: Flow[T],
        connector: Any,
        *,
        credentials: Credentials | None = None,
        payload: Payload | None = None,
        open_network: bool = False,
        step: Step = _perform,
    ) -> T:
        """Runs a flow of the connector (or CRM adapter) to its end. Raises DeliveryError, free of secrets."""
        secrets = secrets_in(connector.settings) | secrets_in(credentials)
        try:
            run = FlowRun(flow, connector.failure)
            for _ in range(MAX_ASKS):
                if run.done:
                    return run.result
                ask = run.ask

                async def perform(ask: Ask = ask) -> Answer:
                    return await self._answer(ask, connector, credentials, payload, open_network)

                try:
                    answer = await step(ask, perform)
                except DeliveryError as error:
                    run.throw(error)
                else:
                    run.answer(answer)
        except DeliveryError as error:
            error.args = tuple(redact(str(argument), secrets) for argument in error.args)
            error.code = redact(error.code, secrets) if error.code else error.code
            error.__cause__ = error.__context__ = None  # a cause may quote an address with a secret in it
            raise
        raise Uncertain(f"the flow asked more than {MAX_ASKS} times and was cut off")

    async def read(self, flow: Callable[[], Flow[T]], connector: Any, **options: Any) -> T:
        """Runs a flow that changes nothing, three times if the network is busy."""
        retrying = AsyncRetrying(
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.5, max=PATIENCE),
            retry=retry_if_exception(_soon),
            sleep=self._sleep,
            reraise=True,
        )

        async def once() -> T:  # a coroutine function: what a lambda returns would not be awaited
            return await self.run(flow(), connector, **options)

        result: T = await retrying(once)
        return result

    async def aclose(self) -> None:
        """Of the running loop; the others' connections end with theirs."""
        loop = asyncio.get_running_loop()
        for key in [key for key in self._clients if key[0] is loop or key[0].is_closed()]:
            client = self._clients.pop(key)
            if key[0] is loop:
                await client.aclose()
        for wire in dict.fromkeys(self._wires.values()):
            await wire.aclose()

    async def _answer(
        self,
        ask: Ask,
        connector: Any,
        credentials: Credentials | None,
        payload: Payload | None,
        open_network: bool,
    ) -> Answer:
        match ask:
            case httpx.Request():
                check(ask, connector.hosts, open_network=open_network)
                return await self._http(self._authorized(ask, connector, credentials), open_network)
            case Wait():
                return await self._sleep(ask.seconds)
            case ReadBlob():
                return self._blob(ask.digest)
            case ReadPayload():
                return _given(payload)
        wire = self._wires.get(type(ask))
        if wire is None:
            raise Unsupported(f"no wire answers {type(ask).__name__}; the plugin that asks it must register one")
        return await wire.answer(ask)

    def _authorized(self, ask: httpx.Request, connector: Any, credentials: Credentials | None) -> httpx.Request:
        nonce = chance.token_hex(16)
        if hasattr(connector, "refresh"):
            arguments: tuple[Any, ...] = (ask, credentials, self._clock(), nonce)
        else:
            arguments = (ask, self._clock(), nonce)
        signed: httpx.Request = connector.authorize(*arguments)
        return signed

    def _blob(self, digest: str) -> Blob:
        if self._read_blob is None:
            raise ContentRejected("there is no blob store to read the attachment from")
        try:
            return Blob(content=self._read_blob(digest))
        except KeyError:
            raise ContentRejected(f"the attachment {digest[:12]}… is not in the blob store") from None

    async def _http(self, request: httpx.Request, open_network: bool) -> httpx.Response:
        try:
            response = await self._client(open_network).send(request, stream=True)
            try:
                content = await _read(response)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise _decision(error, request) from error
        except ContentRejected as error:
            raise error if request.method in SAFE_METHODS else Uncertain(str(error)) from None
        headers = [(k, v) for k, v in response.headers.items() if k not in {"content-encoding", "content-length"}]
        return httpx.Response(response.status_code, headers=headers, content=content, request=request)

    def _client(self, open_network: bool) -> httpx.AsyncClient:
        key = asyncio.get_running_loop(), open_network  # connections belong to a loop
        if key not in self._clients:
            network = self._transport or PinnedTransport(httpx.AsyncHTTPTransport(), open_network=open_network)
            self._clients[key] = httpx.AsyncClient(transport=network, timeout=TIMEOUT)
        return self._clients[key]


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise ContentRejected(f"the answer is larger than {MAX_ANSWER:,} bytes")
    return bytes(content)


def _decision(error: httpx.HTTPError, request: httpx.Request) -> DeliveryError:
    """A connection never made has done nothing; one that was cut may have, unless the method is safe."""
    message = f"{request.url.host}: {type(error).__name__}"
    never = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return ContentRejected(message)
    if isinstance(error, never) or request.method in SAFE_METHODS:
        return Unavailable(message)
    return Uncertain(f"{message}; it may have been delivered")


def _given(payload: Payload | None) -> Payload:
    if payload is None:
        raise Unavailable("the payload in which it came is no longer in the journal")
    return payload


def _soon(error: BaseException) -> bool:
    return isinstance(error, RateLimited) and (error.retry_after is None or error.retry_after <= PATIENCE)
