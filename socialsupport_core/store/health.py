"""How channels feel: what comes in by the hour, what their networks count, and what is wrong with them."""

from collections.abc import Iterable
from dataclasses import dataclass

from socialsupport_core.store.database import Row, Tx

HOUR = 3_600_000_000  # microseconds
KEPT = 10 * 7 * 24  # hours for which it is known what came in

TABLES = """
CREATE TABLE channel_watch (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, expect_within INTEGER, since INTEGER, first_at INTEGER,
  last_at INTEGER, top INTEGER, top_at INTEGER,
  PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
CREATE TABLE arrivals (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, hour INTEGER NOT NULL, events INTEGER NOT NULL,
  PRIMARY KEY (tenant, channel, hour)) WITHOUT ROWID;
CREATE INDEX arrivals_by_hour ON arrivals (hour);
CREATE TABLE missing_numbers (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  noticed_at INTEGER NOT NULL, PRIMARY KEY (tenant, channel, first)) WITHOUT ROWID;
CREATE TABLE channel_troubles (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, channel, kind)) WITHOUT ROWID;
CREATE INDEX outbox_failed ON outbox (tenant, conversation) WHERE state = 'failed';
"""


@dataclass(frozen=True, slots=True)
class Watched:
    """What is known of a channel's signs of life. Times are microseconds since 1970."""

    tenant: str
    channel: str
    expect_within: int | None = None
    """Microseconds within which an operator expects something."""
    since: int | None = None
    """When it began to be watched, or was last begun again: silence before that counts for nothing."""
    first_at: int | None = None
    last_at: int | None = None
    """When something came in for the first and for the last time."""
    top: int | None = None
    """The highest number of the network's own count, and when it came."""
    top_at: int | None = None

    @property
    def heard_at(self) -> int | None:
        """Since when it is silent."""
        known = [at for at in (self.last_at, self.since) if at is not None]
        return max(known, default=None)


@dataclass(frozen=True, slots=True)
class Missing:
    """Numbers that were passed over, from the first to the last of them."""

    first: int
    last: int
    noticed_at: int


@dataclass(frozen=True, slots=True)
class Trouble:
    kind: str
    reason: str
    at: int


def watched(tx: Tx, tenant: str, channel: str) -> Watched:
    row = tx.one("SELECT * FROM channel_watch WHERE tenant = ? AND channel = ?", tenant, channel)
    return _watched(row) if row else Watched(tenant, channel)


def all_watched(tx: Tx) -> dict[tuple[str, str], Watched]:
    return {(row["tenant"], row["channel"]): _watched(row) for row in tx.all("SELECT * FROM channel_watch")}


def expect(tx: Tx, tenant: str, channel: str, within: int | None, now: int) -> None:
    """Sets within how long something must come in; the time counts from now on."""
    tx.run(
        "INSERT INTO channel_watch (tenant, channel, expect_within, since) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, channel) DO UPDATE SET expect_within = excluded.expect_within, since = excluded.since"
        " WHERE channel_watch.expect_within IS DISTINCT FROM excluded.expect_within OR channel_watch.since IS NULL",
        tenant,
        channel,
        within,
        now,
    )


def begin_anew(tx: Tx, tenant: str, channel: str, now: int) -> None:
    """Silence counts from now on, and what was missing is not missed any more."""
    tx.run(
        "INSERT INTO channel_watch (tenant, channel, since) VALUES (?, ?, ?)"
        " ON CONFLICT (tenant, channel) DO UPDATE SET since = excluded.since",
        tenant,
        channel,
        now,
    )
    tx.run("DELETE FROM missing_numbers WHERE tenant = ? AND channel = ?", tenant, channel)
    tx.run("DELETE FROM channel_troubles WHERE tenant = ? AND channel = ?", tenant, channel)


def forget(tx: Tx, tenant: str, channel: str) -> None:
    for table in ("channel_watch", "arrivals", "missing_numbers", "channel_troubles"):
        tx.run(f"DELETE FROM {table} WHERE tenant = ? AND channel = ?", tenant, channel)


# what comes in


def arrived(tx: Tx, tenant: str, channel: str, at: int, events: int) -> None:
    tx.run(
        "INSERT INTO arrivals VALUES (?, ?, ?, ?) ON CONFLICT (tenant, channel, hour)"
        " DO UPDATE SET events = arrivals.events + excluded.events",
        tenant,
        channel,
        at // HOUR,
        events,
    )
    tx.run(
        "INSERT INTO channel_watch (tenant, channel, first_at, last_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, channel) DO UPDATE SET first_at = coalesce(channel_watch.first_at, excluded.first_at),"
        " last_at = CASE WHEN channel_watch.last_at > excluded.last_at THEN channel_watch.last_at"
        " ELSE excluded.last_at END",
        tenant,
        channel,
        at,
        at,
    )


