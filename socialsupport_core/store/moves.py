"""Which legs have gone from one conversation to another, and why. A leg stands where its last move that counts led."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Literal, NamedTuple

from socialsupport_core.store.erasures import chunks, marks_for

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE moves (
  number NUMBERED, tenant TEXT NOT NULL, move TEXT NOT NULL, kind TEXT NOT NULL, leg INTEGER NOT NULL,
  origin TEXT NOT NULL, target TEXT NOT NULL, at INTEGER NOT NULL, agent TEXT, reason TEXT NOT NULL,
  cut_from INTEGER, reopened INTEGER NOT NULL DEFAULT 0, undone_at INTEGER, undone_by TEXT);
CREATE INDEX moves_by_leg ON moves (tenant, leg);
CREATE INDEX moves_by_move ON moves (tenant, move);
CREATE INDEX moves_by_origin ON moves (tenant, origin);
CREATE INDEX moves_by_target ON moves (tenant, target);
"""

Kind = Literal["merged", "split", "moved", "reunited", "parted", "brought"]
"""The first three an agent decides; `reunited` and `parted` follow from who is one customer, `brought` from a link."""
BY_ITSELF: frozenset[str] = frozenset({"reunited", "parted", "brought"})


class Move(NamedTuple):
    """One leg's part in a move. All with one `move` were made, and are taken back, together."""

    number: int
    tenant: str
    move: str
    kind: str
    leg: int
    origin: str
    target: str
    at: int
    agent: str | None
    reason: str
    cut_from: int | None = None
    """The leg of which this one is the rest, where a thread was cut in two."""
    reopened: bool = False
    """The target was resolved, and was opened for it."""
    undone_at: int | None = None
    undone_by: str | None = None


def add(tx: "Tx", one: Move) -> None:
    tx.run(
        "INSERT INTO moves (number, tenant, move, kind, leg, origin, target, at, agent, reason, cut_from, reopened)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        one.number,
        one.tenant,
        one.move,
        one.kind,
        one.leg,
        one.origin,
        one.target,
        one.at,
        one.agent,
        one.reason,
        one.cut_from,
        int(one.reopened),
    )


def of_move(tx: "Tx", tenant: str, move: str) -> list[Move]:
    rows = tx.all("SELECT * FROM moves WHERE tenant = ? AND move = ? ORDER BY number", tenant, move)
    return [_move(row) for row in rows]


def of_legs(tx: "Tx", tenant: str, legs: Collection[int]) -> dict[int, list[Move]]:
    """Those that count, the oldest first; each leg is there."""
    found: dict[int, list[Move]] = {leg: [] for leg in legs}
    for part in chunks(sorted(found)):
        sql = "SELECT * FROM moves WHERE tenant = ? AND undone_at IS NULL AND leg IN"
        for row in tx.all(f"{sql} ({marks_for(part)}) ORDER BY number", tenant, *part):
            found[row["leg"]].append(_move(row))
    return found


def of_conversation(tx: "Tx", tenant: str, conversation: str) -> list[Move]:
    """What led out of it or into it, taken back or not, the oldest first."""
    rows = tx.all(
        "SELECT * FROM moves WHERE tenant = ? AND origin = ? UNION SELECT * FROM moves WHERE tenant = ? AND target = ?"
        " ORDER BY number",
        tenant,
        conversation,
        tenant,
        conversation,
    )
    return [_move(row) for row in rows]


def take_back(tx: "Tx", tenant: str, numbers: Iterable[int], by: str | None, at: int) -> None:
    for number in numbers:
        tx.run("UPDATE moves SET undone_at = ?, undone_by = ? WHERE tenant = ? AND number = ?", at, by, tenant, number)


def _move(row: "Row") -> Move:
    return Move(
        row["number"],
        row["tenant"],
        row["move"],
        row["kind"],
        row["leg"],
        row["origin"],
        row["target"],
        row["at"],
        row["agent"],
        row["reason"],
        row["cut_from"],
        row["reopened"] == 1,
        row["undone_at"],
        row["undone_by"],
    )
