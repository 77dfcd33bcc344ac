"""A store runs pieces of work in micro-batches, one commit a batch. `Tx` is what such work may do.

Two stores stand behind it: `sqlite.SQLite`, a file with one writer, and `postgres.PostgreSQL`, a server shared by
many processes. The SQL beside this module is the same for both. A future is settled after the commit, so whoever
waits for it may promise what was written.
"""

import os
import queue
import threading
import time
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from socialsupport_core.contract.errors import ConfigError, SocialSupportError
from socialsupport_core.store.search import Dialect

T = TypeVar("T")
V = TypeVar("V")
BATCH = 100  # pieces of work in one commit; measured: 58 µs a message against 277 µs with a commit each
QUEUE = 10_000  # pieces of work that may wait for the writer
FRESH = 10.0  # seconds in which nobody need try whether a commit that failed would fail again
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class StoreError(SocialSupportError):
    """Nothing can be promised at the moment: disk full, server away, closed. The door answers 503."""


class TenantBusy(StoreError):
    """Somebody's transaction holds a tenant and does not end."""

    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        super().__init__(
            f"a transaction that has not ended holds {tenant!r}; if it is your own, with a reply in it, commit it"
            " before you change anything else there; else try again"
        )


class Row(Protocol):
    """One row of an answer, its values by column."""

    def __getitem__(self, column: str, /) -> Any: ...


def micros(at: datetime) -> int:
    """Microseconds since 1970, as times are stored. Raises ConfigError for what is no moment."""
    try:
        since = at - EPOCH
    except TypeError:
        told = "give a datetime with its time zone, as in datetime(2026, 1, 31, tzinfo=UTC)"
        raise ConfigError(f"{at!r}: {told}") from None
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


