"""What Twilio's error codes mean.

`{"code": 21610, "message": "…", "more_info": "https://www.twilio.com/docs/errors/21610", "status": 400}`
https://www.twilio.com/docs/usage/twilios-response (2026-07), https://www.twilio.com/docs/api/errors (2026-11).
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

REFUSED: Mapping[str, type[DeliveryError]] = {
    "10001": Forbidden,  # our account is not active
    "20003": AuthExpired,  # the credentials are wrong, or the account is suspended
    "20429": RateLimited,  # too many calls at once
    "21211": Unreachable,  # `To` is no telephone number
    "21408": Forbidden,  # our account may not write to that region
    "21602": ContentRejected,  # the message is empty
    "21606": Forbidden,  # `From` is not ours, or sends no text messages
    "21608": Forbidden,  # a trial account writes to verified numbers only
    "21610": Unreachable,  # they have opted out
    "21611": RateLimited,  # ten hours of messages are waiting already
    "21612": Unreachable,  # no way from this `From` to this `To`
    "21614": Unreachable,  # not a mobile number
    "21617": ContentRejected,  # longer than 1,600 characters
    "21635": Unreachable,  # a landline
    "63017": RateLimited,  # 2,000 messages a second
}
"""Answers to a call."""

LOST: Mapping[str, str] = {
    "21610": "they have opted out",
    "30001": "the queue was too long",
    "30002": "our account is suspended",
    "30003": "their phone cannot be reached",
    "30004": "blocked: they, or their carrier, take no messages from us",
    "30005": "the number is unknown and may no longer exist",
    "30006": "a landline, or a carrier that cannot be reached",
    "30007": "filtered by the carrier or by Twilio",
    "30008": "the carrier gives no reason",
    "30009": "a segment is missing",
    "30010": "it would have cost more than the highest price",
}
"""Reasons in a status callback, by `ErrorCode`."""


class Moved(Unavailable):
    """A redirect; `location` is where to."""

    def __init__(self, location: str) -> None:
        super().__init__("Twilio answered with a redirect")
        self.location = location


def failure(response: httpx.Response, secrets: Iterable[str] = ()) -> DeliveryError | None:
    """Whatever it repeats of `secrets` is left out."""
    plain = from_response(response)
    if plain is None:
        return None
    if response.has_redirect_location:
        return Moved(response.headers["location"])
    body = _object(response)
    code = str(body["code"]) if isinstance(body.get("code"), int | str) else str(response.status_code)
    kind = _kind(response, code[:20]) or type(plain)
    message = f"Twilio answered {response.status_code}: {_sentence(response, body, secrets)}"
    if issubclass(kind, RateLimited):
        return kind(message, code=code[:20], retry_after=retry_after(response))
    return kind(message, code=code[:20])


def _kind(response: httpx.Response, code: str) -> type[DeliveryError] | None:
    """A server's own error leaves a message in doubt, whatever the body says; 429 is a rate."""
    if response.status_code == 404 and response.request.method == "GET" and "/Recordings/" in response.request.url.path:
        return Unavailable  # told of before it is ready: https://www.twilio.com/docs/voice/twiml/record (2026-11)
    return REFUSED.get(code) if 400 <= response.status_code < 500 and response.status_code != 429 else None


def _sentence(response: httpx.Response, body: Mapping[str, Any], secrets: Iterable[str]) -> str:
    said = body.get("message")
    sentence = said if isinstance(said, str) and said else response.reason_phrase
    for secret in secrets:
        sentence = sentence.replace(secret, "…")
    return sentence[:300]


def _object(response: httpx.Response) -> Mapping[str, Any]:
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
