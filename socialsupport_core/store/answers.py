"""Canned replies, articles, and where to find what was answered in resolved matters; how each was used."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from socialsupport_core.store import search

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE answers (
  number NUMBERED, tenant TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
  words TEXT NOT NULL, source TEXT NOT NULL, node INTEGER, seq INTEGER, at INTEGER NOT NULL,
  UNIQUE (tenant, kind, name));
CREATE INDEX answers_by_node ON answers (tenant, node) WHERE node IS NOT NULL;
CREATE INDEX answers_by_seq ON answers (tenant, seq) WHERE seq IS NOT NULL;
CREATE TABLE answer_uses (
  tenant TEXT NOT NULL, key TEXT NOT NULL, number INTEGER NOT NULL, conversation TEXT NOT NULL, agent TEXT NOT NULL,
  at INTEGER NOT NULL, edited INTEGER NOT NULL, outcome TEXT,
  PRIMARY KEY (tenant, key)) WITHOUT ROWID;
CREATE INDEX answer_uses_by_number ON answer_uses (tenant, number);
CREATE INDEX answer_uses_by_conversation ON answer_uses (tenant, conversation);
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """`kind`: `canned`, `article` or `matter`. Of a matter nothing is kept but where our answer stands (`seq`), and
    the words by which it is found."""

    tenant: str
    number: int
    kind: str
    name: str
    value: Mapping[str, Any]
    words: tuple[str, ...]
    source: str
    node: int | None
    seq: int | None
    at: int


def put(
    tx: "Tx",
    tenant: str,
    kind: str,
    name: str,
    value: Mapping[str, Any],
    words: Collection[str],
    *,
    source: str,
    at: int,
    node: int | None = None,
    seq: int | None = None,
) -> int:
    """New, or in place of what has this name; it keeps its number, and what came of it."""
    known = tx.one("SELECT number FROM answers WHERE tenant = ? AND kind = ? AND name = ?", tenant, kind, name)
    number: int = known["number"] if known else tx.number("answer")
    tx.run(
        "INSERT INTO answers (number, tenant, kind, name, value, words, source, node, seq, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, kind, name) DO UPDATE SET value = excluded.value,"
        " words = excluded.words, source = excluded.source, node = excluded.node, seq = excluded.seq,"
        " at = excluded.at",
        number,
        tenant,
        kind,
        name,
        json.dumps(dict(value)),
        " ".join(words),
        source,
        node,
        seq,
        at,
    )
    search.put(tx, tenant, number, words)
    return number


def find(tx: "Tx", tenant: str, words: Collection[str], limit: int) -> list[Kept]:
    """Those that hold any of the words, the best first."""
    numbers = search.find(tx, tenant, words, limit)
    known = {one.number: one for one in by_numbers(tx, tenant, numbers)}
    return [known[number] for number in numbers if number in known]


def by_numbers(tx: "Tx", tenant: str, numbers: Collection[int]) -> list[Kept]:
    if not numbers:
        return []
    marks = ", ".join("?" * len(numbers))
    rows = tx.all(f"SELECT * FROM answers WHERE tenant = ? AND number IN ({marks})", tenant, *sorted(numbers))
    return [_kept(row) for row in rows]


def written(tx: "Tx", tenant: str) -> list[Kept]:
    """Canned replies and articles, by name."""
    sql = "SELECT * FROM answers WHERE tenant = ? AND kind <> 'matter' ORDER BY kind, name"
    return [_kept(row) for row in tx.all(sql, tenant)]


def remove(tx: "Tx", tenant: str, numbers: Collection[int]) -> int:
    search.remove(tx, numbers)
    tx.many("DELETE FROM answer_uses WHERE tenant = ? AND number = ?", [(tenant, one) for one in numbers])
    return sum(tx.run("DELETE FROM answers WHERE tenant = ? AND number = ?", tenant, one) for one in numbers)


def forget(tx: "Tx", tenant: str, numbers: Collection[int]) -> int:
    """What leads to somebody who is gone; nothing of it is left in the index."""
    gone = remove(tx, tenant, numbers)
    if gone:
        search.cleanse(tx)
    return gone


# use


def note_use(
    tx: "Tx", tenant: str, key: str, number: int, conversation: str, agent: str, at: int, edited: float
) -> None:
    """Once for each reply. `edited`: how much of it was changed, 0 to 1."""
    tx.run(
        "INSERT INTO answer_uses (tenant, key, number, conversation, agent, at, edited) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, key) DO NOTHING",
        tenant,
        key,
        number,
        conversation,
        agent,
        at,
        round(edited * 1000),
    )


def note_resolved(tx: "Tx", tenant: str, conversation: str) -> None:
    tx.run("UPDATE answer_uses SET outcome = 'resolved' WHERE tenant = ? AND conversation = ?", tenant, conversation)


def outcomes(tx: "Tx", tenant: str, numbers: Collection[int]) -> dict[int, tuple[int, float, int, int]]:
    """By number: how often it was sent, how much of it was edited, how many matters stayed resolved, how many not."""
    if not numbers:
        return {}
    rows = tx.all(
        "SELECT u.number AS number, count(*) AS sent, sum(u.edited) AS edited,"
        " sum(CASE WHEN u.outcome = 'resolved' AND c.status = 'resolved' THEN 1 ELSE 0 END) AS stayed,"
        " sum(CASE WHEN u.outcome = 'resolved' AND c.status <> 'resolved' THEN 1 ELSE 0 END) AS back"
        " FROM answer_uses u LEFT JOIN conversations c ON c.tenant = u.tenant AND c.conversation = u.conversation"
        f" WHERE u.tenant = ? AND u.number IN ({', '.join('?' * len(numbers))}) GROUP BY u.number",
        tenant,
        *sorted(numbers),
    )
    return {
        row["number"]: (int(row["sent"]), int(row["edited"]) / row["sent"] / 1000, int(row["stayed"]), int(row["back"]))
        for row in rows
    }


def _kept(row: "Row") -> Kept:
    return Kept(
        row["tenant"],
        row["number"],
        row["kind"],
        row["name"],
        json.loads(row["value"]),
        tuple(row["words"].split()),
        row["source"],
        row["node"],
        row["seq"],
        row["at"],
    )
