"""Fan-out: a broker, such as NATS, to which everything is handed on after it was committed. The log stays the truth."""

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from socialsupport_core.contract.connector import CONTRACT, Settings
from socialsupport_core.model import Value

S = TypeVar("S", bound=Settings)


class LogRecord(Value):
    """One entry of the log. `to_json` is what `GET /api/events` shows."""

    cursor: int
    """Grows within a tenant."""
    tenant: str
    type: str
    at: str
    channel: str | None = None
    thread: str | None = None
    conversation: str | None = None
    data: dict[str, Any]


class FanOut(Generic[S]):
    """One broker. Unlike a connector it does its own I/O: on one event loop at a time, one call at a time."""

    name: ClassVar[str]
    contract: ClassVar[int] = CONTRACT
    settings_model: ClassVar[type[Settings]]

    def __init__(self, settings: S) -> None:
        self.settings = settings

    async def publish(self, records: Sequence[LogRecord]) -> None:
        """Hands on a batch of one tenant's records, in this order. To return is to acknowledge all of them.

        Whatever is raised has the whole batch handed on again later, so a record may come twice: give each an id of
        `tenant` and `cursor` by which the broker knows it. Stop at the first that fails, or the order is lost.
        """
        raise NotImplementedError

    async def aclose(self) -> None:
        """Ends the connection. `publish` may be called again afterwards, then on another event loop."""
