"""Conversations and their legs; hand-offs under way."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from socialsupport_core.store.database import Row, Tx


class Conversation(NamedTuple):
    """One matter of one customer. `node` is the account with which it began."""

    tenant: str
    id: str
    node: int
    subject: str | None
    status: str
    """`open`, `resolved`, or `merged` while its legs are in another conversation."""
    assignee: str | None
    opened_at: int
    updated_at: int
    waiting_since: int | None
    """Since when the customer has been waiting for an answer."""
    answered_at: int | None = None


class Leg(NamedTuple):
    """A stretch of one thread within one conversation, and the rule by which it was attached."""

    id: int
    tenant: str
    conversation: str
    channel: str
    network: str
    own_account: str
    thread: str
    visibility: str
    node: int
    opened_at: int
    last_inbound: int | None
    rule: str
    reason: str
    moved_from: str | None = None
    """The conversation on which it began, while its customer's conversations are one."""

    @property
    def joined(self) -> tuple[str, str]:
        """The rule by which it belongs here now, and its reason in words."""
        if self.moved_from is not None:
            return "reunited", "two customers turned out to be one, and so did their open conversations"
        return self.rule, self.reason


@dataclass(frozen=True, slots=True)
class Handoff:
    """A token that brings its bearer to a conversation, once."""

    tenant: str
    conversation: str
    node: int
    visibility: str
    """Of the place where the token was given: a token shown in public proves nothing."""
    channel: str
    agent: str
    expires_at: int
    redeemed_at: int | None
    redeemed_by: int | None


def open_conversation(tx: Tx, tenant: str, conversation: str, node: int, subject: str | None, at: int) -> Conversation:
    tx.defer(
        "INSERT INTO conversations (tenant, conversation, node, subject, status, opened_at, updated_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (tenant, conversation, node, subject, "open", at, at),
    )
    made = Conversation(tenant, conversation, node, subject, "open", None, at, at, None)
    tx.memo("conversations")[tenant, conversation] = made
    return made


def get(tx: Tx, tenant: str, conversation: str) -> Conversation | None:
    known = tx.memo("conversations")
    if (tenant, conversation) not in known:
        row = tx.one("SELECT * FROM conversations WHERE tenant = ? AND conversation = ?", tenant, conversation)
        known[tenant, conversation] = _conversation(row) if row else None
    found: Conversation | None = known[tenant, conversation]
    return found


def _save(tx: Tx, one: Conversation) -> None:
    tx.amend(
        "UPDATE conversations SET status = ?, assignee = ?, updated_at = ?, waiting_since = ?, answered_at = ?"
        " WHERE tenant = ? AND conversation = ?",
        (one.tenant, one.id),
        (one.status, one.assignee, one.updated_at, one.waiting_since, one.answered_at, one.tenant, one.id),
    )
    tx.memo("conversations")[one.tenant, one.id] = one


def of_customer(tx: Tx, tenant: str, customer: int) -> list[Conversation]:
    """The newest first."""
    known = tx.memo("of_customer")
    if (tenant, customer) not in known:
        read_customers(tx, tenant, [customer])
    found = [one for id in known[tenant, customer] if (one := get(tx, tenant, id))]
    return sorted(found, key=lambda one: (one.updated_at, one.id), reverse=True)


def read_customers(tx: Tx, tenant: str, customers: Collection[int]) -> None:
    """The conversations of all of them at once."""
    known, read = tx.memo("of_customer"), tx.memo("conversations")
    known.update(((tenant, customer), []) for customer in customers)
    for row in tx.all(
        "SELECT DISTINCT n.customer AS whose, c.* FROM nodes n JOIN legs l ON l.tenant = n.tenant AND l.node = n.node"
        " JOIN conversations c ON c.tenant = l.tenant AND c.conversation = l.conversation"
        f" WHERE n.tenant = ? AND n.customer IN ({', '.join('?' * len(customers))})",
        tenant,
        *customers,
    ):
        known[tenant, row["whose"]].append(row["conversation"])
        read.setdefault((tenant, row["conversation"]), _conversation(row))


def read_threads(tx: Tx, tenant: str, channel: str, threads: Iterable[str]) -> None:
    """The legs of all of them at once, and their conversations."""
    wanted = sorted(set(threads))
    by_thread, read = tx.memo("threads"), tx.memo("conversations")
    by_thread.update(((tenant, channel, thread), []) for thread in wanted)
    for row in tx.all(
        "SELECT * FROM legs WHERE tenant = ? AND channel = ?"
        f" AND thread IN ({', '.join('?' * len(wanted))}) ORDER BY leg DESC",
        tenant,
        channel,
        *wanted,
    ):
        by_thread[tenant, channel, row["thread"]].append(_remember(tx, _leg(row)).id)
    legs = tx.memo("legs").values()
    if missing := sorted({one.conversation for one in legs if (tenant, one.conversation) not in read}):
        marks = ", ".join("?" * len(missing))
        sql = f"SELECT * FROM conversations WHERE tenant = ? AND conversation IN ({marks})"
        read.update(((tenant, row["conversation"]), _conversation(row)) for row in tx.all(sql, tenant, *missing))


