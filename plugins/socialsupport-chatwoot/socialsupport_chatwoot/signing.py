"""Who calls at the door: Chatwoot's signature, or a secret of ours in the door's address.

`X-Chatwoot-Signature: sha256=HEX` of HMAC-SHA256 over `TIMESTAMP.BODY`: account webhooks since 4.11.2
(https://github.com/chatwoot/chatwoot/pull/13573), those of API inboxes since 4.13.0
(https://github.com/chatwoot/chatwoot/pull/13892), read 2026-11. Older versions sign nothing.
"""

import hmac
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from socialsupport_core.contract import SignatureError
from socialsupport_core.model import Payload

TOLERANCE = timedelta(minutes=5)
SIGNATURE = "x-chatwoot-signature"
TIMESTAMP = "x-chatwoot-timestamp"
PARAMETER = "key"
"""Of the door's address, for versions that sign nothing."""


def sign(secret: SecretStr, timestamp: str, body: bytes) -> str:
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.get_secret_value().encode(), signed, "sha256").hexdigest()


def verify_signature(payload: Payload, *secrets: SecretStr | None) -> None:
    given, timestamp = payload.header(SIGNATURE) or "", payload.header(TIMESTAMP) or ""
    if not given.isascii() or not (timestamp.isascii() and timestamp.isdigit()):
        raise SignatureError(f"{SIGNATURE} is not ASCII, or {TIMESTAMP} no number")
    good = [hmac.compare_digest(sign(secret, timestamp, payload.body), given) for secret in secrets if secret]
    if True not in good:
        raise SignatureError(f"{SIGNATURE} does not fit timestamp, body and secret")
    if len(timestamp) > 12 or abs(int(timestamp) - payload.received_at.timestamp()) > TOLERANCE.total_seconds():
        raise SignatureError("the signature is older or newer than five minutes")


def verify_address(payload: Payload, secret: SecretStr) -> None:
    given = parse_qs(urlsplit(payload.url).query).get(PARAMETER, [""])
    if len(given) != 1 or not hmac.compare_digest(given[0].encode(), secret.get_secret_value().encode()):
        raise SignatureError(f"the address was called without its {PARAMETER}")
