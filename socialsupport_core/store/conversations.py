"""Conversations and their legs."""

from collections.abc import Callable, Collection, Iterable
from operator import itemgetter
from typing import NamedTuple

from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.erasures import chunks, marks_for
from socialsupport_core.store.interactions import Order
from socialsupport_core.store.standing import Standing, standing_of


class Conversation(NamedTuple):
    """One matter of one customer. `node` is the account with which it began."""

    tenant: str
    id: str
    node: int
    subject: str | None
    status: str
    """`open`, `resolved`, or `superseded` while it goes on in another conversation."""
    assignee: str | None
    opened_at: int
    updated_at: int
    waiting_since: int | None
    """Since when the customer has been waiting for an answer."""
    answered_at: int | None = None
    superseded_by: str | None = None
    """The conversation in which it goes on, while its legs are there."""
    standing: Standing = Standing()


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
    """The conversation on which it began, while it is in another."""
    moved_rule: str | None = None
    moved_reason: str | None = None

    @property
    def began(self) -> str:
        """The conversation on which it began."""
        return self.moved_from or self.conversation

    @property
    def joined(self) -> tuple[str, str]:
        """The rule by which it belongs here now, and its reason in words."""
        if self.moved_from is not None:
            return self.moved_rule or "moved", self.moved_reason or ""
        return self.rule, self.reason


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
        known[tenant, conversation] = conversation_of(row) if row else None
    found: Conversation | None = known[tenant, conversation]
    return found


def current(tx: Tx, tenant: str, conversation: str) -> Conversation | None:
    """Where it goes on now: itself, unless it is superseded."""
    found = get(tx, tenant, conversation)
    seen = {conversation}
    while found and found.superseded_by and found.superseded_by not in seen:
        seen.add(found.superseded_by)
        found = get(tx, tenant, found.superseded_by)
    return found


def save(tx: Tx, one: Conversation) -> None:
    own = None if one.superseded_by else one.status  # what is superseded keeps its own, and may have it again
    before = existing(tx, one.tenant, one.id)
    since = one.waiting_since if one.status == "open" else None
    stands = one.standing is not before.standing and one.standing.due_at is not None
    standing = one.standing.waits(since, before.waiting_since, stands=stands)
    kept = one if standing is one.standing else one._replace(standing=standing)
    key = one.tenant, one.id
    if _is_mere_touch(before, kept) and key not in tx.amended(_SAVE):
        told = standing.kind, standing.reach, standing.triage
        tx.amend(_TOUCH, key, (one.assignee, one.updated_at, one.answered_at, *told, *key))
    else:
        tx.amended(_TOUCH).pop(key, None)
        times = one.updated_at, one.waiting_since, one.answered_at
        tx.amend(_SAVE, key, (own, one.assignee, *times, *standing.values, *key))
    tx.memo("conversations")[key] = kept


_SAVE = (
    "UPDATE conversations SET status = coalesce(?, status), assignee = ?, updated_at = ?, waiting_since = ?,"
    " answered_at = ?, kind = ?, urgency = ?, noise = ?, reach = ?, triage = ?, due_at = ?, alert_at = ?"
    " WHERE tenant = ? AND conversation = ?"
)
_TOUCH = (
    "UPDATE conversations SET assignee = ?, updated_at = ?, answered_at = ?, kind = ?, reach = ?, triage = ?"
    " WHERE tenant = ? AND conversation = ?"
)
"""What no index holds: SQLite writes anew the entry of each index whose columns a statement names."""


def _is_mere_touch(before: Conversation, now: Conversation) -> bool:
    """Nothing has changed by which conversations are found, as when somebody who waits says more."""
    was, stands = before.standing, now.standing
    return (
        (now.status, now.waiting_since) == (before.status, before.waiting_since)
        and (stands.urgency, stands.noise) == (was.urgency, was.noise)
        and (stands.due_at, stands.alert_at) == (was.due_at, was.alert_at)
    )


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
        read.setdefault((tenant, row["conversation"]), conversation_of(row))


