"""Evidence, append-only and named by its content, and the ties that it makes.

A tie is what all live evidence about a pair of nodes comes to, kept at both ends, so that a rule reads one short row a
neighbour and never a pair's whole history. A hood is a node's ties, read up to a bound: a hub is known by exceeding it,
and is never enumerated.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.erasures import chunks, marks_for
from socialsupport_core.store.nodes import MONTH, Node, by_numbers

TABLES = """
CREATE TABLE evidence (
  tenant TEXT NOT NULL, a INTEGER NOT NULL, b INTEGER NOT NULL, digest BLOB NOT NULL, tier TEXT NOT NULL,
  proof TEXT NOT NULL, source TEXT NOT NULL, at INTEGER NOT NULL, last INTEGER NOT NULL, agent TEXT, note TEXT,
  retracted_by TEXT, retracted_at INTEGER,
  PRIMARY KEY (tenant, a, b, digest)) WITHOUT ROWID;
CREATE INDEX evidence_of_people ON evidence (source, tenant) WHERE tier IN ('human', 'cannot', 'closed');
CREATE TABLE ties (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, other INTEGER NOT NULL, slot TEXT NOT NULL,
  human INTEGER, verified INTEGER, asserted INTEGER, last INTEGER NOT NULL, apart INTEGER NOT NULL,
  PRIMARY KEY (tenant, node, other)) WITHOUT ROWID;
CREATE INDEX ties_of_people ON ties (tenant, node, human) WHERE human IS NOT NULL;
CREATE TABLE hints (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, other INTEGER NOT NULL, PRIMARY KEY (tenant, node, other)) WITHOUT ROWID;
"""

HUB = 64  # neighbours of one node, above which it is a hub and nobody enumerates them
EVER = -(1 << 62)  # before anything happened
SHOWN = 200  # pairs of one node that are read for people
_PUT_TIE = (
    "INSERT INTO ties (tenant, node, other, slot, human, verified, asserted, last, apart)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tenant, node, other) DO UPDATE SET human = excluded.human,"
    " verified = excluded.verified, asserted = excluded.asserted, last = excluded.last, apart = excluded.apart"
)
_PUT_HINT = "INSERT INTO hints (tenant, node, other) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
_PUT_EVIDENCE = (
    "INSERT INTO evidence (tenant, a, b, digest, tier, proof, source, at, last, agent, note)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reason to believe that two nodes are one customer, or (tier `cannot`) that they are not.

    Tier `closed` with a twice: from then on somebody else may have this identifier.
    """

    a: int
    b: int
    tier: str
    proof: str
    source: str
    """The event, or `verdict:…`, from which it comes."""
    at: int
    agent: str | None = None
    note: str | None = None
    retracted_by: str | None = None
    last: int = 0
    """Until when the same was seen again, to the month."""

    @property
    def digest(self) -> str:
        """Names it by its content: the same evidence twice is one."""
        return f"{self.a:x}-{self.b:x}-{self.content}"

    @property
    def content(self) -> str:
        return self.kept.hex()

    @property
    def kept(self) -> bytes:
        """The same as the store has it."""
        return _kept(self.tier, self.proof, self.source)

    @property
    def until(self) -> int:
        return max(self.at, self.last)

    def of(self, node: int) -> int:
        """The other node."""
        return self.b if node == self.a else self.a


@lru_cache(maxsize=256)
def _kept(*content: str) -> bytes:
    return hashlib.sha256("\0".join(content).encode()).digest()[:10]


class Tie(NamedTuple):
    """What live evidence says about a node and another: when each tier said first that they are one customer."""

    other: int
    """Below 0: it has been erased, and nothing but this is left of it."""
    slot: str
    """The other's kind and scope."""
    human: int | None = None
    verified: int | None = None
    asserted: int | None = None
    last: int = 0
    apart: bool = False
    """The latest verdict of a person says that they are different people."""

    @property
    def joins(self) -> bool:
        return self.human is not None or self.verified is not None or self.asserted is not None


@dataclass(frozen=True, slots=True)
class Hood:
    """A node's ties by the other's number; of a hub only some of them."""

    ties: Mapping[int, Tie] = field(default_factory=dict)
    hub: bool = False
    closed: tuple[int, ...] = ()
    """When the identifier was given up, as somebody said."""


EMPTY = Hood()


def month(at: int) -> int:
    return at // MONTH * MONTH


