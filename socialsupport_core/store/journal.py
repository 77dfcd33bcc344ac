"""The journal: every accepted payload, before anything else happens to it."""

import json
from dataclasses import dataclass
from typing import Literal

from socialsupport_core.model import Payload
from socialsupport_core.store.database import Row, Tx, micros, moment

State = Literal["waiting", "recorded", "ignored", "quarantined"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One journalled payload. `tenant` is None when it came through the door of an app that serves many."""

    number: int
    tenant: str | None
    door: str
    payload: Payload
    state: str
    reason: str | None


def append(tx: Tx, tenant: str | None, door: str, payload: Payload) -> int:
    return tx.insert(
        "INSERT INTO journal (tenant, door, source, method, url, headers, body, received_at, state)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'waiting')",
        tenant,
        door,
        payload.source,
        payload.method,
        payload.url,
        json.dumps(payload.headers),
        payload.body,
        micros(payload.received_at),
    )


def waiting(tx: Tx, limit: int) -> list[Entry]:
    return [
        _entry(row) for row in tx.all("SELECT * FROM journal WHERE state = 'waiting' ORDER BY entry LIMIT ?", limit)
    ]


def get(tx: Tx, number: int) -> Entry | None:
    row = tx.one("SELECT * FROM journal WHERE entry = ?", number)
    return _entry(row) if row else None


def settle(tx: Tx, number: int, state: State, reason: str | None, events: int) -> None:
    """`events` counts what was recorded; `reason` says why it was ignored or quarantined, if only in part."""
    tx.run("UPDATE journal SET state = ?, reason = ?, events = ? WHERE entry = ?", state, reason, events, number)


def reopen(tx: Tx, number: int | None = None, tenant: str | None = None) -> int:
    """Puts quarantined entries, or the one given, back to waiting; their number."""
    if number is not None:
        return tx.run("UPDATE journal SET state = 'waiting', reason = NULL WHERE entry = ?", number)
    return tx.run(
        "UPDATE journal SET state = 'waiting', reason = NULL WHERE state = 'quarantined' AND (? IS NULL OR tenant = ?)",
        tenant,
        tenant,
    )


def by_state(tx: Tx, state: State, limit: int, tenant: str | None = None) -> list[Entry]:
    """The newest first."""
    rows = tx.all(
        "SELECT * FROM journal WHERE state = ? AND (? IS NULL OR tenant = ?) ORDER BY entry DESC LIMIT ?",
        state,
        tenant,
        tenant,
        limit,
    )
    return [_entry(row) for row in rows]


def counts(tx: Tx) -> dict[str, int]:
    """Entries by state, `accepted` in total, and what no state explains (always 0)."""
    found = {row["state"]: row["n"] for row in tx.all("SELECT state, count(*) AS n FROM journal GROUP BY state")}
    known = {state: found.get(state, 0) for state in ("waiting", "recorded", "ignored", "quarantined")}
    top = tx.one("SELECT count(*) AS n FROM journal")
    accepted = top["n"] if top else 0
    return {"accepted": accepted, **known, "unexplained": accepted - sum(known.values())}


def count_refused(tx: Tx, door: str) -> None:
    """A forged payload leaves nothing but this."""
    tx.run(
        "INSERT INTO refused (door, count) VALUES (?, 1) ON CONFLICT (door) DO UPDATE SET count = count + 1",
        door,
    )


def refused(tx: Tx) -> int:
    row = tx.one("SELECT coalesce(sum(count), 0) AS n FROM refused")
    return int(row["n"]) if row else 0


def _entry(row: Row) -> Entry:
    payload = Payload(
        source=row["source"],
        method=row["method"],
        url=row["url"],
        headers=tuple((name, value) for name, value in json.loads(row["headers"])),
        body=row["body"],
        received_at=moment(row["received_at"]),
    )
    return Entry(row["entry"], row["tenant"], row["door"], payload, row["state"], row["reason"])
