"""Conversations and their legs; hand-offs under way."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from socialsupport_core.store.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Conversation:
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


@dataclass(frozen=True, slots=True)
class Leg:
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


def open_conversation(tx: Tx, tenant: str, conversation: str, node: int, subject: str | None, at: int) -> None:
    tx.run(
        "INSERT INTO conversations (tenant, conversation, node, subject, status, opened_at, updated_at)"
        " VALUES (?, ?, ?, ?, 'open', ?, ?)",
        tenant,
        conversation,
        node,
        subject,
        at,
        at,
    )


def get(tx: Tx, tenant: str, conversation: str) -> Conversation | None:
    row = tx.one("SELECT * FROM conversations WHERE tenant = ? AND conversation = ?", tenant, conversation)
    return _conversation(row) if row else None


def of_customer(tx: Tx, tenant: str, customer: int) -> list[Conversation]:
    """The newest first."""
    rows = tx.all(
        "SELECT DISTINCT c.* FROM nodes n JOIN legs l ON l.tenant = n.tenant AND l.node = n.node"
        " JOIN conversations c ON c.tenant = l.tenant AND c.conversation = l.conversation"
        " WHERE n.tenant = ? AND n.customer = ? ORDER BY c.updated_at DESC",
        tenant,
        customer,
    )
    return [_conversation(row) for row in rows]


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
        "SELECT * FROM conversations c WHERE tenant = ? AND (? IS NULL OR status = ?)"
        " AND (? IS NULL OR assignee = ?) AND (NOT ? OR waiting_since IS NOT NULL)"
        " AND (? IS NULL OR EXISTS (SELECT 1 FROM legs l WHERE l.tenant = c.tenant"
        "   AND l.conversation = c.conversation AND l.channel = ?))"
        " ORDER BY waiting_since IS NULL, waiting_since, updated_at DESC LIMIT ?",
        tenant,
        status,
        status,
        assignee,
        assignee,
        waiting,
        channel,
        channel,
        limit,
    )
    return [_conversation(row) for row in rows]


def set_status(tx: Tx, tenant: str, conversation: str, status: str, at: int) -> None:
    tx.run(
        "UPDATE conversations SET status = ?, updated_at = max(updated_at, ?),"
        " waiting_since = CASE WHEN ? = 'resolved' THEN NULL ELSE waiting_since END"
        " WHERE tenant = ? AND conversation = ?",
        status,
        at,
        status,
        tenant,
        conversation,
    )


def assign(tx: Tx, tenant: str, conversation: str, assignee: str | None) -> None:
    tx.run(
        "UPDATE conversations SET assignee = ? WHERE tenant = ? AND conversation = ?",
        assignee,
        tenant,
        conversation,
    )


def customer_spoke(tx: Tx, tenant: str, conversation: str, leg: int, at: int) -> None:
    """What comes late and was answered already makes nobody wait."""
    tx.run(
        "UPDATE conversations SET updated_at = max(updated_at, ?),"
        " waiting_since = CASE WHEN ? > coalesce(answered_at, 0) THEN min(coalesce(waiting_since, ?), ?)"
        " ELSE waiting_since END WHERE tenant = ? AND conversation = ?",
        at,
        at,
        at,
        at,
        tenant,
        conversation,
    )
    tx.run("UPDATE legs SET last_inbound = max(coalesce(last_inbound, 0), ?) WHERE leg = ?", at, leg)


def we_spoke(tx: Tx, tenant: str, conversation: str, at: int) -> None:
    """Whoever has written since goes on waiting, from the first such word on."""
    since = tx.one(
        "SELECT min(i.at) AS since FROM legs l JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node"
        " AND i.at > ? AND i.leg = l.leg AND i.direction = 'inbound'"
        " WHERE l.tenant = ? AND l.conversation = ? AND l.last_inbound > ?",
        at,
        tenant,
        conversation,
        at,
    )
    tx.run(
        "UPDATE conversations SET updated_at = max(updated_at, ?), answered_at = max(coalesce(answered_at, 0), ?),"
        " waiting_since = CASE WHEN waiting_since <= ? THEN ? ELSE waiting_since END"
        " WHERE tenant = ? AND conversation = ?",
        at,
        at,
        at,
        since["since"] if since else None,
        tenant,
        conversation,
    )


def add_leg(tx: Tx, conversation: Conversation, thread: "ThreadOf", node: int, at: int, rule: str, reason: str) -> Leg:
    number = tx.insert(
        "INSERT INTO legs (tenant, conversation, channel, network, own_account, thread, visibility, node,"
        " opened_at, rule, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        conversation.tenant,
        conversation.id,
        thread.channel,
        thread.network,
        thread.own_account,
        thread.id,
        thread.visibility,
        node,
        at,
        rule,
        reason,
    )
    row = tx.one("SELECT * FROM legs WHERE leg = ?", number)
    assert row is not None
    return _leg(row)


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
    row = tx.one("SELECT * FROM legs WHERE leg = ?", number)
    return _leg(row) if row else None


def legs_of_thread(tx: Tx, tenant: str, channel: str, thread: str, node: int | None = None) -> list[Leg]:
    """The newest first; of one account, or of all in the thread."""
    rows = tx.all(
        "SELECT * FROM legs WHERE tenant = ? AND channel = ? AND thread = ? AND (? IS NULL OR node = ?)"
        " ORDER BY leg DESC",
        tenant,
        channel,
        thread,
        node,
        node,
    )
    return [_leg(row) for row in rows]


def merge(tx: Tx, one: Conversation, into: Conversation) -> None:
    """All legs of one conversation go on in another; `unmerge` takes it back."""
    tx.run(
        "UPDATE legs SET conversation = ?, moved_from = coalesce(moved_from, ?) WHERE tenant = ? AND conversation = ?",
        into.id,
        one.id,
        one.tenant,
        one.id,
    )
    tx.run("UPDATE conversations SET status = 'merged' WHERE tenant = ? AND conversation = ?", one.tenant, one.id)
    tx.run(
        "UPDATE conversations SET updated_at = max(updated_at, ?), waiting_since = coalesce(waiting_since, ?)"
        " WHERE tenant = ? AND conversation = ?",
        one.updated_at,
        one.waiting_since,
        into.tenant,
        into.id,
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
        f"SELECT * FROM legs WHERE tenant = ? AND moved_from IS NOT NULL AND node IN ({marks})"  # noqa: S608 - marks
        " ORDER BY leg",
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
