"""Outgoing webhooks: who listens, how far each has been told, and which events wait in which lane.

An event is first taken up: the endpoint's cursor moves past it and it waits in its lane, both in one commit. A
lane holds what must stay in order. It is gone as soon as all that waits in it has been delivered, so what is kept
is bounded by what waits. Whoever settles something changes the endpoint's own row first: that row is the lock.
A lane under way names its worker, who renews it; whoever has lost it settles nothing.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE webhooks (
  tenant TEXT NOT NULL REFERENCES tenants, webhook TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL, types TEXT,
  description TEXT NOT NULL, open_network INTEGER NOT NULL, state TEXT NOT NULL, reason TEXT,
  created_at INTEGER NOT NULL, cursor INTEGER NOT NULL, round INTEGER NOT NULL, waiting INTEGER NOT NULL,
  not_before INTEGER NOT NULL, failures INTEGER NOT NULL, delivered_at INTEGER,
  PRIMARY KEY (tenant, webhook)) WITHOUT ROWID;
CREATE TABLE webhook_lanes (
  tenant TEXT NOT NULL, webhook TEXT NOT NULL, lane TEXT NOT NULL, attempts INTEGER NOT NULL,
  due_at INTEGER NOT NULL, tried_at INTEGER, reason TEXT, worker TEXT,
  PRIMARY KEY (tenant, webhook, lane)) WITHOUT ROWID;
CREATE INDEX webhook_lanes_due ON webhook_lanes (tenant, webhook, due_at);
CREATE TABLE webhook_waiting (
  tenant TEXT NOT NULL, webhook TEXT NOT NULL, lane TEXT NOT NULL, cursor INTEGER NOT NULL,
  PRIMARY KEY (tenant, webhook, lane, cursor)) WITHOUT ROWID;
"""

State = Literal["active", "paused", "dead", "gone"]
"""`paused` by an agent, `dead` after the last attempt, `gone` when it answered 410."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Who listens. `cursor` is the log entry up to which events have been delivered or wait in their lanes."""

    tenant: str
    id: str
    url: str
    source: str
    """Whose events they are, for as long as the endpoint lasts: with the id it names an event."""
    types: frozenset[str] | None
    """None: all of them."""
    description: str
    open_network: bool
    """Private addresses and plain http are allowed."""
    state: State
    reason: str | None
    created_at: int
    cursor: int
    round: int = 0
    """Counts replays: what was under way before one settles nothing after it."""
    waiting: int = 0
    not_before: int = 0
    failures: int = 0
    """Attempts that failed since the last delivery, in whatever lane."""
    delivered_at: int | None = None

    @property
    def key(self) -> tuple[str, str]:
        return self.tenant, self.id

    @property
    def secret_ref(self) -> str:
        return f"webhook/{self.tenant}/{self.id}"

    def wants(self, type_: str) -> bool:
        return self.types is None or type_ in self.types


@dataclass(frozen=True, slots=True)
class Busy:
    """An endpoint for which there is something to do now."""

    endpoint: Endpoint
    behind: bool
    """The log holds more than it has taken up."""
    due: bool
    lanes: int
    """Those that hold anything."""


@dataclass(frozen=True, slots=True)
class Lane:
    """What must stay in order, at its first event."""

    tenant: str
    webhook: str
    name: str
    round: int
    cursor: int
    attempts: int
    tried_at: int | None
    worker: str

    @property
    def key(self) -> tuple[str, str, str]:
        return self.tenant, self.webhook, self.name


@dataclass(frozen=True, slots=True)
class Held:
    """A lane in trouble, as it is shown."""

    lane: str
    cursor: int
    attempts: int
    due_at: int
    reason: str


# endpoints


def add(tx: "Tx", one: Endpoint) -> bool:
    """False if there is one with this id already."""
    return bool(
        tx.run(
            "INSERT INTO webhooks (tenant, webhook, url, source, types, description, open_network, state, created_at,"
            " cursor, round, waiting, not_before, failures) VALUES (?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, 0, 0, 0, 0)"
            " ON CONFLICT DO NOTHING",
            one.tenant,
            one.id,
            one.url,
            one.source,
            _written(one.types),
            one.description,
            int(one.open_network),
            one.created_at,
            one.cursor,
        )
    )


def change(tx: "Tx", one: Endpoint) -> None:
    """What an operator chooses; how far it has been told stays."""
    tx.run(
        "UPDATE webhooks SET url = ?, types = ?, description = ?, open_network = ? WHERE tenant = ? AND webhook = ?",
        one.url,
        _written(one.types),
        one.description,
        int(one.open_network),
        *one.key,
    )


