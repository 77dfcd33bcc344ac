"""X, formerly Twitter: public mentions and replies, and direct messages."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_x.connector import X
from socialsupport_x.settings import XSettings

__all__ = ["X", "XSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[X]]:
    return (X,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_x.simulator import XSimulator  # noqa: PLC0415 - only where something is simulated

    return (XSimulator,)
