"""Whatever is changed of what proves who sent a webhook, at the doors of all installed plugins.

Forgeries are made of the golden payloads that ship with each connector and CRM adapter: bits flipped, characters
exchanged, cut, grown, doubled, put together from two payloads. Of a payload whose body is not signed, only the headers
that prove its sender are changed.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from socialsupport_core.contract import Connector, Registry, SignatureError
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload
from socialsupport_core.testing.loading import Cases, load_cases, load_crm_cases
from socialsupport_core.testing.torture.auditor import Finding, Witness
from socialsupport_core.testing.torture.fault import CannotRun, Fault
from socialsupport_core.testing.torture.site import Site
from socialsupport_core.testing.torture.story import Story

FORGERIES = 500
"""Of each plugin, in one try."""


@dataclass(frozen=True)
class Proven:
    """A payload that the network has sent, and what of it proves that."""

    payload: Payload
    headers: tuple[str, ...]
    is_signed: bool
    """Its body is proven, too."""

    def with_header(self, name: str, *values: str) -> Payload:
        others = tuple(item for item in self.payload.headers if item[0] != name)
        return self.payload.model_copy(update={"headers": (*((name, value) for value in values), *others)})

    def with_body(self, body: bytes) -> Payload:
        return self.payload.model_copy(update={"body": body})


@dataclass(frozen=True)
class Gate:
    """One plugin's `verify`, and what passes it."""

    name: str
    refuses: Callable[[Payload], bool]
    proven: Sequence[Proven]

    @cached_property
    def genuine(self) -> frozenset["Said"]:
        return frozenset(_said(one.payload) for one in self.proven)

    def trouble(self, chance: random.Random) -> str | None:
        """Tries one forgery, and says what is wrong if it is not refused as it should be."""
        one, other = chance.choice(self.proven), chance.choice(self.proven)
        way, forged = _forged(one, other, chance)
        if _said(forged) in self.genuine:
            return None
        try:
            return None if self.refuses(forged) else f"lets in what is forged: {way}: {forged!r}"
        except Exception as error:
            return f"raises {type(error).__name__} at what is forged: {way}: {forged!r}"


class Proofs(Fault):
    name = "proofs"
    promise = "every installed plugin refuses a webhook of which anything that proves its sender was changed"
    quick = 2
    stores = frozenset({"sqlite"})

    @cached_property
    def gates(self) -> list[Gate]:
        registry = Registry.discover()
        made = [_gate(kind) for kind in (*registry.connectors.values(), *registry.crms.values())]
        return [gate for gate in made if gate.proven]

    def hurt(self, site: Site, seed: int, chance: random.Random) -> Witness:
        if not self.gates:
            raise CannotRun("no plugin is installed whose webhooks prove who sent them")
        found = [(gate.name, gate.trouble(chance)) for gate in self.gates for _ in range(FORGERIES)]
        wrong = [Finding("wrong", f"{name} {trouble}") for name, trouble in found if trouble]
        return Witness(Story(()), hurts=len(found), findings=wrong)

    @contextmanager
    def recovered(self, site: Site, witness: Witness) -> Iterator[Hub]:
        """No hub was hurt."""
        with site.hub() as hub:
            yield hub

    def audit(self, hub: Hub, site: Site, witness: Witness) -> list[Finding]:
        return witness.findings


_ESCAPED = re.compile(rb"%[0-9A-Fa-f]{2}")
Said = tuple[str, bytes, frozenset[tuple[str, str]]]


def _said(payload: Payload) -> Said:
    """Two that are the same in this say the same, however their headers are ordered. Of a form some networks sign the
    fields, and there `%2b` is `%2B` (RFC 3986, 6.2.2.1)."""
    body = _ESCAPED.sub(lambda found: found[0].upper(), payload.body)
    return payload.url, body, frozenset((name.lower(), value) for name, value in payload.headers)


def _gate(kind: type[Any]) -> Gate:
    cases: Cases = load_cases(kind) if issubclass(kind, Connector) else load_crm_cases(kind)
    plugin = kind(cases.settings, cases.facts)

    def refuses(payload: Payload) -> bool:
        try:
            plugin.verify(payload)
        except SignatureError:
            return True
        return False

    webhooks = [case for case in cases.inbound if case.payload.source == "webhook" and case.payload.method != "GET"]
    proven = [_proven(case.payload.payload, refuses) for case in webhooks if not refuses(case.payload.payload)]
    return Gate(kind.name, refuses, [one for one in proven if one.headers])


def _proven(payload: Payload, refuses: Callable[[Payload], bool]) -> Proven:
    """Which headers decide, and whether the body does, is tried."""
    bare = Proven(payload, (), is_signed=False)
    deciding = tuple(name for name, _ in payload.headers if refuses(bare.with_header(name)))
    return Proven(payload, deciding, is_signed=refuses(bare.with_body(payload.body + b" ")))


def _forged(one: Proven, other: Proven, chance: random.Random) -> tuple[str, Payload]:
    """In which way, and the forgery."""
    if one.is_signed and chance.random() < 0.5:
        way = chance.choice(list(BODIES))
        return f"its body {way}", one.with_body(BODIES[way](one.payload.body, other.payload.body, chance))
    name = chance.choice(one.headers)
    value, theirs = one.payload.header(name) or "", other.payload.header(name) or ""
    if one.is_signed and other.payload.body != one.payload.body and chance.random() < 0.1:
        return f"its {name} with another's body", one.with_body(other.payload.body)
    way = chance.choice(list(VALUES))
    return f"its {name} {way}", one.with_header(name, *VALUES[way](value, theirs, chance))


def _flipped(content: bytes, chance: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8)) if changed else 0):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _place(content: bytes | str, chance: random.Random) -> int:
    return chance.randrange(len(content) + 1)


def _exchanged(value: str, chance: random.Random) -> str:
    """One character by another of its own."""
    if not value:
        return "0"
    at = chance.randrange(len(value))
    return value[:at] + chance.choice(value) + value[at + 1 :]


BODIES: dict[str, Callable[[bytes, bytes, random.Random], bytes]] = {
    "with bits flipped": lambda body, _, chance: _flipped(body, chance),
    "cut": lambda body, _, chance: body[: _place(body, chance)],
    "without its beginning": lambda body, _, chance: body[_place(body, chance) :],
    "grown": lambda body, _, chance: body + chance.randbytes(chance.randint(1, 9)),
    "with something in it": lambda body, _, chance: body[: (at := _place(body, chance))] + b" " + body[at:],
    "twice": lambda body, *_: body * 2,
    "and another's": lambda body, other, _: body + other,
    "made up": lambda *given: given[-1].randbytes(given[-1].randrange(64)),
}  # fmt: skip
VALUES: dict[str, Callable[[str, str, random.Random], tuple[str, ...]]] = {
    "with bits flipped": lambda value, _, chance: (_flipped(value.encode(), chance).decode("latin-1"),),
    "with a character exchanged": lambda value, _, chance: (_exchanged(value, chance),),
    "cut": lambda value, _, chance: (value[: _place(value, chance)],),
    "grown": lambda value, _, chance: (value + chance.choice("0=, af\t\x00é"),),
    "twice, the false one first": lambda value, _, chance: (_exchanged(value, chance), value),
    "missing": lambda *_: (),
    "at random": lambda value, _, chance: (chance.randbytes(len(value) // 2).hex(),),
    "in other case": lambda value, *_: (value.swapcase(),),
}  # fmt: skip
