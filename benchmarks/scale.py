"""What a store that fills up costs: the timeline's newest 50, and ingest, at so many rows.

The tables are filled by set-based SQL, in the order of time, as they would have filled by themselves; log and journal
get rows without their contents. Accounts have a hundred messages each and belong to customers of one, four and twenty.
All sizes are open at once and asked in turn, so that whatever else the machine does hits all of them alike.
"""

import gc
import json
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import telegram
from benchmarks.figures import MICRO, Figure, cpu, percentile
from benchmarks.stores import Ground, ground
from socialsupport_core.hub import Hub
from socialsupport_core.store import micros
from socialsupport_telegram import Telegram, TelegramSettings

EACH = 100
"""Messages of one account."""
KINDS = (1, 4, 20)
"""Accounts of one customer."""
CHUNK = 200_000
STEP = 1_000_000
"""Microseconds between two messages."""
GOAL = 3

# Of the first half of the accounts everyone is a customer; a quarter belongs to four each, a quarter to twenty.
CUSTOMER = "CASE WHEN n < {half} THEN n WHEN n < {most} THEN n - (n - {half}) % 4 ELSE n - (n - {most}) % 20 END"
NODES = (
    "INSERT INTO nodes (node, tenant, kind, scope, value, first_seen, id, customer, name)"
    " SELECT n + 1, 'acme', 'telegram.user', '', CAST(n + 1000 AS TEXT), {start}, {id}, {customer} + 1,"
    " 'Customer ' || n FROM numbered",
    "INSERT INTO conversations (tenant, conversation, node, status, opened_at, updated_at)"
    " SELECT 'acme', 'con_' || n, n + 1, 'open', {start}, {end} FROM numbered WHERE n = {customer}",
    "INSERT INTO legs (leg, tenant, conversation, channel, network, own_account, thread, visibility, node, opened_at,"
    " last_inbound, rule, reason) SELECT n + 1, 'acme', 'con_' || {customer}, 'bot', 'telegram', '{bot}',"
    " CAST(n + 1000 AS TEXT), 'private', n + 1, {start}, {end}, 'same_customer', 'filled' FROM numbered",
)
MESSAGES = (
    "INSERT INTO journal (tenant, door, source, method, url, headers, body, received_at, state, events)"
    " SELECT 'acme', '{door}', 'webhook', 'POST', '', '[]', {empty}, {at}, 'recorded', 1 FROM numbered",
    "INSERT INTO events_seen (tenant, channel, event) SELECT 'acme', 'bot', {digest} FROM numbered",
    "INSERT INTO interaction_keys (seq, tenant, channel, thread, native_id, node, at)"
    " SELECT n + 1, 'acme', 'bot', CAST({user} AS TEXT), CAST(n + 1 AS TEXT), {account} + 1, {at} FROM numbered",
    "INSERT INTO interactions (tenant, node, at, seq, leg, entry, direction, kind, data, received_at)"
    " SELECT 'acme', {account} + 1, {at}, n + 1, {account} + 1, NULL, 'inbound', 'message',"
    " replace(replace('{data}', '@message', CAST(n + 1 AS TEXT)), '@user', CAST({user} AS TEXT)), {at} FROM numbered",
    "INSERT INTO log (tenant, type, at, channel, thread, conversation, data)"
    " SELECT 'acme', 'interaction.received', {at}, 'bot', CAST({user} AS TEXT), 'con_' || {account}, '{{}}'"
    " FROM numbered",
)
NUMBERED = (
    "WITH RECURSIVE numbered (n) AS"
    " (SELECT CAST({low} AS BIGINT) UNION ALL SELECT n + 1 FROM numbered WHERE n + 1 < {high}) "
)
DIALECT = {
    "SQLite": {"digest": "lower(hex(randomblob(16)))", "empty": "x''", "id": "CAST(printf('%015d', n) AS BLOB)"},
    "PostgreSQL": {
        "digest": "md5(CAST(n AS TEXT))",
        "empty": "''::bytea",
        "id": "decode(lpad(to_hex(n), 30, '0'), 'hex')",
    },
}


@dataclass
class Filled:
    """An open hub on so many rows."""

    rows: int
    hub: Hub
    door: str
    accounts: int
    came: int = 0

    @property
    def kinds(self) -> dict[int, range]:
        """The first account of each customer, by how many accounts he has."""
        half, most = shares(self.accounts)
        return {1: range(half), 4: range(half, most, 4), 20: range(most, self.accounts, 20)}


def shares(accounts: int) -> tuple[int, int]:
    """Where the customers of four accounts begin, and those of twenty."""
    return accounts // 2, accounts // 2 + accounts // 4 // 4 * 4


def fill(place: Ground, rows: int) -> Filled:
    """`rows` is at least 10,000, and a multiple of 8,000 or 10,000."""
    store = place.store()
    hub, door = telegram.prepared(place, store)
    hub.close()
    accounts = rows // EACH
    _fill(place, store, rows, accounts, door)
    hub = place.open(store, telegram.socialsupport_telegram)
    hub.channels.forget()
    return Filled(rows, hub, door, accounts)


