"""Taking rows away: what hangs on some interactions, and what hangs on a person. Every function counts by table."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from socialsupport_core.store import answers, journal, outbox
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.erasures import chunks, forget_subjects, marks_for

Place = tuple[str | None, str]
"""Channel and thread."""


@dataclass
class Told:
    """Interactions, where they were said, and everything by which the rest of the store knows them."""

    seqs: dict[int, Row] = field(default_factory=dict)
    """By number: `node`, `at`, `entry`, `part`, and of its key `channel`, `thread`, `native_id`."""
    places: set[Place] = field(default_factory=set)
    own: set[Place] = field(default_factory=set)
    """Those of `places` in which nobody else is."""
    conversations: set[str] = field(default_factory=set)
    """Of nobody else."""
    parts: set[str] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)
    cursors: set[int] = field(default_factory=set)

    @property
    def entries(self) -> set[int]:
        return {row["entry"] for row in self.seqs.values() if row["entry"] is not None}


_INTERACTIONS = (
    "SELECT i.seq, i.node, i.at, i.entry, i.part, k.channel, k.thread, k.native_id FROM interactions i"
    " JOIN interaction_keys k ON k.seq = i.seq WHERE i.tenant = ?"
)


def of_nodes(tx: Tx, tenant: str, nodes: Collection[int]) -> Told:
    """Everything that hangs on these accounts."""
    told = Told()
    _take(told, rows_in(tx, _INTERACTIONS, "i.node", nodes, tenant))
    return told


def of_numbers(tx: Tx, tenant: str, seqs: Collection[int]) -> Told:
    told = Told()
    for key in rows_in(tx, "SELECT seq, node, at FROM interaction_keys WHERE tenant = ?", "seq", seqs, tenant):
        where = " AND i.node = ? AND i.at = ? AND i.seq = ?"
        _take(told, tx.all(_INTERACTIONS + where, tenant, key["node"], key["at"], key["seq"]))
    return told


def _take(told: Told, rows: Iterable[Row]) -> None:
    for row in rows:
        told.seqs[row["seq"]] = row
        told.places.add((row["channel"], row["thread"]))
        if row["part"]:
            told.parts.add(row["part"])


def remove(tx: Tx, tenant: str, told: Told, also: Callable[[Row], bool] | None = None) -> Counter[str]:
    """Takes the interactions away and what hangs on them, but not what hangs on the person.

    `also` says which rows of their threads in the outbox go too.
    """
    gone: Counter[str] = Counter()
    leading = rows_in(tx, "SELECT number FROM answers WHERE tenant = ?", "seq", told.seqs, tenant)
    gone["answers"] += answers.forget(tx, tenant, {row["number"] for row in leading})
    gone += _remove_parts(tx, tenant, told, also)
    gone += _remove_log(tx, tenant, told)
    seqs = sorted(told.seqs)
    sql = "SELECT blob FROM attachments WHERE tenant = ? AND blob IS NOT NULL"
    told.blobs.update(row["blob"] for row in rows_in(tx, sql, "seq", seqs, tenant))
    for table in ("attachments", "reactions", "interaction_keys", "context", "corrections"):
        gone[table] += delete_in(tx, table, "seq", seqs, tenant)
    for row in told.seqs.values():
        gone["interactions"] += tx.run(
            "DELETE FROM interactions WHERE tenant = ? AND node = ? AND at = ? AND seq = ?",
            tenant,
            row["node"],
            row["at"],
            row["seq"],
        )
    return +gone


def _remove_parts(tx: Tx, tenant: str, told: Told, also: Callable[[Row], bool] | None) -> Counter[str]:
    for channel, thread in sorted(told.places, key=str):
        sql = "SELECT * FROM outbox WHERE tenant = ? AND channel = ? AND thread = ?"
        for row in tx.all(sql, tenant, channel, thread):
            if row["seq"] in told.seqs or row["conversation"] in told.conversations or (also and also(row)):
                told.parts.add(row["part"])
    gone: Counter[str] = Counter()
    for row in rows_in(tx, "SELECT channel, thread FROM outbox WHERE tenant = ?", "part", told.parts, tenant):
        told.places.add((row["channel"], row["thread"]))  # where it went before the network named another thread
    change_in(tx, "DELETE FROM traces WHERE kind = 'part' AND tenant = ?", "item", told.parts, tenant)
    for table in ("asks", "outbox"):
        gone[table] += delete_in(tx, table, "part", told.parts, tenant)
    for channel, thread in told.places if gone["outbox"] else ():
        if channel is not None:
            outbox.lead(tx, tenant, channel, thread)  # whoever waited behind what is gone
    return gone


def _remove_log(tx: Tx, tenant: str, told: Told) -> Counter[str]:
    notes: set[Place] = {(None, conversation) for conversation in told.conversations}
    for channel, thread in sorted(told.places | notes, key=str):
        told.cursors |= _cursors(tx, tenant, told, channel, thread)
    return forget_log(tx, tenant, told.cursors)


def _cursors(tx: Tx, tenant: str, told: Told, channel: str | None, thread: str) -> set[int]:
    """What the log says in one thread about these interactions, or all of it where nobody else is in the thread."""
    is_note = channel in (None, "internal")
    where = "channel IS NULL" if is_note else "channel = ?"
    values = (thread,) if is_note else (channel, thread)
    rows = tx.all(f"SELECT cursor, data FROM log WHERE tenant = ? AND {where} AND thread = ?", tenant, *values)
    everything = (channel, thread) in told.own
    return {row["cursor"] for row in rows if everything or number_in(row["data"]) in told.seqs}


def number_in(data: str) -> int:
    """Of the interaction that an entry of the log is about; 0 if about none."""
    id_ = str(json.loads(data).get("id", "")).partition(".")[0]
    return int(id_) if id_.isascii() and id_.isdigit() else 0


def forget_log(tx: Tx, tenant: str, cursors: Collection[int]) -> Counter[str]:
    """Takes entries of the log away, and what waits to be told of them."""
    gone: Counter[str] = Counter()
    if not cursors:
        return gone
    gone["log"] += delete_in(tx, "log", "cursor", cursors, tenant)
    endpoints = tx.all("SELECT webhook FROM webhooks WHERE tenant = ? ORDER BY webhook", tenant)
    for row in endpoints:
        gone["webhook_waiting"] += _forget_waiting(tx, tenant, row["webhook"], cursors)
    return gone


def _forget_waiting(tx: Tx, tenant: str, webhook: str, cursors: Collection[int]) -> int:
    """The endpoint's own row is the lock, so it is changed first."""
    tx.run("UPDATE webhooks SET round = round WHERE tenant = ? AND webhook = ?", tenant, webhook)
    waiting = tx.all("SELECT lane, cursor FROM webhook_waiting WHERE tenant = ? AND webhook = ?", tenant, webhook)
    gone = [row for row in waiting if row["cursor"] in cursors]
    for row in gone:
        tx.run(
            "DELETE FROM webhook_waiting WHERE tenant = ? AND webhook = ? AND lane = ? AND cursor = ?",
            tenant,
            webhook,
            row["lane"],
            row["cursor"],
        )
    tx.run("UPDATE webhooks SET waiting = waiting - ? WHERE tenant = ? AND webhook = ?", len(gone), tenant, webhook)
    tx.run(
        "DELETE FROM webhook_lanes WHERE tenant = ? AND webhook = ? AND NOT EXISTS (SELECT 1 FROM webhook_waiting w"
        " WHERE w.tenant = webhook_lanes.tenant AND w.webhook = webhook_lanes.webhook AND w.lane = webhook_lanes.lane)",
        tenant,
        webhook,
    )
    return len(gone)


