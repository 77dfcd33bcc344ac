"""Who sends a webhook: signature version 3, the app's secret over method, address, body and time.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation (2026-11)
"""

import base64
import hmac
import re
from collections.abc import Mapping

from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload
from socialsupport_hubspot.settings import HubSpotSettings

SIGNATURE, TIMESTAMP = "X-HubSpot-Signature-v3", "X-HubSpot-Request-Timestamp"
TOLERANCE = 300.0
"""Seconds, either way. HubSpot asks for five minutes after; a clock before ours is no better."""
DECODED: Mapping[str, str] = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
"""The characters that HubSpot signs decoded; all others stay as they were sent. Same page."""

_ENCODED = re.compile("|".join(DECODED), re.IGNORECASE)


def sign(secret: SecretStr, method: str, url: str, body: bytes, signed_at: str) -> str:
    signed = method.encode() + decoded(url).encode() + body + signed_at.encode()
    return base64.b64encode(hmac.digest(secret.get_secret_value().encode(), signed, "sha256")).decode()


def decoded(url: str) -> str:
    """The address as HubSpot signs it, without a fragment."""
    return _ENCODED.sub(lambda found: DECODED[found[0].upper()], url.partition("#")[0])


def verify(settings: HubSpotSettings, payload: Payload) -> None:
    signed_at, given = payload.header(TIMESTAMP) or "", payload.header(SIGNATURE) or ""
    if not settings.signing():
        raise SignatureError("client_secret is not set, so no webhook can be verified")
    if not re.fullmatch(r"[0-9]{1,15}", signed_at) or not given:
        raise SignatureError(f"{SIGNATURE} or {TIMESTAMP} is missing")
    if abs(payload.received_at.timestamp() - int(signed_at) / 1000) > TOLERANCE:
        raise SignatureError("the signature is older or newer than five minutes")
    good = [sign(one, payload.method, payload.url, payload.body, signed_at) for one in settings.signing()]
    if True not in [hmac.compare_digest(one.encode(), given.encode()) for one in good]:  # always all of them
        raise SignatureError(f"{SIGNATURE} does not fit the request and the app's secret")
