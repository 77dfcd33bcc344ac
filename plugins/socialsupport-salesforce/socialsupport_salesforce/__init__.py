"""Salesforce as the helpdesk: cases, activities, comments and files."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_salesforce.adapter import Salesforce
from socialsupport_salesforce.settings import SalesforceSettings

__all__ = ["Salesforce", "SalesforceSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Salesforce,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_salesforce.simulator import SalesforceServer  # noqa: PLC0415 - only hosts that simulate pay for it

    return (SalesforceServer,)