def remove(tx: "Tx", tenant: str, webhook: str) -> bool:
    _forget_waiting(tx, tenant, webhook)
    return bool(tx.run("DELETE FROM webhooks WHERE tenant = ? AND webhook = ?", tenant, webhook))


def get(tx: "Tx", tenant: str, webhook: str) -> Endpoint | None:
    row = tx.one("SELECT * FROM webhooks WHERE tenant = ? AND webhook = ?", tenant, webhook)
    return _endpoint(row) if row else None


def of_tenant(tx: "Tx", tenant: str) -> list[Endpoint]:
    return [_endpoint(row) for row in tx.all("SELECT * FROM webhooks WHERE tenant = ? ORDER BY webhook", tenant)]


def dead(tx: "Tx") -> list[Endpoint]:
    rows = tx.all("SELECT * FROM webhooks WHERE state = 'dead' ORDER BY tenant, webhook")
    return [_endpoint(row) for row in rows]


def held(tx: "Tx", tenant: str, webhook: str, limit: int) -> list[Held]:
    """Lanes in trouble, the oldest event first."""
    rows = tx.all(
        "SELECT l.lane, l.attempts, l.due_at, l.reason, (SELECT min(w.cursor) FROM webhook_waiting w"
        " WHERE w.tenant = l.tenant AND w.webhook = l.webhook AND w.lane = l.lane) AS cursor"
        " FROM webhook_lanes l WHERE l.tenant = ? AND l.webhook = ? AND l.attempts > 0 ORDER BY cursor LIMIT ?",
        tenant,
        webhook,
        limit,
    )
    return [Held(row["lane"], row["cursor"], row["attempts"], row["due_at"], row["reason"] or "") for row in rows]


def set_state(tx: "Tx", tenant: str, webhook: str, state: State, reason: str | None) -> bool:
    """True if that is a change. Whatever waits stays as it is."""
    return bool(
        tx.run(
            "UPDATE webhooks SET state = ?, reason = ? WHERE tenant = ? AND webhook = ? AND state <> ?",
            state,
            reason,
            tenant,
            webhook,
            state,
        )
    )


def resume(tx: "Tx", tenant: str, webhook: str, now: int) -> bool:
    """Everything that waits is due, as if for the first time. True if it was not active."""
    changed = set_state(tx, tenant, webhook, "active", None)
    tx.run("UPDATE webhooks SET not_before = 0, failures = 0 WHERE tenant = ? AND webhook = ?", tenant, webhook)
    tx.run(
        "UPDATE webhook_lanes SET attempts = 0, due_at = ?, tried_at = NULL, reason = NULL"
        " WHERE tenant = ? AND webhook = ? AND attempts > 0 AND worker IS NULL",
        now,
        tenant,
        webhook,
    )
    return changed


def replay(tx: "Tx", tenant: str, webhook: str, after: int) -> None:
    """Begins again behind the cursor; what is under way settles nothing any more."""
    tx.run(
        "UPDATE webhooks SET state = 'active', reason = NULL, cursor = ?, round = round + 1, waiting = 0,"
        " not_before = 0, failures = 0 WHERE tenant = ? AND webhook = ?",
        after,
        tenant,
        webhook,
    )
    _forget_waiting(tx, tenant, webhook)


def _forget_waiting(tx: "Tx", tenant: str, webhook: str) -> None:
    tx.run("DELETE FROM webhook_waiting WHERE tenant = ? AND webhook = ?", tenant, webhook)
    tx.run("DELETE FROM webhook_lanes WHERE tenant = ? AND webhook = ?", tenant, webhook)


# delivering


def busy(tx: "Tx", now: int) -> list[Busy]:
    """Active endpoints with something to do; one look each, however much waits."""
    rows = tx.all(
        "SELECT w.*, (SELECT max(l.cursor) FROM log l WHERE l.tenant = w.tenant) AS newest,"
        " (SELECT min(d.due_at) FROM webhook_lanes d WHERE d.tenant = w.tenant AND d.webhook = w.webhook) AS due,"
        " (SELECT count(*) FROM webhook_lanes h WHERE h.tenant = w.tenant AND h.webhook = w.webhook) AS lanes"
        " FROM webhooks w WHERE w.state = 'active' AND w.not_before <= ?",
        now,
    )
    found = [_busy(row, now) for row in rows]
    return [one for one in found if one.behind or one.due]


