"""A support desk at a simulated network: a connector and its simulator, with nothing between them.

For the tests of a connector: what people say comes out as events, what is sent arrives there or is refused.

    class Desk(testing.Desk[Parrot, ParrotSimulator]):
        own_account = "parrot-1"

        def __init__(self) -> None:
            settings = ParrotSettings.model_validate({"token": "a-token"})
            super().__init__(Parrot(settings), ParrotSimulator(settings, clock=self.clock))


    def test_a_question_and_its_answer() -> None:
        desk = Desk()
        desk.send(desk.asked())
        assert desk.ours() == ["It is on its way."]
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import httpx

from socialsupport_core.contract import Connector, DeliveryError, Flow, ReadBlob, Registry, Uncertain, Wait, drive
from socialsupport_core.hub import Hub
from socialsupport_core.model import Blob, Credentials, Event, Interaction, InteractionReceived, Receipt, SendMessage
from socialsupport_core.testing.simulator import Network, Simulator

PAGES = 20
"""After so many pages a poll that still has more does not end."""

C = TypeVar("C", bound=Connector[Any])
W = TypeVar("W", bound=Simulator)
E = TypeVar("E", bound=Event)


class Desk(Generic[C, W]):
    """A connector against its simulator, without a hub. A subclass makes both, with `clock`."""

    own_account: ClassVar[str]
    """In whose name is sent."""
    person: ClassVar[str] = "kerry"
    question: ClassVar[str] = "Where is my parcel?"
    answer: ClassVar[str] = "It is **on its way**."
    now = datetime(2026, 3, 2, 10, tzinfo=UTC)
    """Stands still until it is set."""

    def __init__(self, connector: C, sim: W, *, blob: Blob | None = None) -> None:
        """`blob` is the content of every attachment that is sent."""
        self.connector = connector
        self.sim = sim
        self.blob = blob or Blob(content=b"content", name="file.png")
        self.credentials: Credentials | None = None
        """Of whoever has signed in."""
        self.cursor: str | None = None
        self.waited = 0.0
        """Seconds for which flows asked to wait."""

    def clock(self) -> datetime:
        return self.now

    def run(self, flow: Flow[Any]) -> Any:
        """The result of a flow that the simulator answers. Raises DeliveryError."""
        return drive(flow, self._respond, self.connector.failure)

    def _respond(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blob
        if isinstance(ask, Wait):
            self.waited += ask.seconds
            return None
        try:
            return self.sim.handle(self.connector.authorize(ask, self.credentials, self.now, "0" * 32))
        except httpx.ReadError as error:
            raise Uncertain("the connection was cut") from error

    def events(self) -> list[Event]:
        """What the webhooks say that are due, verified; where there are none, what a poll has new, to its end."""
        if "webhook" not in self.connector.capabilities.receives:
            return self._polled()
        found: list[Event] = []
        for payload in self.sim.due():
            self.connector.verify(payload)
            found += self.connector.parse(payload)
        return found

    def _polled(self) -> list[Event]:
        found: list[Event] = []
        for _ in range(PAGES):
            page = self.run(self.connector.poll(self.cursor))
            self.cursor = page.cursor
            found += [event for payload in page.payloads for event in self.connector.parse(payload)]
            if not page.more:
                return found
        raise AssertionError(f"after {PAGES} pages the poll still has more")

    def only(self, kind: type[E]) -> E:
        """The one event that there is, of this kind."""
        (event,) = self.events()
        assert isinstance(event, kind), f"it is {event.type}"
        return event

    def heard(self) -> Interaction:
        """The newest message among the events, an echo of ours too."""
        return [event.interaction for event in self.events() if isinstance(event, InteractionReceived)][-1]

    def asked(self, text: str | None = None, place: str = "", **more: Any) -> Interaction:
        """`person` says something there, and we hear it."""
        self.sim.speak(self.person, text or self.question, place, **more)
        return self.heard()

    def intent(self, kind: Any, about: Interaction, key: str = "k-1", **more: Any) -> Any:
        """An intent of this kind that answers `about`."""
        return kind(**{"key": key, "own_account": self.own_account, "thread": about.thread, "target": about, **more})

    def do(self, kind: Any, about: Interaction, key: str = "k-1", **more: Any) -> Receipt:
        """Carries out an intent. Raises DeliveryError."""
        receipt: Receipt = self.run(self.connector.send(self.intent(kind, about, key, **more)))
        return receipt

    def send(self, about: Interaction, *text: str | None, **more: Any) -> Receipt:
        """Answers with the text; with `answer` if none is given, with no words if it is None."""
        (words,) = text or (self.answer,)
        return self.do(SendMessage, about, text=words, **more)

    def trouble(self, fault: str) -> DeliveryError:
        """How an answer fails when that one of the simulator's `faults` is set."""
        question = self.asked()
        setattr(self.sim.faults, fault, 1)
        try:
            self.send(question)
        except DeliveryError as error:
            return error
        raise AssertionError(f"the answer was sent in spite of {fault}")

    def ours(self) -> list[str]:
        """The texts that people read of us, oldest first."""
        return [said.text for said in self.sim.said if said.author == "us" and not said.deleted]


def simulated_hub(folder: Path, plugin: object, sim: Simulator) -> Hub:
    """A new hub in `folder` on a simulated network, with the tenant `acme` and its agent `dana`. To be closed."""
    network = Network([sim])
    hub = Hub.open(
        folder / "support.sqlite",
        public_url="https://hub.example",
        registry=Registry.of(plugin),
        transport=network.transport(),
        sockets=network.sockets(),
        clock=sim.clock,
    )
    hub.add_tenant("acme", "Acme")
    hub.add_agent("acme", "dana", "Dana")
    return hub
