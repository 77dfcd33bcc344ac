"""What an operator enters, and where that workspace lies."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, Field(min_length=8)]
API: Mapping[str, str] = {"us": "api.intercom.io", "eu": "api.eu.intercom.io", "au": "api.au.intercom.io"}
APP: Mapping[str, str] = {"us": "app.intercom.com", "eu": "app.eu.intercom.com", "au": "app.au.intercom.com"}
"""https://developers.intercom.com/docs/build-an-integration/learn-more/rest-apis (2026-11)"""


class IntercomSettings(Settings):
    region: Literal["us", "eu", "au"] = "us"
    """Where the workspace's data lie."""
    access_token: Filled | None = None
    """Of a private app, under *Configure → Authentication*."""
    client_id: Annotated[str, StringConstraints(min_length=8)] | None = None
    """Of a public app, instead of the token: the operator signs in."""
    client_secret: Filled | None = None
    """Of either; it signs the webhooks. Without it nothing is taken from webhooks."""
    previous_client_secret: Filled | None = None
    """While the secret is being changed."""
    attribute: Annotated[str, StringConstraints(min_length=1, max_length=190)] = "socialsupport"
    """The conversation attribute, of the type Text, that holds our key. It has to be made in Intercom first."""
    tag: Annotated[str, StringConstraints(min_length=1, max_length=190)] = "socialsupport"
    """Every conversation of ours bears it, so that workflows and Fin can leave these out."""

    @model_validator(mode="after")
    def _signs_in_somehow(self) -> "IntercomSettings":
        if (self.access_token is None) == (self.client_id is None):
            raise ValueError("give either access_token, or client_id and client_secret")
        if self.client_id is not None and self.client_secret is None:
            raise ValueError("client_id goes with client_secret")
        return self

    @property
    def signing(self) -> tuple[SecretStr, ...]:
        return tuple(secret for secret in (self.client_secret, self.previous_client_secret) if secret)
