"""The outbox: every intent, part by part, before, while and after it is sent. The states are a table."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from socialsupport_core.model import INTENT, Intent
from socialsupport_core.store.database import Row, Tx

PER_CHANNEL = 8  # sends under way at the same time, so that one network that hangs leaves room for the others
State = Literal["queued", "sending", "retrying", "sent", "failed", "uncertain"]

NEXT: dict[str, frozenset[str]] = {
    "queued": frozenset({"sending", "failed", "sent"}),
    "retrying": frozenset({"sending", "failed", "sent"}),
    "sending": frozenset({"sent", "failed", "retrying", "uncertain"}),
    "uncertain": frozenset({"sent", "failed", "queued"}),
    "sent": frozenset(),
    "failed": frozenset({"queued", "sent"}),
}
"""From each state to those that may follow; an echo proves any of them `sent`.

Only a person brings `uncertain` or `failed` back to `queued`.
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one reply: one message on the network."""

    tenant: str
    key: str
    number: int
    channel: str
    thread: str
    conversation: str
    seq: int | None
    intent: Intent
    agent: str
    state: str
    attempts: int
    due_at: int
    error: str | None
    code: str | None
    created_at: int


def add(tx: Tx, part: Part) -> bool:
    """False if the key is known: the same reply twice is one."""
    return bool(
        tx.run(
            "INSERT INTO outbox (tenant, part, number, channel, thread, conversation, seq, intent, agent, state,"
            " attempts, due_at, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?)"
            " ON CONFLICT DO NOTHING",
            part.tenant,
            part.key,
            part.number,
            part.channel,
            part.thread,
            part.conversation,
            part.seq,
            part.intent.to_json(),
            part.agent,
            part.due_at,
            part.created_at,
        )
    )


def claim(
    tx: Tx,
    now: int,
    limit: int,
    under_way: Mapping[tuple[str, str], int] = MappingProxyType({}),
    worker: str = "",
    until: int = 0,
) -> list[Part]:
    """Takes what is due, at most one of a thread, the oldest first; marks it as being sent by this worker until then.

    `under_way` counts by tenant and channel: one that has `PER_CHANNEL` already gets no more, a paused one none.

    A part waits behind any earlier one of its thread that is not settled, so order holds per thread and a
    thread in trouble holds up nobody else.
    """
    full = [value for key, count in under_way.items() if count >= PER_CHANNEL for value in key]
    marks = ", ".join(["(?, ?)"] * (len(full) // 2))
    unless_full = f" AND (o.tenant, o.channel) NOT IN (VALUES {marks})" if full else ""
    rows = tx.all(
        "SELECT * FROM outbox o WHERE state IN ('queued', 'retrying') AND due_at <= ? AND NOT EXISTS ("
        " SELECT 1 FROM outbox e WHERE e.tenant = o.tenant AND e.channel = o.channel AND e.thread = o.thread"
        " AND e.number < o.number AND e.state IN ('queued', 'sending', 'retrying')) AND NOT EXISTS ("
        " SELECT 1 FROM channels c WHERE c.tenant = o.tenant AND c.channel = o.channel AND c.state = 'paused')"
        f"{unless_full} ORDER BY number LIMIT ?{tx.claiming}",
        now,
        *full,
        limit,
    )
    rows = _with_room(rows, under_way)
    for row in rows:
        tx.run(
            "UPDATE outbox SET state = 'sending', attempts = attempts + 1, worker = ?, lease_until = ?"
            " WHERE tenant = ? AND part = ?",
            worker,
            until,
            row["tenant"],
            row["part"],
        )
    return [_part(row) for row in rows]


def _with_room(rows: list[Row], under_way: Mapping[tuple[str, str], int]) -> list[Row]:
    room = Counter(under_way)
    taken = []
    for row in rows:
        key = row["tenant"], row["channel"]
        if room[key] < PER_CHANNEL:
            room[key] += 1
            taken.append(row)
    return taken


def renew(tx: Tx, worker: str, until: int, parts: Iterable[Part]) -> None:
    """Whoever lives keeps what it is sending; what it has claimed without knowing it keeps its own time."""
    tx.many(
        "UPDATE outbox SET lease_until = ? WHERE tenant = ? AND part = ? AND worker = ? AND state = 'sending'",
        [(until, part.tenant, part.key, worker) for part in parts],
    )


def abandon(tx: Tx, worker: str | None = None) -> None:
    """Gives back what this worker, or any, was sending."""
    tx.run(
        "UPDATE outbox SET lease_until = 0 WHERE state = 'sending' AND (CAST(? AS TEXT) IS NULL OR worker = ?)",
        worker,
        worker,
    )


def any_abandoned(tx: Tx, now: int) -> bool:
    """Whether any part's worker seems dead."""
    return tx.one("SELECT 1 FROM outbox WHERE state = 'sending' AND lease_until <= ? LIMIT 1", now) is not None


def abandoned(tx: Tx, now: int) -> list[Part]:
    """Parts whose worker does not live any more."""
    sql = "SELECT * FROM outbox WHERE state = 'sending' AND lease_until <= ? ORDER BY number"
    return [_part(row) for row in tx.all(f"{sql}{tx.claiming}", now)]


