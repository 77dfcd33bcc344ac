"""What customers have told: account, order, address and the like, each with the interaction that said it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from socialsupport_core.store.erasures import chunks, marks_for

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE context (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  value TEXT NOT NULL, visibility TEXT NOT NULL, state TEXT NOT NULL, corrected TEXT, agent TEXT, decided_at INTEGER,
  PRIMARY KEY (tenant, node, at, seq, kind, value)) WITHOUT ROWID;
CREATE INDEX context_by_seq ON context (tenant, seq);
"""


class Told(NamedTuple):
    """One value that a customer has told."""

    node: int
    at: int
    seq: int
    kind: str
    value: str
    """As it was told; `corrected` is what an agent made of it."""
    visibility: str
    """Of the thread in which it was told."""
    state: str = "told"
    """`told`, `corrected` or `removed`; the last two an agent decided."""
    corrected: str | None = None
    agent: str | None = None
    decided_at: int | None = None
    tie: int = 0
    leg: int = 0
    conversation: str = ""
    """Where the interaction stands now."""


def keep(tx: "Tx", tenant: str, one: Told) -> None:
    """With the batch."""
    tx.defer(
        "INSERT INTO context (tenant, node, at, seq, kind, value, visibility, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        (tenant, one.node, one.at, one.seq, one.kind, one.value, one.visibility, "told"),
    )


_JOINED = (
    "SELECT c.*, i.tie, i.leg, l.conversation FROM context c JOIN interactions i ON i.tenant = c.tenant"
    " AND i.node = c.node AND i.at = c.at AND i.seq = c.seq JOIN legs l ON l.leg = i.leg WHERE c.tenant = ?"
)


def of_nodes(tx: "Tx", tenant: str, nodes: Iterable[int]) -> list[Told]:
    """Everything these accounts have told, the oldest first, what an agent has removed as well."""
    wanted = sorted(set(nodes))
    found = [
        _told(row)
        for part in chunks(wanted)
        for row in tx.all(f"{_JOINED} AND c.node IN ({marks_for(part)})", tenant, *part)
    ]
    return sorted(found, key=lambda one: (one.at, one.tie, one.seq, one.kind, one.value))


def forget(tx: "Tx", tenant: str, seq: int) -> int:
    """The interaction was deleted, or says something else now."""
    return tx.run("DELETE FROM context WHERE tenant = ? AND seq = ?", tenant, seq)


def forget_values(tx: "Tx", tenant: str, seq: int, values: Iterable[tuple[str, str]]) -> None:
    for kind, value in values:
        sql = "DELETE FROM context WHERE tenant = ? AND seq = ? AND kind = ? AND value = ?"
        tx.run(sql, tenant, seq, kind, value)


def decide(
    tx: "Tx", tenant: str, one: Told, state: str, corrected: str | None, agent: str | None, at: int | None
) -> None:
    tx.run(
        "UPDATE context SET state = ?, corrected = ?, agent = ?, decided_at = ?"
        " WHERE tenant = ? AND node = ? AND at = ? AND seq = ? AND kind = ? AND value = ?",
        state,
        corrected,
        agent,
        at,
        tenant,
        one.node,
        one.at,
        one.seq,
        one.kind,
        one.value,
    )


def _told(row: "Row") -> Told:
    return Told(*(row[name] for name in Told._fields))
