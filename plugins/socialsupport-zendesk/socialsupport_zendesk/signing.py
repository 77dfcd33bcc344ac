"""Who is who: the signature of webhooks, what proves who we are, and what OAuth gives.

https://developer.zendesk.com/documentation/webhooks/verifying/ (read 2026-11): base64 of HMAC-SHA256 over timestamp and
body. An older version of that page had the body first; the newest stands here.
"""

import base64
import hmac
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import SignatureError, answered_at
from socialsupport_core.model import Credentials, Payload

TOLERANCE = timedelta(minutes=5)
SIGNATURE = "x-zendesk-webhook-signature"
TIMESTAMP = "x-zendesk-webhook-signature-timestamp"


def sign(secret: SecretStr, timestamp: str, body: bytes) -> str:
    digest = hmac.new(secret.get_secret_value().encode(), timestamp.encode() + body, "sha256").digest()
    return base64.b64encode(digest).decode()


def verify(payload: Payload, *secrets: SecretStr | None) -> None:
    given, timestamp = payload.header(SIGNATURE) or "", payload.header(TIMESTAMP) or ""
    known = [secret for secret in secrets if secret is not None]
    if not known:
        raise SignatureError("there is no webhook_secret in the settings, so nothing can be verified")
    if not given.isascii() or not timestamp.isascii():
        raise SignatureError(f"{SIGNATURE} or its timestamp is not ASCII")
    good = [hmac.compare_digest(sign(secret, timestamp, payload.body), given) for secret in known]
    if True not in good:
        raise SignatureError(f"{SIGNATURE} does not fit timestamp, body and secret")
    if abs(_moment(timestamp) - payload.received_at) > TOLERANCE:
        raise SignatureError("the signature is older or newer than five minutes")


def _moment(written: str) -> datetime:
    try:
        signed_at = datetime.fromisoformat(written)
    except ValueError:
        raise SignatureError(f"{TIMESTAMP} is no moment") from None
    return signed_at if signed_at.tzinfo else signed_at.replace(tzinfo=UTC)


def authorize(
    request: httpx.Request, email: str | None, token: SecretStr | None, credentials: Credentials | None
) -> httpx.Request:
    """https://developer.zendesk.com/api-reference/introduction/security-and-auth/ (2026-11)"""
    if token is not None:
        pair = f"{email}/token:{token.get_secret_value()}"
        request.headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    elif credentials is not None:
        request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
    return request


def credentials_of(answer: httpx.Response, before: Credentials | None = None) -> Credentials:
    """Tokens that are made without an end have none."""
    given = answer.json()
    lasts = given.get("expires_in")
    renewed = given.get("refresh_token")
    return Credentials(
        access_token=SecretStr(given["access_token"]),
        refresh_token=SecretStr(renewed) if renewed else (before.refresh_token if before else None),
        expires_at=answered_at(answer) + timedelta(seconds=float(lasts)) if lasts else None,
        scopes=frozenset(str(given.get("scope") or "").split()) or (before.scopes if before else frozenset()),
    )
