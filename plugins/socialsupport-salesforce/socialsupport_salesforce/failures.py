"""What Salesforce's refusals mean.

`[{"errorCode": "UNABLE_TO_LOCK_ROW", "message": "…", "fields": []}]`; the parts of a composite request have such bodies
of their own in an answer 200; the sign-in answers `{"error": "invalid_grant"}`.
https://developer.salesforce.com/docs/platform/api-rest/guide/errorcodes.html,
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm
(2026-11). What is not listed is decided by its status.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    Conflict,
    ContentRejected,
    DeliveryError,
    Forbidden,
    RateLimited,
    Unavailable,
    Unreachable,
    from_response,
    retry_after,
)

BY_CODE: Mapping[str, tuple[type[DeliveryError], float | None]] = {
    "INVALID_SESSION_ID": (AuthExpired, None),
    "INVALID_AUTH_HEADER": (AuthExpired, None),
    "invalid_grant": (AuthExpired, None),
    "REQUEST_LIMIT_EXCEEDED": (RateLimited, 900.0),  # of the last 24 hours: some come free as time passes
    "UNABLE_TO_LOCK_ROW": (Unavailable, 1.0),  # somebody else is writing this record, or its parent
    "SERVER_UNAVAILABLE": (Unavailable, 10.0),
    "DUPLICATE_VALUE": (Unavailable, 1.0),  # two made one key at once: the other one has made the record
    "QUERY_TIMEOUT": (Unavailable, 30.0),
    "ENTITY_IS_DELETED": (Unreachable, None),
    "INVALID_CROSS_REFERENCE_KEY": (Unreachable, None),  # the case that a record shall belong to is gone
    "NOT_FOUND": (Unreachable, None),
    "INSUFFICIENT_ACCESS_OR_READONLY": (Forbidden, None),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": (Forbidden, None),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": (Forbidden, None),  # a trigger or flow of the org
    "API_DISABLED_FOR_ORG": (Forbidden, None),
    "API_CURRENTLY_DISABLED": (Unavailable, 60.0),
    "INVALID_FIELD": (Forbidden, None),  # the field for our key is missing, or we may not see it
    "INVALID_FIELD_FOR_INSERT_UPDATE": (Forbidden, None),
    "STORAGE_LIMIT_EXCEEDED": (Forbidden, None),
    "DELETE_FAILED": (Forbidden, None),  # other records need this one
}
"""And the seconds to wait where Salesforce does not say."""
BY_STATUS: Mapping[int, type[DeliveryError]] = {300: ContentRejected, 412: Conflict}
"""300: several records have the key, so it is not unique there."""
AT_ONCE = "ConcurrentRequests"
"""In the message of REQUEST_LIMIT_EXCEEDED: too many long requests at the same moment."""
HALTED = "PROCESSING_HALTED"
"""Of a part that was undone because another one failed."""

_USED = re.compile(r"api-usage=(\d{1,12})/(\d{1,12})")


def failure(response: httpx.Response) -> DeliveryError | None:
    content = _read(response.content)
    plain = from_response(response)
    if plain is None:
        return _of_parts(content)
    code, message = _told(content)
    error = _error(code, response.status_code, message, type(plain))
    if isinstance(error, RateLimited):
        error.retry_after = retry_after(response) if retry_after(response) is not None else error.retry_after
        error.args = (f"{error}{_usage(response)}",)
    return error


def _error(code: str | None, status: int, message: str, plain: type[DeliveryError]) -> DeliveryError:
    kind, seconds = BY_CODE.get(code or "", (BY_STATUS.get(status, plain), None))
    if code == "REQUEST_LIMIT_EXCEEDED" and AT_ONCE in message:
        seconds = 5.0
    told = f"Salesforce answered {status} {code or ''}".rstrip()
    if issubclass(kind, RateLimited):
        return kind(told, code=code or str(status), retry_after=seconds)
    return kind(told, code=code or str(status))


def _of_parts(content: Any) -> DeliveryError | None:
    """The first part that failed by itself."""
    parts = content.get("compositeResponse") if isinstance(content, dict) else None
    for part in parts if isinstance(parts, list) else ():
        status = part.get("httpStatusCode") if isinstance(part, dict) else None
        if isinstance(status, int) and status >= 300:
            code, message = _told(part.get("body"))
            if code != HALTED:
                return _error(code, status, message, ContentRejected if status < 500 else Unavailable)
        elif isinstance(part, dict) and (error := _of_collection(part.get("body"))):
            return error
    return None


def _of_collection(body: Any) -> DeliveryError | None:
    """A collection answers 200 as well, and says of each record whether it went well."""
    for one in body if isinstance(body, list) else ():
        if isinstance(one, dict) and one.get("success") is False:
            errors = one.get("errors")
            first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
            code = first.get("statusCode")
            return _error(code if isinstance(code, str) else None, 400, "", ContentRejected)
    return None


def _told(content: Any) -> tuple[str | None, str]:
    """The code and the message of the first error."""
    first = content[0] if isinstance(content, list) and content else content
    if not isinstance(first, dict):
        return None, ""
    code, message = first.get("errorCode", first.get("error")), first.get("message")
    known = isinstance(code, str) and re.fullmatch(r"[A-Za-z0-9_]{1,80}", code)
    return (code if known else None), (message if isinstance(message, str) else "")


def _usage(response: httpx.Response) -> str:
    """`Sforce-Limit-Info: api-usage=18/5000`"""
    found = _USED.search(response.headers.get("sforce-limit-info", ""))
    return f": {found[1]} of {found[2]} calls of the last 24 hours are used" if found else ""


def _read(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
