"""What Discord's refusals mean: `{"code": 50013, "message": "Missing Permissions"}`.

https://docs.discord.com/developers/topics/opcodes-and-status-codes#json and
https://docs.discord.com/developers/topics/rate-limits (2026-11). A code that is not listed is decided by its status.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Unreachable,
    from_response,
    retry_after,
)
from socialsupport_core.contract.lax import Json, text_of, whole_of

MEANINGS: Mapping[int, type[DeliveryError]] = {
    10003: Unreachable,  # unknown channel
    10004: Unreachable,  # unknown guild
    10008: Unreachable,  # unknown message
    10013: Unreachable,  # unknown user
    10014: ContentRejected,  # unknown emoji
    20009: ContentRejected,  # explicit content
    20016: RateLimited,  # slow mode
    20028: RateLimited,  # this channel's writes
    30010: ContentRejected,  # reactions are at their maximum
    40002: Forbidden,  # the account must be verified
    40005: ContentRejected,  # too large
    40062: RateLimited,
    50001: Forbidden,  # missing access
    50005: Forbidden,  # another user's message
    50006: ContentRejected,  # empty
    50007: Unreachable,  # no messages to this user
    50008: Unreachable,  # no text channel
    50013: Forbidden,  # missing permissions
    50014: AuthExpired,
    50021: ContentRejected,  # a system message
    50033: Unreachable,  # invalid recipient
    50035: ContentRejected,  # invalid form
    50083: Unreachable,  # the thread is archived
    50278: Unreachable,  # no server in common
    90001: Forbidden,  # reaction blocked
    130000: Unavailable,  # overloaded
    160002: Forbidden,  # replying wants Read Message History
    160005: Unreachable,  # the thread is locked
    200000: ContentRejected,  # AutoMod
    200001: ContentRejected,
    240000: ContentRejected,  # harmful links
}


def failure(response: httpx.Response, secrets: Iterable[str]) -> DeliveryError | None:
    plain = from_response(response)
    if plain is None:
        return None
    body = _body(response)
    code = whole_of(body, "code") or 0
    kind = MEANINGS.get(code, type(plain)) if response.status_code < 500 else type(plain)
    message = f"Discord answered {response.status_code}: {_sentence(response, body, secrets)}"
    written = str(code) if code in MEANINGS else str(response.status_code)
    if issubclass(kind, RateLimited):
        return kind(message, code=written, retry_after=_seconds(response, body))
    return kind(message, code=written)


def _seconds(response: httpx.Response, body: Json) -> float | None:
    """The body is more exact than the header."""
    given = body.get("retry_after")
    if isinstance(given, int | float) and not isinstance(given, bool):
        try:
            return float(given)
        except OverflowError:
            return None
    return retry_after(response)


def _sentence(response: httpx.Response, body: Json, secrets: Iterable[str]) -> str:
    sentence = text_of(body, "message") or response.reason_phrase
    for secret in secrets:
        sentence = sentence.replace(secret, "…")
    return sentence[:300]


def _body(response: httpx.Response) -> Json:
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
