"""The journal: every accepted payload, before anything else happens to it."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json, to_json

from socialsupport_core.model import Payload
from socialsupport_core.model.payload import Headers
from socialsupport_core.store import tallies
from socialsupport_core.store.database import Row, Tx, micros, moment

AT_ONCE = 25  # tenants in one batch
PARTS = 4  # into which the tenants are divided, for so many processes at once
CLOSED = 5_000
"""Doors that a claim leaves out at most; a statement takes some ten thousand values. The others are quarantined."""
MANY = " "
"""In place of the tenant at the door of an app that serves many; no tenant is called that."""
Done = Literal["recorded", "ignored", "quarantined"]
State = Literal["waiting"] | Done
STATES: tuple[State, ...] = ("waiting", "recorded", "ignored", "quarantined")
_PREFIX = "journal."
"""Of the numbers in `tallies`."""


class Entry(NamedTuple):
    """One journalled payload. `tenant` is None when it came through the door of an app that serves many."""

    number: int
    tenant: str | None
    door: str
    payload: Payload
    state: str
    reason: str | None
    received_at: int
    """Of the payload, in microseconds since 1970."""


Accepted = tuple[str | None, str, Payload]
"""The tenant, None at the door of an app that serves many; the door; and what came."""


_APPEND = (
    "INSERT INTO journal (tenant, door, source, method, url, headers, body, received_at, state)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def append(tx: Tx, accepted: Iterable[Accepted]) -> None:
    rows = [_values(*one) for one in accepted]
    tx.many(_APPEND, rows)
    _count(tx, accepted=len(rows), waiting=len(rows))


def append_one(tx: Tx, tenant: str | None, door: str, payload: Payload) -> int:
    """The entry's number."""
    number = int(tx.change(f"{_APPEND} RETURNING entry", *_values(tenant, door, payload))[0]["entry"])
    _count(tx, accepted=1, waiting=1)
    return number


def _values(tenant: str | None, door: str, payload: Payload) -> tuple[Any, ...]:
    return (
        tenant or MANY,
        door,
        payload.source,
        payload.method,
        payload.url,
        _written(payload.headers),
        payload.body,
        micros(payload.received_at),
        "waiting",
    )


def _written(headers: Headers) -> str:
    try:
        return to_json(headers).decode()
    except ValueError:
        return json.dumps(headers)  # a lone surrogate, which it escapes


def _read(headers: str) -> Headers:
    try:
        found = from_json(headers)
    except ValueError:
        found = json.loads(headers)
    return tuple([(name, value) for name, value in found])


