"""How far each broker has been told of each tenant."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE fanouts (
  fanout TEXT NOT NULL, tenant TEXT NOT NULL, cursor INTEGER NOT NULL, due_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL, reason TEXT, worker TEXT, PRIMARY KEY (fanout, tenant)) WITHOUT ROWID;
"""

_ITSELF = ""  # the tenant of the row that says that a fan-out has been here before


@dataclass(frozen=True, slots=True)
class Feed:
    """One tenant's log on its way to one broker. `cursor` is the entry up to which the broker has it."""

    fanout: str
    tenant: str
    cursor: int
    attempts: int
    reason: str | None

    @property
    def key(self) -> tuple[str, str]:
        return self.fanout, self.tenant


def add(tx: "Tx", fanout: str, *, everything: bool) -> bool:
    """A new one begins with what happens from now on, or with `everything`. False if it has been here before."""
    if not _begin(tx, fanout, _ITSELF, 0):
        return False
    for row in tx.all(
        "SELECT tenant, (SELECT max(l.cursor) FROM log l WHERE l.tenant = t.tenant) AS top FROM tenants t"
    ):
        _begin(tx, fanout, row["tenant"], 0 if everything else row["top"] or 0)
    return True


def welcome(tx: "Tx", fanout: str) -> int:
    """Tenants that are new since are told from their beginning; how many."""
    rows = tx.all(
        "SELECT t.tenant FROM tenants t WHERE NOT EXISTS"
        " (SELECT 1 FROM fanouts f WHERE f.fanout = ? AND f.tenant = t.tenant)",
        fanout,
    )
    return sum(_begin(tx, fanout, row["tenant"], 0) for row in rows)


def _begin(tx: "Tx", fanout: str, tenant: str, cursor: int) -> int:
    return tx.run(
        "INSERT INTO fanouts (fanout, tenant, cursor, due_at, attempts) VALUES (?, ?, ?, 0, 0)"
        " ON CONFLICT (fanout, tenant) DO NOTHING",
        fanout,
        tenant,
        cursor,
    )


def rewind(tx: "Tx", fanout: str, tenant: str, after: int) -> bool:
    """Begins again behind the cursor. False if there is no such feed."""
    return bool(
        tx.run(
            "UPDATE fanouts SET cursor = ?, due_at = 0, attempts = 0, reason = NULL, worker = NULL"
            " WHERE fanout = ? AND tenant = ?",
            after,
            fanout,
            tenant,
        )
    )


def remove(tx: "Tx", fanout: str) -> bool:
    return bool(tx.run("DELETE FROM fanouts WHERE fanout = ?", fanout))


def is_new_to(tx: "Tx", fanout: str) -> bool:
    """Whether there is a tenant that it does not know."""
    row = tx.one(
        "SELECT 1 AS one FROM tenants t WHERE NOT EXISTS"
        " (SELECT 1 FROM fanouts f WHERE f.fanout = ? AND f.tenant = t.tenant) LIMIT 1",
        fanout,
    )
    return row is not None


def behind(tx: "Tx", fanout: str, now: int) -> list[Feed]:
    """The feeds for which there is something to hand on now."""
    rows = tx.all(
        "SELECT f.*, (SELECT max(l.cursor) FROM log l WHERE l.tenant = f.tenant) AS newest"
        " FROM fanouts f WHERE f.fanout = ? AND f.due_at <= ? ORDER BY f.tenant",
        fanout,
        now,
    )
    return [_feed(row) for row in rows if (row["newest"] or 0) > row["cursor"]]


def claim(tx: "Tx", feed: Feed, worker: str, now: int, lease: int) -> bool:
    """The feed is this worker's until `lease`. False if another was quicker."""
    return bool(
        tx.run(
            "UPDATE fanouts SET due_at = ?, worker = ? WHERE fanout = ? AND tenant = ? AND cursor = ? AND due_at <= ?",
            lease,
            worker,
            *feed.key,
            feed.cursor,
            now,
        )
    )


_HELD = " WHERE fanout = ? AND tenant = ? AND cursor = ? AND worker = ?"  # not rewound, nor taken over


def renew(tx: "Tx", feed: Feed, worker: str, lease: int) -> None:
    tx.run(f"UPDATE fanouts SET due_at = ?{_HELD}", lease, *feed.key, feed.cursor, worker)


def advance(tx: "Tx", feed: Feed, worker: str, cursor: int) -> None:
    """The broker has it. Nothing happens if the feed is not this worker's any more."""
    tx.run(
        f"UPDATE fanouts SET cursor = ?, due_at = 0, attempts = 0, reason = NULL, worker = NULL{_HELD}",
        cursor,
        *feed.key,
        feed.cursor,
        worker,
    )


def fail(tx: "Tx", feed: Feed, worker: str, due: int, reason: str) -> None:
    tx.run(
        f"UPDATE fanouts SET due_at = ?, attempts = attempts + 1, reason = ?, worker = NULL{_HELD}",
        due,
        reason,
        *feed.key,
        feed.cursor,
        worker,
    )


def release(tx: "Tx", feed: Feed, worker: str, now: int) -> None:
    tx.run(f"UPDATE fanouts SET due_at = ?, worker = NULL{_HELD}", now, *feed.key, feed.cursor, worker)


def abandon(tx: "Tx", worker: str | None = None) -> None:
    """Makes due what this worker, or any, was handing on."""
    tx.run(
        "UPDATE fanouts SET due_at = 0, worker = NULL"
        " WHERE worker IS NOT NULL AND (CAST(? AS TEXT) IS NULL OR worker = ?)",
        worker,
        worker,
    )


def failing(tx: "Tx", attempts: int) -> list[Feed]:
    """Those that have failed so many times in a row."""
    rows = tx.all("SELECT * FROM fanouts WHERE attempts >= ? ORDER BY fanout, tenant", attempts)
    return [_feed(row) for row in rows]


def _feed(row: "Row") -> Feed:
    return Feed(row["fanout"], row["tenant"], row["cursor"], row["attempts"], row["reason"])
