"""Leases: who of several processes owns what only one may do, such as polling a channel.

A lease ends by itself when its holder dies. Its fence grows with each change of hands; whoever commits on the
strength of a lease checks the fence in the same transaction, so a holder that was only slow changes nothing.
"""

from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE leases (
  name TEXT PRIMARY KEY, worker TEXT NOT NULL, fence INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
"""


def hold(tx: Tx, name: str, worker: str, now: int, until: int) -> int | None:
    """Takes or renews it; its fence, None if somebody else holds it."""
    rows = tx.change(
        "INSERT INTO leases (name, worker, fence, until) VALUES (?, ?, 1, ?) ON CONFLICT (name) DO UPDATE SET"
        " fence = CASE WHEN leases.worker = excluded.worker THEN leases.fence ELSE leases.fence + 1 END,"
        " worker = excluded.worker, until = excluded.until"
        " WHERE leases.worker = excluded.worker OR leases.until < ? RETURNING fence",
        name,
        worker,
        until,
        now,
    )
    return int(rows[0]["fence"]) if rows else None


def confirm(tx: Tx, name: str, worker: str, fence: int) -> bool:
    """Whether it is still held, and stays so until the commit."""
    sql = "UPDATE leases SET until = until WHERE name = ? AND worker = ? AND fence = ?"
    return bool(tx.run(sql, name, worker, fence))


def release(tx: Tx, worker: str) -> None:
    tx.run("UPDATE leases SET until = 0 WHERE worker = ?", worker)


def release_all(tx: Tx) -> None:
    """For a store that only one process works on."""
    tx.run("UPDATE leases SET until = 0")