def empty_payloads(tx: Tx, entries: Iterable[int], why: Literal["erased", "expired"]) -> int:
    """Those that wait to be read are left: what is erased is known when they are read."""
    sql = "SELECT entry FROM journal WHERE gone IS NULL AND state <> 'waiting'"
    found = [row["entry"] for row in rows_in(tx, sql, "entry", set(entries))]
    journal.empty(tx, found, why)
    forget_subjects(tx, found)
    change_in(tx, "DELETE FROM traces WHERE kind = 'entry'", "item", [str(entry) for entry in found])
    return len(found)


def is_referred_to(tx: Tx, blob: str) -> bool:
    """Whether any message, of whatever tenant, has this file, or a reply that waits for approval."""
    if tx.one("SELECT 1 AS one FROM attachments WHERE blob = ? LIMIT 1", blob):
        return True
    sql = "SELECT 1 AS one FROM approvals WHERE state = 'waiting' AND intent LIKE ? LIMIT 1"
    return tx.one(sql, f'%"{blob}"%') is not None


def rows_in(tx: Tx, select: str, column: str, values: Collection[Any], *given: Any) -> list[Row]:
    """Rows of a SELECT that ends in conditions, with any of the values, however many."""
    return [
        row
        for part in chunks(sorted(values))
        for row in tx.all(f"{select} AND {column} IN ({marks_for(part)})", *given, *part)
    ]


def change_in(tx: Tx, update: str, column: str, values: Collection[Any], *given: Any) -> int:
    """The same for an UPDATE or DELETE."""
    return sum(
        tx.run(f"{update} AND {column} IN ({marks_for(part)})", *given, *part) for part in chunks(sorted(values))
    )


def nodes_in_thread(tx: Tx, tenant: str, channel: str | None, thread: str) -> set[int]:
    """Everybody who has ever been there."""
    found: set[int] = set()
    for table in ("legs", "interaction_keys"):
        sql = f"SELECT DISTINCT node FROM {table} WHERE tenant = ? AND channel = ? AND thread = ?"
        found |= {row["node"] for row in tx.all(sql, tenant, channel, thread)}
    return found


def delete_in(tx: Tx, table: str, column: str, values: Collection[Any], tenant: str) -> int:
    return change_in(tx, f"DELETE FROM {table} WHERE tenant = ?", column, values, tenant)
