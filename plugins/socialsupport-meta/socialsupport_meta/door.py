"""What proves that a webhook comes from Meta, and to Meta that the door is ours.

https://developers.facebook.com/docs/graph-api/webhooks/getting-started (2026-03): the signature is the HMAC-SHA256
of the body, byte for byte, keyed with the app's secret; the challenge comes with a token of ours.
"""

import hashlib
import hmac

from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload, Reply
from socialsupport_meta.settings import AppSettings

SIGNATURE = "x-hub-signature-256"


def signed(secret: SecretStr, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()


def verify(payload: Payload, settings: AppSettings) -> None:
    given = payload.header(SIGNATURE)
    if given is None:
        raise SignatureError(f"the payload carries no {SIGNATURE}")
    fits = [_same(given, signed(secret, payload.body)) for secret in settings.signing()]  # each takes the same time
    if not any(fits):
        raise SignatureError(f"{SIGNATURE} does not fit the body; is app_secret the app's current one?")


def answer(payload: Payload, settings: AppSettings) -> Reply | None:
    """The challenge, sent back; None when nobody challenges."""
    query = payload.query
    if payload.method != "GET" or query.get("hub.mode") != "subscribe" or not query.get("hub.challenge"):
        return None
    if not _same(query.get("hub.verify_token", ""), settings.verify_token.get_secret_value()):
        raise SignatureError("hub.verify_token is missing or not the verify_token of the settings")
    return Reply.of_text(query["hub.challenge"])


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace"))
