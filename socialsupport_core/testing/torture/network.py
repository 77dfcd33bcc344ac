"""The network of the bench: payloads are our own events as JSON, and what it was sent survives whoever is killed.

Four connectors speak with it, one for each way in which a doubtful send is settled.
"""

import hmac
import json
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr, TypeAdapter, ValidationError

from socialsupport_core.contract import (
    Connector,
    Flow,
    MalformedPayload,
    Registry,
    Settings,
    SignatureError,
    Unsupported,
    hookimpl,
)
from socialsupport_core.model import (
    EVENT,
    Capabilities,
    Event,
    Intent,
    Page,
    Payload,
    Receipt,
    SendMessage,
    TextLimit,
)
from socialsupport_core.model.capabilities import Settling
from socialsupport_core.text import plain

SECRET = "a lamp in the dark"  # noqa: S105 - of a network that exists only here
MODES: tuple[Settling, ...] = ("none", "echo", "lookup", "native_key")
_EVENTS: TypeAdapter[list[Any]] = TypeAdapter(list[Any])


class BeaconSettings(Settings):
    secret: SecretStr = SecretStr(SECRET)


def signature(body: bytes) -> str:
    return hmac.new(SECRET.encode(), body, sha256).hexdigest()


class Beacon(Connector[BeaconSettings]):
    """A body is a list of events; what is no event says how it wants to be misunderstood."""

    name = "beacon"
    settings_model: ClassVar[type[Settings]] = BeaconSettings
    mended: ClassVar[bool] = False
    """A release that understands what the earlier one did not."""

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({f"{self.name.replace('_', '-')}.example"})

    def verify(self, payload: Payload) -> None:
        given = payload.header("beacon-signature") or ""
        if not hmac.compare_digest(given.encode("utf-8", "replace"), signature(payload.body).encode()):
            raise SignatureError("beacon-signature is missing or not ours")

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            written = _EVENTS.validate_json(payload.body)
        except ValidationError:
            raise MalformedPayload("not a list of events") from None
        return [self._read(one) for one in written]

    def _read(self, one: Any) -> Event:
        if isinstance(one, dict) and "poison" in one:
            if not self.mended:
                _poison(one["poison"])
            one = one["meant"]
        if self.mended:
            one = _with_author(one)
        try:
            return EVENT.validate_python(one)
        except ValidationError as error:
            raise MalformedPayload(str(error.errors()[0]["msg"])) from None

    def poll(self, cursor: str | None) -> Flow[Page]:
        response = yield self._ask("GET", "/letters", params={"after": cursor or "0"})
        page = response.json()
        at = datetime.fromisoformat(page["at"])
        payloads = tuple(
            Payload(source="poll", body=body.encode(), received_at=at, url=f"https://{self._host}/letters")
            for body in page["bodies"]
        )
        return Page(payloads=payloads, cursor=page["next"], more=page["more"])

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"beacons cannot {intent.type}")
        content = {"thread": intent.thread.id, "text": plain(intent.text or ""), "key": intent.key}
        response = yield self._ask("POST", "/messages", json=content)
        return Receipt(native_id=response.json()["id"])

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        response = yield self._ask("GET", "/messages", params={"key": intent.key})
        found = response.json()
        return Receipt(native_id=found["id"]) if found else None

    @property
    def _host(self) -> str:
        return min(self.hosts)

    def _ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"https://{self._host}{path}", **content)


def _poison(how: str) -> None:
    if how == "exit":
        raise SystemExit(3)
    if how == "deep":
        raise RecursionError("maximum recursion depth exceeded")
    if how == "key":
        raise KeyError("entry")
    if how == "malformed":
        raise MalformedPayload("nobody understands this")
    raise RuntimeError(how)


def _with_author(one: Any) -> Any:
    """The mended connector finds who wrote what seemed to have no author: the one whose thread it is."""
    said = one.get("interaction") if isinstance(one, dict) else None
    if not said or said["author"].get("identifiers"):
        return one
    identifiers = [{"kind": "beacon.person", "value": said["thread"]["id"].removeprefix("dm-")}]
    return {**one, "interaction": {**said, "author": {**said["author"], "identifiers": identifiers}}}


