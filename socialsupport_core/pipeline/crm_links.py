"""What a CRM knows of people is evidence about accounts, for as long as the CRM says so."""

import json

from socialsupport_core.contract import Contact
from socialsupport_core.identity import VerdictRefused, policy_of, undo
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.identity.proofs import CrmRecord
from socialsupport_core.model import Identifier
from socialsupport_core.store import Tx, evidence, identity
from socialsupport_core.store import crm as crms
from socialsupport_core.store.crm import Connected
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.identity import Node

RECORD = CrmRecord()


def learn(tx: Tx, one: Connected, node: Node, found: tuple[Contact, ...], at: int) -> None:
    """The contacts that the CRM found for an account, as evidence, and their fields for whoever reads."""
    if node.number not in identity.by_numbers(tx, [node.number]):
        return  # erased while the CRM was asked
    crms.asked(tx, one, node.number)
    for contact in found:
        _link(tx, one, node, contact, at)


def changed(tx: Tx, one: Connected, contact: Contact, at: int) -> bool:
    """The contact names other accounts now: those are linked, and what it no longer names is unlinked.

    False if it is about nobody whom we know.
    """
    policy = policy_of(tx, one.tenant)
    named = {canonical(identifier, policy) for identifier in contact.identifiers}
    before = identity.by_numbers(tx, crms.nodes_of(tx, one, contact.id))
    for node in before.values():
        if node.identifier in named:
            _link(tx, one, node, contact, at)
        elif named:  # a change that names no accounts says nothing about them
            _unlink(tx, one, node, contact.id, at)
    found = [known for identifier in sorted(named, key=str) if (known := identity.find(tx, one.tenant, identifier))]
    for known in found:
        if known.number not in before and crms.contacts_of(tx, one, known.number) is not None:
            _link(tx, one, known, contact, at)
    return bool(before or found)


def gone(tx: Tx, one: Connected, contact: str, at: int) -> bool:
    nodes = identity.by_numbers(tx, crms.nodes_of(tx, one, contact))
    for node in nodes.values():
        _unlink(tx, one, node, contact, at)
    return bool(nodes)


def _link(tx: Tx, one: Connected, node: Node, contact: Contact, at: int) -> None:
    source = _fresh(tx, one, node, contact.id)
    record = _record(one, contact.id)
    RECORD.judge(node.identifier, record, contact.verified, source=source, at=at).establish(tx, one.tenant)
    data = {"name": contact.name, "fields": contact.fields}
    crms.keep_contact(tx, one, node.number, contact.id, json.dumps(data))


def _unlink(tx: Tx, one: Connected, node: Node, contact: str, at: int) -> None:
    """Only what this CRM said of this account is taken back; what others know stays."""
    crms.drop_contact(tx, one, node.number, contact)
    for found in _said(tx, one, node, contact):
        if found.retracted_by is None:
            try:
                undo(tx, one.tenant, found.digest, agent=_agent(one), at=at)
            except VerdictRefused:
                continue  # taken back meanwhile


def _fresh(tx: Tx, one: Connected, node: Node, contact: str) -> str:
    """The source of what it says now: of another name than what it has taken back itself. What an agent has taken back
    stays so."""
    back = sum(found.retracted_by == _agent(one) for found in _said(tx, one, node, contact))
    return f"{_source(one, contact)}~{back}" if back else _source(one, contact)


def _said(tx: Tx, one: Connected, node: Node, contact: str) -> list[Evidence]:
    """All that this CRM has ever said of the account and the contact."""
    record, source = identity.find(tx, one.tenant, _record(one, contact)), _source(one, contact)
    found = evidence.pair(tx, one.tenant, node.base, record.base) if record else []
    return [piece for piece in found if piece.source.split("~")[0] == source]


def _agent(one: Connected) -> str:
    return f"crm.{one.id}"


def _record(one: Connected, contact: str) -> Identifier:
    return Identifier(kind=f"crm.{one.id}", value=contact)


def _source(one: Connected, contact: str) -> str:
    return f"crm.{one.id}:{contact}"
