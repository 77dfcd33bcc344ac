"""Full text, the same for both stores: FTS5 in SQLite, tsvector in PostgreSQL. Words come in as they are looked for.

https://www.sqlite.org/fts5.html, https://www.postgresql.org/docs/17/datatype-textsearch.html (2026-11)
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Tx

Dialect = Literal["fts5", "tsvector"]
FTS5 = "CREATE VIRTUAL TABLE answer_words USING fts5(words, tenant UNINDEXED, tokenize = 'unicode61');\n"
TSVECTOR = (
    "CREATE TABLE answer_words (number BIGINT PRIMARY KEY, tenant TEXT NOT NULL, words TSVECTOR NOT NULL);\n"
    "CREATE INDEX answer_words_found ON answer_words USING gin (words);\n"
)


@dataclass(frozen=True, slots=True)
class _Statements:
    put: str
    remove: str
    find: str
    either: str
    """Between two words of which any will do."""


_SAID: Mapping[Dialect, _Statements] = {
    "fts5": _Statements(
        "INSERT INTO answer_words (rowid, tenant, words) VALUES (?, ?, ?)",
        "DELETE FROM answer_words WHERE rowid = ?",
        "SELECT rowid AS number FROM answer_words WHERE answer_words MATCH ? AND tenant = ? ORDER BY rank LIMIT ?",
        " OR ",
    ),
    "tsvector": _Statements(
        "INSERT INTO answer_words (number, tenant, words) VALUES (?, ?, array_to_tsvector(string_to_array(?, ' ')))",
        "DELETE FROM answer_words WHERE number = ?",
        "SELECT number FROM answer_words, (SELECT CAST(? AS tsquery) AS asked) q WHERE words @@ q.asked"
        " AND tenant = ? ORDER BY ts_rank(words, q.asked) DESC, number LIMIT ?",
        " | ",
    ),
}


def put(tx: "Tx", tenant: str, number: int, words: Collection[str]) -> None:
    """In place of what was known under this number."""
    remove(tx, [number])
    if words:
        tx.run(_SAID[tx.full_text].put, number, tenant, " ".join(dict.fromkeys(words)))


def remove(tx: "Tx", numbers: Collection[int]) -> None:
    tx.many(_SAID[tx.full_text].remove, [(number,) for number in numbers])


def find(tx: "Tx", tenant: str, words: Collection[str], limit: int) -> list[int]:
    """Numbers of the texts that hold any of the words, the best first."""
    if not words:
        return []
    said = _SAID[tx.full_text]
    mark = '"' if tx.full_text == "fts5" else "'"
    asked = said.either.join(f"{mark}{word}{mark}" for word in words if word.isalnum())
    return [row["number"] for row in tx.all(said.find, asked, tenant, limit)] if asked else []


def cleanse(tx: "Tx") -> None:
    """Nothing of what was removed is left in the index itself."""
    if tx.full_text == "fts5":
        tx.run("INSERT INTO answer_words (answer_words) VALUES ('optimize')")
