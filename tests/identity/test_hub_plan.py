"""Whatever has very many neighbours is asked only for those that people have tied to it."""

import sqlite3
from pathlib import Path

from socialsupport_core.store import Tx, evidence, open_store


def test_the_ties_of_people_are_found_by_their_index(tmp_path: Path) -> None:
    """Through the primary key all neighbours would be read: the next one at a hub would cost ever more."""
    database = open_store(tmp_path / "support.sqlite")
    asked: list[str] = []

    def ask(tx: Tx) -> None:
        tx._connection.set_trace_callback(asked.append)  # type: ignore[attr-defined]
        evidence.people_at(tx, "acme", 1)

    database.read(ask)
    database.close()
    (sql,) = [one for one in asked if "FROM ties" in one]
    with sqlite3.connect(tmp_path / "support.sqlite") as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert any("ties_of_people" in step for step in plan), plan
