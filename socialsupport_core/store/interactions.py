"""Interactions, clustered by account node and time, and what happens to them afterwards."""

import heapq
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, Self

from pydantic_core import to_json

from socialsupport_core.model import Interaction
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.digests import digest


class Key(NamedTuple):
    """Where an interaction is kept."""

    seq: int
    node: int
    at: int


Order = tuple[int, int, int]
"""Where an interaction stands among others: when it was said, what decides between those of one moment, its number."""
AFTER_ALL = (1 << 53) - 1
"""What we say ourselves comes after what was said at that moment. As much as every reader of JSON keeps exactly."""
_SPREAD, _NUMBERS = 20, 33
"""Bits of the thread and of the number in it."""


def tie(channel: str, thread: str, native_id: str) -> int:
    """What decides between those of one moment, whatever came first: their thread, and there the network's own number,
    if it numbers its messages. Those without stay as they came."""
    number = int(native_id[-20:]) if native_id.isdecimal() and native_id.isascii() else 0
    spread = zlib.crc32(f"{channel} {thread}".encode()) % (1 << _SPREAD)
    return spread << _NUMBERS | number % (1 << _NUMBERS)


class Stored(NamedTuple):
    """One interaction with everything that is known about it."""

    seq: int
    node: int
    at: int
    leg: int
    entry: int | None
    interaction: Interaction
    received_at: int
    edited_at: int | None
    deleted_at: int | None
    agent: str | None
    part: str | None
    state: str | None
    """Of an outbound one: `queued`, `retrying`, `sent`, `delivered`, `read`, `failed`, `uncertain`."""
    triage: str | None = None
    """Of a customer's: the verdict on what kind of contact it is, as JSON."""
    tie: int = AFTER_ALL

    @property
    def order(self) -> Order:
        return self.at, self.tie, self.seq


RANK = {"queued": 0, "retrying": 0, "uncertain": 1, "failed": 1, "sent": 2, "delivered": 3, "read": 4}
"""A delivery state never falls back: read stays read, whatever arrives late."""


def see(tx: Tx, tenant: str, channel: str, event: str) -> bool:
    """True the first time. The uniqueness is the table's, in the transaction of the effect."""
    named = _named(tx, tenant, event)
    known = tx.memo("seen")
    if known.get((tenant, channel, named), _UNREAD) is False:
        known[tenant, channel, named] = True
        tx.defer("INSERT INTO events_seen (tenant, channel, event) VALUES (?, ?, ?)", (tenant, channel, named))
        return True
    insert = "INSERT INTO events_seen (tenant, channel, event) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    return not known.get((tenant, channel, named)) and bool(tx.run(insert, tenant, channel, named))


_UNREAD = object()


def seen(tx: Tx, tenant: str, channel: str, event: str) -> bool:
    sql = "SELECT 1 AS one FROM events_seen WHERE tenant = ? AND channel = ? AND event = ?"
    return tx.one(sql, tenant, channel, _named(tx, tenant, event)) is not None


def _named(tx: Tx, tenant: str, event: str) -> str:
    """Kept as a digest: an event's id may hold an address, and what was seen is known for longer than the person."""
    known = tx.memo("named")
    named: str | None = known.get((tenant, event))
    if named is None:
        named = known[tenant, event] = digest(tx, tenant, "event", event)
    return named


def read_ahead(tx: Tx, tenant: str, channel: str, events: Iterable[str], native_ids: Iterable[str]) -> None:
    """Which of these events, keys and early events are there already, all at once."""
    seen = tx.memo("seen")
    wanted = sorted({_named(tx, tenant, event) for event in events})
    seen.update(((tenant, channel, event), False) for event in wanted)
    for row in _among(tx, "SELECT event FROM events_seen", "event", tenant, channel, wanted):
        seen[tenant, channel, row["event"]] = True
    ids = sorted(set(native_ids))
    keys, early = tx.memo("keys"), tx.memo("early")
    keys.update(((tenant, channel, native_id), []) for native_id in ids)
    early.update(((tenant, channel, native_id), False) for native_id in ids)
    columns = "SELECT native_id, thread, seq, node, at FROM interaction_keys"
    for row in _among(tx, columns, "native_id", tenant, channel, ids):
        keys[tenant, channel, row["native_id"]].append((row["thread"], Key(row["seq"], row["node"], row["at"])))
    if tx.one("SELECT 1 AS one FROM early WHERE tenant = ? AND channel = ? LIMIT 1", tenant, channel):
        for row in _among(tx, "SELECT native_id FROM early", "native_id", tenant, channel, ids):
            early[tenant, channel, row["native_id"]] = True


