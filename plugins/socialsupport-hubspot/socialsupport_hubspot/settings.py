"""What an operator enters for one HubSpot account."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, Field(min_length=8)]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$")]
"""Of a pipeline, a stage, a channel; HubSpot's own are numbers, those of some accounts are UUIDs."""
Property = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,99}$")]
"""The internal name of a property."""


class CustomChannel(Settings):
    """Our own channel in HubSpot's inbox. https://developers.hubspot.com/custom-channels-api (2026-11)"""

    id: Id
    """`id` in the answer to the registration of the channel."""
    account: Id
    """`id` of the channel account, which is connected to one inbox."""
    address: Annotated[str, StringConstraints(min_length=1, max_length=256)] = "socialsupport"
    """The delivery identifier with which that account was connected."""


class HubSpotSettings(Settings):
    access_token: Filled | None = None
    """Of a private app: Settings → Integrations → Private apps → Auth → Access token."""
    client_id: str | None = None
    """Of a public app, at which the account signs in (Auth tab)."""
    client_secret: Filled | None = None
    """Auth tab of either kind of app; signs its webhooks."""
    previous_client_secret: Filled | None = None
    """Accepted too on webhooks while the secret rotates."""
    portal_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    """The account's number. Cases have links with it, and webhooks of the app's other accounts are passed over."""
    pipeline: Id = "0"
    """The ticket pipeline in which cases are opened; `0` is HubSpot's Support Pipeline."""
    open_stage: Id = "1"
    """Its stage for new cases; `1` is New in the Support Pipeline."""
    closed_stage: Id = "4"
    """Its stage for cases that are done; `4` is Closed in the Support Pipeline."""
    other_closed_stages: tuple[Id, ...] = ()
    """Further stages in which people put what is done."""
    app_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")] | None = None
    """Of our app. Changes by it are our own; without it those of any integration are taken for ours."""
    key_property: Property = "socialsupport_key"
    """The property with unique values that holds our key, on tickets, notes and communications."""
    channel: CustomChannel | None = None
    """With it interactions stand in HubSpot's inbox, and agents answer there; else they are notes in the ticket."""

    @model_validator(mode="after")
    def _can_sign_in(self) -> Self:
        if self.access_token is None and not (self.client_id and self.client_secret):
            raise ValueError("set access_token of a private app, or client_id and client_secret of a public one")
        return self

    def is_closed(self, stage: str) -> bool:
        return stage in (self.closed_stage, *self.other_closed_stages)

    def signing(self) -> list[SecretStr]:
        """Whatever may have signed a webhook."""
        return [secret for secret in (self.client_secret, self.previous_client_secret) if secret]