def tied(found: Iterable[Evidence], other: int, slot: str) -> Tie | None:
    """The tie that this evidence about one pair makes; None if none of it joins or forbids."""
    tie, said = Tie(other, slot), {"human": -1, "cannot": -1}
    for one in found:
        if one.retracted_by is None:
            tie = grown(tie, one)
            if one.tier in said:
                said[one.tier] = max(said[one.tier], one.at)
    tie = tie._replace(apart=said["cannot"] >= 0 and said["cannot"] >= said["human"])
    return tie if tie.joins or tie.apart else None


def grown(tie: Tie, one: Evidence) -> Tie:
    """With one more piece of evidence that joins."""
    if one.tier not in ("human", "verified", "asserted"):
        return tie
    first: int | None = getattr(tie, one.tier)
    told: dict[str, Any] = {one.tier: one.at if first is None else min(first, one.at)}
    return tie._replace(**told, last=max(tie.last, month(one.until)))


# reading


def hood(tx: Tx, tenant: str, node: int) -> Hood:
    known: dict[tuple[str, int], Hood] = tx.memo("hoods")
    found = known.get((tenant, node))
    if found is None and (tenant, node) in tx.memo("made"):
        found = known[tenant, node] = EMPTY
    elif found is None:
        rows = tx.all("SELECT * FROM ties WHERE tenant = ? AND node = ? LIMIT ?", tenant, node, HUB + 2)
        ties = {row["other"]: tie_of(row) for row in rows if row["other"] != node}
        closed = _closed(tx, tenant, node) if len(ties) < len(rows) else ()
        found = known[tenant, node] = Hood(ties, len(ties) > HUB, closed)
    return found


def people_at(tx: Tx, tenant: str, node: int) -> list[Tie]:
    """The ties of a node that people have made: they join at a hub too."""
    # the bound makes SQLite take the index on `human`, and not walk through all that a hub has
    sql = "SELECT * FROM ties WHERE tenant = ? AND node = ? AND human IS NOT NULL AND human >= ?"
    return [tie_of(row) for row in tx.all(sql, tenant, node, EVER)]


def pair(tx: Tx, tenant: str, a: int, b: int) -> list[Evidence]:
    """All evidence about two nodes, retracted too."""
    rows = tx.all("SELECT * FROM evidence WHERE tenant = ? AND a = ? AND b = ?", tenant, min(a, b), max(a, b))
    return [evidence_of(row) for row in rows]


def _among(tx: Tx, tenant: str, nodes: Collection[int]) -> dict[tuple[int, int], list[Evidence]]:
    """The same for each pair of these."""
    marks = marks_for(nodes)
    sql = f"SELECT * FROM evidence WHERE tenant = ? AND a IN ({marks}) AND b IN ({marks})"
    found: dict[tuple[int, int], list[Evidence]] = defaultdict(list)
    for row in tx.all(sql, tenant, *nodes, *nodes):
        found[row["a"], row["b"]].append(evidence_of(row))
    return found


def evidence_at(tx: Tx, tenant: str, node: int, limit: int = SHOWN) -> list[Evidence]:
    """All evidence about a node and others, for at most so many of them."""
    sql = (
        "SELECT other FROM ties WHERE tenant = ? AND node = ? UNION SELECT other FROM hints WHERE tenant = ?"
        " AND node = ? ORDER BY other LIMIT ?"
    )
    others = [row["other"] for row in tx.all(sql, tenant, node, tenant, node, limit)]
    return [one for other in others if other >= 0 for one in pair(tx, tenant, node, other)]


def _closed(tx: Tx, tenant: str, node: int) -> tuple[int, ...]:
    found = pair(tx, tenant, node, node)
    return tuple(sorted({one.at for one in found if one.tier == "closed" and one.retracted_by is None}))


def _tie_between(tx: Tx, tenant: str, a: int, b: int) -> Tie | None:
    """As it stands at `a`."""
    mine = hood(tx, tenant, a)
    if not mine.hub or b in mine.ties:
        return mine.ties.get(b)
    row = tx.one("SELECT * FROM ties WHERE tenant = ? AND node = ? AND other = ?", tenant, a, b)
    return tie_of(row) if row else None


# writing


def add_evidence(tx: Tx, tenant: str, evidence: Evidence) -> bool:
    """False if it says nothing new: the earliest time counts, whatever came first, and the month of the latest."""
    known: dict[tuple[str, str], tuple[int, int] | None] = tx.memo("evidence")
    key = tenant, evidence.digest
    if key not in known:
        known[key] = _known(tx, tenant, evidence)
    before = known[key]
    if before is not None and before[0] <= evidence.at and before[1] >= month(evidence.until):
        return False
    at = evidence.at if before is None else min(before[0], evidence.at)
    last = max(month(evidence.until), before[1] if before else 0)
    known[key] = at, last
    _write(tx, tenant, replace(evidence, at=at, last=last), new=before is None)
    return True


