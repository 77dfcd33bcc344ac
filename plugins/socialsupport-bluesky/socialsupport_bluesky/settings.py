"""What an operator enters for one account."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr, StringConstraints

from socialsupport_core.contract import Settings


def _bare(written: object) -> object:
    """`https://bsky.social/` and `@acme.example` as people copy them."""
    if not isinstance(written, str):
        return written
    return written.strip().removeprefix("https://").removeprefix("@").rstrip("/").lower()


Host = Annotated[str, BeforeValidator(_bare), StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", max_length=253)]


class BlueskySettings(Settings):
    handle: Annotated[Host, StringConstraints(min_length=3)]
    """Of the account, without the @: `acme.bsky.social`."""
    app_password: Annotated[SecretStr, StringConstraints(min_length=1)]
    """Settings → Privacy and security → App passwords. Never the account's own password."""
    service: Host = "bsky.social"
    """Where the account signs in: its own server (PDS), or Bluesky's entrance to all of theirs."""
    messages: bool = True
    """Direct messages too; the app password must allow them."""

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        return [self.app_password.get_secret_value()]
