"""CRMs: which are connected, how far each has been told, what they know of people, and which records there are ours."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from socialsupport_core.model import Facts
from socialsupport_core.store import accounts
from socialsupport_core.store.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Connected:
    """One CRM of one tenant. `cursor` is the log entry up to which it has been told."""

    tenant: str
    id: str
    adapter: str
    door: str
    cursor: int
    since: int = 0
    """When it was connected."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Which side stands where both have changed a field; see `pipeline.crm_fields`."""
    facts: Facts | None = None
    """What the connection test learnt."""

    @property
    def secret_ref(self) -> str:
        return f"crm/{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation's case. `gone`: it takes nothing more, and the next one follows it."""

    id: str
    url: str | None
    gone: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an agent wrote with files that are still to be fetched, or after such."""

    event: str
    conversation: str
    data: str
    attempts: int
    due_at: int


def put(tx: Tx, one: Connected) -> None:
    accounts.changed(tx)
    tx.run(
        "INSERT INTO crms (tenant, crm, adapter, door, cursor, since, rules) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, crm) DO UPDATE SET adapter = excluded.adapter, rules = excluded.rules, facts = NULL",
        one.tenant,
        one.id,
        one.adapter,
        one.door,
        one.cursor,
        one.since,
        json.dumps(dict(one.rules)),
    )


def connected(tx: Tx) -> list[Connected]:
    return [_connected(row) for row in tx.all("SELECT * FROM crms ORDER BY tenant, crm")]


def learnt(tx: Tx, one: Connected, facts: Facts) -> None:
    accounts.changed(tx)
    tx.run("UPDATE crms SET facts = ? WHERE tenant = ? AND crm = ?", facts.to_json(), one.tenant, one.id)


def told(tx: Tx, one: Connected, cursor: int) -> None:
    tx.run("UPDATE crms SET cursor = ? WHERE tenant = ? AND crm = ?", cursor, one.tenant, one.id)


def cursor(tx: Tx, one: Connected) -> int:
    row = tx.one("SELECT cursor FROM crms WHERE tenant = ? AND crm = ?", one.tenant, one.id)
    return int(row["cursor"]) if row else 0


def news(tx: Tx, one: Connected) -> str | None:
    """The CRM's own cursor up to which it has been polled; None if it never was."""
    row = tx.one("SELECT news FROM crms WHERE tenant = ? AND crm = ?", one.tenant, one.id)
    return row["news"] if row else None


def polled(tx: Tx, one: Connected, cursor: str | None) -> None:
    tx.run("UPDATE crms SET news = ? WHERE tenant = ? AND crm = ?", cursor, one.tenant, one.id)


# people


def keep_contact(tx: Tx, one: Connected, node: int, contact: str, data: str) -> None:
    """What the CRM knows of the person on this node, the newest."""
    tx.run(
        "INSERT INTO crm_contacts VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, crm, node, contact)"
        " DO UPDATE SET data = excluded.data",
        one.tenant,
        one.id,
        node,
        contact,
        data,
    )


def drop_contact(tx: Tx, one: Connected, node: int, contact: str) -> None:
    tx.run(
        "DELETE FROM crm_contacts WHERE tenant = ? AND crm = ? AND node = ? AND contact = ?",
        one.tenant,
        one.id,
        node,
        contact,
    )


def nodes_of(tx: Tx, one: Connected, contact: str) -> list[int]:
    """The accounts for whose owner the CRM takes this contact."""
    rows = tx.all(
        "SELECT node FROM crm_contacts WHERE tenant = ? AND crm = ? AND contact = ? ORDER BY node",
        one.tenant,
        one.id,
        contact,
    )
    return [row["node"] for row in rows]


def asked(tx: Tx, one: Connected, node: int) -> None:
    """The CRM has said whom it takes this account for."""
    tx.run("INSERT INTO crm_asked VALUES (?, ?, ?) ON CONFLICT DO NOTHING", one.tenant, one.id, node)