class Tx(ABC):
    """What work may do within its transaction.

    A batch reads ahead what its rules will ask for (`memo`) and keeps back what they change (`defer`, `amend`), so
    that a hundred messages cost a dozen statements and not a thousand. Any other statement first writes what was
    kept back, and one that changes something drops what was read ahead: nobody ever sees less than was written.
    """

    outside: tuple[type[Exception], ...]
    """Errors that are not the work's own fault: disk full, server away."""
    full_text: Dialect
    """How `search` looks for words."""
    claiming = ""
    """Ends a SELECT of what nobody else may take meanwhile."""
    last_cursor: str
    """Selects `n`, the newest cursor that the log has ever given; nothing if there is none yet."""

    skip_cursors: str
    """Has the log go on behind the cursor that is given."""

    def __init__(self) -> None:
        self._inserts: dict[str, list[Sequence[Any]]] = {}
        self._updates: dict[str, dict[Any, Sequence[Any]]] = {}
        self._memos = defaultdict[str, dict[Any, Any]](dict)
        self._numbers: dict[str, list[int]] = {}
        self.told: list[Sequence[Any]] = []
        """What goes into the log with the commit, in order."""
        self.tally = Counter[str]()
        """What is added to numbers with the commit: see `tallies`."""

    def one(self, sql: str, *values: Any) -> Row | None:
        rows = self.all(sql, *values)
        return rows[0] if rows else None

    def all(self, sql: str, *values: Any) -> list[Row]:
        self.flush()
        return self._all(sql, values)

    def run(self, sql: str, *values: Any) -> int:
        """The number of rows touched."""
        self.flush()
        self._memos.clear()
        return self._run(sql, values)

    def change(self, sql: str, *values: Any) -> list[Row]:
        """The same with RETURNING."""
        self.flush()
        self._memos.clear()
        return self._all(sql, values)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.flush()
        self._memos.clear()
        self._many(sql, list(rows))

    # reading ahead and keeping back

    def memo(self, name: str) -> dict[Any, Any]:
        """What was read ahead under this name. Whoever defers a change keeps it true."""
        return self._memos[name]

    def defer(self, sql: str, row: Sequence[Any]) -> None:
        """Inserts the row with the batch."""
        self._inserts.setdefault(sql, []).append(row)

    def amend(self, sql: str, key: Any, row: Sequence[Any]) -> None:
        """Updates a row with the batch, after what it inserts; of several for one key the last."""
        self._updates.setdefault(sql, {})[key] = row

    def amended(self, sql: str) -> dict[Any, Sequence[Any]]:
        """The rows that wait for this update, by key."""
        return self._updates.get(sql, {})

    def flush(self) -> None:
        """Writes what was kept back."""
        while self._inserts:
            sql = next(iter(self._inserts))
            self._many(sql, self._inserts.pop(sql))
        while self._updates:
            sql = next(iter(self._updates))
            self._many(sql, list(self._updates.pop(sql).values()))

    def number(self, name: str) -> int:
        """A number that was never given before, of a series named in the schema."""
        if not self._numbers.get(name):
            self.reserve(name, 1)
        return self._numbers[name].pop()

    def reserve(self, name: str, count: int) -> None:
        """Takes so many numbers at once."""
        if count > 0:
            self._numbers[name] = self._next_numbers(name, count)[::-1]

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """All or nothing of what is done inside."""
        self.flush()
        told, tally = len(self.told), self.tally.copy()
        self._begin_part()
        try:
            yield
            self.flush()
        except BaseException as error:
            self._drop()
            del self.told[told:]
            self.tally = tally
            # a store that failed may have undone all of it already, and then what it says to this explains nothing
            with suppress(*(self.outside if isinstance(error, self.outside) else ())):
                self._undo_part()
                self._end_part()
            raise
        self._end_part()

    def _counted(self, slot: int) -> list[Sequence[Any]]:
        """What is to be added under this slot; always in one order, since others may add to the same."""
        counted, self.tally = self.tally, Counter()
        return [(name, slot, by) for name, by in sorted(counted.items()) if by]

    def _drop(self) -> None:
        for kept in (self._inserts, self._updates, self._memos, self._numbers):
            kept.clear()

    @abstractmethod
    def conclude(self) -> None:
        """Writes the log, and what else was kept back."""

    @abstractmethod
    def lock(self, *tenants: str) -> None:
        """Waits until nobody else changes what belongs to these tenants, and holds that until the commit.

        Raises TenantBusy rather than wait for ever.
        """

    @abstractmethod
    def try_lock(self, what: str) -> bool:
        """The same for one tenant or queue, without waiting: False while somebody else is at it."""

    @abstractmethod
    def _all(self, sql: str, values: Sequence[Any]) -> list[Row]: ...

    @abstractmethod
    def _run(self, sql: str, values: Sequence[Any]) -> int: ...

    @abstractmethod
    def _many(self, sql: str, rows: list[Sequence[Any]]) -> None: ...

    @abstractmethod
    def _next_numbers(self, name: str, count: int) -> list[int]: ...

    def _begin_part(self) -> None:
        self._run("SAVEPOINT part", ())

    def _undo_part(self) -> None:
        self._run("ROLLBACK TO SAVEPOINT part", ())

    def _end_part(self) -> None:
        self._run("RELEASE SAVEPOINT part", ())


class _Work(Generic[T]):
    """One piece of work; several of the same `verb` that wait together are done by one call."""

    __slots__ = ("answer", "call", "future", "item", "tenant", "verb")

    def __init__(
        self, call: Callable[[Tx], T] | None, tenant: str | None = None, verb: Any = None, item: Any = None
    ) -> None:
        self.call = call
        self.tenant = tenant
        self.verb = verb
        self.item = item
        self.answer: Any = None
        """Of a verb that takes many: what the future holds after the commit."""
        self.future: Future[T] = Future()

    def __call__(self, tx: Tx) -> T:
        if self.call:
            return self.call(tx)
        self.verb(tx, [self.item])
        answer: T = self.answer
        return answer


_Lane = queue.SimpleQueue["_Work[Any] | None"]
Outcome = tuple[Any, Exception | None]


