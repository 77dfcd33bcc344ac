"""What is asked for again and again while people work: who waits now, and what has happened since a moment."""

from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:  # as the tables beside this, it knows the database only by its verbs
    from socialsupport_core.store.database import Row, Tx


LOOKED_AT = 200_000
"""Events of one day; of a busier tenant the newest are counted."""

BEFORE_ALL = -(2**62)
"""Whoever waits at all; said as a range, for SQLite counts what IS NOT NULL by reading all of the tenant's rows."""


class Waiting(NamedTuple):
    """Whoever has waited longest, and where the customer spoke last."""

    conversation: str
    since: int
    channel: str
    network: str


def waiting(tx: "Tx", tenant: str) -> tuple[int, Waiting | None]:
    """How many conversations wait, and the one that has waited longest."""
    where = (
        f"FROM conversations WHERE tenant = ? AND status = 'open' AND waiting_since > {BEFORE_ALL}"
        " AND superseded_by IS NULL"
    )
    counted = tx.one(f"SELECT count(*) AS count {where}", tenant)
    first = tx.one(f"SELECT conversation, waiting_since AS since {where} ORDER BY waiting_since LIMIT 1", tenant)
    if counted is None or first is None:
        return 0, None
    leg = tx.one(
        "SELECT channel, network FROM legs WHERE tenant = ? AND conversation = ?"
        " ORDER BY last_inbound IS NULL, last_inbound DESC LIMIT 1",
        tenant,
        first["conversation"],
    )
    place = (leg["channel"], leg["network"]) if leg else ("", "")
    return counted["count"], Waiting(first["conversation"], first["since"], *place)


def before(tx: "Tx", tenant: str, at: int) -> int:
    """The cursor behind which everything is that happened at that moment or later, looked for among the newest
    events: what is imported has times of its own, so that the log is in no order of time."""
    row = tx.one(
        "SELECT min(CASE WHEN at >= ? THEN cursor END) AS first, max(cursor) AS top FROM"
        " (SELECT cursor, at FROM log WHERE tenant = ? ORDER BY cursor DESC LIMIT ?) newest",
        at,
        tenant,
        LOOKED_AT,
    )
    if row is None or row["top"] is None:
        return 0
    return int(row["top"]) if row["first"] is None else int(row["first"]) - 1


def since(tx: "Tx", tenant: str, cursor: int, types: Collection[str], limit: int) -> "list[Row]":
    marks = ", ".join("?" * len(types))
    return tx.all(
        "SELECT cursor, type, channel, thread, conversation, data FROM log"
        f" WHERE tenant = ? AND cursor > ? AND type IN ({marks}) ORDER BY cursor LIMIT ?",
        tenant,
        cursor,
        *types,
        limit,
    )
