"""What the operator says, and how webhooks prove where they come from."""

import hmac
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import Settings, SignatureError
from socialsupport_core.model import Payload

SIGNATURE = "x-hub-signature"

_Secret = Annotated[SecretStr, Field(min_length=16)]


class ZammadSettings(Settings):
    base_url: Annotated[str, StringConstraints(pattern=r"^https://[^/?#]+(/[^?#]*[^/?#])?$")]
    """Where Zammad is, without a slash at the end and without `/api/v1`."""
    token: Annotated[SecretStr, Field(min_length=1)]
    """An access token of the agent that is ours alone: what it writes is never read back."""
    group: Annotated[str, StringConstraints(min_length=1)] = "Users"
    """In which tickets are opened."""
    webhook_secret: _Secret | None = None
    """The webhook's HMAC SHA1 signature token. Without it nothing is taken from webhooks."""
    previous_webhook_secret: _Secret | None = None
    """Accepted too while secrets rotate."""


def sign(secret: SecretStr, body: bytes) -> str:
    """https://admin-docs.zammad.org/en/latest/manage/webhook/add.html (read 2026-11): HMAC-SHA1 of the body, in hex."""
    return f"sha1={hmac.new(secret.get_secret_value().encode(), body, 'sha1').hexdigest()}"


def verify(payload: Payload, *secrets: SecretStr | None) -> None:
    given = payload.header(SIGNATURE) or ""
    if not given.isascii():
        raise SignatureError(f"{SIGNATURE} is not ASCII")
    good = [hmac.compare_digest(sign(secret, payload.body), given) for secret in secrets if secret]
    if True not in good:
        raise SignatureError(f"{SIGNATURE} does not fit body and secret, or webhook_secret is not set")
