"""Since when a customer waits for an answer: who spoke last, and what counts as one."""

from socialsupport_core.store.conversations import Conversation, Leg, existing, remember, save
from socialsupport_core.store.database import Tx
from socialsupport_core.store.standing import Standing


def waiting_with(one: Conversation, at: int) -> int | None:
    """Since when its customer waits, having said something then.

    What comes late and was answered already makes nobody wait.
    """
    if at <= (one.answered_at or 0):
        return one.waiting_since
    return at if one.waiting_since is None else min(one.waiting_since, at)


def customer_spoke(tx: Tx, leg: Leg, at: int, standing: Standing | None = None, *, needs_answer: bool = True) -> None:
    """`standing` is how it stands with these words, if they were judged."""
    one = existing(tx, leg.tenant, leg.conversation)
    waiting = waiting_with(one, at) if needs_answer else one.waiting_since
    stands = one.standing if standing is None else standing
    updated = one.updated_at if one.updated_at > at else at
    save(tx, Conversation._make((*one[:_UPDATED], updated, waiting, one.answered_at, one.superseded_by, stands)))
    last = max(leg.last_inbound or 0, at)
    tx.amend("UPDATE legs SET last_inbound = ? WHERE leg = ?", leg.id, (last, leg.id))
    remember(tx, Leg._make((*leg[:_LAST], last, *leg[_LAST + 1 :])))


_UPDATED = Conversation._fields.index("updated_at")
_LAST = Leg._fields.index("last_inbound")
"""`_replace` costs five times as much, for each message."""


def we_spoke(tx: Tx, tenant: str, conversation: str, at: int) -> None:
    """Whoever has written since goes on waiting, from the first such word on."""
    one = existing(tx, tenant, conversation)
    waiting = one.waiting_since
    if waiting is not None and waiting <= at:
        waiting = _first_word_since(tx, tenant, conversation, at)
    answered = max(one.answered_at or 0, at)
    save(tx, one._replace(updated_at=max(one.updated_at, at), waiting_since=waiting, answered_at=answered))


def wait_as(tx: Tx, before: Conversation) -> None:
    """What was said since was no answer: the customer waits as before."""
    one = existing(tx, before.tenant, before.id)
    save(tx, one._replace(waiting_since=before.waiting_since, answered_at=before.answered_at))


def back_to_queue(tx: Tx, one: Conversation, at: int) -> None:
    """Somebody has to look at it again, from then on."""
    found = existing(tx, one.tenant, one.id)
    save(tx, found._replace(waiting_since=at if found.waiting_since is None else min(found.waiting_since, at)))


def heard_before(tx: Tx, leg: Leg, at: int | None) -> None:
    """The customer spoke in its thread before it was a leg of this conversation."""
    tx.amend("UPDATE legs SET last_inbound = ? WHERE leg = ?", leg.id, (at, leg.id))
    remember(tx, leg._replace(last_inbound=at))


def answered_until(tx: Tx, tenant: str, conversation: str, answered: int | None, since: int) -> Conversation:
    """What was thought to be an answer did not arrive, or did after all: `answered` is the last that counts.

    Words before `since` were dealt with in another way.
    """
    waiting = _first_word_since(tx, tenant, conversation, max(answered or 0, since))
    save(tx, existing(tx, tenant, conversation)._replace(answered_at=answered, waiting_since=waiting))
    return existing(tx, tenant, conversation)


def spoken(tx: Tx, tenant: str, conversation: str) -> list[tuple[int, str | None, str | None]]:
    """What we have said on its legs: when, as which part of the outbox, and how that ended."""
    rows = tx.all(
        "SELECT i.at, i.part, i.state FROM legs l JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node"
        " AND i.leg = l.leg AND i.direction = 'outbound' WHERE l.tenant = ? AND l.conversation = ?",
        tenant,
        conversation,
    )
    return [(row["at"], row["part"], row["state"]) for row in rows]


def _first_word_since(tx: Tx, tenant: str, conversation: str, at: int) -> int | None:
    row = tx.one(
        "SELECT min(i.at) AS since FROM legs l JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node"
        " AND i.at > ? AND i.leg = l.leg AND i.direction = 'inbound' AND i.settled = 0"
        " WHERE l.tenant = ? AND l.conversation = ? AND l.last_inbound > ?",
        at,
        tenant,
        conversation,
        at,
    )
    return row["since"] if row else None
