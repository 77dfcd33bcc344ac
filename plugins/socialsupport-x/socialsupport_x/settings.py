"""What an operator enters for one X account, or for the app that many accounts share."""

from typing import Annotated, Literal, Self

from pydantic import SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

AccountId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,19}$")]
Filled = Annotated[SecretStr, StringConstraints(min_length=1)]


class XSettings(Settings):
    """Credentials as the developer console names them (https://console.x.com, 2026-07).

    Webhooks are signed with the OAuth 2.0 client secret or with the consumer secret: at least one is needed.
    """

    consumer_key: Filled | None = None
    """API Key."""
    consumer_secret: Filled | None = None
    """API Key Secret; signs webhooks and, with the access token, our calls."""
    previous_consumer_secret: Filled | None = None
    """Still accepted on webhooks while the secret is being regenerated."""
    client_id: str | None = None
    client_secret: Filled | None = None
    """OAuth 2.0; signs webhooks of newer apps."""
    previous_client_secret: Filled | None = None
    access_token: Filled | None = None
    """Of the account, OAuth 1.0a."""
    access_token_secret: Filled | None = None
    oauth2_token: Filled | None = None
    """Of the account, OAuth 2.0 user context; used instead of the access token when both are set."""
    app_bearer_token: Filled | None = None
    """Of the app itself; only for registering the webhook."""
    account_id: AccountId | None = None
    """Our numeric user id. May be left out for an app whose door serves many accounts."""
    handle: str | None = None
    subscription: Literal["activity", "account_activity"] = "activity"
    """Which product `subscribe` orders: the X Activity API, or the Account Activity API that it replaces."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.consumer_secret is None and self.client_secret is None:
            raise ValueError("set consumer_secret or client_secret: webhooks are signed with one of them")
        if (self.access_token is None) is not (self.access_token_secret is None):
            raise ValueError("access_token and access_token_secret belong together: set both or neither")
        if self.access_token is not None and (self.consumer_key is None or self.consumer_secret is None):
            raise ValueError("access_token needs consumer_key and consumer_secret: OAuth 1.0a signs with all four")
        return self

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
