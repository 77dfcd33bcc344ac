"""What an operator enters for one page, or for the app that many pages share."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]
Filled = Annotated[SecretStr, Field(min_length=8)]


class LinkedInSettings(Settings):
    client_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{6,64}$")]
    client_secret: Filled
    """Both stand under *Auth* of the app; the secret signs the webhooks, too."""
    previous_client_secret: Filled | None = None
    """While the secret is being changed."""
    organization: Number | None = None
    """Our page: the number in `urn:li:organization:…`. May be left out for an app whose door serves many."""
    application_id: Number | None = None
    """The app's number, as in the address of its page in the developer portal; only to subscribe to notifications."""
    access_token: Filled | None = None
    """Instead of signing in: one of the portal's token generator, good for 60 days."""
    version: Annotated[str, StringConstraints(pattern=r"^20[2-9][0-9](0[1-9]|1[0-2])$")] = "202607"
    """LinkedIn-Version, a month. LinkedIn retires each after about a year:
    https://learn.microsoft.com/en-us/linkedin/marketing/versioning (2026-11)"""

    @property
    def signing(self) -> tuple[SecretStr, ...]:
        return tuple(secret for secret in (self.client_secret, self.previous_client_secret) if secret)
