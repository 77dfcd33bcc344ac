"""A person is erased: every row that holds something of theirs, in one commit.

What other people wrote stays as they wrote it, though it may speak of whoever was erased.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from pydantic import ValidationError

from socialsupport_core.identity import erasable
from socialsupport_core.identity.canonical import canonical
from socialsupport_core.model import EVENT, INTENT, Identifier, SendMessage
from socialsupport_core.pipeline.subjects import message_digest, people, thread_digest
from socialsupport_core.store import Row, Tx, accounts, answers, erasures, identity, journal, log, removing
from socialsupport_core.store import crm as crms
from socialsupport_core.store.erasures import CRMErasure, CRMState, Erasure
from socialsupport_core.store.identity import Node, account_digest
from socialsupport_core.store.removing import Told

TELLING = 5  # characters of a value from which on it is looked for in what nobody could read
_NAMING = (
    "SELECT cursor, data, conversation FROM log WHERE tenant = ? AND type IN ('customer.changed', 'handoff.refused',"
    " 'erasure.requested', 'crm.failed', 'unrecognised', 'attachment.stored', 'attachment.refused',"
    " 'challenge.started', 'challenge.proven', 'proof.refused')"
)
"""Entries of the log that may name somebody and belong to no message; an index of theirs says the same."""
_PROOFS = (
    ("challenges", "told"),
    ("challenges", "node"),
    ("controls", "node"),
    ("nonces", "node"),
    ("consents", "node"),
    ("ratings", "node"),
    ("told_away", "node"),
)
"""Where a proof, a consent or a verdict of theirs is kept, or that they were told something."""


@dataclass(frozen=True, slots=True)
class Person:
    """Everything by which somebody is known in the store."""

    tenant: str
    customer: str
    nodes: dict[int, Node]
    contacts: tuple[Row, ...]

    @property
    def written(self) -> set[str]:
        """Their accounts as `kind:value`."""
        return {str(node.identifier) for node in self.nodes.values()}

    @property
    def ids(self) -> list[str]:
        return sorted(node.id for node in self.nodes.values())

    def names(self, identifiers: Iterable[Any]) -> bool:
        return any(str(canonical(one)) in self.written for one in identifiers)

    def pattern(self) -> re.Pattern[str]:
        """Finds them in a text: an account whole, a value that is long enough, a plain word only as a whole string."""
        values = {node.identifier.value for node in self.nodes.values()}
        values |= {node.handle for node in self.nodes.values() if node.handle}
        values |= {str(row["contact"]) for row in self.contacts}
        telling = {value for value in values if len(value) >= TELLING}
        words = {value for value in telling if value.isalpha()}
        loose = _spellings(self.written | set(self.ids) | (telling - words))
        strict = {f'"{word}"' for word in _spellings(words)}
        bounded = rf"(?<![\w.@+-])(?:{_any(loose)})(?![\w@-]|\.\w)"
        return re.compile(f"{bounded}|{_any(strict)}" if strict else bounded, re.IGNORECASE)


def _spellings(values: Collection[str]) -> set[str]:
    """As they stand in texts, in JSON and in addresses."""
    escaped = {json.dumps(value)[1:-1] for value in values}
    return set(values) | escaped | {quote(value, safe="") for value in values} | {quote(value) for value in values}


def _any(values: Collection[str]) -> str:
    return "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True)) or "(?!)"


def begin(tx: Tx, tenant: str, customer: Node, erasure: str, agent: str, at: int) -> Erasure:
    """Takes away every row of the customer; what remains to be done is noted. `agent` decided it."""
    before = list(tx.told)
    try:
        tx.conclude()  # what others in this batch have told of them must be in the log to go
        return _begin(tx, tenant, customer, erasure, agent, at)
    except BaseException:
        tx.told = before
        raise


def _begin(tx: Tx, tenant: str, customer: Node, erasure: str, agent: str, at: int) -> Erasure:
    person = _person(tx, tenant, customer)
    told = _told(tx, person)
    marks = [*_account_marks(tx, person), *_message_marks(tx, tenant, told)]
    entries = told.entries | erasures.entries_about(tx, tenant, marks) | _unread_about(tx, person)
    gone: Counter[str] = Counter()
    gone += _remove_early(tx, person, told, entries)
    gone["answers"] += _remove_answers(tx, person)
    gone += removing.remove(tx, tenant, told, lambda row: _is_to(row, person))
    gone += removing.forget_log(tx, tenant, _entries_that_name(tx, person, told))
    gone += _remove_from_crms(tx, person, told, erasure, at)
    gone += _remove_conversations(tx, person, told)
    for column in ("node", "redeemed_by", "recipient"):
        gone["handoffs"] += removing.delete_in(tx, "handoffs", column, person.nodes, tenant)
    gone["drafts"] += removing.delete_in(tx, "drafts", "node", person.nodes, tenant)
    for table, column in _PROOFS:
        gone[table] += removing.delete_in(tx, table, column, person.nodes, tenant)
    gone["answer_uses"] += removing.delete_in(tx, "answer_uses", "conversation", told.conversations, tenant)
    told.blobs |= _held_files(tx, person)
    gone["approvals"] += removing.delete_in(tx, "approvals", "node", person.nodes, tenant)
    gone["reactions"] += removing.delete_in(tx, "reactions", "author", person.written, tenant)
    gone["audit"] += _anonymise_audit(tx, person)
    gone["journal"] += removing.empty_payloads(tx, entries, "erased")
    gone["erasure_requests"] += erasures.forget_requests(tx, tenant, person.nodes)
    for end in ("a", "b"):
        gone["proposals"] += removing.delete_in(tx, "proposals", end, person.nodes, tenant)
        gone["reviews"] += removing.delete_in(tx, "reviews", end, person.nodes, tenant)
    gone += erasable.remove(tx, tenant, person.nodes)
    one = Erasure(
        tenant,
        erasure,
        person.customer,
        agent,
        at,
        "removed",
        dict(sorted((+gone).items())),
        sorted(told.blobs),
    )
    erasures.bury(tx, tenant, erasure, marks, at)
    erasures.begin(tx, one, person.ids)
    accounts.audit(tx, tenant, agent, at, "erase", f"{person.customer} {erasure}")
    _publish(tx, person, erasure, agent, at, sorted(told.conversations))
    return one


def _person(tx: Tx, tenant: str, customer: Node) -> Person:
    nodes = {node.number: node for node in erasable.accounts(tx, tenant, customer.number)}
    contacts = removing.rows_in(tx, "SELECT * FROM crm_contacts WHERE tenant = ?", "node", nodes, tenant)
    return Person(tenant, customer.id, nodes, tuple(contacts))


def _publish(tx: Tx, person: Person, erasure: str, agent: str, at: int, conversations: list[str]) -> None:
    """Subscribers forget what they keep under these ids."""
    data = {
        "old": person.customer,
        "aliases": [one for one in person.ids if one != person.customer],
        "conversations": conversations,
        "accounts": [],
        "cause": "erased",
        "erasure": erasure,
        "agent": agent,
    }
    log.publish(tx, person.tenant, "customer.changed", at, data)


# where they are


def _told(tx: Tx, person: Person) -> Told:
    """What they said and were told, and the threads and conversations in which nobody else is."""
    told = removing.of_nodes(tx, person.tenant, person.nodes)
    legs = removing.rows_in(tx, "SELECT * FROM legs WHERE tenant = ?", "node", person.nodes, person.tenant)
    told.places |= {(row["channel"], row["thread"]) for row in legs}
    told.own = {
        place for place in told.places if removing.nodes_in_thread(tx, person.tenant, *place) <= person.nodes.keys()
    }
    named = {row["conversation"] for row in legs} | {row["moved_from"] for row in legs if row["moved_from"]}
    shared = _shared(tx, person, named)
    told.conversations = named - shared
    return told


def _shared(tx: Tx, person: Person, conversations: set[str]) -> set[str]:
    """Those in which somebody else takes part."""
    found: set[str] = set()
    for row in removing.rows_in(
        tx, "SELECT * FROM legs WHERE tenant = ?", "conversation", conversations, person.tenant
    ):
        if row["node"] not in person.nodes:
            found |= {row["conversation"], row["moved_from"] or row["conversation"]}
    return found & conversations


def _account_marks(tx: Tx, person: Person) -> list[str]:
    return [account_digest(tx, person.tenant, node.identifier) for node in person.nodes.values()]


def _message_marks(tx: Tx, tenant: str, told: Told) -> list[str]:
    marks = [thread_digest(tx, tenant, channel, thread) for channel, thread in told.own if channel]
    for row in told.seqs.values():
        channel, native_id = row["channel"], row["native_id"]
        marks.append(message_digest(tx, tenant, channel, row["thread"], native_id))
        sql = "SELECT seq FROM interaction_keys WHERE tenant = ? AND channel = ? AND native_id = ?"
        if all(other["seq"] in told.seqs for other in tx.all(sql, tenant, channel, native_id)):
            marks.append(message_digest(tx, tenant, channel, None, native_id))
    return marks


def _unread_about(tx: Tx, person: Person) -> set[int]:
    """Payloads that could not be read, or led nowhere, and name them."""
    pattern = person.pattern()
    found: set[int] = set()
    for tenant, doors in ((person.tenant, None), (journal.MANY, _own_doors(tx, person.tenant))):
        for state in ("quarantined", "ignored"):
            found |= {one.number for one in _unread(tx, tenant, state, doors) if _names(one, pattern)}
    return found


def _unread(tx: Tx, tenant: str, state: str, doors: set[str] | None) -> Iterable[journal.Entry]:
    """Page by page: there may be many, and each may be large."""
    last = 0
    sql = (
        "SELECT * FROM journal WHERE state = ? AND state <> 'waiting' AND entry > ? AND tenant = ? AND gone IS NULL"
        " ORDER BY entry LIMIT 100"
    )
    while doors is None or doors:
        rows = tx.all(sql, state, last, tenant)
        if not rows:
            return
        last = rows[-1]["entry"]
        yield from (journal.entry_of(row) for row in rows if doors is None or row["door"] in doors)


def _names(entry: journal.Entry, pattern: re.Pattern[str]) -> bool:
    payload = entry.payload
    texts = (payload.body.decode("utf-8", "replace"), payload.url, str(payload.headers), entry.reason or "")
    return any(pattern.search(text) for text in texts)


def _own_doors(tx: Tx, tenant: str) -> set[str]:
    """Of apps that serve nobody else."""
    rows = tx.all(
        "SELECT a.door FROM apps a WHERE EXISTS (SELECT 1 FROM channels c WHERE c.app = a.app AND c.tenant = ?)"
        " AND NOT EXISTS (SELECT 1 FROM channels c WHERE c.app = a.app AND c.tenant <> ?)",
        tenant,
        tenant,
    )
    return {row["door"] for row in rows}


def _entries_that_name(tx: Tx, person: Person, told: Told) -> set[int]:
    pattern = person.pattern()
    return {
        row["cursor"]
        for row in tx.all(_NAMING, person.tenant)
        if row["conversation"] in told.conversations
        or removing.number_in(row["data"]) in told.seqs
        or pattern.search(row["data"])
    }


def _is_to(row: Row, person: Person) -> bool:
    try:
        recipient = INTENT.validate_json(row["intent"]).recipient
    except ValidationError:
        return False
    return recipient is not None and person.names(recipient.identifiers)


# taking away


def _remove_early(tx: Tx, person: Person, told: Told, entries: set[int]) -> Counter[str]:
    """What waited for an original: said by them, or in a thread of theirs."""
    gone: Counter[str] = Counter()
    for row in tx.all("SELECT * FROM early WHERE tenant = ?", person.tenant):
        event = EVENT.validate_json(row["data"])
        thread = getattr(event, "thread", None) or getattr(getattr(event, "interaction", None), "thread", None)
        if not (person.names(people(event)) or (thread and (row["channel"], thread.id) in told.own)):
            continue
        entries |= {row["entry"]} if row["entry"] is not None else set()
        gone["early"] += tx.run(
            "DELETE FROM early WHERE tenant = ? AND channel = ? AND native_id = ? AND event = ?",
            person.tenant,
            row["channel"],
            row["native_id"],
            row["event"],
        )
    return gone


def _held_files(tx: Tx, person: Person) -> set[str]:
    """Of replies to them that were never sent."""
    sql = "SELECT intent FROM approvals WHERE tenant = ?"
    held = [
        INTENT.validate_json(row["intent"]) for row in removing.rows_in(tx, sql, "node", person.nodes, person.tenant)
    ]
    return {file.blob for one in held if isinstance(one, SendMessage) for file in one.attachments if file.blob}


def _remove_answers(tx: Tx, person: Person) -> int:
    """What is found by words of theirs, also in conversations with others."""
    legs = removing.rows_in(tx, "SELECT conversation FROM legs WHERE tenant = ?", "node", person.nodes, person.tenant)
    sql = "SELECT number FROM answers WHERE kind = 'matter' AND tenant = ?"
    found = removing.rows_in(tx, sql, "name", {row["conversation"] for row in legs}, person.tenant)
    found += removing.rows_in(tx, sql, "node", person.nodes, person.tenant)
    return answers.forget(tx, person.tenant, {row["number"] for row in found})


def _remove_conversations(tx: Tx, person: Person, told: Told) -> Counter[str]:
    gone: Counter[str] = Counter()
    own = sorted(told.conversations)
    removing.change_in(tx, "UPDATE legs SET moved_from = NULL WHERE tenant = ?", "moved_from", own, person.tenant)
    legs = removing.rows_in(tx, "SELECT leg FROM legs WHERE tenant = ?", "node", person.nodes, person.tenant)
    gone["moves"] += removing.delete_in(tx, "moves", "leg", {row["leg"] for row in legs}, person.tenant)
    gone["legs"] += removing.delete_in(tx, "legs", "node", person.nodes, person.tenant)
    gone["crm_cases"] += removing.delete_in(tx, "crm_cases", "conversation", own, person.tenant)
    gone["conversations"] += removing.delete_in(tx, "conversations", "conversation", own, person.tenant)
    gone["handoffs"] += removing.delete_in(tx, "handoffs", "conversation", own, person.tenant)
    gone["challenges"] += removing.delete_in(tx, "challenges", "conversation", own, person.tenant)
    gone["drafts"] += removing.delete_in(tx, "drafts", "conversation", own, person.tenant)
    for table in ("told_away", "openings", "ratings"):
        gone[table] += removing.delete_in(tx, table, "conversation", own, person.tenant)
    gone["routing"] += removing.delete_in(tx, "routing", "conversation", own, person.tenant)
    sql = "SELECT conversation FROM conversations WHERE tenant = ?"
    for row in removing.rows_in(tx, sql, "node", person.nodes, person.tenant):
        gone["conversations"] += _hand_over(tx, person.tenant, row["conversation"])
    return gone


def _hand_over(tx: Tx, tenant: str, conversation: str) -> int:
    """Others go on in it; what it was called came from whoever is gone."""
    sql = "SELECT node FROM legs WHERE tenant = ? AND conversation = ? ORDER BY opened_at, leg LIMIT 1"
    heir = tx.one(sql, tenant, conversation)
    if heir is None:
        return tx.run("DELETE FROM conversations WHERE tenant = ? AND conversation = ?", tenant, conversation)
    sql = "UPDATE conversations SET node = ?, subject = NULL WHERE tenant = ? AND conversation = ?"
    return tx.run(sql, heir["node"], tenant, conversation)


UNCONNECTED = "no such CRM is connected, as where a table of contacts was imported; erase the record there"
OTHERS = "others speak in this case, too; take out there what this person said"


def _remove_from_crms(tx: Tx, person: Person, told: Told, erasure: str, at: int) -> Counter[str]:
    """What CRMs told of them goes here; each CRM is asked to erase the contact that is certainly theirs, and the cases
    in which we have saved what they said; where others speak too, what they said."""
    reachable = {one.id for one in crms.connected(tx) if one.tenant == person.tenant}
    state: CRMState
    for crm, contact in sorted({(row["crm"], row["contact"]) for row in person.contacts}):
        doubt = _doubt(tx, person, crm, contact) if crm in reachable else UNCONNECTED
        state = "by_hand" if doubt else "queued"
        erasures.ask_crm(tx, CRMErasure(person.tenant, crm, contact, erasure, state, 0, at, doubt))
    gone: Counter[str] = Counter()
    own = sorted(told.conversations)
    sql = "SELECT crm, case_ref FROM crm_cases WHERE tenant = ?"
    whole = {(row["crm"], row["case_ref"]) for row in removing.rows_in(tx, sql, "conversation", own, person.tenant)}
    removing.change_in(
        tx, "UPDATE crm_records SET erasure = ? WHERE tenant = ?", "seq", told.seqs, erasure, person.tenant
    )
    sql = "SELECT crm, case_ref FROM crm_records WHERE tenant = ?"
    in_part = {(row["crm"], row["case_ref"]) for row in removing.rows_in(tx, sql, "seq", told.seqs, person.tenant)}
    for crm, case in sorted(whole | in_part):
        doubt = None if crm in reachable else UNCONNECTED if (crm, case) in whole else OTHERS
        what: Literal["case", "entries"] = "case" if (crm, case) in whole else "entries"
        state = "by_hand" if doubt else "queued"
        erasures.ask_crm(tx, CRMErasure(person.tenant, crm, case, erasure, state, 0, at, doubt, what))
    for table in ("crm_records", "crm_fields", "crm_waiting"):
        gone[table] += removing.delete_in(tx, table, "conversation", own, person.tenant)
    for table in ("crm_contacts", "crm_asked"):
        gone[table] += removing.delete_in(tx, table, "node", person.nodes, person.tenant)
    return gone


def _doubt(tx: Tx, person: Person, crm: str, contact: str) -> str | None:
    """Why the CRM is not asked to erase this contact."""
    rows = tx.all(
        "SELECT node FROM crm_contacts WHERE tenant = ? AND crm = ? AND contact = ?", person.tenant, crm, contact
    )
    if any(row["node"] not in person.nodes for row in rows):
        return "the CRM knows another customer under this contact too; decide there"
    of_mine = [row for row in person.contacts if row["crm"] == crm]
    alone = any(
        len([row for row in of_mine if row["node"] == node]) == 1
        for node in {row["node"] for row in of_mine if row["contact"] == contact}
    )
    return None if alone else "the CRM named several contacts that may be this person; decide there"


def _anonymise_audit(tx: Tx, person: Person) -> int:
    """Who has read them when stays, by what address they were asked for does not."""
    pattern = re.compile(rf"(?<![\w.])(?:{_any(_spellings(person.written))})(?![\w@.+%-])", re.IGNORECASE)
    rows = tx.all("SELECT number, object FROM audit WHERE tenant = ?", person.tenant)
    named = [row["number"] for row in rows if pattern.search(row["object"])]
    return removing.change_in(tx, "UPDATE audit SET object = 'erased' WHERE tenant = ?", "number", named, person.tenant)


# resuming


def earlier(tx: Tx, tenant: str, who: str) -> Erasure | None:
    """The erasure in which this customer id, or account, went."""
    found = erasures.erasure_of(tx, tenant, who)
    if found is None and ":" in who:
        found = _by_account(tx, tenant, who)
    return erasures.get(tx, tenant, found) if found else None


def _by_account(tx: Tx, tenant: str, who: str) -> str | None:
    try:
        account = canonical(Identifier.parse(who))
    except ValueError:
        return None
    if identity.find(tx, tenant, account) is not None:
        return None
    return erasures.buried_by(tx, tenant, account_digest(tx, tenant, account))
