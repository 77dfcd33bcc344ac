"""Intercom as the helpdesk: what is said elsewhere stands in its conversations, and its teammates answer there."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_intercom.adapter import Intercom
from socialsupport_intercom.settings import IntercomSettings

__all__ = ["Intercom", "IntercomSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Intercom,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_intercom.simulator import IntercomSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (IntercomSimulator,)
