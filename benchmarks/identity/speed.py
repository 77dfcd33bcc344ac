"""What a message pays for knowing whose it is: on a SQLite file with many identifiers, and at a hub."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figures import percentile
from benchmarks.identity.pieces import Row, Say, Size
from benchmarks.memory import resident
from socialsupport_core.identity import attest, customer_of, observe, split
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Database, Tx, open_store
from socialsupport_core.store.accounts import add_tenant

TENANT = "acme"
NOON = 1_767_268_800_000_000  # microseconds
SECOND = 1_000_000
BATCH = 500
SEED = 10_000
"""Customers who come in message by message, and of whom is asked."""
RAW = "SELECT node, customer FROM nodes WHERE tenant = ? AND kind = ? AND scope = ? AND value = ?"
Step = Callable[[Tx, int], Any]


def user(number: int) -> Identifier:
    return Identifier(kind="telegram.user", value=str(number))


def mail(number: int) -> Identifier:
    return Identifier(kind="email", value=f"customer{number}@mail.example")


def _party(number: int) -> Party:
    return Party(identifiers=(user(number), mail(number)), name=f"Customer {number}")


def latency(size: Size, say: Say) -> list[Row]:
    """Each step in a commit of its own: µs of CPU time within, and µs by the clock until it was durable."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        file = Path(folder) / "hub.sqlite"
        customers = min(size.ids // 2, SEED)
        say(f"{2 * customers:,} identifiers are put in, and copied until there are {size.ids:,}")
        with _opened(file) as database:
            began = time.process_time()
            fill(database, customers)
            rate = round(2 * customers / (time.process_time() - began))
        multiply(file, customers, size.ids // 2 // customers)
        megabytes = file.stat().st_size / 1e6
        with _opened(file) as database:
            steps = [_step(database, name, step, size, customers, say) for name, step in STEPS.items()]
            return [
                *steps,
                _parted(database, size, say),
                {"step": "filling", "identifiers a CPU second": rate},
                {"step": "on disk", "MB a million": round(megabytes / size.ids * 1e6)},
                {"step": "in memory", "MB": round(resident())},
            ]


def _step(database: Database, name: str, step: Step, size: Size, customers: int, say: Say) -> Row:
    say(name)
    return {"step": name, "ids": size.ids} | _timed(database, step, size.rounds, customers)


@contextmanager
def _opened(file: Path) -> Iterator[Database]:
    is_new = not file.exists()
    database = open_store(file)
    if is_new:
        database.do(lambda tx: add_tenant(tx, TENANT, "Acme", b"k" * 32))
    try:
        yield database
    finally:
        database.close()


def fill(database: Database, customers: int) -> None:
    """Two identifiers each, joined by what the network says."""
    for first in range(0, customers, BATCH):
        numbers = range(first, min(customers, first + BATCH))
        database.do(lambda tx, numbers=numbers: [observe(tx, TENANT, _party(n), NOON + n * SECOND) for n in numbers])


COPIED = {
    "nodes": {
        "node": "node + :nodes",
        "customer": "customer + :nodes",
        "base": "base + :nodes",
        "id": "randomblob(15)",
        "value": "CASE kind WHEN 'email' THEN 'customer' || (CAST(substr(value, 9) AS INTEGER) + :customers) ||"
        " '@mail.example' ELSE CAST(CAST(value AS INTEGER) + :customers AS TEXT) END",
    },
    "evidence": {"a": "a + :nodes", "b": "b + :nodes"},
    "ties": {"node": "node + :nodes", "other": "other + :nodes"},
    "log": {"cursor": "NULL"},
}
"""What is different about a copy of a customer, by table; all else is as it was."""
FIRST = {
    "nodes": "node <= 2 * :first",
    "evidence": "a <= 2 * :first",
    "ties": "node <= 2 * :first",
    "log": "cursor <= :first",
}


def multiply(file: Path, customers: int, times: int) -> None:
    """Copies the first customers so often that there are `times` as many: observing a million takes too long."""
    with closing(sqlite3.connect(file)) as connection, connection:
        for table, changed in COPIED.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            made = ", ".join(changed.get(column, column) for column in columns)
            first = {"nodes": "node <= {0}", "evidence": "a <= {0}", "ties": "node <= {0}", "log": "cursor <= {1}"}[
                table
            ]
            copy = f"INSERT INTO {table} SELECT {made} FROM {table} WHERE {first.format(2 * customers, customers)}"
            for time_ in range(1, times):
                connection.execute(copy, {"nodes": 2 * customers * time_, "customers": customers * time_})
        connection.execute("UPDATE numbers SET next = ? WHERE name = 'node'", (2 * customers * times + 1,))


def _raw(tx: Tx, number: int) -> Any:
    return tx.one(RAW, TENANT, "telegram.user", "", str(number))


def _found(tx: Tx, number: int) -> Any:
    return customer_of(tx, TENANT, f"telegram.user:{number}")


def _known(tx: Tx, number: int) -> Any:
    return observe(tx, TENANT, _party(number), NOON + number * SECOND)


def _first(tx: Tx, number: int) -> Any:
    return observe(tx, TENANT, _party(number + 10**9), NOON + number * SECOND)


def _edge(tx: Tx, number: int) -> Any:
    """Two customers become one."""
    more: dict[str, Any] = {"tier": "verified", "proof": "code", "source": f"edge {number}", "at": NOON}
    return attest(tx, TENANT, user(number), [mail(number ^ 1)], **more)


def _split(tx: Tx, number: int) -> Any:
    return split(tx, TENANT, str(user(number)), [str(mail(number))], agent="dana", at=NOON + number)


STEPS: dict[str, Step] = {
    "one bare SELECT": _raw,
    "customer of a known identifier": _found,
    "known contact, seen again": _known,
    "first contact": _first,
    "new edge": _edge,
    "split": _split,
}


def _timed(database: Database, step: Step, rounds: int, among: int, before: Step | None = None) -> Row:
    """Every one is taken of another customer, spread over all; pairs of neighbours are touched once.

    `before` is not timed.
    """
    apart = max(2, among // rounds // 2 * 2)
    within, durable = [], []

    def work(tx: Tx, number: int) -> float:
        began = time.thread_time()
        step(tx, number)
        return (time.thread_time() - began) * 1e6

    for number in range(0, min(among, apart * rounds), apart):
        if before is not None:
            database.do(lambda tx, number=number: before(tx, number))
        began = time.perf_counter()
        within.append(database.do(lambda tx, number=number: work(tx, number)))
        durable.append((time.perf_counter() - began) * 1e6)
    return {
        "p50": _p(within, 50),
        "p99": _p(within, 99),
        "durable p50": _p(durable, 50),
        "durable p99": _p(durable, 99),
    }


ACCOUNTS = 31
"""Of one customer, all at one mailbox: as many identifiers as the cap allows."""


def _parted(database: Database, size: Size, say: Say) -> Row:
    """The widest split there is: half of a customer's accounts leave."""
    say("split, 16 of 32")
    return {"step": "split, 16 of 32", "ids": size.ids} | _timed(database, _half_leaves, 40, 80, before=_gather)


def _account(number: int, place: int) -> Identifier:
    return Identifier(kind=f"network{place}.user", value=str(number))


def _gather(tx: Tx, number: int) -> None:
    shared = Identifier(kind="email", value=f"gathered{number}@mail.example")
    for place in range(ACCOUNTS):
        account, source = _account(number, place), f"gathered {number} {place}"
        observe(tx, TENANT, Party(identifiers=(account,)), NOON + place * SECOND)
        attest(tx, TENANT, account, [shared], tier="verified", proof="code", source=source, at=NOON + place)


def _half_leaves(tx: Tx, number: int) -> None:
    leaving = [str(_account(number, place)) for place in range(ACCOUNTS // 2, ACCOUNTS)]
    split(tx, TENANT, str(_account(number, 0)), leaving, agent="dana", at=NOON + SECOND)


def _p(values: Sequence[float], percent: int) -> float:
    return round(percentile(values, percent), 1)


WINDOW = 500
"""Senders whose median is taken."""


def hub(size: Size, say: Say) -> list[Row]:
    """Ever more senders give the same phone: what does the next one cost?"""
    say(f"{size.senders:,} senders")
    spent: list[float] = []
    phone = Identifier(kind="phone", value="+15550000000")

    def work(tx: Tx, number: int) -> float:
        began = time.thread_time()
        party = Party(identifiers=(user(number), phone), name=f"Customer {number}")
        observe(tx, TENANT, party, NOON + number * SECOND)
        return (time.thread_time() - began) * 1e6

    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder, _opened(Path(folder) / "hub.sqlite") as database:
        for first in range(0, size.senders, 50):
            numbers = range(first, first + 50)
            spent += database.do(lambda tx, numbers=numbers: [work(tx, number) for number in numbers])
    early, late = (_middle(spent, place) for place in (200, len(spent) - WINDOW))
    ratio = round(late / early, 2)
    return [{"step": "the next sender at a hub", "senders": size.senders, "early": early, "late": late, "ratio": ratio}]


def _middle(spent: Sequence[float], place: int) -> float:
    return round(statistics.median(spent[place : place + WINDOW]), 1)
