"""How each tenant wants identities to be resolved, as JSON; nothing for whoever takes the default."""

from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE identity_policies (tenant TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID;
"""


def get(tx: Tx, tenant: str) -> str | None:
    known = tx.memo("identity_policies")
    if tenant not in known:
        row = tx.one("SELECT policy FROM identity_policies WHERE tenant = ?", tenant)
        known[tenant] = row["policy"] if row else None
    found: str | None = known[tenant]
    return found


def put(tx: Tx, tenant: str, policy: str | None) -> bool:
    """True if that is a change."""
    if get(tx, tenant) == policy:
        return False
    tx.run("DELETE FROM identity_policies WHERE tenant = ?", tenant)
    if policy is not None:
        tx.run("INSERT INTO identity_policies (tenant, policy) VALUES (?, ?)", tenant, policy)
    return True
