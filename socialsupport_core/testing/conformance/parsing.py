"""`parse` is total and pure: whatever comes, it gives events or MalformedPayload, and always the same."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import Event, Identifier, Payload, Reply
from socialsupport_core.testing.cases import Inbound
from socialsupport_core.testing.conformance.base import Base, OfConnector, fail
from socialsupport_core.testing.conformance.failures import some
from socialsupport_core.testing.conformance.mutation import (
    broken_bodies,
    is_fields,
    is_json,
    json_bytes,
    keys_of,
    mutants,
    with_unknown_fields,
)
from socialsupport_core.testing.problems import raised

EXAMPLES = settings(
    max_examples=50,
    derandomize=True,  # the same examples in every run
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)
A_MINUTE = timedelta(seconds=61)
MOST_MUTANTS = 1500
"""Mutated payloads per connector; of more, every n-th is taken."""
MOST_LINES = 600
"""The same for bodies that are neither JSON nor a form, such as mail: they take longer to read."""
SHARED = ("email", "phone", "activitypub")
"""Namespaces in which a value is the same account, whichever network tells of it."""
_OF_THE_DELIVERY = ("signature", "timestamp", "date", "retry", "attempt")
"""Words in the names of headers that differ from one delivery to the next."""


class Parsing(Base):
    def test_parse_is_total_on_bytes(self) -> None:
        """Arbitrary bytes give events or MalformedPayload, nothing else."""
        for case in self._kinds():
            self._reads_any(case, st.binary(max_size=300))
            for body in broken_bodies(case.payload.payload.body):
                read(self.make(), with_body(case, body))

    def test_what_is_cut_off_does_not_vanish(self) -> None:
        """Half of a golden payload in JSON ends in MalformedPayload, or gives an event: nothing is lost in silence."""
        for case in self._kinds():
            whole = case.payload.payload.body
            half = whole[: len(whole) // 2]
            if is_json(whole) and not is_json(half) and read(self.make(), with_body(case, half)) == []:
                fail(f"{case}: half of its body gives no event and no error, so nobody would ever learn of it; "
                     "raise MalformedPayload, and it stays in quarantine until it can be read")  # fmt: skip

    def test_parse_is_total_on_json(self) -> None:
        """Arbitrary JSON, also with the keys of the golden payloads, gives events or MalformedPayload."""
        names = sorted({key for case in self._readable() for key in keys_of(case.payload.payload.body)})
        for case in self._kinds():
            self._reads_any(case, any_json(names).map(json_bytes))

    def _reads_any(self, case: Inbound, bodies: st.SearchStrategy[bytes]) -> None:
        connector = self.make()

        @EXAMPLES
        @given(bodies)
        def reads(body: bytes) -> None:
            read(connector, with_body(case, body))

        reads()

    def test_parse_is_total_on_strange_fields(self) -> None:
        """Each field of the golden payloads in turn missing or strange gives events or MalformedPayload."""
        connector = self.make()
        for has_fields, most in ((True, MOST_MUTANTS), (False, MOST_LINES)):
            cases = [case for case in self._readable() if is_fields(case.payload.payload.body) == has_fields]
            changed = [(case, *mutant) for case in cases for mutant in mutants(case.payload.payload.body)]
            for case, change, body in some(changed, most, self.plugin.name):
                read(connector, with_body(case, body), f"{case}, {change}")

    def test_unknown_fields_change_nothing(self) -> None:
        """A field that nobody knows, at any level of the payload, changes no event."""
        connector = self.make()
        for case in self._readable():
            payload = case.payload.payload
            events = read(connector, payload)
            for place, body in with_unknown_fields(payload.body):
                if _known(read(connector, with_body(case, body))) != _known(events):
                    fail(f"{case}: an unknown field in {place} changes the events; read only what you know")

    def test_ids_are_stable(self) -> None:
        """Read again, later and under other delivery headers, a payload gives the same ids; each once."""
        for case in self._readable():
            payload = case.payload.payload
            ids = _ids(self.make(), payload)
            if len(set(ids)) < len(ids):
                fail(f"{case}: two events have the same id: {ids}")
            late = payload.model_copy(update={"received_at": payload.received_at + A_MINUTE})
            headers = tuple(item for item in payload.headers if not _of_the_delivery(item[0]))
            again = payload.model_copy(update={"headers": headers})
            for how, other in (("again", payload), ("a minute later", late), ("without delivery headers", again)):
                if _ids(self.make(), other) != ids:
                    fail(f"{case}: read {how}, it gives other ids; derive them from what the network names, only")

    def test_parse_is_pure(self) -> None:
        """The same payload gives the same events, also to a connector that has read others before."""
        used = self.make()
        for case in (*self._readable(), *self._readable()):
            if read(used, case.payload.payload) != read(self.make(), case.payload.payload):
                fail(f"{case}: parse depends on what was read before")

    def test_the_time_zone_of_the_machine_changes_nothing(self) -> None:
        """Read on a machine in another time zone, a payload gives the same events."""
        for case in self._readable():
            payload, connector = case.payload.payload, self.make()
            with _time_zone("Etc/GMT-14"):
                east = read(connector, payload)
            with _time_zone("Etc/GMT+12"):
                west = read(connector, payload)
            if east != west:
                fail(f"{case}: moments depend on this machine's time zone; say which zone a naive time is in")

    def _readable(self) -> list[Inbound]:
        found = [case for case in self.cases.inbound if case.events]
        return found or pytest.skip("no case is translated")

    def _kinds(self) -> list[Inbound]:
        """One case for each way in and content type."""
        kinds: dict[tuple[str, str | None], Inbound] = {}
        for case in self._readable():
            payload = case.payload.payload
            kinds.setdefault((payload.source, payload.header("content-type")), case)
        return list(kinds.values())


class Interactions(OfConnector):
    def test_accounts_are_in_the_networks_own_namespace(self) -> None:
        """Accounts are of the kind `phone`, `email` or one of the network's own, `NETWORK.THING`."""
        for case in self.cases.inbound:
            for event in read(self.make(), case.payload.payload) or () if case.is_genuine else ():
                for known in _accounts(event):
                    self._is_at_home(case, known)

    def _is_at_home(self, case: Inbound, known: Identifier) -> None:
        network = self.connector.name
        if known.kind == "email" and "@" not in known.value:
            fail(f"{case}: {known.value!r} is no e-mail address; an account of yours is of the kind {network}.…")
        if known.kind == "phone" and not re.fullmatch(r"\+?[\d ().-]{3,}", known.value):
            fail(f"{case}: {known.value!r} is no phone number; an account of yours is of the kind {network}.…")
        if known.kind.partition(".")[0] in {network, *SHARED}:
            return
        fail(f"{case}: an account is of the kind {known.kind!r}; name it {network}.user or the like, or whoever has "
             "the same value elsewhere is taken for the same person")  # fmt: skip

    def test_interactions_name_their_network(self) -> None:
        """Each interaction carries the connector's own name and hangs on an account."""
        for case in self.cases.inbound:
            for event in case.events or ():
                interaction = getattr(event, "interaction", None)
                if interaction and interaction.network != self.connector.name:
                    fail(f"{case}: the network is {interaction.network!r}, not {self.connector.name!r}")

    def test_echoes_are_flagged(self) -> None:
        """Our own messages are outbound and written by us; everybody else's are neither."""
        for case in self.cases.inbound:
            for event in read(self.make(), case.payload.payload) or () if case.is_genuine else ():
                interaction = getattr(event, "interaction", None)
                if interaction and interaction.author.is_self != (interaction.direction == "outbound"):
                    fail(f"{case}: {event.id} is {interaction.direction} by an author with "
                         f"is_self={interaction.author.is_self}; both say whether it is an echo")  # fmt: skip

    def test_every_payload_is_acknowledged(self) -> None:
        """`acknowledge` gives a reply to whatever has been let in; it raises nothing."""
        if not self.overrides("acknowledge"):
            pytest.skip("an empty 200 acknowledges everything: acknowledge is not overridden")
        connector = self.make()
        for case in self.genuine:
            body = case.payload.payload.body
            changed = some(list(mutants(body)), MOST_MUTANTS // len(self.genuine), case.name)
            broken = [(f"the body {one[:60]!r}", one) for one in broken_bodies(body)]
            for change, other in (("as it is", body), *broken, *changed):
                self._acknowledged(connector, case, change, other)

    def _acknowledged(self, connector: Any, case: Inbound, change: str, body: bytes) -> None:
        try:
            reply = connector.acknowledge(with_body(case, body))
        except Exception as error:
            fail(f"{case}, {change}: acknowledge raised {raised(error)}; the network would get an empty 200 "
                 "in place of the answer that it waits for")  # fmt: skip
        if not isinstance(reply, Reply):
            fail(f"{case}, {change}: acknowledge gave {reply!r}; give a Reply")


def _accounts(event: Event) -> list[Identifier]:
    """Of all who are named in it."""
    about = getattr(event, "interaction", event)
    parties = [getattr(about, name, None) for name in ("author", "counterpart", "party")]
    return [known for party in parties if party for known in party.identifiers]


def any_json(names: list[str]) -> st.SearchStrategy[object]:
    keys = st.text(max_size=8) | st.sampled_from(names) if names else st.text(max_size=8)
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5), max_leaves=20
    )


