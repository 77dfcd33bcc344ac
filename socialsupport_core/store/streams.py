"""How far each stream is, so that whoever owns it next goes on from there."""

from dataclasses import dataclass

from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE streams (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, kept_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stream's state as JSON, and when something was last kept, or it began, in microseconds since 1970."""

    state: str
    kept_at: int


def put(tx: Tx, tenant: str, channel: str, state: str, at: int, *, kept: bool) -> None:
    """`kept`: there is something to keep beside it, so that nothing before is missed."""
    tx.run(
        "INSERT INTO streams (tenant, channel, state, kept_at) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, channel)"
        " DO UPDATE SET state = excluded.state,"
        " kept_at = CASE WHEN ? = 1 THEN excluded.kept_at ELSE streams.kept_at END",
        tenant,
        channel,
        state,
        at,
        int(kept),
    )


def get(tx: Tx, tenant: str, channel: str) -> Kept | None:
    row = tx.one("SELECT state, kept_at FROM streams WHERE tenant = ? AND channel = ?", tenant, channel)
    return Kept(row["state"], row["kept_at"]) if row else None


def forget(tx: Tx, tenant: str, channel: str) -> None:
    tx.run("DELETE FROM streams WHERE tenant = ? AND channel = ?", tenant, channel)
