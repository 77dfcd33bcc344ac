"""How a waiting conversation stands: what kind of contact it is, and until when it is to be answered.

It lives in the conversation's own row, so that a message costs no statement more, and the queue is read by an index.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from socialsupport_core.store.database import Row, Tx
    from socialsupport_core.store.interactions import Key

COLUMNS = """kind TEXT, urgency TEXT, noise INTEGER NOT NULL DEFAULT 0, reach INTEGER NOT NULL DEFAULT 0, triage TEXT,
  due_at INTEGER, alert_at INTEGER, alerted INTEGER NOT NULL DEFAULT 0, alerted_for INTEGER,
"""
INDEXES = """
CREATE INDEX conversations_by_alert ON conversations (alert_at) WHERE alert_at IS NOT NULL;
CREATE INDEX conversations_next ON conversations (tenant, noise, due_at)
  WHERE status = 'open' AND waiting_since IS NOT NULL AND superseded_by IS NULL;
CREATE INDEX conversations_urgent ON conversations (tenant, noise, due_at)
  WHERE status = 'open' AND waiting_since IS NOT NULL AND superseded_by IS NULL AND urgency = 'high';
"""
TABLES = """
CREATE TABLE corrections (
  tenant TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, was TEXT, agent TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (tenant, seq)) WITHOUT ROWID;
