"""A helpdesk whose tables lie in an SQLite file: no HTTP, a wire of its own."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import CRM, Wire, hookimpl
from socialsupport_sqlcrm.adapter import SqlCRM, SqlSettings
from socialsupport_sqlcrm.wire import SqliteWire

__all__ = ["SqlCRM", "SqlSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (SqlCRM,)


@hookimpl
def socialsupport_wires() -> Sequence[Wire]:
    return (SqliteWire(),)