def forbid(tx: Tx, tenant: str, several: Sequence[Evidence]) -> None:
    """What one verdict says of many pairs, `a` below `b`: they are read at once, and written at once."""
    ends = by_numbers(tx, {end for one in several for end in (one.a, one.b)})
    found = _among(tx, tenant, ends)
    fresh = [one for one in several if all(one.kept != known.kept for known in found[one.a, one.b])]
    for one in fresh:
        _insert(tx, tenant, one)
        tx.memo("evidence")[tenant, one.digest] = one.at, month(one.until)
        found[one.a, one.b].append(one)
    for one in fresh:
        _settle(tx, tenant, ends[one.a], ends[one.b], found[one.a, one.b])


def _known(tx: Tx, tenant: str, one: Evidence) -> tuple[int, int] | None:
    if one.a != one.b and _are_strangers(tx, tenant, one.a, one.b):
        return None
    row = tx.one(
        "SELECT at, last FROM evidence WHERE tenant = ? AND a = ? AND b = ? AND digest = ?",
        tenant,
        one.a,
        one.b,
        one.kept,
    )
    return (row["at"], row["last"] * MONTH) if row else None


def _are_strangers(tx: Tx, tenant: str, a: int, b: int) -> bool:
    """One of them has been made in this batch, so there is nothing to read."""
    made = tx.memo("made")
    return (tenant, a) in made or (tenant, b) in made


