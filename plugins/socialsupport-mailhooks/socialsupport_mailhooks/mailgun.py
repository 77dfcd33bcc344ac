"""Mailgun. https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks,
https://documentation.mailgun.com/docs/mailgun/user-manual/receive-forward-store/receive-http,
https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages (2026-11)"""

import hmac
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from socialsupport_core.contract import (
    Flow,
    Forbidden,
    MalformedPayload,
    SignatureError,
    Unavailable,
    Unsupported,
    answered_at,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Capabilities, Credentials, Event, Facts, Intent, Payload, Receipt, SendMessage
from socialsupport_core.model.event import DeliveryState
from socialsupport_email.compose import Draft
from socialsupport_email.reports import COMPLAINT
from socialsupport_mailhooks import forms, parsed
from socialsupport_mailhooks.hooked import NATIVE_KEY, HookedMail, basic, capabilities, content
from socialsupport_mailhooks.settings import MailgunSettings

TOLERANCE = timedelta(hours=12)
"""Between signing and arrival: Mailgun tries a webhook again for eight hours."""
INDEXED = timedelta(minutes=5)
"""So long an event may be on its way into the list; until then its absence says nothing."""
UNDATED = b"Date: " + b"-" * len("Thu, 01 Oct 2026 07:15:04 +0000") + b"\r\n"
IGNORED = frozenset({"accepted", "opened", "clicked", "stored"})
TOLD = ("From", "from", "To", "Cc", "Reply-To", "Subject", "subject", "Date", "Message-Id", "In-Reply-To", "References")
"""Fields of a parsed mail that are headers."""
STATES: dict[str, DeliveryState] = {"delivered": "delivered", "complained": "failed", "rejected": "failed"}


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Proof(_Native):
    timestamp: str
    token: str
    signature: str


class Status(_Native):
    code: str | None = None
    message: str | None = None
    description: str | None = None
    enhanced_code: str | None = Field(default=None, alias="enhanced-code")


class Message(_Native):
    headers: dict[str, Any] = {}


class Happening(_Native):
    event: str
    id: str = Field(min_length=1, max_length=1024)
    timestamp: float = Field(ge=0, le=253_402_300_799)
    """Seconds since 1970."""
    severity: str | None = None
    reason: str | None = None
    status: Status = Field(default=Status(), alias="delivery-status")
    message: Message = Message()
    rejection: Status = Field(default=Status(), alias="reject")
    variables: Any = Field(default=None, alias="user-variables")
    """An object; where there are none, sometimes an empty list."""

    @property
    def message_id(self) -> str | None:
        found = self.message.headers.get("message-id")
        return found.strip("<> ")[:1024] or None if isinstance(found, str) else None

    @property
    def key(self) -> str | None:
        found = self.variables.get(NATIVE_KEY) if isinstance(self.variables, dict) else None
        return found[:128] if isinstance(found, str) else None


class Mailgun(HookedMail[MailgunSettings]):
    """One mailbox whose mail Mailgun carries."""

    name: ClassVar[str] = "mailgun"
    settings_model = MailgunSettings
    capabilities: ClassVar[Capabilities] = capabilities("lookup", largest=17_000_000)
    """25 MB a mail, base64 included."""

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({self.settings.host})

    def verify(self, payload: Payload) -> None:
        """Mailgun signs a token and a time, never what it says: who knows one webhook knows how to send another.

        That is a shared secret rather than a signature, so the door must be reached by https only.
        """
        try:
            proof = _proof(payload)
        except MalformedPayload as error:
            raise SignatureError(f"the webhook has no signature: {error}") from None
        if not re.fullmatch(r"[0-9]{1,11}", proof.timestamp):
            raise SignatureError("the signature has no time")
        if abs(payload.received_at.timestamp() - int(proof.timestamp)) > TOLERANCE.total_seconds():
            raise SignatureError("the signature is older or newer than twelve hours")
        good = [sign(key, proof.timestamp, proof.token) for key in self.settings.signing()]
        if True not in [hmac.compare_digest(one.encode(), proof.signature.encode()) for one in good]:  # always all
            raise SignatureError("the signature does not fit its token and the signing key")

    def received(self, payload: Payload) -> Iterator[bytes]:
        """The raw mail of an address that ends in `mime`, else put together from what the route has parsed."""
        form = forms.fields(payload)
        yield form.get("body-mime") or parsed.mail(*_headers(form), *_words(form), _files(payload, form))

    def reported(self, payload: Payload) -> Iterable[Event] | None:
        if not _is_json(payload):
            return None
        told = content(payload)
        native = told.get("event-data") if isinstance(told, dict) else None
        try:
            happening = Happening.model_validate(native)
        except ValidationError as error:
            raise MalformedPayload(f"event-data: {misfit(error)}") from None
        return self._events(happening)

    def _events(self, one: Happening) -> list[Event]:
        if one.event in IGNORED:
            return []
        state: DeliveryState | None = STATES.get(one.event)
        if one.event == "failed":
            state = "failed" if one.severity == "permanent" else "sent"  # it goes on trying
        if state is None:
            return [self.unknown(one.id, one.event)]
        code = COMPLAINT if one.event == "complained" else one.status.enhanced_code or one.status.code
        reason = one.status.description or one.status.message or one.rejection.description or one.reason
        at = datetime.fromtimestamp(one.timestamp, UTC)
        told = {} if state == "delivered" else {"code": code, "reason": reason}
        return [self.update(one.id, state, at, native_id=one.message_id, key=one.key, **told)]

    def request(self, intent: SendMessage, draft: Draft, message: bytes) -> httpx.Request:
        """The mail itself, with our Message-ID. Its Date is written when it is sent: a flow knows no time."""
        form = {"to": draft.recipient.address, "o:tracking": "no", f"v:{NATIVE_KEY}": intent.key}
        files = {"message": ("message.eml", UNDATED + message, "application/octet-stream")}
        return httpx.Request("POST", self._address("messages.mime"), data=form, files=files)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"e-mail has no {intent.type}")
        draft = self.draft(intent, ())
        asked = {"message-id": draft.message_id, "event": "accepted", "limit": "1"}
        response: httpx.Response = yield httpx.Request("GET", self._address("events"), params=asked)
        if response.json()["items"]:
            return self.receipt(intent, draft)
        if answered_at(response) < since + INDEXED:
            raise Unavailable("a mail may not be in Mailgun's list yet", retry_after=INDEXED.total_seconds())
        return None

    def probe(self) -> Flow[Facts]:
        """A domain's sending key may not ask; that it is known, and for what it is, is all that can be told.

        https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/domains/get-v4-domains--name-,
        https://documentation.mailgun.com/docs/mailgun/user-manual/api-key-mgmt/rbac-mgmt (2026-11)
        """
        settings = self.settings
        try:
            response = yield httpx.Request("GET", f"https://{settings.host}/v4/domains/{settings.domain}")
        except Forbidden:
            return Facts(own_account=settings.address, name=settings.domain, extra={"key": "sends only"})
        domain = response.json()["domain"]
        return Facts(own_account=settings.address, name=str(domain["name"]), extra={"state": str(domain["state"])})

    def authorize(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        return super().authorize(_dated(request, now), credentials, now, nonce)

    def credential(self) -> tuple[str, str]:
        return basic("api", self.settings.api_key.get_secret_value())

    def _address(self, what: str) -> str:
        return f"https://{self.settings.host}/v3/{self.settings.domain}/{what}"


def sign(key: SecretStr, timestamp: str, token: str) -> str:
    return hmac.new(key.get_secret_value().encode(), (timestamp + token).encode(), "sha256").hexdigest()


def _dated(request: httpx.Request, now: datetime) -> httpx.Request:
    """The date is as long as the blank in its place, and the header stands above all that people have written."""
    if not request.url.path.endswith("/messages.mime"):
        return request
    date = f"Date: {format_datetime(now.astimezone(UTC))}\r\n".encode()
    content = request.read().replace(UNDATED, date, 1)
    return httpx.Request(request.method, request.url, headers=request.headers, content=content)


def _is_json(payload: Payload) -> bool:
    """What it says and not what its header says: a form never begins so."""
    return payload.body.lstrip()[:1] == b"{"


def _headers(form: dict[str, bytes]) -> tuple[list[parsed.Header], list[parsed.Header]]:
    """Those of the mail, and what stands beside them."""
    listed = forms.json_of(form, "message-headers")
    pairs = [one for one in listed if isinstance(one, list) and len(one) == 2] if isinstance(listed, list) else []
    told = [(name, forms.text(form, name)) for name in TOLD]
    told += [("From", forms.text(form, "sender")), ("Delivered-To", forms.text(form, "recipient"))]
    return [(str(name), str(value)) for name, value in pairs], told


def _words(form: dict[str, bytes]) -> tuple[str, str]:
    return forms.text(form, "body-plain"), forms.text(form, "body-html")


def _files(payload: Payload, form: dict[str, bytes]) -> list[parsed.File]:
    """What a route has stored lies at Mailgun, and its address is all that comes along (RFC 2483)."""
    listed = forms.json_of(form, "attachments")
    stored = [one for one in listed if isinstance(one, dict) and one.get("url")] if isinstance(listed, list) else []
    links = [parsed.File(f"{one.get('name')}.uri", "text/uri-list", str(one["url"]).encode()) for one in stored]
    return forms.files(payload, "attachment") + links


def _proof(payload: Payload) -> Proof:
    if _is_json(payload):
        told = content(payload)
        native = told.get("signature") if isinstance(told, dict) else None
    else:
        form = forms.fields(payload)
        native = {name: forms.text(form, name) for name in ("timestamp", "token", "signature")}
    try:
        return Proof.model_validate(native)
    except ValidationError:
        raise MalformedPayload("timestamp, token or signature is missing") from None
