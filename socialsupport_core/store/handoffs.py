"""Hand-offs under way: the tokens that were given, where they lead, and how far each has come.

A token is kept as its digest only. What a hand-off still has to do is due at a moment in its row, so whoever starts
after a crash goes on with it.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE handoffs (
  digest TEXT PRIMARY KEY, tenant TEXT NOT NULL, handoff TEXT NOT NULL, conversation TEXT NOT NULL,
  node INTEGER NOT NULL, leg INTEGER NOT NULL, visibility TEXT NOT NULL, channel TEXT NOT NULL, agent TEXT NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, redeemed_at INTEGER, redeemed_by INTEGER,
  how TEXT NOT NULL, target TEXT, recipient INTEGER, language TEXT, state TEXT NOT NULL, due_at INTEGER,
  reminded_at INTEGER, arrived_leg INTEGER) WITHOUT ROWID;
CREATE INDEX handoffs_due ON handoffs (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX handoffs_by_leg ON handoffs (tenant, leg);
CREATE INDEX handoffs_by_id ON handoffs (tenant, handoff);
CREATE TABLE consents (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, channel TEXT NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL,
  source TEXT NOT NULL, agent TEXT, PRIMARY KEY (tenant, node, channel)) WITHOUT ROWID;
CREATE TABLE templates (
  tenant TEXT NOT NULL, language TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (tenant, language, name)) WITHOUT ROWID;
"""

_UNTOUCHED = frozenset({"offered", "reminded"})
State = Literal["offered", "reminded", "arrived", "confirmed", "expired", "replaced", "withdrawn"]
Consent = Literal["in", "out"]


@dataclass(frozen=True, slots=True)
class Handoff:
    """A token that brings its bearer to a conversation, once."""

    tenant: str
    id: str
    conversation: str
    """Where it was made; it is of the conversation in which its leg stands now, see `of_conversation`."""
    node: int
    """The account to which it was given."""
    leg: int
    visibility: str
    """Of the place where the token was given: a token shown in public proves nothing."""
    channel: str
    agent: str
    created_at: int
    expires_at: int
    how: str = "link"
    """`link`, or the way in which we went ahead: `open`, `leg`, `begin`."""
    target: str | None = None
    """The only channel on which it is accepted, if it was given for one."""
    recipient: int | None = None
    """The only account from which it is accepted, if it was given for one."""
    language: str | None = None
    state: State = "offered"
    due_at: int | None = None
    """When somebody has to look again; None for what nobody follows up."""
    redeemed_at: int | None = None
    redeemed_by: int | None = None
    reminded_at: int | None = None
    arrived_leg: int | None = None

    @property
    def is_open(self) -> bool:
        """Nobody has come. Whoever follows a link in public may be anybody, until one of them has proven himself."""
        some_came = self.visibility == "public" and self.state == "arrived" and self.due_at is not None
        return some_came or (self.state in _UNTOUCHED and self.redeemed_at is None)

    @property
    def is_spent(self) -> bool:
        return self.state == "withdrawn" or (self.redeemed_at is not None and not self.is_open)


_COLUMNS = (
    "tenant", "handoff", "conversation", "node", "leg", "visibility", "channel", "agent", "created_at", "expires_at",
    "how", "target", "recipient", "language", "state", "due_at", "redeemed_at", "redeemed_by", "reminded_at",
    "arrived_leg",
)  # fmt: skip


def put(tx: "Tx", token: str, one: Handoff) -> None:
    tx.run(
        "INSERT INTO handoffs (digest, tenant, handoff, conversation, node, leg, visibility, channel, agent,"
        " created_at, expires_at, how, target, recipient, language, state, due_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        _digest(token),
        one.tenant,
        one.id,
        one.conversation,
        one.node,
        one.leg,
        one.visibility,
        one.channel,
        one.agent,
        one.created_at,
        one.expires_at,
        one.how,
        one.target,
        one.recipient,
        one.language,
        one.state,
        one.due_at,
    )


def by_token(tx: "Tx", token: str) -> Handoff | None:
    row = tx.one("SELECT * FROM handoffs WHERE digest = ?", _digest(token))
    return _handoff(row) if row else None


def get(tx: "Tx", tenant: str, handoff: str) -> Handoff | None:
    row = tx.one("SELECT * FROM handoffs WHERE tenant = ? AND handoff = ?", tenant, handoff)
    return _handoff(row) if row else None


def of_conversation(tx: "Tx", tenant: str, conversation: str) -> list[Handoff]:
    """Those made on the legs that stand in it now, the newest first."""
    rows = tx.all(
        "SELECT h.* FROM legs l JOIN handoffs h ON h.tenant = l.tenant AND h.leg = l.leg"
        " WHERE l.tenant = ? AND l.conversation = ? ORDER BY h.created_at DESC, h.handoff",
        tenant,
        conversation,
    )
    return [_handoff(row) for row in rows]


def redeem(tx: "Tx", token: str, node: int, at: int, due_at: int | None) -> bool:
    """False if somebody else was first, or it was withdrawn meanwhile; see `Handoff.is_spent`."""
    return bool(
        tx.run(
            "UPDATE handoffs SET redeemed_at = ?, redeemed_by = ?, state = 'arrived', arrived_leg = NULL, due_at = ?"
            " WHERE digest = ? AND state <> 'withdrawn' AND (redeemed_at IS NULL"
            " OR (visibility = 'public' AND state = 'arrived' AND due_at IS NOT NULL))",
            at,
            node,
            due_at,
            _digest(token),
        )
    )


