"""Facebook Pages: Messenger, comments and posts of visitors."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import hookimpl
from socialsupport_facebook.connector import Facebook
from socialsupport_facebook.settings import FacebookSettings

__all__ = ["Facebook", "FacebookSettings"]


@hookimpl
def socialsupport_connectors() -> Sequence[type[Facebook]]:
    return (Facebook,)


@hookimpl
def socialsupport_simulators() -> Sequence[type[Any]]:
    from socialsupport_facebook.simulator import FacebookSimulator  # noqa: PLC0415 - only where something is simulated

    return (FacebookSimulator,)
