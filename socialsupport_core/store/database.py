"""SQLite with one writer: whatever waits is written as one micro-batch with one commit.

Each piece of work is atomic in a savepoint of its own; its future is settled after the commit, so whoever waits
for it may promise what was written. `synchronous=FULL`: with NORMAL a power cut loses acknowledged rows.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Generic, TypeVar

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.store.schema import SCHEMA, VERSION

T = TypeVar("T")
Row = sqlite3.Row
BATCH = 100  # pieces of work in one commit; measured: 58 µs a message against 277 µs with a commit each
BUSY_SECONDS = 10.0
CACHE_KIB = 32 * 1024  # of the writer and of each reader; the default of 2 MB is spilt in the midst of a batch
QUEUE = 10_000  # pieces of work that may wait for the writer
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoreError(SocialSupportError):
    """Nothing can be promised at the moment: disk full, database locked, closed. The door answers 503."""


def micros(at: datetime) -> int:
    """Microseconds since 1970, as times are stored."""
    return (at - EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


class Tx:
    """What work may do within its transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def one(self, sql: str, *values: Any) -> Row | None:
        row: Row | None = self._connection.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, *values: Any) -> int:
        """The number of rows touched."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, sql: str, *values: Any) -> int:
        """The number that the new row got."""
        return self._connection.execute(sql, values).lastrowid or 0

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All or nothing of what is done inside."""
        self._connection.execute("SAVEPOINT part")
        try:
            yield
        except Exception:
            self._connection.execute("ROLLBACK TO part")
            raise
        finally:
            self._connection.execute("RELEASE part")

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self._connection.executemany(sql, rows)


class _Work(Generic[T]):
    __slots__ = ("call", "future")

    def __init__(self, call: Callable[[Tx], T]) -> None:
        self.call = call
        self.future: Future[T] = Future()


class Database:
    """Thread-safe. `write` returns a future; `read` runs at once in the calling thread."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._idle: list[sqlite3.Connection] = []
        """Connections for readers; there are as many as ever read at once, however many threads come and go."""
        self._work: queue.Queue[_Work[Any] | None] = queue.Queue(QUEUE)
        self._closing = threading.Lock()
        self._closed = False
        self.on_commit: Callable[[], None] = lambda: None
        """Called by the writer after each commit that changed something."""
        self._writer = self._open()
        _prepare(self._writer, self.path)
        self._thread = threading.Thread(target=self._write_all, name="socialsupport-writer", daemon=True)
        self._thread.start()

    def write(self, call: Callable[[Tx], T]) -> "Future[T]":
        """Runs `call` in the next micro-batch. The future holds its result once that is committed."""
        work = _Work(call)
        work.future.set_running_or_notify_cancel()  # whoever stops waiting does not undo what was asked
        with self._closing:
            if self._closed:
                raise StoreError("the store is closed")
            try:
                self._work.put_nowait(work)
            except queue.Full:
                raise StoreError(f"{QUEUE:,} writes are waiting already; try again later") from None
        return work.future

    def do(self, call: Callable[[Tx], T]) -> T:
        """Writes and waits for the commit."""
        return self.write(call).result()

    def read(self, call: Callable[[Tx], T]) -> T:
        """Runs `call` on a consistent snapshot of what is committed. Raises StoreError."""
        connection = self._reader()
        try:
            connection.execute("BEGIN")
            try:
                return call(Tx(connection))
            finally:
                connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
        finally:
            self._put_back(connection)

    def close(self) -> None:
        """Writes what waits, then closes."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._work.put(None)
        self._thread.join()
        with self._closing:
            idle, self._idle = self._idle, []
        for connection in [*idle, self._writer]:
            connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            raise StoreError(f"{self.path} cannot be opened: {error}") from error
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA temp_store=MEMORY")  # what a savepoint needs to undo stays out of files
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        connection.row_factory = sqlite3.Row
        return connection

    def _reader(self) -> sqlite3.Connection:
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

    def _write_all(self) -> None:
        while (work := self._work.get()) is not None:
            batch = [work]
            while len(batch) < BATCH and not self._work.empty():
                more = self._work.get_nowait()
                if more is None:
                    self._work.put(None)
                    break
                batch.append(more)
            self._commit(batch)

    def _commit(self, batch: list[_Work[Any]]) -> None:
        """One commit for all; if that fails from outside, one each."""
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for work in batch:  # not one each: each would wait as long again
                work.future.set_exception(StoreError(f"{self.path} cannot be written: {error}"))
            return
        before = self._writer.total_changes
        try:
            outcomes = self._run(batch)
        except sqlite3.Error as error:
            if len(batch) > 1:
                for work in batch:
                    self._commit([work])
            else:
                batch[0].future.set_exception(StoreError(f"{self.path} cannot be written: {error}"))
            return
        for work, (result, failure) in zip(batch, outcomes, strict=True):
            if failure is None:
                work.future.set_result(result)
            else:
                work.future.set_exception(failure)
        if self._writer.total_changes != before:  # who looks for work and finds none must not wake himself
            self.on_commit()

    def _run(self, batch: list[_Work[Any]]) -> list[tuple[Any, Exception | None]]:
        try:
            outcomes = [self._run_one(work) for work in batch]
            self._writer.execute("COMMIT")
        except BaseException:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return outcomes

    def _run_one(self, work: _Work[Any]) -> tuple[Any, Exception | None]:
        self._writer.execute("SAVEPOINT work")
        try:
            result = work.call(Tx(self._writer))
        except sqlite3.OperationalError:
            raise  # disk full, I/O error: not the work's own fault
        except Exception as error:
            self._writer.execute("ROLLBACK TO work")
            self._writer.execute("RELEASE work")
            return None, error
        self._writer.execute("RELEASE work")
        return result, None


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version != 0:
        raise StoreError(
            f"{path} has schema {version}, this release needs {VERSION}; install the release that wrote it"
        )
    connection.executescript(f"BEGIN;{SCHEMA}PRAGMA user_version={VERSION};COMMIT;")
