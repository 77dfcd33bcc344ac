"""NATS JetStream as a broker behind the log."""

from collections.abc import Sequence
from typing import Any

from socialsupport_core.contract import FanOut, hookimpl
from socialsupport_nats.fanout import JetStream, NATSSettings

__all__ = ["JetStream", "NATSSettings"]


@hookimpl
def socialsupport_fanouts() -> Sequence[type[FanOut[Any]]]:
    return (JetStream,)
