"""X's errors as decisions.

Form (`title`, `detail`, `type`; older: `errors` with `code`):
https://docs.x.com/x-api/fundamentals/response-codes-and-errors (2026-07).
Codes: https://developer.x.com/en/support/x-api/error-troubleshooting (2024-12).
Limits: https://docs.x.com/x-api/fundamentals/rate-limits (2026-07).
"""

from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
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
from socialsupport_core.contract.lax import Json, objects_of, text_of

BY_CODE: Mapping[str, type[DeliveryError]] = {
    "32": AuthExpired,  # could not authenticate you
    "34": Unreachable,  # that page does not exist
    "50": Unreachable,  # user not found
    "63": Unreachable,  # user has been suspended
    "64": Forbidden,  # our account is suspended
    "88": RateLimited,  # rate limit exceeded
    "89": AuthExpired,  # invalid or expired token
    "108": Unreachable,  # cannot find specified user
    "135": Forbidden,  # timestamp out of bounds: this machine's clock is wrong
    "136": Unreachable,  # you have been blocked by the author
    "144": Unreachable,  # no such post
    "150": Unreachable,  # cannot send messages to users who are not following you
    "151": Unreachable,  # there was an error sending your message
    "185": RateLimited,  # over the daily limit of posts
    "186": ContentRejected,  # the post is too long
    "187": ContentRejected,  # duplicate: after an uncertain send it means that the first one arrived
    "226": Forbidden,  # looks automated
    "324": ContentRejected,  # the media cannot be attached
    "326": Forbidden,  # our account is locked
    "349": Unreachable,  # cannot send messages to this user
    "354": ContentRejected,  # the direct message is too long
    "385": Unreachable,  # the post replied to is deleted or not visible
    "433": Unreachable,  # its author restricted who can reply
}
BY_DETAIL: Mapping[str, str] = {
    "duplicate content": "187",
    "too long": "186",
    "needs to be a bit shorter": "186",
    "permission to dm": "349",
    "cannot send messages to this user": "349",
    "not following you": "150",
    "deleted or not visible": "385",
    "reply to this conversation is not allowed": "433",
    "restricted who can reply": "433",
    "post a video longer": "324",
}
"""v2 answers many refusals with `about:blank` and no code; then only the sentence tells them apart."""
BY_PROBLEM: Mapping[str, type[DeliveryError]] = {
    "client-forbidden": Forbidden,
    "not-authorized-for-resource": Unreachable,
    "resource-not-found": Unreachable,
    "resource-unavailable": Unreachable,
    "usage-capped": Forbidden,
}
"""The last part of `type`."""
SENTENCES = ("detail", "message", "error_description", "title")
"""The third is that of the sign-in (RFC 6749, 5.2), which names what is wrong in `error`."""
WINDOWS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")


def failure(response: httpx.Response, secrets: Iterable[str] = ()) -> DeliveryError | None:
    """None is success. Whatever X repeats of `secrets` is left out of the message."""
    body = _json(response)
    plain = from_response(response)
    if plain is None and not _is_empty_handed(body):
        return None
    code = _code(body)
    kind = BY_CODE.get(code or "") or BY_PROBLEM.get(code or "") or type(plain or Unavailable(""))
    if response.status_code >= 500 and plain:
        kind = type(plain)  # whatever it says, it may have been done
    message = _message(response, body, secrets)
    code = code or str(response.status_code)
    if issubclass(kind, RateLimited):
        return kind(message, code=code, retry_after=until_reset(response))
    return kind(message, code=code)


def _is_empty_handed(body: Json) -> bool:
    """A success without `data` that holds nothing but errors, as for a user who is gone."""
    return "data" not in body and bool(objects_of(body, "errors")) and "meta" not in body


def _json(response: httpx.Response) -> Json:
    try:
        body: Any = response.json()
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _code(body: Json) -> str | None:
    """X's number, from its own field or from its sentence; else the name of the problem."""
    errors = [*objects_of(body, "errors"), body]
    if code := next((code for error in errors if (code := text_of(error, "code"))), None):
        return code
    detail = " ".join(_details(body)).lower()
    if code := next((code for sentence, code in BY_DETAIL.items() if sentence in detail), None):
        return code
    problems = [(text_of(error, "type") or "").rpartition("/problems/")[2] for error in [body, *errors]]
    named = next((problem for problem in problems if problem and problem != "about:blank"), None)
    return named or text_of(body, "error")


def _details(body: Json) -> list[str]:
    errors = [body, *objects_of(body, "errors")]
    return [detail for error in errors if (detail := text_of(error, *SENTENCES))]


def _message(response: httpx.Response, body: Json, secrets: Iterable[str]) -> str:
    detail = next(iter(_details(body)), response.reason_phrase)
    for secret in secrets:
        detail = detail.replace(secret, "…")
    return f"X answered {response.status_code}: {detail[:200]}"


def until_reset(response: httpx.Response) -> float | None:
    """Seconds until the window that is used up opens again, by the response's own clock."""
    try:
        now = parsedate_to_datetime(response.headers.get("date", "")).timestamp()
    except ValueError:
        return retry_after(response)
    used_up = [window for window in WINDOWS if response.headers.get(f"{window}-remaining") == "0"]
    resets = [response.headers.get(f"{window}-reset", "") for window in used_up or WINDOWS[:1]]
    seconds = [int(reset) - now for reset in resets if reset.isascii() and reset.isdigit() and len(reset) < 15]
    return max(0.0, *seconds) if seconds else retry_after(response)
