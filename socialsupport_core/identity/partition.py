"""Who is one customer with whom: a pure function of the set of evidence, never of its order of arrival.

The store works it out for what hangs together (`resolving`); here it is done for everything at once, from nothing but
nodes and evidence. Both walk and fold with the same code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from socialsupport_core.identity.components import Folded, Key, Walker
from socialsupport_core.identity.groups import Rule
from socialsupport_core.identity.policy import CLAIMED, DEFAULT, RANK, TIERS, Policy
from socialsupport_core.store.evidence import HUB, Evidence, Hood, Tie, tied
from socialsupport_core.store.nodes import Node

__all__ = ["CAP", "TIERS", "Partition", "Refused", "is_exclusive", "partition"]
CAP = DEFAULT.cap
Ghosts = Mapping[int, Iterable[Tie]]
"""By node, its ties with others that have been erased."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Evidence that did not join, and the rule that refused it."""

    evidence: Evidence
    rule: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Partition:
    """`customer` maps every node to the canonical node of its customer."""

    customer: Mapping[int, int]
    joined: tuple[Evidence, ...]
    refused: tuple[Refused, ...]
    shared: frozenset[int] = frozenset()
    """Contact points that are shared, and joined to nobody."""


class Memory:
    """Nodes and evidence, all at hand."""

    def __init__(
        self, nodes: Mapping[int, Node], evidence: Iterable[Evidence], policy: Policy, ghosts: Ghosts | None = None
    ) -> None:
        self.policy = policy
        self.nodes = nodes
        pairs: dict[tuple[int, int], dict[str, Evidence]] = {}
        for one in evidence:
            known = pairs.setdefault((min(one.a, one.b), max(one.a, one.b)), {})
            if one.digest not in known or one.at < known[one.digest].at:
                known[one.digest] = one
        self._hoods: dict[int, Hood] = {}
        self._fill(pairs, ghosts or {})

    def _fill(self, pairs: Mapping[tuple[int, int], Mapping[str, Evidence]], ghosts: Ghosts) -> None:
        ties: dict[int, dict[int, Tie]] = {node: {tie.other: tie for tie in erased} for node, erased in ghosts.items()}
        closed: dict[int, tuple[int, ...]] = {}
        for (a, b), found in pairs.items():
            if a == b:
                live = (one for one in found.values() if one.tier == "closed" and one.retracted_by is None)
                closed[a] = tuple(sorted({one.at for one in live}))
                continue
            for node, other in ((a, b), (b, a)):
                if tie := tied(found.values(), other, self.nodes[other].slot):
                    ties.setdefault(node, {})[other] = tie
        for node in ties.keys() | closed.keys():
            mine = ties.get(node, {})
            self._hoods[node] = Hood(mine, len(mine) > HUB, closed.get(node, ()))

    def hood(self, number: int) -> Hood:
        return self._hoods.get(number, Hood())

    def people_at(self, number: int) -> list[Tie]:
        return [tie for tie in self.hood(number).ties.values() if tie.human is not None]

    def node(self, number: int) -> Node:
        return self.nodes[number]


def partition(
    nodes: Mapping[int, Node], evidence: Iterable[Evidence], policy: Policy = DEFAULT, ghosts: Ghosts | None = None
) -> Partition:
    """Joins in canonical order (tier, event time, key), skipping every union that a constraint forbids."""
    evidence = list(evidence)
    walker = Walker(Memory(nodes, evidence, policy, ghosts))
    folds = list(_folds(walker, (number for number, node in nodes.items() if not node.since)))
    numbers = _numbers(walker, nodes)
    customer = {numbers[key]: numbers[head] for folded in folds for key, head in folded.heads.items()}
    joined, refused = _told(walker, nodes, evidence, folds)
    lonely = {key for folded in folds for key in folded.heads if list(folded.heads.values()).count(key) == 1}
    disputed = {key for folded in folds for key in folded.disputed}
    shared = frozenset(numbers[key] for key in lonely if key in disputed or is_shared(walker, nodes, key))
    return Partition(customer, tuple(joined), tuple(refused), shared)


