"""Mastodon, streamed or polled."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_mastodon.connector import Mastodon
from socialsupport_mastodon.settings import MastodonSettings

__all__ = ["Mastodon", "MastodonSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Mastodon]]:
    return (Mastodon,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_mastodon.simulator import MastodonSimulator  # noqa: PLC0415 - only where something is simulated

    return (MastodonSimulator,)
