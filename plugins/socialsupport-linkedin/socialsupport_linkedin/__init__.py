"""LinkedIn pages: comments and mentions in, public answers out."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_linkedin.connector import LinkedIn
from socialsupport_linkedin.settings import LinkedInSettings

__all__ = ["LinkedIn", "LinkedInSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[LinkedIn]]:
    return (LinkedIn,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_linkedin.simulator import LinkedInSimulator  # noqa: PLC0415 - only where something is simulated

    return (LinkedInSimulator,)
