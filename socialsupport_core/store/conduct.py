"""How a tenant wants conversations to be conducted: continuity, context and guard, as JSON."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE conduct (tenant TEXT PRIMARY KEY REFERENCES tenants, value TEXT NOT NULL) WITHOUT ROWID;
"""


def get(tx: "Tx", tenant: str) -> dict[str, Any]:
    """Empty where nothing was said."""
    row = tx.one("SELECT value FROM conduct WHERE tenant = ?", tenant)
    found: dict[str, Any] = json.loads(row["value"]) if row else {}
    return found


def put(tx: "Tx", tenant: str, value: dict[str, Any]) -> bool:
    """False if it was the same before."""
    if get(tx, tenant) == value:
        return False
    tx.run(
        "INSERT INTO conduct (tenant, value) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET value = excluded.value",
        tenant,
        json.dumps(value, sort_keys=True),
    )
    return True
