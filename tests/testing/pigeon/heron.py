"""Herons: everything comes over a stream, and each letter is signed for."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    Closed,
    Connector,
    Dial,
    Flow,
    Frame,
    Happening,
    MalformedPayload,
    Opened,
    Settings,
    Step,
    StreamState,
    Tick,
)
from socialsupport_core.model import (
    Capabilities,
    Event,
    Identifier,
    Interaction,
    InteractionReceived,
    Party,
    Payload,
    Thread,
)

UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, OverflowError)


class HeronSettings(Settings):
    password: SecretStr


class HeronState(StreamState):
    nest: str = "stream.heron.example"
    last: int = 0
    beat: float | None = None


class Heron(Connector[HeronSettings]):
    name = "heron"
    settings_model: ClassVar[type[Settings]] = HeronSettings
    stream_state: ClassVar[type[StreamState]] = HeronState
    capabilities = Capabilities(receives=frozenset({"stream"}), events=frozenset({"interaction.received"}))

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.heron.example", "stream.heron.example"})

    def parse(self, payload: Payload) -> Iterable[Event]:
        try:
            return [self.read(payload.json(), payload)]
        except UNREADABLE as error:
            raise MalformedPayload(f"not a heron's letter: {error}") from error

    def read(self, letter: Any, payload: Payload) -> Event:
        bird = Identifier(kind="heron.ring", value=str(letter["from"]))
        interaction = Interaction(
            network=self.name,
            native_id=str(letter["id"]),
            kind="message",
            direction="inbound",
            own_account="reeds",
            thread=Thread(id=str(letter["from"]), visibility="private"),
            author=Party(identifiers=(bird,)),
            text=str(letter["text"]),
            sent_at=datetime.fromtimestamp(int(letter["at"]), UTC),
        )
        return InteractionReceived(id=self.id_of(letter, payload), interaction=interaction)

    def id_of(self, letter: Any, payload: Payload) -> str:
        return f"letter {letter['id']}"

    def dial(self, state: Any) -> Flow[Dial]:
        yield httpx.Request("POST", "https://api.heron.example/nests", json={"after": state.last})
        return Dial(f"wss://{state.nest}/reeds", headers=(("heron-after", str(state.last)),))

    def step(self, state: Any, happened: Happening) -> Step:
        match happened:
            case Opened(chance):
                return Step(state, say=(f"here, {chance}",))
            case Tick():
                return Step(state, say=("still here",), tick_in=state.beat)
            case Closed(code=4001):
                return Step(state, stop="the password is wrong; enter the right one")
            case Closed():
                return Step(state)
            case Frame():
                return self.heard(state, happened)

    def heard(self, state: Any, frame: Frame) -> Step:
        try:
            said = json.loads(frame.data)
            return {"hello": self.hello, "letter": self.letter, "move": self.move}[said["op"]](state, said)
        except UNREADABLE:
            return Step(state)

    def hello(self, state: Any, said: Any) -> Step:
        beat = min(max(float(said["beat"]), 1.0), 60.0)
        return Step(state.model_copy(update={"beat": beat}), tick_in=beat)

    def letter(self, state: Any, said: Any) -> Step:
        number = int(said["n"])
        state = state.model_copy(update={"last": number})
        return Step(state, keep=(json.dumps(said["letter"]).encode(),), after=(f"got {number}",))

    def move(self, state: Any, said: Any) -> Step:
        return Step(state, redial=5.0, gap=bool(said.get("lost")))
