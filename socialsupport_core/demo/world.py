"""The demo's world: one tenant, five channels, and the networks around them, all on this machine."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError, Registry, SignatureError
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload
from socialsupport_core.testing import Network, Simulator

TENANT = "acme"
AGENTS = {"dana": "Dana", "bo": "Bo"}

# Invented credentials: they open nothing but the simulators of this process.
CHANNELS: dict[str, dict[str, Any]] = {
    "x": {
        "consumer_key": "demo-consumer-key",
        "consumer_secret": "demo-consumer-secret",
        "access_token": "2244994945-demo-access-token",
        "access_token_secret": "demo-access-token-secret",
        "account_id": "2244994945",
        "handle": "acme",
    },
    "telegram": {"token": "123456:AAdemo-demo-demo-demo-demo-demo-dem", "secret_token": "demo_secret_token"},
    "email": {
        "address": "support@acme.example",
        "name": "Acme",
        "token_secret": "demo-token-secret-of-some-length",
        "trusted_authserv_id": "mx.acme.example",
        "smtp": {"host": "127.0.0.1", "port": 1, "security": "none"},
    },
    "webchat": {
        "own_account": "acme-web",
        "secret": "demo-webchat-secret",
        "identity_secret": "demo-identity-secret",
        "title": "Acme support",
    },
    "phone": {"number": "+15550100", "signing_secret": "demo-phone-signing-secret"},
}
OWN_ACCOUNTS = {
    "x": "2244994945",
    "telegram": "123456",
    "email": "support@acme.example",
    "webchat": "acme-web",
    "phone": "+15550100",
}
NEEDED = tuple(CHANNELS)
ASKED = 2  # times in a row: some tell of a place first, and then what is said in it
NOBODY: Mapping[str, Mapping[str, Any]] = {}
CRM = "memory"
CRM_SETTINGS = {"token": "demo-crm-token", "webhook_secret": "demo-crm-webhook-secret"}


@dataclass
class World:
    """The hub and the networks around it."""

    hub: Hub
    simulators: dict[str, Simulator]
    doors: dict[str, str]
    """Door ids by network."""
    tokens: dict[str, str] = field(default_factory=dict)
    guests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The settings of networks beside the usual ones."""
    refused: dict[str, str] = field(default_factory=dict)
    """Why a door refused what its network said last."""

    def deliver(self) -> int:
        """Brings the networks' webhooks to their doors; how many. What a door refuses is lost, as in life."""
        count = 0
        for network, simulator in self.simulators.items():
            for payload in simulator.due():
                self._deliver(network, payload)
                count += 1
        return count

    def _deliver(self, network: str, payload: Payload) -> None:
        try:
            self.hub.receive(self.doors[network], payload).result()
        except SignatureError as error:
            self.refused[network] = str(error)

    def settle(self) -> None:
        """Everything that is under way arrives: webhooks in, replies out, echoes back."""
        self._arrive()
        for _ in range(ASKED if self.guests else 0):
            asyncio.run(self._ask())
            self._arrive()

    def _arrive(self) -> None:
        self.hub.drain()
        while self.deliver():
            self.hub.drain()

    async def _ask(self) -> None:
        """What a guest does not bring to its door: one that is polled, or listened to."""
        ways = {"poll": self.hub.workers.poll, "stream": self.hub.workers.stream}
        try:
            for name in self.guests:
                if way := ways.get(self.mode(name)):
                    await way(TENANT, name)
        finally:
            await self.hub.wire.aclose()

    def mode(self, network: str) -> str:
        return self.hub.channels.get(TENANT, network).channel.mode

    def sign_in(self, person: str, email: str, name: str) -> None:
        """The shop's own page tells the web chat who is logged in, and signs it."""
        self._identify(person, {"user": person, "email": email, "name": name}, signed=True)

    def claim(self, person: str, email: str) -> None:
        """Somebody types an address into the web chat's form."""
        self._identify(person, {"email": email}, signed=False)

    def _identify(self, person: str, identity: dict[str, str], *, signed: bool) -> None:
        chat: Any = self.simulators["webchat"]
        chat.identify(person, chat.identity.model_validate(identity), signed=signed)

    def signed_identity(self, person: str, email: str, name: str) -> tuple[str, str]:
        """What the shop's own page carries for somebody who is logged in there: the identity and its signature."""
        chat: Any = self.simulators["webchat"]
        signed: tuple[str, str] = chat.signed(chat.identity(user=person, email=email, name=name))
        return signed

    def channel_url(self, network: str) -> str:
        return f"{self.hub.public_url}/chat/{self.doors[network]}/"


