"""What Telegram's refusals mean.

`{"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user", "parameters": {…}}`
https://core.telegram.org/bots/api#making-requests, #responseparameters (Bot API 10.1, 2026-06). The
descriptions are not documented ("subject to change"); those below are the ones in use in 2026-11. One that is
not listed is decided by its code.
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
    Uncertain,
    Unreachable,
    from_response,
    retry_after,
)

BY_DESCRIPTION: tuple[tuple[str, type[DeliveryError]], ...] = (
    ("chat not found", Unreachable),
    ("user not found", Unreachable),
    ("peer_id_invalid", Unreachable),
    ("group chat was upgraded", Unreachable),
    ("chat was deleted", Unreachable),
    ("group is deactivated", Unreachable),
    ("bot was blocked", Unreachable),
    ("bot was kicked", Unreachable),
    ("bot is not a member", Unreachable),
    ("user is deactivated", Unreachable),
    ("can't initiate conversation", Unreachable),
    ("can't send messages to", Unreachable),
    ("not enough rights", Forbidden),
    ("no rights to send", Forbidden),
    ("chat_write_forbidden", Forbidden),
    ("chat_admin_required", Forbidden),
    ("administrator rights", Forbidden),
)
"""Part of the description, in lower case."""

BY_CODE: Mapping[int, type[DeliveryError]] = {
    400: ContentRejected,
    401: AuthExpired,
    403: Forbidden,
    404: AuthExpired,  # the address holds the token: no such bot
    409: Forbidden,  # a webhook is set, or somebody else polls
    413: ContentRejected,
}


def failure(response: httpx.Response) -> DeliveryError | None:
    body = _body(response)
    if body is None or body.get("ok") is not False or "error_code" not in body:
        return from_response(response)
    code, description = body["error_code"], body.get("description")
    text = description if isinstance(description, str) else f"error {code}"
    if code == 429:
        seconds = _parameter(body, "retry_after")
        wait = retry_after(response) if seconds is None else seconds
        return RateLimited(text, code="429", retry_after=wait)
    kind = _kind(code, text)
    if kind is None:
        return from_response(response) or Uncertain(text, code=str(code))
    moved = _parameter(body, "migrate_to_chat_id")
    return kind(text if moved is None else f"{text}; it is now {moved:.0f}", code=str(code))


def _body(response: httpx.Response) -> dict[str, Any] | None:
    if not response.headers.get("content-type", "").startswith("application/json"):
        return None
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _kind(code: Any, description: str) -> type[DeliveryError] | None:
    if code in (400, 403):
        lower = description.lower()
        found = next((kind for part, kind in BY_DESCRIPTION if part in lower), None)
        return found or BY_CODE[code]
    return BY_CODE.get(code) if isinstance(code, int) else None


def _parameter(body: dict[str, Any], name: str) -> float | None:
    parameters = body.get("parameters")
    value = parameters.get(name) if isinstance(parameters, dict) else None
    return float(value) if isinstance(value, int) else None
