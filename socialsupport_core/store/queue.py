"""The queue: who waits, since when, and what is known of it without a look at any message."""

from typing import TYPE_CHECKING, NamedTuple

from socialsupport_core.store.conversations import Conversation, conversation_of

if TYPE_CHECKING:
    from socialsupport_core.store.database import Row, Tx


class Asked(NamedTuple):
    """Which conversations are asked for; None leaves a filter out."""

    status: str | None = "open"
    channel: str | None = None
    assignee: str | None = None
    waiting: bool | None = None
    """Only who waits, or only who does not."""
    noise: bool | None = False
    """Only what is kept out of the queue, or only what is not."""
    kind: str | None = None


class Waiting(NamedTuple):
    """A conversation that waits, with the leg on which its customer spoke last."""

    conversation: str
    since: int
    answered_at: int | None
    due_at: int | None
    kind: str | None
    urgency: str | None
    reach: int
    channel: str
    network: str
    visibility: str
    last_inbound: int | None
    handed: bool
    """It has been handed off before."""


_ON_CHANNEL = (
    "(CAST(? AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM legs l WHERE l.tenant = c.tenant"
    " AND l.conversation = c.conversation AND l.channel = ?))"
)
_WHERE = (
    " WHERE c.tenant = ? AND (CAST(? AS TEXT) IS NULL OR c.status = ?) AND c.superseded_by IS NULL"
    " AND (CAST(? AS TEXT) IS NULL OR c.assignee = ?)"
    " AND (CAST(? AS INTEGER) IS NULL OR (c.waiting_since IS NOT NULL) = (CAST(? AS INTEGER) = 1))"
    " AND (CAST(? AS INTEGER) IS NULL OR c.noise = ?) AND (CAST(? AS TEXT) IS NULL OR c.kind = ?)"
    f" AND {_ON_CHANNEL}"
)


def _values(tenant: str, asked: Asked) -> tuple[object, ...]:
    waiting, noise = (None if one is None else int(one) for one in (asked.waiting, asked.noise))
    given = asked.status, asked.assignee, waiting, noise, asked.kind, asked.channel
    return (tenant, *(value for one in given for value in (one, one)))


def oldest(tx: "Tx", tenant: str, asked: Asked, limit: int, after: int = 0) -> list[Conversation]:
    """Whoever has waited longest first; then the most recently active."""
    rows = tx.all(
        f"SELECT * FROM conversations c{_WHERE}"
        " ORDER BY c.waiting_since IS NULL, c.waiting_since, c.updated_at DESC LIMIT ? OFFSET ?",
        *_values(tenant, asked),
        limit,
        after,
    )
    return [conversation_of(row) for row in rows]


def waiting(tx: "Tx", tenant: str, asked: Asked, limit: int) -> list[Waiting]:
    """Those whose target runs out first, and what is urgent among the others: at most twice `limit`, by an index."""
    if asked.status not in (None, "open"):
        return []
    noise = "0, 1" if asked.noise is None else str(int(asked.noise))
    which = (
        "SELECT c.conversation FROM conversations c WHERE c.tenant = ? AND c.status = 'open'"
        " AND c.waiting_since IS NOT NULL AND c.superseded_by IS NULL AND c.noise IN (" + noise + ")"
        " AND (CAST(? AS TEXT) IS NULL OR c.assignee = ?) AND (CAST(? AS TEXT) IS NULL OR c.kind = ?)"
        f" AND {_ON_CHANNEL}"
    )
    last = " ORDER BY c.due_at LIMIT ?"
    given = (asked.assignee, asked.kind, asked.channel)
    values = (tenant, *(value for one in given for value in (one, one)), limit)
    rows = tx.all(
        "SELECT c.conversation, c.waiting_since, c.answered_at, c.due_at, c.kind, c.urgency, c.reach,"
        " l.channel, l.network, l.visibility, l.last_inbound, EXISTS (SELECT 1 FROM legs o JOIN handoffs h"
        "   ON h.tenant = o.tenant AND h.leg = o.leg"
        "   WHERE o.tenant = c.tenant AND o.conversation = c.conversation) AS handed"
        f" FROM (SELECT conversation FROM ({which}{last}) AS due"
        f"   UNION SELECT conversation FROM ({which} AND c.urgency = 'high'{last}) AS urgent) AS chosen"
        " JOIN conversations c ON c.tenant = ? AND c.conversation = chosen.conversation"
        " JOIN legs l ON l.tenant = c.tenant AND l.conversation = c.conversation"
        " ORDER BY coalesce(l.last_inbound, 0), l.leg",
        *values,
        *values,
        tenant,
    )
    return [_waiting(row) for row in {row["conversation"]: row for row in rows}.values()]  # of several legs the last


def _waiting(row: "Row") -> Waiting:
    return Waiting(
        row["conversation"],
        row["waiting_since"],
        row["answered_at"],
        row["due_at"],
        row["kind"],
        row["urgency"],
        row["reach"],
        row["channel"],
        row["network"],
        row["visibility"],
        row["last_inbound"],
        bool(row["handed"]),
    )
