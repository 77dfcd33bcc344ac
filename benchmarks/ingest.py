"""Durable ingest against the raw baseline: CPU time a message, server included, and the ratio between the two.

*raw* does per message what no system can do without (insert the payload, look the identity up, insert the message,
upsert the conversation), 100 messages a commit, all of them durable, and nothing else: it is handed the messages
translated. *socialsupport* takes the same as signed webhooks: verify, journal, commit, acknowledge, translate,
resolve, attach, record, publish. *the same rows* is what a program without a rule of its own would need for all that
ours has stored in the end: per message a look-up and an upsert in every table of what lasts (customers, legs,
conversations, …), an insert in every other (journal, message, its key, log, …), statement by statement.
"""

import sqlite3
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import telegram
from benchmarks.figures import MICRO, Figure, cpu, settled
from benchmarks.stores import Ground, ground
from socialsupport_core.model import Payload

ROUNDS = 3
GOAL = 5
TABLES = (
    "CREATE TABLE payload (id {serial}, body {blob}, at BIGINT)",
    "CREATE TABLE identity (value TEXT PRIMARY KEY, customer INTEGER){clustered}",
    "CREATE TABLE message (customer INTEGER, at BIGINT, id TEXT, data TEXT, PRIMARY KEY (customer, at, id)){clustered}",
    "CREATE TABLE conversation (customer INTEGER PRIMARY KEY, updated BIGINT)",
)
WORDS: dict[str, dict[str, str]] = {
    "SQLite": {"serial": "INTEGER PRIMARY KEY", "blob": "BLOB", "clustered": " WITHOUT ROWID", "mark": "?"},
    "PostgreSQL": {
        "serial": "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        "blob": "BYTEA",
        "clustered": "",
        "mark": "%s",
    },
}
Rows = Sequence[tuple[int, str]]
"""The customer and the message as it is stored, of each payload."""


def connect(place: Ground) -> Any:
    if place.server is None:
        file = sqlite3.connect(Path(place.store()).with_name("raw.sqlite"), isolation_level=None)
        file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
        return file
    import psycopg  # noqa: PLC0415 - only where there is a server

    connection = psycopg.connect(place.server.url, autocommit=True)
    connection.execute("DROP TABLE IF EXISTS payload, identity, message, conversation")
    return connection


def raw(place: Ground, payloads: Sequence[Payload], rows: Rows) -> float:
    """Seconds of CPU for the same payloads and the same messages, in as few statements as hold them."""
    connection = connect(place)
    for table in TABLES:
        connection.execute(table.format_map(WORDS[place.name]))
    used = cpu(lambda: _insert(connection.execute, WORDS[place.name]["mark"], payloads, rows), place.cpu)
    connection.close()
    return used


def _insert(execute: Callable[..., Any], mark: str, payloads: Sequence[Payload], rows: Rows) -> None:
    keep_payload = f"INSERT INTO payload (body, at) VALUES ({mark}, {mark})"
    find = f"SELECT customer FROM identity WHERE value = {mark}"
    keep_identity = f"INSERT INTO identity VALUES ({mark}, {mark})"
    keep_message = f"INSERT INTO message VALUES ({mark}, {mark}, {mark}, {mark})"
    touch = (
        f"INSERT INTO conversation VALUES ({mark}, {mark})"
        " ON CONFLICT (customer) DO UPDATE SET updated = excluded.updated"
    )
    for number, (payload, (customer, data)) in enumerate(zip(payloads, rows, strict=True)):
        if number % telegram.WAVE == 0:
            execute("BEGIN")
        execute(keep_payload, (payload.body, number))
        who = f"telegram.user:{customer}"
        if execute(find, (who,)).fetchone() is None:
            execute(keep_identity, (who, customer))
        execute(keep_message, (customer, number, str(number), data))
        execute(touch, (customer, number))
        if number % telegram.WAVE == telegram.WAVE - 1 or number == len(rows) - 1:
            execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Table:
    """What ours has written into one table, and how to write it by bare statements."""

    rows: list[tuple[Any, ...]]
    insert: str
    find: str | None = None
    """In what lasts, by `key`."""
    key: tuple[int, ...] = ()

    def write(self, execute: Callable[..., Any], number: int, count: int) -> None:
        """The part of message `number`."""
        if self.find is None:
            for row in self.rows[number * len(self.rows) // count : (number + 1) * len(self.rows) // count]:
                execute(self.insert, row)
        else:
            row = self.rows[number % len(self.rows)]
            execute(self.find, [row[at] for at in self.key]).fetchone()
            execute(self.insert, row)


EACH = {"journal": "entry", "events_seen": "event", "interactions": "seq", "interaction_keys": "seq"}
EACH |= {"log": "cursor", "context": "seq"}
"""Tables that grow with every message, and what tells the order of their rows."""
LASTING = ("nodes", "legs", "conversations")


def same_rows(place: Ground, done: Path, count: int) -> float:
    """Seconds of CPU for the rows that stand in the file `done` after so many messages."""
    store = place.store()
    hub, _ = telegram.prepared(place, store)
    hub.close()
    file = sqlite3.connect(store, isolation_level=None)
    file.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;")
    file.execute("ATTACH ? AS done", (str(done),))
    tables = [_each(file, name, order) for name, order in EACH.items()] + [_lasting(file, name) for name in LASTING]
    file.execute("DETACH done")
    used = cpu(lambda: _copy(file.execute, tables, count))
    file.close()
    return used


def _each(file: sqlite3.Connection, name: str, order: str) -> Table:
    new = f"SELECT * FROM done.{name} EXCEPT SELECT * FROM main.{name} ORDER BY {order}"
    rows = file.execute(new).fetchall()
    columns = file.execute(f"PRAGMA done.table_info({name})").fetchall()
    return Table(rows, f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})")


