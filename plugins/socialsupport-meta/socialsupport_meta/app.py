"""What every connector to an app of Meta does alike: the door, the batches, the failures, requests to the Graph API."""

from collections.abc import Iterable, Iterator, Mapping
from typing import ClassVar, TypeVar

import httpx

from socialsupport_core.contract import Connector, DeliveryError
from socialsupport_core.contract.lax import Json
from socialsupport_core.model import Event, Facts, Payload, Reply
from socialsupport_meta import batch, door, failures, graph
from socialsupport_meta.settings import AppSettings

A = TypeVar("A", bound=AppSettings)


class AppConnector(Connector[A]):
    """One network of Meta."""

    title: ClassVar[str]
    """What operators read."""
    codes: ClassVar[Mapping[str, type[DeliveryError]]] = {}
    """The network's own errors."""

    def __init__(self, settings: A, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._graph = graph.Graph(settings.version, self.graph_host)

    @property
    def graph_host(self) -> str:
        return graph.HOST

    def natives(self, entry: Json, scene: batch.Scene) -> Iterator[batch.Native]:
        """The native events of one entry of a webhook."""
        raise NotImplementedError

    def handshake(self, payload: Payload) -> Reply | None:
        return door.answer(payload, self.settings)

    def verify(self, payload: Payload) -> None:
        door.verify(payload, self.settings)

    def parse(self, payload: Payload) -> Iterable[Event]:
        return batch.translated(payload, self.natives)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return failures.failure(response, self.settings.secrets(), name=self.title, codes=self.codes)
