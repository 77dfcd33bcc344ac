"""What proves that a webhook comes from X, and what proves to X that the door is ours.

https://docs.x.com/x-api/webhooks/introduction, https://docs.x.com/x-api/webhooks/quickstart (2026-07)
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence

from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload, Reply
from socialsupport_x.settings import XSettings

SIGNATURE = "x-twitter-webhooks-signature"
"""By the consumer secret."""
SIGNATURE_OAUTH2 = "x-twitter-webhooks-signature-oauth2"
"""By the OAuth 2.0 client secret; an app with both secrets may be sent both headers."""

CHALLENGE = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
"""X signs bodies and challenges with one key in one way. A door that answered any challenge would sign any
body for a stranger, so a challenge with a character that JSON objects need (`{`, `"`) is refused."""


def signed(secret: str, message: bytes) -> str:
    return "sha256=" + base64.b64encode(hmac.new(secret.encode(), message, hashlib.sha256).digest()).decode()


def verify(payload: Payload, settings: XSettings) -> None:
    """Every signature that is there and that we have a secret for must fit, and one must be there."""
    checked = 0
    for header, secrets in _keys(settings):
        given = payload.header(header)
        if given is None or not secrets:
            continue
        if not any(_same(given, signed(secret, payload.body)) for secret in secrets):
            raise SignatureError(
                f"{header} does not fit the body; is the secret in the settings the app's current one?"
            )
        checked += 1
    if not checked:
        raise SignatureError(f"the payload carries no {SIGNATURE} that the settings have a secret for")


def answer(payload: Payload, settings: XSettings) -> Reply | None:
    """The answer to the challenge-response check, None when this is none."""
    token = payload.query.get("crc_token")
    if payload.method != "GET" or not token:
        return None
    if not CHALLENGE.fullmatch(token):
        raise SignatureError("the challenge has characters that X never uses; answering would sign a stranger's text")
    secret = settings.client_secret or settings.consumer_secret
    assert secret is not None
    return Reply.of_json({"response_token": signed(secret.get_secret_value(), token.encode())})


def _keys(settings: XSettings) -> Sequence[tuple[str, list[str]]]:
    return (
        (SIGNATURE_OAUTH2, _filled(settings.client_secret, settings.previous_client_secret)),
        (SIGNATURE, _filled(settings.consumer_secret, settings.previous_consumer_secret)),
    )


def _filled(*secrets: SecretStr | None) -> list[str]:
    return [secret.get_secret_value() for secret in secrets if secret is not None]


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogateescape"), expected.encode())
