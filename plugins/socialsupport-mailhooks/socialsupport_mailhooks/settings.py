"""What an operator enters for a mailbox at one of the providers."""

import base64
import binascii
from typing import Annotated, Literal, Self

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from socialsupport_email.settings import MailSettings

Filled = Annotated[SecretStr, Field(min_length=8)]
User = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._~-]{1,64}$")]


class BasicSettings(MailSettings):
    """A provider that proves itself by user and password in the webhook's address."""

    hook_user: User = "socialsupport"
    hook_password: Annotated[SecretStr, Field(min_length=16)] | None = None
    """In the webhook's address, `https://USER:PASSWORD@support.example/hooks/…`: letters, digits and -._~"""
    previous_hook_password: Annotated[SecretStr, Field(min_length=16)] | None = None
    """Accepted too while it is changed."""

    def hook_passwords(self) -> list[str]:
        both = (self.hook_password, self.previous_hook_password)
        return [one.get_secret_value() for one in both if one]


class PostmarkSettings(BasicSettings):
    server_token: Filled
    """Server → API Tokens."""
    hook_password: Annotated[SecretStr, Field(min_length=16)]
    stream: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,30}$")] = "outbound"
    """The message stream through which answers go."""


class MailgunSettings(MailSettings):
    api_key: Filled
    """A sending key of the domain, or an account's key."""
    signing_key: Filled
    """Send → Webhooks → HTTP webhook signing key."""
    previous_signing_key: Filled | None = None
    """Accepted too while it is changed."""
    domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]{3,253}$", to_lower=True)]
    """The sending domain at Mailgun."""
    region: Literal["us", "eu"] = "us"

    @property
    def host(self) -> str:
        return "api.mailgun.net" if self.region == "us" else "api.eu.mailgun.net"

    def signing(self) -> list[SecretStr]:
        return [one for one in (self.signing_key, self.previous_signing_key) if one]


class SendGridSettings(BasicSettings):
    api_key: Filled
    """With Mail Send."""
    verification_keys: tuple[str, ...] = ()
    """Of the signed event webhook (and of a signed inbound parse): public keys in base64, as SendGrid shows them."""

    @field_validator("verification_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for written in keys:
            public_key(written)
        return keys

    @model_validator(mode="after")
    def _can_verify(self) -> Self:
        if not self.verification_keys and not self.hook_passwords():
            raise ValueError("set verification_keys of the signed event webhook, or hook_password, or both")
        return self


def public_key(written: str) -> EllipticCurvePublicKey:
    """Raises ValueError."""
    try:
        key = load_der_public_key(base64.b64decode(written, validate=True))
    except (ValueError, binascii.Error):
        key = None
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("verification_keys: not a public key for ECDSA on P-256 in base64; copy what SendGrid shows")