def _fill(place: Ground, store: str | Path, rows: int, accounts: int, door: str) -> None:
    half, most = shares(accounts)
    start = micros(telegram.START)
    words: dict[str, Any] = DIALECT[place.name] | {
        "start": start,
        "end": start + rows * STEP,
        "at": f"({start} + n * {STEP})",
        "account": f"(n % {accounts})",
        "user": f"(n % {accounts} + 1000)",
        "bot": telegram.BOT,
        "door": door,
        "data": sample().replace("'", "''"),
        "customer": CUSTOMER.format(half=half, most=most),
    }
    with _Filler(place, store) as filler:
        for statement in NODES:
            filler.run(NUMBERED.format(low=0, high=accounts) + statement.format_map(words))
        for low in range(0, rows, CHUNK):
            numbered = NUMBERED.format(low=low, high=min(rows, low + CHUNK))
            for statement in MESSAGES:
                filler.run(numbered + statement.format_map(words))
        filler.finish({"node": accounts + 1, "leg": accounts + 1, "seq": rows + 1})


class _Filler:
    """A connection of its own, which may forget everything in a power cut."""

    def __init__(self, place: Ground, store: str | Path) -> None:
        self._file = place.server is None
        if self._file:
            self._connection: Any = sqlite3.connect(store, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode=OFF")
            self._connection.execute("PRAGMA synchronous=OFF")
            self._connection.execute("PRAGMA cache_size=-1000000")
            return
        import psycopg  # noqa: PLC0415 - only where there is a server

        url, _, schema = str(store).partition("?schema=")
        self._connection = psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}")
        self._connection.execute("SET synchronous_commit = off")

    def __enter__(self) -> "_Filler":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, statement: str) -> None:
        self._connection.execute(statement)

    def finish(self, numbers: dict[str, int]) -> None:
        """The series go on where the filling has ended."""
        for name, following in numbers.items():
            if self._file:
                self.run(f"UPDATE numbers SET next = {following} WHERE name = '{name}'")
            else:
                self.run(f"SELECT setval('{name}_numbers', {following}, false)")
        self.run("ANALYZE")
        if self._file:
            self.run("PRAGMA journal_mode=WAL")


def sample() -> str:
    """An interaction as it is stored, with places for its ids."""
    telegrams = Telegram(TelegramSettings.model_validate(telegram.SETTINGS))
    (event,) = telegrams.parse(telegram.payload(4711, 42))
    found = json.loads(event.interaction.to_json())  # type: ignore[union-attr]
    found["native_id"] = "@message"
    found["thread"]["id"] = "@user"
    found["author"]["identifiers"][0]["value"] = "@user"
    return json.dumps(found, separators=(",", ":"))


def timelines(filled: list[Filled], calls: int) -> dict[tuple[int, int], list[float]]:
    """Microseconds of each call, by rows and accounts of the customer.

    A file is read in this thread, and its CPU time counts; of a server the time until it has answered.
    """
    chance = random.Random(7)
    found: dict[tuple[int, int], list[float]] = {(one.rows, kind): [] for one in filled for kind in KINDS}
    for _ in range(calls):
        for one in filled:
            clock = time.thread_time if not one.hub._database.shared else time.perf_counter
            for kind, firsts in one.kinds.items():
                who = f"telegram.user:{chance.choice(firsts) + 1000}"
                began = clock()
                shown = one.hub.timeline("acme", who)
                found[one.rows, kind].append((clock() - began) * MICRO)
                if len(shown) != 50:
                    raise AssertionError(f"{who} has {len(shown)} in {one.rows} rows: the figures would be worthless")
    return found


def ingests(place: Ground, filled: list[Filled], waves: int) -> dict[int, float]:
    """CPU µs a message, server included, by rows."""
    used = dict.fromkeys((one.rows for one in filled), 0.0)
    chance = random.Random(11)
    for _ in range(waves):
        for one in filled:
            some = list(_wave(one, chance))
            used[one.rows] += cpu(lambda o=one, s=some: telegram.ingest(o.hub, o.door, s), place.cpu)  # type: ignore[misc]
    return {rows: seconds / waves / telegram.WAVE * MICRO for rows, seconds in used.items()}


def _wave(one: Filled, chance: random.Random) -> Iterator[Any]:
    for account in chance.sample(range(one.accounts), telegram.WAVE):
        number = one.rows + one.came
        one.came += 1
        yield telegram.payload(number, account)


def measure(store: str, sizes: list[int], calls: int, waves: int) -> list[Figure]:
    with ground(store) as place, ExitStack() as opened:
        filled = [fill(place, rows) for rows in sizes]
        for one in filled:
            opened.callback(one.hub.close)
        gc.collect()
        gc.freeze()  # else a collection that goes through everything hits a call now and then, always of the same size
        opened.callback(gc.unfreeze)
        ingests(place, filled, 1)  # what is read for the first time is not what is measured
        spent, read = ingests(place, filled, waves), timelines(filled, calls)
    return [*_ingest_figures(store, spent), *_timeline_figures(store, read)]


def _ingest_figures(store: str, spent: dict[int, float]) -> list[Figure]:
    smallest = min(spent)
    return [
        Figure(f"ingest at {rows:,} rows, {store}", value, f"at {smallest:,}", spent[smallest], at_most=GOAL)
        for rows, value in spent.items()
        if rows != smallest
    ]


def _timeline_figures(store: str, read: dict[tuple[int, int], list[float]]) -> list[Figure]:
    smallest, unit = min(rows for rows, _ in read), "µs CPU a call" if store == "SQLite" else "µs a call"
    found = []
    for percent, goal in ((50, None), (99, GOAL)):
        for (rows, kind), values in read.items():
            if rows == smallest:
                continue
            what = f"newest 50 of {kind} account{'s' * (kind > 1)} at {rows:,} rows, p{percent}, {store}"
            base = percentile(read[smallest, kind], percent)
            found.append(Figure(what, percentile(values, percent), f"at {smallest:,}", base, unit, at_most=goal))
    return found
