"""Visits to your shops: a small form for the staff, and CSV files."""

from collections.abc import Mapping, Sequence
from typing import Any

from socialsupport_core.contract import Connector, SurfaceFactory, hookimpl
from socialsupport_visit.connector import Visit
from socialsupport_visit.settings import Branch, VisitSettings

__all__ = ["Branch", "Visit", "VisitSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Visit,)


@hookimpl
def socialsupport_surfaces() -> Mapping[str, SurfaceFactory]:
    return {Visit.name: _make_surface}


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_visit.simulator import VisitSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (VisitSimulator,)


def _make_surface(connector: Visit, host: Any) -> Any:
    from socialsupport_visit.surface import make_surface  # noqa: PLC0415 - only a server needs starlette

    return make_surface(connector, host)