def read_threads(tx: Tx, tenant: str, channel: str, threads: Iterable[str]) -> None:
    """The legs of all of them at once, and their conversations. For private ones: in public thousands may take part."""
    wanted = sorted(set(threads))
    tx.memo("threads").update(((tenant, channel, thread), []) for thread in wanted)
    rows = tx.all(
        f"SELECT * FROM legs WHERE tenant = ? AND channel = ? AND thread IN ({', '.join('?' * len(wanted))})",
        tenant,
        channel,
        *wanted,
    )
    _remember_all(tx, rows, lambda leg: tx.memo("threads")[tenant, channel, leg.thread])


def read_parts(tx: Tx, tenant: str, channel: str, parts: Iterable[tuple[str, int]]) -> None:
    """The legs of each of these accounts in its thread, and their conversations: at a cost that does not grow with how
    many others take part."""
    wanted = sorted(set(parts))
    tx.memo("parts").update(((tenant, channel, *part), []) for part in wanted)
    values = ", ".join(["(CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT))"] * len(wanted))
    rows = tx.all(  # with tenant and channel said once PostgreSQL, if it knows little, reads all legs of the channel
        f"SELECT l.* FROM (VALUES {values}) AS w JOIN legs l ON l.channel = w.column2 AND l.thread = w.column3"
        " AND l.node = w.column4 WHERE l.tenant = w.column1",
        *(value for part in wanted for value in (tenant, channel, *part)),
    )
    _remember_all(tx, rows, lambda leg: tx.memo("parts")[tenant, channel, leg.thread, leg.node])


def _remember_all(tx: Tx, rows: Iterable[Row], place: Callable[[Leg], list[int]]) -> None:
    """Each in its place, the newest first, with their conversations."""
    found = [remember(tx, leg_of(row)) for row in rows]
    for leg in sorted(found, key=lambda one: -one.id):
        place(leg).append(leg.id)
    if found:
        read_conversations(tx, found[0].tenant, {leg.conversation for leg in found})


def remember(tx: Tx, one: Leg) -> Leg:
    tx.memo("legs")[one.id] = one
    return one


def set_status(tx: Tx, tenant: str, conversation: str, status: str, at: int) -> None:
    one = existing(tx, tenant, conversation)
    waiting = None if status == "resolved" else one.waiting_since
    save(tx, one._replace(status=status, updated_at=max(one.updated_at, at), waiting_since=waiting))


def assign(tx: Tx, tenant: str, conversation: str, assignee: str | None) -> None:
    save(tx, existing(tx, tenant, conversation)._replace(assignee=assignee))


def stand(tx: Tx, one: Conversation, standing: Standing) -> None:
    save(tx, existing(tx, one.tenant, one.id)._replace(standing=standing))


def existing(tx: Tx, tenant: str, conversation: str) -> Conversation:
    found = get(tx, tenant, conversation)
    assert found is not None
    return found


def add_leg(tx: Tx, conversation: Conversation, thread: "ThreadOf", node: int, at: int, rule: str, reason: str) -> Leg:
    if conversation.superseded_by:
        conversation = current(tx, conversation.tenant, conversation.id) or conversation
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
    where = leg.tenant, leg.channel, leg.thread
    if tx.memo("made").get((leg.tenant, node)):
        tx.memo("parts").setdefault((*where, node), [])
    for known in (tx.memo("threads").get(where), tx.memo("parts").get((*where, node))):
        if known is not None:
            known.insert(0, leg.id)
    _join(tx, leg)
    return remember(tx, leg)


def _join(tx: Tx, leg: Leg) -> None:
    """What was read of the customer's conversations stays true."""
    node = tx.memo("nodes").get(leg.node)
    known = tx.memo("of_customer")
    if node is None:
        known.clear()
    elif leg.conversation not in known.get((leg.tenant, node.customer), [leg.conversation]):
        known[leg.tenant, node.customer].append(leg.conversation)


