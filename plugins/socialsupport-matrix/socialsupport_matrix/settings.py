"""What an operator enters."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Homeserver = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*[^/?#\s])?$")]


class MatrixSettings(Settings):
    homeserver: Homeserver
    """The address of its client-server API, without a slash at the end: `https://matrix.acme.example`."""
    access_token: SecretStr
    """Of the account that answers. Its user id is asked for."""
    join_invites: Literal["all", "direct", "none"] = "direct"
    """Which invitations are accepted: every one, those to direct rooms, or none. Rooms that move are followed but
    with `none`."""
    backlog: int = Field(default=0, ge=0, le=100)
    """How many of each room's newest messages are read when the account is polled for the first time."""