@dataclass(frozen=True, slots=True)
class Compacted:
    """Whether the store's files hold nothing any more of what was removed; else why not, and what to do."""

    done: bool
    seconds: float
    bytes: int
    """Of the store's files afterwards; 0 if it cannot tell."""
    left: tuple[str, ...] = ()
    """Where it may still be, as sentences for whoever operates the store."""


class Database(ABC):
    """Thread-safe. `write` and `gather` return a future; `read` runs at once in the calling thread."""

    where: str
    """The store's place, without secrets, for messages."""
    trouble: type[Exception]
    """What its driver raises when the store itself fails."""

    def __init__(self) -> None:
        self._lanes = [_Lane() for _ in range(self.lanes)]
        self._process = os.getpid()
        self._closing = threading.Lock()
        self._closed = False
        self._unwritten: tuple[str, float] | None = None
        """Why the last commit failed, if it did, and when."""
        self.on_commit: Callable[[], None] = lambda: None
        """Called after each commit that changed something."""
        self._threads = [
            threading.Thread(target=self._write_all, args=(lane,), name="socialsupport-writer", daemon=True)
            for lane in self._lanes
        ]

    shared: bool
    """Several processes may work on it at once."""
    lanes = 1
    """Writers. With two, what names a tenant goes through the last one, and holds up nothing else while it waits for
    others who change that tenant."""

    def write(self, call: Callable[[Tx], T], tenant: str | None = None) -> "Future[T]":
        """Runs `call` in the next micro-batch. The future holds its result once that is committed.

        What reads and changes a tenant's customers or conversations names the tenant, and then nobody else does so
        at the same time.
        """
        return self._put(_Work(call, tenant))

    def gather(self, verb: Callable[[Tx, list[V]], None], item: V, answer: T) -> "Future[T]":
        """The same for a verb that takes many items at once: those that wait together become one call.

        The future holds `answer` after the commit.
        """
        work: _Work[T] = _Work(None, None, verb, item)
        work.answer = answer
        return self._put(work)

    def do(self, call: Callable[[Tx], T], tenant: str | None = None) -> T:
        """Writes and waits for the commit."""
        return self.write(call, tenant).result()

    def unwritable(self, *, tried: bool = False) -> str | None:
        """Why nothing can be written now, None if something can. Tries where the last commit failed, or if `tried`.

        A failure that is fresh counts as it is: on a full disk there may be room for what is tried, and for no message.
        """
        last = self._unwritten
        if last is None and not tried:
            return None
        if last is not None and time.monotonic() - last[1] < FRESH:
            return last[0]
        try:
            self.do(lambda tx: tx.run("UPDATE meta SET value = value WHERE name = 'version'"))
        except StoreError as error:
            return str(error)
        return None

    @abstractmethod
    def compact(self, tables: Sequence[str] = ()) -> "Compacted":
        """Cleans the store's own files of what was removed from these tables, or from all. Takes its time."""

    def pulse(self, tx: Tx) -> str:
        """Another text whenever somebody may have committed something; for a store that is shared."""
        raise NotImplementedError

    @abstractmethod
    def read(self, call: Callable[[Tx], T]) -> T:
        """Runs `call` on a consistent snapshot of what is committed. Raises StoreError."""

    @abstractmethod
    def work_off(
        self, claim: Callable[[Tx], Sequence[T]], prepare: Callable[[T], V], finish: Callable[[Tx, list[V]], None]
    ) -> int:
        """Takes what is waiting, prepares it outside of everybody's way, and finishes it in one commit.

        What one takes nobody else gets, and it is free again when the process dies. How many there were.
        """

    def within(self, connection: Any, call: Callable[[Tx], T], tenant: str) -> T:
        """Runs `call` in a transaction that the caller has begun on a connection of his own. Raises ConfigError."""
        raise ConfigError(f"{self.where} is a file with one writer: a reply cannot join a transaction of yours there")

    def close(self) -> None:
        """Writes what waits, then closes."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            for lane in self._lanes:
                lane.put(None)
        for thread in self._threads:
            thread.join()
        self._close()

    def _check_process(self) -> None:
        """A fork takes neither the writer along nor a connection that it could use."""
        if os.getpid() != self._process:
            raise StoreError(
                f"this store was opened by process {self._process}, from which this one was forked; open it after the"
                " fork (gunicorn: without --preload, or in post_fork)"
            )

    def _put(self, work: "_Work[T]") -> "Future[T]":
        self._check_process()
        work.future.set_running_or_notify_cancel()  # whoever stops waiting does not undo what was asked
        with self._closing:
            if self._closed:
                raise StoreError("the store is closed")
            lane = self._lanes[0 if work.tenant is None else -1]
            if lane.qsize() >= QUEUE:
                raise StoreError(f"{QUEUE:,} writes are waiting already; try again later")
            lane.put(work)
        return work.future

    def _write_all(self, lane: "_Lane") -> None:
        while (work := lane.get()) is not None:
            batch = [work]
            while len(batch) < BATCH and not lane.empty():
                more = lane.get_nowait()
                if more is None:
                    lane.put(None)
                    break
                batch.append(more)
            self._commit(batch)

    def _commit(self, batch: list[_Work[Any]]) -> None:
        """One commit for all; if that fails from outside, one each."""
        try:
            outcomes, changed = self._transact(lambda tx: _run_all(tx, batch))
        except TenantBusy as error:
            self._leave(batch, error)
            return
        except StoreError as error:
            self._unwritten = str(error), time.monotonic()
            for work in batch:  # not one each: each would wait as long again
                work.future.set_exception(error)
            return
        except Exception as error:
            if len(batch) > 1:
                for work in batch:
                    self._commit([work])
            else:
                reason = f"{self.where} cannot be written: {error}"
                self._unwritten = reason, time.monotonic()
                batch[0].future.set_exception(StoreError(reason))
            return
        self._unwritten = None
        for work, (result, failure) in zip(batch, outcomes, strict=True):
            if failure is None:
                work.future.set_result(result)
            else:
                work.future.set_exception(failure)
        if changed:  # who looks for work and finds none must not wake himself
            self.on_commit()

    def _leave(self, batch: list[_Work[Any]], busy: TenantBusy) -> None:
        """All goes on but what is about the tenant that somebody holds; where none names it, each goes on singly."""
        held = [work for work in batch if work.tenant == busy.tenant]
        if not held and len(batch) > 1:
            for work in batch:
                self._commit([work])
            return
        for work in held or batch:
            work.future.set_exception(busy)
        if rest := [work for work in batch if work not in (held or batch)]:
            self._commit(rest)

    @abstractmethod
    def _transact(self, work: Callable[[Tx], T]) -> tuple[T, bool]:
        """Runs the writer's work and commits; its result, and whether anything was changed.

        Raises StoreError if nothing at all can be written now, any other error if this batch could not.
        """

    @abstractmethod
    def _close(self) -> None: ...


def _run_all(tx: Tx, batch: list[_Work[Any]]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    tx.lock(*{work.tenant for work in batch if work.tenant is not None})
    for group in _groups(batch):
        outcomes += _run_group(tx, group) if len(group) > 1 else [_run_one(tx, group[0])]
    return outcomes


def _groups(batch: list[_Work[Any]]) -> Iterator[list[_Work[Any]]]:
    """Neighbours of one verb together; everything else for itself."""
    group: list[_Work[Any]] = []
    for work in batch:
        if group and (work.verb is None or work.verb is not group[0].verb):
            yield group
            group = []
        group.append(work)
    yield group


def _run_group(tx: Tx, group: list[_Work[Any]]) -> list[Outcome]:
    try:
        with tx.savepoint():
            group[0].verb(tx, [work.item for work in group])
    except tx.outside:
        raise
    except Exception:
        return [_run_one(tx, work) for work in group]
    return [(work.answer, None) for work in group]


def _run_one(tx: Tx, work: _Work[Any]) -> Outcome:
    try:
        with tx.savepoint():
            return work(tx), None
    except tx.outside:
        raise
    except Exception as error:
        return None, error
