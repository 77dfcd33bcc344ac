"""When conversations began, hour by hour; what was told of; and who was told that nobody is there."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from socialsupport_core.store.erasures import marks_for

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE told_away (
  tenant TEXT NOT NULL, conversation TEXT NOT NULL, contact INTEGER NOT NULL, node INTEGER NOT NULL,
  at INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (tenant, conversation, contact)) WITHOUT ROWID;
CREATE INDEX told_away_by_node ON told_away (tenant, node, at);
CREATE TABLE openings (
  tenant TEXT NOT NULL, hour INTEGER NOT NULL, conversation TEXT NOT NULL,
  PRIMARY KEY (tenant, hour, conversation)) WITHOUT ROWID;
CREATE TABLE openings_read (tenant TEXT PRIMARY KEY, cursor INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE spikes (
  tenant TEXT NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL, at INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (tenant, hour)) WITHOUT ROWID;
"""
HOUR = 3_600_000_000
"""Microseconds; an hour is numbered from 1970."""

# who was told


def unacknowledged(tx: "Tx", tenant: str, since: int, limit: int) -> "list[Row]":
    """Whose customers wait since then, and were told nothing about it."""
    return tx.all(
        "SELECT c.* FROM conversations c LEFT JOIN told_away a ON a.tenant = c.tenant"
        " AND a.conversation = c.conversation AND a.contact = c.waiting_since WHERE c.tenant = ? AND c.status = 'open'"
        " AND c.waiting_since >= ? AND c.superseded_by IS NULL AND a.at IS NULL"
        " ORDER BY c.waiting_since, c.conversation LIMIT ?",
        tenant,
        since,
        limit,
    )


def was_told(tx: "Tx", tenant: str, nodes: Iterable[int], since: int) -> bool:
    """Whether any of these accounts was told since then."""
    wanted = sorted(set(nodes))
    row = tx.one(
        f"SELECT 1 AS one FROM told_away WHERE tenant = ? AND node IN ({marks_for(wanted)}) AND at > ?"
        " AND state = 'said' LIMIT 1",
        tenant,
        *wanted,
        since,
    )
    return row is not None


def acknowledge(tx: "Tx", tenant: str, conversation: str, contact: int, node: int, at: int, state: str) -> None:
    tx.run(
        "INSERT INTO told_away (tenant, conversation, contact, node, at, state) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, conversation, contact) DO NOTHING",
        tenant,
        conversation,
        contact,
        node,
        at,
        state,
    )


def first_answers(tx: "Tx", tenant: str, since: int, limit: int) -> list[tuple[int, int]]:
    """When recently answered conversations began, and when a person answered first; the newest first."""
    rows = tx.all(
        "SELECT c.conversation, c.opened_at, min(i.at) AS first FROM conversations c"
        " JOIN legs l ON l.tenant = c.tenant AND l.conversation = c.conversation"
        " JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node AND i.leg = l.leg AND i.direction = 'outbound'"
        " JOIN agents a ON a.tenant = i.tenant AND a.agent = i.agent AND a.is_bot = 0"
        " WHERE c.tenant = ? AND c.answered_at >= ? AND i.at >= c.opened_at"
        " GROUP BY c.conversation, c.opened_at ORDER BY min(i.at) DESC LIMIT ?",
        tenant,
        since,
        limit,
    )
    return [(row["opened_at"], row["first"]) for row in rows]


# openings


def take_in(tx: "Tx", tenant: str, limit: int) -> int:
    """Notes by the log when conversations began, from where it was read last; how much of the log."""
    known = tx.one("SELECT cursor FROM openings_read WHERE tenant = ?", tenant)
    rows = tx.all(
        "SELECT cursor, type, at, conversation FROM log WHERE tenant = ? AND cursor > ? ORDER BY cursor LIMIT ?",
        tenant,
        known["cursor"] if known else 0,
        limit,
    )
    if not rows:
        return 0
    opened = [row for row in rows if row["type"] == "conversation.opened" and row["conversation"]]
    tx.many(
        "INSERT INTO openings (tenant, hour, conversation) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(tenant, row["at"] // HOUR, row["conversation"]) for row in opened],
    )
    tx.run(
        "INSERT INTO openings_read (tenant, cursor) VALUES (?, ?) ON CONFLICT (tenant)"
        " DO UPDATE SET cursor = excluded.cursor",
        tenant,
        rows[-1]["cursor"],
    )
    return len(rows)


def unread(tx: "Tx", tenant: str) -> bool:
    known = tx.one("SELECT cursor FROM openings_read WHERE tenant = ?", tenant)
    sql = "SELECT 1 AS one FROM log WHERE tenant = ? AND cursor > ? LIMIT 1"
    return tx.one(sql, tenant, known["cursor"] if known else 0) is not None


def count(tx: "Tx", tenant: str, hour: int) -> int:
    row = tx.one("SELECT count(*) AS n FROM openings WHERE tenant = ? AND hour = ?", tenant, hour)
    return int(row["n"]) if row else 0


def first_hour(tx: "Tx", tenant: str) -> int | None:
    row = tx.one("SELECT min(hour) AS first FROM openings WHERE tenant = ?", tenant)
    return row["first"] if row else None


def began_in(tx: "Tx", tenant: str, first: int, last: int, limit: int) -> list[str]:
    """The newest conversations that began in these hours."""
    rows = tx.all(
        "SELECT conversation FROM openings WHERE tenant = ? AND hour >= ? AND hour <= ?"
        " ORDER BY hour DESC, conversation LIMIT ?",
        tenant,
        first,
        last,
        limit,
    )
    return [row["conversation"] for row in rows]


def forget_before(tx: "Tx", tenant: str, hour: int) -> None:
    tx.run("DELETE FROM openings WHERE tenant = ? AND hour < ?", tenant, hour)
    tx.run("DELETE FROM spikes WHERE tenant = ? AND hour < ?", tenant, hour)


# spikes


def spike(tx: "Tx", tenant: str, hour: int) -> int:
    """With how many conversations it was told of; 0 if it was not."""
    row = tx.one("SELECT count FROM spikes WHERE tenant = ? AND hour = ?", tenant, hour)
    return int(row["count"]) if row else 0


def put_spike(tx: "Tx", tenant: str, hour: int, counted: int, at: int, data: str) -> None:
    tx.run(
        "INSERT INTO spikes (tenant, hour, count, at, data) VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, hour)"
        " DO UPDATE SET count = excluded.count, at = excluded.at, data = excluded.data",
        tenant,
        hour,
        counted,
        at,
        data,
    )


def spikes(tx: "Tx", tenant: str, since: int) -> "list[Row]":
    return tx.all("SELECT * FROM spikes WHERE tenant = ? AND hour >= ? ORDER BY hour DESC", tenant, since)
