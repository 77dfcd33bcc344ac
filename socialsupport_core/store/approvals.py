"""Replies that wait for a second person: what would go out, which rules ask for it, and what became of it."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from socialsupport_core.model import INTENT, Intent

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE approvals (
  tenant TEXT NOT NULL, approval TEXT NOT NULL, key TEXT NOT NULL, leg INTEGER NOT NULL, node INTEGER NOT NULL,
  agent TEXT NOT NULL, intent TEXT NOT NULL, rules TEXT NOT NULL, state TEXT NOT NULL, heard_at INTEGER,
  asked_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, decided_by TEXT, decided_at INTEGER, word TEXT,
  edited INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, approval), UNIQUE (tenant, key)) WITHOUT ROWID;
CREATE INDEX approvals_by_state ON approvals (state, expires_at);
CREATE INDEX approvals_by_leg ON approvals (tenant, leg);
CREATE INDEX approvals_by_node ON approvals (tenant, node);
"""

State = Literal["waiting", "approved", "refused", "withdrawn", "expired"]


@dataclass(frozen=True, slots=True)
class Approval:
    """One reply. `intent` is what would go out; `heard_at` when the customer had spoken last as it was written."""

    tenant: str
    id: str
    key: str
    leg: int
    node: int
    agent: str
    intent: Intent
    rules: tuple[dict[str, Any], ...]
    state: str
    heard_at: int | None
    asked_at: int
    expires_at: int
    decided_by: str | None = None
    decided_at: int | None = None
    word: str | None = None
    edited: bool = False


def add(tx: "Tx", one: Approval) -> bool:
    """False if its key is known."""
    return bool(
        tx.run(
            "INSERT INTO approvals (tenant, approval, key, leg, node, agent, intent, rules, state, heard_at, asked_at,"
            " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?) ON CONFLICT (tenant, key) DO NOTHING",
            one.tenant,
            one.id,
            one.key,
            one.leg,
            one.node,
            one.agent,
            one.intent.to_json(),
            json.dumps(one.rules),
            one.heard_at,
            one.asked_at,
            one.expires_at,
        )
    )


def get(tx: "Tx", tenant: str, approval: str) -> Approval | None:
    row = tx.one("SELECT * FROM approvals WHERE tenant = ? AND approval = ?", tenant, approval)
    return _approval(row) if row else None


def by_key(tx: "Tx", tenant: str, key: str) -> Approval | None:
    row = tx.one("SELECT * FROM approvals WHERE tenant = ? AND key = ?", tenant, key)
    return _approval(row) if row else None


def waiting(tx: "Tx", tenant: str, limit: int) -> list[Approval]:
    """Whoever has waited longest first."""
    sql = "SELECT * FROM approvals WHERE tenant = ? AND state = 'waiting' ORDER BY asked_at, approval LIMIT ?"
    return [_approval(row) for row in tx.all(sql, tenant, limit)]


def decided(tx: "Tx", tenant: str, limit: int) -> list[Approval]:
    """The newest decision first."""
    sql = "SELECT * FROM approvals WHERE tenant = ? AND state <> 'waiting' ORDER BY decided_at DESC, approval LIMIT ?"
    return [_approval(row) for row in tx.all(sql, tenant, limit)]


def on_legs(tx: "Tx", tenant: str, legs: Collection[int], since: int) -> list[Approval]:
    """What waits there, and what was refused or has expired since then."""
    wanted = sorted(legs)
    rows = tx.all(
        f"SELECT * FROM approvals WHERE tenant = ? AND leg IN ({', '.join('?' * len(wanted))})"
        " AND (state = 'waiting' OR (state IN ('refused', 'expired') AND decided_at >= ?)) ORDER BY asked_at, approval",
        tenant,
        *wanted,
        since,
    )
    return [_approval(row) for row in rows]


def decide(
    tx: "Tx", one: Approval, state: State, by: str, at: int, word: str | None = None, intent: Intent | None = None
) -> bool:
    """False if somebody has decided it already. `intent` if it goes out otherwise than it was written."""
    return bool(
        tx.run(
            "UPDATE approvals SET state = ?, decided_by = ?, decided_at = ?, word = ?, intent = ?, edited = ?"
            " WHERE tenant = ? AND approval = ? AND state = 'waiting'",
            state,
            by,
            at,
            word,
            (intent or one.intent).to_json(),
            int(intent is not None),
            one.tenant,
            one.id,
        )
    )


def due(tx: "Tx", now: int, limit: int = 100) -> list[Approval]:
    """Those that have waited for too long."""
    sql = "SELECT * FROM approvals WHERE state = 'waiting' AND expires_at <= ? ORDER BY expires_at LIMIT ?"
    return [_approval(row) for row in tx.all(sql, now, limit)]


def forget(tx: "Tx", before: int) -> int:
    """What was decided before that."""
    return tx.run("DELETE FROM approvals WHERE state <> 'waiting' AND decided_at < ?", before)


def any_before(tx: "Tx", before: int) -> bool:
    sql = "SELECT 1 AS one FROM approvals WHERE state <> 'waiting' AND decided_at < ? LIMIT 1"
    return tx.one(sql, before) is not None


def may_approve(tx: "Tx", tenant: str, agent: str) -> bool:
    """Whether a person other than this agent has a token that may."""
    row = tx.one(
        "SELECT 1 AS one FROM tokens t JOIN agents a ON a.tenant = t.tenant AND a.agent = t.agent"
        " WHERE t.tenant = ? AND t.agent <> ? AND a.is_bot <> 1 AND (' ' || t.scopes || ' ') LIKE ? LIMIT 1",
        tenant,
        agent,
        "% approve %",
    )
    return row is not None


def _approval(row: "Row") -> Approval:
    return Approval(
        row["tenant"],
        row["approval"],
        row["key"],
        row["leg"],
        row["node"],
        row["agent"],
        INTENT.validate_json(row["intent"]),
        tuple(json.loads(row["rules"])),
        row["state"],
        row["heard_at"],
        row["asked_at"],
        row["expires_at"],
        row["decided_by"],
        row["decided_at"],
        row["word"],
        bool(row["edited"]),
    )