def take(tx: "Tx", one: Endpoint, until: int, wanted: Sequence[tuple[str, int]], now: int) -> bool:
    """Moves the cursor and puts events (lane and cursor) into their lanes. False if somebody else has moved it."""
    moved = tx.run(
        "UPDATE webhooks SET cursor = ?, waiting = waiting + ?"
        " WHERE tenant = ? AND webhook = ? AND cursor = ? AND round = ? AND state = 'active'",
        until,
        len(wanted),
        *one.key,
        one.cursor,
        one.round,
    )
    if not moved:
        return False
    tx.many(
        "INSERT INTO webhook_waiting (tenant, webhook, lane, cursor) VALUES (?, ?, ?, ?)",
        [(*one.key, lane, cursor) for lane, cursor in wanted],
    )
    tx.many(
        "INSERT INTO webhook_lanes (tenant, webhook, lane, attempts, due_at) VALUES (?, ?, ?, 0, ?)"
        " ON CONFLICT (tenant, webhook, lane) DO NOTHING",
        [(*one.key, lane, now) for lane in dict.fromkeys(lane for lane, _ in wanted)],
    )
    return True


def claim(
    tx: "Tx", one: Endpoint, worker: str, now: int, lease: int, limit: int, under_way: Collection[tuple[str, str, str]]
) -> list[Lane]:
    """Lanes that are due, each for this worker until `lease`; the oldest first.

    The endpoint is locked before its lanes, here as everywhere: who took them the other way round would lock each other
    out.
    """
    rows = tx.all(
        "SELECT l.*, (SELECT min(w.cursor) FROM webhook_waiting w"
        " WHERE w.tenant = l.tenant AND w.webhook = l.webhook AND w.lane = l.lane) AS cursor"
        " FROM webhook_lanes l WHERE l.tenant = ? AND l.webhook = ? AND l.due_at <= ? ORDER BY l.due_at LIMIT ?",
        *one.key,
        now,
        limit + len(under_way),
    )
    free = [row for row in rows if (*one.key, row["lane"]) not in under_way][:limit]
    if not free or not _locked(tx, *one.key, one.round):
        return []
    return [_lane(row, one.round, worker) for row in free if _lease(tx, row, worker, lease)]


def _lease(tx: "Tx", row: "Row", worker: str, lease: int) -> bool:
    """False if another worker was quicker."""
    return bool(
        tx.run(
            "UPDATE webhook_lanes SET due_at = ?, worker = ?"
            " WHERE tenant = ? AND webhook = ? AND lane = ? AND due_at = ?",
            lease,
            worker,
            row["tenant"],
            row["webhook"],
            row["lane"],
            row["due_at"],
        )
    )


def renew(tx: "Tx", lane: Lane, lease: int) -> None:
    tx.run(
        "UPDATE webhook_lanes SET due_at = ? WHERE tenant = ? AND webhook = ? AND lane = ? AND worker = ?",
        lease,
        *lane.key,
        lane.worker,
    )


def release(tx: "Tx", lane: Lane, now: int) -> None:
    """Gives a lane back untried."""
    if _is_locked(tx, lane):
        _leave(tx, lane, lane.attempts, now, lane.tried_at)


def abandon(tx: "Tx", worker: str | None = None) -> None:
    """Makes due what this worker, or any, had under way."""
    tx.run(
        "UPDATE webhook_lanes SET due_at = 0, worker = NULL"
        " WHERE worker IS NOT NULL AND (CAST(? AS TEXT) IS NULL OR worker = ?)",
        worker,
        worker,
    )


def settle(tx: "Tx", lane: Lane, now: int, lease: int, *, delivered: bool, trouble: int) -> Lane | None:
    """The lane's first event is done with: delivered, or gone from the log. The lane at its next event, or None.

    When an endpoint answers again after `trouble` failures in a row, everything that it holds up is due at once.
    """
    if not _is_locked(tx, lane):
        return None
    one = get(tx, lane.tenant, lane.webhook)
    assert one is not None
    gone = tx.run(
        "DELETE FROM webhook_waiting WHERE tenant = ? AND webhook = ? AND lane = ? AND cursor = ? AND EXISTS"
        " (SELECT 1 FROM webhook_lanes l WHERE l.tenant = ? AND l.webhook = ? AND l.lane = ? AND l.worker = ?)",
        *lane.key,
        lane.cursor,
        *lane.key,
        lane.worker,
    )
    if not gone:
        return None
    tx.run("UPDATE webhooks SET waiting = waiting - ? WHERE tenant = ? AND webhook = ?", gone, *one.key)
    if delivered:
        _delivered(tx, one, now, trouble)
    return _next(tx, lane, now, lease, one.state)


