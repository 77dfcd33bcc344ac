"""Durable ingest against the raw baseline, in one run: CPU time a message, and the ratio between the two.

    uv run python benchmarks/ingest.py [--messages 5000] [--json]

*raw* does per message what no system can do without (insert the payload, look the identity up, insert the message,
upsert the conversation), 100 messages a commit with `synchronous=FULL`, and nothing else: it is handed the messages
translated. *socialsupport* takes the same as signed webhooks: verify, journal, commit, acknowledge, translate,
resolve, attach, record, publish.
"""

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from socialsupport_core.contract import Registry
from socialsupport_core.hub import Hub
from socialsupport_core.model import Payload

BATCH = 100
CUSTOMERS = 500
START = datetime(2026, 1, 1, tzinfo=UTC)
SECRET = "a_secret_token_for_the_benchmark"
ROUNDS = 3


def updates(count: int) -> Iterator[tuple[int, int, str]]:
    """(number, customer, text): the same messages for both."""
    for number in range(count):
        yield number, number * 7919 % CUSTOMERS, f"Message {number}: where is my order {number * 31 % 9973}?"


def raw(folder: Path, payloads: list[Payload], rows: list[tuple[int, str]]) -> None:
    """The same payloads and the same messages, in as few statements as hold them."""
    store = sqlite3.connect(folder / "raw.sqlite", isolation_level=None)
    store.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        "CREATE TABLE payload (id INTEGER PRIMARY KEY, body BLOB, at INTEGER);"
        "CREATE TABLE identity (value TEXT PRIMARY KEY, customer INTEGER) WITHOUT ROWID;"
        "CREATE TABLE message (customer INTEGER, at INTEGER, id TEXT, data TEXT, PRIMARY KEY (customer, at, id))"
        " WITHOUT ROWID;"
        "CREATE TABLE conversation (customer INTEGER PRIMARY KEY, updated INTEGER);"
    )
    for number, (payload, (customer, data)) in enumerate(zip(payloads, rows, strict=True)):
        if number % BATCH == 0:
            store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO payload (body, at) VALUES (?, ?)", (payload.body, number))
        who = f"telegram.user:{customer}"
        if store.execute("SELECT customer FROM identity WHERE value = ?", (who,)).fetchone() is None:
            store.execute("INSERT INTO identity VALUES (?, ?)", (who, customer))
        store.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (customer, number, str(number), data))
        store.execute(
            "INSERT INTO conversation VALUES (?, ?) ON CONFLICT DO UPDATE SET updated = excluded.updated",
            (customer, number),
        )
        if number % BATCH == BATCH - 1:
            store.execute("COMMIT")
    store.close()


def translated(folder: Path, payloads: list[Payload]) -> list[tuple[int, str]]:
    """The customer and the message as it is stored, of each payload: what the baseline is given for nothing."""
    hub, door = prepared(folder)
    connector = hub.channels.door(door).connector
    events = [event for payload in payloads for event in connector.parse(payload)]
    hub.close()
    customers = [customer for _, customer, _ in updates(len(payloads))]
    return [(customer, event.interaction.to_json()) for customer, event in zip(customers, events, strict=True)]


def prepared(folder: Path) -> tuple[Hub, str]:
    import socialsupport_telegram  # noqa: PLC0415 - the connector whose webhooks are measured

    hub = Hub.open(
        folder / "hub.sqlite", public_url="https://hub.example", registry=Registry.of(socialsupport_telegram)
    )
    hub.add_tenant("acme", "Acme")
    door = hub.add_channel("acme", "bot", "telegram", {"token": "123456:" + "A" * 35, "secret_token": SECRET})
    return hub, door.rsplit("/", 1)[1]


def payload(number: int, customer: int, text: str) -> Payload:
    at = START + timedelta(seconds=number)
    person = {"id": 1000 + customer, "is_bot": False, "first_name": f"Customer {customer}"}
    message = {
        "message_id": number + 1,
        "from": person,
        "chat": {"id": person["id"], "type": "private", "first_name": person["first_name"]},
        "date": int(at.timestamp()),
        "text": text,
    }
    return Payload(
        url="https://hub.example/hooks/door",
        headers=(("content-type", "application/json"), ("x-telegram-bot-api-secret-token", SECRET)),
        body=json.dumps({"update_id": number, "message": message}).encode(),
        received_at=at,
    )


def ingest(hub: Hub, door: str, payloads: list[Payload]) -> None:
    """Every payload through the door, in waves as large as a commit; then everything is recorded."""
    for at in range(0, len(payloads), BATCH):
        for future in [hub.receive(door, one) for one in payloads[at : at + BATCH]]:
            future.result()
        hub.workers.record_waiting()
    while hub.workers.record_waiting():
        pass


def cpu(work: Callable[[], Any]) -> float:
    """Seconds of CPU of the whole process, all threads."""
    began = time.process_time()
    work()
    return time.process_time() - began


def measure(count: int) -> dict[str, float]:
    payloads = [payload(*one) for one in updates(count)]
    with tempfile.TemporaryDirectory() as folder:
        rows = translated(Path(folder), payloads)
    raws, ours = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            raws.append(cpu(lambda f=folder: raw(Path(f), payloads, rows)))
            hub, door = prepared(Path(folder))
            ours.append(cpu(lambda h=hub, d=door: ingest(h, d, payloads)))
            recorded = hub.health()["journal"]["recorded"]
            hub.close()
            if recorded != count:
                sys.exit(f"{recorded} of {count} were recorded: the figures would be worth nothing")
    base, own = statistics.median(raws) / count * 1e6, statistics.median(ours) / count * 1e6
    return {"messages": count, "raw_us": base, "socialsupport_us": own, "ratio": own / base}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=5000)
    options.add_argument("--json", action="store_true")
    given = options.parse_args()
    found = measure(given.messages)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{found['messages']} messages, CPU µs a message, median of {ROUNDS}")
    print(f"raw            {found['raw_us']:8.0f}")
    print(f"socialsupport  {found['socialsupport_us']:8.0f}   {found['ratio']:.1f} times raw (goal: at most 5)")


if __name__ == "__main__":
    main()
