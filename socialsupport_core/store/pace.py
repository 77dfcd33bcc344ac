"""The calls that were made, as long as they count against a rate, and who was told to wait: the same for all processes.

A call is one row, numbered within its bucket and within its thread, so that the call which is so many before the next
one is found by its key, however many a rate allows. Nothing is taken ahead: a token that is kept for later would have
to count from the last moment at which it can be used, and whoever has not used it would have wasted it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE paced (
  bucket TEXT NOT NULL, number INTEGER NOT NULL, thread TEXT, thread_number INTEGER, at INTEGER NOT NULL,
  until INTEGER NOT NULL, PRIMARY KEY (bucket, number)) WITHOUT ROWID;
CREATE UNIQUE INDEX paced_in_thread ON paced (bucket, thread, thread_number) WHERE thread IS NOT NULL;
CREATE INDEX paced_by_age ON paced (until);
CREATE TABLE held_back (bucket TEXT PRIMARY KEY, at INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
"""

BEHIND = 1_000_000  # microseconds by which clocks may differ; whatever is further ahead was noted by another clock


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `calls` in any `span` microseconds, of the credential or of one of its threads."""

    calls: int
    span: int
    way: int
    """Microseconds that a call may take from here to where it is counted; so much later its token comes back."""
    in_thread: bool

    @property
    def back(self) -> int:
        return self.span + self.way


@dataclass(frozen=True, slots=True)
class Bucket:
    """What counts the same calls of one credential. `key` and `thread` are digests: nobody is named here."""

    key: str
    thread: str | None = None
    rates: tuple[Rate, ...] = ()
    """Those that hold for this call; none: it can only be held back."""

    @property
    def span(self) -> int:
        """Microseconds for which a call counts."""
        return max(rate.back for rate in self.rates)


@dataclass(frozen=True, slots=True)
class Token:
    """Noted calls, one of each bucket, by number."""

    at: int
    numbers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class _Last:
    number: int
    thread_number: int


def take(tx: "Tx", buckets: Sequence[Bucket], now: int) -> int | Token:
    """Notes the call in every bucket, or in none: then the microseconds until it may be made. `held` is asked before.

    Nobody else may look at these buckets until the commit: whoever writes this names `lock` as what to lock.
    """
    counted = [bucket for bucket in buckets if bucket.rates]
    last = [_last(tx, bucket, now) for bucket in counted]
    waits = [_wait(tx, bucket, one, now) for bucket, one in zip(counted, last, strict=True)]
    if wait := max(waits, default=0):
        return wait
    for bucket, one in zip(counted, last, strict=True):
        _note(tx, bucket, one, now)
    return Token(now, tuple((bucket.key, one.number + 1) for bucket, one in zip(counted, last, strict=True)))


def lock(credential: str) -> str:
    """What is locked beside the tenants."""
    return f"pace {credential}"


def late(tx: "Tx", token: Token, at: int) -> None:
    """The call counts from this moment on."""
    for bucket, number in token.numbers:
        tx.run(
            "UPDATE paced SET at = at + ?, until = until + ? WHERE bucket = ? AND number = ?",
            at - token.at,
            at - token.at,
            bucket,
            number,
        )


def held(tx: "Tx", buckets: Sequence[Bucket], now: int) -> int:
    """Microseconds for which the network has told somebody to wait; 0 if it has not."""
    marks = ", ".join("?" * len(buckets))
    keys = [bucket.key for bucket in buckets]
    rows = tx.all(f"SELECT at, until FROM held_back WHERE bucket IN ({marks})", *keys)
    return max((_left(row["at"], row["until"], now) for row in rows), default=0)


def _left(at: int, until: int, now: int) -> int:
    """Of a clock that was set back nothing is left: the network will say it again."""
    return 0 if at > now + BEHIND else max(0, until - now)


def hold(tx: "Tx", buckets: Sequence[Bucket], now: int, until: int) -> None:
    """The network wants nobody to ask until then."""
    for bucket in buckets:
        tx.run(
            "INSERT INTO held_back (bucket, at, until) VALUES (?, ?, ?) ON CONFLICT (bucket) DO UPDATE SET"
            " at = excluded.at, until = CASE WHEN held_back.at > excluded.at + ? OR held_back.until < excluded.until"
            " THEN excluded.until ELSE held_back.until END",
            bucket.key,
            now,
            until,
            BEHIND,
        )


def release(tx: "Tx", buckets: Sequence[Bucket]) -> None:
    marks = ", ".join("?" * len(buckets))
    tx.run(f"DELETE FROM held_back WHERE bucket IN ({marks})", *[bucket.key for bucket in buckets])


def prune(tx: "Tx", now: int) -> None:
    """What counts no more."""
    tx.run("DELETE FROM paced WHERE until <= ?", now)
    tx.run("DELETE FROM held_back WHERE until <= ?", now)


# inside


def _last(tx: "Tx", bucket: Bucket, now: int) -> _Last:
    row = tx.one(
        "SELECT (SELECT max(number) FROM paced WHERE bucket = ?) AS number,"
        " (SELECT max(thread_number) FROM paced WHERE bucket = ? AND thread = ?) AS thread_number,"
        " (SELECT at FROM paced WHERE bucket = ? ORDER BY number DESC LIMIT 1) AS at",
        bucket.key,
        bucket.key,
        bucket.thread,
        bucket.key,
    )
    assert row is not None
    if row["at"] is not None and row["at"] > now + BEHIND:  # the clock was set back: not to be waited for
        tx.run("UPDATE paced SET until = until - at + ?, at = ? WHERE bucket = ? AND at > ?", now, now, bucket.key, now)
    return _Last(row["number"] or 0, row["thread_number"] or 0)


def _wait(tx: "Tx", bucket: Bucket, last: _Last, now: int) -> int:
    waits = [0]
    for rate in bucket.rates:
        if rate.in_thread:
            sql = "SELECT at FROM paced WHERE bucket = ? AND thread = ? AND thread_number = ?"
            row = tx.one(sql, bucket.key, bucket.thread, last.thread_number - rate.calls + 1)
        else:
            sql = "SELECT at FROM paced WHERE bucket = ? AND number = ?"
            row = tx.one(sql, bucket.key, last.number - rate.calls + 1)
        if row is not None:
            waits.append(row["at"] + rate.back - now)
    return max(waits)


def _note(tx: "Tx", bucket: Bucket, last: _Last, now: int) -> None:
    tx.run(
        "INSERT INTO paced (bucket, number, thread, thread_number, at, until) VALUES (?, ?, ?, ?, ?, ?)",
        bucket.key,
        last.number + 1,
        bucket.thread,
        last.thread_number + 1 if bucket.thread else None,
        now,
        now + bucket.span,
    )