def _lasting(file: sqlite3.Connection, name: str) -> Table:
    columns = [(one[1], one[5]) for one in file.execute(f"PRAGMA done.table_info({name})")]
    key = [column for column, of_key in columns if of_key]
    changes = ", ".join(f"{column} = excluded.{column}" for column, of_key in columns if not of_key)
    return Table(
        file.execute(f"SELECT * FROM done.{name}").fetchall(),
        f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})"
        f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}",
        f"SELECT * FROM {name} WHERE {' AND '.join(f'{column} = ?' for column in key)}",
        tuple(at for at, (_, of_key) in enumerate(columns) if of_key),
    )


def _copy(execute: Callable[..., Any], tables: Sequence[Table], count: int) -> None:
    for number in range(count):
        if number % telegram.WAVE == 0:
            execute("BEGIN")
        for table in tables:
            table.write(execute, number, count)
        if number % telegram.WAVE == telegram.WAVE - 1 or number == count - 1:
            execute("COMMIT")


def translated(place: Ground, payloads: Sequence[Payload]) -> Rows:
    """What the baseline is given for nothing."""
    hub, door = telegram.prepared(place)
    connector = hub.channels.door(door).connector
    events = [event for payload in payloads for event in connector.parse(payload)]
    hub.close()
    return [(telegram.customer_of(number), event.interaction.to_json()) for number, event in enumerate(events)]


def ours(place: Ground, payloads: Sequence[Payload], store: str | Path | None = None) -> float:
    hub, door = telegram.prepared(place, store)
    with settled():
        used = cpu(lambda: telegram.ingest(hub, door, payloads), place.cpu)
    found = telegram.recorded(hub)
    hub.close()
    if found != len(payloads):
        raise AssertionError(f"{found} of {len(payloads)} were recorded: the figures would be worth nothing")
    return used


def compare(place: Ground, count: int, rounds: int = ROUNDS) -> list[Figure]:
    """Medians of rounds in which one follows the other."""
    payloads = list(telegram.payloads(count))
    rows = translated(place, payloads)
    what, sides = f"durable ingest, {place.name}", [lambda: raw(place, payloads, rows), lambda: ours(place, payloads)]
    than = ["raw statements"]
    if place.server is None:
        file = place.store()
        ours(place, payloads, file)
        sides.insert(1, lambda: same_rows(place, Path(file), count))
        than.append("raw statements of the same rows")
    found = [[side() for side in sides] for _ in range(rounds)]
    *bases, own = (statistics.median(side) / count * MICRO for side in zip(*found, strict=True))
    return [Figure(what, own, one, base, at_most=GOAL) for one, base in zip(than, bases, strict=True)]


def measure(store: str, count: int, rounds: int = ROUNDS) -> list[Figure]:
    with ground(store) as place:
        return compare(place, count, rounds)
