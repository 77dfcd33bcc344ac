"""What an operator enters."""

import re
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, SecretStr, StringConstraints

from socialsupport_core.contract import Settings


def _matches(pattern: str, complaint: str) -> AfterValidator:
    def check(secret: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, secret.get_secret_value()):
            raise ValueError(complaint)
        return secret

    return AfterValidator(check)


Token = Annotated[
    SecretStr,
    _matches(r"[0-9]+:[A-Za-z0-9_-]+", "a bot's token looks like 123456:ABC-DEF; @BotFather shows it"),
]
# https://core.telegram.org/bots/api#setwebhook (Bot API 10.1, 2026-06)
SecretToken = Annotated[
    SecretStr, _matches(r"[A-Za-z0-9_-]{1,256}", "a secret token has 1 to 256 characters of A-Z a-z 0-9 _ -")
]
Server = Annotated[str, StringConstraints(pattern=r"^https?://[^/?#@\s]+(/[^?#\s]*[^/?#\s])?$")]


class TelegramSettings(Settings):
    model_config = ConfigDict(hide_input_in_errors=True)

    token: Token
    """From @BotFather. The number before the colon is the bot's account."""
    secret_token: SecretToken | None = None
    """Yours to choose; Telegram sends it with every webhook. Not needed for polling."""
    previous_secret_token: SecretToken | None = None
    """Accepted as well while `secret_token` is being changed."""
    api: Server = "https://api.telegram.org"
    """The Bot API server; change it if you host your own."""
