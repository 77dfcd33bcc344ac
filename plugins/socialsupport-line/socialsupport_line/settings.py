"""What an operator enters for one channel of the Messaging API (https://developers.line.biz/console/)."""

from typing import Annotated

from pydantic import SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, StringConstraints(min_length=1)]


class LineSettings(Settings):
    channel_secret: Filled
    """Basic settings → Channel secret; signs webhooks."""
    previous_channel_secret: Filled | None = None
    """Still accepted on webhooks that were signed before the secret was made anew."""
    other_channel_secrets: tuple[Filled, ...] = ()
    """Of further channels, where several come in by one door: each signs with its own."""
    channel_access_token: Filled | None = None
    """Messaging API → Channel access token (long-lived). Without it nothing can be sent or fetched."""
    reply_tokens: bool = False
    """Answer with the reply token while LINE takes it, which costs nothing; see the connector for the price."""

    def signing(self) -> list[SecretStr]:
        """Whatever may have signed a webhook."""
        own = [secret for secret in (self.channel_secret, self.previous_channel_secret) if secret]
        return [*own, *self.other_channel_secrets]

    def secrets(self) -> list[str]:
        """Every credential, for redaction."""
        values = [*self.signing(), *([self.channel_access_token] if self.channel_access_token else [])]
        return [value.get_secret_value() for value in values]
