"""What routing has decided of each conversation, and which agents are there."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialsupport_core.store.erasures import chunks, marks_for

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE routing (
  tenant TEXT NOT NULL, conversation TEXT NOT NULL, agent TEXT, reason TEXT NOT NULL, team TEXT, step INTEGER NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (tenant, conversation)) WITHOUT ROWID;
CREATE TABLE agents_seen (
  tenant TEXT NOT NULL, agent TEXT NOT NULL, seen_at INTEGER NOT NULL, away_since INTEGER,
  PRIMARY KEY (tenant, agent)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Routed:
    """`agent` is to whom routing gave it last, None if nobody could have it. `team` is the group to which it was
    escalated, `step` how often."""

    tenant: str
    conversation: str
    agent: str | None
    reason: str
    team: str | None
    step: int
    at: int


@dataclass(frozen=True, slots=True)
class Seen:
    seen_at: int
    away_since: int | None
    """Since when the agent has signed off."""


def waiting(tx: "Tx", tenant: str, limit: int) -> "list[Row]":
    """Open conversations whose customers wait and that are nobody's: whoever has waited longest first."""
    return tx.all(
        "SELECT * FROM conversations WHERE tenant = ? AND status = 'open' AND waiting_since IS NOT NULL"
        " AND assignee IS NULL AND superseded_by IS NULL ORDER BY waiting_since, conversation LIMIT ?",
        tenant,
        limit,
    )


def held(tx: "Tx", tenant: str, limit: int) -> "list[Row]":
    """The same of those that are somebody's."""
    return tx.all(
        "SELECT * FROM conversations WHERE tenant = ? AND status = 'open' AND waiting_since IS NOT NULL"
        " AND assignee IS NOT NULL AND superseded_by IS NULL ORDER BY waiting_since, conversation LIMIT ?",
        tenant,
        limit,
    )


def loads(tx: "Tx", tenant: str) -> dict[str, int]:
    """Open conversations by agent."""
    rows = tx.all(
        "SELECT assignee, count(*) AS n FROM conversations WHERE tenant = ? AND status = 'open'"
        " AND assignee IS NOT NULL AND superseded_by IS NULL GROUP BY assignee",
        tenant,
    )
    return {row["assignee"]: int(row["n"]) for row in rows}


def given_last(tx: "Tx", tenant: str) -> dict[str, int]:
    """When routing gave each agent something last."""
    rows = tx.all(
        "SELECT agent, max(at) AS last FROM routing WHERE tenant = ? AND agent IS NOT NULL GROUP BY agent", tenant
    )
    return {row["agent"]: int(row["last"]) for row in rows}


def of(tx: "Tx", tenant: str, conversations: Collection[str]) -> dict[str, Routed]:
    rows = [
        row
        for part in chunks(sorted(conversations))
        for row in tx.all(
            f"SELECT * FROM routing WHERE tenant = ? AND conversation IN ({marks_for(part)})", tenant, *part
        )
    ]
    return {row["conversation"]: _routed(row) for row in rows}


def put(tx: "Tx", one: Routed) -> None:
    tx.run(
        "INSERT INTO routing (tenant, conversation, agent, reason, team, step, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, conversation) DO UPDATE SET agent = excluded.agent, reason = excluded.reason,"
        " team = excluded.team, step = excluded.step, at = excluded.at",
        one.tenant,
        one.conversation,
        one.agent,
        one.reason,
        one.team,
        one.step,
        one.at,
    )


def answered_by(tx: "Tx", tenant: str, nodes: Iterable[int], since: int) -> list[str]:
    """The agents who have answered these accounts, the last one first."""
    wanted = sorted(set(nodes))
    rows = tx.all(
        "SELECT agent, max(at) AS last FROM interactions WHERE tenant = ?"
        f" AND node IN ({marks_for(wanted)}) AND at >= ? AND direction = 'outbound' AND agent IS NOT NULL"
        " GROUP BY agent ORDER BY max(at) DESC, agent",
        tenant,
        *wanted,
        since,
    )
    return [row["agent"] for row in rows]


# who is there


def see(tx: "Tx", tenant: str, agent: str, at: int) -> None:
    tx.run(
        "INSERT INTO agents_seen (tenant, agent, seen_at) VALUES (?, ?, ?) ON CONFLICT (tenant, agent)"
        " DO UPDATE SET seen_at = excluded.seen_at",
        tenant,
        agent,
        at,
    )


def sign_off(tx: "Tx", tenant: str, agent: str, at: int, *, away: bool) -> bool:
    """False if that was known. Signing off again does not make the absence shorter."""
    before = seen(tx, tenant).get(agent)
    known = before is not None and before.away_since is not None
    tx.run(
        "INSERT INTO agents_seen (tenant, agent, seen_at, away_since) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, agent) DO UPDATE SET seen_at = excluded.seen_at, away_since = excluded.away_since",
        tenant,
        agent,
        at,
        None if not away else before.away_since if before and known else at,
    )
    return known != away


def seen(tx: "Tx", tenant: str) -> dict[str, Seen]:
    rows = tx.all("SELECT * FROM agents_seen WHERE tenant = ?", tenant)
    return {row["agent"]: Seen(row["seen_at"], row["away_since"]) for row in rows}


def _routed(row: Any) -> Routed:
    return Routed(row["tenant"], row["conversation"], row["agent"], row["reason"], row["team"], row["step"], row["at"])
