"""Who is asked how it went, and what they said: one row a matter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from socialsupport_core.store.erasures import marks_for

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE ratings (
  tenant TEXT NOT NULL, conversation TEXT NOT NULL, node INTEGER NOT NULL, agent TEXT NOT NULL, state TEXT NOT NULL,
  resolved_at INTEGER NOT NULL, due_at INTEGER, leg INTEGER, channel TEXT, thread TEXT, asked_at INTEGER,
  until INTEGER, seq INTEGER, value INTEGER, alone INTEGER NOT NULL DEFAULT 0, reason TEXT,
  PRIMARY KEY (tenant, conversation)) WITHOUT ROWID;
CREATE INDEX ratings_due ON ratings (tenant, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ratings_asked ON ratings (tenant, channel, thread) WHERE state = 'asked';
CREATE INDEX ratings_by_seq ON ratings (tenant, seq) WHERE seq IS NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that may be answered. `agent` resolved the matter."""

    conversation: str
    leg: int
    agent: str


def expect(tx: "Tx", tenant: str, conversation: str, node: int, agent: str, resolved_at: int, due_at: int) -> None:
    """It is to be asked then, unless it was before."""
    tx.run(
        "INSERT INTO ratings (tenant, conversation, node, agent, state, resolved_at, due_at)"
        " VALUES (?, ?, ?, ?, 'due', ?, ?) ON CONFLICT (tenant, conversation) DO UPDATE SET agent = excluded.agent,"
        " state = 'due', resolved_at = excluded.resolved_at, due_at = excluded.due_at, reason = NULL"
        " WHERE ratings.state IN ('due', 'left')",
        tenant,
        conversation,
        node,
        agent,
        resolved_at,
        due_at,
    )


def due(tx: "Tx", tenant: str, now: int, limit: int) -> "list[Row]":
    sql = "SELECT * FROM ratings WHERE tenant = ? AND due_at <= ? ORDER BY due_at, conversation LIMIT ?"
    return tx.all(sql, tenant, now, limit)


def get(tx: "Tx", tenant: str, conversation: str) -> "Row | None":
    return tx.one("SELECT * FROM ratings WHERE tenant = ? AND conversation = ?", tenant, conversation)


def was_asked(tx: "Tx", tenant: str, conversation: str) -> bool:
    """On one of its legs: conversations may have become one since."""
    row = tx.one(
        "SELECT 1 AS one FROM legs l JOIN ratings r ON r.tenant = l.tenant AND r.leg = l.leg"
        " WHERE l.tenant = ? AND l.conversation = ? LIMIT 1",
        tenant,
        conversation,
    )
    return row is not None


def leave(tx: "Tx", tenant: str, conversation: str, reason: str) -> None:
    """It is not asked. Resolved once more, it may be."""
    tx.run(
        "UPDATE ratings SET state = 'left', due_at = NULL, reason = ? WHERE tenant = ? AND conversation = ?",
        reason,
        tenant,
        conversation,
    )


def asked(
    tx: "Tx", tenant: str, conversation: str, leg: int, channel: str, thread: str, node: int, at: int, until: int
) -> None:
    tx.run(
        "UPDATE ratings SET state = 'asked', due_at = NULL, leg = ?, channel = ?, thread = ?, node = ?, asked_at = ?,"
        " until = ? WHERE tenant = ? AND conversation = ?",
        leg,
        channel,
        thread,
        node,
        at,
        until,
        tenant,
        conversation,
    )


def open_in(tx: "Tx", tenant: str, channel: str, thread: str, node: int, at: int) -> Asked | None:
    """The newest question that this account was asked in the thread and may answer then."""
    row = tx.one(
        "SELECT * FROM ratings WHERE tenant = ? AND channel = ? AND thread = ? AND state = 'asked' AND node = ?"
        " AND asked_at <= ? AND until >= ? ORDER BY asked_at DESC LIMIT 1",
        tenant,
        channel,
        thread,
        node,
        at,
        at,
    )
    return Asked(row["conversation"], row["leg"], row["agent"]) if row else None


def answered(tx: "Tx", tenant: str, conversation: str, seq: int, value: int, *, alone: bool) -> None:
    tx.run(
        "UPDATE ratings SET state = 'answered', seq = ?, value = ?, alone = ? WHERE tenant = ? AND conversation = ?",
        seq,
        value,
        int(alone),
        tenant,
        conversation,
    )


def verdicts(tx: "Tx", tenant: str, numbers: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """By interaction: the value, and whether nothing else was said."""
    if not numbers:
        return {}
    sql = f"SELECT seq, value, alone FROM ratings WHERE tenant = ? AND seq IN ({marks_for(numbers)})"
    return {row["seq"]: (row["value"], row["alone"] == 1) for row in tx.all(sql, tenant, *numbers)}
