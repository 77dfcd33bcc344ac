"""A network beside the usual ones, such as one whose plugin you have just written: its simulator at work.

Its channel has the fake settings of the plugin's golden cases, and what happens there is the least that a network can
do: somebody asks, the agent answers and, where that can be done, hands off to e-mail.
"""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from socialsupport_core.contract import ConfigError, Connector, DeliveryError, Registry, Unsupported
from socialsupport_core.demo.clock import StoryClock
from socialsupport_core.demo.story import Scene, Story, StoryBroken
from socialsupport_core.demo.world import CRM, NEEDED, TENANT, World, build
from socialsupport_core.hub import ReplyRefused
from socialsupport_core.mistakes import near
from socialsupport_core.model import Credentials
from socialsupport_core.testing.loading import folder_of, load_cases, special

PERSON, MAIL = "robin", "robin@mail.example"  # nobody of the usual story
ARRIVED = ("sent", "delivered", "read")


def build_with(folder: Path, public_url: str, clock: StoryClock, name: str) -> World:
    """The demo's world with this network in it. Raises ConfigError that names those that there are."""
    registry = _registry(name)
    kind = registry.connectors[name]
    guests = {} if name in NEEDED else {name: _settings(kind)}
    world = build(folder, public_url, clock, registry, guests=guests, sleep=clock.sleep)
    if guests:
        _settle_in(world, name, kind)
    return world


def _registry(name: str) -> Registry:
    registry = Registry.discover(only=(*NEEDED, CRM, name))
    if name in registry.connectors and name in registry.simulators:
        return registry
    found = Registry.discover()
    reasons = {one.plugin: one.reason for one in found.broken}
    if name in reasons:
        raise ConfigError(f"the plugin {name} cannot be used: {reasons[name]}")
    if name in found.connectors:
        raise ConfigError(f"{name} brings no simulator; give one to its plugin by the hook socialsupport_simulators")
    played = found.connectors.keys() & found.simulators.keys()
    raise ConfigError(f"no network {name!r} is installed; {near(name, played, 'these have a simulator: {}')}")


def _settings(kind: type[Connector[Any]]) -> Mapping[str, Any]:
    """The fake ones of its golden cases; `load_cases` has said what is wrong with them."""
    load_cases(kind)
    read: dict[str, Any] = json.loads((folder_of(kind) / "settings.json").read_bytes())
    return read


def _settle_in(world: World, name: str, kind: type[Connector[Any]]) -> None:
    """What an operator does once: signs in, runs the connection test, tells the network where our door is."""
    if given := special(folder_of(kind) / "credentials.json", Credentials):
        world.hub.keep_credentials(TENANT, name, given)
    for step in (world.hub.test_channel, world.hub.subscribe):
        try:
            asyncio.run(step(TENANT, name))
        except Unsupported:
            continue  # it has none
        except DeliveryError as error:
            raise ConfigError(f"{name}: its simulator refuses the connection test or subscription: {error}") from error
    world.settle()  # what is polled or listened to tells what is new from here on