def _among(tx: Tx, select: str, column: str, tenant: str, channel: str, values: list[str]) -> list[Row]:
    if not values:
        return []
    marks = ", ".join("?" * len(values))
    return tx.all(f"{select} WHERE tenant = ? AND channel = ? AND {column} IN ({marks})", tenant, channel, *values)


def claim_key(tx: Tx, tenant: str, channel: str, thread: str, native_id: str, node: int, at: int) -> int | None:
    """The new interaction's number, None if it is there already."""
    if key_of(tx, tenant, channel, native_id, thread) is not None:
        return None
    seq = tx.number("seq")
    tx.defer(
        "INSERT INTO interaction_keys (seq, tenant, channel, thread, native_id, node, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (seq, tenant, channel, thread, native_id, node, at),
    )
    tx.memo("keys")[tenant, channel, native_id].append((thread, Key(seq, node, at)))
    return seq


def rename(tx: Tx, tenant: str, seq: int, native_id: str, thread: str) -> bool:
    """Gives an outbound interaction its native id; False if its echo came first."""
    return bool(
        tx.run(
            "UPDATE interaction_keys SET native_id = ?, thread = ? WHERE tenant = ? AND seq = ? AND NOT EXISTS ("
            " SELECT 1 FROM interaction_keys o WHERE o.tenant = interaction_keys.tenant"
            " AND o.channel = interaction_keys.channel AND o.thread = ? AND o.native_id = ? AND o.seq <> ?)",
            native_id,
            thread,
            tenant,
            seq,
            thread,
            native_id,
            seq,
        )
    )


def key_of(tx: Tx, tenant: str, channel: str, native_id: str, thread: str | None = None) -> Key | None:
    """The newest with this id, in this thread if one is given."""
    known = tx.memo("keys")
    if (tenant, channel, native_id) not in known:
        rows = tx.all(
            "SELECT thread, seq, node, at FROM interaction_keys WHERE tenant = ? AND channel = ? AND native_id = ?",
            tenant,
            channel,
            native_id,
        )
        known[tenant, channel, native_id] = [(row["thread"], Key(row["seq"], row["node"], row["at"])) for row in rows]
    found = [key for where, key in known[tenant, channel, native_id] if thread is None or where == thread]
    return max(found, key=lambda key: key.seq, default=None)


def key_by_seq(tx: Tx, tenant: str, seq: int) -> Key | None:
    row = tx.one("SELECT seq, node, at FROM interaction_keys WHERE tenant = ? AND seq = ?", tenant, seq)
    return Key(row["seq"], row["node"], row["at"]) if row else None


class Written(NamedTuple):
    """An interaction as JSON."""

    whole: str
    told: str
    """Without what only its connector needs."""

    @classmethod
    def of(cls, interaction: Interaction) -> Self:
        if interaction.context is None:
            told = interaction.to_json()
            return cls(told, told)
        told = interaction.model_dump_json(exclude_none=True, exclude={"context"})
        return cls(f'{told[:-1]},"context":{to_json(interaction.context).decode()}}}', told)


def store(tx: Tx, tenant: str, stored: Stored, written: str | None = None, *, settled: bool = False) -> None:
    """`written` is the interaction as JSON, where it is at hand; `settled`: it needs no answer."""
    tx.defer(
        "INSERT INTO interactions (tenant, node, at, seq, leg, entry, direction, kind, data, received_at, agent,"
        " part, state, triage, settled, tie) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            tenant,
            stored.node,
            stored.at,
            stored.seq,
            stored.leg,
            stored.entry,
            stored.interaction.direction,
            stored.interaction.kind,
            written or stored.interaction.to_json(),
            stored.received_at,
            stored.agent,
            stored.part,
            stored.state,
            stored.triage,
            int(settled or stored.interaction.attended),
            stored.tie,
        ),
    )


