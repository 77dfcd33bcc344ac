"""A contact table comes in as evidence: every record is an account of its own CRM, and claims what stands beside it."""

import json
from collections.abc import Iterable

from socialsupport_core.identity import attest, observe, policy_of
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.contacts import Contact
from socialsupport_core.model import Party
from socialsupport_core.store import Tx, crm, erasures, identity
from socialsupport_core.store.crm import Connected

PROOF = "contact_table"
BATCH = 200  # records in one commit


def keep(tx: Tx, tenant: str, contacts: Iterable[Contact], now: int) -> tuple[list[int], list[Contact]]:
    """The nodes of the records, and those that were left out because somebody in them has been erased since.

    The same table twice changes nothing.
    """
    numbers: list[int] = []
    left_out: list[Contact] = []
    for one in contacts:
        if _is_erased(tx, tenant, one):
            left_out.append(one)
            continue
        numbers.append(_keep(tx, tenant, one, now if one.at is None else one.at))
    return numbers, left_out


def _keep(tx: Tx, tenant: str, one: Contact, at: int) -> int:
    record = Party(identifiers=(one.record,), name=one.name)
    node = observe(tx, tenant, record, at)
    assert node is not None
    source = f"table:{one.record}"
    for tier, claims in (("verified", one.proven), ("asserted", frozenset(one.claims) - one.proven)):
        told = [claim for claim in one.claims if claim in claims]
        if told:
            attest(tx, tenant, one.record, told, tier=tier, proof=PROOF, source=source, at=at)
    if one.name or one.fields:
        data = json.dumps({"name": one.name, "fields": dict(one.fields)})
        name = one.record.kind.removeprefix("crm.")
        crm.keep_contact(tx, Connected(tenant, name, PROOF, "", 0), node.number, one.record.value, data)
    return node.number


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