def contacts_of(tx: Tx, one: Connected, node: int) -> list[str] | None:
    """The contacts that the CRM has for an account; None if it has not been asked."""
    key = (one.tenant, one.id, node)
    if tx.one("SELECT 1 FROM crm_asked WHERE tenant = ? AND crm = ? AND node = ?", *key) is None:
        return None
    rows = tx.all("SELECT contact FROM crm_contacts WHERE tenant = ? AND crm = ? AND node = ?", *key)
    return [row["contact"] for row in rows]


def contacts(tx: Tx, tenant: str, customer: int) -> list[dict[str, object]]:
    """What every CRM knows of a customer."""
    rows = tx.all(
        "SELECT DISTINCT c.crm, c.contact, c.data FROM nodes n JOIN crm_contacts c"
        " ON c.tenant = n.tenant AND c.node = n.node WHERE n.tenant = ? AND n.customer = ? ORDER BY c.crm, c.contact",
        tenant,
        customer,
    )
    return [{"crm": row["crm"], "contact": row["contact"], **json.loads(row["data"])} for row in rows]


# cases


def keep_case(tx: Tx, one: Connected, conversation: str, case: str, url: str | None = None) -> None:
    tx.run(
        "INSERT INTO crm_cases (tenant, crm, conversation, case_ref, url, gone) VALUES (?, ?, ?, ?, ?, 0)"
        " ON CONFLICT (tenant, crm, conversation) DO UPDATE SET case_ref = excluded.case_ref, url = excluded.url,"
        " gone = 0",
        one.tenant,
        one.id,
        conversation,
        case,
        url,
    )


def case_gone(tx: Tx, one: Connected, case: str) -> None:
    tx.run("UPDATE crm_cases SET gone = 1 WHERE tenant = ? AND crm = ? AND case_ref = ?", one.tenant, one.id, case)


def case_merged(tx: Tx, one: Connected, case: str, into: str) -> None:
    sql = "UPDATE crm_cases SET case_ref = ?, url = NULL WHERE tenant = ? AND crm = ? AND case_ref = ?"
    tx.run(sql, into, one.tenant, one.id, case)


def case_of(tx: Tx, one: Connected, conversation: str) -> Case | None:
    row = tx.one(
        "SELECT case_ref, url, gone FROM crm_cases WHERE tenant = ? AND crm = ? AND conversation = ?",
        one.tenant,
        one.id,
        conversation,
    )
    return Case(row["case_ref"], row["url"], row["gone"] == 1) if row else None


def conversation_of(tx: Tx, one: Connected, case: str) -> str | None:
    """The newest, if cases of several were merged there."""
    row = tx.one(
        "SELECT k.conversation FROM crm_cases k JOIN conversations c"
        " ON c.tenant = k.tenant AND c.conversation = k.conversation"
        " WHERE k.tenant = ? AND k.crm = ? AND k.case_ref = ? ORDER BY c.updated_at DESC, c.conversation LIMIT 1",
        one.tenant,
        one.id,
        case,
    )
    return row["conversation"] if row else None


# records


def keep_record(tx: Tx, one: Connected, seq: int, part: str, conversation: str, case: str, record: str) -> None:
    """The record that is our interaction `seq` there, or its `part`: the number of an attachment."""
    tx.run(
        "INSERT INTO crm_records (tenant, crm, seq, part, conversation, case_ref, record) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, crm, seq, part) DO UPDATE SET case_ref = excluded.case_ref, record = excluded.record",
        one.tenant,
        one.id,
        seq,
        part,
        conversation,
        case,
        record,
    )


def record_of(tx: Tx, one: Connected, seq: int, part: str = "") -> tuple[str, str] | None:
    """Case and record."""
    row = tx.one(
        "SELECT case_ref, record FROM crm_records WHERE tenant = ? AND crm = ? AND seq = ? AND part = ?",
        one.tenant,
        one.id,
        seq,
        part,
    )
    return (row["case_ref"], row["record"]) if row else None


def records_of_erased(tx: Tx, one: Connected, erasure: str, case: str) -> list[tuple[int, str, str]]:
    """Number, part and record of what must go from a case in which others speak, too; attachments last."""
    rows = tx.all(
        "SELECT seq, part, record FROM crm_records WHERE tenant = ? AND crm = ? AND erasure = ? AND case_ref = ?"
        " ORDER BY part, seq",
        one.tenant,
        one.id,
        erasure,
        case,
    )
    return [(row["seq"], row["part"], row["record"]) for row in rows]