def get(tx: Tx, tenant: str, key: Key) -> Stored | None:
    row = tx.one("SELECT * FROM interactions WHERE tenant = ? AND node = ? AND at = ? AND seq = ?", tenant, *_at(key))
    return stored_of(row) if row else None


def remove(tx: Tx, tenant: str, key: Key) -> None:
    tx.run("DELETE FROM interactions WHERE tenant = ? AND node = ? AND at = ? AND seq = ?", tenant, *_at(key))
    tx.run("DELETE FROM interaction_keys WHERE tenant = ? AND seq = ?", tenant, key.seq)


def adopt(tx: Tx, tenant: str, key: Key, agent: str | None, part: str, state: str) -> None:
    """An echo turns out to be ours: it gets the agent and the part that sent it."""
    tx.run(
        "UPDATE interactions SET agent = ?, part = ?, state = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?",
        agent,
        part,
        state,
        tenant,
        *_at(key),
    )


def set_native(tx: Tx, tenant: str, key: Key, interaction: Interaction) -> None:
    """The same interaction with the ids that the network has given it."""
    tx.run(
        "UPDATE interactions SET data = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?",
        interaction.to_json(),
        tenant,
        *_at(key),
    )


def edit(tx: Tx, tenant: str, key: Key, interaction: Interaction, at: int, event: str) -> bool:
    """The newest edit wins, of two at one moment that with the later id; False if a newer one is there."""
    return bool(
        tx.run(
            "UPDATE interactions SET data = ?, settled = ?, edited_at = ?, edit = ?"
            " WHERE tenant = ? AND node = ? AND at = ? AND seq = ?"
            " AND (coalesce(edited_at, 0), length(coalesce(edit, '')), coalesce(edit, '')) < (?, ?, ?)",
            interaction.to_json(),
            int(interaction.attended),
            at,
            event,
            tenant,
            *_at(key),
            at,
            len(event),
            event,
        )
    )


def delete(tx: Tx, tenant: str, key: Key, at: int) -> bool:
    """The first deletion counts; False if an earlier one is there."""
    return bool(
        tx.run(
            "UPDATE interactions SET deleted_at = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?"
            " AND (deleted_at IS NULL OR deleted_at > ?)",
            at,
            tenant,
            *_at(key),
            at,
        )
    )


def set_state(tx: Tx, tenant: str, key: Key, state: str, *, judged: bool = False) -> bool:
    """False if it is that far or further already. What is judged anew may go back: to `queued` by a
    person, to `failed` by the network."""
    stored = get(tx, tenant, key)
    if stored is None or stored.state == state:
        return False
    if not judged and RANK.get(state, 0) < RANK.get(stored.state or "", 0):
        return False
    tx.run(
        "UPDATE interactions SET state = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?",
        state,
        tenant,
        *_at(key),
    )
    return True


def sent_until(tx: Tx, tenant: str, channel: str, thread: str, at: int) -> list[Key]:
    """What we have said in the thread until then and the network has taken."""
    rows = tx.all(
        "SELECT k.seq, k.node, k.at FROM interaction_keys k JOIN interactions i"
        " ON i.tenant = k.tenant AND i.node = k.node AND i.at = k.at AND i.seq = k.seq"
        " WHERE k.tenant = ? AND k.channel = ? AND k.thread = ? AND k.at <= ? AND i.state IN ('sent', 'delivered')",
        tenant,
        channel,
        thread,
        at,
    )
    return [Key(row["seq"], row["node"], row["at"]) for row in rows]


def newest(tx: Tx, tenant: str, node: int, before: Order | None, limit: int) -> list[Stored]:
    """The newest of one account; the newest first."""
    return newest_of_all(tx, tenant, [node], before, limit)


