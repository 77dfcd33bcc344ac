"""Drafts: answers that somebody, mostly a machine, has written for a person to send. Nothing here is ever sent."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE drafts (
  tenant TEXT NOT NULL, draft TEXT NOT NULL, conversation TEXT NOT NULL, node INTEGER NOT NULL, leg INTEGER NOT NULL,
  text TEXT NOT NULL, private INTEGER NOT NULL, why TEXT, agent TEXT NOT NULL, source TEXT NOT NULL,
  at INTEGER NOT NULL, state TEXT NOT NULL, ended_at INTEGER, ended_by TEXT, part TEXT,
  PRIMARY KEY (tenant, draft)) WITHOUT ROWID;
CREATE INDEX drafts_by_conversation ON drafts (tenant, conversation, at);
"""

State = Literal["open", "sent", "discarded"]


@dataclass(frozen=True, slots=True)
class Draft:
    tenant: str
    id: str
    conversation: str
    node: int
    leg: int
    text: str
    private: bool
    """It opens a private thread with somebody who spoke in public."""
    why: str | None
    """The maker's own reason for it."""
    agent: str
    source: str
    """What made it: `mcp`, `api`."""
    at: int
    state: State = "open"
    ended_at: int | None = None
    ended_by: str | None = None
    """The person who sent or discarded it."""
    part: str | None = None
    """The key of the reply as which it was sent."""


def put(tx: "Tx", one: Draft) -> None:
    tx.run(
        "INSERT INTO drafts (tenant, draft, conversation, node, leg, text, private, why, agent, source, at, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        one.tenant,
        one.id,
        one.conversation,
        one.node,
        one.leg,
        one.text,
        int(one.private),
        one.why,
        one.agent,
        one.source,
        one.at,
        one.state,
    )


def get(tx: "Tx", tenant: str, draft: str) -> Draft | None:
    row = tx.one("SELECT * FROM drafts WHERE tenant = ? AND draft = ?", tenant, draft)
    return _draft(row) if row else None


def of_conversations(tx: "Tx", tenant: str, conversations: Collection[str], limit: int = 50) -> list[Draft]:
    """The newest first."""
    rows = tx.all(
        f"SELECT * FROM drafts WHERE tenant = ? AND conversation IN ({', '.join('?' * len(conversations))})"
        " ORDER BY at DESC, draft LIMIT ?",
        tenant,
        *sorted(conversations),
        limit,
    )
    return [_draft(row) for row in rows]


def end(tx: "Tx", one: Draft, state: State, by: str, at: int, part: str | None = None) -> bool:
    """False if somebody else has ended it before."""
    sql = (
        "UPDATE drafts SET state = ?, ended_at = ?, ended_by = ?, part = ?"
        " WHERE tenant = ? AND draft = ? AND state = 'open'"
    )
    return bool(tx.run(sql, state, at, by, part, one.tenant, one.id))


def forget_before(tx: "Tx", tenant: str, before: int) -> int:
    return tx.run("DELETE FROM drafts WHERE tenant = ? AND at < ?", tenant, before)


def _draft(row: "Row") -> Draft:
    return Draft(
        row["tenant"],
        row["draft"],
        row["conversation"],
        row["node"],
        row["leg"],
        row["text"],
        bool(row["private"]),
        row["why"],
        row["agent"],
        row["source"],
        row["at"],
        row["state"],
        row["ended_at"],
        row["ended_by"],
        row["part"],
    )
