"""What an operator enters for one account on one instance."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, StringConstraints(min_length=1)]


def _bare(written: object) -> object:
    """`https://mastodon.example/` as people copy it."""
    if not isinstance(written, str):
        return written
    return written.strip().removeprefix("https://").rstrip("/").lower()


Host = Annotated[str, BeforeValidator(_bare), StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]
SCOPES = ("read", "write:statuses", "write:media", "write:favourites")
"""What our calls need, https://docs.joinmastodon.org/api/oauth-scopes (2026-11)."""


class MastodonSettings(Settings):
    instance: Host
    """The host under which the account's instance answers, such as `mastodon.example`."""
    access_token: Filled | None = None
    """Preferences → Development → the application → Your access token. Left out where the account signs in."""
    client_id: str | None = None
    client_secret: Filled | None = None
    """Of the same page: Client key and Client secret, to sign in."""
    way_in: Literal["stream", "poll"] = "stream"
    """A stream tells at once, and tells of edits and deletions; polling needs no lasting connection."""
    media_hosts: tuple[str, ...] = ()
    """Where the instance keeps its files, if the connection test has not found it out."""

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        return [secret.get_secret_value() for secret in (self.access_token, self.client_secret) if secret]
