"""Who is one customer with whom: a pure function of the set of evidence, never of its order of arrival."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from socialsupport_core.store.identity import Evidence, Node

TIERS = ("human", "verified", "asserted", "claimed")
"""From the strongest. `cannot` is apart: it forbids."""
MERGING = frozenset({"human", "verified"})
"""The tiers that join by themselves; the others only suggest."""
CAP = 32  # nodes of one customer, above which only a person joins


@dataclass(frozen=True, slots=True)
class Refused:
    """Evidence that did not join, and the rule that refused it."""

    evidence: Evidence
    rule: str


@dataclass(frozen=True, slots=True)
class Partition:
    """`customer` maps every node to the canonical node of its customer."""

    customer: Mapping[int, int]
    joined: tuple[Evidence, ...]
    refused: tuple[Refused, ...]


def partition(nodes: Mapping[int, Node], evidence: Iterable[Evidence]) -> Partition:
    """Joins in canonical order (tier, event time, content), skipping every union that a constraint forbids."""
    live = [one for one in evidence if one.retracted_by is None]
    forbidden = _forbidden(live)
    groups = _Groups(nodes)
    joined, refused = [], []
    for one in sorted((one for one in live if one.tier != "cannot"), key=lambda e: _order(nodes, e)):
        rule = _objection(groups, forbidden, one)
        if rule is None:
            groups.join(one.a, one.b)
            joined.append(one)
        else:
            refused.append(Refused(one, rule))
    return Partition(groups.canonical(), tuple(joined), tuple(refused))


def _order(nodes: Mapping[int, Node], one: Evidence) -> tuple[int, int, str, str]:
    a, b = sorted((str(nodes[one.a].identifier), str(nodes[one.b].identifier)))
    return TIERS.index(one.tier), one.at, f"{a}\0{b}", one.digest


def _forbidden(live: Iterable[Evidence]) -> set[frozenset[int]]:
    """Of two human verdicts on a pair the later counts; on a tie the split."""
    latest: dict[frozenset[int], tuple[int, bool]] = {}
    for one in live:
        if one.tier in {"human", "cannot"}:
            pair = frozenset((one.a, one.b))
            latest[pair] = max(latest.get(pair, (one.at, False)), (one.at, one.tier == "cannot"))
    return {pair for pair, (_, cannot) in latest.items() if cannot}


def _objection(groups: "_Groups", forbidden: set[frozenset[int]], one: Evidence) -> str | None:
    if one.tier not in MERGING:
        return f"{one.tier} evidence suggests, it never joins"
    left, right = groups.of(one.a), groups.of(one.b)
    if left is right:
        return None
    if any(frozenset((a, b)) in forbidden for a in left for b in right):
        return "an agent has said that these are different people"
    if clash := groups.clash(left, right):
        return f"one customer has one {clash}"
    if len(left) + len(right) > CAP and one.tier != "human":
        return f"more than {CAP} accounts: a person decides"
    return None


class _Groups:
    def __init__(self, nodes: Mapping[int, Node]) -> None:
        self._nodes = nodes
        self._group = {number: {number} for number in nodes}

    def of(self, node: int) -> set[int]:
        return self._group[node]

    def join(self, a: int, b: int) -> None:
        left, right = self._group[a], self._group[b]
        if left is not right:
            left |= right
            for node in right:
                self._group[node] = left

    def clash(self, left: set[int], right: set[int]) -> str | None:
        """The exclusive kind of which both sides have one, and a different one."""
        kinds = self._exclusive(left).keys() & self._exclusive(right).keys()
        return min(kinds, default=None)

    def _exclusive(self, group: set[int]) -> dict[str, str]:
        found = (self._nodes[node].identifier for node in group)
        return {f"{i.kind}@{i.scope or ''}".rstrip("@"): i.value for i in found if is_exclusive(i.kind)}

    def canonical(self) -> dict[int, int]:
        return {node: min(group, key=self._seniority) for node, group in self._group.items()}

    def _seniority(self, number: int) -> tuple[int, str]:
        node = self._nodes[number]
        return node.first_seen, str(node.identifier)


def is_exclusive(kind: str) -> bool:
    """A customer has one record in one CRM."""
    return kind.startswith("crm.")