def _remember(tx: Tx, one: Leg) -> Leg:
    tx.memo("legs")[one.id] = one
    return one


def queue(
    tx: Tx,
    tenant: str,
    status: str | None,
    channel: str | None,
    assignee: str | None,
    waiting: bool,
    limit: int,
) -> list[Conversation]:
    """Whoever has waited longest first; then the most recently active."""
    rows = tx.all(
        "SELECT * FROM conversations c WHERE tenant = ? AND (CAST(? AS TEXT) IS NULL OR status = ?)"
        " AND (CAST(? AS TEXT) IS NULL OR assignee = ?) AND (? = 0 OR waiting_since IS NOT NULL)"
        " AND (CAST(? AS TEXT) IS NULL OR EXISTS (SELECT 1 FROM legs l WHERE l.tenant = c.tenant"
        "   AND l.conversation = c.conversation AND l.channel = ?))"
        " ORDER BY waiting_since IS NULL, waiting_since, updated_at DESC LIMIT ?",
        tenant,
        status,
        status,
        assignee,
        assignee,
        int(waiting),
        channel,
        channel,
        limit,
    )
    return [_conversation(row) for row in rows]


def set_status(tx: Tx, tenant: str, conversation: str, status: str, at: int) -> None:
    one = _known(tx, tenant, conversation)
    waiting = None if status == "resolved" else one.waiting_since
    _save(tx, one._replace(status=status, updated_at=max(one.updated_at, at), waiting_since=waiting))


def assign(tx: Tx, tenant: str, conversation: str, assignee: str | None) -> None:
    _save(tx, _known(tx, tenant, conversation)._replace(assignee=assignee))


def customer_spoke(tx: Tx, leg: Leg, at: int) -> None:
    """What comes late and was answered already makes nobody wait."""
    one = _known(tx, leg.tenant, leg.conversation)
    waiting = one.waiting_since
    if at > (one.answered_at or 0):
        waiting = at if waiting is None else min(waiting, at)
    _save(tx, one._replace(updated_at=max(one.updated_at, at), waiting_since=waiting))
    last = max(leg.last_inbound or 0, at)
    tx.amend("UPDATE legs SET last_inbound = ? WHERE leg = ?", leg.id, (last, leg.id))
    _remember(tx, leg._replace(last_inbound=last))


def we_spoke(tx: Tx, tenant: str, conversation: str, at: int) -> None:
    """Whoever has written since goes on waiting, from the first such word on."""
    one = _known(tx, tenant, conversation)
    waiting = one.waiting_since
    if waiting is not None and waiting <= at:
        waiting = _first_word_since(tx, tenant, conversation, at)
    answered = max(one.answered_at or 0, at)
    _save(tx, one._replace(updated_at=max(one.updated_at, at), waiting_since=waiting, answered_at=answered))


def answered_until(tx: Tx, tenant: str, conversation: str, answered: int | None, since: int) -> Conversation:
    """What was thought to be an answer did not arrive, or did after all: `answered` is the last that counts.

    Words before `since` were dealt with in another way.
    """
    waiting = _first_word_since(tx, tenant, conversation, max(answered or 0, since))
    _save(tx, _known(tx, tenant, conversation)._replace(answered_at=answered, waiting_since=waiting))
    return _known(tx, tenant, conversation)


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
        " AND i.at > ? AND i.leg = l.leg AND i.direction = 'inbound'"
        " WHERE l.tenant = ? AND l.conversation = ? AND l.last_inbound > ?",
        at,
        tenant,
        conversation,
        at,
    )
    return row["since"] if row else None


def _known(tx: Tx, tenant: str, conversation: str) -> Conversation:
    found = get(tx, tenant, conversation)
    assert found is not None
    return found


def add_leg(tx: Tx, conversation: Conversation, thread: "ThreadOf", node: int, at: int, rule: str, reason: str) -> Leg:
    leg = Leg(
        tx.number("leg"),
        conversation.tenant,
        conversation.id,
        thread.channel,
        thread.network,
        thread.own_account,
        thread.id,
        thread.visibility,
        node,
        at,
        None,
        rule,
        reason,
    )
    tx.defer(
        "INSERT INTO legs (leg, tenant, conversation, channel, network, own_account, thread, visibility, node,"
        " opened_at, rule, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            leg.id,
            leg.tenant,
            leg.conversation,
            leg.channel,
            leg.network,
            leg.own_account,
            leg.thread,
            leg.visibility,
            node,
            at,
            rule,
            reason,
        ),
    )
    known = tx.memo("threads").get((leg.tenant, leg.channel, leg.thread))
    if known is not None:
        known.insert(0, leg.id)
    _join(tx, leg)
    return _remember(tx, leg)


def _join(tx: Tx, leg: Leg) -> None:
    """What was read of the customer's conversations stays true."""
    node = tx.memo("nodes").get(leg.node)
    known = tx.memo("of_customer")
    if node is None:
        known.clear()
    elif leg.conversation not in known.get((leg.tenant, node.customer), [leg.conversation]):
        known[leg.tenant, node.customer].append(leg.conversation)


