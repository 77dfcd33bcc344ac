"""Streams: `step` is total and pure, acknowledges what is kept after the commit only, and can be resumed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.contract import (
    Closed,
    Dial,
    Frame,
    Happening,
    MalformedPayload,
    Opened,
    Step,
    Tick,
    declares,
)
from socialsupport_core.model import Payload
from socialsupport_core.testing.cases import Stream, StreamStep
from socialsupport_core.testing.conformance.base import fail
from socialsupport_core.testing.conformance.failures import some
from socialsupport_core.testing.conformance.golden import Golden, shown
from socialsupport_core.testing.conformance.mutation import keys_of, mutants
from socialsupport_core.testing.conformance.parsing import EXAMPLES, any_json
from socialsupport_core.testing.hidden import secrets_of
from socialsupport_core.testing.problems import raised
from socialsupport_core.testing.scripted import NOW, difference

SCHEMES = {"websocket": "wss", "sse": "https"}
MOST_FRAMES = 1500
"""Mutated frames per connector; of more, every n-th is taken."""
ENDS = (Closed(), Closed(1000), Closed(1006, "gone"), Closed(4999, "what nobody knows"))
Comparable = dict[str, Any]


class Streamed(Golden):
    def test_stream_cases(self, streamed: Stream) -> None:
        """A golden connection goes exactly as it is written: what is kept, said, said after the commit, and when."""
        if streamed.is_dialled:
            self._dials(streamed)
        connector, state = self.make(), self._first(streamed)
        for number, expected in enumerate(streamed.steps, 1):
            step = self._stepped(connector, state, expected.happening, f"{streamed}, step {number}")
            wanted, said = _expected(expected), _said(step, expected)
            if wanted != said:
                fail(f"{streamed}, step {number}: it differs:\n{difference(wanted, said)}")
            if expected.events is not None:
                events = [event for body in step.keep for event in connector.parse(_payload(body))]
                self._same_events(f"{streamed}, step {number}", expected.events, events)
            state = step.state

    def test_every_stream_has_a_case(self) -> None:
        """Whoever dials has written `step` too, claims `stream`, and shows a connection that keeps something."""
        written = [name for name in ("dial", "step") if self.overrides(name)]
        if not written:
            pytest.skip("it has no stream")
        if len(written) == 1:
            fail(f"{written[0]} is overridden, and the other of dial and step is not; a stream needs both")
        if "stream" not in self.capabilities.receives:
            fail("dial is overridden, and `receives` does not claim 'stream'")
        if not any(case.dial for case in self.cases.streams):
            fail('no stream case shows in "dial" where dialling leads')
        if not any(step.keep for case in self.cases.streams for step in case.steps):
            fail('no stream case keeps anything; show a frame and its "keep"')

    def test_dialling_stays_on_declared_hosts(self) -> None:
        """Every connection goes to one of `hosts`, encrypted, and without a secret in its address."""
        connector, secrets = self.make(), secrets_of(self.cases.settings)
        for case in self._streams():
            if case.dial is None:
                continue
            url = httpx.URL(case.dial.url)
            if url.scheme != SCHEMES[case.dial.protocol] or not declares(connector.hosts, url.host):
                fail(f"{case}: {url.scheme}://{url.host} is not encrypted, or not declared in `hosts`")
            if not self.secret_in_url and any(secret in case.dial.url for secret in secrets):
                fail(f"{case}: the address holds a secret of the settings")

    def test_steps_are_pure(self) -> None:
        """The same state and the same happening lead to the same step, also from a state that was stored and read."""
        for case in self._streams():
            used = self.make()
            for state, happened, step in self._walk(case):
                stored = type(state).model_validate_json(state.to_json())
                for connector, from_state in ((used, state), (self.make(), stored), (used, stored)):
                    if connector.step(from_state, happened) != step:
                        fail(f"{case}: step depends on more than its state and {_told(happened)}; keep it in the state")

    def test_steps_are_total(self) -> None:
        """Whatever a frame holds, in whatever state, `step` raises nothing and says well-formed things."""
        connector = self.make()
        for state in self._states():
            for happened in (Opened(), Opened(0.999), Tick(), *ENDS):
                self._stepped(connector, state, happened, _told(happened))
            self._survives(connector, state)
        frames = [(case, state, frame) for case in self._streams() for state, frame, _ in self._walk(case)]
        changed = [
            (case, state, change, Frame(body.decode("utf-8", "replace"), frame.event, frame.id))
            for case, state, frame in frames
            if isinstance(frame, Frame)
            for change, body in mutants(_bytes(frame.data))
        ]
        for case, state, change, frame in some(changed, MOST_FRAMES, self.connector.name):
            self._stepped(connector, state, frame, f"{case}, {change}")

    def _survives(self, connector: Any, state: Any) -> None:
        names = sorted({key for case in self._streams() for step in case.steps for key in _keys(step)})
        anything = st.text(max_size=200) | st.binary(max_size=200) | any_json(names).map(json.dumps)

        @EXAMPLES
        @given(anything, st.sampled_from(["", "update", "error"]))
        def survives(data: str | bytes, event: str) -> None:
            self._stepped(connector, state, Frame(data, event), f"the frame {data[:80]!r}")

        survives()

    def test_what_is_kept_is_acknowledged_after_the_commit(self) -> None:
        """A step that keeps something says nothing before the commit; once it is over, nothing is said at all."""
        for case in self._streams():
            for _, happened, step in self._walk(case):
                if step.keep and step.say:
                    fail(f"{case}: {_told(happened)} is kept, and {step.say[0][:80]!r} is said before the commit; put "
                         "it into `after`")  # fmt: skip
                if isinstance(happened, Closed) and (step.say or step.after):
                    fail(f"{case}: something is said to a connection that is closed")

    def test_what_is_told_again_is_the_same(self) -> None:
        """A frame that comes again, on a new connection too, is kept as payloads with the same event ids."""
        for case in self._streams():
            connector = self.make()
            walked = list(self._walk(case))
            again = self._begun_anew(connector, walked[-1][2].state if walked else None)
            for state, happened, step in walked:
                if not step.keep:
                    continue
                ids = [_ids(connector, body) for body in step.keep]
                for from_state, when in ((state, "in the same state"), (again, "after a new connection")):
                    kept = connector.step(from_state, happened).keep
                    if kept and [_ids(connector, body) for body in kept] != ids:
                        fail(f"{case}: told again {when}, {_told(happened)} gives other ids")

    def test_steps_hold_no_secret(self) -> None:
        """No state and no reason holds a secret of the settings: both are stored and shown."""
        secrets = secrets_of(self.cases.settings)
        for case in self._streams():
            for _, _, step in self._walk(case):
                told = f"{step.state.to_json()} {step.stop}"
                if any(secret in told for secret in secrets):
                    fail(f"{case}: a state or a reason holds a secret")

    # inside

    def _streams(self) -> list[Stream]:
        return list(self.cases.streams) or pytest.skip("it has no stream")

    def _first(self, case: Stream) -> Any:
        return self.connector.stream_state.model_validate(case.stream.state)

    def _states(self) -> list[Any]:
        """Every state that the cases reach, each once, and not too many."""
        found = {}
        for case in self._streams():
            for state, _, step in self._walk(case):
                found[state.to_json()] = state
                found[step.state.to_json()] = step.state
        return list(some(list(found.values()), 12, self.connector.name))

    def _walk(self, case: Stream) -> Iterator[tuple[Any, Happening, Step]]:
        connector, state = self.make(), self._first(case)
        for expected in case.steps:
            step = self._stepped(connector, state, expected.happening, str(case))
            yield state, expected.happening, step
            state = step.state

    def _begun_anew(self, connector: Any, state: Any) -> Any:
        for happened in (Closed(), Opened()):
            state = connector.step(state, happened).state if state is not None else None
        return state

    def _stepped(self, connector: Any, state: Any, happened: Happening, told: str) -> Step:
        try:
            step = connector.step(state, happened)
        except Exception as error:
            fail(f"{told}: step raised {raised(error)[:300]}; whatever a frame holds is an answer, not an error")
        if not isinstance(step, Step) or not isinstance(step.state, self.connector.stream_state):
            fail(f"{told}: step gave {step!r:.200}; give a Step with a {self.connector.stream_state.__name__}")
        for name, kind in (("keep", bytes), ("say", str), ("after", str)):
            if not all(isinstance(one, kind) for one in getattr(step, name)):
                fail(f"{told}: `{name}` holds {kind.__name__} only")
        for body in step.keep:
            _ids(connector, body)
        return step

    def _dials(self, case: Stream) -> None:
        ended, dial = self._play(case)
        if not ended:
            return
        if not isinstance(dial, Dial) or case.dial is None:
            fail(f"{case}: dialling gave {shown(dial)!r:.200}; give a Dial")
        wanted = case.dial.model_dump()
        given = {name.lower(): value for name, value in dial.headers}
        said = {
            "url": dial.url,
            "protocol": dial.protocol,
            "headers": {n: given.get(n.lower()) for n in wanted["headers"]},
        }
        if wanted != said:
            fail(f"{case}: it dials otherwise:\n{difference(wanted, said)}")


def _expected(step: StreamStep) -> Comparable:
    wanted = step.model_dump(exclude={"on", "events", "state"})
    return {**wanted, **{name: list(wanted[name]) for name in ("keep", "say", "after")}, "state": step.state}


def _said(step: Step, expected: StreamStep) -> Comparable:
    """The step in the form of what is expected, JSON where that is JSON."""
    said: Comparable = {one.name: getattr(step, one.name) for one in fields(Step)}
    for name in ("keep", "say", "after"):
        wanted: tuple[Any, ...] = getattr(expected, name)
        said[name] = [_like(one, wanted[at] if at < len(wanted) else "") for at, one in enumerate(said[name])]
    whole = step.state.model_dump(mode="json")
    said["state"] = {name: whole.get(name) for name in expected.state}
    return said


def _like(said: str | bytes, wanted: str | Mapping[str, Any]) -> Any:
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    if isinstance(wanted, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _payload(body: bytes) -> Payload:
    return Payload(source="stream", method="", body=body, received_at=NOW)


def _ids(connector: Any, body: bytes) -> list[str] | None:
    try:
        return [event.id for event in connector.parse(_payload(body))]
    except MalformedPayload:
        return None
    except Exception as error:
        fail(f"parse raised {raised(error)[:300]} for a payload that was kept: {body[:200]!r}")


def _keys(step: StreamStep) -> set[str]:
    happened = step.happening
    return keys_of(_bytes(happened.data)) if isinstance(happened, Frame) else set()


def _bytes(data: str | bytes) -> bytes:
    return data.encode("utf-8", "replace") if isinstance(data, str) else data


def _told(happened: Happening) -> str:
    return f"the frame {happened.data[:120]!r}" if isinstance(happened, Frame) else repr(happened)
