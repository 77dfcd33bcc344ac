"""The outbox: every intent, part by part, before, while and after it is sent. The states are a table."""

import json
from collections.abc import Iterable, Iterator, Mapping
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

Only a person brings `uncertain` or `failed` back to `queued`. That what was `sent` has failed after all only the
network says: see `refuse`.
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

    @property
    def shown(self) -> dict[str, str]:
        """As it is called elsewhere: by its key, and by the id of its interaction, or by what it is if it is none."""
        return {"key": self.key} | ({"intent": self.intent.type} if self.seq is None else {"id": str(self.seq)})


def add(tx: Tx, part: Part) -> bool:
    """False if the key is known: the same reply twice is one."""
    return bool(
        tx.run(
            "INSERT INTO outbox (tenant, part, number, channel, thread, conversation, seq, intent, agent, state,"
            " attempts, due_at, created_at, ready) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?, ?)"
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
            int(not _first(tx, part.tenant, part.channel, part.thread)),
        )
    )


def _first(tx: Tx, tenant: str, channel: str, thread: str, limit: int = 1) -> list[Row]:
    """The earliest parts of the thread that are not settled: the others wait behind them."""
    return tx.all(
        "SELECT part, state, ready FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        " AND state IN ('queued', 'sending', 'retrying') ORDER BY number LIMIT ?",
        tenant,
        channel,
        thread,
        limit,
    )


def lead(tx: Tx, tenant: str, channel: str, thread: str) -> None:
    """Makes the earliest waiting part of the thread ready, and no other, after one of them has come or gone."""
    for position, row in enumerate(_first(tx, tenant, channel, thread, 2)):  # the second was the first until now
        ready = int(position == 0 and row["state"] != "sending")
        if ready != row["ready"]:
            tx.run("UPDATE outbox SET ready = ? WHERE tenant = ? AND part = ?", ready, tenant, row["part"])


def claim(
    tx: Tx,
    now: int,
    limit: int,
    under_way: Mapping[tuple[str, str], int] = MappingProxyType({}),
    worker: str = "",
    until: int = 0,
    after: tuple[str, str] = ("", ""),
) -> list[Part]:
    """Takes what is due, at most one of a thread; marks it as being sent by this worker until then.

    A part waits behind any earlier one of its thread that is not settled, so order holds per thread and a thread in
    trouble holds up nobody else. Channels have their turn one after another, from the one behind `after` on, however
    long their backlogs: one that has `PER_CHANNEL` parts `under_way` (by tenant and channel) gets no more, a paused
    one none.
    """
    taken: list[Row] = []
    for tenant, channel in _channels(tx, after):
        room = min(limit - len(taken), PER_CHANNEL - under_way.get((tenant, channel), 0))
        if room > 0:
            taken += _due(tx, tenant, channel, now, room)
        if len(taken) >= limit:
            break
    for row in taken:
        tx.run(
            "UPDATE outbox SET state = 'sending', ready = 0, attempts = attempts + 1, worker = ?, lease_until = ?"
            " WHERE tenant = ? AND part = ?",
            worker,
            until,
            row["tenant"],
            row["part"],
        )
    return [part_of(row) for row in taken]


