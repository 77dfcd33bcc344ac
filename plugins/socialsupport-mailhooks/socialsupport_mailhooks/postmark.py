"""Postmark. https://postmarkapp.com/developer/webhooks/webhooks-overview, https://postmarkapp.com/developer/api/email-api
(2026-11)"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    MalformedPayload,
    RateLimited,
    Unavailable,
    Unreachable,
    Unsupported,
    answered_at,
    from_response,
    retry_after,
)
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Capabilities, Event, Facts, Instant, Intent, Payload, Receipt, SendMessage
from socialsupport_core.text import plain, to_html
from socialsupport_email.compose import Draft
from socialsupport_email.reports import COMPLAINT
from socialsupport_mailhooks import parsed
from socialsupport_mailhooks.answers import object_of as answer_of
from socialsupport_mailhooks.hooked import (
    NATIVE_KEY,
    HookedMail,
    capabilities,
    content,
    mailbox,
    threading,
    verify_basic,
)
from socialsupport_mailhooks.settings import PostmarkSettings

INDEXED = timedelta(minutes=5)
"""So long a mail may be on its way into the list of sent ones; until then its absence says nothing."""
PIECE = 80
"""Characters of a value of metadata. https://postmarkapp.com/support/article/1125-custom-metadata-faq (2026-11)"""
IGNORED = frozenset({"Open", "Click"})
GONE_TYPES = frozenset({"HardBounce", "BadEmailAddress"})
ERRORS: Mapping[int, type[DeliveryError]] = {
    10: AuthExpired,  # bad or missing API token
    100: Unavailable,  # maintenance
    300: ContentRejected,
    400: Forbidden,  # the sender signature is missing
    401: Forbidden,  # or not confirmed
    405: Forbidden,  # no credits
    406: Unreachable,  # the address has bounced, complained or unsubscribed
    411: ContentRejected,  # a forbidden kind of attachment
    412: Forbidden,  # the account is not approved yet
    413: Forbidden,
    429: RateLimited,
}
"""By `ErrorCode`. https://postmarkapp.com/developer/api/overview#error-codes (2026-11)"""


OLD = {"BouncedAt": "Bounce", "DeliveredAt": "Delivery"}
"""Reports came without a RecordType at first; this is how those are told apart."""
PEOPLE = {"To": "ToFull", "Cc": "CcFull"}
TOLD = {
    "To": "To", "Cc": "Cc", "Reply-To": "ReplyTo", "Subject": "Subject", "Date": "Date",
    "Delivered-To": "OriginalRecipient",
}  # fmt: skip
"""Headers of a parsed mail, and the fields that bring them."""


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Report(_Native):
    RecordType: str
    ID: str = ""
    MessageID: str
    Type: str = ""
    Email: str = ""
    Recipient: str = ""
    Description: str = ""
    Details: str = ""
    BouncedAt: Instant | None = None
    DeliveredAt: Instant | None = None
    Metadata: dict[str, Any] = {}

    @property
    def key(self) -> str:
        pieces = [self.Metadata.get(f"{NATIVE_KEY}_{number}") for number in range(2)]
        return "".join(piece for piece in pieces if isinstance(piece, str))[:128]

    @property
    def id(self) -> str:
        return f"{self.RecordType}:{self.ID or self.MessageID}:{self.Email or self.Recipient}"[:1024]


