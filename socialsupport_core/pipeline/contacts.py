"""A contact table comes in as evidence: every record is an account of its own CRM, and claims what stands beside it."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping

from socialsupport_core.identity import attest, observe, policy_of, undo
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.contacts import Contact
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Tx, crm, erasures, evidence, identity
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.identity import Node

Told = Mapping[Identifier, frozenset[Identifier]]
"""By record all that the table says of it, in however many rows."""
PROOF = "contact_table"
BATCH = 200  # records in one commit


def told_of(contacts: Iterable[Contact]) -> Told:
    found: dict[Identifier, set[Identifier]] = defaultdict(set)
    for one in contacts:
        found[one.record].update(one.claims)
    return {record: frozenset(claims) for record, claims in found.items()}


def keep(tx: Tx, tenant: str, contacts: Iterable[Contact], told: Told, now: int) -> tuple[list[int], list[Contact]]:
    """The nodes that are touched, and the records that were left out because somebody in them has been erased since.

    The same table twice changes nothing. Where a record has another address now, the one before is taken back.
    """
    numbers: list[int] = []
    left_out: list[Contact] = []
    for one in contacts:
        if _is_erased(tx, tenant, one):
            left_out.append(one)
            continue
        numbers += _keep(tx, tenant, one, told[one.record], now if one.at is None else one.at)
    return numbers, left_out


def _keep(tx: Tx, tenant: str, one: Contact, told: frozenset[Identifier], at: int) -> list[int]:
    record = Party(identifiers=(one.record,), name=one.name)
    node = observe(tx, tenant, record, at)
    assert node is not None
    touched = [node.number, *_take_back(tx, tenant, one, node, told, at)]
    for claim in one.claims:
        tier = "verified" if claim in one.proven else "asserted"
        source = _fresh(tx, tenant, one, node, claim)
        attest(tx, tenant, one.record, [claim], tier=tier, proof=PROOF, source=source, at=at)
    if one.name or one.fields:
        data = json.dumps({"name": one.name, "fields": dict(one.fields)})
        name = one.record.kind.removeprefix("crm.")
        crm.keep_contact(tx, Connected(tenant, name, PROOF, "", 0), node.number, one.record.value, data)
    return touched


def _take_back(tx: Tx, tenant: str, one: Contact, node: Node, told: frozenset[Identifier], at: int) -> list[int]:
    """What the table said before of the kinds that it names now, and does not say any more; who is touched by it."""
    policy, touched = policy_of(tx, tenant), list[int]()
    named = {canonical(claim, policy) for claim in told}
    kinds = {claim.kind for claim in named}
    for other in identity.by_numbers(tx, evidence.others(tx, tenant, node.base)).values():
        if other.identifier.kind not in kinds or other.identifier in named:
            continue
        for piece in _said(tx, tenant, one, node, other):
            if piece.retracted_by is None and piece.at <= at:
                touched += undo(tx, tenant, piece.digest, agent=one.record.kind, at=at).nodes
    return touched


def _fresh(tx: Tx, tenant: str, one: Contact, node: Node, claim: Identifier) -> str:
    """The source of what it says now: of another name than what it has taken back itself. What an agent has taken back
    stays so."""
    other = identity.find(tx, tenant, canonical(claim, policy_of(tx, tenant)))
    said = _said(tx, tenant, one, node, other) if other else []
    back = sum(piece.retracted_by == one.record.kind for piece in said)
    return f"{_source(one)}~{back}" if back else _source(one)


def _said(tx: Tx, tenant: str, one: Contact, node: Node, other: Node) -> list[Evidence]:
    """All that the table has ever said of the record and this account."""
    found = evidence.pair(tx, tenant, node.base, other.base)
    return [piece for piece in found if piece.source == _source(one) or piece.source.startswith(f"{_source(one)}~")]


def _source(one: Contact) -> str:
    return f"table:{one.record}"


def _is_erased(tx: Tx, tenant: str, one: Contact) -> bool:
    """Whether somebody in it was erased after it says what it says; a record without a time may be of any."""
    if not erasures.any_tombstone(tx, tenant):
        return False
    policy = policy_of(tx, tenant)
    for identifier in (one.record, *one.claims):
        buried = erasures.tombstone(tx, tenant, identity.account_digest(tx, tenant, canonical(identifier, policy)))
        if buried is not None and (one.at is None or one.at <= buried[0]):
            return True
    return False
