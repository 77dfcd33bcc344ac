"""Customers: evidence in, `customer.changed` out."""

import hashlib
from collections.abc import Iterable, Sequence

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.policy import policy_of
from socialsupport_core.identity.resolving import Change, resolve
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Tx, erasures, nodes
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence, month
from socialsupport_core.store.nodes import Node

MIGRATED = "migration"
"""The proof by which a network says that somebody has another identifier from now on."""


class NoSuchCustomer(SocialSupportError, LookupError):
    """No customer has this id or identifier."""


class Erased(NoSuchCustomer):
    """The customer with this id has been erased; nobody will be known by it again."""


def observe(tx: Tx, tenant: str, party: Party, at: int) -> Node | None:
    """The party's account node, with its newest name and handle. None if the party has no identifier.

    What else the network asserts about the same account (a phone number behind a user id) is evidence.
    """
    if not party.identifiers:
        return None
    policy = policy_of(tx, tenant)
    account, *others = (canonical(identifier, policy) for identifier in party.identifiers)
    node = nodes.find(tx, tenant, account, at)
    if node is None:
        node = nodes.make(tx, tenant, account, at)
    elif at < node.first_seen and not node.since:
        node = _seen_earlier(tx, tenant, node, at)
    if party.name or party.handle:
        nodes.set_profile(tx, tenant, node, party.name, party.handle, at)
    if others:
        _tell(tx, tenant, node.number, account, others, at)
    return nodes.by_number(tx, node.number)


def _seen_earlier(tx: Tx, tenant: str, node: Node, at: int) -> Node:
    """An earlier sight may change whose id the customer bears."""
    node = nodes.ensure(tx, tenant, node.identifier, at)
    resolve(tx, tenant, Change.of(tx, tenant, [node.base]), cause="merged")
    return nodes.by_number(tx, node.number)


def _tell(tx: Tx, tenant: str, number: int, account: Identifier, others: Sequence[Identifier], at: int) -> None:
    """What a network says of an account with every message is news once, and then once a month."""
    mark = hashlib.sha256("\0".join(sorted(map(str, others))).encode()).hexdigest()[:12]
    node = nodes.by_numbers(tx, [number])[number]
    known, first, last = (node.told or "  ").split(" ")
    is_same = known == mark
    if is_same and int(first) <= at and month(at) <= int(last):
        return
    attest(tx, tenant, account, others, tier="asserted", proof="profile", source=str(account), at=at)
    began, until = (min(int(first), at), max(int(last), month(at))) if is_same else (at, month(at))
    nodes.set_told(tx, nodes.by_numbers(tx, [number])[number], f"{mark} {began} {until}")


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
    policy = policy_of(tx, tenant)
    a = _met(tx, tenant, canonical(subject, policy), at)
    for claim in claims:
        b = _met(tx, tenant, canonical(claim, policy), at)
        if a == b:
            continue
        one = Evidence(min(a, b), max(a, b), tier, proof, source, at, agent)
        change = Change.of(tx, tenant, (a, b))
        if reasons.add_evidence(tx, tenant, one) and tier != "claimed":
            resolve(tx, tenant, change, cause="merged", why=one)
        if proof == MIGRATED and tier == "verified":
            _close(tx, tenant, b, Evidence(b, b, "closed", proof, source, at + 1, agent))


def _met(tx: Tx, tenant: str, identifier: Identifier, at: int) -> int:
    """The identifier's first node: evidence is about identifiers, and its time says who had them."""
    node = nodes.find(tx, tenant, identifier, at)
    if node is not None and at < node.first_seen and not node.since:
        node = _seen_earlier(tx, tenant, node, at)
    return (node or nodes.make(tx, tenant, identifier, at)).base


def close(
    tx: Tx, tenant: str, identifier: Identifier, *, proof: str, source: str, at: int, agent: str | None = None
) -> str | None:
    """From then on the identifier may be somebody else's: a number changed, a mailbox is gone. What was said before
    stays with whoever had it. What undoes it; None if nobody is known by it, or no contact point of that kind."""
    policy = policy_of(tx, tenant)
    node = nodes.find(tx, tenant, canonical(identifier, policy), at)
    if node is None or not policy.is_contact(identifier.kind):
        return None
    one = Evidence(node.base, node.base, "closed", proof, source, at, agent)
    _close(tx, tenant, node.base, one)
    return one.digest


def _close(tx: Tx, tenant: str, base: int, one: Evidence) -> None:
    change = Change.of(tx, tenant, (base,))
    if reasons.add_evidence(tx, tenant, one):
        resolve(tx, tenant, change, cause="split", why=one)


def customer_of(tx: Tx, tenant: str, who: str) -> Node:
    """The canonical node for a customer id, an old one too, or a written identifier. Raises NoSuchCustomer."""
    node = nodes.by_id(tx, tenant, who) if who.startswith("cus_") else _by_identifier(tx, tenant, who)
    if node is None and erasures.erasure_of(tx, tenant, who):
        raise Erased(f"the customer {who} has been erased; nothing is known of them any more")
    if node is None:
        raise NoSuchCustomer(f"nobody is known as {who!r}; give a customer id or kind:value, as in phone:+15551234")
    if node.since < 0:  # it stood for its identifier once; whoever has that now
        node = nodes.by_numbers(tx, [node.base])[node.base]
    return nodes.by_numbers(tx, [node.customer])[node.customer]


def _by_identifier(tx: Tx, tenant: str, who: str) -> Node | None:
    try:
        identifier = Identifier.parse(who)
    except ValueError:
        return None
    return nodes.find(tx, tenant, canonical(identifier, policy_of(tx, tenant)))
