"""What an operator enters for one Zendesk."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings


class ZendeskSettings(Settings):
    subdomain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    email: str | None = None
    """Of the agent that is ours alone, for an API token."""
    api_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    """Of an OAuth client, instead: the operator signs in."""
    webhook_secret: Annotated[SecretStr, Field(min_length=8)] | None = None
    """The webhook's signing secret. Without it nothing is taken from webhooks."""
    previous_webhook_secret: Annotated[SecretStr, Field(min_length=8)] | None = None
    """Accepted too while secrets rotate."""

    @property
    def address(self) -> str:
        return f"https://{self.subdomain}.zendesk.com"

    @model_validator(mode="after")
    def _signs_in_somehow(self) -> "ZendeskSettings":
        if (self.email is None) != (self.api_token is None) or (self.client_id is None) != (self.client_secret is None):
            raise ValueError("email goes with api_token, client_id with client_secret")
        if (self.email is None) == (self.client_id is None):
            raise ValueError("give either email and api_token, or client_id and client_secret")
        return self
