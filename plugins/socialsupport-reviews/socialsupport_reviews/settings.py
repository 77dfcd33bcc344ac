"""What an operator enters: for an app on Google Play, an app on the App Store, a place on Google."""

import json
from functools import cached_property
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ConfigDict, Field, SecretStr, StringConstraints, field_validator

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, Field(min_length=8)]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,30}$")]


class _Settings(Settings):
    model_config = ConfigDict(ignored_types=(cached_property,))


class GooglePlaySettings(_Settings):
    package: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$")]
    """Of the app, such as `com.acme.shop`."""
    service_account: Filled
    """The JSON key of a service account that may reply to reviews, the whole file."""

    @field_validator("service_account")
    @classmethod
    def _is_a_key(cls, written: SecretStr) -> SecretStr:
        ServiceAccount.read(written)
        return written

    @cached_property
    def account(self) -> "ServiceAccount":
        return ServiceAccount.read(self.service_account)


class ServiceAccount:
    """Of Google: who signs in, and with what."""

    def __init__(self, email: str, key_id: str, key: RSAPrivateKey) -> None:
        self.email, self.key_id, self.key = email, key_id, key

    @classmethod
    def read(cls, written: SecretStr) -> "ServiceAccount":
        """Raises ValueError that repeats nothing of it."""
        try:
            told = json.loads(written.get_secret_value())
            email, key_id, pem = (str(told[name]) for name in ("client_email", "private_key_id", "private_key"))
        except (ValueError, KeyError, TypeError):
            raise ValueError("is no key of a service account: paste the whole JSON file") from None
        key = _pem(pem)
        if isinstance(key, RSAPrivateKey):
            return cls(email, key_id, key)
        raise ValueError("holds no RSA key: make a new key of the service account, as JSON")


class AppStoreSettings(_Settings):
    app: Digits
    """Apple ID of the app, a number; App Store Connect → the app → App Information."""
    issuer_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F-]{36}$")]
    key_id: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{10}$")]
    """Both from App Store Connect → Users and Access → Integrations."""
    private_key: Filled
    """What is in the file `AuthKey_….p8`."""

    @field_validator("private_key")
    @classmethod
    def _is_a_key(cls, written: SecretStr) -> SecretStr:
        _apple(written)
        return written

    @cached_property
    def key(self) -> EllipticCurvePrivateKey:
        return _apple(self.private_key)


class GoogleBusinessSettings(_Settings):
    account: Digits
    location: Digits
    """The numbers of `accounts/…/locations/…`, as the API lists them."""
    client_id: Annotated[str, StringConstraints(min_length=8)]
    client_secret: Filled
    """Of an OAuth client of the kind Web application."""

    @property
    def place(self) -> str:
        return f"accounts/{self.account}/locations/{self.location}"


def _apple(written: SecretStr) -> EllipticCurvePrivateKey:
    key = _pem(written.get_secret_value())
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    raise ValueError("is no P-256 key: paste the whole .p8 file")


def _pem(written: str) -> object:
    try:
        return load_pem_private_key(written.encode(), password=None)
    except (ValueError, TypeError):
        return None
