"""Instagram: messages, stories, comments and mentions."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_instagram.connector import Instagram
from socialsupport_instagram.settings import InstagramSettings

__all__ = ["Instagram", "InstagramSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Instagram]]:
    return (Instagram,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_instagram.simulator import InstagramSimulator  # noqa: PLC0415 - only where something is simulated

    return (InstagramSimulator,)