class ThreadOf(NamedTuple):
    """A native thread with the channel on which it is."""

    channel: str
    network: str
    own_account: str
    id: str
    visibility: str


_LEGS = "SELECT * FROM legs WHERE tenant = ? AND conversation IN ({}) ORDER BY opened_at, leg"
_LEGS_OF_ONE = _LEGS.format("?")


def legs(tx: Tx, tenant: str, conversation: str) -> list[Leg]:
    return [leg_of(row) for row in tx.all(_LEGS_OF_ONE, tenant, conversation)]


def legs_of(tx: Tx, tenant: str, conversations: Iterable[str]) -> dict[str, list[Leg]]:
    """By conversation, the oldest first."""
    found: dict[str, list[Leg]] = {name: [] for name in conversations}
    for part in chunks([*found]):
        for row in tx.all(_LEGS.format(marks_for(part)), tenant, *part):
            found[row["conversation"]].append(leg_of(row))
    return found


def leg(tx: Tx, number: int) -> Leg | None:
    known: dict[int, Leg] = tx.memo("legs")
    if number not in known:
        row = tx.one("SELECT * FROM legs WHERE leg = ?", number)
        return remember(tx, leg_of(row)) if row else None
    return known[number]


def legs_of_thread(tx: Tx, tenant: str, channel: str, thread: str, node: int | None = None) -> list[Leg]:
    """The newest first; of one account, or of all in the thread, of whom there should be few."""
    known, legs = tx.memo("threads").get((tenant, channel, thread)), tx.memo("legs")
    if node is not None and known is None:
        return [legs[number] for number in _part(tx, tenant, channel, thread, node)]
    if known is None:
        read_threads(tx, tenant, channel, [thread])
        known = tx.memo("threads")[tenant, channel, thread]
    found = [legs[number] for number in known]
    return [one for one in found if node is None or one.node == node]


def _part(tx: Tx, tenant: str, channel: str, thread: str, node: int) -> list[int]:
    parts, part = tx.memo("parts"), (tenant, channel, thread, node)
    if part not in parts and tx.memo("made").get((tenant, node)):
        parts[part] = []  # whoever is new has been nowhere
    if part not in parts:
        read_parts(tx, tenant, channel, [(thread, node)])
    found: list[int] = parts[part]
    return found


def newest_in_thread(tx: Tx, tenant: str, channel: str, thread: str) -> Leg | None:
    """Of whoever took part last."""
    known = tx.memo("threads").get((tenant, channel, thread))
    if known is not None:
        return leg(tx, known[0]) if known else None
    sql = "SELECT * FROM legs WHERE tenant = ? AND channel = ? AND thread = ? ORDER BY leg DESC LIMIT 1"
    row = tx.one(sql, tenant, channel, thread)
    return leg_of(row) if row else None


def legs_of_nodes(tx: Tx, tenant: str, nodes: Iterable[int]) -> list[Leg]:
    """The oldest first."""
    wanted = sorted(set(nodes))
    marks = ", ".join("?" * len(wanted))
    rows = tx.all(f"SELECT * FROM legs WHERE tenant = ? AND node IN ({marks}) ORDER BY leg", tenant, *wanted)
    return [leg_of(row) for row in rows]


def read_conversations(tx: Tx, tenant: str, names: Iterable[str]) -> None:
    """All of them at once."""
    read = tx.memo("conversations")
    for part in chunks(sorted({name for name in names if (tenant, name) not in read})):
        sql = f"SELECT * FROM conversations WHERE tenant = ? AND conversation IN ({marks_for(part)})"
        read.update(((tenant, row["conversation"]), conversation_of(row)) for row in tx.all(sql, tenant, *part))


def begun_by(tx: Tx, tenant: str, nodes: Iterable[int]) -> list[Conversation]:
    """The conversations that these accounts have begun."""
    wanted = sorted(set(nodes))
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT * FROM conversations WHERE tenant = ? AND node IN ({marks}) ORDER BY opened_at, conversation"
    return [conversation_of(row) for row in tx.all(sql, tenant, *wanted)]