def with_body(case: Inbound, body: bytes) -> Payload:
    return case.payload.payload.model_copy(update={"body": body})


def read(connector: Any, payload: Payload, what: str = "") -> list[Event] | None:
    """The events; None for MalformedPayload; anything else is a failure."""
    told = what or f"the body {payload.body[:200]!r}"
    try:
        events = list(connector.parse(payload))
    except MalformedPayload:
        return None
    except Exception as error:
        fail(f"parse raised {raised(error)[:300]} for {told}; raise MalformedPayload instead")
    if not _has_half_a_pair(payload):
        for event in events:
            _rereads(event, told)
    return events


def _known(events: list[Event] | None) -> list[Event] | None:
    """What is not recognised may be named by its content, unknown fields included."""
    return events and [event for event in events if event.type != "unrecognised"]


def _has_half_a_pair(payload: Payload) -> bool:
    """JSON with half a surrogate pair, which `Payload.json` lets through.

    An event with it cannot be written; that is nothing that each connector should have to mend.
    """
    if b"\\ud" not in payload.body:
        return False
    try:
        written = json.dumps(payload.json(), ensure_ascii=False)
    except ValueError:
        return False
    return any("\ud800" <= letter <= "\udfff" for letter in written)


def _rereads(event: Event, told: str) -> None:
    try:
        same = type(event).model_validate_json(event.to_json()) == event
    except Exception as error:
        fail(f"parse gave an event that cannot be written and read back for {told}: {raised(error)[:300]}")
    if not same:
        fail(f"parse gave an event that reads back otherwise for {told}")


def _ids(connector: Any, payload: Payload) -> list[str]:
    return [event.id for event in read(connector, payload) or ()]


def _of_the_delivery(header: str) -> bool:
    return any(word in header.lower() for word in _OF_THE_DELIVERY)


@contextmanager
def _time_zone(name: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    _tell_libc()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        _tell_libc()


def _tell_libc() -> None:
    if hasattr(time, "tzset"):  # there is none on Windows
        time.tzset()
