"""How long things are kept, by tenant, and what has had its time."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE retention (
  tenant TEXT PRIMARY KEY REFERENCES tenants, payloads INTEGER, interactions INTEGER, node INTEGER NOT NULL,
  swept_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX journal_with_payload ON journal (tenant, received_at) WHERE gone IS NULL;
CREATE INDEX early_by_age ON early (at);
"""


@dataclass(frozen=True, slots=True)
class Retention:
    """Microseconds for which things are kept; None is for ever."""

    tenant: str
    payloads: int | None
    interactions: int | None
    node: int = 0
    """The account up to which the present round over the interactions has come."""
    swept_at: int = 0
    """When the last round ended."""


def put(tx: "Tx", one: Retention) -> None:
    tx.run(
        "INSERT INTO retention (tenant, payloads, interactions, node, swept_at) VALUES (?, ?, ?, 0, 0)"
        " ON CONFLICT (tenant) DO UPDATE SET payloads = excluded.payloads, interactions = excluded.interactions,"
        " node = 0, swept_at = 0",
        one.tenant,
        one.payloads,
        one.interactions,
    )


def get(tx: "Tx", tenant: str) -> Retention:
    row = tx.one("SELECT * FROM retention WHERE tenant = ?", tenant)
    return _retention(row) if row else Retention(tenant, None, None)


def everyone(tx: "Tx") -> list[Retention]:
    return [_retention(row) for row in tx.all("SELECT * FROM retention ORDER BY tenant")]


def shared_payloads(tx: "Tx") -> int | None:
    """For what came through the door of an app that serves many: as long as the most patient tenant keeps its own."""
    row = tx.one(
        "SELECT max(r.payloads) AS longest, count(*) AS tenants, count(r.payloads) AS limited"
        " FROM tenants t LEFT JOIN retention r ON r.tenant = t.tenant"
    )
    return row["longest"] if row and row["tenants"] == row["limited"] else None


def old_payloads(tx: "Tx", tenant: str, before: int, limit: int) -> list[int]:
    """Entries that have been dealt with and still have their payload, the oldest first."""
    rows = tx.all(
        "SELECT entry FROM journal WHERE tenant = ? AND gone IS NULL AND received_at < ? AND state <> 'waiting'"
        " ORDER BY received_at LIMIT ?",
        tenant,
        before,
        limit,
    )
    return [row["entry"] for row in rows]


def count_old_payloads(tx: "Tx", tenant: str, before: int) -> int:
    sql = "SELECT count(*) AS n FROM journal WHERE tenant = ? AND gone IS NULL AND received_at < ?"
    row = tx.one(f"{sql} AND state <> 'waiting'", tenant, before)
    return int(row["n"]) if row else 0


def old_interactions(tx: "Tx", one: Retention, before: int, nodes: int, limit: int) -> tuple[list[int], int | None]:
    """Numbers of interactions from before then, of the next so many accounts, and the last account that was looked at
    to its end. None when there are no more accounts."""
    found: list[int] = []
    sql = "SELECT node FROM nodes WHERE tenant = ? AND node > ? ORDER BY node LIMIT ?"
    known = tx.all(sql, one.tenant, one.node, nodes)
    last: int | None = one.node if known else None
    for row in known:
        old = tx.all(
            "SELECT seq FROM interactions WHERE tenant = ? AND node = ? AND at < ? ORDER BY at, seq LIMIT ?",
            one.tenant,
            row["node"],
            before,
            limit - len(found) + 1,
        )
        found += [each["seq"] for each in old]
        if len(found) > limit:
            return found[:limit], last
        last = row["node"]
    return found, last


def note_round(tx: "Tx", one: Retention, node: int | None, now: int) -> None:
    """Where the round goes on; None ends it."""
    if node is None:
        tx.run("UPDATE retention SET node = 0, swept_at = ? WHERE tenant = ?", now, one.tenant)
    else:
        tx.run("UPDATE retention SET node = ? WHERE tenant = ?", node, one.tenant)


def expire_early(tx: "Tx", before: int, limit: int, reason: str) -> int:
    """Events that waited for an original which never came; the journal says so."""
    rows = tx.all("SELECT * FROM early WHERE at < ? ORDER BY at LIMIT ?", before, limit)
    for row in rows:
        tx.run(
            "DELETE FROM early WHERE tenant = ? AND channel = ? AND native_id = ? AND event = ?",
            row["tenant"],
            row["channel"],
            row["native_id"],
            row["event"],
        )
        tx.run("UPDATE journal SET reason = ? WHERE entry = ? AND gone IS NULL", reason, row["entry"])
    return len(rows)


def count_early(tx: "Tx", before: int) -> int:
    row = tx.one("SELECT count(*) AS n FROM early WHERE at < ?", before)
    return int(row["n"]) if row else 0


def _retention(row: "Row") -> Retention:
    return Retention(*(row[name] for name in Retention.__slots__))
