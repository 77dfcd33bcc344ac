"""Why these accounts are one customer, in words and as data: the evidence, its weakest step, and what was refused."""

from collections.abc import Iterable
from typing import Any

from socialsupport_core.identity.components import Folded, Key, Refusal, Walker
from socialsupport_core.identity.groups import Rule
from socialsupport_core.identity.partition import REMEDIES, words
from socialsupport_core.identity.people import customer_of
from socialsupport_core.identity.policy import RANK, TIERS
from socialsupport_core.identity.resolving import Stored
from socialsupport_core.identity.sharing import Edge
from socialsupport_core.store import Tx, moment, nodes
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.nodes import Node

Shown = dict[str, Any]


def explain(tx: Tx, tenant: str, who: str) -> Shown:
    """`verdict` in a sentence, the `accounts`, `others` that nothing has joined to them, `evidence`, its `weakest`
    step, what was `refused` and by which rule, `forbidden` and `retracted`, and what `would_change` it. Of a node with
    very many neighbours only some are told."""
    customer = customer_of(tx, tenant, who)
    members = nodes.members(tx, tenant, customer.number)
    whole = _Whole(tx, tenant, members)
    refused, joined = whole.refused(), whole.joined()
    weakest = whole.weakest()
    return {
        "customer": customer.id,
        "verdict": _verdict(members, weakest),
        "aliases": sorted(node.id for node in members if node.id != customer.id),
        "accounts": [_account(tx, tenant, node) for node in members],
        "others": whole.others(),
        "evidence": joined,
        "weakest": weakest,
        "refused": refused,
        "forbidden": [whole.shown(one) for one in whole.evidence if one.tier == "cannot" and not one.retracted_by],
        "retracted": [whole.shown(one) | {"by": one.retracted_by} for one in whole.evidence if one.retracted_by],
        "would_change": _would_change(weakest, refused),
    }


class _Whole:
    """A customer's accounts, what hangs together with them, and what is known about them."""

    def __init__(self, tx: Tx, tenant: str, members: list[Node]) -> None:
        self._tx, self._tenant = tx, tenant
        self._walker = Walker(Stored(tx, tenant))
        self._inside = {self._key(node) for node in members}
        found = self._walker.component(self._key(members[0]))
        self._folded: Folded = self._walker.fold(found)
        self._stopped = [one for one in found.stopped if {one.edge.a, one.edge.b} & self._inside]
        self._bases = {node.base for node in members}
        self.evidence = self._evidence(self._bases)

    def _key(self, node: Node) -> Key:
        return node.base, self._walker.view(node.base).epoch(node.since) if node.since else 0

    def _evidence(self, bases: Iterable[int]) -> list[Evidence]:
        found = {one.digest: one for base in bases for one in reasons.evidence_at(self._tx, self._tenant, base)}
        return sorted(found.values(), key=lambda one: (one.at, one.digest))

    def others(self) -> list[Shown]:
        """Accounts that evidence names, and that are not the customer's."""
        named = nodes.by_numbers(self._tx, {end for one in self.evidence for end in (one.a, one.b)} - self._bases)
        return [_named(node) for _, node in sorted(named.items())]

    def joined(self) -> list[Shown]:
        edges = [edge for edge in self._folded.joined if edge.a in self._inside]
        return [self.shown(one) for one in self._behind(edges)]

    def _behind(self, edges: Iterable[Edge]) -> list[Evidence]:
        """The evidence of which an edge is made."""
        wanted = {(edge.rank, frozenset((edge.a, edge.b))) for edge in edges}
        return [one for one in self._live() if self._place(one) in wanted]

    def _live(self) -> list[Evidence]:
        return [one for one in self.evidence if not one.retracted_by and one.tier in RANK]

    def _place(self, one: Evidence) -> tuple[int, frozenset[Key]]:
        ends = frozenset((end, self._walker.view(end).epoch(one.at)) for end in (one.a, one.b))
        return RANK[one.tier], ends

    def refused(self) -> list[Shown]:
        against = [one for one in self._folded.refused if {one.edge.a, one.edge.b} & self._inside]
        told = [self._shown_refusal(one) for one in (*against, *self._stopped)]
        suggested = [one for one in self._live() if one.tier == "claimed"]
        told += [[self._with_rule(one, Rule("tier"))] for one in suggested]
        listed = [one for group in told for one in group]
        return list({(one["id"], one["code"]): one for one in listed}.values())

    def _shown_refusal(self, refusal: Refusal) -> list[Shown]:
        return [self._with_rule(one, refusal.rule) for one in self._behind([refusal.edge])]

    def _with_rule(self, one: Evidence, rule: Rule) -> Shown:
        told = {"rule": words(rule, one.tier), "code": rule.name, "remedy": REMEDIES[rule.name]}
        return self.shown(one) | told

    def weakest(self) -> Shown | None:
        """Of the strongest ways between the accounts."""
        steps = [edge for edge in self._folded.tree if edge.a in self._inside]
        if not steps:
            return None
        weakest = max(steps, key=lambda edge: (edge.rank, edge.at, edge.names))
        behind = self._behind([weakest])
        if behind:
            return self.shown(behind[0])
        return {"between": list(weakest.names), "tier": TIERS[weakest.rank], "at": time(weakest.at)}

    def shown(self, one: Evidence) -> Shown:
        ends = nodes.by_numbers(self._tx, (one.a, one.b))
        told: Shown = {
            "id": one.digest,
            "between": [str(ends[one.a].identifier), str(ends[one.b].identifier)],
            "tier": one.tier,
            "proof": one.proof,
            "source": one.source,
            "at": time(one.at),
        }
        return told | {name: value for name in ("agent", "note") if (value := getattr(one, name))}


def _account(tx: Tx, tenant: str, node: Node) -> Shown:
    shown = _named(node) | {"since": time(node.since or node.first_seen)}
    earlier = nodes.handles(tx, tenant, node.number)[:-1] if node.handle else []
    if earlier:
        shown["handles"] = [{"handle": name, "since": time(at), "until": time(end or at)} for name, at, end in earlier]
    return shown


def _named(node: Node) -> Shown:
    told = (("identifier", str(node.identifier)), ("name", node.name), ("handle", node.handle))
    return {key: value for key, value in told if value}


def _verdict(members: list[Node], weakest: Shown | None) -> str:
    if weakest is None:
        return f"{members[0].identifier} is a customer of its own; nothing joins it to another account"
    accounts = f"{len(members)} accounts are one customer"
    by = f"{weakest.get('proof', 'evidence')} ({weakest['tier']}, {weakest['at'][:10]})"
    return f"{accounts}; the weakest step is {by} between {' and '.join(weakest['between'])}"


def _would_change(weakest: Shown | None, refused: list[Shown]) -> list[str]:
    told = []
    if weakest is not None and "id" in weakest:
        told.append(f"without {weakest['id']} ({' and '.join(weakest['between'])}) they fall apart: undo it, or split")
    for one in refused:
        told.append(f"{' and '.join(one['between'])} are joined by {one['remedy']}")
    return list(dict.fromkeys(told))


def time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")
