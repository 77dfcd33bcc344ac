"""What proves that a webhook comes from LinkedIn, and to LinkedIn that the door is ours.

https://learn.microsoft.com/en-us/linkedin/shared/api-guide/webhook-validation (2026-11)
"""

import hashlib
import hmac
import re
from collections.abc import Sequence

from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload, Reply

SIGNATURE = "x-li-signature"
PREFIX = b"hmacsha256="
"""Of what is signed, not of the signature."""
CHALLENGE = re.compile(r"[0-9A-Za-z-]{1,64}")
"""LinkedIn's challenges are UUIDs. It signs bodies and challenges with one key: a door that answered any challenge
would sign `hmacsha256=` and any body for a stranger."""


def digest(secret: SecretStr, message: bytes) -> str:
    return hmac.new(secret.get_secret_value().encode(), message, hashlib.sha256).hexdigest()


def verify(payload: Payload, secrets: Sequence[SecretStr]) -> None:
    given = payload.header(SIGNATURE)
    if given is None:
        raise SignatureError(f"the payload carries no {SIGNATURE}")
    wanted = [digest(secret, PREFIX + payload.body) for secret in secrets]
    fits = [hmac.compare_digest(given.encode("utf-8", "replace"), one.encode()) for one in wanted]
    if not any(fits):
        raise SignatureError(f"{SIGNATURE} does not fit the body; is client_secret the app's current one?")


def answer(payload: Payload, secret: SecretStr) -> Reply | None:
    """LinkedIn asks every two hours, and closes a door that fails three times."""
    code = payload.query.get("challengeCode")
    if payload.method != "GET" or not code:
        return None
    if not CHALLENGE.fullmatch(code):
        raise SignatureError(
            "the challenge has characters that LinkedIn never uses; answering would sign a stranger's text"
        )
    return Reply.of_json({"challengeCode": code, "challengeResponse": digest(secret, code.encode())})
