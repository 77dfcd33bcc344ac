"""Bluesky, and what else speaks its part of the AT Protocol."""

from collections.abc import Sequence
from typing import Any

from socialsupport_bluesky.connector import Bluesky
from socialsupport_bluesky.settings import BlueskySettings
from socialsupport_core.contract import hookimpl

__all__ = ["Bluesky", "BlueskySettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Bluesky]]:
    return (Bluesky,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_bluesky.simulator import BlueskySimulator  # noqa: PLC0415 - only where something is simulated

    return (BlueskySimulator,)
