"""Zammad as the helpdesk, over its REST interface and its webhooks."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_zammad.adapter import Zammad
from socialsupport_zammad.settings import ZammadSettings

__all__ = ["Zammad", "ZammadSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Zammad,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_zammad.simulator import ZammadSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (ZammadSimulator,)
