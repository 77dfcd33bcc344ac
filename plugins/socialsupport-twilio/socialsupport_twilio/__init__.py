"""Text messages, calls and voicemails, through Twilio."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_twilio.connector import Twilio
from socialsupport_twilio.settings import TwilioSettings

__all__ = ["Twilio", "TwilioSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Twilio]]:
    return (Twilio,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_twilio.simulator import TwilioSimulator  # noqa: PLC0415 - only where something is simulated

    return (TwilioSimulator,)
