"""Mutants of a stream: each breaks one thing, and one property of the kit must find it."""

import dataclasses
import json
import uuid
from typing import Any

from killing import killed_by
from pigeon.heron import Heron, HeronState

from socialsupport_core.contract import Closed, Dial, Flow, Frame, Happening, Step, Tick
from socialsupport_core.model import Capabilities, Payload


@killed_by("stream_cases")
class TheAlarmIsForgotten(Heron):
    def hello(self, state: Any, said: Any) -> Step:
        return dataclasses.replace(super().hello(state, said), tick_in=None)


@killed_by("stream_cases")
class TheNumberIsForgotten(Heron):
    def letter(self, state: Any, said: Any) -> Step:
        return dataclasses.replace(super().letter(state, said), state=state)


@killed_by("stream_cases")
class TheWrongPasswordIsTriedOnAndOn(Heron):
    def step(self, state: Any, happened: Happening) -> Step:
        return dataclasses.replace(super().step(state, happened), stop=None)


@killed_by("stream_cases")
class TheDialForgetsWhereItWas(Heron):
    def dial(self, state: Any) -> Flow[Dial]:
        dial = yield from super().dial(state)
        return dataclasses.replace(dial, headers=())


@killed_by("every_stream_has_a_case")
class AStreamThatIsNotClaimed(Heron):
    capabilities = Capabilities(receives=frozenset({"webhook"}), events=Heron.capabilities.events)


@killed_by("every_stream_has_a_case")
class NothingIsEverKept(Heron):
    name = "mute"


@killed_by("dialling_stays_on_declared_hosts")
class TheStreamIsElsewhere(Heron):
    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"api.heron.example"})


@killed_by("steps_are_pure")
class TheConnectorCounts(Heron):
    beats = 0

    def step(self, state: Any, happened: Happening) -> Step:
        self.beats += isinstance(happened, Tick)
        step = super().step(state, happened)
        return dataclasses.replace(step, say=(f"beat {self.beats}",)) if isinstance(happened, Tick) else step


@killed_by("steps_are_total")
class AFrameMayRaise(Heron):
    def heard(self, state: Any, frame: Frame) -> Step:
        json.loads(frame.data)
        return super().heard(state, frame)


@killed_by("steps_are_total")
class AnUnknownFrameLeadsNowhere(Heron):
    def heard(self, state: Any, frame: Frame) -> Step:
        step = super().heard(state, frame)
        return step if step != Step(state) else None  # type: ignore[return-value]


@killed_by("steps_are_total")
class WhatIsKeptIsNoBytes(Heron):
    def letter(self, state: Any, said: Any) -> Step:
        return dataclasses.replace(super().letter(state, said), keep=(json.dumps(said),))  # type: ignore[arg-type]


@killed_by("what_is_kept_is_acknowledged_after_the_commit")
class ItIsSignedForTooEarly(Heron):
    def letter(self, state: Any, said: Any) -> Step:
        step = super().letter(state, said)
        return dataclasses.replace(step, say=step.after, after=())


@killed_by("what_is_kept_is_acknowledged_after_the_commit")
class ItSpeaksToTheDead(Heron):
    def step(self, state: Any, happened: Happening) -> Step:
        step = super().step(state, happened)
        return dataclasses.replace(step, say=("goodbye",)) if isinstance(happened, Closed) else step


@killed_by("what_is_told_again_is_the_same")
class EachTellingHasItsOwnId(Heron):
    def letter(self, state: Any, said: Any) -> Step:
        said = {**said, "letter": {**said["letter"], "id": f"{state.last} {said['letter']['id']}"}}
        return super().letter(state, said)


@killed_by("what_is_told_again_is_the_same")
class TheIdIsChance(Heron):
    def id_of(self, letter: Any, payload: Payload) -> str:
        return str(uuid.uuid4())


class _Chatty(HeronState):
    password: str = ""


@killed_by("steps_hold_no_secret")
class ThePasswordIsStored(Heron):
    stream_state = _Chatty

    def hello(self, state: Any, said: Any) -> Step:
        step = super().hello(state, said)
        told = step.state.model_copy(update={"password": self.settings.password.get_secret_value()})
        return dataclasses.replace(step, state=told)
