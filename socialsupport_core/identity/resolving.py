"""The partition kept up on the store: what new evidence touches is worked out anew, and nothing else."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from socialsupport_core.identity.components import Folded, Found, Key, Walker
from socialsupport_core.identity.policy import Policy, policy_of
from socialsupport_core.store import Tx, epochs, log, nodes
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence, Hood, Tie
from socialsupport_core.store.nodes import Node


class Stored:
    """Nodes as the store has them, or, of those in `before`, as it had them."""

    def __init__(self, tx: Tx, tenant: str, before: Mapping[int, Hood] | None = None) -> None:
        self.tx, self.tenant = tx, tenant
        self.policy: Policy = policy_of(tx, tenant)
        self._before = before or {}

    def hood(self, number: int) -> Hood:
        return self._before.get(number) or reasons.hood(self.tx, self.tenant, number)

    def people_at(self, number: int) -> list[Tie]:
        if number in self._before:
            return [tie for tie in self._before[number].ties.values() if tie.human is not None]
        return reasons.people_at(self.tx, self.tenant, number)

    def node(self, number: int) -> Node:
        return nodes.by_number(self.tx, number)


@dataclass(frozen=True, slots=True)
class Change:
    """What has changed about some nodes: how they stood before."""

    before: Mapping[int, Hood]

    @classmethod
    def of(cls, tx: Tx, tenant: str, numbers: Iterable[int]) -> "Change":
        return cls({number: reasons.hood(tx, tenant, number) for number in numbers})


def resolve(
    tx: Tx, tenant: str, change: Change, *, cause: str, why: Evidence | None = None, fresh: Collection[int] = ()
) -> None:
    """Brings the customers in line with the evidence; publishes `customer.changed` for each change.

    Of `fresh` accounts nobody has heard yet: that they are one from the beginning is no change.
    """
    now = Walker(Stored(tx, tenant))
    then = Walker(Stored(tx, tenant, change.before))
    for number in change.before:
        if now.view(number).cuts != then.view(number).cuts:
            epochs.change_hands(tx, tenant, nodes.by_number(tx, number), now.view(number).cuts)
    seeds = _seeds(now, then, change)
    found = _found(now, then, seeds)
    folds = [now.fold(one) for one in found]
    _settle(tx, tenant, now, folds, cause, why, fresh)


def rebuild(tx: Tx, tenant: str) -> int:
    """Works out everything anew, as after a change of the policy; how many accounts have another customer now."""
    walker = Walker(Stored(tx, tenant))
    sql = "SELECT node FROM nodes WHERE tenant = ? AND since = 0 ORDER BY node"
    numbers = [row["node"] for row in tx.all(sql, tenant)]
    for number in numbers:
        if walker.view(number).cuts:
            epochs.change_hands(tx, tenant, walker.sight.node(number), walker.view(number).cuts)
    for number in _handed_on(tx, tenant):
        epochs.change_hands(tx, tenant, walker.sight.node(number), walker.view(number).cuts)
    folds, seen = [], set[Key]()
    for key in (key for number in numbers for key in walker.keys(number)):
        if key not in seen:
            found = walker.component(key)
            seen |= found.keys
            folds.append(walker.fold(found))
    return _settle(tx, tenant, walker, folds, "merged", None)


def _handed_on(tx: Tx, tenant: str) -> list[int]:
    """Identifiers that have nodes of later times."""
    sql = "SELECT DISTINCT base FROM nodes WHERE tenant = ? AND base IS NOT NULL ORDER BY base"
    return [row["base"] for row in tx.all(sql, tenant)]


def _seeds(now: Walker, then: Walker, change: Change) -> list[Key]:
    """The touched nodes, and all that surround one whose view has changed."""
    numbers = dict.fromkeys(change.before)
    for number, hood in change.before.items():
        if now.view(number) != then.view(number):
            mine = reasons.EMPTY if hood.hub else hood
            new = now.hood(number)
            for ties in (mine.ties, {} if new.hub else new.ties):
                numbers.update(dict.fromkeys(other for other in ties if other >= 0))
    return [key for number in numbers for key in now.keys(number)]


def _found(now: Walker, then: Walker, seeds: Sequence[Key]) -> list[Found]:
    found: list[Found] = []
    seen: set[Key] = set()
    waiting = list(seeds)
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        one = now.component(key)
        seen |= one.keys
        found.append(one)
        for seed in one.keys & set(seeds) if one.large else ():
            waiting += _were_small(now, then, seed)
    return found


def _were_small(now: Walker, then: Walker, key: Key) -> list[Key]:
    """Those who hung together with it before there were too many: none of their weaker evidence joins any more."""
    if key[1] >= len(then.view(key[0]).stops):
        return []
    before = then.component(key)
    return [] if before.large else [one for one in before.keys if one[1] < len(now.view(one[0]).stops)]


def _settle(
    tx: Tx,
    tenant: str,
    now: Walker,
    folds: Iterable[Folded],
    cause: str,
    why: Evidence | None,
    fresh: Collection[int] = (),
) -> int:
    changed: dict[tuple[int, int], list[Node]] = {}
    for folded in folds:
        for key, head in folded.heads.items():
            node, customer = _node(tx, tenant, now, key), _node(tx, tenant, now, head).number
            if node.customer != customer:
                changed.setdefault((node.customer, customer), []).append(node)
    for (_, customer), moved in changed.items():
        for node in moved:
            nodes.set_customer(tx, tenant, node, customer)
    for (old, new), moved in sorted(changed.items()):
        if old in fresh and new in fresh:
            continue
        _publish(tx, tenant, old, new, moved, cause, why)
    return sum(map(len, changed.values()))


def _node(tx: Tx, tenant: str, walker: Walker, key: Key) -> Node:
    base = nodes.by_number(tx, key[0])
    if not key[1]:
        return base
    since = walker.view(key[0]).cuts[key[1] - 1]
    return epochs.since(tx, tenant, base, since)


def _publish(tx: Tx, tenant: str, old: int, new: int, moved: list[Node], cause: str, why: Evidence | None) -> None:
    known = nodes.by_numbers(tx, (old, new))
    data = {
        "old": known[old].id,
        "new": known[new].id,
        "accounts": [str(node.identifier) for node in sorted(moved, key=lambda node: str(node.identifier))],
        "cause": cause,
    }
    if why is not None:
        data |= {"proof": why.proof, "tier": why.tier, "agent": why.agent or ""}
    at = max(node.first_seen for node in moved) if why is None else why.at
    log.publish(tx, tenant, "customer.changed", at, data)
