"""Chatwoot as the helpdesk, through an inbox of its API channel."""

from collections.abc import Sequence
from typing import Any

from socialsupport_chatwoot.adapter import Chatwoot
from socialsupport_chatwoot.settings import ChatwootSettings
from socialsupport_core.contract import CRM, hookimpl

__all__ = ["Chatwoot", "ChatwootSettings"]


@hookimpl
def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
    return (Chatwoot,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_chatwoot.simulator import ChatwootSimulator  # noqa: PLC0415 - only hosts that simulate pay for it

    return (ChatwootSimulator,)
