"""CRMs: which are connected, how far each has been told, and what they know of people."""

import json
from dataclasses import dataclass

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

    @property
    def secret_ref(self) -> str:
        return f"crm/{self.tenant}/{self.id}"


def put(tx: Tx, one: Connected) -> None:
    accounts.changed(tx)
    tx.run(
        "INSERT INTO crms VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, crm) DO UPDATE SET adapter = excluded.adapter",
        one.tenant,
        one.id,
        one.adapter,
        one.door,
        one.cursor,
    )


def connected(tx: Tx) -> list[Connected]:
    return [_connected(row) for row in tx.all("SELECT * FROM crms ORDER BY tenant, crm")]


def told(tx: Tx, one: Connected, cursor: int) -> None:
    tx.run("UPDATE crms SET cursor = ? WHERE tenant = ? AND crm = ?", cursor, one.tenant, one.id)


def cursor(tx: Tx, one: Connected) -> int:
    row = tx.one("SELECT cursor FROM crms WHERE tenant = ? AND crm = ?", one.tenant, one.id)
    return int(row["cursor"]) if row else 0


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


def keep_case(tx: Tx, one: Connected, conversation: str, case: str) -> None:
    tx.run("INSERT INTO crm_cases VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", one.tenant, one.id, conversation, case)


def case_of(tx: Tx, one: Connected, conversation: str) -> str | None:
    row = tx.one(
        "SELECT case_ref FROM crm_cases WHERE tenant = ? AND crm = ? AND conversation = ?",
        one.tenant,
        one.id,
        conversation,
    )
    return row["case_ref"] if row else None


def conversation_of(tx: Tx, one: Connected, case: str) -> str | None:
    row = tx.one(
        "SELECT conversation FROM crm_cases WHERE tenant = ? AND crm = ? AND case_ref = ?", one.tenant, one.id, case
    )
    return row["conversation"] if row else None


def cases(tx: Tx, tenant: str, conversation: str) -> list[dict[str, str]]:
    rows = tx.all(
        "SELECT crm, case_ref FROM crm_cases WHERE tenant = ? AND conversation = ? ORDER BY crm", tenant, conversation
    )
    return [{"crm": row["crm"], "case": row["case_ref"]} for row in rows]


def _connected(row: Row) -> Connected:
    return Connected(row["tenant"], row["crm"], row["adapter"], row["door"], row["cursor"])
