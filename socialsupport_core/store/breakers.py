"""Hosts that do not answer, as each credential sees them: which are left alone until when, and who asks again."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE breakers (
  credential TEXT NOT NULL, host TEXT NOT NULL, failures INTEGER NOT NULL, at INTEGER NOT NULL, since INTEGER,
  pause INTEGER NOT NULL, until INTEGER, prober TEXT, PRIMARY KEY (credential, host)) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of one host as one credential sees it. One that is whole has no row."""

    failures: int
    """Calls in a row that were not answered."""
    at: int
    """When that was last heard of."""
    since: int | None = None
    """When it opened; None while it is closed."""
    pause: int = 0
    """Microseconds between the last failure and the next probe."""
    until: int | None = None
    prober: str | None = None
    """Who asks now whether the host is back; then `until` is how long he may take."""


def get(tx: "Tx", credential: str, host: str) -> Breaker | None:
    row = tx.one("SELECT * FROM breakers WHERE credential = ? AND host = ?", credential, host)
    return _breaker(row) if row else None


def put(tx: "Tx", credential: str, host: str, breaker: Breaker) -> None:
    tx.run(
        "INSERT INTO breakers (credential, host, failures, at, since, pause, until, prober)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (credential, host) DO UPDATE SET failures = excluded.failures,"
        " at = excluded.at, since = excluded.since, pause = excluded.pause, until = excluded.until,"
        " prober = excluded.prober",
        credential,
        host,
        breaker.failures,
        breaker.at,
        breaker.since,
        breaker.pause,
        breaker.until,
        breaker.prober,
    )


def probe(tx: "Tx", credential: str, host: str, before: Breaker, breaker: Breaker) -> bool:
    """False if somebody else was faster: of many who see that a probe is due, one makes it."""
    return bool(
        tx.run(
            "UPDATE breakers SET at = ?, until = ?, prober = ? WHERE credential = ? AND host = ? AND until = ?",
            breaker.at,
            breaker.until,
            breaker.prober,
            credential,
            host,
            before.until,
        )
    )


def remove(tx: "Tx", credential: str, host: str) -> None:
    """It answers."""
    tx.run("DELETE FROM breakers WHERE credential = ? AND host = ?", credential, host)


def prune(tx: "Tx", before: int) -> None:
    """Those of which nothing was heard since then."""
    tx.run("DELETE FROM breakers WHERE at < ?", before)


def _breaker(row: "Row") -> Breaker:
    return Breaker(row["failures"], row["at"], row["since"], row["pause"], row["until"], row["prober"])
