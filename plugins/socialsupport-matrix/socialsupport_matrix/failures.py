"""What a homeserver's refusals mean: `{"errcode": "M_LIMIT_EXCEEDED", "error": "…", "retry_after_ms": 2000}`.

https://spec.matrix.org/latest/client-server-api/#standard-error-response (v1.18, 2026-11)
"""

from collections.abc import Mapping
from typing import Any

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unreachable,
    Unsupported,
    from_response,
    retry_after,
)

BY_CODE: Mapping[str, type[DeliveryError]] = {
    "M_UNKNOWN_TOKEN": AuthExpired,
    "M_MISSING_TOKEN": AuthExpired,
    "M_USER_LOCKED": Forbidden,
    "M_USER_SUSPENDED": Forbidden,
    "M_USER_DEACTIVATED": Forbidden,
    "M_CONSENT_NOT_GIVEN": Forbidden,
    "M_RESOURCE_LIMIT_EXCEEDED": Forbidden,
    "M_GUEST_ACCESS_FORBIDDEN": Forbidden,
    "M_FORBIDDEN": Forbidden,
    "M_NOT_FOUND": Unreachable,
    "M_UNRECOGNIZED": Unsupported,
    "M_NOT_YET_UPLOADED": Unreachable,
    "M_TOO_LARGE": ContentRejected,
    "M_BAD_JSON": ContentRejected,
    "M_NOT_JSON": ContentRejected,
    "M_INVALID_PARAM": ContentRejected,
    "M_ROOM_IN_USE": ContentRejected,
    "M_INCOMPATIBLE_ROOM_VERSION": Unreachable,
    "M_UNSUPPORTED_ROOM_VERSION": Unreachable,
}
"""A code that is not listed is decided by the status."""


def failure(response: httpx.Response) -> DeliveryError | None:
    otherwise = from_response(response)
    if otherwise is None:
        return None
    body = _body(response)
    code = body.get("errcode")
    if not isinstance(code, str):
        return otherwise
    if code == "M_LIMIT_EXCEEDED" or response.status_code == 429:
        return RateLimited("the homeserver asks for patience", code=code[:64], retry_after=_wait(response, body))
    kind = BY_CODE.get(code) if response.status_code < 500 else None
    return (kind or type(otherwise))(_told(code, body), code=code[:64])


def _wait(response: httpx.Response, body: Mapping[str, Any]) -> float | None:
    """Seconds. The header is newer than `retry_after_ms` and goes first."""
    found = body.get("retry_after_ms")
    from_header = retry_after(response)
    if from_header is not None or isinstance(found, bool) or not isinstance(found, int | float):
        return from_header
    return min(found, 10**9) / 1000


def _told(code: str, body: Mapping[str, Any]) -> str:
    if code == "M_UNKNOWN_TOKEN":
        # #soft-logout: the device is still there, and signing in again keeps it
        softly = " softly: sign in again as the same device" if body.get("soft_logout") is True else ""
        return f"the homeserver has ended this login{softly}; enter a new access_token"
    error = body.get("error")
    return f"the homeserver says {code[:64]}" + (f": {error[:200]}" if isinstance(error, str) else "")


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