def newest_of_all(
    tx: Tx,
    tenant: str,
    nodes: Iterable[int],
    before: Order | None,
    limit: int,
    legs: Collection[int] | None = None,
) -> list[Stored]:
    """The newest of several accounts, on these legs if some are given; the newest first. Only what is wanted is read
    in full."""
    within = "" if legs is None else f" AND leg IN ({', '.join('?' * len(legs))})"
    sql = (
        f"SELECT * FROM interactions WHERE tenant = ? AND node = ? AND at <= ? AND (at, tie, seq) < (?, ?, ?){within}"
        " ORDER BY at DESC, tie DESC, seq DESC LIMIT ?"
    )
    until = before or (1 << 62, 0, 0)
    streams = [tx.all(sql, tenant, node, until[0], *until, *(legs or ()), limit) for node in nodes]
    merged = heapq.merge(*streams, key=order_of, reverse=True)
    return [stored_of(row) for row in islice(merged, limit)]


def keep_early(
    tx: Tx, tenant: str, channel: str, native_id: str, event: str, data: str, at: int = 0, entry: int | None = None
) -> None:
    """An edit, tombstone, reaction or receipt that came before its original waits here, from `at` on."""
    tx.run(
        "INSERT INTO early (tenant, channel, native_id, event, data, at, entry) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        tenant,
        channel,
        native_id,
        event,
        data,
        at,
        entry,
    )


def take_early(tx: Tx, tenant: str, channel: str, native_id: str) -> list[str]:
    if tx.memo("early").get((tenant, channel, native_id)) is False:
        return []
    rows = tx.change(
        "DELETE FROM early WHERE tenant = ? AND channel = ? AND native_id = ? RETURNING event, data",
        tenant,
        channel,
        native_id,
    )
    return [row["data"] for row in sorted(rows, key=lambda row: row["event"])]


@dataclass(frozen=True, slots=True)
class Reaction:
    """What one author's reaction became; `sole` where everybody has at most one."""

    seq: int
    author: str
    reaction: str
    at: int
    present: bool
    sole: bool = False


def react(tx: Tx, tenant: str, told: Reaction) -> bool:
    """The newest word about one author's reaction wins."""
    if told.sole and not _supersede(tx, tenant, told):
        return False
    return bool(
        tx.run(
            "INSERT INTO reactions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, seq, author, reaction)"
            " DO UPDATE SET at = excluded.at, present = excluded.present WHERE excluded.at >= reactions.at",
            tenant,
            told.seq,
            told.author,
            told.reaction,
            told.at,
            told.present,
        )
    )


def _supersede(tx: Tx, tenant: str, told: Reaction) -> bool:
    """Takes away whatever else this author had there; False if there is a newer word."""
    whose = (tenant, told.seq, told.author)
    known = "SELECT 1 FROM reactions WHERE tenant = ? AND seq = ? AND author = ? AND at > ?"
    if tx.one(known, *whose, told.at):
        return False
    tx.run("UPDATE reactions SET present = 0 WHERE tenant = ? AND seq = ? AND author = ?", *whose)
    return True


def reactions(tx: Tx, tenant: str, seqs: Iterable[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    sql = "SELECT seq, reaction FROM reactions WHERE tenant = ? AND present = 1 AND seq IN"
    for row in among(tx, sql, tenant, seqs):
        found.setdefault(row["seq"], []).append(row["reaction"])
    return found


def among(tx: Tx, sql: str, tenant: str, seqs: Iterable[int]) -> list[Row]:
    """`sql` ends where the list of numbers begins."""
    wanted = list(seqs)
    if not wanted:
        return []
    return tx.all(f"{sql} ({', '.join('?' * len(wanted))})", tenant, *wanted)


def _at(key: Key) -> tuple[int, int, int]:
    return key.node, key.at, key.seq


def order_of(row: Row) -> Order:
    return row["at"], row["tie"], row["seq"]


def stored_of(row: Row) -> Stored:
    return Stored(
        row["seq"],
        row["node"],
        row["at"],
        row["leg"],
        row["entry"],
        Interaction.model_validate_json(row["data"]),
        row["received_at"],
        row["edited_at"],
        row["deleted_at"],
        row["agent"],
        row["part"],
        row["state"],
        row["triage"],
        row["tie"],
    )
