"""Requests to the versioned API, what its refusals mean, and its URNs.

https://learn.microsoft.com/en-us/linkedin/marketing/versioning,
https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/protocol-version (2026-11)
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self
from urllib.parse import quote

import httpx

from socialsupport_core.contract import (
    AuthExpired,
    DeliveryError,
    Forbidden,
    RateLimited,
    from_response,
    retry_after,
)
from socialsupport_core.contract.answered import EPOCH, answered_at
from socialsupport_core.contract.lax import json_object, text_of

HOST = "api.linkedin.com"
TOKEN = "https://www.linkedin.com/oauth/v2/accessToken"  # noqa: S105 - an address
MINUTE = 60.0
_COMMENT = re.compile(r"urn:li:comment:\((?:urn:li:)?([A-Za-z]{1,40}:[0-9]{1,30}),([0-9]{1,30})\)")


@dataclass(frozen=True, slots=True)
class CommentUrn:
    """`urn:li:comment:(urn:li:activity:1,2)`; notifications leave out the inner `urn:li:` at times."""

    thread: str
    id: str

    @classmethod
    def read(cls, written: str | None) -> Self | None:
        found = _COMMENT.fullmatch(written or "")
        return cls(f"urn:li:{found[1]}", found[2]) if found else None

    def __str__(self) -> str:
        return f"urn:li:comment:({self.thread},{self.id})"


def encoded(urn: str) -> str:
    """Rest.li 2.0 wants URNs escaped, and its own parentheses and commas as they are."""
    return quote(urn, safe="")


@dataclass(frozen=True, slots=True)
class Rest:
    version: str

    def call(self, method: str, path: str, query: str = "", json: Any = None, **headers: str) -> httpx.Request:
        told = {"LinkedIn-Version": self.version, "X-Restli-Protocol-Version": "2.0.0"}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Request(method, f"https://{HOST}/rest/{path}?{query}".rstrip("?"), headers=told | named, json=json)

    def comments(self, urn: str, id: str = "") -> str:
        """The path of the comments on a post or a comment, or of one of them."""
        return f"socialActions/{encoded(urn)}/comments" + (f"/{id}" if id else "")


def failure(response: httpx.Response) -> DeliveryError | None:
    """https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling (2026-11)"""
    error = from_response(response)
    if error is None:
        return None
    told = json_object(response.content)
    words = text_of(told, "message", "error_description")
    message = f"{error}: {words[:300]}" if words else str(error)
    code = text_of(told, "code", "serviceErrorCode", "error") or error.code
    if response.status_code == 429:
        return RateLimited(message, code=code, retry_after=_pause(response, words or ""))
    if response.status_code == 426:
        return Forbidden(f"{message}; LinkedIn has retired this version: set a newer one as version", code=code)
    if response.status_code == 400 and str(response.request.url) == TOKEN:
        return AuthExpired(message, code=code)
    if isinstance(error, RateLimited):
        return type(error)(message, code=code, retry_after=error.retry_after)
    return type(error)(message, code=code)


def _pause(response: httpx.Response, words: str) -> float | None:
    """Comments are throttled by the minute, everything else by the day, which ends at midnight UTC:
    https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/rate-limits (2026-11)"""
    if (told := retry_after(response)) is not None:
        return told
    if "throttled" in words:
        return MINUTE
    at = answered_at(response)
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return (midnight - at).total_seconds() if at != EPOCH else None
