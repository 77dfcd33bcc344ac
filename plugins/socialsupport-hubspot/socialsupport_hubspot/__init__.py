"""HubSpot as the helpdesk: tickets, activities and its inbox."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_hubspot.adapter import HubSpot
from socialsupport_hubspot.settings import CustomChannel, HubSpotSettings

__all__ = ["CustomChannel", "HubSpot", "HubSpotSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (HubSpot,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_hubspot.simulator import HubSpotServer  # noqa: PLC0415 - only hosts that simulate pay for it

    return (HubSpotServer,)
