"""The store: one commit for many, each piece of work for itself, and no promise that is not kept."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from socialsupport_core.store import Database, StoreError, Tx, accounts
from socialsupport_core.store.sqlite import SQLite


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = SQLite(tmp_path / "store.sqlite")
    yield made
    made.close()


def add(name: str, *, fail: type[Exception] | None = None) -> object:
    def work(tx: Tx) -> str:
        accounts.add_tenant(tx, name, name, b"")
        if fail is not None:
            raise fail(name)
        return name

    return work


def names(database: Database) -> list[str]:
    return [tenant for tenant, _ in database.read(accounts.tenants)]


class Gate:
    """Keeps the writer busy until it is opened, so that everything after it waits together."""

    def __init__(self, database: Database) -> None:
        self._open, self._entered = threading.Event(), threading.Event()
        self.future = database.write(self._work)
        assert self._entered.wait(5)

    def _work(self, _tx: Tx) -> None:
        self._entered.set()
        assert self._open.wait(10)

    def open(self) -> None:
        self._open.set()


def test_one_commit_for_all_that_wait(database: Database) -> None:
    statements: list[str] = []
    gate = Gate(database)
    database._writer.set_trace_callback(statements.append)
    with ThreadPoolExecutor(8) as threads:
        futures = list(threads.map(lambda n: database.write(add(f"t{n:03}")), range(90)))  # type: ignore[arg-type]
    gate.open()
    assert [future.result(10) for future in futures] == [f"t{n:03}" for n in range(90)]
    database._writer.set_trace_callback(None)
    commits = statements.count("COMMIT")
    assert commits == 2  # the gate's, and one for the ninety
    assert len(names(database)) == 90


def test_nothing_is_promised_before_the_commit(database: Database) -> None:
    """When a future is done, another connection sees what it stands for."""
    other = sqlite3.connect(database.path)
    seen: list[bool] = []

    def look(future: "Future[str]") -> None:
        found = other_thread.submit(lambda: reader(future.result())).result()
        seen.append(found)

    def reader(name: str) -> bool:
        with sqlite3.connect(database.path) as mine:
            found = mine.execute("SELECT 1 FROM tenants WHERE tenant = ?", (name,)).fetchone() is not None
        mine.close()
        return found

    with ThreadPoolExecutor(1) as other_thread:
        for number in range(20):
            future = database.write(add(f"t{number}"))  # type: ignore[arg-type]
            future.add_done_callback(look)
            future.result()
        database.do(lambda tx: None)
    other.close()
    assert seen == [True] * 20


def test_what_fails_leaves_nothing_and_the_others_alone(database: Database) -> None:
    gate = Gate(database)
    futures = [database.write(add(f"t{n}", fail=ValueError if n % 3 == 0 else None)) for n in range(9)]  # type: ignore[arg-type]
    gate.open()
    for number, future in enumerate(futures):
        if number % 3 == 0:
            with pytest.raises(ValueError, match=f"t{number}"):
                future.result(10)
        else:
            assert future.result(10) == f"t{number}"
    assert names(database) == [f"t{n}" for n in range(9) if n % 3]


def test_a_savepoint_is_all_or_nothing_within_the_work(database: Database) -> None:
    def work(tx: Tx) -> None:
        accounts.add_tenant(tx, "kept", "", b"")
        with pytest.raises(KeyError), tx.savepoint():  # noqa: PT012 - what came before the error is the point
            accounts.add_tenant(tx, "gone", "", b"")
            raise KeyError
        with tx.savepoint():
            accounts.add_tenant(tx, "also", "", b"")

    database.do(work)
    assert names(database) == ["also", "kept"]


def test_a_full_disk_is_an_error_for_those_it_hits_and_passes(database: Database) -> None:
    """Once the batch fails from outside, each is tried for itself."""
    gate = Gate(database)

    def full(_tx: Tx) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    fine, hit, after = database.write(add("a")), database.write(full), database.write(add("b"))  # type: ignore[arg-type]
    gate.open()
    assert (fine.result(10), after.result(10)) == ("a", "b")
    with pytest.raises(StoreError, match="disk is full"):
        hit.result(10)
    assert names(database) == ["a", "b"]


def test_a_really_full_disk_refuses_and_recovers(database: Database) -> None:
    pages = database.read(lambda tx: tx.all("PRAGMA page_count")[0]["page_count"])

    def limit(tx: Tx, pages: int) -> None:
        tx.one(f"PRAGMA max_page_count = {pages}")

    database.do(lambda tx: limit(tx, pages + 2))
    with pytest.raises(StoreError, match="database or disk is full"):
        database.do(lambda tx: tx.run("INSERT INTO tenants VALUES ('big', 'big', zeroblob(10000000))"))
    database.do(lambda tx: limit(tx, 1_000_000))
    assert database.do(add("small")) == "small"  # type: ignore[arg-type]
    assert names(database) == ["small"]


def test_it_says_why_nothing_can_be_written_and_tries_again_when_asked(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database.unwritable() is None
    pages = database.read(lambda tx: tx.all("PRAGMA page_count")[0]["page_count"])
    database.do(lambda tx: tx.one(f"PRAGMA max_page_count = {pages}"))
    with pytest.raises(StoreError):
        database.do(lambda tx: tx.run("INSERT INTO tenants VALUES ('big', 'big', zeroblob(10000000))"))
    assert "disk is full" in (database.unwritable() or "")
    monkeypatch.setattr("socialsupport_core.store.database.FRESH", 0.0)
    assert database.unwritable() is None, "a small thing can be written"
    database._writer.execute("PRAGMA query_only=ON")
    with pytest.raises(StoreError):
        database.do(add("small"))  # type: ignore[arg-type]
    assert "readonly" in (database.unwritable() or "")
    database._writer.execute("PRAGMA query_only=OFF")
    assert database.unwritable() is None
    assert database.unwritable(tried=True) is None


def test_a_locked_file_fails_all_at_once_and_not_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socialsupport_core.store.sqlite.BUSY_SECONDS", 0.3)
    database = SQLite(tmp_path / "store.sqlite")
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    futures = [database.write(add(f"t{n}")) for n in range(50)]  # type: ignore[arg-type]
    for future in futures:
        with pytest.raises(StoreError, match="locked"):
            future.result(30)
    assert time.monotonic() - started < 5
    other.execute("ROLLBACK")
    other.close()
    assert database.do(add("now")) == "now"  # type: ignore[arg-type]
    database.close()


def test_after_the_end_nothing_is_promised(database: Database) -> None:
    waiting = [database.write(add(f"t{n}")) for n in range(300)]  # type: ignore[arg-type]
    names(database)
    database.close()
    assert all(future.done() and future.exception() is None for future in waiting)
    for attempt in (lambda: database.write(lambda tx: None), lambda: database.read(lambda tx: None)):
        with pytest.raises(StoreError, match="closed"):
            attempt()
    database.close()


def test_who_stops_waiting_neither_stops_the_work_nor_the_store(database: Database) -> None:
    """As when a client disconnects before its answer is there."""
    gate = Gate(database)
    abandoned = [database.write(add(f"t{n}")) for n in range(3)]  # type: ignore[arg-type]
    for future in abandoned:
        future.cancel()
    gate.open()
    assert database.do(add("after")) == "after"  # type: ignore[arg-type]
    assert names(database) == ["after", "t0", "t1", "t2"]


def test_a_reader_sees_one_moment(database: Database) -> None:
    database.do(add("before"))  # type: ignore[arg-type]

    def read(tx: Tx) -> tuple[int, int]:
        first = len(accounts.tenants(tx))
        database.do(add("meanwhile"))  # type: ignore[arg-type]
        return first, len(accounts.tenants(tx))

    assert database.read(read) == (1, 1)
    assert len(names(database)) == 2


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError, match="readonly"):
        database.read(add("sneaky"))  # type: ignore[arg-type]
    assert names(database) == []


def test_a_read_within_a_read(database: Database) -> None:
    assert database.read(lambda tx: database.read(accounts.tenants)) == []


def test_threads_that_come_and_go_leave_no_connection_behind(database: Database) -> None:
    for _ in range(60):
        thread = threading.Thread(target=names, args=(database,))
        thread.start()
        thread.join()
    assert len(database._idle) == 1


def test_too_much_that_waits_is_refused_and_not_forgotten(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(database)
    monkeypatch.setattr("socialsupport_core.store.database.QUEUE", 5)
    accepted = [database.write(add(f"t{n}")) for n in range(5)]  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="try again later"):
        database.write(add("one too many"))  # type: ignore[arg-type]
    gate.open()
    assert [future.result(10) for future in accepted] == [f"t{n}" for n in range(5)]


def test_it_is_durable_as_promised(database: Database) -> None:
    """FULL: with NORMAL a power cut loses acknowledged rows."""
    settings = database.do(lambda tx: [tx.all(f"PRAGMA {name}")[0][name] for name in ("synchronous", "journal_mode")])
    assert settings == [2, "wal"]


def test_a_store_of_another_release_is_refused_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    SQLite(path).close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE meta SET value = '99'")
    other.close()
    with pytest.raises(StoreError, match=r"schema 99.*install the newer release"):
        SQLite(path)


@pytest.mark.parametrize("content", [b"not a database at all, but long enough to be looked at" * 50, b"\x00" * 5000])
def test_what_is_no_store_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(content)
    with pytest.raises(StoreError):
        SQLite(path)


def test_a_forked_process_is_told_to_open_a_store_of_its_own(database: Database) -> None:
    """The writer is not forked along: it would wait for ever."""
    told, tell = os.pipe()
    if (child := os.fork()) == 0:
        signal.alarm(20)  # rather than wait for ever with a store that does not look
        said = b""
        for ask in (lambda: database.do(lambda _: None), lambda: database.read(lambda _: None)):
            try:
                ask()
            except StoreError as error:
                said += str(error).encode() + b"\n"
        os.write(tell, said)
        os._exit(0)
    os.waitpid(child, 0)
    lines = os.read(told, 10_000).decode().splitlines()
    assert len(lines) == 2
    assert all("open it after the fork" in line for line in lines)
    database.do(lambda _: None)