def forget_record(tx: Tx, one: Connected, seq: int, part: str) -> None:
    sql = "DELETE FROM crm_records WHERE tenant = ? AND crm = ? AND seq = ? AND part = ?"
    tx.run(sql, one.tenant, one.id, seq, part)


def is_ours(tx: Tx, one: Connected, record: str) -> bool:
    sql = "SELECT 1 AS one FROM crm_records WHERE tenant = ? AND crm = ? AND record = ? LIMIT 1"
    return tx.one(sql, one.tenant, one.id, record) is not None


def any_record(tx: Tx, one: Connected, conversation: str, case: str) -> bool:
    """Whether the case has taken anything yet."""
    row = tx.one(
        "SELECT 1 AS one FROM crm_records WHERE tenant = ? AND crm = ? AND conversation = ? AND case_ref = ? LIMIT 1",
        one.tenant,
        one.id,
        conversation,
        case,
    )
    return row is not None


# fields


def fields_of(tx: Tx, one: Connected, conversation: str) -> dict[str, tuple[str, int]]:
    """What both sides agreed on last, and since when."""
    rows = tx.all(
        "SELECT field, value, at FROM crm_fields WHERE tenant = ? AND crm = ? AND conversation = ?",
        one.tenant,
        one.id,
        conversation,
    )
    return {row["field"]: (row["value"], row["at"]) for row in rows}


def agree(tx: Tx, one: Connected, conversation: str, field: str, value: str, at: int) -> None:
    tx.run(
        "INSERT INTO crm_fields (tenant, crm, conversation, field, value, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, crm, conversation, field) DO UPDATE SET value = excluded.value, at = excluded.at",
        one.tenant,
        one.id,
        conversation,
        field,
        value,
        at,
    )


# what waits for its files


def wait(tx: Tx, one: Connected, event: str, conversation: str, data: str, at: int) -> None:
    tx.run(
        "INSERT INTO crm_waiting (tenant, crm, event, conversation, data, at, attempts, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, 0, 0) ON CONFLICT DO NOTHING",
        one.tenant,
        one.id,
        event,
        conversation,
        data,
        at,
    )


def any_waiting(tx: Tx, one: Connected, conversation: str) -> bool:
    sql = "SELECT 1 AS one FROM crm_waiting WHERE tenant = ? AND crm = ? AND conversation = ? LIMIT 1"
    return tx.one(sql, one.tenant, one.id, conversation) is not None


def waiting(tx: Tx, one: Connected, limit: int) -> list[Waiting]:
    """The oldest of every conversation, due or not."""
    rows = tx.all(
        "SELECT * FROM crm_waiting w WHERE tenant = ? AND crm = ? AND NOT EXISTS (SELECT 1 FROM crm_waiting o"
        " WHERE o.tenant = w.tenant AND o.crm = w.crm AND o.conversation = w.conversation"
        " AND (o.at < w.at OR (o.at = w.at AND o.event < w.event))) ORDER BY at, event LIMIT ?",
        one.tenant,
        one.id,
        limit,
    )
    return [Waiting(row["event"], row["conversation"], row["data"], row["attempts"], row["due_at"]) for row in rows]


def wait_longer(tx: Tx, one: Connected, event: str, due_at: int) -> None:
    sql = "UPDATE crm_waiting SET attempts = attempts + 1, due_at = ? WHERE tenant = ? AND crm = ? AND event = ?"
    tx.run(sql, due_at, one.tenant, one.id, event)


def waits_no_longer(tx: Tx, one: Connected, event: str) -> None:
    tx.run("DELETE FROM crm_waiting WHERE tenant = ? AND crm = ? AND event = ?", one.tenant, one.id, event)


def _connected(row: Row) -> Connected:
    facts = Facts.model_validate_json(row["facts"]) if row["facts"] else None
    rules = json.loads(row["rules"])
    return Connected(row["tenant"], row["crm"], row["adapter"], row["door"], row["cursor"], row["since"], rules, facts)
