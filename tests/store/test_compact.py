"""What was deleted is not in the store's files any more once they have been written anew."""

import random
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.store.database import StoreError
from socialsupport_core.store.sqlite import SQLite


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SQLite]:
    made = SQLite(tmp_path / "support.sqlite")
    yield made
    made.close()


def fill(store: SQLite) -> list[bytes]:
    """Rows of many people, written and changed in no order, and then those of a fifth of them deleted: the latter."""
    chance = random.Random(3)
    store.do(
        lambda tx: tx.run("CREATE TABLE said (who INTEGER, at INTEGER, text TEXT, PRIMARY KEY (who, at)) WITHOUT ROWID")
    )
    for _ in range(60):
        people = [chance.randrange(100) for _ in range(100)]
        rows = [(who, chance.randrange(10**6), f"mark{who:03d}x" * chance.randrange(1, 60)) for who in people]
        store.do(lambda tx, rows=rows: tx.many("INSERT INTO said VALUES (?, ?, ?) ON CONFLICT DO NOTHING", rows))  # type: ignore[misc]
        who, text = people[0], f"mark{people[0]:03d}x" * 40
        store.do(lambda tx, who=who, text=text: tx.run("UPDATE said SET text = ? WHERE who = ?", text, who))  # type: ignore[misc]
    store.do(lambda tx: tx.run("DELETE FROM said WHERE who % 5 = 0"))
    return [f"mark{who:03d}x".encode() for who in range(0, 100, 5)]


def left(store: SQLite, marks: list[bytes]) -> list[bytes]:
    held = b"".join(path.read_bytes() for path in store.path.parent.iterdir())
    return [mark for mark in marks if mark in held]


def test_deleting_alone_leaves_copies_and_writing_anew_leaves_none(store: SQLite) -> None:
    marks = fill(store)
    with sqlite3.connect(store.path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    other.close()
    assert left(store, marks)  # else there is nothing to prove here
    done = store.compact()
    assert (done.done, done.left) == (True, ())
    assert done.bytes == store.path.stat().st_size
    assert left(store, marks) == []
    assert store.read(lambda tx: tx.one("SELECT count(*) AS n FROM said WHERE who % 5 <> 0")["n"]) > 1000  # type: ignore[index]


def test_whoever_writes_meanwhile_only_waits(store: SQLite) -> None:
    fill(store)
    done: list[Any] = []
    cleaning = threading.Thread(target=lambda: done.extend(store.compact() for _ in range(3)))
    cleaning.start()
    for number in range(200):
        store.do(lambda tx, number=number: tx.run("INSERT INTO said VALUES (?, 0, 'late')", 1000 + number))  # type: ignore[misc]
    cleaning.join()
    assert [one.done for one in done] == [True] * 3
    assert store.read(lambda tx: tx.one("SELECT count(*) AS n FROM said WHERE who >= 1000")["n"]) == 200  # type: ignore[index]


def test_a_reader_that_holds_on_is_told(store: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_core.store.sqlite.BUSY_SECONDS", 0.1)
    marks = fill(store)
    with sqlite3.connect(store.path, isolation_level=None) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM said").fetchone()
        done = store.compact()
        assert (done.done, len(done.left)) == (False, 1)
        assert "run it again" in done.left[0]
        reader.execute("ROLLBACK")
    reader.close()
    assert store.compact().done
    assert left(store, marks) == []


def test_trouble_is_an_error_of_the_store(store: SQLite, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: sqlite3.Connection) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("socialsupport_core.store.sqlite._rewrite", full)
    with pytest.raises(StoreError, match="disk is full"):
        store.compact()