class Postmark(HookedMail[PostmarkSettings]):
    """One mailbox whose mail Postmark carries."""

    name: ClassVar[str] = "postmark"
    settings_model = PostmarkSettings
    capabilities: ClassVar[Capabilities] = capabilities("lookup", largest=7_000_000)
    """Ten MB a mail, base64 included. https://postmarkapp.com/developer/user-guide/send-email-with-api (2026-11)"""
    api: ClassVar[str] = "api.postmarkapp.com"

    def verify(self, payload: Payload) -> None:
        verify_basic(payload, self.settings)

    def received(self, payload: Payload) -> Iterator[bytes]:
        """The raw mail where `Include raw email content in JSON payload` is ticked, else put together from parts."""
        told = content(payload)
        if not isinstance(told, dict):
            raise MalformedPayload("the body is no object")
        raw = text_of(told, "RawEmail")
        yield raw.encode("utf-8", "replace") if raw else _put_together(told)

    def reported(self, payload: Payload) -> Iterable[Event] | None:
        told = content(payload)
        if not isinstance(told, dict):
            raise MalformedPayload("the body is no object")
        kind = text_of(told, "RecordType") or next((kind for field, kind in OLD.items() if field in told), "Inbound")
        if kind == "Inbound":
            return None
        try:
            return self._events(Report.model_validate({**told, "RecordType": kind}), payload.received_at)
        except ValidationError as error:
            raise MalformedPayload(misfit(error)) from None

    def _events(self, report: Report, received_at: datetime) -> list[Event]:
        if report.RecordType in IGNORED:
            return []
        if report.RecordType == "Delivery":
            return [self.update(report.id, "delivered", report.DeliveredAt or received_at, key=report.key)]
        if report.RecordType not in ("Bounce", "SpamComplaint"):
            return [self.unknown(report.id, report.RecordType)]
        code = COMPLAINT if report.RecordType == "SpamComplaint" else report.Type
        reason = report.Details or report.Description
        gone, at = report.Type in GONE_TYPES, report.BouncedAt or received_at
        return [self.update(report.id, "failed", at, key=report.key, code=code, reason=reason, gone=gone)]

    def request(self, intent: SendMessage, draft: Draft, message: bytes) -> httpx.Request:
        headers = threading(draft) | {"X-PM-KeepID": "true"}  # else Postmark replaces our Message-ID
        files = [
            {
                "Name": one.name or "attachment",
                "Content": base64.b64encode(one.content).decode(),
                "ContentType": one.media_type,
            }
            for one in draft.attachments
        ]
        asked = {
            "From": mailbox(draft.sender),
            "To": mailbox(draft.recipient),
            **({"ReplyTo": mailbox(draft.reply_to)} if draft.reply_to else {}),
            "Subject": draft.subject,
            "TextBody": plain(draft.text),
            "HtmlBody": to_html(draft.text),
            "Headers": [{"Name": name, "Value": value} for name, value in headers.items()],
            "Metadata": _metadata(intent.key),
            "MessageStream": self.settings.stream,
            "TrackOpens": False,
            "TrackLinks": "None",
            **({"Attachments": files} if files else {}),
        }
        return httpx.Request("POST", f"https://{self.api}/email", json=asked)

    def lookup(self, intent: Intent, since: datetime) -> Flow[Receipt | None]:
        """By the key that Postmark keeps with the mail."""
        if not isinstance(intent, SendMessage):
            raise Unsupported(f"e-mail has no {intent.type}")
        asked = {"count": "1", "offset": "0"} | {
            f"metadata_{name}": value for name, value in _metadata(intent.key).items()
        }
        response: httpx.Response = yield httpx.Request("GET", f"https://{self.api}/messages/outbound", params=asked)
        if response.json()["TotalCount"] > 0:
            return self.receipt(intent, self.draft(intent, ()))
        if answered_at(response) < since + INDEXED:
            raise Unavailable("a mail may not be in Postmark's list yet", retry_after=INDEXED.total_seconds())
        return None

    def probe(self) -> Flow[Facts]:
        """https://postmarkapp.com/developer/api/server-api (2026-11)"""
        server = (yield httpx.Request("GET", f"https://{self.api}/server")).json()
        told = {"server": str(server["ID"]), "delivers": text_of(server, "DeliveryType") or "Live"}
        told["raw_mails"] = "yes" if server.get("RawEmailEnabled") else "no"
        return Facts(own_account=self.settings.address, name=str(server["Name"]), extra=told)

    def credential(self) -> tuple[str, str]:
        return "x-postmark-server-token", self.settings.server_token.get_secret_value()

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        code = answer_of(response).get("ErrorCode")
        plainly = from_response(response)
        if plainly is None or not isinstance(code, int) or code not in ERRORS:
            return plainly
        kind = ERRORS[code]
        told = f"Postmark answered {response.status_code} with ErrorCode {code}"
        if issubclass(kind, RateLimited):
            return kind(told, code=str(code), retry_after=retry_after(response))
        return kind(told, code=str(code))


def _put_together(told: Json) -> bytes:
    headers = [(text_of(one, "Name") or "", text_of(one, "Value") or "") for one in objects_of(told, "Headers")]
    people = [(name, ", ".join(map(_person, objects_of(told, field)))) for name, field in PEOPLE.items()]
    author = _person(whole) if (whole := object_of(told, "FromFull")) else text_of(told, "From") or ""
    beside = [("From", author), *people, *((name, text_of(told, field) or "") for name, field in TOLD.items())]
    files = [_file(one) for one in objects_of(told, "Attachments")]
    return parsed.mail(headers, beside, text_of(told, "TextBody") or "", text_of(told, "HtmlBody") or "", files)


def _person(one: Json) -> str:
    """Its name in quotes, whatever it holds."""
    name, address = text_of(one, "Name"), text_of(one, "Email") or ""
    quoted = (name or "").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address


def _file(one: Json) -> parsed.File:
    """Postmark's own test of a webhook writes `Data`."""
    try:
        told = base64.b64decode(text_of(one, "Content", "Data") or "")
    except ValueError:
        raise MalformedPayload("the content of an attachment is not base64") from None
    return parsed.File(text_of(one, "Name") or "", text_of(one, "ContentType") or "", told)


def _metadata(key: str) -> dict[str, str]:
    pieces = [key[at : at + PIECE] for at in range(0, len(key), PIECE)]
    return {f"{NATIVE_KEY}_{number}": piece for number, piece in enumerate(pieces)}
