"""Call records and voicemails, by signed webhook and by CSV file."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import Connector, hookimpl
from socialsupport_phone.connector import Phone, PhoneSettings

__all__ = ["Phone", "PhoneSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Connector[Any]]]:
    return (Phone,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_phone.simulator import PhoneSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (PhoneSimulator,)
