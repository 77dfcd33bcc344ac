"""What an operator enters for one Chatwoot."""

from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints, model_validator

from socialsupport_core.contract import Settings

Key = Annotated[SecretStr, Field(min_length=8)]


class ChatwootSettings(Settings):
    address: Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@]+$")] = "https://app.chatwoot.com"
    """Of the installation, without a path."""
    account: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
    token: SecretStr
    """The access token of an administrator that is ours alone."""
    inbox: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")]
    """The number of an inbox of the API channel."""
    inbox_identifier: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+$")]
    """Of that inbox, from its page *Configuration*: there source ids are looked up."""
    webhook_secret: Key | None = None
    previous_webhook_secret: Key | None = None
    """Accepted too while secrets rotate, and while both the account's and the inbox's webhook are used."""
    door_key: Key | None = None
    """For versions that sign nothing: stands in the door's address as `?key=`."""
    file_hosts: tuple[str, ...] = ()
    """Where the installation keeps its files, if that is elsewhere: `acme.s3.amazonaws.com`."""

    @model_validator(mode="after")
    def _one_proof(self) -> "ChatwootSettings":
        if self.webhook_secret and self.door_key:
            raise ValueError("give webhook_secret, or door_key for a Chatwoot that signs nothing, not both")
        return self
