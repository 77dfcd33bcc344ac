"""What Mastodon's refusals mean: a status, and `{"error": "…"}` in words
(https://docs.joinmastodon.org/entities/Error/, 2026-11)."""

from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from socialsupport_core.contract import DeliveryError, RateLimited, from_response
from socialsupport_core.contract.lax import json_object, text_of

RESET = "x-ratelimit-reset"
"""When the count begins anew, as ISO 8601: https://docs.joinmastodon.org/api/rate-limits/ (2026-11)."""


def failure(response: httpx.Response, secrets: Iterable[str]) -> DeliveryError | None:
    error = from_response(response)
    if error is None:
        return None
    told = _told(response, secrets)
    message = f"{error}: {told}" if told else str(error)
    if isinstance(error, RateLimited):
        after = error.retry_after if error.retry_after is not None else _until_reset(response)
        return type(error)(message, code=error.code, retry_after=after)
    return type(error)(message, code=error.code)


def _told(response: httpx.Response, secrets: Iterable[str]) -> str:
    if "json" not in response.headers.get("content-type", ""):
        return ""
    body = json_object(response.content)
    told = text_of(body, "error_description") or text_of(body, "error") or ""
    for secret in secrets:
        told = told.replace(secret, "…")
    return told[:300]


def _until_reset(response: httpx.Response) -> float | None:
    """Seconds by the instance's own clock."""
    try:
        reset = datetime.fromisoformat(response.headers[RESET])
        return max(0.0, (reset - parsedate_to_datetime(response.headers["date"])).total_seconds())
    except (KeyError, ValueError, TypeError):  # a time without its zone cannot be compared
        return None
