"""Freshdesk as the helpdesk, over its API of version 2."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_freshdesk.adapter import Freshdesk
from socialsupport_freshdesk.settings import FreshdeskSettings

__all__ = ["Freshdesk", "FreshdeskSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Freshdesk,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_freshdesk.simulator import FreshdeskSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (FreshdeskSimulator,)
