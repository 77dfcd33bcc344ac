"""What refusals mean. Google: https://cloud.google.com/apis/design/errors; Apple:
https://developer.apple.com/documentation/appstoreconnectapi/errorresponse (2026-11)"""

import httpx

from socialsupport_core.contract import AuthExpired, DeliveryError, RateLimited, from_response, retry_after
from socialsupport_core.contract.lax import Json, json_object, object_of, objects_of, text_of
from socialsupport_reviews.tokens import GOOGLE

SLOWER = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
"""Reasons that older interfaces of Google give with a 403."""


def failure(response: httpx.Response) -> DeliveryError | None:
    error = from_response(response)
    if error is None:
        return None
    told = json_object(response.content)
    reason, words = _google(told) if "error" in told else _apple(told)
    message = f"{error}: {words[:300]}" if words else str(error)
    if reason in SLOWER:
        return RateLimited(message, code=reason, retry_after=retry_after(response))
    if str(response.request.url) == GOOGLE and response.status_code == 400:
        return AuthExpired(message, code=reason)  # invalid_grant: taken back, or the clock is wrong
    code = reason or error.code
    if isinstance(error, RateLimited):
        return type(error)(message, code=code, retry_after=error.retry_after)
    return type(error)(message, code=code)


def _google(told: Json) -> tuple[str | None, str]:
    """Of its interfaces, and of its token endpoint."""
    if isinstance(told["error"], str):
        return told["error"], text_of(told, "error_description") or ""
    error = object_of(told, "error")
    old = next((text_of(one, "reason") for one in objects_of(error, "errors")), None)
    return (old if old in SLOWER else text_of(error, "status")), text_of(error, "message") or ""


def _apple(told: Json) -> tuple[str | None, str]:
    first = next(iter(objects_of(told, "errors")), {})
    return text_of(first, "code"), text_of(first, "detail", "title") or ""
