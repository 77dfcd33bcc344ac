"""Whether an assertion proves who signs in, for the simulator: a JWT of RFC 7523, signed with RS256."""

import base64
import json
from datetime import datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from socialsupport_salesforce.oauth import LIFETIME
from socialsupport_salesforce.settings import SalesforceSettings, read_key


def checked(written: str, settings: SalesforceSettings, now: datetime) -> str | None:
    """What is wrong with it, None if nothing is."""
    if settings.private_key is None:
        return "the app has no certificate"
    signed, _, signature = written.rpartition(".")
    public = read_key(settings.private_key).public_key()
    try:
        public.verify(_decoded(signature), signed.encode(), PKCS1v15(), SHA256())
        header, claims = (json.loads(_decoded(part)) for part in signed.split("."))
    except (InvalidSignature, ValueError):
        return "invalid assertion"
    if header.get("alg") != "RS256" or claims["iss"] != settings.client_id or claims["sub"] != settings.username:
        return "user hasn't approved this consumer"
    if claims["aud"] != settings.audience:
        return "audience is invalid"
    left = claims["exp"] - now.timestamp()
    return None if 0 < left <= LIFETIME else "expired authorization code"


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
