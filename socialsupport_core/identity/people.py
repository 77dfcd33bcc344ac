"""Customers: evidence in, `customer.changed` out. Every verdict can be explained, undone and split."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.partition import MERGING, Partition, Refused, partition
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Tx, erasures, identity, log, moment
from socialsupport_core.store.identity import Evidence, Node


class NoSuchCustomer(SocialSupportError, LookupError):
    """No customer has this id or identifier."""


class Erased(NoSuchCustomer):
    """The customer with this id has been erased; nobody will be known by it again."""


class VerdictRefused(SocialSupportError, ValueError):
    """The verdict cannot stand; the message says why and what to do instead."""


def observe(tx: Tx, tenant: str, party: Party, at: int) -> Node | None:
    """The party's account node, with its newest name and handle. None if the party has no identifier.

    What else the network asserts about the same account (a phone number behind a user id) is evidence.
    """
    if not party.identifiers:
        return None
    account, *others = (canonical(identifier) for identifier in party.identifiers)
    node = identity.find(tx, tenant, account)
    if node is None:
        node = identity.ensure(tx, tenant, account, at)
    elif at < node.first_seen:
        node = _seen_earlier(tx, tenant, account, at)
    if party.name or party.handle:
        identity.set_profile(tx, tenant, node, party.name, party.handle, at)
    for other in others:
        attest(tx, tenant, account, [other], tier="asserted", proof="profile", source=str(account), at=at)
    return node


def _seen_earlier(tx: Tx, tenant: str, account: Identifier, at: int) -> Node:
    """An earlier sight may change whose id the customer bears."""
    node = identity.ensure(tx, tenant, account, at)
    resolve(tx, tenant, [node.number], cause="merged")
    return identity.ensure(tx, tenant, account, at)


def attest(
    tx: Tx,
    tenant: str,
    subject: Identifier,
    claims: Iterable[Identifier],
    *,
    tier: str,
    proof: str,
    source: str,
    at: int,
    agent: str | None = None,
) -> None:
    """Keeps the evidence and joins what it joins. A claim about oneself proves control and joins nothing."""
    a = identity.ensure(tx, tenant, canonical(subject), at)
    for claim in claims:
        b = identity.ensure(tx, tenant, canonical(claim), at)
        if a.number == b.number:
            continue
        evidence = Evidence(*_pair(a, b), tier, proof, source, at, agent)
        if identity.add_evidence(tx, tenant, evidence):
            resolve(tx, tenant, [a.number, b.number], cause="merged", why=evidence)


def _pair(a: Node, b: Node) -> tuple[int, int]:
    return min(a.number, b.number), max(a.number, b.number)


def resolve(tx: Tx, tenant: str, touched: Sequence[int], *, cause: str, why: Evidence | None = None) -> None:
    """Recomputes the components of the touched nodes; publishes `customer.changed` for each change."""
    found = component(tx, tenant, touched)
    nodes, result = found.nodes, found.partition()
    changed: dict[tuple[int, int], list[Node]] = {}
    for number, node in nodes.items():
        new = result.customer[number]
        if new != node.customer:
            identity.set_customer(tx, number, new)
            changed.setdefault((node.customer, new), []).append(node)
    for (old, new), moved in sorted(changed.items()):
        _publish(tx, tenant, nodes, old, new, moved, cause, why)


def _publish(
    tx: Tx,
    tenant: str,
    nodes: dict[int, Node],
    old: int,
    new: int,
    moved: list[Node],
    cause: str,
    why: Evidence | None,
) -> None:
    data = {
        "old": nodes[old].id,
        "new": nodes[new].id,
        "accounts": [str(node.identifier) for node in moved],
        "cause": cause,
    }
    if why is not None:
        data |= {"proof": why.proof, "tier": why.tier, "agent": why.agent or ""}
    at = max(node.first_seen for node in moved) if why is None else why.at
    log.publish(tx, tenant, "customer.changed", at, data)


@dataclass(frozen=True, slots=True)
class Component:
    """Everything that joining or forbidding evidence connects. `suggestions` lead out of it, or join nothing."""

    nodes: dict[int, Node]
    evidence: list[Evidence]
    suggestions: list[Evidence]

    def partition(self) -> Partition:
        return partition(self.nodes, self.evidence)


def component(tx: Tx, tenant: str, touched: Iterable[int]) -> Component:
    seen: set[int] = set()
    waiting = list(touched)
    found: dict[str, Evidence] = {}
    suggestions: dict[str, Evidence] = {}
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        for one in identity.evidence_at(tx, tenant, node):
            if one.tier in MERGING or one.tier == "cannot":
                found[one.digest] = one
                waiting.append(one.of(node))
            else:
                suggestions[one.digest] = one
    return Component(identity.by_numbers(tx, seen), list(found.values()), list(suggestions.values()))


def customer_of(tx: Tx, tenant: str, who: str) -> Node:
    """The canonical node for a customer id, an old one too, or a written identifier. Raises NoSuchCustomer."""
    node = identity.by_id(tx, tenant, who) if who.startswith("cus_") else _by_identifier(tx, tenant, who)
    if node is None and erasures.erasure_of(tx, tenant, who):
        raise Erased(f"the customer {who} has been erased; nothing is known of them any more")
    if node is None:
        raise NoSuchCustomer(f"nobody is known as {who!r}; give a customer id or kind:value, as in phone:+15551234")
    return identity.by_numbers(tx, [node.customer])[node.customer]


def _by_identifier(tx: Tx, tenant: str, who: str) -> Node | None:
    try:
        identifier = Identifier.parse(who)
    except ValueError:
        return None
    return identity.find(tx, tenant, canonical(identifier))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an agent decided; `id` undoes it."""

    id: str
    customers: tuple[str, ...]
    nodes: tuple[int, ...] = ()
    """The accounts that it touched."""


