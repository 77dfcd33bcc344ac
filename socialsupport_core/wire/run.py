"""Runs flows: checks where they may call, sends, turns transport failures into decisions, waits."""

import asyncio
import re
import secrets as chance
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from socialsupport_core.contract import (
    Answer,
    Ask,
    AuthExpired,
    ConfigError,
    ContentRejected,
    DeliveryError,
    Dial,
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
from socialsupport_core.model import Blob, Payload
from socialsupport_core.store import Database, StoreError
from socialsupport_core.wire.guard import PinnedTransport, check, place
from socialsupport_core.wire.keeper import Given, Held, Keeper, Unusable
from socialsupport_core.wire.pace import SECOND, buckets
from socialsupport_core.wire.redact import redact, secrets_in
from socialsupport_core.wire.sockets import Line, RealSockets, Refused, Sockets
from socialsupport_core.wire.turns import Note, Turn, Turns

T = TypeVar("T")
TIMEOUT = httpx.Timeout(30.0, read=40.0)  # a long poll holds the line for 25 seconds
MAX_ANSWER = 100 * 1024 * 1024  # bytes; the largest attachment that is kept
MAX_ASKS = 1_000  # of one flow; one that asks on for ever is cut off here
PATIENCE = (
    5.0  # seconds that a call waits for its turn, or a read for a Retry-After; longer waits go back to the caller
)
PATIENCE_OF_SENDS = 1.0  # seconds; what has longer to wait does so in the outbox, where anybody can go on with it

Perform = Callable[[Note | None], Awaitable[Answer]]
"""Performs the ask. The note, if there is one, is committed in the moment in which it is its turn, or not at all."""
Step = Callable[[Ask, Perform], Awaitable[Answer]]
"""Sees each ask and performs it: where the outbox notes what is asked and what was answered.

Called twice for one ask that was refused for its token, when there is a new one.
"""


async def _perform(_ask: Ask, perform: Perform) -> Answer:
    return await perform(None)


class NetworkWire:
    """One for a host process. One HTTP client a channel, made when it is first needed."""

    def __init__(
        self,
        wires: Iterable[Wire] = (),
        *,
        database: Database,
        transport: httpx.AsyncBaseTransport | None = None,
        sockets: Sockets | None = None,
        read_blob: Callable[[str], bytes] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """All processes on one `database` keep the rates together.

        `transport` replaces the network: a simulated one, or a faster client than httpx's own; `sockets` replaces it
        for streams.
        """
        self._wires = {ask: wire for wire in wires for ask in wire.asks}
        self._transport = transport
        self._sockets = sockets or RealSockets()
        self._read_blob = read_blob
        self._clock = clock
        self._sleep = sleep
        self._turns = Turns(database, clock)
        self._clients: dict[tuple[asyncio.AbstractEventLoop, bool], httpx.AsyncClient] = {}

    async def run(
        self,
        flow: Flow[T],
        connector: Any,
        *,
        keeper: Keeper | None = None,
        thread: str | None = None,
        payload: Payload | None = None,
        open_network: bool = False,
        step: Step = _perform,
    ) -> T:
        """Runs a flow of the connector (or CRM adapter) to its end. Raises DeliveryError, free of secrets.

        `keeper` has the credentials; `thread` is where an intent is carried out, None if the flow is no send.
        """
        errand = _Errand(self, connector, keeper or Given(connector.name), thread, payload, open_network)
        try:
            run = FlowRun(flow, connector.failure)
            for _ in range(MAX_ASKS):
                if run.done:
                    return run.result
                try:
                    answer = await errand.ask(run.ask, step)
                except DeliveryError as error:
                    run.throw(error)
                else:
                    run.answer(answer)
        except DeliveryError as error:
            _redacted(error, secrets_in(connector.settings) | errand.secrets)
            raise
        raise Uncertain(f"the flow asked more than {MAX_ASKS} times and was cut off")

    async def dial(
        self, dial: Dial, connector: Any, *, keeper: Keeper | None = None, open_network: bool = False
    ) -> Line:
        """Opens a stream at a declared host, as whom `authorize` says. Raises DeliveryError, free of secrets."""
        errand = _Errand(self, connector, keeper or Given(connector.name), None, None, open_network)
        try:
            ask = httpx.Request("GET", _SCHEME.sub(_as_http, dial.url, 1), headers=list(dial.headers))
            check(ask, connector.hosts, open_network=open_network)
            await errand.hold()
            request = self._authorized(ask, errand)
            try:
                return await self._sockets.connect(dial, request, open_network=open_network)
            except Refused as refused:
                refused.response.request = request
                raise connector.failure(refused.response) or Unavailable(str(refused)) from None
        except DeliveryError as error:
            raise _redacted(error, secrets_in(connector.settings) | errand.secrets) from None

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

    async def perform(self, ask: Ask, errand: "_Errand", note: Note | None = None) -> Answer:
        match ask:
            case httpx.Request():
                return await self._call(ask, errand, note)
            case Wait():
                return await self._sleep(ask.seconds)
            case ReadBlob():
                return self._blob(ask.digest)
            case ReadPayload():
                return _given(errand.payload)
        wire = self._wires.get(type(ask))
        if wire is None:
            raise Unsupported(f"no wire answers {type(ask).__name__}; the plugin that asks it must register one")
        return await self._otherwise(ask, wire, errand, note)

    async def _otherwise(self, ask: Ask, wire: Wire, errand: "_Errand", note: Note | None) -> Answer:
        """In its turn, over what is not HTTP."""
        turn = await self._turn(errand, type(ask).__name__, type(ask).__name__, note)
        self._turns.begun(turn)
        try:
            return await wire.answer(ask)
        except RateLimited as error:
            if not isinstance(error, Unavailable):
                await self._turns.ended(turn, error)
            raise

    async def _call(self, ask: httpx.Request, errand: "_Errand", note: Note | None) -> httpx.Response:
        """Only to a declared host, with the credentials of this moment, in its turn, and not to one that is down."""
        check(ask, errand.connector.hosts, open_network=errand.open_network)
        await errand.hold()
        turn = await self._turn(errand, ask.url.host, f"{ask.method} {ask.url.path}", note)
        try:
            request = self._authorized(ask, errand)
            self._turns.begun(turn)
            response = await self._http(request, errand.open_network)
        except DeliveryError as error:
            await self._turns.ended(turn, error)
            raise
        except BaseException:
            self._turns.cut_off(turn, Uncertain(""))
            raise
        await self._turns.ended(turn, errand.failure(response))
        return response

    async def _turn(self, errand: "_Errand", host: str, call: str, note: Note | None) -> Turn:
        """Waits for its turn for some seconds. Raises RateLimited where it is later: then nothing was done."""
        limits, waited = getattr(errand.connector, "rate_limits", ()), 0.0
        turn = Turn(errand.credential, host, buckets(errand.credential, host, limits, errand.thread, call))
        patience = PATIENCE if errand.thread is None else PATIENCE_OF_SENDS
        while wait := await self._turns.take(turn, note):
            seconds = wait / SECOND
            if waited + seconds > patience:
                raise RateLimited(f"{errand.connector.name} allows no more calls for now", retry_after=seconds)
            await self._sleep(seconds)
            waited += seconds
        return turn

    def _authorized(self, ask: httpx.Request, errand: "_Errand") -> httpx.Request:
        """A copy, so that what was asked can be asked again with another token."""
        content = ask.read()
        fresh = httpx.Request(ask.method, ask.url, headers=ask.headers, content=content, extensions=ask.extensions)
        authorize = getattr(errand.connector, "authorize_with", errand.connector.authorize)
        held = errand.held.credentials if errand.held else None
        try:
            signed: httpx.Request = authorize(fresh, held, self._clock(), chance.token_hex(16))
        except ConfigError as error:  # nothing was asked yet, and an operator can mend it
            raise Unusable(str(error)) from None
        return signed

    def _blob(self, digest: str) -> Blob:
        if self._read_blob is None:
            raise ContentRejected("there is no blob store to read the attachment from")
        try:
            return Blob(content=self._read_blob(digest))
        except KeyError:
            raise ContentRejected(f"the attachment {digest[:12]}… is not in the blob store") from None
        except StoreError as error:  # nothing is wrong with the attachment, and an operator can mend it
            raise Unusable(str(error)) from None

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
            network = self._transport or PinnedTransport(httpx.AsyncHTTPTransport, open_network=open_network)
            self._clients[key] = httpx.AsyncClient(transport=network, timeout=TIMEOUT)
        return self._clients[key]


_SCHEME = re.compile(r"^ws(s?)(?=:)", re.IGNORECASE)


def _as_http(found: re.Match[str]) -> str:
    """A WebSocket is asked for over HTTP, so it is checked as that."""
    return f"http{found[1].lower()}"


def _redacted(error: DeliveryError, secrets: frozenset[str]) -> DeliveryError:
    error.args = tuple(redact(str(argument), secrets) for argument in error.args)
    error.code = redact(error.code, secrets) if error.code else error.code
    error.__cause__ = error.__context__ = None  # a cause may quote an address with a secret in it
    return error


async def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > MAX_ANSWER:
            raise ContentRejected(f"the answer is larger than {MAX_ANSWER:,} bytes")
    return bytes(content)


def _decision(error: httpx.HTTPError, request: httpx.Request) -> DeliveryError:
    """A connection never made has done nothing; one that was cut may have, unless the method is safe."""
    message = f"{place(request.url)}: {type(error).__name__}"
    never = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return ContentRejected(message)
    if isinstance(error, never) or request.method in SAFE_METHODS:
        return Unavailable(message)
    return Uncertain(f"{message}; it may have been delivered")


class _Errand:
    """One flow under way: on whose behalf, with what."""

    def __init__(
        self,
        wire: NetworkWire,
        connector: Any,
        keeper: Keeper,
        thread: str | None,
        payload: Payload | None,
        open_network: bool,
    ) -> None:
        self._wire = wire
        self._keeper = keeper
        self.connector = connector
        self.thread = thread
        self.payload = payload
        self.open_network = open_network
        self.held: Held | None = None
        self.secrets: frozenset[str] = frozenset()
        """Of all credentials that it was authorized with."""

    @property
    def credential(self) -> str:
        return self.held.holder if self.held else self._keeper.name

    async def hold(self) -> None:
        self.held = await self._keeper.current()
        if self.held is not None:
            self.secrets |= secrets_in(self.held.credentials)

    async def ask(self, ask: Ask, step: Step) -> Answer:
        """A 401 proves that the ask was not carried out, so it is asked once more when there is a new token."""
        answer = await step(ask, lambda note: self._wire.perform(ask, self, note))
        if self.held is None or not (refusal := self._refusal(answer)):
            return answer
        renewed = await self._keeper.renewed(self.held)
        if renewed == self.held:
            raise refusal
        answer = await step(ask, lambda note: self._wire.perform(ask, self, note))
        if refusal := self._refusal(answer):
            told = f"{refusal}, although the token was renewed just now: connect it again"
            raise AuthExpired(told, code=refusal.code)
        return answer

    def _refusal(self, answer: Answer) -> AuthExpired | None:
        error = self.failure(answer) if isinstance(answer, httpx.Response) else None
        return error if isinstance(error, AuthExpired) else None

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """What the connector makes of it. One on which it chokes is left to the flow."""
        try:
            error: DeliveryError | None = self.connector.failure(response)
        except Exception:
            return None
        return error


def _given(payload: Payload | None) -> Payload:
    if payload is None:
        raise Unavailable("the payload in which it came is no longer in the journal")
    return payload


def _soon(error: BaseException) -> bool:
    return isinstance(error, RateLimited) and (error.retry_after is None or error.retry_after <= PATIENCE)
