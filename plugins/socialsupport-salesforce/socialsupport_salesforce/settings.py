"""What an operator enters for one Salesforce org."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import Field, SecretStr, StringConstraints, field_validator, model_validator

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, Field(min_length=8)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,38}__c$")]
"""The API name of a custom field."""
Picked = Annotated[str, StringConstraints(min_length=1, max_length=255)]


class SalesforceSettings(Settings):
    instance_url: Annotated[
        str, StringConstraints(pattern=r"^https://[a-z0-9][a-z0-9.-]*\.salesforce\.(com|mil)$", to_lower=True)
    ]
    """My Domain, as Setup → My Domain shows it: `https://acme.my.salesforce.com`."""
    client_id: Annotated[str, StringConstraints(min_length=1)]
    """Consumer key of the connected app or external client app."""
    client_secret: Filled | None = None
    """Consumer secret. An operator then signs in, or, with `client_credentials`, the app by itself."""
    client_credentials: bool = False
    """The app signs in as the user whom its policies name (OAuth client credentials)."""
    username: Annotated[str, StringConstraints(min_length=3)] | None = None
    """With `private_key`: whom the app signs in as (OAuth JWT bearer), after an administrator has allowed it."""
    private_key: Filled | None = None
    """PEM, RSA, without a password; its certificate is the app's."""
    audience: Annotated[str, StringConstraints(pattern=r"^https://[^/]+(/[^?#]*)?$")] = "https://login.salesforce.com"
    """Of the JWT: `https://test.salesforce.com` for a test org."""
    user_id: Annotated[str, StringConstraints(pattern=r"^005[0-9A-Za-z]{15}$")] | None = None
    """As whom we work there; else as the connection test has learnt. What this user does is our own doing."""
    key_field: Name = "SocialSupport_Key__c"
    """Text, external id, unique; on Case, Activity and Content Version."""
    open_status: Picked = "New"
    closed_status: Picked = "Closed"
    """Of a case, as the picklist has them."""
    origin: Picked | None = None
    """Case Origin of new cases, if it shall have one."""
    region: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    """Where telephone numbers without a country code are from, such as `US`; without it they are no evidence."""
    api_version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]\.0$")] = "66.0"

    @field_validator("private_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None:
            read_key(key)
        return key

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if self.private_key is not None and self.username is None:
            raise ValueError("private_key needs username: whom the app signs in as")
        if self.private_key is None and self.client_secret is None:
            raise ValueError("set client_secret, or username and private_key")
        return self

    @property
    def host(self) -> str:
        return urlsplit(self.instance_url).hostname or ""

    @property
    def signs_in_by_itself(self) -> bool:
        return self.private_key is not None or self.client_credentials


def read_key(key: SecretStr) -> RSAPrivateKey:
    """Raises ValueError that does not repeat it."""
    try:
        read = load_pem_private_key(key.get_secret_value().encode(), password=None)
    except (ValueError, TypeError):
        read = None
    if isinstance(read, RSAPrivateKey):
        return read
    raise ValueError("private_key is no RSA key in PEM without a password")