def link(tx: Tx, tenant: str, who: str, other: str, *, agent: str, at: int, note: str | None = None) -> Verdict:
    """An agent says that these two are one customer. Raises VerdictRefused if a constraint forbids it."""
    a, b = _node(tx, tenant, who, at), _node(tx, tenant, other, at)
    if a.customer == b.customer:
        raise VerdictRefused(f"{who} and {other} are one customer already")
    source = f"verdict:{agent}:{at}:{min(a.number, b.number)}+{max(a.number, b.number)}"
    evidence = Evidence(*_pair(a, b), "human", "agent", source, at, agent, note)
    identity.add_evidence(tx, tenant, evidence)
    resolve(tx, tenant, [a.number, b.number], cause="merged", why=evidence)
    after = identity.by_numbers(tx, [a.number, b.number])
    if after[a.number].customer != after[b.number].customer:
        rule = _rule_against(tx, tenant, evidence)
        raise VerdictRefused(f"{who} and {other} cannot be one customer: {rule}")
    return Verdict(source, (_customer_id(tx, after[a.number]),), (a.number, b.number))


def _node(tx: Tx, tenant: str, who: str, at: int) -> Node:
    """A customer id names its canonical node; an identifier its own, made if it is new."""
    if who.startswith("cus_"):
        return customer_of(tx, tenant, who)
    try:
        identifier = Identifier.parse(who)
    except ValueError as error:
        raise NoSuchCustomer(str(error)) from None
    return identity.ensure(tx, tenant, canonical(identifier), at)


def _rule_against(tx: Tx, tenant: str, evidence: Evidence) -> str:
    result = component(tx, tenant, [evidence.a, evidence.b]).partition()
    return next((r.rule for r in result.refused if r.evidence.digest == evidence.digest), "a rule forbids it")


def _customer_id(tx: Tx, node: Node) -> str:
    return identity.by_numbers(tx, [node.customer])[node.customer].id


def _customer_ids(tx: Tx, nodes: dict[int, Node]) -> tuple[str, ...]:
    return tuple(sorted({_customer_id(tx, node) for node in nodes.values()}))