def is_shared(walker: Walker, nodes: Mapping[int, Node], key: Key) -> bool:
    """Whether a contact point that nobody is joined to is somebody's at all."""
    is_contact = walker.policy.is_contact(nodes[key[0]].identifier.kind)
    return is_contact and bool(walker.stop(key).rule)


def _folds(walker: Walker, numbers: Iterable[int]) -> Iterable[Folded]:
    seen: set[Key] = set()
    for number in numbers:
        for key in walker.keys(number):
            if key not in seen:
                found = walker.component(key)
                seen |= found.keys
                yield walker.fold(found)


def _numbers(walker: Walker, nodes: Mapping[int, Node]) -> dict[Key, int]:
    """Each vertex's own node; one that has none yet gets a number below 0."""
    later = {(node.base, node.since): number for number, node in nodes.items() if node.since}
    found = {}
    for number, node in nodes.items():
        if node.since:
            continue
        found[number, 0] = number
        for epoch, since in enumerate(walker.view(number).cuts, 1):
            found[number, epoch] = later.get((number, since), -(number * 1000 + epoch))
    return found


def _told(
    walker: Walker, nodes: Mapping[int, Node], evidence: Iterable[Evidence], folds: Iterable[Folded]
) -> tuple[list[Evidence], list[Refused]]:
    """What became of each piece of evidence."""
    rules: dict[tuple[int, Key, Key], Rule] = {}
    for folded in folds:
        rules |= {(edge.rank, edge.a, edge.b): rule for edge, rule in folded.refused}
    joined, refused = [], []
    for one in sorted(evidence, key=lambda e: (e.at, e.digest)):
        if one.tier in ("cannot", "closed") or one.retracted_by is not None:
            continue
        rule = _rule(walker, nodes, one, rules)
        if rule is None:
            joined.append(one)
        else:
            refused.append(Refused(one, words(rule, one.tier), rule.name))
    return joined, refused


def _rule(
    walker: Walker, nodes: Mapping[int, Node], one: Evidence, refused: Mapping[tuple[int, Key, Key], Rule]
) -> Rule | None:
    rank = RANK[one.tier]
    if rank >= CLAIMED:
        return Rule("tier")
    for edge, rule in walker.edges(one.a):
        mine = {edge.a[0], edge.b[0]} == {one.a, one.b} and edge.rank == rank
        if (
            mine
            and edge.a[1] == walker.view(edge.a[0]).epoch(one.at)
            and edge.b[1] == walker.view(edge.b[0]).epoch(one.at)
        ):
            return rule or refused.get((rank, edge.a, edge.b)) or _too_large(walker, edge.a, rank)
    return Rule("shared", f"{nodes[one.a].identifier}: too many others have it too")


def _too_large(walker: Walker, key: Key, rank: int) -> Rule | None:
    return Rule("component", str(walker.policy.component)) if rank > 1 and walker.component(key).large else None


WORDS = {
    "tier": "{tier} evidence suggests, it never joins",
    "apart": "an agent has said that these are different people",
    "exclusive": "one customer has one {detail}",
    "limit": "one customer has one account of {detail} unless it is proven",
    "told_apart": "what is their own ({detail}) tells them apart",
    "cap": "more than {detail} accounts: a person decides",
    "component": "more than {detail} accounts hang together by such evidence: only proof joins there",
    "shared": "it is shared: {detail}",
    "role": "it is shared: {detail}",
    "blocked": "it is shared: {detail}",
}
"""The rules, as `explain` tells them."""
REMEDIES = {
    "tier": "a proof, or an agent who links them",
    "apart": "an agent who takes the split back",
    "exclusive": "merging the two records in that system, or taking the evidence for one of them back",
    "limit": "a proof, or an agent who links them",
    "told_apart": "a proof of one address that both have, or an agent who links them",
    "cap": "an agent who links them",
    "component": "a proof, or an agent who links them",
    "shared": "a proof of something else that both have, fewer who have this, or an agent who links them",
    "role": "a proof of something else that both have, or an agent who links them",
    "blocked": "another policy, or an agent who links them",
}
"""What would change the answer, by rule."""


def words(rule: Rule, tier: str) -> str:
    return WORDS[rule.name].format(tier=tier, detail=rule.detail)


def is_exclusive(kind: str) -> bool:
    """A customer has one record in one CRM."""
    return DEFAULT.is_exclusive(kind)
