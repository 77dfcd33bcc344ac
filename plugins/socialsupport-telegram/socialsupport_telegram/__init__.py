"""Telegram: bots in private chats, groups, channels and business chats."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_telegram.connector import Telegram
from socialsupport_telegram.settings import TelegramSettings

__all__ = ["Telegram", "TelegramSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Telegram,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_telegram.simulator import TelegramSimulator  # noqa: PLC0415 - only demos and tests need it

    return (TelegramSimulator,)
