"""django-helpdesk as the helpdesk, over its REST interface and its webhooks."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, hookimpl
from socialsupport_djangohelpdesk.adapter import DjangoHelpdesk
from socialsupport_djangohelpdesk.settings import DjangoHelpdeskSettings

__all__ = ["DjangoHelpdesk", "DjangoHelpdeskSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (DjangoHelpdesk,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_djangohelpdesk.simulator import DjangoHelpdeskSimulator  # noqa: PLC0415 - only hosts that simulate

    return (DjangoHelpdeskSimulator,)