def by_hour(tx: Tx, tenant: str, channel: str, since: int) -> dict[int, int]:
    """Events by hour since 1970, of the hours in which there were any."""
    sql = "SELECT hour, events FROM arrivals WHERE tenant = ? AND channel = ? AND hour >= ?"
    return {row["hour"]: row["events"] for row in tx.all(sql, tenant, channel, since)}


def is_old(tx: Tx, now: int) -> bool:
    """Whether there is anything to prune."""
    return tx.one("SELECT 1 AS one FROM arrivals WHERE hour < ? LIMIT 1", now // HOUR - KEPT) is not None


def prune(tx: Tx, now: int) -> int:
    return tx.run("DELETE FROM arrivals WHERE hour < ?", now // HOUR - KEPT)


def breakers(tx: Tx) -> list[tuple[str, str, bool]]:
    """Credential, host, and whether it is left alone; of those that did not answer lately."""
    rows = tx.all("SELECT credential, host, since FROM breakers ORDER BY credential, host")
    return [(row["credential"], row["host"], row["since"] is not None) for row in rows]


# what the network counts


def count_to(tx: Tx, tenant: str, channel: str, top: int, at: int) -> None:
    tx.run(
        "INSERT INTO channel_watch (tenant, channel, top, top_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (tenant, channel) DO UPDATE SET top = excluded.top, top_at = excluded.top_at",
        tenant,
        channel,
        top,
        at,
    )


def missing(tx: Tx, tenant: str, channel: str, before: int) -> list[Missing]:
    """What was noticed until then."""
    rows = tx.all(
        "SELECT * FROM missing_numbers WHERE tenant = ? AND channel = ? AND noticed_at <= ? ORDER BY first",
        tenant,
        channel,
        before,
    )
    return [Missing(row["first"], row["last"], row["noticed_at"]) for row in rows]


def miss(tx: Tx, tenant: str, channel: str, one: Missing) -> None:
    tx.run(
        "INSERT INTO missing_numbers VALUES (?, ?, ?, ?, ?) ON CONFLICT (tenant, channel, first) DO NOTHING",
        tenant,
        channel,
        one.first,
        one.last,
        one.noticed_at,
    )


def found(tx: Tx, tenant: str, channel: str, number: int) -> None:
    """A number that was missing has come; what is left of its stretch is still missing."""
    row = tx.one(
        "SELECT * FROM missing_numbers WHERE tenant = ? AND channel = ? AND first <= ? AND last >= ?",
        tenant,
        channel,
        number,
        number,
    )
    if row is None:
        return
    tx.run("DELETE FROM missing_numbers WHERE tenant = ? AND channel = ? AND first = ?", tenant, channel, row["first"])
    for first, last in ((row["first"], number - 1), (number + 1, row["last"])):
        if first <= last:
            miss(tx, tenant, channel, Missing(first, last, row["noticed_at"]))


def with_missing(tx: Tx) -> set[tuple[str, str]]:
    return {(row["tenant"], row["channel"]) for row in tx.all("SELECT DISTINCT tenant, channel FROM missing_numbers")}


# what is wrong


def put_trouble(tx: Tx, tenant: str, channel: str, one: Trouble) -> None:
    """One that is known already keeps its time."""
    tx.run(
        "INSERT INTO channel_troubles VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, channel, kind) DO UPDATE SET reason = excluded.reason",
        tenant,
        channel,
        one.kind,
        one.reason,
        one.at,
    )


def end_troubles(tx: Tx, tenant: str, channel: str, kinds: Iterable[str]) -> int:
    wanted = list(kinds)
    marks = ", ".join("?" * len(wanted))
    sql = f"DELETE FROM channel_troubles WHERE tenant = ? AND channel = ? AND kind IN ({marks})"
    return tx.run(sql, tenant, channel, *wanted)


def troubles(tx: Tx, tenant: str, channel: str) -> dict[str, Trouble]:
    rows = tx.all("SELECT * FROM channel_troubles WHERE tenant = ? AND channel = ?", tenant, channel)
    return {row["kind"]: Trouble(row["kind"], row["reason"], row["at"]) for row in rows}


def all_troubles(tx: Tx) -> dict[tuple[str, str], dict[str, Trouble]]:
    known: dict[tuple[str, str], dict[str, Trouble]] = {}
    for row in tx.all("SELECT * FROM channel_troubles"):
        one = Trouble(row["kind"], row["reason"], row["at"])
        known.setdefault((row["tenant"], row["channel"]), {})[one.kind] = one
    return known


def _watched(row: Row) -> Watched:
    return Watched(*(row[name] for name in Watched.__slots__))
