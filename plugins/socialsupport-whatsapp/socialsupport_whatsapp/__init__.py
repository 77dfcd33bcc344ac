"""WhatsApp, through the Cloud API."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_whatsapp.connector import WhatsApp
from socialsupport_whatsapp.settings import WhatsAppSettings

__all__ = ["WhatsApp", "WhatsAppSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[WhatsApp]]:
    return (WhatsApp,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_whatsapp.simulator import WhatsAppSimulator  # noqa: PLC0415 - only where something is simulated

    return (WhatsAppSimulator,)
