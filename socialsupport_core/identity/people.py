"""Customers: evidence in, `customer.changed` out."""

import hashlib
from collections.abc import Iterable, Sequence

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.policy import DEFAULT, policy_of
from socialsupport_core.identity.resolving import Change, resolve
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Tx, erasures, nodes
from socialsupport_core.store import evidence as reasons
from socialsupport_core.store.evidence import Evidence, month
from socialsupport_core.store.nodes import Node, Told

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
    account, *others = (_canonical(tx, tenant, identifier) for identifier in party.identifiers)
    node = nodes.find(tx, tenant, account, at)
    if is_new := node is None:
        node = nodes.make(tx, tenant, account, at, name=party.name, handle=party.handle)
    else:
        if at < node.first_seen and not node.since:
            node = _seen_earlier(tx, tenant, node, at)
        if party.name or party.handle:
            nodes.set_profile(tx, tenant, node, party.name, party.handle, at)
    if others:
        _tell(tx, tenant, nodes.by_number(tx, node.number), account, others, at, is_new)
    return nodes.by_number(tx, node.number)


def _seen_earlier(tx: Tx, tenant: str, node: Node, at: int) -> Node:
    """An earlier sight may change whose id the customer bears."""
    node = nodes.ensure(tx, tenant, node.identifier, at)
    resolve(tx, tenant, Change.of(tx, tenant, [node.base]), cause="merged")
    return nodes.by_number(tx, node.number)


def _tell(
    tx: Tx, tenant: str, node: Node, account: Identifier, others: Sequence[Identifier], at: int, is_new: bool
) -> None:
    """What a network says of an account with every message is news once, and then once a month."""
    mark = hashlib.sha256("\0".join(sorted(map(str, others))).encode()).digest()[:6]
    known = node.told if node.told and node.told.mark == mark else None
    if known and known.first <= at and month(at) <= known.last:
        return
    begun = {node.number} if is_new else set[int]()
    attest(tx, tenant, account, others, tier="asserted", proof="profile", source=str(account), at=at, begun=begun)
    told = Told(mark, at, month(at))
    if known:
        told = Told(mark, min(known.first, at), max(known.last, month(at)))
    nodes.set_told(tx, nodes.by_number(tx, node.number), told)


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
    begun: Iterable[int] = (),
) -> None:
    """Keeps the evidence and joins what it joins. A claim about oneself proves control and joins nothing.

    `begun` are accounts made just now: a customer who begins with several has not changed, and nothing is told.
    """
    fresh = set(begun)
    a = _met(tx, tenant, _canonical(tx, tenant, subject), at, fresh)
    for claim in claims:
        b = _met(tx, tenant, _canonical(tx, tenant, claim), at, fresh)
        if a == b:
            continue
        one = Evidence(min(a, b), max(a, b), tier, proof, source, at, agent)
        change = Change.of(tx, tenant, (a, b))
        if reasons.add_evidence(tx, tenant, one) and tier != "claimed":
            resolve(tx, tenant, change, cause="merged", why=one, fresh=fresh)
        if proof == MIGRATED and tier == "verified":
            _close(tx, tenant, b, Evidence(b, b, "closed", proof, source, at + 1, agent))


def _met(tx: Tx, tenant: str, identifier: Identifier, at: int, fresh: set[int]) -> int:
    """The identifier's first node: evidence is about identifiers, and its time says who had them."""
    node = nodes.find(tx, tenant, identifier, at)
    if node is None:
        node = nodes.make(tx, tenant, identifier, at)
        fresh.add(node.number)
    elif at < node.first_seen and not node.since:
        node = _seen_earlier(tx, tenant, node, at)
    return node.base


def _canonical(tx: Tx, tenant: str, identifier: Identifier) -> Identifier:
    """Of two kinds it is the tenant who says how they are compared; of all others nothing need be read."""
    return canonical(identifier, policy_of(tx, tenant) if identifier.kind in ("email", "phone") else DEFAULT)


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
        node = nodes.by_number(tx, node.base)
    return nodes.by_number(tx, node.customer)


def _by_identifier(tx: Tx, tenant: str, who: str) -> Node | None:
    try:
        identifier = Identifier.parse(who)
    except ValueError:
        return None
    return nodes.find(tx, tenant, _canonical(tx, tenant, identifier))
