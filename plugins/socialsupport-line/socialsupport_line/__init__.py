"""LINE, through the Messaging API."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_line.connector import Line
from socialsupport_line.settings import LineSettings

__all__ = ["Line", "LineSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Line]]:
    return (Line,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_line.simulator import LineSimulator  # noqa: PLC0415 - only where something is simulated

    return (LineSimulator,)
