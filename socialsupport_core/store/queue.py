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

    conversation: Conversation
    channel: str
    network: str
    visibility: str
    last_inbound: int | None
    legs: int
    handed: bool
    """It has been handed off before."""


_WHERE = (
    " WHERE c.tenant = ? AND (CAST(? AS TEXT) IS NULL OR c.status = ?) AND c.superseded_by IS NULL"
    " AND (CAST(? AS TEXT) IS NULL OR c.assignee = ?)"
    " AND (CAST(? AS INTEGER) IS NULL OR (c.waiting_since IS NOT NULL) = (CAST(? AS INTEGER) = 1))"
    " AND (CAST(? AS INTEGER) IS NULL OR c.noise = ?) AND (CAST(? AS TEXT) IS NULL OR c.kind = ?)"
    " AND (CAST(? AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM legs l WHERE l.tenant = c.tenant"
    "   AND l.conversation = c.conversation AND l.channel = ?))"
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
    """Those whose target runs out first, and what is urgent among the others: at most twice `limit`."""
    asked = asked._replace(status=asked.status or "open", waiting=True)
    values = _values(tenant, asked)
    chosen = (
        f"SELECT c.conversation FROM conversations c{_WHERE}"
        " ORDER BY coalesce(c.due_at, c.waiting_since), c.conversation LIMIT ?"
    )
    urgent = (
        f"SELECT c.conversation FROM conversations c{_WHERE} AND c.urgency = 'high'"
        " ORDER BY c.waiting_since, c.conversation LIMIT ?"
    )
    rows = tx.all(
        "SELECT c.*, l.leg, l.channel, l.network, l.visibility, l.last_inbound,"
        " EXISTS (SELECT 1 FROM handoffs h WHERE h.tenant = c.tenant AND h.conversation = c.conversation) AS handed"
        " FROM conversations c JOIN legs l ON l.tenant = c.tenant AND l.conversation = c.conversation"
        " WHERE c.tenant = ? AND c.conversation IN"
        f" (SELECT conversation FROM ({chosen}) AS a UNION SELECT conversation FROM ({urgent}) AS b)"
        " ORDER BY c.conversation, l.leg",
        tenant,
        *values,
        limit,
        *values,
        limit,
    )
    by_conversation: dict[str, list[Row]] = {}
    for row in rows:
        by_conversation.setdefault(row["conversation"], []).append(row)
    return [_waiting(mine) for mine in by_conversation.values()]


def _waiting(legs: "list[Row]") -> Waiting:
    last = max(legs, key=lambda leg: (leg["last_inbound"] or 0, leg["leg"]))
    return Waiting(
        conversation_of(last),
        last["channel"],
        last["network"],
        last["visibility"],
        last["last_inbound"],
        len(legs),
        bool(last["handed"]),
    )
