"""Requests to Intercom's API, what its refusals mean, and what proves that a webhook is its own.

https://developers.intercom.com/docs/references/2.16/rest-api/errors (2026-11)
"""

import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    ContentRejected,
    DeliveryError,
    RateLimited,
    SignatureError,
    from_response,
    retry_after,
)
from socialsupport_core.contract.answered import EPOCH, answered_at
from socialsupport_core.contract.lax import json_object, objects_of, text_of
from socialsupport_core.model import Payload

VERSION = "2.16"
"""From 2.15 on webhooks tell plain text, as `display_as=plaintext` does."""
SIGNATURE = "x-hub-signature"
MERGED = "merged:"
"""Before the id of the contact into which another was merged, as an error's code."""
_CANONICAL = re.compile(r"</contacts/([^/>]+)>")


@dataclass(frozen=True, slots=True)
class Api:
    host: str

    def call(self, method: str, *path: str, **content: Any) -> httpx.Request:
        written = "/".join(quote(one, safe="") for one in path)
        return httpx.Request(method, f"https://{self.host}/{written}", headers={"Intercom-Version": VERSION}, **content)


def number(written: str) -> str:
    """Raises ContentRejected for what is no id of Intercom."""
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", written):
        raise ContentRejected(f"{written[:70]!r} is no id of Intercom")
    return written


def failure(response: httpx.Response) -> DeliveryError | None:
    """An error of its list names a code; a merged contact is told by the address of the one that is left."""
    error = from_response(response)
    if error is None:
        return None
    told = next(iter(objects_of(json_object(response.content), "errors")), {})
    code, words = text_of(told, "code") or error.code, text_of(told, "message")
    message = f"{error}: {words[:300]}" if words else str(error)
    if response.status_code == 410 and (left := _CANONICAL.search(response.headers.get("link", ""))):
        return type(error)(message, code=MERGED + left[1])
    if isinstance(error, RateLimited):
        return type(error)(message, code=code, retry_after=_pause(response))
    return type(error)(message, code=code)


def _pause(response: httpx.Response) -> float | None:
    """https://developers.intercom.com/docs/references/rest-api/errors/rate-limiting (2026-11): the second in which
    the ten seconds' window ends."""
    reset = response.headers.get("x-ratelimit-reset", "")
    told = retry_after(response)
    if told is not None or not re.fullmatch(r"[0-9]{1,12}", reset) or answered_at(response) == EPOCH:
        return told
    return max(int(reset) - answered_at(response).timestamp(), 1.0)


def sign(secret: SecretStr, body: bytes) -> str:
    """https://developers.intercom.com/docs/webhooks/setting-up-webhooks (2026-11): SHA-1, and nothing newer."""
    return "sha1=" + hmac.new(secret.get_secret_value().encode(), body, "sha1").hexdigest()


def verify(payload: Payload, secrets: Sequence[SecretStr]) -> None:
    given = payload.header(SIGNATURE)
    if not secrets:
        raise SignatureError("there is no client_secret in the settings, so nothing can be verified")
    if given is None:
        raise SignatureError(f"the payload carries no {SIGNATURE}")
    wanted = [sign(secret, payload.body) for secret in secrets]
    fits = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in wanted]
    if not any(fits):
        raise SignatureError(f"{SIGNATURE} does not fit the body; is client_secret the app's current one?")