def connectors(*, mended: bool = False) -> Sequence[type[Connector[Any]]]:
    """`beacon_none`, `beacon_echo`, `beacon_lookup`, `beacon_native_key`."""
    return [type(f"Beacon_{mode}", (Beacon,), _claims(mode) | {"mended": mended}) for mode in MODES]


def _claims(mode: Settling) -> dict[str, Any]:
    capabilities = Capabilities(
        receives=frozenset({"webhook", "poll"}),
        verification="signature",
        intents=frozenset({"send.message"}),
        sends=frozenset({"private", "public"}),
        text=TextLimit(limit=160, unit="characters"),
        settles=mode,
    )
    return {"name": f"beacon_{mode}", "capabilities": capabilities}


def registry(*, mended: bool = False) -> Registry:
    made = connectors(mended=mended)

    @hookimpl
    def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
        return made

    return Registry.of(SimpleNamespace(__name__="beacons", socialsupport_connectors=socialsupport_connectors))


class Coast(httpx.AsyncBaseTransport):
    """The network's side, as a transport. What was sent is appended to a file before the answer begins."""

    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._sent = folder / "sent.jsonl"
        self._clock = clock
        self.letters: list[str] = []
        """Bodies that wait to be polled."""
        self.cut: Callable[[httpx.Request], int | None] = lambda _request: None
        """After how many bytes of the answer the connection drops; None: it does not."""
        self.refuse: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
        """An answer given in place of doing what was asked."""

    def sent(self) -> list[dict[str, str]]:
        """Everything that really went out, in order."""
        if not self._sent.exists():
            return []
        return [json.loads(line) for line in self._sent.read_text("utf-8").splitlines()]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        if refusal := self.refuse(request):
            return refusal
        answer = self._respond(request)
        dropped = self.cut(request)
        return answer if dropped is None else cut(answer, dropped, request)

    def _respond(self, request: httpx.Request) -> httpx.Response:
        match request.method, request.url.path:
            case "POST", "/messages":
                return self._take(json.loads(request.content), request.url.host)
            case "GET", "/messages":
                wanted = request.url.params["key"]
                return httpx.Response(200, json=next((one for one in self.sent() if one["key"] == wanted), {}))
            case "GET", "/letters":
                return self._page(int(request.url.params["after"]))
        return httpx.Response(404)

    def _take(self, asked: dict[str, str], host: str) -> httpx.Response:
        known = [one for one in self.sent() if one["key"] == asked["key"]]
        if known and host == "beacon-native-key.example":
            return httpx.Response(200, json={"id": known[0]["id"]})
        one = {**asked, "host": host, "id": f"n-{asked['key']}" + (f"-{len(known) + 1}" if known else "")}
        append(self._sent, one)
        return httpx.Response(201, json={"id": one["id"]})

    def _page(self, after: int) -> httpx.Response:
        bodies = self.letters[after : after + 2]
        end = after + len(bodies)
        page = {"bodies": bodies, "next": str(end), "more": end < len(self.letters), "at": self._clock().isoformat()}
        return httpx.Response(200, json=page)


def append(path: Path, value: Any) -> None:
    """One line in one write: whole or not at all, whoever is killed."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, json.dumps(value).encode() + b"\n")
    finally:
        os.close(handle)


def head_of(answer: httpx.Response) -> bytes:
    """Status line and headers as they cross the wire."""
    lines = [f"HTTP/1.1 {answer.status_code} {answer.reason_phrase}", *(f"{k}: {v}" for k, v in answer.headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def size(answer: httpx.Response) -> int:
    return len(head_of(answer)) + len(answer.content)


def cut(answer: httpx.Response, after: int, request: httpx.Request) -> httpx.Response:
    """The answer, of which only so many bytes arrive. Raises what a real connection raises without a whole head."""
    left = after - len(head_of(answer))
    if left < 0:
        raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)
    headers = {"content-type": "application/json", "content-length": str(len(answer.content))}
    stream = _Torn(answer.content[:left], len(answer.content))
    return httpx.Response(answer.status_code, headers=headers, stream=stream)


class _Torn(httpx.AsyncByteStream):
    def __init__(self, arrives: bytes, expected: int) -> None:
        self._arrives, self._expected = arrives, expected

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._arrives
        if len(self._arrives) < self._expected:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
