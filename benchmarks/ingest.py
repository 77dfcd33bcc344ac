"""Durable ingest against the raw baseline: CPU time a message, server included, and the ratio between the two.

*raw* does per message what no system can do without (insert the payload, look the identity up, insert the message,
upsert the conversation), 100 messages a commit, all of them durable, and nothing else: it is handed the messages
translated. *socialsupport* takes the same as signed webhooks: verify, journal, commit, acknowledge, translate,
resolve, attach, record, publish.
"""

import sqlite3
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import telegram
from benchmarks.figures import MICRO, Figure, cpu
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


def translated(place: Ground, payloads: Sequence[Payload]) -> Rows:
    """What the baseline is given for nothing."""
    hub, door = telegram.prepared(place)
    connector = hub.channels.door(door).connector
    events = [event for payload in payloads for event in connector.parse(payload)]
    hub.close()
    return [(telegram.customer_of(number), event.interaction.to_json()) for number, event in enumerate(events)]


def ours(place: Ground, payloads: Sequence[Payload]) -> float:
    hub, door = telegram.prepared(place)
    used = cpu(lambda: telegram.ingest(hub, door, payloads), place.cpu)
    found = telegram.recorded(hub)
    hub.close()
    if found != len(payloads):
        raise AssertionError(f"{found} of {len(payloads)} were recorded: the figures would be worth nothing")
    return used


def compare(place: Ground, count: int, rounds: int = ROUNDS) -> Figure:
    """Medians of rounds in which one follows the other."""
    payloads = list(telegram.payloads(count))
    rows = translated(place, payloads)
    pairs = [(raw(place, payloads, rows), ours(place, payloads)) for _ in range(rounds)]
    base, own = (statistics.median(side) / count * MICRO for side in zip(*pairs, strict=True))
    return Figure(f"durable ingest, {place.name}", own, "raw statements", base, at_most=GOAL)


def measure(store: str, count: int, rounds: int = ROUNDS) -> list[Figure]:
    with ground(store) as place:
        return [compare(place, count, rounds)]
