"""What the operator says."""

import base64
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

DOOR_USER = "socialsupport"
"""The name before the secret in the webhook's address."""

_Secret = Annotated[SecretStr, Field(min_length=16)]


class DjangoHelpdeskSettings(Settings):
    base_url: Annotated[str, StringConstraints(pattern=r"^https://[^/?#]+(/[^?#]*[^/?#])?$")]
    """Where `helpdesk.urls` is mounted, without a slash at the end and without `/api`."""
    user: Annotated[str, StringConstraints(min_length=1)]
    """The Django user that is ours alone, a member of staff."""
    user_id: Annotated[int, Field(gt=0)]
    """Its number: what it wrote is never read back, and the API names people by number only."""
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")]
    """Its e-mail address, under which tickets are opened and found again."""
    password: SecretStr | None = None
    token: SecretStr | None = None
    """Of `rest_framework.authtoken`, if the project has it."""
    queue: Annotated[int, Field(gt=0)] = 1
    """The number of the queue in which tickets are opened."""
    priority: Annotated[int, Field(ge=1, le=5)] = 3
    agents: dict[str, str] = Field(default_factory=dict)
    """What people read in place of an agent's number."""
    webhook_secret: _Secret | None = None
    """The password in the webhook's address. Without it nothing is taken from webhooks."""
    previous_webhook_secret: _Secret | None = None
    """Accepted too while secrets rotate."""

    @model_validator(mode="after")
    def _has_one_secret(self) -> "DjangoHelpdeskSettings":
        if (self.token is None) == (self.password is None):
            raise ValueError("give either password or token (of rest_framework.authtoken)")
        return self


def basic(user: str, secret: SecretStr) -> str:
    """As an Authorization header (RFC 7617)."""
    return f"Basic {base64.b64encode(f'{user}:{secret.get_secret_value()}'.encode()).decode()}"
