"""Any channel of your own, by signed webhooks and a mapping."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_generic.connector import Generic
from socialsupport_generic.settings import GenericSettings

__all__ = ["Generic", "GenericSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Generic,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_generic.simulator import GenericSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (GenericSimulator,)