def next_due(tx: Tx) -> int | None:
    row = tx.one("SELECT min(due_at) AS due FROM outbox WHERE state IN ('queued', 'retrying')")
    return row["due"] if row else None


def hurry(tx: Tx, tenant: str, channel: str, now: int) -> int:
    """What waits to be tried again on this channel is due now: its trouble is over. The number of parts."""
    return tx.run(
        "UPDATE outbox SET due_at = ? WHERE tenant = ? AND channel = ? AND state = 'retrying' AND due_at > ?",
        now,
        tenant,
        channel,
        now,
    )


def move(
    tx: Tx, part: Part, state: State, *, error: str | None = None, code: str | None = None, due_at: int = 0
) -> bool:
    """Moves on as `NEXT` allows; False if somebody has moved it elsewhere already.

    A worker that was taken for dead says nothing about the attempt of whoever took over, unless the part was sent.
    """
    allowed = [old for old, new in NEXT.items() if state in new]
    marks = ", ".join("?" * len(allowed))
    return bool(
        tx.run(
            f"UPDATE outbox SET state = ?, error = ?, code = ?, due_at = ? WHERE tenant = ? AND part = ?"
            f" AND state IN ({marks}) AND (? = 'sent' OR state <> 'sending' OR attempts <= ?)",
            state,
            error,
            code,
            due_at,
            part.tenant,
            part.key,
            *allowed,
            state,
            part.attempts + 1,
        )
    )


def get(tx: Tx, tenant: str, key: str) -> Part | None:
    row = tx.one("SELECT * FROM outbox WHERE tenant = ? AND part = ?", tenant, key)
    return _part(row) if row else None


def parts_of(tx: Tx, tenant: str, key: str) -> list[Part]:
    """All parts of the reply with this key, which holds no slash."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND (part = ? OR (part > ? AND part < ?)) ORDER BY number",
        tenant,
        key,
        key + "/",
        key + "0",  # the character after the slash
    )
    return [_part(row) for row in rows]


def in_state(tx: Tx, *states: State) -> list[Part]:
    marks = ", ".join("?" * len(states))
    rows = tx.all(f"SELECT * FROM outbox WHERE state IN ({marks}) ORDER BY number", *states)
    return [_part(row) for row in rows]


def unsettled(tx: Tx, tenant: str, channel: str, thread: str) -> list[Part]:
    """Parts of the thread whose end is not known, the oldest first: an echo may settle one of them."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        " AND state IN ('uncertain', 'sending') ORDER BY number",
        tenant,
        channel,
        thread,
    )
    return [_part(row) for row in rows]


def unshown(tx: Tx, tenant: str, channel: str, thread: str) -> list[Part]:
    """Parts of the thread that stand in no timeline until they are sent, such as what opens a private thread."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        " AND seq IS NULL AND state <> 'sent' ORDER BY number",
        tenant,
        channel,
        thread,
    )
    return [_part(row) for row in rows]


def failed_since(tx: Tx, tenant: str, conversations: Iterable[str], since: int) -> Part | None:
    """The newest part of these conversations that failed, if it was written after that moment."""
    wanted = sorted(set(conversations))
    row = tx.one(
        "SELECT * FROM outbox WHERE tenant = ? AND state = 'failed' AND created_at > ?"
        f" AND conversation IN ({', '.join('?' * len(wanted))}) ORDER BY number DESC LIMIT 1",
        tenant,
        since,
        *wanted,
    )
    return _part(row) if row else None


def counts(tx: Tx) -> dict[str, int]:
    rows = tx.all("SELECT state, count(*) AS n FROM outbox GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


def asked(tx: Tx, part: Part) -> list[tuple[str, dict[str, Any] | None]]:
    """The asks of the flow so far: the digest of each, and its answer if there was one."""
    rows = tx.all(
        "SELECT digest, answer FROM asks WHERE tenant = ? AND part = ? ORDER BY position",
        part.tenant,
        part.key,
    )
    return [(row["digest"], json.loads(row["answer"]) if row["answer"] else None) for row in rows]


def ask(tx: Tx, part: Part, position: int, digest: str) -> bool:
    """Noted before the call. False if the part has been erased: then there is nothing to send any more."""
    if get(tx, part.tenant, part.key) is None:
        return False
    tx.run(
        "INSERT INTO asks (tenant, part, position, digest) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, part, position) DO UPDATE SET digest = excluded.digest",
        part.tenant,
        part.key,
        position,
        digest,
    )
    return True


def answer(tx: Tx, part: Part, position: int, content: dict[str, Any]) -> None:
    """Noted after the call."""
    tx.run(
        "UPDATE asks SET answer = ? WHERE tenant = ? AND part = ? AND position = ?",
        json.dumps(content),
        part.tenant,
        part.key,
        position,
    )


def forget_asks(tx: Tx, part: Part, since: int = 0) -> None:
    tx.run("DELETE FROM asks WHERE tenant = ? AND part = ? AND position >= ?", part.tenant, part.key, since)


def _part(row: Row) -> Part:
    return Part(
        row["tenant"],
        row["part"],
        row["number"],
        row["channel"],
        row["thread"],
        row["conversation"],
        row["seq"],
        INTENT.validate_json(row["intent"]),
        row["agent"],
        row["state"],
        row["attempts"],
        row["due_at"],
        row["error"],
        row["code"],
        row["created_at"],
    )
