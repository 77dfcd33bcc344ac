"""Any channel of the operator's own: a mapping reads what it posts, a signed webhook tells it what we say."""

import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx

from socialsupport_core.contract import Connector, Flow, Settings, SignatureError, Unsupported
from socialsupport_core.contract import standard_webhooks as signing
from socialsupport_core.model import (
    Attachment,
    Blob,
    Capabilities,
    Credentials,
    Event,
    Facts,
    Intent,
    MediaLimit,
    Payload,
    Receipt,
    SendMessage,
    TextLimit,
)
from socialsupport_generic import outbound
from socialsupport_generic.inbound import Reader
from socialsupport_generic.settings import GenericSettings

MAX_FILE = 5_000_000  # bytes: it travels as Base64 within the JSON
CAPABILITIES = Capabilities(
    receives=frozenset({"webhook"}),
    verification="signature",
    events=frozenset(
        {
            "interaction.received",
            "interaction.edited",
            "interaction.deleted",
            "delivery.updated",
            "identity.claimed",
            "unrecognised",
        }
    ),
    intents=frozenset({"send.message"}),
    sends=frozenset({"public", "private"}),
    markup=True,
    subject=True,
    media=(MediaLimit(media_type="*/*", max_bytes=MAX_FILE),),
    attachments=10,
    choices=20,
    receipts=frozenset({"delivered", "read", "failed"}),
    settles="native_key",
)


class Generic(Connector[GenericSettings]):
    """What the operator's system can do differs, so a channel's capabilities follow its settings."""

    name: ClassVar[str] = "generic"
    settings_model: ClassVar[type[Settings]] = GenericSettings
    capabilities: ClassVar[Capabilities] = CAPABILITIES

    def __init__(self, settings: GenericSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._reader = Reader(self.name, settings.own_account, settings.mapping)
        if narrowed := _narrowed(settings):
            vars(self)["capabilities"] = CAPABILITIES.model_copy(update=narrowed)

    @property
    def hosts(self) -> frozenset[str]:
        return self.settings.file_hosts | ({self.settings.host} if self.settings.host else set())

    # inbound: pure

    def verify(self, payload: Payload) -> None:
        secrets = [one.get_secret_value() for one in self.settings.incoming]
        if self.settings.header is None:
            signing.verify([signing.secret_key(one) for one in secrets], payload)
            return
        given = (payload.header(self.settings.header) or "").encode("utf-8", "replace")
        fits = [hmac.compare_digest(one.encode(), given) for one in secrets]
        if not any(fits):
            raise SignatureError(f"the header {self.settings.header} is missing or does not hold the channel's secret")

    def parse(self, payload: Payload) -> Iterable[Event]:
        return list(self._reader.events(payload))

    # outbound

    def send(self, intent: Intent) -> Flow[Receipt]:
        if not isinstance(intent, SendMessage) or intent.template is not None or self.settings.address is None:
            raise Unsupported(f"{self.settings.own_account} takes no {intent.type}; is its `address` set?")
        blobs = yield from outbound.files(intent)
        response = yield self._posted(outbound.webhook_id(intent.key), outbound.message(intent, blobs))
        return outbound.receipt(intent, response.content)

    def invitation(self, token: str) -> str | None:
        address = self.settings.invitation
        return address.replace("{token}", quote(token, safe="")) if address else None

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Signed at every attempt anew, under the same `webhook-id`."""
        if id_ := request.headers.get(signing.ID):
            keys = [signing.secret_key(one.get_secret_value()) for one in self.settings.outgoing]
            timestamp = int(now.timestamp())
            request.headers[signing.TIMESTAMP] = str(timestamp)
            request.headers[signing.SIGNATURE] = signing.sign(keys, id_, timestamp, request.read())
        return request

    # about the world

    def probe(self) -> Flow[Facts]:
        """A `ping`, to be answered like a message, and to be forgotten."""
        if self.settings.address:
            yield self._posted("ping", {"type": "ping", "own_account": self.settings.own_account})
        return Facts(own_account=self.settings.own_account, name=self.settings.name)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        address = urlsplit(attachment.url or "")
        if address.scheme != "https" or address.hostname not in self.settings.file_hosts:
            raise Unsupported("files are fetched over https from the channel's file_hosts only")
        response = yield httpx.Request("GET", str(attachment.url))
        media_type = response.headers.get("content-type", "").partition(";")[0].strip() or attachment.media_type
        return Blob(content=response.content, media_type=media_type, name=attachment.name)

    def _posted(self, id_: str, body: dict[str, Any]) -> httpx.Request:
        return httpx.Request("POST", self.settings.address or "", json=body, headers={signing.ID: id_})


def _narrowed(settings: GenericSettings) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    if settings.header:
        changed["verification"] = "shared_secret"
    if settings.max_text:
        changed["text"] = TextLimit(limit=settings.max_text, unit="characters")
    if settings.address is None:
        changed |= {"intents": frozenset(), "sends": frozenset(), "receipts": frozenset(), "settles": "none"}
    return changed