def place(tx: Tx, leg: Leg, conversation: str, rule: str, reason: str) -> None:
    """The leg goes on in that conversation; the rule and reason are forgotten where it began there."""
    home = conversation == leg.began
    tx.run(
        "UPDATE legs SET conversation = ?, moved_from = ?, moved_rule = ?, moved_reason = ? WHERE leg = ?",
        conversation,
        None if home else leg.began,
        None if home else rule,
        None if home else reason,
        leg.id,
    )


def supersede(tx: Tx, tenant: str, conversation: str, by: str | None) -> None:
    """None: it stands for itself again."""
    sql = "UPDATE conversations SET superseded_by = ? WHERE tenant = ? AND conversation = ?"
    tx.run(sql, by, tenant, conversation)


def recount(tx: Tx, tenant: str, conversation: str, updated_at: int) -> None:
    save(tx, existing(tx, tenant, conversation)._replace(updated_at=updated_at))


def last_word(tx: Tx, tenant: str, conversation: str) -> int | None:
    """When anything was said on its legs last."""
    row = tx.one(
        "SELECT max(i.at) AS last FROM legs l JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node"
        " AND i.leg = l.leg WHERE l.tenant = ? AND l.conversation = ?",
        tenant,
        conversation,
    )
    return row["last"] if row else None


def cut(tx: Tx, leg: Leg, since: Order) -> Leg | None:
    """What was said on the leg from there on becomes a leg of its own; None if nothing was."""
    where = "tenant = ? AND node = ? AND leg = ? AND at >= ? AND (at, tie, seq) >= (?, ?, ?)"
    which = leg.tenant, leg.node, leg.id, since[0], *since
    first = tx.one(f"SELECT min(at) AS at FROM interactions WHERE {where}", *which)
    if first is None or first["at"] is None:
        return None
    thread = ThreadOf(leg.channel, leg.network, leg.own_account, leg.thread, leg.visibility)
    home = Conversation(leg.tenant, leg.began, leg.node, None, "open", None, 0, 0, None)
    rest = add_leg(tx, home, thread, leg.node, first["at"], leg.rule, leg.reason)
    tx.run(f"UPDATE interactions SET leg = ? WHERE {where}", rest.id, *which)
    if leg.moved_from:
        place(tx, rest, leg.conversation, leg.moved_rule or "", leg.moved_reason or "")
    for one in (leg, rest):
        _recount_inbound(tx, one)
    return rest._replace(conversation=leg.conversation, moved_from=leg.moved_from)


def glue(tx: Tx, rest: Leg, to: int) -> None:
    """A leg that was cut off becomes part of it again."""
    sql = "UPDATE interactions SET leg = ? WHERE tenant = ? AND node = ? AND leg = ?"
    tx.run(sql, to, rest.tenant, rest.node, rest.id)
    tx.run("DELETE FROM legs WHERE leg = ?", rest.id)
    _recount_inbound(tx, rest._replace(id=to))


def _recount_inbound(tx: Tx, leg: Leg) -> None:
    tx.run(
        "UPDATE legs SET last_inbound = (SELECT max(i.at) FROM interactions i WHERE i.tenant = ? AND i.node = ?"
        " AND i.leg = ? AND i.direction = 'inbound') WHERE leg = ?",
        leg.tenant,
        leg.node,
        leg.id,
        leg.id,
    )


def conversation_of(row: Row) -> Conversation:
    return Conversation(
        row["tenant"],
        row["conversation"],
        row["node"],
        row["subject"],
        "superseded" if row["superseded_by"] else row["status"],
        row["assignee"],
        row["opened_at"],
        row["updated_at"],
        row["waiting_since"],
        row["answered_at"],
        row["superseded_by"],
        standing_of(row),
    )


def leg_of(row: Row) -> Leg:
    return Leg._make(_leg_values(row))


_leg_values = itemgetter("leg", *Leg._fields[1:])
