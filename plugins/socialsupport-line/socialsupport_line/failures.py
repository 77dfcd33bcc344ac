"""What LINE's refusals mean.

`{"message": "The request body has 1 error(s)", "details": [{"message": "…", "property": "messages[0].text"}]}`
https://developers.line.biz/en/reference/messaging-api/#status-codes, #error-responses (2026-11). A message that is
not listed is decided by its status.
"""

from collections.abc import Iterable
from typing import Any

import httpx

from socialsupport_core.contract import (
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unreachable,
    from_response,
    retry_after,
)
from socialsupport_core.contract.lax import Json, objects_of, text_of

STALE = "invalid_reply_token"
"""The reply token was used, or has run out."""
ACCEPTED = "retry_key_accepted"
"""LINE has taken a request with this retry key before."""
BY_MESSAGE: tuple[tuple[int, str, type[DeliveryError], str], ...] = (
    (400, "invalid reply token", ContentRejected, STALE),
    (400, "failed to send messages", Unreachable, "400"),  # nobody of that id, or never a friend
    (400, "the property, 'to',", Unreachable, "400"),  # no id of a user, group or room
    (409, "retry key is already accepted", ContentRejected, ACCEPTED),
    # the month's messages are used up: waiting for some seconds does not help, buying more does
    (429, "monthly limit", Forbidden, "monthly_limit"),
)
"""Status, part of the message in lower case, what it means, and our code for it."""


def failure(response: httpx.Response, secrets: Iterable[str]) -> DeliveryError | None:
    body = _body(response)
    if response.status_code == 409 and sent(body):
        return None  # a repeated push: LINE names the message that it sent at the first
    plain = from_response(response)
    if plain is None:
        return None
    kind, code = _meaning(response.status_code, (text_of(body, "message") or "").lower(), plain)
    message = f"LINE answered {response.status_code}: {_sentence(response, body, secrets)}"
    if issubclass(kind, RateLimited):
        return kind(message, code=code, retry_after=retry_after(response))
    return kind(message, code=code)


def sent(body: Json) -> Json:
    """The message that was sent, as LINE names it; empty if it names none."""
    return next((one for one in objects_of(body, "sentMessages") if text_of(one, "id")), {})


def _meaning(status: int, message: str, plain: DeliveryError) -> tuple[type[DeliveryError], str]:
    for known, part, kind, code in BY_MESSAGE:
        if known == status and part in message:
            return kind, code
    return type(plain), str(status)


def _sentence(response: httpx.Response, body: Json, secrets: Iterable[str]) -> str:
    details = [": ".join(filter(None, [text_of(one, "property"), text_of(one, "message")])) for one in _details(body)]
    sentence = "; ".join(filter(None, [text_of(body, "message") or response.reason_phrase, *details]))
    for secret in secrets:
        sentence = sentence.replace(secret, "…")
    return sentence[:300]


def _details(body: Json) -> list[Json]:
    return list(objects_of(body, "details"))[:3]


def _body(response: httpx.Response) -> Json:
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