def build(
    folder: Path,
    public_url: str,
    clock: Callable[[], datetime],
    registry: Registry | None = None,
    store: str | Path | None = None,
    guests: Mapping[str, Mapping[str, Any]] = NOBODY,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> World:
    """A world in an empty or an earlier folder, or on another store with its files there. Raises ConfigError when a
    plugin that it needs is missing. `guests` are further networks and their settings."""
    registry = registry or Registry.discover(only=(*NEEDED, CRM))
    missing = [name for name in NEEDED if name not in registry.connectors or name not in registry.simulators]
    if missing:
        why = "; ".join(f"{one.plugin}: {one.reason}" for one in registry.broken)
        raise ConfigError(f"the demo needs the plugins {', '.join(missing)}; {why or 'install socialsupport[all]'}")
    known = {**guests, **CHANNELS}
    simulators = {name: _simulator(registry, name, known[name], clock) for name in dict.fromkeys((*NEEDED, *guests))}
    simulators |= _crm_simulator(registry, clock)
    hub = Hub.open(
        store or folder / "support.sqlite",
        folder=folder if store else None,
        public_url=public_url,
        registry=registry,
        transport=Network(simulators.values()).transport(),
        sockets=Network(simulators.values()).sockets(),
        wires=[wire for one in simulators.values() for wire in one.wires()],
        clock=clock,
        sleep=sleep,
    )
    world = World(hub, simulators, _configure(hub, simulators, guests), _tokens(hub), guests)
    for network, door in world.doors.items():
        simulators[network].resume(hub.payloads(door))  # the folder may be an earlier one
    asyncio.run(hub.test_channel(TENANT, "telegram"))  # the bot learns its name, so that links can lead to it
    return world


def _simulator(registry: Registry, name: str, known: Mapping[str, Any], clock: Callable[[], datetime]) -> Simulator:
    settings = registry.connectors[name].settings_model.model_validate(known)
    simulator: Simulator = registry.simulators[name](settings, clock=clock)
    return simulator


def _crm_simulator(registry: Registry, clock: Callable[[], datetime]) -> dict[str, Simulator]:
    """The CRM, if its plugin is installed: the demo lives without."""
    if CRM not in registry.crms or CRM not in registry.simulators:
        return {}
    settings = registry.crms[CRM].settings_model.model_validate(CRM_SETTINGS)
    return {CRM: registry.simulators[CRM](settings, clock=clock)}


def _configure(hub: Hub, simulators: dict[str, Simulator], guests: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    hub.add_tenant(TENANT, "Acme")
    for agent, name in AGENTS.items():
        hub.add_agent(TENANT, agent, name)
    doors = {}
    for name, settings in CHANNELS.items():
        doors[name] = hub.add_channel(TENANT, name, name, settings, own_account=OWN_ACCOUNTS[name], mode="webhook")
    for name, given in guests.items():
        doors[name] = hub.add_channel(TENANT, name, name, given)
    if CRM in simulators:
        doors[CRM] = hub.add_crm(TENANT, CRM, CRM, CRM_SETTINGS)
    for name, path in doors.items():
        simulators[name].door = f"{hub.public_url}{path}"
    return {name: path.rsplit("/", 1)[1] for name, path in doors.items()}


def _tokens(hub: Hub) -> dict[str, str]:
    return {
        agent: hub.issue_token(TENANT, agent, ("read", "reply", "link", "configure", "operate")) for agent in AGENTS
    }
