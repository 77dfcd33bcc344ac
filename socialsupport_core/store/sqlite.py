"""SQLite with one writer. `synchronous=FULL`: with NORMAL a power cut loses acknowledged rows."""

import re
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from socialsupport_core.store import migrations, planner, schema
from socialsupport_core.store.database import Compacted, Database, Row, StoreError, Tx

ROWS = 20  # of one INSERT: opening tables and indexes for each costs more than filling them
T = TypeVar("T")
V = TypeVar("V")
BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024  # of the writer and of each reader; the default of 2 MB is spilt in the midst of a batch


_VALUES = re.compile(r"VALUES (\((?:\?, )*\?\))")


@cache
def _several(sql: str) -> str | None:
    """The same INSERT for ROWS rows; None if it is none."""
    found = _VALUES.search(sql) if sql.startswith("INSERT") else None
    return found and sql[: found.start(1)] + ", ".join([found[1]] * ROWS) + sql[found.end(1) :]


class SQLiteTx(Tx):
    outside = (sqlite3.OperationalError,)
    full_text = "fts5"
    last_cursor = "SELECT seq AS n FROM sqlite_sequence WHERE name = 'log'"
    skip_cursors = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'log' RETURNING seq"

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__()
        self._connection = connection

    def lock(self, *tenants: str) -> None:
        """There is one writer."""

    def try_lock(self, what: str) -> bool:
        return True

    def conclude(self) -> None:
        """The log is written with the commit."""
        self.flush()
        self._many(schema.TELL, self.told)
        self.told = []
        self._many(schema.COUNT, self._counted(0))

    def _all(self, sql: str, values: Sequence[Any]) -> list[Row]:
        found = self._connection.execute(sql, values)
        rows = found.fetchall()
        if not rows:
            return []
        names = [column[0] for column in found.description]
        # `sqlite3.Row` goes through the names for each value that is asked for; a dict does not
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _run(self, sql: str, values: Sequence[Any]) -> int:
        return self._connection.execute(sql, values).rowcount

    def _many(self, sql: str, rows: list[Sequence[Any]]) -> None:
        whole = len(rows) - len(rows) % ROWS
        if whole and (several := _several(sql)):
            for start in range(0, whole, ROWS):
                self._connection.execute(several, [value for row in rows[start : start + ROWS] for value in row])
            rows = rows[whole:]
        self._connection.executemany(sql, rows)

    def _next_numbers(self, name: str, count: int) -> list[int]:
        found = self._all("UPDATE numbers SET next = next + ? WHERE name = ? RETURNING next", (count, name))
        top = int(found[0]["next"])
        return list(range(top - count, top))


class SQLite(Database):
    trouble = sqlite3.OperationalError
    shared = False

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.path = Path(path)
        self.where = str(self.path)
        self._idle: list[sqlite3.Connection] = []
        """Connections for readers; there are as many as ever read at once, however many threads come and go."""
        self._turn = threading.Lock()
        """Who writes: the writer's thread, or whoever writes the whole file anew."""
        self._writer = self._open()
        _prepare(self._writer, self.path)
        for thread in self._threads:
            thread.start()

    def read(self, call: Callable[[Tx], T]) -> T:
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            try:
                return call(SQLiteTx(connection))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
        finally:
            self._put_back(connection)

    def work_off(
        self, claim: Callable[[Tx], Sequence[T]], prepare: Callable[[T], V], finish: Callable[[Tx, list[V]], None]
    ) -> int:
        """One process works on one file, so what is read is taken."""
        prepared = [prepare(one) for one in self.read(claim)]
        if prepared:
            self.do(lambda tx: finish(tx, prepared))
        return len(prepared)

    def compact(self, tables: Sequence[str] = ()) -> Compacted:
        """Writes the file anew and empties the write-ahead log. Writers wait meanwhile, readers do not.

        `secure_delete` is not enough: when pages are balanced, copies of cells stay behind in their free space
        (measured on 3.40: of 21 in 100 deleted values something was left). 7 ms a megabyte.
        """
        began = time.monotonic()
        with self._turn:
            try:
                busy = _rewrite(self._open())
            except sqlite3.Error as error:
                raise StoreError(f"{self.path} cannot be written anew: {error}") from error
        left = ("a reader holds an old state of the store; run it again when it is done",) if busy else ()
        size = sum(path.stat().st_size for path in (self.path, Path(f"{self.path}-wal")) if path.exists())
        return Compacted(not busy, time.monotonic() - began, size, left)

    def _transact(self, work: Callable[[Tx], T]) -> tuple[T, bool]:
        with self._turn:
            return self._commit_one(work)

    def _commit_one(self, work: Callable[[Tx], T]) -> tuple[T, bool]:
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be written: {error}") from error
        before = self._writer.total_changes
        tx = SQLiteTx(self._writer)
        try:
            result = work(tx)
            tx.conclude()
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return result, self._writer.total_changes != before

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be opened: {error}") from error
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA secure_delete=ON")
        connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint needs to undo stays out of files
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        return connection

    def _reader(self) -> sqlite3.Connection:
        self._check_process()
        with self._closing:
            if self._closed:
                raise StoreError("the store is closed")
            if self._idle:
                return self._idle.pop()
        connection = self._open()
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _put_back(self, connection: sqlite3.Connection) -> None:
        with self._closing:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _close(self) -> None:
        with self._closing:
            idle, self._idle = self._idle, []
        for connection in [*idle, self._writer]:
            connection.close()


def _rewrite(connection: sqlite3.Connection) -> bool:
    """True if somebody still reads what was there before."""
    with closing(connection):
        connection.execute("PRAGMA temp_store=FILE")  # the whole file would stand in memory; it is unlinked at once
        connection.execute("VACUUM")
        return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Brings the tables up to this release, step by step. Raises StoreError."""
    try:
        for step in migrations.missing(versions(connection)[0]):
            try:
                connection.executescript(migrations.sqlite_script(step))
            except sqlite3.OperationalError:
                if connection.in_transaction:
                    connection.rollback()
                if versions(connection)[0] < step.version:  # else another process was faster
                    raise
        migrations.check(str(path), *versions(connection))
        planner.instruct(connection)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error


def versions(connection: sqlite3.Connection) -> tuple[int, int]:
    """The schema's version, 0 if there is none, and the oldest whose release can run on it."""
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone() is None:
        if connection.execute("SELECT 1 FROM sqlite_master").fetchone() is not None:
            raise StoreError(
                "this file holds tables of something else, or of an older socialsupport; give another path"
            )
        return 0, 1
    found = dict(tuple(row) for row in connection.execute("SELECT name, value FROM meta"))
    return int(found["version"]), int(found["oldest"])
