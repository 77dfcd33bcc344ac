"""A simulated X and our connector on it, with a clock that stands until it is moved."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from socialsupport_core.contract import Flow, ReadBlob, Unavailable, Uncertain, Wait, drive
from socialsupport_core.contract.errors import SAFE_METHODS
from socialsupport_core.model import (
    Blob,
    Event,
    Interaction,
    InteractionReceived,
    OpenPrivate,
    Party,
    Receipt,
    SendMessage,
    Thread,
)
from socialsupport_x import X, XSettings
from socialsupport_x.simulator import XSimulator

OWN = "2244994945"
SETTINGS: dict[str, Any] = {
    "consumer_key": "key",
    "consumer_secret": "consumer-secret",
    "client_secret": "client-secret",
    "access_token": "token",
    "access_token_secret": "token-secret",
    "app_bearer_token": "app-bearer",
    "account_id": OWN,
    "handle": "acme",
}


@dataclass
class World:
    settings: XSettings
    connector: X
    simulator: XSimulator
    now: datetime
    blobs: dict[str, Blob] = field(default_factory=dict)
    waited: float = 0

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)

    def run(self, flow: Flow[Any]) -> Any:
        return drive(flow, self._respond, self.connector.failure)

    def _respond(self, ask: Any) -> Any:
        if isinstance(ask, ReadBlob):
            return self.blobs[ask.digest]
        if isinstance(ask, Wait):
            self.waited += ask.seconds
            return None
        request = self.connector.authorize(ask, None, self.now, f"{len(self.simulator.calls):032x}")
        try:
            return self.simulator.handle(request)
        except httpx.ReadError:
            kind = Unavailable if ask.method in SAFE_METHODS else Uncertain
            raise kind("the connection was cut") from None

    def events(self) -> list[Event]:
        """What the waiting webhooks say; each is verified first."""
        found: list[Event] = []
        for payload in self.simulator.due():
            self.connector.verify(payload)
            found += self.connector.parse(payload)
        return found

    def interactions(self) -> list[Interaction]:
        return [event.interaction for event in self.events() if isinstance(event, InteractionReceived)]

    def send(self, interaction: Interaction, text: str | None, **more: Any) -> Receipt:
        receipt = self.run(self.connector.send(self.intent(interaction, text, **more)))
        assert isinstance(receipt, Receipt)
        return receipt

    def intent(self, interaction: Interaction, text: str | None, **more: Any) -> SendMessage:
        return SendMessage(key="key", own_account=OWN, thread=interaction.thread, target=interaction, text=text, **more)

    def opening(self, interaction: Interaction, text: str) -> OpenPrivate:
        return OpenPrivate(key="key", own_account=OWN, thread=interaction.thread, target=interaction, text=text)


@pytest.fixture
def make_world() -> Callable[..., World]:
    def make(**changes: Any) -> World:
        settings = XSettings(**{**SETTINGS, **changes})
        now = datetime(2026, 7, 24, 21, 0, tzinfo=UTC)
        world: World
        simulator = XSimulator(settings, door="https://hub.example/hooks/app/x", clock=lambda: world.now)
        world = World(settings, X(settings), simulator, now)
        return world

    return make


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture(params=["activity", "account_activity"])
def either(request: pytest.FixtureRequest, make_world: Callable[..., World]) -> World:
    """The world under each of the two webhook products."""
    return make_world(subscription=request.param)


@pytest.fixture
def kerry() -> Party:
    return Party(identifiers=({"kind": "x.user", "value": "3001969357"},), handle="kerryf")


@pytest.fixture
def mention(kerry: Party) -> Interaction:
    return Interaction(
        network="x",
        native_id="2080765813578191303",
        kind="mention",
        direction="inbound",
        own_account=OWN,
        thread=Thread(id="2080765813578191303", visibility="public"),
        author=kerry,
        text="@acme my router is dead",
        sent_at=datetime(2026, 7, 24, 21, 23, 23, tzinfo=UTC),
    )
