"""JSON Web Tokens (RFC 7515) by which we say who we are: RS256 for Google, ES256 for Apple."""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, Flow
from socialsupport_core.model import Credentials

GOOGLE = "https://oauth2.googleapis.com/token"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
Key = RSAPrivateKey | EllipticCurvePrivateKey


def signed(claims: Mapping[str, Any], key: Key, key_id: str) -> str:
    name = "RS256" if isinstance(key, RSAPrivateKey) else "ES256"
    parts = ({"alg": name, "kid": key_id, "typ": "JWT"}, claims)
    said = b".".join(_encoded(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    return (said + b"." + _encoded(_signature(said, key))).decode()


def _signature(said: bytes, key: Key) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(said, PKCS1v15(), SHA256())
    r, s = decode_dss_signature(key.sign(said, ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)  # RFC 7518, 3.4


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def grant(form: Mapping[str, str]) -> Flow[Credentials]:
    """Google gives a refresh token once, when an operator consents.
    https://developers.google.com/identity/protocols/oauth2/web-server#offline (2026-11)"""
    response: httpx.Response = yield httpx.Request("POST", GOOGLE, data=dict(form))
    token = response.json()
    return Credentials(
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        scopes=frozenset(str(token.get("scope") or "").split()),
    )


def renewing(credentials: Credentials) -> SecretStr:
    """Raises AuthExpired."""
    if credentials.refresh_token is None:
        raise AuthExpired("Google gave no refresh token: connect the channel again")
    return credentials.refresh_token


def until(now: datetime, seconds: int) -> dict[str, int]:
    at = int(now.timestamp())
    return {"iat": at, "exp": at + seconds}
