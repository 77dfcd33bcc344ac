"""What must not be walked through is found by its index: the ties of people at a hub, and a verdict to be undone."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from socialsupport_core.store import Tx, evidence, open_store


def plans(folder: Path, table: str, call: Callable[[Tx], Any]) -> list[str]:
    """How SQLite carries out the first that is asked of the table."""
    database = open_store(folder / "support.sqlite")
    asked: list[str] = []

    def ask(tx: Tx) -> None:
        tx._connection.set_trace_callback(asked.append)  # type: ignore[attr-defined]
        call(tx)

    database.read(ask)
    database.close()
    sql = next(one for one in asked if f"FROM {table}" in one)
    with sqlite3.connect(folder / "support.sqlite") as connection:
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]


def test_the_ties_of_people_are_found_by_their_index(tmp_path: Path) -> None:
    """Through the primary key all neighbours would be read: the next one at a hub would cost ever more."""
    plan = plans(tmp_path, "ties", lambda tx: evidence.people_at(tx, "acme", 1))
    assert any("ties_of_people" in step for step in plan), plan


def test_a_verdict_is_found_by_its_index(tmp_path: Path) -> None:
    """Else undoing one would read all evidence of the tenant."""
    plan = plans(tmp_path, "evidence", lambda tx: evidence.named(tx, "acme", "verdict:dana:1:1+2"))
    assert any("evidence_of_people" in step for step in plan), plan
