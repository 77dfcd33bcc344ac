"""What refusals mean: a status, and `{"error": "ExpiredToken", "message": "…"}` (https://atproto.com/specs/xrpc#error-responses,
2026-11)."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Unreachable,
    from_response,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.contract.lax import json_object, text_of

MEANINGS: Mapping[str, type[DeliveryError]] = {
    **dict.fromkeys(("ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"), AuthExpired),
    **dict.fromkeys(("AccountTakedown", "AccountDeactivated", "AccountSuspended", "InvalidApproach"), Forbidden),
    **dict.fromkeys(("RecordNotFound", "NotFound", "InvalidConvo", "ConvoNotFound"), Unreachable),
    **dict.fromkeys(("MessagesDisabled", "NotFollowedBySender", "BlockedActor", "BlockedByActor"), Unreachable),
    **dict.fromkeys(("RepoDeactivated", "RepoNotFound", "RecipientNotFound"), Unreachable),
    "RateLimitExceeded": RateLimited,
}
"""Named on the page of each method, https://docs.bsky.app/docs/api/ (2026-11); others go by their status."""

NO_MESSAGES = "Bad token method"
"""What an app password hears that was made without "Allow access to your direct messages"."""


def failure(response: httpx.Response, secrets: Iterable[str]) -> DeliveryError | None:
    error = from_response(response)
    if error is None:
        return None
    body = json_object(response.content) if "json" in response.headers.get("content-type", "") else {}
    code = text_of(body, "error") or error.code
    kind, told = _kind(type(error), code or "", response), text_of(body, "message") or ""
    if kind is AuthExpired and told == NO_MESSAGES:
        kind, told = (
            Forbidden,
            "the app password does not allow direct messages: make one that does, or switch them off",
        )
    for secret in secrets:
        told = told.replace(secret, "…")
    message = f"Bluesky refuses it: {code}; {told[:300]}" if told else str(error)
    if issubclass(kind, RateLimited):
        after = error.retry_after if isinstance(error, RateLimited) and error.retry_after is not None else None
        return kind(message, code=code, retry_after=after if after is not None else _until_reset(response))
    return kind(message, code=code)


def _kind(by_status: type[DeliveryError], code: str, response: httpx.Response) -> type[DeliveryError]:
    """Words refine a 4xx only: whatever comes with 5xx may have been done."""
    if not 400 <= response.status_code < 500 or response.status_code == 429:
        is_idle = code == "UpstreamFailure" and response.request.method in SAFE_METHODS
        return Unavailable if is_idle else by_status
    return MEANINGS.get(code, by_status)


def _until_reset(response: httpx.Response) -> float | None:
    """Seconds by the server's own clock; `ratelimit-reset` is a moment in seconds since 1970."""
    try:
        reset = datetime.fromtimestamp(int(response.headers["ratelimit-reset"]), UTC)
        return max(0.0, (reset - parsedate_to_datetime(response.headers["date"])).total_seconds())
    except (KeyError, ValueError, TypeError, OverflowError, OSError):
        return None
