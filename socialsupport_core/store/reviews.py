"""What waits for a person to decide who is who: pairs that evidence names and nothing has joined, and what was said of
them.

The queue itself is not kept: it follows from the evidence, so it can be neither late nor wrong. Kept are the proposals
of a scorer, which are no evidence, and what was put off or decided.
"""

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE reviews (
  tenant TEXT NOT NULL, review TEXT NOT NULL, decision TEXT NOT NULL, verdict TEXT, agent TEXT NOT NULL,
  at INTEGER NOT NULL, until INTEGER, a INTEGER NOT NULL, b INTEGER NOT NULL,
  PRIMARY KEY (tenant, review)) WITHOUT ROWID;
CREATE TABLE proposals (
  tenant TEXT NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, millionths INTEGER NOT NULL, data TEXT NOT NULL,
  at INTEGER NOT NULL, PRIMARY KEY (tenant, a, b)) WITHOUT ROWID;
"""

SEEN = 20_000
"""Of the newest ties and hints so many are looked through at once: a hundred milliseconds, however many there are."""


class Decided(NamedTuple):
    """What was said of an item. `verdict` takes it back; `until` is when what was put off comes again."""

    review: str
    decision: str
    verdict: str | None
    agent: str
    at: int
    until: int | None
    a: int
    b: int


class Proposal(NamedTuple):
    """A scorer thinks that these two may be one."""

    a: int
    b: int
    probability: float
    data: dict[str, Any]
    """Its `weight`, `waterfall` and `reasons`."""
    at: int


_APART = (
    "NOT EXISTS (SELECT 1 FROM ties t WHERE t.tenant = ? AND t.node = p.node AND t.other = p.other AND t.apart = 1)"
)


def unjoined(tx: "Tx", tenant: str, limit: int) -> list[tuple[int, int]]:
    """Pairs of which evidence speaks and that are two customers all the same, the newest first."""
    found: dict[tuple[int, int], None] = {}
    for table in ("hints", "ties"):
        rows = tx.all(
            f"SELECT p.node, p.other FROM (SELECT node, other FROM {table} WHERE tenant = ? AND node > other"
            " AND other >= 0 ORDER BY node DESC, other DESC LIMIT ?) p JOIN nodes a ON a.node = p.node"
            f" JOIN nodes b ON b.node = p.other WHERE a.customer <> b.customer AND {_APART}"
            " ORDER BY p.node DESC, p.other DESC LIMIT ?",
            tenant,
            SEEN,
            tenant,
            limit,
        )
        found.update(((row["other"], row["node"]), None) for row in rows)
    return sorted(found, key=lambda pair: (pair[1], pair[0]), reverse=True)


def propose(tx: "Tx", tenant: str, proposals: Iterable[Proposal]) -> None:
    """The newest word on a pair counts."""
    tx.many(
        "INSERT INTO proposals (tenant, a, b, millionths, data, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, a, b) DO UPDATE SET millionths = excluded.millionths, data = excluded.data,"
        " at = excluded.at",
        [(tenant, one.a, one.b, round(one.probability * 1e6), json.dumps(one.data), one.at) for one in proposals],
    )


def proposals(tx: "Tx", tenant: str, limit: int) -> list[Proposal]:
    """Those that are two customers still, the likeliest first."""
    rows = tx.all(
        "SELECT p.a, p.b, p.millionths, p.data, p.at FROM proposals p JOIN nodes a ON a.node = p.a"
        " JOIN nodes b ON b.node = p.b WHERE p.tenant = ? AND a.customer <> b.customer AND NOT EXISTS"
        " (SELECT 1 FROM ties t WHERE t.tenant = p.tenant AND t.node = p.a AND t.other = p.b AND t.apart = 1)"
        " ORDER BY p.millionths DESC, p.a, p.b LIMIT ?",
        tenant,
        limit,
    )
    return [Proposal(row["a"], row["b"], row["millionths"] / 1e6, json.loads(row["data"]), row["at"]) for row in rows]


def arrived(tx: "Tx", tenant: str, limit: int) -> list[tuple[int, int, str, int]]:
    """Who came with a hand-off link and has not proven to be the one who was sent: both accounts, channel and time."""
    rows = tx.all(
        "SELECT h.node, h.redeemed_by, h.channel, h.redeemed_at FROM handoffs h WHERE h.tenant = ?"
        " AND h.state = 'arrived' AND h.visibility = 'private' AND h.redeemed_by IS NOT NULL"
        " AND h.redeemed_by <> h.node ORDER BY h.redeemed_at DESC LIMIT ?",
        tenant,
        limit,
    )
    return [(row["node"], row["redeemed_by"], row["channel"], row["redeemed_at"]) for row in rows]


def own(tx: "Tx", tenant: str, numbers: Collection[int]) -> set[int]:
    """Those of the nodes that are this tenant's."""
    rows = tx.all(
        f"SELECT node FROM nodes WHERE tenant = ? AND node IN ({', '.join('?' * len(numbers))})", tenant, *numbers
    )
    return {row["node"] for row in rows}


def put(tx: "Tx", tenant: str, one: Decided) -> None:
    tx.run(
        "INSERT INTO reviews (tenant, review, decision, verdict, agent, at, until, a, b)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, review) DO UPDATE SET decision = excluded.decision, verdict = excluded.verdict,"
        " agent = excluded.agent, at = excluded.at, until = excluded.until",
        tenant,
        *one,
    )


def get(tx: "Tx", tenant: str, review: str) -> Decided | None:
    row = tx.one("SELECT * FROM reviews WHERE tenant = ? AND review = ?", tenant, review)
    return _decided(row) if row else None


def drop(tx: "Tx", tenant: str, review: str) -> None:
    tx.run("DELETE FROM reviews WHERE tenant = ? AND review = ?", tenant, review)


def decided(tx: "Tx", tenant: str, limit: int) -> list[Decided]:
    """The newest first."""
    rows = tx.all("SELECT * FROM reviews WHERE tenant = ? ORDER BY at DESC, review LIMIT ?", tenant, limit)
    return [_decided(row) for row in rows]


def hidden(tx: "Tx", tenant: str, now: int) -> set[str]:
    """What was decided, or put off until later than now."""
    sql = "SELECT review FROM reviews WHERE tenant = ? AND (until IS NULL OR until > ?)"
    return {row["review"] for row in tx.all(sql, tenant, now)}


def _decided(row: "Row") -> Decided:
    return Decided(*(row[name] for name in Decided._fields))
