"""What hangs together, found from a few nodes outward, and how it falls into customers.

`Sight` is how nodes are seen: in the store, or in memory. The walk goes only where evidence may join, so it ends at
whatever is shared, and at more than `component` accounts it begins again by proof alone.
"""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from socialsupport_core.identity.groups import Groups, Rule, Slots
from socialsupport_core.identity.namesakes import value_of
from socialsupport_core.identity.policy import VERIFIED, Policy
from socialsupport_core.identity.sharing import Edge, Stop, View, edges, sightings, view
from socialsupport_core.store.evidence import Hood, Tie
from socialsupport_core.store.nodes import Node

Key = tuple[int, int]
"""An identifier's first node, and which of its times."""


class Sight(Protocol):
    policy: Policy

    def hood(self, number: int) -> Hood: ...

    def people_at(self, number: int) -> Iterable[Tie]: ...

    def node(self, number: int) -> Node: ...


class Refusal(NamedTuple):
    """A reason that did not join, and the rule that refused it."""

    edge: Edge
    rule: Rule


@dataclass(slots=True)
class Found:
    """What hangs together, and the reasons in it. `stopped` lead out of it, or to something shared."""

    keys: set[Key] = field(default_factory=set)
    edges: set[Edge] = field(default_factory=set)
    stopped: list[Refusal] = field(default_factory=list)
    large: bool = False
    """There is more of it than may join without proof."""


@dataclass(frozen=True, slots=True)
class Folded:
    """`heads` gives each vertex the canonical one of its customer."""

    heads: dict[Key, Key]
    joined: list[Edge]
    tree: list[Edge]
    """Those of `joined` that brought two sides together: between any two of them its way is the strongest there is."""
    refused: list[Refusal]
    disputed: set[Key] = field(default_factory=set)
    """Of telephones: those that people have in common who are told apart."""