def _channels(tx: Tx, after: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """Those with something ready, each once: a seek in the index for each."""
    paused = {(row["tenant"], row["channel"]) for row in tx.all("SELECT * FROM channels WHERE state = 'paused'")}
    for beyond, until in ((after, None), (("", ""), after)):
        one = beyond
        while (found := _next_channel(tx, one)) and (until is None or found <= until):
            if found not in paused:
                yield found
            one = found


def _next_channel(tx: Tx, one: tuple[str, str]) -> tuple[str, str] | None:
    """Asked for as a pair, SQLite would read all that is ready on the channel before."""
    tenant, channel = one
    for beyond, values in (("tenant = ? AND channel > ?", (tenant, channel)), ("tenant > ?", (tenant,))):
        row = tx.one(
            f"SELECT tenant, channel FROM outbox WHERE ready = 1 AND {beyond} ORDER BY tenant, channel LIMIT 1", *values
        )
        if row:
            return row["tenant"], row["channel"]
    return None


def _due(tx: Tx, tenant: str, channel: str, now: int, limit: int) -> list[Row]:
    return tx.all(
        "SELECT * FROM outbox WHERE ready = 1 AND tenant = ? AND channel = ? AND due_at <= ?"
        f" ORDER BY due_at, number LIMIT ?{tx.claiming}",
        tenant,
        channel,
        now,
        limit,
    )


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
    return [part_of(row) for row in tx.all(f"{sql}{tx.claiming}", now)]


def next_due(tx: Tx) -> int | None:
    """From an index whose condition is spelt so that no other statement is answered from it: a planner whose
    statistics know of nothing ready would take it for every question."""
    row = tx.one("SELECT min(due_at) AS due FROM outbox WHERE ready + 0 = 1")
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
    moved = tx.run(
        "UPDATE outbox SET state = ?, ready = ?, error = ?, code = ?, due_at = ? WHERE tenant = ? AND part = ?"
        f" AND state IN ({marks}) AND (? = 'sent' OR state <> 'sending' OR attempts <= ?)",
        state,
        int(state == "retrying"),  # it was the first of its thread, and still is
        error,
        code,
        due_at,
        part.tenant,
        part.key,
        *allowed,
        state,
        part.attempts + 1,
    )
    if moved and state != "retrying":
        lead(tx, part.tenant, part.channel, part.thread)
    return bool(moved)


def refuse(tx: Tx, part: Part, error: str | None, code: str | None) -> bool:
    """The network says that it could not deliver what it had taken; a person may send it again."""
    refused = tx.run(
        "UPDATE outbox SET state = 'failed', error = ?, code = ? WHERE tenant = ? AND part = ?"
        " AND state IN ('sent', 'uncertain')",
        error or "the network could not deliver it",
        code,
        part.tenant,
        part.key,
    )
    return bool(refused)


def get(tx: Tx, tenant: str, key: str) -> Part | None:
    row = tx.one("SELECT * FROM outbox WHERE tenant = ? AND part = ?", tenant, key)
    return part_of(row) if row else None


def parts_of(tx: Tx, tenant: str, key: str) -> list[Part]:
    """All parts of the reply with this key, which holds no slash."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND (part = ? OR (part > ? AND part < ?)) ORDER BY number",
        tenant,
        key,
        key + "/",
        key + "0",  # the character after the slash
    )
    return [part_of(row) for row in rows]


def in_state(tx: Tx, *states: State) -> list[Part]:
    marks = ", ".join("?" * len(states))
    rows = tx.all(f"SELECT * FROM outbox WHERE state IN ({marks}) ORDER BY number", *states)
    return [part_of(row) for row in rows]


def unsettled(tx: Tx, tenant: str, channel: str, thread: str) -> list[Part]:
    """Parts of the thread whose end is not known, the oldest first: an echo may settle one of them."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        " AND state IN ('uncertain', 'sending') ORDER BY number",
        tenant,
        channel,
        thread,
    )
    return [part_of(row) for row in rows]


def unshown(tx: Tx, tenant: str, channel: str, thread: str) -> list[Part]:
    """Parts of the thread that stand in no timeline until they are sent, such as what opens a private thread."""
    rows = tx.all(
        "SELECT * FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        " AND seq IS NULL AND state <> 'sent' ORDER BY number",
        tenant,
        channel,
        thread,
    )
    return [part for part in map(part_of, rows) if part.intent.type == "open.private"]


def counts(tx: Tx) -> dict[str, int]:
    rows = tx.all("SELECT state, count(*) AS n FROM outbox GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


def asked(tx: Tx, part: Part) -> dict[int, tuple[str, dict[str, Any] | None]]:
    """The asks of the flow so far, by position: the digest of each, and what came of it if that is known."""
    rows = tx.all("SELECT position, digest, answer FROM asks WHERE tenant = ? AND part = ?", part.tenant, part.key)
    return {row["position"]: (row["digest"], json.loads(row["answer"]) if row["answer"] else None) for row in rows}


def holds(tx: Tx, part: Part) -> bool:
    """Whether this is still the attempt for which the part was claimed; until the commit nobody takes it over."""
    return bool(
        tx.run(
            "UPDATE outbox SET worker = worker WHERE tenant = ? AND part = ? AND state = 'sending' AND attempts = ?",
            part.tenant,
            part.key,
            part.attempts + 1,
        )
    )


def ask(tx: Tx, part: Part, position: int, digest: str) -> None:
    """Noted before the call."""
    tx.run(
        "INSERT INTO asks (tenant, part, position, digest) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, part, position) DO UPDATE SET digest = excluded.digest, answer = NULL",
        part.tenant,
        part.key,
        position,
        digest,
    )


def answer(tx: Tx, part: Part, position: int, content: dict[str, Any]) -> None:
    """Noted after the call."""
    tx.run(
        "UPDATE asks SET answer = ? WHERE tenant = ? AND part = ? AND position = ?",
        json.dumps(content),
        part.tenant,
        part.key,
        position,
    )


def forget_asks(tx: Tx, part: Part) -> None:
    tx.run("DELETE FROM asks WHERE tenant = ? AND part = ?", part.tenant, part.key)


def forget_attempt(tx: Tx, part: Part) -> None:
    """It was certainly not done; what another attempt has noted since stays."""
    if holds(tx, part):
        forget_asks(tx, part)


def forget_ask(tx: Tx, part: Part, position: int) -> None:
    """It was certainly not done."""
    tx.run("DELETE FROM asks WHERE tenant = ? AND part = ? AND position = ?", part.tenant, part.key, position)


def part_of(row: Row) -> Part:
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