def arrived_on(tx: "Tx", token: str, leg: int) -> None:
    """Where its bearer goes on."""
    tx.run("UPDATE handoffs SET arrived_leg = ? WHERE digest = ?", leg, _digest(token))


def due(tx: "Tx", now: int, limit: int = 50) -> list[Handoff]:
    """Whoever has been waited for the longest first."""
    sql = "SELECT * FROM handoffs WHERE due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, handoff LIMIT ?"
    return [_handoff(row) for row in tx.all(sql, now, limit)]


def move(tx: "Tx", one: Handoff, state: State, due_at: int | None, *, reminded_at: int | None = None) -> bool:
    """False if it has moved meanwhile."""
    return bool(
        tx.run(
            "UPDATE handoffs SET state = ?, due_at = ?, reminded_at = coalesce(?, reminded_at)"
            " WHERE tenant = ? AND handoff = ? AND state = ? AND due_at IS NOT DISTINCT FROM ?",
            state,
            due_at,
            reminded_at,
            one.tenant,
            one.id,
            one.state,
            one.due_at,
        )
    )


def any_waiting(tx: "Tx", tenant: str) -> bool:
    """Looked up once a batch, so that a message costs nothing while nobody is waited for."""
    known = tx.memo("any_handoff")
    if tenant not in known:
        sql = "SELECT 1 AS one FROM handoffs WHERE due_at IS NOT NULL AND tenant = ? LIMIT 1"
        known[tenant] = tx.one(sql, tenant) is not None
    found: bool = known[tenant]
    return found


def waiting(tx: "Tx", tenant: str, conversation: str) -> list[Handoff]:
    """Those whose customer has not come yet, the newest first."""
    found = of_conversation(tx, tenant, conversation)
    return [one for one in found if one.state in ("offered", "reminded") and one.due_at is not None]


def arrive(tx: "Tx", one: Handoff, node: int, at: int, leg: int) -> bool:
    """The customer came without the token, which is spent by that; False if it has moved meanwhile."""
    return bool(
        tx.run(
            "UPDATE handoffs SET state = 'arrived', due_at = NULL, redeemed_at = ?, redeemed_by = ?, arrived_leg = ?"
            " WHERE tenant = ? AND handoff = ? AND state = ?",
            at,
            node,
            leg,
            one.tenant,
            one.id,
            one.state,
        )
    )


def newest_private_legs(tx: "Tx", tenant: str, nodes: Collection[int]) -> dict[str, int]:
    """By channel the newest private leg of any of these accounts."""
    wanted = sorted(set(nodes))
    marks = ", ".join("?" * len(wanted))
    sql = f"SELECT channel, max(leg) AS leg FROM legs WHERE tenant = ? AND visibility = 'private' AND node IN ({marks})"
    return {row["channel"]: row["leg"] for row in tx.all(f"{sql} GROUP BY channel", tenant, *wanted)} if wanted else {}


def name_thread(tx: "Tx", leg: int, provisional: str, thread: str) -> None:
    """A thread that we have begun has got its name from the network."""
    tx.run("UPDATE legs SET thread = ? WHERE leg = ? AND thread = ?", thread, leg, provisional)


# consent


def consent(
    tx: "Tx", tenant: str, node: int, channel: str, state: Consent, at: int, source: str, agent: str | None
) -> None:
    """The latest word counts; of two at one moment the refusal."""
    tx.run(
        "INSERT INTO consents (tenant, node, channel, state, at, source, agent) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, node, channel) DO UPDATE SET state = excluded.state, at = excluded.at,"
        " source = excluded.source, agent = excluded.agent"
        " WHERE excluded.at > consents.at OR (excluded.at = consents.at AND excluded.state = 'out')",
        tenant,
        node,
        channel,
        state,
        at,
        source,
        agent,
    )


def consents(tx: "Tx", tenant: str, nodes: Collection[int]) -> dict[str, tuple[str, int, str]]:
    """By channel the latest word of any of these accounts: `in` or `out`, when, and how it is known."""
    wanted = sorted(set(nodes))
    found: dict[str, tuple[str, int, str]] = {}
    if not wanted:
        return found
    sql = f"SELECT * FROM consents WHERE tenant = ? AND node IN ({', '.join('?' * len(wanted))}) ORDER BY at, state"
    for row in tx.all(sql, tenant, *wanted):
        found[row["channel"]] = (row["state"], row["at"], row["source"])
    return found


# templates


def put_template(tx: "Tx", tenant: str, language: str, name: str, text: str | None) -> None:
    """None takes the tenant's own away, and the default holds again."""
    where = (tenant, language, name)
    tx.run("DELETE FROM templates WHERE tenant = ? AND language = ? AND name = ?", *where)
    if text is not None:
        tx.run("INSERT INTO templates (tenant, language, name, text) VALUES (?, ?, ?, ?)", *where, text)


def templates(tx: "Tx", tenant: str) -> dict[tuple[str, str], str]:
    """The tenant's own, by language and name."""
    rows = tx.all("SELECT * FROM templates WHERE tenant = ?", tenant)
    return {(row["language"], row["name"]): row["text"] for row in rows}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _handoff(row: "Row") -> Handoff:
    return Handoff(*(row[name] for name in _COLUMNS))
