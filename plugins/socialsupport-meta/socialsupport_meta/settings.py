"""What an operator enters for any app of Meta (https://developers.facebook.com/apps)."""

from typing import Annotated

from pydantic import SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, StringConstraints(min_length=1)]
Number = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,25}$")]
"""An id as Meta numbers its objects."""
Version = Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$")]


class AppSettings(Settings):
    app_secret: Filled
    """App settings → Basic; signs webhooks."""
    previous_app_secret: Filled | None = None
    """Still accepted on webhooks while the secret is being reset."""
    verify_token: Filled
    """Yours to choose; Meta sends it when the address of the door is entered."""
    app_id: Number | None = None
    """Needed for signing in."""
    access_token: Filled | None = None
    """Of our account, where nobody signs in."""
    version: Version = "v25.0"
    """Of the Graph API; https://developers.facebook.com/docs/graph-api/changelog (2026-02)."""

    def signing(self) -> list[SecretStr]:
        """Whatever may have signed a webhook."""
        return [secret for secret in (self.app_secret, self.previous_app_secret) if secret]

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


class MessengerSettings(AppSettings):
    human_agent: bool = False
    """The app has the permission Human Agent: people may answer for seven days, bots for one."""
