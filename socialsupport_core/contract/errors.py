"""Errors are decisions: the class says what happens next.

SocialSupportError
├── ConfigError             the operator must change something; the message says what and where
├── SignatureError          the door answers 401 and leaves no trace but a counter
├── MalformedPayload        verified but unreadable: quarantined with its reason, mended by `replay`
└── DeliveryError           a call to the network did not end well
    ├── RateLimited         again after `retry_after` seconds
    ├── Unavailable         again later: it has certainly not been done
    ├── Uncertain           it may have been done: never again blindly
    ├── AuthExpired         refresh the credentials, then again; if that fails, an operator connects anew
    ├── Forbidden           we may not do this; the operator must look
    ├── Unreachable         this person cannot be reached here (blocked, opted out, window closed): hand off
    ├── ContentRejected     the network refuses this content; an agent must change it
    ├── Conflict            somebody else has changed it meanwhile: look again, decide, then again
    └── Unsupported         the network has no such thing
"""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx


class SocialSupportError(Exception):
    """The root of everything that this library raises on purpose."""


class ConfigError(SocialSupportError, ValueError):
    """Names the file or channel, the key, and the remedy."""


class SignatureError(SocialSupportError):
    """The payload does not prove that it comes from the network."""


class MalformedPayload(SocialSupportError, ValueError):
    """The payload is genuine but cannot be read. The message is the reason shown in the quarantine."""


class DeliveryError(SocialSupportError):
    """Carries the network's own `code` and no secret."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class RateLimited(DeliveryError):
    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message, code=code)
        self.retry_after = max(0.0, retry_after) if retry_after is not None and isfinite(retry_after) else None
        """Seconds, or None when the network does not say, or says what no clock can wait for."""


class Unavailable(RateLimited):
    """Certainly not done. `retry_after` where the network says when."""


class Uncertain(DeliveryError):
    pass


class AuthExpired(DeliveryError):
    """What was asked has certainly not been done. It waits for credentials as long as it takes."""


class Forbidden(DeliveryError):
    pass


class Unreachable(DeliveryError):
    pass


class ContentRejected(DeliveryError):
    pass


class Conflict(DeliveryError):
    """Not done: what was to be changed is no longer what we had read."""


class Unsupported(DeliveryError):
    pass


SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110, 9.2.1

BY_STATUS: Mapping[int, type[DeliveryError]] = {
    401: AuthExpired,
    402: Forbidden,
    403: Forbidden,
    404: Unreachable,
    405: Unsupported,
    408: Uncertain,
    410: Unreachable,
    423: Unavailable,
    425: Unavailable,
    429: RateLimited,
    451: Forbidden,
    500: Uncertain,
    501: Unsupported,
    502: Uncertain,
    503: Unavailable,
    504: Uncertain,
}
"""Everything else from 400 is ContentRejected, from 500 Uncertain; a redirect is Unavailable: nothing was done."""


def from_response(response: "httpx.Response") -> DeliveryError | None:
    """The decision that a bare HTTP status stands for; None when it is a success.

    A safe request that failed has changed nothing, so what would be uncertain is unavailable.
    """
    status = response.status_code
    if 200 <= status < 300:
        return None
    kind = BY_STATUS.get(status) or _by_class(status)
    if kind is Uncertain and response.request.method in SAFE_METHODS:
        kind = Unavailable
    message = f"the network answered {status} {response.reason_phrase}".rstrip()
    if issubclass(kind, RateLimited):
        return kind(message, code=str(status), retry_after=retry_after(response))
    return kind(message, code=str(status))


def _by_class(status: int) -> type[DeliveryError]:
    if status >= 500:
        return Uncertain
    return ContentRejected if status >= 400 else Unavailable


def retry_after(response: "httpx.Response") -> float | None:
    """Seconds from the Retry-After header, which holds seconds or a date (RFC 9110, 10.2.3).

    A date counts from the response's own Date header: two clocks of one machine cannot differ.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until, sent = _date(value), _date(response.headers.get("date", ""))
    return max(0.0, (until - sent).total_seconds()) if until and sent else None


def _date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return moment if moment.tzinfo else None
