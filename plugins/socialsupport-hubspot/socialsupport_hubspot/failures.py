"""What HubSpot's refusals mean.

`{"status": "error", "category": "RATE_LIMITS", "message": "…", "policyName": "TEN_SECONDLY_ROLLING"}`
https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines,
https://developers.hubspot.com/docs/api-reference/error-handling (2026-11). What is not listed is decided by its status.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    RateLimited,
    Unavailable,
    from_response,
    retry_after,
)

BY_STATUS: Mapping[int, tuple[type[RateLimited], float | None]] = {
    409: (Unavailable, 1.0),  # two writes of one unique value at once: the other one has made the record
    423: (Unavailable, 2.0),  # the record is locked for two seconds
    477: (Unavailable, None),  # the account moves between data centres; Retry-After says how long
}
"""And the seconds to wait where HubSpot does not say."""
BY_POLICY: Mapping[str, float] = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": 10.0, "DAILY": 3600.0}
"""Seconds to wait where a 429 has no Retry-After. The day's number begins anew at midnight of the account's time zone,
which an adapter does not know: it asks again every hour."""
BY_ERROR: Mapping[str, type[DeliveryError]] = {
    "invalid_grant": AuthExpired,
    "BAD_REFRESH_TOKEN": AuthExpired,
    "EXPIRED_AUTHENTICATION": AuthExpired,
    "INVALID_AUTHENTICATION": AuthExpired,
}
"""By category, status or OAuth error of the body, whatever the status of the answer."""


def failure(response: httpx.Response) -> DeliveryError | None:
    body = _body(response.content)
    code = _code(body)
    if response.status_code == 207:
        return _partly(body)
    plain = from_response(response)
    if plain is None:
        return None
    message = f"HubSpot answered {response.status_code} {code or response.reason_phrase}".rstrip()
    if response.status_code in BY_STATUS:
        waiting, seconds = BY_STATUS[response.status_code]
        return waiting(message, code=code or plain.code, retry_after=retry_after(response) or seconds)
    if isinstance(plain, RateLimited):
        seconds = BY_POLICY.get(_text(body, "policyName") or "")
        told = plain.retry_after if plain.retry_after is not None else seconds
        return type(plain)(message, code=_text(body, "policyName") or code or plain.code, retry_after=told)
    kind = BY_ERROR.get(code or "", type(plain))
    return kind(message, code=code or plain.code)


def _partly(body: dict[str, Any]) -> DeliveryError | None:
    """207: some of a batch was refused. We send batches of one, so it is that one."""
    errors = body.get("errors")
    if not isinstance(errors, list) or not errors:
        return None
    first = errors[0] if isinstance(errors[0], dict) else {}
    return ContentRejected("HubSpot refused the record", code=_code(first) or "207")


def _code(body: dict[str, Any]) -> str | None:
    return next((found for name in ("error", "category", "status") if (found := _text(body, name))), None)


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return value if isinstance(value, str) and value.replace("_", "").isalnum() and len(value) <= 64 else None


def _body(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
