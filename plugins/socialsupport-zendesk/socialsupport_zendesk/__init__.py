"""Zendesk as the helpdesk, over its ticketing API."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_zendesk.adapter import Zendesk
from socialsupport_zendesk.settings import ZendeskSettings

__all__ = ["Zendesk", "ZendeskSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Zendesk,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_zendesk.simulator import ZendeskSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (ZendeskSimulator,)
