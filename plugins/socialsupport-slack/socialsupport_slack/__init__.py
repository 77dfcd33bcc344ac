"""Slack, through the Events API or socket mode, and the Web API."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_slack.connector import Slack
from socialsupport_slack.settings import SlackSettings

__all__ = ["Slack", "SlackSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Slack]]:
    return (Slack,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_slack.simulator import SlackSimulator  # noqa: PLC0415 - only where something is simulated

    return (SlackSimulator,)
