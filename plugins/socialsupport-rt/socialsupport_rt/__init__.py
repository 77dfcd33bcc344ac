"""Request Tracker 5 as the helpdesk, over its REST2 interface."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_rt.adapter import RT, RTSettings

__all__ = ["RT", "RTSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (RT,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_rt.simulator import RTSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (RTSimulator,)
