"""A CRM in memory, behind the same contract as a real one."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_memorycrm.adapter import MemoryCRM, MemorySettings

__all__ = ["MemoryCRM", "MemorySettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (MemoryCRM,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_memorycrm.simulator import MemoryCRMServer  # noqa: PLC0415 - only hosts that simulate pay for it

    return (MemoryCRMServer,)
