"""How far each stream is, so that whoever owns it next goes on from there."""

from dataclasses import dataclass

from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE streams (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A stream's state as JSON, and when it was committed, in microseconds since 1970."""

    state: str
    at: int


def put(tx: Tx, tenant: str, channel: str, state: str, at: int) -> None:
    tx.run(
        "INSERT INTO streams (tenant, channel, state, at) VALUES (?, ?, ?, ?) ON CONFLICT (tenant, channel)"
        " DO UPDATE SET state = excluded.state, at = excluded.at",
        tenant,
        channel,
        state,
        at,
    )


def get(tx: Tx, tenant: str, channel: str) -> Kept | None:
    row = tx.one("SELECT state, at FROM streams WHERE tenant = ? AND channel = ?", tenant, channel)
    return Kept(row["state"], row["at"]) if row else None


def forget(tx: Tx, tenant: str, channel: str) -> None:
    tx.run("DELETE FROM streams WHERE tenant = ? AND channel = ?", tenant, channel)