"""


class Standing(NamedTuple):
    kind: str | None = None
    """The gravest of what was said in this contact; None before anything was judged."""
    urgency: str | None = None
    noise: bool = False
    """It is kept out of the queue of support."""
    reach: int = 0
    """Followers of whoever asks in public."""
    triage: str | None = None
    """The verdict with its reasons, as JSON."""
    due_at: int | None = None
    """When the target runs out."""
    alert_at: int | None = None
    """When somebody has to look whether to warn; before `due_at` is known, to reckon it."""

    @property
    def values(self) -> tuple[Any, ...]:
        """As the row holds them."""
        return (self.kind, self.urgency, int(self.noise), *self[3:])

    def waits(self, since: int | None, before: int | None, *, stands: bool) -> "Standing":
        """The same with another begin of the waiting. `stands`: the target was reckoned from there already."""
        if since is None or self.noise:
            return self._replace(due_at=None, alert_at=None)
        if stands or (since == before and (self.due_at or self.alert_at) is not None):
            return self
        return self._replace(due_at=None, alert_at=since)


class Due(NamedTuple):
    """A conversation at which the time has come to look."""

    tenant: str
    conversation: str
    waiting_since: int
    due_at: int | None
    alert_at: int
    alerted: int
    """0: nothing was told of this contact, 1: a warning was, 2: that it is overdue."""


def standing_of(row: "Row") -> Standing:
    return Standing(
        row["kind"], row["urgency"], row["noise"] == 1, row["reach"], row["triage"], row["due_at"], row["alert_at"]
    )


def due(tx: "Tx", now: int, limit: int = 200) -> list[Due]:
    """Those that have waited for it longest first, by the index."""
    rows = tx.all(
        "SELECT tenant, conversation, waiting_since, due_at, alert_at, alerted, alerted_for, status, superseded_by"
        " FROM conversations WHERE alert_at IS NOT NULL AND alert_at <= ? ORDER BY alert_at LIMIT ?",
        now,
        limit,
    )
    return [_due(row) for row in rows]


def _due(row: "Row") -> Due:
    waiting = row["waiting_since"] if row["status"] == "open" and row["superseded_by"] is None else None
    same = waiting is not None and row["alerted_for"] is not None and waiting <= row["alerted_for"]
    alerted = row["alerted"] if same else 0
    return Due(row["tenant"], row["conversation"], waiting or 0, row["due_at"], row["alert_at"], alerted)


def alert(tx: "Tx", one: Due, due_at: int | None, alert_at: int | None, alerted: int) -> bool:
    """False if it has been answered, or looked at by somebody else, meanwhile.

    A contact is the same as long as it does not begin later: words that come late, or an answer that did not arrive,
    make no new one.
    """
    return bool(
        tx.run(
            "UPDATE conversations SET due_at = ?, alert_at = ?, alerted = ?,"
            " alerted_for = CASE WHEN alerted_for > ? THEN alerted_for ELSE ? END"
            " WHERE tenant = ? AND conversation = ? AND alert_at = ? AND coalesce(waiting_since, 0) = ?",
            due_at,
            alert_at,
            alerted,
            one.waiting_since,
            one.waiting_since,
            one.tenant,
            one.conversation,
            one.alert_at,
            one.waiting_since,
        )
    )


def forget_alert(tx: "Tx", one: Due) -> None:
    """It waits no more."""
    sql = "UPDATE conversations SET alert_at = NULL WHERE tenant = ? AND conversation = ? AND alert_at = ?"
    tx.run(sql, one.tenant, one.conversation, one.alert_at)


def reckon_anew(tx: "Tx", tenant: str) -> None:
    """The targets are others now: for everybody who waits, but for what was overdue when it came."""
    tx.run(
        "UPDATE conversations SET due_at = NULL, alert_at = waiting_since"
        " WHERE tenant = ? AND status = 'open' AND waiting_since IS NOT NULL AND noise = 0"
        " AND (alert_at IS NOT NULL OR alerted > 0 OR due_at IS NULL)",
        tenant,
    )


def verdicts_since(tx: "Tx", tenant: str, conversation: str, at: int) -> list[tuple[str, str]]:
    """What triage says of each inbound message on its legs from then on: the verdict and the interaction, as JSON."""
    rows = tx.all(
        "SELECT i.triage, i.data FROM legs l JOIN interactions i ON i.tenant = l.tenant AND i.node = l.node"
        " AND i.leg = l.leg AND i.at >= ? AND i.triage IS NOT NULL AND i.settled = 0"
        " WHERE l.tenant = ? AND l.conversation = ?"
        " AND l.last_inbound >= ? ORDER BY i.at, i.tie, i.seq",
        at,
        tenant,
        conversation,
        at,
    )
    return [(row["triage"], row["data"]) for row in rows]


def judge_anew(tx: "Tx", tenant: str, key: "Key", verdict: str) -> bool:
    """False if it was never judged, or by an agent."""
    return bool(
        tx.run(
            "UPDATE interactions SET triage = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?"
            " AND triage IS NOT NULL AND NOT EXISTS (SELECT 1 FROM corrections c WHERE c.tenant = interactions.tenant"
            " AND c.seq = interactions.seq)",
            verdict,
            tenant,
            key.node,
            key.at,
            key.seq,
        )
    )


# what agents say about it


def inbound(tx: "Tx", tenant: str, conversation: str, limit: int) -> list["Row"]:
    """The newest words of the customer that were judged: `seq`, `node`, `at`, `triage`."""
    return tx.all(
        "SELECT i.seq, i.node, i.at, i.triage FROM legs l JOIN interactions i ON i.tenant = l.tenant"
        " AND i.node = l.node AND i.leg = l.leg AND i.triage IS NOT NULL"
        " WHERE l.tenant = ? AND l.conversation = ? ORDER BY i.at DESC, i.tie DESC, i.seq DESC LIMIT ?",
        tenant,
        conversation,
        limit,
    )


def correct(tx: "Tx", tenant: str, row: "Row", verdict: str, kind: str, agent: str, at: int) -> None:
    """An agent's word about one message. It names the message, so nothing is kept of one that is erased."""
    tx.run(
        "UPDATE interactions SET triage = ? WHERE tenant = ? AND node = ? AND at = ? AND seq = ?",
        verdict,
        tenant,
        row["node"],
        row["at"],
        row["seq"],
    )
    tx.run(
        "INSERT INTO corrections (tenant, seq, kind, was, agent, at) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, seq) DO UPDATE SET kind = excluded.kind, agent = excluded.agent, at = excluded.at",
        tenant,
        row["seq"],
        kind,
        row["triage"],
        agent,
        at,
    )


def set_wanted(tx: "Tx", nodes: "list[int]", wanted: Any) -> None:
    """Whether what these accounts write belongs into the queue, by an agent's word."""
    for node in nodes:
        tx.run("UPDATE nodes SET wanted = ? WHERE node = ?", wanted, node)


def labels(tx: "Tx", tenant: str, limit: int) -> list["Row"]:
    """What agents have put right: `kind` and the interaction as JSON, the newest first."""
    return tx.all(
        "SELECT c.kind, i.data FROM corrections c JOIN interaction_keys k ON k.seq = c.seq AND k.tenant = c.tenant"
        " JOIN interactions i ON i.tenant = k.tenant AND i.node = k.node AND i.at = k.at AND i.seq = k.seq"
        " WHERE c.tenant = ? AND i.deleted_at IS NULL ORDER BY c.at DESC, c.seq DESC LIMIT ?",
        tenant,
        limit,
    )