class Walker:
    """Remembers what it has seen of each node."""

    def __init__(self, sight: Sight) -> None:
        self.sight = sight
        self._views: dict[int, View] = {}
        self._edges: dict[int, list[tuple[Edge, Rule | None]]] = {}
        self._large: set[Key] = set()
        self._needs_proof = Rule("component", str(sight.policy.component))
        self.policy = sight.policy

    def view(self, number: int) -> View:
        found = self._views.get(number)
        if found is None:
            identifier = self.sight.node(number).identifier
            found = self._views[number] = view(identifier, self.sight.hood(number), self.policy)
        return found

    def hood(self, number: int) -> Hood:
        return self.sight.hood(number)

    def stop(self, key: Key) -> Stop:
        return self.view(key[0]).stops[key[1]]

    def keys(self, number: int) -> Iterator[Key]:
        return ((number, epoch) for epoch in range(len(self.view(number).stops)))

    def edges(self, number: int) -> list[tuple[Edge, Rule | None]]:
        """What a node's ties offer, each with the rule that stops it there and then."""
        found = self._edges.get(number)
        if found is None:
            found = self._edges[number] = list(self._offered(number))
        return found

    def _offered(self, number: int) -> Iterator[tuple[Edge, Rule | None]]:
        hood, name = self.sight.hood(number), str(self.sight.node(number).identifier)
        ties = self.sight.people_at(number) if hood.hub else hood.ties.values()
        for tie in ties:
            if tie.other < 0 or not tie.joins:
                continue
            names = (name, str(self.sight.node(tie.other).identifier))
            late = self._is_weak(number) or self._is_weak(tie.other)
            for edge in edges(number, tie, self.view(number), self.view(tie.other), names, late):
                yield edge, Rule("apart") if tie.apart else self._stopped(edge)

    def _is_weak(self, number: int) -> bool:
        return self.sight.node(number).identifier.kind in self.policy.told_apart_by

    def _stopped(self, edge: Edge) -> Rule | None:
        if edge.rank > self.policy.weakest:
            return Rule("tier")
        for key in (edge.a, edge.b):
            stop = self.stop(key)
            if edge.rank >= stop.rank:
                return Rule(stop.rule, f"{self.sight.node(key[0]).identifier}: {stop.detail}")
        return None

    def apart(self, number: int) -> set[int]:
        return {tie.other for tie in self.sight.hood(number).ties.values() if tie.apart}

    # what hangs together

    def component(self, start: Key) -> Found:
        """Everything that may be one with `start`; by proof alone if that is too much."""
        found = self._walk(start, self.policy.weakest, self.policy.component)
        if found is None:
            found = self._walk(start, VERIFIED, None)
            assert found is not None
            found.large = True
        return found

    def _walk(self, start: Key, weakest: int, most: int | None) -> Found | None:
        found, waiting = Found({start}), [start]
        if most is not None and start in self._large:
            return None
        while waiting:
            key = waiting.pop()
            for edge, rule in self.edges(key[0]):
                if key not in (edge.a, edge.b):
                    continue
                stopped = rule or (self._needs_proof if edge.rank > weakest else None)
                if stopped is not None:
                    found.stopped.append(Refusal(edge, stopped))
                    continue
                found.edges.add(edge)
                other = edge.b if edge.a == key else edge.a
                if other not in found.keys:
                    found.keys.add(other)
                    waiting.append(other)
                    if most is not None and (len(found.keys) > most or other in self._large):
                        self._large |= found.keys
                        return None
        return found

    # how it falls into customers

    def fold(self, found: Found) -> Folded:
        order = sorted(found.keys)
        index = {key: at for at, key in enumerate(order)}
        slots = Slots(self.policy)
        slot = [slots.number(self.sight.node(key[0]).slot) for key in order]
        own = _Own(self, order, slot, slots)
        groups = Groups(slot, slots, self.policy, own, self._apart(order), lambda at: self._seen(order[at], index))
        folded = Folded({}, [], [], [])
        weighed = 0
        for edge in sorted(found.edges):
            a, b = index[edge.a], index[edge.b]
            if edge.late and edge.rank != weighed:
                weighed = edge.rank
                groups.weigh(_around(groups, found.edges, index, weighed))
            is_new = groups.root(a) != groups.root(b)
            if rule := groups.join(edge.rank, a, b):
                folded.refused.append(Refusal(edge, rule))
                continue
            folded.joined.append(edge)
            if is_new:
                folded.tree.append(edge)
        heads: dict[int, Key] = {}
        for key in sorted(order, key=self.seniority):
            heads.setdefault(groups.root(index[key]), key)
        folded.heads.update((key, heads[groups.root(at)]) for key, at in index.items())
        folded.disputed.update(key for key, at in index.items() if groups.is_disputed(at))
        return folded

    def _seen(self, key: Key, index: dict[Key, int]) -> Iterator[tuple[int, int]]:
        ties = self.sight.hood(key[0]).ties.values()
        for other, at in sightings(ties, self.view(key[0]), key[1], self.policy):
            found = index.get((other, self.view(other).epoch(at)))
            if found is not None:
                yield found, at

    def _apart(self, order: list[Key]) -> dict[int, list[int]]:
        places: dict[int, list[int]] = {}
        for at, key in enumerate(order):
            places.setdefault(key[0], []).append(at)
        found = {}
        for number, mine in places.items():
            others = [at for other in self.apart(number) for at in places.get(other, ())]
            for at in mine if others else ():
                found[at] = others
        return found

    def seniority(self, key: Key) -> tuple[int, bool, str]:
        """Whoever was seen first bears the id; at one moment rather an account than a contact point."""
        node, cuts = self.sight.node(key[0]), self.view(key[0]).cuts
        first = cuts[key[1] - 1] if key[1] else node.first_seen
        return first, self.policy.is_contact(node.identifier.kind), str(node.identifier)


def _around(
    groups: Groups, found: Iterable[Edge], index: dict[Key, int], rank: int
) -> Iterable[tuple[int, Iterable[int]]]:
    """Each that may be in common, with all who have it by reasons of this rank or stronger."""
    around: dict[int, set[int]] = {}
    for edge in found:
        a, b = index[edge.a], index[edge.b]
        for one, other in ((a, b), (b, a)) if edge.rank <= rank else ():
            if groups.is_weak(one):
                around.setdefault(one, set()).add(other)
    return around.items()


class _Own:
    """The values of an anchoring kind that each vertex has for its own."""

    def __init__(self, walker: Walker, order: list[Key], slot: list[int], slots: Slots) -> None:
        self._walker, self._order, self._slot, self._slots = walker, order, slot, slots

    def __call__(self, vertex: int, kind: int, without: int) -> Iterator[Hashable]:
        key, bare = self._order[vertex], self._order[without][0]
        number = self._slot[vertex]
        if self._slots.anchors[number] == kind and key[0] != bare and self._walker.stop(key).rank > VERIFIED:
            yield self._value(key)
        # what others have whose telephone this is, is not the telephone's
        for edge, rule in () if self._slots.told_apart[number] else self._walker.edges(key[0]):
            if rule is None and key in (edge.a, edge.b):
                other = edge.b if edge.a == key else edge.a
                if other[0] != bare and self._anchor(other) == kind:
                    yield self._value(other)

    def _anchor(self, key: Key) -> int:
        number = self._slots.number(self._walker.sight.node(key[0]).slot)
        return self._slots.anchors[number]

    def _value(self, key: Key) -> Hashable:
        """Whether or not it is part of what is folded."""
        return value_of(self._walker.sight.node(key[0]).identifier, key)
