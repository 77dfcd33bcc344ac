"""SendGrid. https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event,
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features,
https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook,
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send (2026-11)"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from socialsupport_core.contract import (
    DeliveryError,
    Flow,
    Forbidden,
    MalformedPayload,
    RateLimited,
    SignatureError,
    answered_at,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Capabilities, Event, Facts, Payload, SendMessage
from socialsupport_core.model.event import DeliveryState
from socialsupport_core.text import plain, to_html
from socialsupport_email import mime
from socialsupport_email.compose import Address, Draft
from socialsupport_email.reports import COMPLAINT
from socialsupport_mailhooks import forms, parsed
from socialsupport_mailhooks.hooked import (
    NATIVE_KEY,
    HookedMail,
    capabilities,
    content,
    is_basic,
    threading,
    unique,
)
from socialsupport_mailhooks.settings import SendGridSettings, public_key

SIGNATURE, TIMESTAMP = "X-Twilio-Email-Event-Webhook-Signature", "X-Twilio-Email-Event-Webhook-Timestamp"
TOLERANCE = timedelta(minutes=10)
"""Between signing and arrival; SendGrid names none."""
IGNORED = frozenset({"processed", "open", "click"})
TOLD = ("from", "to", "cc", "subject")
"""Fields of a parsed mail that are headers."""
STATES: dict[str, DeliveryState] = {
    "delivered": "delivered",
    "deferred": "sent",  # it goes on trying
    "bounce": "failed",
    "dropped": "failed",
    "spamreport": "failed",
}


class Happening(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)

    event: str
    sg_event_id: str = Field(default="", max_length=1024)
    """Missing in what tells of the account, and in what is very old."""
    timestamp: int = Field(ge=0, le=253_402_300_799)
    """Seconds since 1970."""
    smtp_id: str | None = Field(default=None, alias="smtp-id")
    status: str | None = None
    reason: str | None = None
    response: str | None = None
    """What the other server said, of a mail that is tried again."""
    key: str | None = Field(default=None, alias=NATIVE_KEY, max_length=128)

    @property
    def id(self) -> str:
        return self.sg_event_id or f"sha256:{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]}"

    @property
    def message_id(self) -> str | None:
        return (self.smtp_id or "").strip("<> ")[:1024] or None


class SendGrid(HookedMail[SendGridSettings]):
    """One mailbox whose mail SendGrid carries."""

    name: ClassVar[str] = "sendgrid"
    settings_model = SendGridSettings
    capabilities: ClassVar[Capabilities] = capabilities("none", largest=20_000_000)
    """30 MB a mail, base64 included."""
    api: ClassVar[str] = "api.sendgrid.com"

    def verify(self, payload: Payload) -> None:
        """By the signature where there is one, else by user and password of the address: mails may come unsigned."""
        if payload.header(SIGNATURE) is not None:
            self._verify_signature(payload)
        elif not is_basic(payload, self.settings):
            raise SignatureError(f"neither {SIGNATURE} nor the user and the password of the webhook's address")

    def _verify_signature(self, payload: Payload) -> None:
        signed_at, given = payload.header(TIMESTAMP) or "", payload.header(SIGNATURE) or ""
        if not re.fullmatch(r"[0-9]{1,11}", signed_at):
            raise SignatureError(f"{TIMESTAMP} is missing")
        if abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE.total_seconds():
            raise SignatureError("the signature is older or newer than ten minutes")
        if not any(_fits(key, given, signed_at.encode() + payload.body) for key in self.settings.verification_keys):
            raise SignatureError(f"{SIGNATURE} does not fit the body and the verification keys")

    def received(self, payload: Payload) -> Iterator[bytes]:
        """The raw mail where `POST the raw, full MIME message` is ticked, else put together from its parts."""
        form = forms.fields(payload)
        if raw := form.get("email"):
            yield raw
            return
        headers, _ = mime.split(form.get("headers", b"").lstrip())
        charsets = _object(form, "charsets")
        words = {name: forms.text(form, name, str(charsets.get(name, "utf-8"))) for name in (*TOLD, "text", "html")}
        told = [*((name, words[name]) for name in TOLD), *_envelope(form)]
        yield parsed.mail(headers, told, words["text"], words["html"], forms.files(payload, "attachment"))

    def reported(self, payload: Payload) -> Iterable[Event] | None:
        if payload.body.lstrip()[:1] != b"[":  # a form never begins so
            return None
        told = content(payload)
        if not isinstance(told, list):
            raise MalformedPayload("the body is no list of events")
        return unique(event for native in told for event in self._events(_happening(native)))

    def _events(self, one: Happening) -> Iterator[Event]:
        if one.event in IGNORED:
            return
        if one.event not in STATES:
            yield self.unknown(one.id, one.event)
            return
        state = STATES[one.event]
        told: dict[str, Any] = {"code": one.status, "reason": one.reason or one.response}
        if state == "delivered":
            told = {}
        if one.event == "spamreport":
            told["code"] = COMPLAINT
        at = datetime.fromtimestamp(one.timestamp, UTC)
        yield self.update(one.id, state, at, native_id=one.message_id, key=one.key, **told)

    def request(self, intent: SendMessage, draft: Draft, message: bytes) -> httpx.Request:
        files = [
            {"content": base64.b64encode(one.content).decode(), "type": one.media_type,
             "filename": one.name or "attachment", "disposition": "attachment"}
            for one in draft.attachments
        ]  # fmt: skip
        asked = {
            "personalizations": [{"to": [_person(draft.recipient)], "custom_args": {NATIVE_KEY: intent.key}}],
            "from": _person(draft.sender),
            **({"reply_to": _person(draft.reply_to)} if draft.reply_to else {}),
            "subject": draft.subject,
            "content": [
                {"type": "text/plain", "value": plain(draft.text) or " "},
                {"type": "text/html", "value": to_html(draft.text) or "<p></p>"},
            ],
            "headers": threading(draft),
            "tracking_settings": {
                "click_tracking": {"enable": False, "enable_text": False},
                "open_tracking": {"enable": False},
            },
            **({"attachments": files} if files else {}),
        }
        return httpx.Request("POST", f"https://{self.api}/v3/mail/send", json=asked)

    def probe(self) -> Flow[Facts]:
        """https://www.twilio.com/docs/sendgrid/api-reference/api-key-permissions/retrieve-a-list-of-scopes-for-which-this-user-has-access
        (2026-11)"""
        response = yield httpx.Request("GET", f"https://{self.api}/v3/scopes")
        if "mail.send" not in response.json()["scopes"]:
            raise Forbidden("the API key may not send: give it Mail Send in Settings → API Keys")
        return Facts(own_account=self.settings.address, name=self.settings.name)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """When calls are taken again stands in a header of its own, in seconds since 1970.

        https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits (2026-11)
        """
        error = super().failure(response)
        until = response.headers.get("x-ratelimit-reset", "")
        if isinstance(error, RateLimited) and error.retry_after is None and re.fullmatch(r"[0-9]{1,11}", until):
            error.retry_after = max(0.0, int(until) - answered_at(response).timestamp())
        return error

    def credential(self) -> tuple[str, str]:
        return "authorization", f"Bearer {self.settings.api_key.get_secret_value()}"


def _object(form: dict[str, bytes], name: str) -> dict[str, Any]:
    found = forms.json_of(form, name)
    return found if isinstance(found, dict) else {}


def _envelope(form: dict[str, bytes]) -> list[parsed.Header]:
    envelope = _object(form, "envelope")
    to = envelope.get("to")
    known = ", ".join(map(str, to)) if isinstance(to, list) else ""
    return [("Delivered-To", known), ("From", str(envelope.get("from") or ""))]


def _happening(native: Any) -> Happening:
    try:
        return Happening.model_validate(native)
    except ValidationError as error:
        raise MalformedPayload(misfit(error)) from None


def _person(one: Address) -> dict[str, str]:
    return {"email": one.address} | ({"name": one.name} if one.name else {})


def _fits(key: str, given: str, signed: bytes) -> bool:
    """In its one spelling: base64 and DER know others for the same numbers."""
    try:
        signature = base64.b64decode(given.encode(), validate=True)
        public_key(key).verify(signature, signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return base64.b64encode(signature).decode() == given
