"""Discord, through its gateway, interactions and the REST API."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_discord.connector import Discord
from socialsupport_discord.settings import DiscordSettings

__all__ = ["Discord", "DiscordSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Discord]]:
    return (Discord,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_discord.simulator import DiscordSimulator  # noqa: PLC0415 - only where something is simulated

    return (DiscordSimulator,)
