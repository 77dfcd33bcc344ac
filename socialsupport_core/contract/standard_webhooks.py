"""Signatures of Standard Webhooks, made and checked: three headers over a number, a moment and the raw body.

Standard Webhooks 1.0.0: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
(2026-11). Of several signatures in the header any may be the receiver's, so that a secret can be changed at leisure.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from socialsupport_core.contract.errors import SignatureError
from socialsupport_core.model import Payload

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64  # bytes of a secret ("Signature scheme")
TOLERANCE = 300  # seconds between signing and arrival
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"

_MOMENT = re.compile(r"[1-9][0-9]{0,11}")
_SIGNATURES = re.compile(r"v[0-9]+[a-z]?,[A-Za-z0-9+/=]+(?: v[0-9]+[a-z]?,[A-Za-z0-9+/=]+)*")


def secret_key(secret: str) -> bytes:
    """The key in `whsec_…`. Raises ValueError that does not repeat it."""
    try:
        if secret.startswith(PREFIX):
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        pass
    raise ValueError(f"a webhook's secret is {PREFIX} and Base64")


def sign(keys: Sequence[bytes], id_: str, timestamp: int | str, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each key."""
    content = f"{id_}.{timestamp}.".encode() + body
    digests = (hmac.digest(key, content, hashlib.sha256) for key in keys)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def verify(keys: Sequence[bytes], payload: Payload) -> None:
    """Raises SignatureError unless one of the keys has signed the payload within five minutes of its arrival."""
    id_, timestamp, given = (payload.header(name) or "" for name in (ID, TIMESTAMP, SIGNATURE))
    if not (id_ and _MOMENT.fullmatch(timestamp) and _SIGNATURES.fullmatch(given)):
        raise SignatureError(f"the headers {ID}, {TIMESTAMP} (seconds since 1970) and {SIGNATURE} (v1,…) are needed")
    if not _is_now(timestamp, payload.received_at):
        raise SignatureError("the signature is older or newer than five minutes")
    good = sign(keys, id_.encode("utf-8", "replace").decode(), timestamp, payload.body).split(" ")
    fits = [hmac.compare_digest(ours, theirs) for ours in good for theirs in given.split(" ")]
    if not any(fits):
        raise SignatureError(f"{SIGNATURE} does not fit {ID}, {TIMESTAMP}, the body and the secret")


def _is_now(timestamp: str, received_at: datetime) -> bool:
    return abs(received_at.timestamp() - int(timestamp)) <= TOLERANCE
