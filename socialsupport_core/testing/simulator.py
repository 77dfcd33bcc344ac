"""Simulators: a network played on this machine, so that the whole flow runs with no account anywhere.

A simulator answers our calls as the real API would and emits the webhooks that the network would send. It does
no I/O: `handle` is a function from request to response, emitted payloads wait in `outgoing` until the host
delivers them. Time and chance are given.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

import httpx

from socialsupport_core.contract import Settings, Wire
from socialsupport_core.model import Payload
from socialsupport_core.testing.streams import Line, Refused, SimulatedSockets
from socialsupport_core.wire.sockets import Sockets


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person can speak on this network, as shown on the customer's page."""

    id: str
    title: str
    visibility: Literal["public", "private"]


@dataclass(frozen=True, slots=True)
class Said:
    """One message as a person on the network sees it."""

    id: str
    place: str
    thread: str
    author: str
    """A person's key, or `us`."""
    text: str
    at: datetime
    choices: tuple[str, ...] = ()
    edited: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Faults:
    """Trouble on demand; each counter goes down as it is used up."""

    rate_limit: int = 0
    """So many calls are answered 429."""
    unavailable: int = 0
    """So many calls are answered 503, undone."""
    expire: int = 0
    """So many calls are refused as if the token had expired."""
    drop: int = 0
    """So many calls are carried out, then the connection is cut before the answer."""
    duplicate: int = 0
    """So many webhooks are delivered twice."""
    lose: int = 0
    """So many webhooks are not delivered until `Simulator.redeliver`."""
    delay: float = 0
    """Seconds by which every webhook is late."""
    reorder: bool = False
    """Webhooks waiting at once are delivered in random order."""


class Simulator:
    """The base of every simulator. Subclasses write `respond`, `speak`, and what the network's people may do."""

    network: ClassVar[str]
    hosts: ClassVar[frozenset[str]]
    """The hosts that it plays: calls to them are answered by `handle`."""
    places: ClassVar[tuple[Place, ...]] = ()

    def __init__(
        self,
        settings: Settings,
        *,
        door: str = "https://hub.example/hooks/sim",
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        seed: int = 0,
    ) -> None:
        self.settings = settings
        self.door = door
        """The address to which webhooks go."""
        self.clock = clock
        self.random = random.Random(seed)  # noqa: S311 - chance for a simulation, not for secrets
        self.faults = Faults()
        self.outgoing: deque[tuple[datetime, Payload]] = deque()
        """Webhooks and the moments at which they are due."""
        self.lost: list[Payload] = []
        self.calls: list[httpx.Request] = []
        self.said: list[Said] = []
        self.lines: list[Line] = []
        """Streams that are open."""

    # what a subclass writes

    def respond(self, request: httpx.Request) -> httpx.Response:
        """The network's answer, checked as the real API would; what was asked for has then happened."""
        raise NotImplementedError

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        """The network's own form of 429."""
        return httpx.Response(429, headers={"retry-after": "1"}, json={})

    def expired(self, request: httpx.Request) -> httpx.Response:
        """The network's own form of a refused token."""
        return httpx.Response(401, json={})

    def wires(self) -> Sequence[Wire]:
        """For a network that is not HTTP: what answers its connector's asks in place of the real wire."""
        return ()

    def dialled(self, line: Line) -> None:
        """Somebody connects to a stream; what is put into the line's `outgoing` is what they hear. Raises Refused."""
        raise Refused(httpx.Response(404))

    def spoken_to(self, line: Line, text: str) -> None:
        """What the host says on a stream."""

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """A person says something; the webhooks are emitted. An empty place is the first of `places`."""
        raise NotImplementedError

    def resume(self, sent: Sequence[Payload]) -> None:
        """The network has been here before and has sent these: what it says from now on is told from them.

        A subclass that counts goes on with its count. Who wrote what before is not known any more.
        """
        self.random.seed(f"after {len(sent)}")

    # what the host calls

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.ReadError when the connection is to be cut after the call was carried out."""
        self.calls.append(request)
        if trouble := self._trouble(request):
            return trouble
        response = self.respond(request)
        if self._use("drop"):
            raise httpx.ReadError("the connection was cut", request=request)
        return response

    def heard(self, person: str) -> list[Said]:
        """What this person can read, oldest first."""
        mine = {said.thread for said in self.said if said.author == person}
        public = {place.id for place in self.places if place.visibility == "public"}
        return [said for said in self.said if said.thread in mine or said.place in public]

    def emit(self, *payloads: Payload) -> None:
        """Queues webhooks for the door."""
        for payload in payloads:
            if self._use("lose"):
                self.lost.append(payload)
                continue
            due = datetime.fromtimestamp(self.clock().timestamp() + self.faults.delay, UTC)
            self.outgoing.extend([(due, payload)] * (2 if self._use("duplicate") else 1))

    def redeliver(self) -> None:
        """What was lost is sent again, as networks do."""
        lost, self.lost = self.lost, []
        self.emit(*lost)

    def due(self) -> list[Payload]:
        """Takes the webhooks that are due now."""
        now = self.clock()
        ready = [payload for moment, payload in self.outgoing if moment <= now]
        self.outgoing = deque(item for item in self.outgoing if item[0] > now)
        if self.faults.reorder:
            self.random.shuffle(ready)
        return ready

    # inside

    def _trouble(self, request: httpx.Request) -> httpx.Response | None:
        if self._use("rate_limit"):
            return self.rate_limited(request)
        if self._use("unavailable"):
            return httpx.Response(503, text="over capacity")
        return self.expired(request) if self._use("expire") else None

    def _use(self, fault: str) -> bool:
        left: int = getattr(self.faults, fault)
        if left > 0:
            setattr(self.faults, fault, left - 1)
        return left > 0


@dataclass
class Network:
    """Several simulators behind one transport: calls go by host, as on the internet."""

    simulators: Iterable[Simulator] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        for simulator in self.simulators:
            if request.url.host in simulator.hosts:
                return simulator.handle(request)
        raise httpx.ConnectError(f"no simulator plays {request.url.host}", request=request)

    def transport(self) -> httpx.MockTransport:
        """For `httpx.Client` and `httpx.AsyncClient` alike."""
        return httpx.MockTransport(self.handle)

    def sockets(self) -> Sockets:
        """The same for streams: the `sockets` of a hub."""
        return SimulatedSockets(self._played)

    def _played(self, host: str) -> Simulator | None:
        return next((one for one in self.simulators if host in one.hosts), None)