def _delivered(tx: "Tx", one: Endpoint, now: int, trouble: int) -> None:
    tx.run("UPDATE webhooks SET delivered_at = ?, failures = 0 WHERE tenant = ? AND webhook = ?", now, *one.key)
    if one.failures >= trouble:
        tx.run(
            "UPDATE webhook_lanes SET due_at = ? WHERE tenant = ? AND webhook = ? AND attempts > 0 AND due_at > ?"
            " AND worker IS NULL",
            now,
            *one.key,
            now,
        )


def _next(tx: "Tx", lane: Lane, now: int, lease: int, state: State) -> Lane | None:
    row = tx.one(
        "SELECT min(cursor) AS cursor FROM webhook_waiting WHERE tenant = ? AND webhook = ? AND lane = ?", *lane.key
    )
    if row is None or row["cursor"] is None:
        tx.run("DELETE FROM webhook_lanes WHERE tenant = ? AND webhook = ? AND lane = ?", *lane.key)
        return None
    following = replace(lane, cursor=row["cursor"], attempts=0, tried_at=None)
    if state != "active":
        _leave(tx, following, 0, now, None)
        return None
    _set_lane(tx, following, 0, lease, None, None, lane.worker)
    return following


def fail(tx: "Tx", lane: Lane, now: int, due: int, reason: str, not_before: int) -> Endpoint | None:
    """The lane waits until `due`, the whole endpoint until `not_before`. The endpoint, None if it has moved on."""
    if not _is_locked(tx, lane) or not _leave(tx, lane, lane.attempts + 1, due, now, reason):
        return None
    tx.run(
        "UPDATE webhooks SET failures = failures + 1,"
        " not_before = CASE WHEN not_before < ? THEN ? ELSE not_before END WHERE tenant = ? AND webhook = ?",
        not_before,
        not_before,
        lane.tenant,
        lane.webhook,
    )
    return get(tx, lane.tenant, lane.webhook)


def _is_locked(tx: "Tx", lane: Lane) -> bool:
    return _locked(tx, lane.tenant, lane.webhook, lane.round)


def _locked(tx: "Tx", tenant: str, webhook: str, round_: int) -> bool:
    """False if the endpoint is gone or was replayed since."""
    sql = "UPDATE webhooks SET round = round WHERE tenant = ? AND webhook = ? AND round = ?"
    return bool(tx.run(sql, tenant, webhook, round_))


def _leave(tx: "Tx", lane: Lane, attempts: int, due: int, tried_at: int | None, reason: str | None = None) -> bool:
    return _set_lane(tx, lane, attempts, due, tried_at, reason, None)


def _set_lane(
    tx: "Tx", lane: Lane, attempts: int, due: int, tried_at: int | None, reason: str | None, worker: str | None
) -> bool:
    """False if it is somebody else's by now."""
    return bool(
        tx.run(
            "UPDATE webhook_lanes SET attempts = ?, due_at = ?, tried_at = ?, reason = ?, worker = ?"
            " WHERE tenant = ? AND webhook = ? AND lane = ? AND worker = ?",
            attempts,
            due,
            tried_at,
            reason,
            worker,
            *lane.key,
            lane.worker,
        )
    )


# rows


def _written(types: Iterable[str] | None) -> str | None:
    return None if types is None else json.dumps(sorted(types))


def _endpoint(row: "Row") -> Endpoint:
    return Endpoint(
        row["tenant"],
        row["webhook"],
        row["url"],
        row["source"],
        None if row["types"] is None else frozenset(json.loads(row["types"])),
        row["description"],
        bool(row["open_network"]),
        row["state"],
        row["reason"],
        row["created_at"],
        row["cursor"],
        row["round"],
        row["waiting"],
        row["not_before"],
        row["failures"],
        row["delivered_at"],
    )


def _busy(row: "Row", now: int) -> Busy:
    behind = (row["newest"] or 0) > row["cursor"]
    due = row["due"] is not None and row["due"] <= now
    return Busy(_endpoint(row), behind, due, row["lanes"])


def _lane(row: "Row", round_: int, worker: str) -> Lane:
    return Lane(
        row["tenant"],
        row["webhook"],
        row["lane"],
        round_,
        row["cursor"],
        row["attempts"],
        row["tried_at"],
        worker,
    )
