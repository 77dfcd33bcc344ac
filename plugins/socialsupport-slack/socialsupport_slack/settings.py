"""What an operator enters for one app in one workspace (https://api.slack.com/apps)."""

from typing import Annotated

from pydantic import SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, StringConstraints(min_length=1)]
SCOPES = (
    "channels:history",
    "groups:history",
    "im:history",
    "mpim:history",
    "chat:write",
    "im:write",
    "files:read",
    "files:write",
    "reactions:read",
    "reactions:write",
    "users:read",
    "users:read.email",
)
"""What each method and event wants, https://docs.slack.dev/reference/scopes (2026-11)."""


class SlackSettings(Settings):
    signing_secret: Filled | None = None
    """Basic Information → Signing Secret; signs what comes to the door. Not needed in socket mode."""
    previous_signing_secret: Filled | None = None
    """Still accepted on what was signed before the secret was made anew."""
    bot_token: Filled | None = None
    """OAuth & Permissions → Bot User OAuth Token. Left out where the app is installed by signing in."""
    app_token: Filled | None = None
    """Basic Information → App-Level Tokens, with `connections:write`: everything comes in by socket mode."""
    client_id: str | None = None
    client_secret: Filled | None = None
    """Basic Information → App Credentials, to install the app by signing in."""
    scopes: tuple[str, ...] = SCOPES
    """Asked for when signing in."""

    def signing(self) -> list[SecretStr]:
        return [secret for secret in (self.signing_secret, self.previous_signing_secret) if secret]

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        known = (*self.signing(), self.bot_token, self.app_token, self.client_secret)
        return [secret.get_secret_value() for secret in known if secret]
