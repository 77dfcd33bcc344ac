"""What an operator enters for one bot (https://discord.com/developers/applications)."""

import re
from typing import Annotated

from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import Settings

Filled = Annotated[SecretStr, StringConstraints(min_length=1)]
Snowflake = Annotated[str, StringConstraints(pattern=r"^\d{1,20}$")]
INTENTS = 1 << 0 | 1 << 9 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 15
"""Guilds, messages and reactions there, direct messages and reactions there, and what messages say (privileged):
https://docs.discord.com/developers/events/gateway#list-of-intents (2026-11)."""
_HEX = re.compile(r"[0-9a-fA-F]{64}")


class DiscordSettings(Settings):
    application_id: Snowflake
    """General Information → Application ID; the bot's user has the same."""
    bot_token: Filled
    """Bot → Token."""
    public_key: str | None = Field(default=None, pattern=_HEX)
    """General Information → Public Key; what comes to the door is signed for it. Without it buttons do nothing."""
    intents: int = Field(default=INTENTS, ge=0, lt=1 << 53)
    """Leave out 32768 if the app has no access to what messages say; then only direct messages and mentions have a
    text."""
    command_reply: str = Field(default="Thank you. We will answer here.", min_length=1, max_length=2000)
    """What somebody who gives a command or fills in a form is told at once."""

    def secrets(self) -> list[str]:
        return [self.bot_token.get_secret_value()]