def _write(tx: Tx, tenant: str, one: Evidence, *, new: bool) -> None:
    if not new:
        tx.amend(
            "UPDATE evidence SET at = ?, last = ? WHERE tenant = ? AND a = ? AND b = ? AND digest = ?",
            (tenant, one.digest),
            (one.at, one.last // MONTH, tenant, one.a, one.b, one.kept),
        )
    else:
        _insert(tx, tenant, one)
    if one.tier in ("human", "cannot", "closed"):
        _weigh(tx, tenant, one.a, one.b)
    elif one.tier == "claimed":
        _hint(tx, tenant, one.a, one.b)
    elif new or not _is_retracted(tx, tenant, one):
        _grow(tx, tenant, one)


def _insert(tx: Tx, tenant: str, one: Evidence) -> None:
    what = (one.tier, one.proof, one.source, one.at, one.last // MONTH, one.agent, one.note)
    tx.defer(_PUT_EVIDENCE, (tenant, one.a, one.b, one.kept, *what))
    for made in ((tenant, one.a), (tenant, one.b)):
        tx.memo("made").pop(made, None)


def _is_retracted(tx: Tx, tenant: str, one: Evidence) -> bool:
    return any(other.retracted_by for other in pair(tx, tenant, one.a, one.b) if other.content == one.content)


def _grow(tx: Tx, tenant: str, one: Evidence) -> None:
    ends = by_numbers(tx, (one.a, one.b))
    for node, other in ((one.a, one.b), (one.b, one.a)):
        tie = _tie_between(tx, tenant, node, other) or Tie(other, ends[other].slot)
        if (more := grown(tie, one)) != tie:
            _put(tx, tenant, node, more)


def _weigh(tx: Tx, tenant: str, a: int, b: int) -> None:
    """Anew from all evidence of the pair: a later verdict may undo an earlier one."""
    found, ends = pair(tx, tenant, a, b), by_numbers(tx, (a, b))
    if a == b:
        _close(tx, tenant, ends[a], any(one.retracted_by is None for one in found))
    else:
        _settle(tx, tenant, ends[a], ends[b], found)


def _settle(tx: Tx, tenant: str, a: Node, b: Node, found: Sequence[Evidence]) -> None:
    """What all the evidence of the pair comes to, at both ends."""
    for node, other in ((a, b), (b, a)):
        if tie := tied(found, other.number, other.slot):
            _put(tx, tenant, node.number, tie)
        else:
            _drop(tx, tenant, node.number, other.number)
    _hint(tx, tenant, a.number, b.number)


def _put(tx: Tx, tenant: str, node: int, tie: Tie) -> None:
    mine = hood(tx, tenant, node)
    tx.defer(_PUT_TIE, (tenant, node, *tie[:-2], tie.last // MONTH, int(tie.apart)))
    ties = {**mine.ties, tie.other: tie}
    tx.memo("hoods")[tenant, node] = replace(mine, ties=ties, hub=len(ties) > HUB)


def _drop(tx: Tx, tenant: str, node: int, other: int) -> None:
    tx.run("DELETE FROM ties WHERE tenant = ? AND node = ? AND other = ?", tenant, node, other)


def _close(tx: Tx, tenant: str, node: Node, closed: bool) -> None:
    """A tie with itself says that there are times to be read."""
    if closed:
        tx.defer(_PUT_TIE, (tenant, node.number, node.number, node.slot, None, None, None, 0, 0))
        tx.memo("hoods").pop((tenant, node.number), None)
    else:
        _drop(tx, tenant, node.number, node.number)


def _hint(tx: Tx, tenant: str, a: int, b: int) -> None:
    tx.defer(_PUT_HINT, (tenant, a, b))
    tx.defer(_PUT_HINT, (tenant, b, a))


def named(tx: Tx, tenant: str, name: str) -> list[Evidence]:
    """What is live of a verdict, of one piece of evidence by its digest, or of what came from one source."""
    if one := _by_digest(tx, tenant, name):
        return [one]
    # as an expression the tenant keeps SQLite from walking through all evidence by the primary key
    people = "tier IN ('human', 'cannot', 'closed') AND tenant || '' = ?"
    for which in (people, "tenant = ?"):
        sql = f"SELECT * FROM evidence WHERE {which} AND source = ? AND retracted_by IS NULL"
        if rows := tx.all(sql, tenant, name):
            return [evidence_of(row) for row in rows]
    return []


def _by_digest(tx: Tx, tenant: str, name: str) -> Evidence | None:
    a, _, rest = name.partition("-")
    b, _, _ = rest.partition("-")
    try:
        found = pair(tx, tenant, int(a, 16), int(b, 16))
    except (ValueError, OverflowError):
        return None
    return next((one for one in found if one.digest == name and one.retracted_by is None), None)


def retract(tx: Tx, tenant: str, name: str, agent: str, at: int) -> list[Evidence]:
    """Takes back what `named` finds; what it was."""
    found = named(tx, tenant, name)
    for one in found:
        tx.run(
            "UPDATE evidence SET retracted_by = ?, retracted_at = ?"
            " WHERE tenant = ? AND a = ? AND b = ? AND digest = ?",
            agent,
            at,
            tenant,
            one.a,
            one.b,
            one.kept,
        )
    for a, b in sorted({(one.a, one.b) for one in found}):
        _weigh(tx, tenant, a, b)
    return found


# forgetting


def others(tx: Tx, tenant: str, node: int) -> set[int]:
    """All who have any evidence with a node in common."""
    found: set[int] = set()
    for table in ("ties", "hints"):
        rows = tx.all(f"SELECT other FROM {table} WHERE tenant = ? AND node = ? AND other >= 0", tenant, node)
        found.update(row["other"] for row in rows if row["other"] != node)
    return found


def neighbours(tx: Tx, tenant: str, numbers: Collection[int]) -> set[int]:
    """All who are tied to any of these."""
    found: set[int] = set()
    for part in chunks(sorted(numbers)):
        sql = f"SELECT DISTINCT other FROM ties WHERE tenant = ? AND other >= 0 AND node IN ({marks_for(part)})"
        found.update(row["other"] for row in tx.all(sql, tenant, *part))
    return found


def forget(tx: Tx, tenant: str, numbers: Collection[int]) -> int:
    """Removes all evidence about these; how much. Those who stay keep nameless ties in place of what joined them."""
    gone = 0
    for number in sorted(numbers):
        for other in sorted(others(tx, tenant, number) | {number}):
            low, high = min(number, other), max(number, other)
            gone += tx.run("DELETE FROM evidence WHERE tenant = ? AND a = ? AND b = ?", tenant, low, high)
            tx.run("DELETE FROM hints WHERE tenant = ? AND node = ? AND other = ?", tenant, other, number)
            mine = (tenant, other, number)
            if other not in numbers:
                where = "tenant = ? AND node = ? AND other = ? AND apart = 0"
                tx.run(f"UPDATE ties SET other = -other WHERE {where}", *mine)
            tx.run("DELETE FROM ties WHERE tenant = ? AND node = ? AND other = ?", *mine)
        for table in ("ties", "hints"):
            tx.run(f"DELETE FROM {table} WHERE tenant = ? AND node = ?", tenant, number)
    return gone


def evidence_of(row: Row) -> Evidence:
    names = ("a", "b", "tier", "proof", "source", "at", "agent", "note", "retracted_by")
    values: list[Any] = [*(row[name] for name in names), row["last"] * MONTH]
    return Evidence(*values)


def tie_of(row: Row) -> Tie:
    return Tie(
        row["other"],
        row["slot"],
        row["human"],
        row["verified"],
        row["asserted"],
        row["last"] * MONTH,
        bool(row["apart"]),
    )