@dataclass(frozen=True, slots=True)
class ThreadOf:
    """A native thread with the channel on which it is."""

    channel: str
    network: str
    own_account: str
    id: str
    visibility: str


def legs(tx: Tx, tenant: str, conversation: str) -> list[Leg]:
    rows = tx.all(
        "SELECT * FROM legs WHERE tenant = ? AND conversation = ? ORDER BY opened_at, leg",
        tenant,
        conversation,
    )
    return [_leg(row) for row in rows]


def leg(tx: Tx, number: int) -> Leg | None:
    known: dict[int, Leg] = tx.memo("legs")
    if number not in known:
        row = tx.one("SELECT * FROM legs WHERE leg = ?", number)
        return _remember(tx, _leg(row)) if row else None
    return known[number]


def legs_of_thread(tx: Tx, tenant: str, channel: str, thread: str, node: int | None = None) -> list[Leg]:
    """The newest first; of one account, or of all in the thread."""
    known, legs = tx.memo("threads"), tx.memo("legs")
    if (tenant, channel, thread) not in known:
        read_threads(tx, tenant, channel, [thread])
    found = [legs[number] for number in known[tenant, channel, thread]]
    return [one for one in found if node is None or one.node == node]


def merge(tx: Tx, one: Conversation, into: Conversation) -> None:
    """All legs of one conversation go on in another; `unmerge` takes it back."""
    _save(tx, one._replace(status="merged"))
    fresh = _known(tx, into.tenant, into.id)
    waiting = one.waiting_since if fresh.waiting_since is None else fresh.waiting_since
    _save(tx, fresh._replace(updated_at=max(fresh.updated_at, one.updated_at), waiting_since=waiting))
    tx.run(
        "UPDATE legs SET conversation = ?, moved_from = coalesce(moved_from, ?) WHERE tenant = ? AND conversation = ?",
        into.id,
        one.id,
        one.tenant,
        one.id,
    )


def unmerge(tx: Tx, leg: Leg) -> None:
    """The leg goes back to the conversation on which it began, and that is open again."""
    tx.run("UPDATE legs SET conversation = moved_from, moved_from = NULL WHERE leg = ?", leg.id)
    tx.run(
        "UPDATE conversations SET waiting_since = NULL WHERE tenant = ? AND conversation = ? AND waiting_since ="
        " (SELECT waiting_since FROM conversations WHERE tenant = ? AND conversation = ?)",
        leg.tenant,
        leg.conversation,
        leg.tenant,
        leg.moved_from,
    )
    tx.run(
        "UPDATE conversations SET status = 'open' WHERE tenant = ? AND conversation = ? AND status = 'merged'",
        leg.tenant,
        leg.moved_from,
    )


def moved_legs(tx: Tx, tenant: str, nodes: Iterable[int]) -> list[Leg]:
    """Legs of these accounts, or of conversations of theirs, that are not where they began."""
    wanted = sorted(set(nodes))
    marks = ", ".join("?" * len(wanted))
    rows = tx.all(
        f"SELECT * FROM legs WHERE tenant = ? AND moved_from IS NOT NULL AND node IN ({marks}) ORDER BY leg",
        tenant,
        *wanted,
    )
    return [_leg(row) for row in rows]


def put_handoff(tx: Tx, token: str, handoff: Handoff, at: int) -> None:
    tx.run(
        "INSERT INTO handoffs (digest, tenant, conversation, node, visibility, channel, agent, created_at, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _digest(token),
        handoff.tenant,
        handoff.conversation,
        handoff.node,
        handoff.visibility,
        handoff.channel,
        handoff.agent,
        at,
        handoff.expires_at,
    )


def handoff(tx: Tx, token: str) -> Handoff | None:
    row = tx.one("SELECT * FROM handoffs WHERE digest = ?", _digest(token))
    if row is None:
        return None
    return Handoff(
        row["tenant"],
        row["conversation"],
        row["node"],
        row["visibility"],
        row["channel"],
        row["agent"],
        row["expires_at"],
        row["redeemed_at"],
        row["redeemed_by"],
    )


def redeem(tx: Tx, token: str, node: int, at: int) -> bool:
    """False if somebody else was first."""
    return bool(
        tx.run(
            "UPDATE handoffs SET redeemed_at = ?, redeemed_by = ? WHERE digest = ? AND redeemed_at IS NULL",
            at,
            node,
            _digest(token),
        )
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _conversation(row: Row) -> Conversation:
    return Conversation(
        row["tenant"],
        row["conversation"],
        row["node"],
        row["subject"],
        row["status"],
        row["assignee"],
        row["opened_at"],
        row["updated_at"],
        row["waiting_since"],
        row["answered_at"],
    )


def _leg(row: Row) -> Leg:
    return Leg(*(row[name] for name in _LEG_COLUMNS))


_LEG_COLUMNS = (
    "leg",
    "tenant",
    "conversation",
    "channel",
    "network",
    "own_account",
    "thread",
    "visibility",
    "node",
    "opened_at",
    "last_inbound",
    "rule",
    "reason",
    "moved_from",
)
