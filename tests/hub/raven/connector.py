"""The connector, and variants that settle a doubtful send in other ways."""

import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr, TypeAdapter, ValidationError

from socialsupport_core.contract import (
    Connector,
    Flow,
    MalformedPayload,
    Settings,
    SignatureError,
    Unreachable,
    Unsupported,
    from_response,
    hookimpl,
)
from socialsupport_core.contract.errors import DeliveryError
from socialsupport_core.model import (
    EVENT,
    Attachment,
    Blob,
    Capabilities,
    Event,
    Facts,
    Intent,
    MediaLimit,
    OpenPrivate,
    Page,
    Payload,
    Receipt,
    Reply,
    SendMessage,
    TextLimit,
    Thread,
)
from socialsupport_core.model.capabilities import Settling
from socialsupport_core.text import plain

API = "https://api.raven.example"
ACCOUNT = "tower"
SECRET = "caw-caw"
EVENTS: TypeAdapter[list[Any]] = TypeAdapter(list[Any])


class RavenSettings(Settings):
    token: SecretStr = SecretStr("raven-token-1")
    secret: SecretStr = SecretStr(SECRET)


class Raven(Connector[RavenSettings]):
    name = "raven"
    settings_model: ClassVar[type[Settings]] = RavenSettings
    capabilities = Capabilities(
        receives=frozenset({"webhook", "poll"}),
        verification="shared_secret",
        intents=frozenset({"send.message", "open.private"}),
        sends=frozenset({"private", "public"}),
        text=TextLimit(limit=160, unit="characters"),
        media=(MediaLimit(media_type="*/*", max_bytes=1000),),
        reply_window=timedelta(days=2),
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.raven.example"})

    def handshake(self, payload: Payload) -> Reply | None:
        return Reply.of_text(payload.query["echo"]) if "echo" in payload.query else None

    def verify(self, payload: Payload) -> None:
        given = payload.header("raven-secret") or ""
        if not hmac.compare_digest(given.encode("utf-8", "replace"), self.settings.secret.get_secret_value().encode()):
            raise SignatureError("raven-secret is missing or not ours")

    def acknowledge(self, payload: Payload) -> Reply:
        return Reply.of_text(f"caw {payload.url}")

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            written = json.loads(payload.body)
            return [event for one in written for event in self.read(one)]
        except (ValueError, TypeError) as error:
            raise MalformedPayload(f"not a raven's letter: {error}") from None

    def read(self, one: Any) -> Iterable[Event]:
        if isinstance(one, dict) and one.get("type") == "scroll":
            raise MalformedPayload("ravens carry no scrolls")
        try:
            yield EVENT.validate_python(one)
        except ValidationError as error:
            raise MalformedPayload(str(error.errors()[0]["msg"])) from None

    def poll(self, cursor: str | None) -> Flow[Page]:
        response = yield self.ask("GET", "/letters", params={"after": cursor or "0"})
        page = response.json()
        when = datetime.fromisoformat(page["at"])
        letters = tuple(
            Payload(source="poll", body=json.dumps([one]).encode(), received_at=when) for one in page["letters"]
        )
        return Page(payloads=letters, cursor=page["next"], more=page["more"])

    def send(self, intent: Intent) -> Flow[Receipt]:
        if isinstance(intent, OpenPrivate):
            return self.whisper(intent)
        if isinstance(intent, SendMessage):
            return self.fly(intent)
        raise Unsupported(f"ravens cannot {intent.type}")

    def fly(self, intent: SendMessage) -> Flow[Receipt]:
        content = {"thread": intent.thread.id, "text": plain(intent.text or ""), "key": intent.key}
        response = yield self.ask("POST", "/messages", json=content)
        return Receipt(native_id=response.json()["id"])

    def whisper(self, intent: OpenPrivate) -> Flow[Receipt]:
        assert intent.recipient is not None
        assert intent.recipient.account is not None
        thread = f"dm-{intent.recipient.account.value}"
        response = yield self.ask("POST", "/messages", json={"thread": thread, "text": intent.text, "key": intent.key})
        return Receipt(native_id=response.json()["id"], thread=Thread(id=thread, visibility="private"))

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        response = yield self.ask("GET", "/messages", params={"key": intent.key})
        found = response.json()
        return Receipt(native_id=found["id"]) if found else None

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        response = yield self.ask("GET", f"/files/{attachment.native_id}")
        return Blob(content=response.content, media_type=attachment.media_type, name=attachment.name)

    def probe(self) -> Flow[Facts]:
        response = yield self.ask("GET", "/me")
        return Facts(own_account=response.json()["account"], name="The tower")

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        if response.status_code == 403 and b"blocked" in response.content:
            return Unreachable("this raven is blocked there", code="blocked")
        return from_response(response)

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        token = self.settings.token.get_secret_value()
        return httpx.Request(method, API + path, headers={"authorization": f"Bearer {token}"}, **content)


class Scrolls(Raven):
    """The same, mended: it reads scrolls too."""

    def read(self, one: Any) -> Iterable[Event]:
        if isinstance(one, dict) and one.get("type") == "scroll":
            yield EVENT.validate_python(one["event"])
        else:
            yield from super().read(one)


def settling(how: Settling) -> type[Raven]:
    """A raven whose doubtful sends are settled that way."""
    return type("Raven", (Raven,), {"capabilities": Raven.capabilities.model_copy(update={"settles": how})})


def plugin(*connectors: type[Connector[Any]], **hooks: Any) -> Any:
    """What an installed package would offer."""

    @hookimpl
    def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
        return connectors

    return SimpleNamespace(__name__="ravens", socialsupport_connectors=socialsupport_connectors, **hooks)