def split(tx: Tx, tenant: str, who: str, leaving: Sequence[str], *, agent: str, at: int) -> Verdict:
    """The accounts `leaving` are somebody else: every pair across the two sides is forbidden."""
    members = identity.members(tx, tenant, customer_of(tx, tenant, who).number)
    wanted = {_written(one) for one in leaving}
    out = [node for node in members if str(node.identifier) in wanted]
    rest = [node for node in members if str(node.identifier) not in wanted]
    if missing := wanted - {str(node.identifier) for node in out}:
        raise VerdictRefused(f"{', '.join(sorted(missing))} does not belong to {who}")
    if not rest or not out:
        raise VerdictRefused("a split needs accounts on both sides; name some of them, not none and not all")
    source = f"verdict:{agent}:{at}:{'+'.join(str(node.number) for node in out)}-"
    for a in out:
        for b in rest:
            identity.add_evidence(tx, tenant, Evidence(*_pair(a, b), "cannot", "agent", source, at, agent))
    touched = [node.number for node in members]
    resolve(tx, tenant, touched, cause="split", why=Evidence(0, 0, "cannot", "agent", source, at, agent))
    now = identity.by_numbers(tx, touched)
    return Verdict(source, _customer_ids(tx, now), tuple(touched))


def _written(account: str) -> str:
    try:
        return str(canonical(Identifier.parse(account)))
    except ValueError:
        raise VerdictRefused(f"{account[:80]!r} is not an account; write kind:value, as `explain` shows them") from None


def undo(tx: Tx, tenant: str, verdict: str, *, agent: str, at: int) -> Verdict:
    """Takes back one verdict, or one piece of evidence by its digest; everything is as if it had never been."""
    gone = identity.retract(tx, tenant, verdict, agent, at)
    if not gone:
        raise VerdictRefused(f"there is nothing to undo under {verdict!r}; `explain` lists what there is")
    touched = sorted({end for one in gone for end in (one.a, one.b)})
    resolve(tx, tenant, touched, cause="merged" if gone[0].tier == "cannot" else "split")
    now = identity.by_numbers(tx, touched)
    return Verdict(verdict, _customer_ids(tx, now), tuple(touched))


def explain(tx: Tx, tenant: str, who: str) -> dict[str, Any]:
    """Why these identifiers are one customer: the evidence, its weakest step, what was refused and by which rule."""
    customer = customer_of(tx, tenant, who)
    members = identity.members(tx, tenant, customer.number)
    inside = {node.number for node in members}
    whole = component(tx, tenant, inside)
    result = whole.partition()
    touching = [one for one in whole.evidence if one.a in inside or one.b in inside]
    suggested = [one for one in whole.suggestions if one.a in inside or one.b in inside]
    joined = [one for one in result.joined if one.a in inside]
    refused = [r for r in result.refused if r.evidence in touching]
    refused += [Refused(one, f"{one.tier} evidence suggests, it never joins") for one in suggested]
    retracted = [one for one in touching if one.retracted_by]
    verdicts = [one for one in touching if one.tier == "cannot" and not one.retracted_by]
    ends = {end for one in (*touching, *suggested) for end in (one.a, one.b)}
    nodes = identity.by_numbers(tx, inside | ends)
    return {
        "customer": customer.id,
        "aliases": sorted(node.id for node in members if node.id != customer.id),
        "accounts": [_account(node) for node in members],
        "evidence": [_shown(nodes, one) for one in joined],
        "weakest": _shown(nodes, _weakest(joined)) if joined else None,
        "refused": [_shown(nodes, r.evidence) | {"rule": r.rule} for r in refused],
        "forbidden": [_shown(nodes, one) for one in verdicts],
        "retracted": [_shown(nodes, one) | {"by": one.retracted_by} for one in retracted],
    }


def _weakest(joined: Sequence[Evidence]) -> Evidence:
    return max(joined, key=lambda one: (one.tier != "human", one.tier, one.at))


def _account(node: Node) -> dict[str, Any]:
    shown: dict[str, Any] = {"identifier": str(node.identifier), "since": _time(node.first_seen)}
    return shown | {key: value for key, value in (("name", node.name), ("handle", node.handle)) if value}


def _shown(nodes: dict[int, Node], one: Evidence) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": one.digest,
        "between": [str(nodes[one.a].identifier), str(nodes[one.b].identifier)],
        "tier": one.tier,
        "proof": one.proof,
        "source": one.source,
        "at": _time(one.at),
    }
    if one.agent:
        shown["agent"] = one.agent
    return shown


def _time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")
