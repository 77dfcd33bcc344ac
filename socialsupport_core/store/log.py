"""The log: everything that happened, in the order in which it was committed. Subscribers read it by cursor."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_json

from socialsupport_core.store import starts
from socialsupport_core.store.database import Row, Tx, moment

TURNS = (
    "type IN ('conversation.handed_off', 'conversation.assigned', 'conversation.escalated', 'conversation.resolved',"
    " 'conversation.reopened', 'conversation.merged', 'conversation.rated', 'conversation.split',"
    " 'conversation.moved', 'conversation.restored', 'handoff.refused', 'challenge.started', 'challenge.proven',"
    " 'proof.refused')"
)
"""Of an index: whoever asks for some of them says this too, word for word, or SQLite reads the whole log."""


@dataclass(frozen=True, slots=True)
class Record:
    cursor: int
    tenant: str
    type: str
    at: str
    channel: str | None
    thread: str | None
    conversation: str | None
    data: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """As the API shows it; absent fields are left out."""
        shown = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in shown.items() if value is not None}


def publish(
    tx: Tx,
    tenant: str,
    type: str,
    at: int,
    data: dict[str, Any],
    *,
    channel: str | None = None,
    thread: str | None = None,
    conversation: str | None = None,
    written: Mapping[str, str] | None = None,
) -> None:
    """Goes out with the commit. `written` are further members of `data` that are JSON already."""
    text = to_json(data).decode()
    for name, value in (written or {}).items():
        text = f'{text[:-1]},"{name}":{value}}}'
    tx.told.append((tenant, type, at, channel, thread, conversation, text))


def after(tx: Tx, tenant: str, cursor: int, limit: int = 200) -> list[Record]:
    rows = tx.all("SELECT * FROM log WHERE tenant = ? AND cursor > ? ORDER BY cursor LIMIT ?", tenant, cursor, limit)
    return [_record(row) for row in rows]


def of_thread(
    tx: Tx, tenant: str, channel: str, thread: str, cursor: int, types: Collection[str], limit: int = 200
) -> list[Record]:
    rows = tx.all(
        "SELECT * FROM log WHERE tenant = ? AND channel = ? AND thread = ? AND cursor > ?"
        f" AND type IN ({', '.join('?' * len(types))}) ORDER BY cursor LIMIT ?",
        tenant,
        channel,
        thread,
        cursor,
        *types,
        limit,
    )
    return [_record(row) for row in rows]


def turns(tx: Tx, tenant: str, conversation: str, limit: int = 100) -> list[Record]:
    """What agents did with the conversation, and what was proven or refused in it; the newest `limit`, in order."""
    rows = tx.all(
        f"SELECT * FROM log WHERE tenant = ? AND conversation = ? AND {TURNS} ORDER BY cursor DESC LIMIT ?",
        tenant,
        conversation,
        limit,
    )
    elsewhere = _refused_here(tx, tenant, conversation, limit)
    found = sorted([*rows, *elsewhere], key=lambda row: int(row["cursor"]))
    return [_record(row) for row in found[-limit:]]


def _refused_here(tx: Tx, tenant: str, conversation: str, limit: int) -> list[Row]:
    """What was refused to who writes here, though it is of another conversation, or of none: a token comes first."""
    return tx.all(
        "SELECT g.* FROM log g JOIN (SELECT DISTINCT channel, thread FROM legs WHERE tenant = ? AND conversation = ?"
        " AND visibility = 'private') l ON g.channel = l.channel AND g.thread = l.thread WHERE g.tenant = ?"
        " AND g.type IN ('handoff.refused', 'proof.refused') AND g.conversation IS DISTINCT FROM ?"
        " ORDER BY g.cursor DESC LIMIT ?",
        tenant,
        conversation,
        tenant,
        conversation,
        limit,
    )


def changed_at(tx: Tx, tenant: str, conversation: str) -> int:
    """When somebody decided last about the conversation's status, or who works on it; 0 if nobody ever did."""
    row = tx.one(
        f"SELECT max(at) AS top FROM log WHERE tenant = ? AND conversation = ? AND {TURNS}"
        " AND type IN ('conversation.assigned', 'conversation.resolved', 'conversation.reopened')",
        tenant,
        conversation,
    )
    return int(row["top"] or 0) if row else 0


def newest(tx: Tx, tenant: str | None = None) -> int:
    if tenant is None:
        row = tx.one("SELECT max(cursor) AS top FROM log")
    else:
        row = tx.one("SELECT max(cursor) AS top FROM log WHERE tenant = ?", tenant)
    return int(row["top"] or 0) if row else 0


def is_ahead(tx: Tx, cursor: int) -> bool:
    """Whether this log has never given the cursor: then it is of another store, or of a newer state of this one."""
    row = tx.one(tx.last_cursor)
    return cursor > (int(row["n"]) if row else 0) or starts.never_given(tx, cursor)


def _record(row: Row) -> Record:
    return Record(
        row["cursor"],
        row["tenant"],
        row["type"],
        moment(row["at"]).isoformat().replace("+00:00", "Z"),
        row["channel"],
        row["thread"],
        row["conversation"],
        json.loads(row["data"]),
    )
