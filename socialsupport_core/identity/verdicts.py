"""What a person decides about identities: link, split, undo. Each is evidence like any other, and can be taken back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.components import Walker
from socialsupport_core.identity.disclosing import may_disclose
from socialsupport_core.identity.partition import REMEDIES, words
from socialsupport_core.identity.people import NoSuchCustomer, customer_of
from socialsupport_core.identity.policy import HUMAN, policy_of
from socialsupport_core.identity.resolving import Change, Stored, resolve
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, nodes
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.nodes import Node


class VerdictRefused(SocialSupportError, ValueError):
    """The verdict cannot stand; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an agent decided; `id` undoes it."""

    id: str
    customers: tuple[str, ...]
    nodes: tuple[int, ...] = ()
    """The accounts that it touched."""


def link(tx: Tx, tenant: str, who: str, other: str, *, agent: str, at: int, note: str | None = None) -> Verdict:
    """An agent says that these two are one customer; of two that are one without proof, that they are indeed.

    Raises VerdictRefused if a constraint forbids it, or nothing would change.
    """
    a, b = _node(tx, tenant, who, at), _node(tx, tenant, other, at)
    if a.customer == b.customer and may_disclose(tx, tenant, a.number, b.number):
        raise VerdictRefused(f"{who} and {other} are one customer already, and nothing more is needed to show it")
    low, high = sorted((a.base, b.base))
    source = f"verdict:{agent}:{at}:{low}+{high}"
    one = Evidence(low, high, "human", "agent", source, at, agent, note)
    change = Change.of(tx, tenant, (low, high))
    reasons.add_evidence(tx, tenant, one)
    resolve(tx, tenant, change, cause="merged", why=one)
    after = nodes.by_numbers(tx, [a.number, b.number])
    if after[a.number].customer != after[b.number].customer:
        raise VerdictRefused(f"{who} and {other} cannot be one customer: {_rule_against(tx, tenant, one)}")
    return Verdict(source, customer_ids(tx, [after[a.number]]), (a.number, b.number))


def _node(tx: Tx, tenant: str, who: str, at: int) -> Node:
    """A customer id names its canonical node; an identifier its own, made if it is new."""
    if who.startswith("cus_"):
        return _lasting(tx, tenant, customer_of(tx, tenant, who))
    try:
        identifier = Identifier.parse(who)
    except ValueError as error:
        raise NoSuchCustomer(str(error)) from None
    return nodes.ensure(tx, tenant, canonical(identifier, policy_of(tx, tenant)), at)


def _lasting(tx: Tx, tenant: str, head: Node) -> Node:
    """An account that is this customer's still: a decision on one that changed hands is about its owner now."""
    for node in (head, *nodes.members(tx, tenant, head.customer)):
        newest = nodes.find(tx, tenant, node.identifier)
        if newest is not None and newest.number == node.number:
            return node
    raise VerdictRefused(
        f"{head.id} is whoever had {head.identifier} before, and it is somebody else's now; nothing else is known of"
        " them, so there is no account to link"
    )


def _rule_against(tx: Tx, tenant: str, one: Evidence) -> str:
    walker = Walker(Stored(tx, tenant))
    ends = {one.a, one.b}
    for edge, rule in walker.edges(one.a):
        if edge.rank == HUMAN and {edge.a[0], edge.b[0]} == ends:
            folded = walker.fold(walker.component(edge.a))
            against = rule or next((r.rule for r in folded.refused if r.edge == edge), None)
            if against is not None:
                return f"{words(against, 'human')}; it takes {REMEDIES[against.name]}"
    return "a rule forbids it; `explain` tells which"


def customer_ids(tx: Tx, found: Iterable[Node]) -> tuple[str, ...]:
    heads = {node.customer for node in found}
    return tuple(sorted(node.id for node in nodes.by_numbers(tx, heads).values()))


def split(tx: Tx, tenant: str, who: str, leaving: Sequence[str], *, agent: str, at: int) -> Verdict:
    """The accounts `leaving` are somebody else: every pair across the two sides is forbidden."""
    members = nodes.members(tx, tenant, customer_of(tx, tenant, who).number)
    wanted = {_written(tx, tenant, one) for one in leaving}
    out = [node for node in members if str(node.identifier) in wanted]
    rest = [node for node in members if str(node.identifier) not in wanted]
    if missing := wanted - {str(node.identifier) for node in out}:
        raise VerdictRefused(f"{', '.join(sorted(missing))} does not belong to {who}")
    if not rest or not out:
        raise VerdictRefused("a split needs accounts on both sides; name some of them, not none and not all")
    source = f"verdict:{agent}:{at}:{'+'.join(str(node.number) for node in out)}-"
    change = Change.of(tx, tenant, {node.base for node in members})
    pairs = sorted({(min(a.base, b.base), max(a.base, b.base)) for a in out for b in rest if a.base != b.base})
    reasons.forbid(tx, tenant, [Evidence(*ends, "cannot", "agent", source, at, agent) for ends in pairs])
    resolve(tx, tenant, change, cause="split", why=Evidence(0, 0, "cannot", "agent", source, at, agent))
    touched = [node.number for node in members]
    return Verdict(source, customer_ids(tx, nodes.by_numbers(tx, touched).values()), tuple(touched))


def _written(tx: Tx, tenant: str, account: str) -> str:
    try:
        return str(canonical(Identifier.parse(account), policy_of(tx, tenant)))
    except ValueError:
        raise VerdictRefused(f"{account[:80]!r} is not an account; write kind:value, as `explain` shows them") from None


def undo(tx: Tx, tenant: str, verdict: str, *, agent: str, at: int, of: str | None = None) -> Verdict:
    """Takes back one verdict, or one piece of evidence by its digest; everything is as if it had never been.

    `of`: the customer whom it must concern. Raises VerdictRefused.
    """
    found = reasons.named(tx, tenant, verdict)
    touched = sorted({end for one in found for end in (one.a, one.b)})
    if not found or (of is not None and of not in customer_ids(tx, nodes.by_numbers(tx, touched).values())):
        raise VerdictRefused(f"there is nothing to undo under {verdict!r}; `explain` lists what there is")
    change = Change.of(tx, tenant, touched)
    reasons.retract(tx, tenant, verdict, agent, at)
    resolve(tx, tenant, change, cause="merged" if found[0].tier == "cannot" else "split")
    return Verdict(verdict, customer_ids(tx, nodes.by_numbers(tx, touched).values()), tuple(touched))
