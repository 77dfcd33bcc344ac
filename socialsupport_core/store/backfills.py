"""Histories that are being read back: how far each is, so that a process that dies loses no page."""

from dataclasses import dataclass
from typing import Literal

from socialsupport_core.store.database import Row, Tx

State = Literal["running", "done", "failed"]

TABLES = """
CREATE TABLE backfills (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, since INTEGER NOT NULL, cause TEXT NOT NULL, cursor TEXT,
  state TEXT NOT NULL, pages INTEGER NOT NULL, payloads INTEGER NOT NULL, attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL, reason TEXT, started_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Backfill:
    """The newest of a channel. Times are microseconds since 1970."""

    tenant: str
    channel: str
    since: int
    cause: str
    """`asked`, or `gap`."""
    cursor: str | None
    state: State
    pages: int
    payloads: int
    attempts: int
    """In a row that brought nothing."""
    due_at: int
    reason: str | None
    started_at: int
    updated_at: int


def put(tx: Tx, one: Backfill) -> None:
    tx.run(
        "INSERT INTO backfills VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, channel) DO UPDATE"
        " SET since = excluded.since, cause = excluded.cause, cursor = excluded.cursor, state = excluded.state,"
        " pages = excluded.pages, payloads = excluded.payloads, attempts = excluded.attempts,"
        " due_at = excluded.due_at, reason = excluded.reason, started_at = excluded.started_at,"
        " updated_at = excluded.updated_at",
        *(getattr(one, name) for name in Backfill.__slots__),
    )


def get(tx: Tx, tenant: str, channel: str) -> Backfill | None:
    row = tx.one("SELECT * FROM backfills WHERE tenant = ? AND channel = ?", tenant, channel)
    return _backfill(row) if row else None


def of_tenant(tx: Tx, tenant: str) -> dict[str, Backfill]:
    rows = tx.all("SELECT * FROM backfills WHERE tenant = ?", tenant)
    return {row["channel"]: _backfill(row) for row in rows}


def due(tx: Tx, now: int) -> list[Backfill]:
    """Those that can go on, whoever has waited longest first."""
    sql = "SELECT * FROM backfills WHERE state = 'running' AND due_at <= ? ORDER BY updated_at, tenant, channel"
    return [_backfill(row) for row in tx.all(sql, now)]


def forget(tx: Tx, tenant: str, channel: str) -> None:
    tx.run("DELETE FROM backfills WHERE tenant = ? AND channel = ?", tenant, channel)


def _backfill(row: Row) -> Backfill:
    return Backfill(*(row[name] for name in Backfill.__slots__))