def claim(tx: Tx, limit: int, after: str = "", closed: Sequence[str] = ()) -> list[Entry]:
    """What waits, each tenant's oldest first, in equal shares; until the commit nobody else gets it.

    `after` is the tenant that was last served, so that however many wait, each has its turn. Where several processes
    work on the store, a batch is of some of the tenants, and nobody else claims from them until the commit: whoever
    records for the others does so at the same time. What came to the doors that are `closed` is left.
    """
    closed = closed[:CLOSED]
    tenants = _with_work(tx, after, closed) or _with_work(tx, "", closed)
    share = -(-limit // max(1, len(tenants) // (PARTS if tx.claiming else 1)))
    entries: list[Entry] = []
    for tenant in tenants:
        if len(entries) >= limit:
            break
        if tx.try_lock(_queue(tenant)):
            entries += _oldest(tx, tenant, min(share, limit - len(entries)), closed)
    if tenants and not entries:
        tx.lock(_queue(tenants[0]))  # all are being recorded for: the next turn is ours
        entries = _oldest(tx, tenants[0], limit, closed)
    return entries


def _queue(tenant: str) -> str:
    """What is locked while translating, when all else of the tenant goes on."""
    return f"journal {tenant}"


def hold(tx: Tx, tenant: str) -> None:
    """Nobody translates for the tenant until the commit."""
    tx.lock(_queue(tenant))


def _oldest(tx: Tx, tenant: str, limit: int, closed: Sequence[str]) -> list[Entry]:
    """The numbers are read from the index alone, in its order and from the tenant on, then the entries by number.
    Nothing else is left to the planner: one that knows nothing of a sudden backlog would go through all of it."""
    first = (
        f"SELECT tenant, entry FROM journal WHERE state = 'waiting'{_not_of(closed)} AND tenant >= ?"
        " ORDER BY tenant, entry LIMIT ?"
    )
    found = tx.all(f"SELECT entry FROM ({first}) AS first WHERE tenant = ?", *closed, tenant, limit, tenant)
    if not found:
        return []
    rows = tx.all(
        f"SELECT * FROM journal WHERE entry IN ({', '.join('?' * len(found))})"
        f" AND coalesce(state, '') = 'waiting' ORDER BY entry{tx.claiming}",
        *[row["entry"] for row in found],
    )
    return [entry_of(row) for row in rows]


def _not_of(doors: Sequence[str]) -> str:
    return f" AND door NOT IN ({', '.join('?' * len(doors))})" if doors else ""


def _with_work(tx: Tx, after: str, closed: Sequence[str]) -> list[str]:
    """Tenants with something waiting: a seek in the index for each, however long their backlogs are."""
    open_ = f"state = 'waiting'{_not_of(closed)}"
    rows = tx.all(
        "WITH RECURSIVE t (tenant, n) AS ("
        f" SELECT (SELECT tenant FROM journal WHERE {open_} AND tenant > ? ORDER BY tenant LIMIT 1), 1 UNION ALL"
        f" SELECT (SELECT j.tenant FROM journal j WHERE {open_} AND j.tenant > t.tenant ORDER BY j.tenant LIMIT 1),"
        " n + 1 FROM t WHERE t.tenant IS NOT NULL AND n < ?) SELECT tenant FROM t WHERE tenant IS NOT NULL",
        *closed,
        after,
        *closed,
        AT_ONCE,
    )
    return [row["tenant"] for row in rows]


def oldest_waiting(tx: Tx) -> int | None:
    """When the oldest payload came that is not recorded yet."""
    sql = "SELECT received_at FROM journal WHERE state = 'waiting' AND tenant = ? ORDER BY entry LIMIT 1"
    found: list[int] = []
    after = ""
    while tenants := _with_work(tx, after, ()):
        found += [row["received_at"] for tenant in tenants for row in tx.all(sql, tenant)]
        after = tenants[-1]
    return min(found, default=None)


def get(tx: Tx, number: int) -> Entry | None:
    row = tx.one("SELECT * FROM journal WHERE entry = ?", number)
    return entry_of(row) if row else None


def still_waiting(tx: Tx, numbers: Iterable[int]) -> set[int]:
    """Which of these nobody has settled meanwhile."""
    wanted = list(numbers)
    marks = ", ".join("?" * len(wanted))
    rows = tx.all(f"SELECT entry FROM journal WHERE state = 'waiting' AND entry IN ({marks})", *wanted)
    return {row["entry"] for row in rows}


def settle(tx: Tx, number: int, state: State, reason: str | None, events: int) -> None:
    """What was waiting. `events` counts what was recorded; `reason` says why it was ignored or quarantined, if only
    in part."""
    tx.amend(
        "UPDATE journal SET state = ?, reason = ?, events = ? WHERE entry = ?", number, (state, reason, events, number)
    )
    _move(tx, "waiting", state)


def reopen(tx: Tx, number: int | None = None, tenant: str | None = None) -> int:
    """Puts quarantined entries, or the one given, back to waiting; their number. Without its payload none is."""
    if number is not None:
        return _reopen_one(tx, number)
    count = tx.run(
        "UPDATE journal SET state = 'waiting', reason = NULL"
        " WHERE state = 'quarantined' AND state <> 'waiting' AND gone IS NULL"
        " AND (CAST(? AS TEXT) IS NULL OR tenant = ?)",
        tenant,
        tenant,
    )
    _move(tx, "quarantined", "waiting", count)
    return count


def _reopen_one(tx: Tx, number: int) -> int:
    known = tx.one("SELECT state FROM journal WHERE entry = ? AND gone IS NULL", number)
    if known is None:
        return 0
    sql = "UPDATE journal SET state = 'waiting', reason = NULL WHERE entry = ? AND state = ? AND gone IS NULL"
    count = tx.run(sql, number, known["state"])
    _move(tx, known["state"], "waiting", count)
    return count


_EMPTY = {
    "erased": "UPDATE journal SET url = '', headers = '[]', body = ?, gone = 'erased', reason = 'erased'"
    " WHERE entry = ?",
    "expired": "UPDATE journal SET url = '', headers = '[]', body = ?, gone = 'expired',"
    " reason = CASE WHEN reason IS NULL THEN 'expired' ELSE reason || '; expired' END WHERE entry = ?",
}


def empty(tx: Tx, numbers: Iterable[int], why: Literal["erased", "expired"]) -> None:
    """Takes body, headers and url away; state and counters stay. What is erased has no other reason: it may name
    somebody."""
    for number in numbers:
        tx.amend(_EMPTY[why], number, (b"", number))


def remove(tx: Tx, tenant: str) -> int:
    """All of the tenant's own, which are not counted any more either; how many."""
    rows = tx.all("SELECT state, count(*) AS n FROM journal WHERE tenant = ? GROUP BY state", tenant)
    found = {row["state"]: -int(row["n"]) for row in rows}
    _count(tx, accepted=sum(found.values()), **found)
    return tx.run("DELETE FROM journal WHERE tenant = ?", tenant)


def by_state(tx: Tx, state: Done, limit: int, tenant: str | None = None) -> list[Entry]:
    """The newest first."""
    rows = tx.all(
        "SELECT * FROM journal WHERE state = ? AND state <> 'waiting' AND (CAST(? AS TEXT) IS NULL OR tenant = ?)"
        " ORDER BY entry DESC LIMIT ?",
        state,
        tenant,
        tenant,
        limit,
    )
    return [entry_of(row) for row in rows]


def of_door(tx: Tx, door: str) -> list[Payload]:
    """Everything that came in there and is still kept, in order."""
    return [entry_of(row).payload for row in tx.all("SELECT * FROM journal WHERE door = ? ORDER BY entry", door)]


def counts(tx: Tx) -> dict[str, int]:
    """Entries by state, `accepted` in total, and what no state explains (always 0). Counted along, so it is quick."""
    found = tallies.of(tx, [_PREFIX + name for name in ("accepted", *STATES)])
    known = {name.removeprefix(_PREFIX): count for name, count in found.items()}
    return {**known, "unexplained": 2 * known["accepted"] - sum(known.values())}


def audited(tx: Tx) -> dict[str, int]:
    """The same by counting the entries themselves; `unexplained` are also those that were not counted along."""
    rows = tx.all(
        "SELECT state, count(*) AS n FROM journal WHERE state <> 'waiting' GROUP BY state"
        " UNION ALL SELECT 'waiting', count(*) FROM journal WHERE state = 'waiting'"
    )
    found = {row["state"]: row["n"] for row in rows}
    known = {"accepted": sum(found.values())} | {state: found.get(state, 0) for state in STATES}
    along = counts(tx)
    return {**known, "unexplained": max(abs(count - along[name]) for name, count in known.items())}


def _move(tx: Tx, before: str, after: str, count: int = 1) -> None:
    tally = tx.tally
    tally[_PREFIX + before] -= count
    tally[_PREFIX + after] += count


def _count(tx: Tx, **by: int) -> None:
    for name, count in by.items():
        tx.tally[_PREFIX + name] += count


def count_refused(tx: Tx, door: str, count: int = 1) -> None:
    """A forged payload leaves nothing but this."""
    tx.run(
        "INSERT INTO refused (door, count) VALUES (?, ?)"
        " ON CONFLICT (door) DO UPDATE SET count = refused.count + excluded.count",
        door,
        count,
    )


def refused(tx: Tx) -> int:
    row = tx.one("SELECT coalesce(sum(count), 0) AS n FROM refused")
    return int(row["n"]) if row else 0


def entry_of(row: Row) -> Entry:
    payload = Payload.model_construct(  # it was checked when it came in
        source=row["source"],
        method=row["method"],
        url=row["url"],
        headers=_read(row["headers"]),
        body=bytes(row["body"]),
        received_at=moment(row["received_at"]),
    )
    tenant = None if row["tenant"] == MANY else row["tenant"]
    return Entry(row["entry"], tenant, row["door"], payload, row["state"], row["reason"], row["received_at"])
