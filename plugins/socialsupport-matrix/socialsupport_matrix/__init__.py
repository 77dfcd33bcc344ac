"""Matrix: rooms, direct rooms and threads of any homeserver."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_matrix.connector import Matrix
from socialsupport_matrix.settings import MatrixSettings

__all__ = ["Matrix", "MatrixSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Matrix,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_matrix.simulator import MatrixSimulator  # noqa: PLC0415 - only demos and tests need it

    return (MatrixSimulator,)