class AtGuest(Story):
    """Plays at one network only. Raises StoryBroken that says what did not happen there."""

    def __init__(self, world: World, clock: StoryClock, network: str) -> None:
        super().__init__(world, clock)
        self._network = network
        self._simulator = world.simulators[network]

    def play(self) -> Iterator[Scene]:
        yield self._asks()
        try:
            yield self._is_answered()
        except ReplyRefused as refused:
            yield Scene("The desk", "Dana", "cannot answer there", str(refused))
            return
        if self._last()["thread"]["visibility"] == "private" and "email" in self._linked():
            yield self._is_handed_off()
            yield self._comes_by_mail()

    def _asks(self) -> Scene:
        text = "My order 4711 has been on its way for two weeks. Where is it?"
        self._simulator.faults.duplicate = 1
        self._speak(self._network, PERSON, text)
        self._simulator.faults.duplicate = 0
        found = self.hub.queue(TENANT, status=None, channel=self._network)
        self._must(bool(found), f"somebody spoke at the simulator, and no conversation came of it: {self._why_not()}")
        self.customer, self.conversation = found[-1]["customer"]["id"], found[-1]["id"]
        shown = len(self._timeline())
        self._must(shown == 1, f"one message shows {shown} times; its id must be stable over redelivery")
        where, name = self._last()["thread"]["visibility"], found[-1]["customer"]["name"]
        return Scene(self._place(), PERSON, text, f"a {where} conversation with {name}; told twice, it shows once")

    def _is_answered(self) -> Scene:
        text = "Sorry about that. We have found the parcel, and it arrives **tomorrow**."
        self._reply(text)
        state = self._sent("the agent's answer")
        return Scene(self._place(), "Dana", text, f"{state}; there it reads: {self._read_there()}")

    def _is_handed_off(self) -> Scene:
        self.offer = self.hub.hand_off(TENANT, self.conversation, agent="dana", to="email")
        self._sent("the invitation to e-mail")
        return Scene(self._place(), "Dana", "hands off to e-mail", f"a link that works once: {self._read_there()}")

    def _comes_by_mail(self) -> Scene:
        text, address = "Here is the invoice for order 4711.", self._mail_address(self.offer["token"])
        self.world.simulators["email"].speak(MAIL, text, subject="Order 4711", to=address, name="Robin")
        self._arrive()
        self._same_conversation("email")
        return Scene("E-mail", PERSON, text, f"joined: {self._why('email')}")

    # telling

    def _arrive(self, minutes: float = 2) -> None:
        super()._arrive(minutes)

    def _linked(self) -> set[str]:
        """The channels to which a link leads."""
        found = self.hub.hand_off_targets(TENANT, self.conversation)["targets"]
        return {one["channel"] for one in found if one.get("how") == "link"}

    def _sent(self, what: str) -> str:
        """The state in which our last words end."""
        for _ in range(2):  # what a rate limit has kept back
            self._arrive()
        entries = self.hub.conversation(TENANT, self.conversation)["entries"]
        ours = [one for one in entries if one["interaction"]["direction"] == "outbound"]
        state = str(ours[-1].get("state")) if ours else "missing"
        reason = ours[-1].get("delivery", {}).get("reason") if ours else None
        self._must(state in ARRIVED, f"{what} is {state}: {reason or self._why_not()}")
        return state

    def _read_there(self) -> str:
        ours = [said.text for said in self._simulator.heard(PERSON) if said.author == "us"]
        if not ours and not self._simulator.calls:  # a connector that calls nobody: it is fetched, as a chat page does
            return "(the network fetches it)"
        self._must(bool(ours), f"the answer was sent, and `heard` tells {PERSON} none by `us`")
        return ours[-1]

    def _last(self) -> dict[str, Any]:
        found: dict[str, Any] = self._timeline()[-1]["interaction"]
        return found

    def _place(self) -> str:
        return next((f"{self._network}, {place.title}" for place in self._simulator.places), self._network)

    def _why_not(self) -> str:
        """What the hub knows about it."""
        if refused := self.world.refused.get(self._network):
            return f"its door refused it: {refused}"
        if kept := self.hub.quarantine(TENANT, 1):
            return f"it could not be read: {kept[0].reason}"
        (channel,) = [one for one in self.hub.list_channels(TENANT) if one["id"] == self._network]
        return channel.get("reason") or "nothing arrived; does `speak` emit what the network would tell?"


def tell_at(
    world: World, clock: StoryClock, network: str, listen: Callable[[Scene], None] = lambda _scene: None
) -> AtGuest:
    """Plays the story there, while the clock is still told. Raises ConfigError that says what did not happen."""
    story = AtGuest(world, clock, network)
    try:
        for scene in story.play():
            listen(scene)
    except StoryBroken as broken:
        raise ConfigError(f"{network}: {broken}") from broken
    return story
