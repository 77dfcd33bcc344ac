"""Every table of the schema that can hold something about a person is emptied of them: also one that is new."""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from canary import CANARY, ROBIN, Aviary, live

from socialsupport_core.store import Tx, schema, traces

KINDS = {
    "node": ("node", "a", "b", "other", "customer", "base", "told", "redeemed_by", "recipient"),
    "seq": ("seq",),
    "leg": ("leg", "arrived_leg", "cut_from"),
    "conversation": ("conversation", "moved_from", "origin", "target", "superseded_by"),
    "part": ("part",),
    "entry": ("entry",),
    "item": ("item",),
}
"""By what the store knows a person, and the columns that name it."""
OF_NOBODY = {
    ("conversations", "superseded_by"): "it leads from a conversation of the same customer, which goes too",
    ("erasures", "customer"): "who was erased is told by an id that nobody has any more",
    ("handoffs", "target"): "a channel",
    ("journal", "entry"): "the entry stays and is counted, without its body",
    ("log", "conversation"): "what became of a conversation stays told; entries that hold a value go",
    ("retention", "node"): "how far the last round over all accounts has come",
}
NEVER_ALONE = {"context", "evidence", "hints", "interaction_keys", "interactions", "legs", "moves", "outbox", "ties"}
"""What names an account there names other rows too, which must be there."""
ELSEWHERE = itertools.count(900_000_000)
"""Numbers of nobody."""
NOT_PLANTED = {"early", "events_seen", "journal", "log", "nodes", "traces"}
"""What they hold is read, or cannot be made up: the canary's life has them."""


def tables() -> dict[str, dict[str, str]]:
    """By table: the columns that can name a person, and what of them. By the schema itself."""
    kind_of = {column: kind for kind, columns in KINDS.items() for column in columns}
    found: dict[str, dict[str, str]] = {}
    for table, columns in _columns().items():
        about = {one: kind_of[one] for one in columns if one in kind_of and (table, one) not in OF_NOBODY}
        if about and "tenant" in columns:
            found[table] = about
    return found


def _columns() -> dict[str, dict[str, str]]:
    database = sqlite3.connect(":memory:")
    database.executescript(schema.for_sqlite(schema.SCHEMA))
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {one: {row[1]: row[2] for row in database.execute(f"PRAGMA table_info({one})")} for one in names}
    database.close()
    return found


TABLES = tables()


@pytest.fixture
def aviary(tmp_path: Path, store: str | Path) -> Iterator[Aviary]:
    made = Aviary(tmp_path, store)
    yield made
    made.hub.close()


def test_no_row_of_any_table_names_whoever_is_erased(aviary: Aviary) -> None:
    live(aviary)
    database = aviary.hub._database
    known = database.read(_known)
    database.do(lambda tx: _plant(tx, known), "acme")
    _trace(aviary, known)
    before = database.read(lambda tx: _naming(tx, known))
    assert TABLES.keys() - {table for table, _ in before} == set(), "else nothing is proven of them"
    aviary.hub.erase("acme", f"raven.ring:{CANARY}", agent="dana")
    assert database.read(lambda tx: _naming(tx, known)) == {}
    waiting = database.read(lambda tx: tx.all("SELECT * FROM webhook_waiting WHERE tenant = 'acme'"))
    assert aviary.hub.webhook("acme", "desk")["waiting"] == len(waiting) > 0


def _trace(aviary: Aviary, known: dict[str, set[Any]]) -> None:
    """Where the traces of a payload and of a part of theirs began."""
    for kind, one in (("entry", str(max(known["entry"]))), ("part", max(known["part"]))):
        aviary.hub._database.do(lambda tx, given=(kind, "acme", one, "traced"): traces.put(tx, *given), "acme")  # type: ignore[misc]


def _known(tx: Tx) -> dict[str, set[Any]]:
    """The canary's, by kind."""
    nodes = _all(tx, "SELECT node FROM nodes WHERE tenant = 'acme' AND value <> ?", ROBIN)
    mine = f"node IN ({', '.join(map(str, sorted(nodes)))})"
    others = _all(tx, f"SELECT conversation FROM legs WHERE tenant = 'acme' AND NOT {mine}")
    entries = _all(tx, f"SELECT entry FROM interactions WHERE tenant = 'acme' AND {mine} AND entry IS NOT NULL")
    entries |= _all(tx, "SELECT entry FROM early WHERE tenant = 'acme' AND entry IS NOT NULL")
    parts = _all(tx, f"SELECT part FROM interactions WHERE tenant = 'acme' AND {mine} AND part IS NOT NULL")
    return {
        "node": nodes,
        "seq": _all(tx, f"SELECT seq FROM interactions WHERE tenant = 'acme' AND {mine}"),
        "leg": _all(tx, f"SELECT leg FROM legs WHERE tenant = 'acme' AND {mine}"),
        "conversation": _all(tx, f"SELECT conversation FROM legs WHERE tenant = 'acme' AND {mine}") - others,
        "part": parts,
        "entry": entries,
        "item": parts | {str(entry) for entry in entries},
    }


def _all(tx: Tx, sql: str, *values: Any) -> set[Any]:
    return {next(iter(dict(row).values())) for row in tx.all(sql, *values)}


def _naming(tx: Tx, known: dict[str, set[Any]]) -> dict[tuple[str, str], int]:
    """How many rows of which table name them, by the column that does."""
    found = {}
    for table, about in TABLES.items():
        rows = [dict(row) for row in tx.all(f"SELECT * FROM {table} WHERE tenant = 'acme'")]
        for column, kind in about.items():
            if count := sum(row[column] in known[kind] for row in rows):
                found[table, column] = count
    return found


def _plant(tx: Tx, known: dict[str, set[Any]]) -> None:
    """Rows about the canary: one for each column that names an account or a conversation, in which everything else is
    somebody else's; where there is no such column, one in each table that has none."""
    there = {table for table, _ in _naming(tx, known)}
    intent = tx.one("SELECT intent FROM outbox WHERE tenant = 'acme' LIMIT 1")
    assert intent is not None
    for table in sorted(TABLES.keys() - NOT_PLANTED):
        alone = {} if table in NEVER_ALONE else TABLES[table]
        rows = [{column: kind} for column, kind in alone.items() if kind in ("node", "conversation")]
        for about in rows or ([] if table in there else [TABLES[table]]):
            _put(tx, table, about, known, intent["intent"])


def _put(tx: Tx, table: str, about: dict[str, str], known: dict[str, set[Any]], intent: str) -> None:
    number = next(ELSEWHERE)
    fillings = {"INTEGER": number, "BLOB": b"planted"}
    row: dict[str, Any] = {
        column: fillings.get(kind, f"planted-{number}") for column, kind in _columns()[table].items()
    }
    real = {"tenant": "acme", "intent": intent, "kind": "matter" if table == "answers" else "part"}
    row |= {column: value for column, value in real.items() if column in row}
    row |= {column: max(known[kind]) for column, kind in about.items()}
    marks = ", ".join("?" * len(row))
    tx.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks}) ON CONFLICT DO NOTHING", *row.values())
