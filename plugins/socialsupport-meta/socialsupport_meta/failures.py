"""Errors of the Graph API as decisions.

`{"error": {"message": …, "type": "OAuthException", "code": 190, "error_subcode": 460, "is_transient": false}}`
https://developers.facebook.com/docs/graph-api/guides/error-handling (2026-03),
https://developers.facebook.com/docs/graph-api/overview/rate-limiting (2026-03),
https://developers.facebook.com/documentation/business-messaging/messenger-platform/error-codes (2026-03).
"""

import json
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
    Uncertain,
    Unreachable,
    from_response,
    retry_after,
)
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.contract.lax import Json, number_of, object_of, text_of

Kind = type[DeliveryError]
Kinds = Mapping[str, Kind]

BY_CODE: Kinds = {
    "1": Uncertain,  # unknown error
    "2": Uncertain,  # service error: "retry", but a send may have gone out
    "3": Forbidden,  # the app lacks the capability
    "4": RateLimited,  # application request limit
    "10": Forbidden,  # permission denied
    "17": RateLimited,  # user request limit
    "32": RateLimited,  # page request limit
    "100": ContentRejected,  # invalid parameter
    "102": AuthExpired,  # login status
    "190": AuthExpired,  # access token
    "200": Forbidden,  # permissions, 200 to 299
    "230": Forbidden,  # pages_messaging is missing
    "341": RateLimited,  # application limit reached
    "368": Forbidden,  # temporarily blocked for policy violations
    "506": ContentRejected,  # duplicate post
    "551": Unreachable,  # this person isn't available right now
    "613": RateLimited,  # calls to this API have exceeded the rate limit
    "1200": Unavailable,  # temporary send message failure
    "1545041": Unreachable,  # message not sent: this person isn't available
    "80001": RateLimited,  # page token
    "80002": RateLimited,  # Instagram
    "80006": RateLimited,  # Messenger
    "80008": RateLimited,  # WhatsApp
}
BY_SUBCODE: Kinds = {
    "33": Unreachable,  # the object does not exist or is not visible
    "99": Forbidden,  # unknown error: missing permissions
    "2018001": Unreachable,  # no matching user found
    "2018047": ContentRejected,  # upload attachment failure
    "2018065": Unreachable,  # outside of the allowed window
    "2018108": Unreachable,  # this person isn't receiving messages from you
    "2018144": Unreachable,  # outside of the allowed window (news)
    "2018164": Forbidden,  # the app may not message people who are not its testers
    "2018278": Unreachable,  # outside of the allowed window
    "2018344": Forbidden,  # the page's administrator must accept terms
    "2534022": Unreachable,  # outside of the allowed window (Instagram)
    "1545041": Unreachable,  # this person isn't available
}
"""A subcode says more than its code."""
CLOSED = frozenset({"2018065", "2018144", "2018278", "2534022"})
"""Subcodes of a reply window that has closed."""
USAGE = ("x-business-use-case-usage", "x-app-usage")
"""Headers that say in how many minutes calls are taken again."""


def failure(
    response: httpx.Response,
    secrets: Iterable[str] = (),
    *,
    name: str = "Meta",
    codes: Kinds | None = None,
) -> DeliveryError | None:
    """None is success. `codes` are the network's own; whatever it repeats of `secrets` is left out."""
    error = object_of(_json(response), "error")
    plain = from_response(response)
    if plain is None and not error:
        return None
    code, subcode = text_of(error, "code"), text_of(error, "error_subcode")
    known = {**BY_CODE, **(codes or {})}
    kind = BY_SUBCODE.get(subcode or "") or known.get(code or "") or _by_range(code) or type(plain or Uncertain(""))
    kind = _considered(kind, response, plain)
    message = f"{name} answered {response.status_code}: {_sentence(response, error, secrets)}"
    told = "/".join(filter(None, [code, subcode])) or str(response.status_code)
    if issubclass(kind, RateLimited):
        return kind(message, code=told, retry_after=wait(response))
    return kind(message, code=told)


def _considered(kind: Kind, response: httpx.Response, plain: DeliveryError | None) -> Kind:
    """Whatever the body says: 429 is a rate, and a server's error leaves a send in doubt but no question."""
    if response.status_code == 429:
        return kind if issubclass(kind, RateLimited) else RateLimited
    if response.status_code >= 500 and plain is not None:
        return type(plain)
    return Unavailable if kind is Uncertain and response.request.method in SAFE_METHODS else kind


def _by_range(code: str | None) -> Kind | None:
    return Forbidden if code and code.isdecimal() and 200 <= int(code[:9]) <= 299 else None


def _sentence(response: httpx.Response, error: Json, secrets: Iterable[str]) -> str:
    details = text_of(object_of(error, "error_data"), "details")
    sentence = text_of(error, "message", "error_user_msg", "error_message") or response.reason_phrase
    if details and details not in sentence:
        sentence = f"{sentence} ({details})"
    for secret in secrets:
        sentence = sentence.replace(secret, "…")
    return sentence[:300]


def _json(response: httpx.Response) -> Json:
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def wait(response: httpx.Response) -> float | None:
    """Seconds: `Retry-After`, else the minutes until access is regained that Meta writes into its own headers."""
    if (seconds := retry_after(response)) is not None:
        return seconds
    for header in USAGE:
        try:
            usage: Any = json.loads(response.headers.get(header, ""))
        except (ValueError, RecursionError):
            continue
        if minutes := [found for found in _regained(usage) if found > 0]:
            return max(minutes) * 60
    return None


def _regained(usage: Any) -> list[float]:
    """`{"<account>": [{"estimated_time_to_regain_access": 19}]}`"""
    found: list[float] = []
    for uses in usage.values() if isinstance(usage, dict) else ():
        for use in uses if isinstance(uses, list) else [uses]:
            minutes = number_of(use, "estimated_time_to_regain_access") if isinstance(use, dict) else None
            found += [] if minutes is None else [minutes]
    return found
