"""What erasing leaves: tombstones without a value, how far each erasure is, and what others have yet to erase.

A tombstone is a keyed digest of an account, a message or a thread. What comes again from before the erasure is known
by it and ignored. An erasure's rows go in one commit; `blobs` lists the files that go after it, so whoever comes after
a crash finishes.
"""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:  # the tables below are part of the schema, on which the database depends
    from socialsupport_core.store.database import Row, Tx

TABLES = """
CREATE TABLE tombstones (
  tenant TEXT NOT NULL, digest TEXT NOT NULL, erasure TEXT NOT NULL, at INTEGER NOT NULL, times INTEGER NOT NULL,
  PRIMARY KEY (tenant, digest)) WITHOUT ROWID;
CREATE TABLE erasures (
  tenant TEXT NOT NULL, erasure TEXT NOT NULL, customer TEXT NOT NULL, agent TEXT NOT NULL, at INTEGER NOT NULL,
  state TEXT NOT NULL, removed TEXT NOT NULL, blobs TEXT NOT NULL, blob_count INTEGER NOT NULL,
  blob_bytes INTEGER NOT NULL, shared INTEGER NOT NULL, cleaned TEXT,
  PRIMARY KEY (tenant, erasure)) WITHOUT ROWID;
CREATE INDEX erasures_unfinished ON erasures (at) WHERE state <> 'done';
CREATE TABLE erased_ids (
  tenant TEXT NOT NULL, id TEXT NOT NULL, erasure TEXT NOT NULL, PRIMARY KEY (tenant, id)) WITHOUT ROWID;
CREATE TABLE erasure_requests (
  tenant TEXT NOT NULL, request TEXT NOT NULL, node INTEGER NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL,
  state TEXT NOT NULL, PRIMARY KEY (tenant, request)) WITHOUT ROWID;
CREATE TABLE erase_on_request (
  tenant TEXT NOT NULL, channel TEXT NOT NULL, PRIMARY KEY (tenant, channel)) WITHOUT ROWID;
CREATE TABLE crm_erasures (
  tenant TEXT NOT NULL, crm TEXT NOT NULL, contact TEXT NOT NULL, erasure TEXT NOT NULL, state TEXT NOT NULL,
  attempts INTEGER NOT NULL, due_at INTEGER NOT NULL, reason TEXT, what TEXT NOT NULL, ended_at INTEGER,
  PRIMARY KEY (tenant, crm, what, contact, erasure)) WITHOUT ROWID;
CREATE TABLE subjects (
  tenant TEXT NOT NULL, digest TEXT NOT NULL, entry INTEGER NOT NULL,
  PRIMARY KEY (tenant, digest, entry)) WITHOUT ROWID;
CREATE INDEX log_of_people ON log (tenant, cursor) WHERE type IN ('customer.changed', 'handoff.refused',
  'erasure.requested', 'crm.failed', 'unrecognised', 'attachment.stored', 'attachment.refused', 'challenge.started',
  'challenge.proven', 'proof.refused');
CREATE INDEX subjects_by_entry ON subjects (entry);
"""

State = Literal["removed", "done"]
"""`removed`: no row is left; files, the store's own free pages and contacts in CRMs are under way."""
CRMState = Literal["queued", "done", "by_hand", "failed"]
"""`by_hand`: the CRM cannot, or it is not certain that the contact is this person."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One person's erasure. It holds counts and opaque ids, no value."""

    tenant: str
    id: str
    customer: str
    agent: str
    at: int
    state: str
    removed: dict[str, int]
    blobs: list[str]
    """Digests of files that are still to go, unless somebody else's message has them too."""
    blob_count: int = 0
    blob_bytes: int = 0
    shared: int = 0
    """Files that stay, since others have sent or got the same."""
    cleaned: dict[str, Any] | None = None
    """How the store's own files were cleaned, and where it may still be: `store` and `left` of the proof."""


@dataclass(frozen=True, slots=True)
class CRMErasure:
    """One contact, or case, that a CRM is to erase, or a case of which what this person said is to be taken out. Its
    name there is forgotten once that is done."""

    tenant: str
    crm: str
    contact: str
    erasure: str
    state: str
    attempts: int
    due_at: int
    reason: str | None
    what: Literal["contact", "case", "entries"] = "contact"


# tombstones


def any_tombstone(tx: "Tx", tenant: str) -> bool:
    known = tx.memo("any_tombstone")
    if tenant not in known:
        known[tenant] = tx.one("SELECT 1 AS one FROM tombstones WHERE tenant = ? LIMIT 1", tenant) is not None
    found: bool = known[tenant]
    return found


def read_ahead(tx: "Tx", tenant: str, digests: Iterable[str]) -> None:
    wanted = sorted(set(digests))
    known = tx.memo("tombstones")
    known.update(((tenant, digest), None) for digest in wanted)
    for part in chunks(wanted):
        marks = ", ".join("?" * len(part))
        sql = f"SELECT digest, at, times FROM tombstones WHERE tenant = ? AND digest IN ({marks})"
        for row in tx.all(sql, tenant, *part):
            known[tenant, row["digest"]] = (row["at"], row["times"])


def tombstone(tx: "Tx", tenant: str, digest: str) -> tuple[int, int] | None:
    """When it was erased last, and how often."""
    known = tx.memo("tombstones")
    if (tenant, digest) not in known:
        read_ahead(tx, tenant, [digest])
    found: tuple[int, int] | None = known[tenant, digest]
    return found


def bury(tx: "Tx", tenant: str, erasure: str, digests: Iterable[str], at: int) -> None:
    tx.many(
        "INSERT INTO tombstones (tenant, digest, erasure, at, times) VALUES (?, ?, ?, ?, 1)"
        " ON CONFLICT (tenant, digest) DO UPDATE SET erasure = excluded.erasure, at = excluded.at,"
        " times = tombstones.times + 1",
        [(tenant, digest, erasure, at) for digest in sorted(set(digests))],
    )


def buried_by(tx: "Tx", tenant: str, digest: str) -> str | None:
    """The last erasure that left this tombstone."""
    row = tx.one("SELECT erasure FROM tombstones WHERE tenant = ? AND digest = ?", tenant, digest)
    return row["erasure"] if row else None


# erasures


def begin(tx: "Tx", one: Erasure, ids: Iterable[str]) -> None:
    tx.run(
        "INSERT INTO erasures (tenant, erasure, customer, agent, at, state, removed, blobs, blob_count, blob_bytes,"
        " shared) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0)",
        one.tenant,
        one.id,
        one.customer,
        one.agent,
        one.at,
        one.state,
        json.dumps(one.removed),
        json.dumps(one.blobs),
    )
    tx.many(
        "INSERT INTO erased_ids (tenant, id, erasure) VALUES (?, ?, ?) ON CONFLICT (tenant, id)"
        " DO UPDATE SET erasure = excluded.erasure",
        [(one.tenant, id_, one.id) for id_ in ids],
    )


def erasure_of(tx: "Tx", tenant: str, id_: str) -> str | None:
    """The erasure that this customer id went with."""
    row = tx.one("SELECT erasure FROM erased_ids WHERE tenant = ? AND id = ?", tenant, id_)
    return row["erasure"] if row else None


def get(tx: "Tx", tenant: str, erasure: str) -> Erasure | None:
    row = tx.one("SELECT * FROM erasures WHERE tenant = ? AND erasure = ?", tenant, erasure)
    return _erasure(row) if row else None


def of_tenant(tx: "Tx", tenant: str, limit: int) -> list[Erasure]:
    """The newest first."""
    rows = tx.all("SELECT * FROM erasures WHERE tenant = ? ORDER BY at DESC, erasure LIMIT ?", tenant, limit)
    return [_erasure(row) for row in rows]


_NONE_ASKED = (
    "NOT EXISTS (SELECT 1 FROM crm_erasures c WHERE c.tenant = erasures.tenant AND c.erasure = erasures.erasure"
    " AND c.state = 'queued')"
)
"""While a CRM is being asked, the store names its contact."""


def unfinished(tx: "Tx", before: int, limit: int = 100) -> list[Erasure]:
    """Those whose files are to be cleaned, the oldest first."""
    sql = f"SELECT * FROM erasures WHERE state <> 'done' AND at <= ? AND {_NONE_ASKED} ORDER BY at LIMIT ?"
    return [_erasure(row) for row in tx.all(sql, before, limit)]


def count_unfinished(tx: "Tx") -> int:
    row = tx.one("SELECT count(*) AS n FROM erasures WHERE state <> 'done'")
    return int(row["n"]) if row else 0


def file_gone(tx: "Tx", one: Erasure, blob: str, size: int | None) -> None:
    """`size` is None if it stays, since others have it too."""
    fresh = get(tx, one.tenant, one.id)
    if fresh is None or blob not in fresh.blobs:
        return
    tx.run(
        "UPDATE erasures SET blobs = ?, blob_count = blob_count + ?, blob_bytes = blob_bytes + ?, shared = shared + ?"
        " WHERE tenant = ? AND erasure = ?",
        json.dumps([other for other in fresh.blobs if other != blob]),
        int(size is not None),
        size or 0,
        int(size is None),
        one.tenant,
        one.id,
    )


def finish(tx: "Tx", removed: Iterable[Erasure], cleaned: dict[str, Any]) -> None:
    """The store's files have been cleaned since their rows went; what is told of that stays for whoever asks again."""
    for one in removed:
        sql = "UPDATE erasures SET cleaned = ? WHERE tenant = ? AND erasure = ?"
        tx.run(sql, json.dumps(cleaned), one.tenant, one.id)
        sql = f"UPDATE erasures SET state = 'done' WHERE tenant = ? AND erasure = ? AND blobs = '[]' AND {_NONE_ASKED}"
        tx.run(sql, one.tenant, one.id)


# requests


def request(tx: "Tx", tenant: str, request: str, node: int, channel: str, at: int, state: str) -> None:
    tx.run(
        "INSERT INTO erasure_requests (tenant, request, node, channel, at, state) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        tenant,
        request,
        node,
        channel,
        at,
        state,
    )


def requests(tx: "Tx", tenant: str | None, *states: str, limit: int = 100) -> list["Row"]:
    marks = ", ".join("?" * len(states))
    return tx.all(
        f"SELECT * FROM erasure_requests WHERE (CAST(? AS TEXT) IS NULL OR tenant = ?) AND state IN ({marks})"
        " ORDER BY at, tenant, request LIMIT ?",
        tenant,
        tenant,
        *states,
        limit,
    )


def set_request(tx: "Tx", tenant: str, request: str, state: str) -> bool:
    """False if there is no such request that waits."""
    sql = "UPDATE erasure_requests SET state = ? WHERE tenant = ? AND request = ? AND state IN ('waiting', 'accepted')"
    return bool(tx.run(sql, state, tenant, request))


def forget_requests(tx: "Tx", tenant: str, nodes: Collection[int]) -> int:
    """They have been met."""
    return sum(
        tx.run(f"DELETE FROM erasure_requests WHERE tenant = ? AND node IN ({marks_for(part)})", tenant, *part)
        for part in chunks(sorted(nodes))
    )


def allow(tx: "Tx", tenant: str, channel: str, *, allowed: bool) -> None:
    """Whether what a network demands on this channel is done without an agent."""
    tx.run("DELETE FROM erase_on_request WHERE tenant = ? AND channel = ?", tenant, channel)
    if allowed:
        tx.run("INSERT INTO erase_on_request (tenant, channel) VALUES (?, ?)", tenant, channel)


def is_allowed(tx: "Tx", tenant: str, channel: str) -> bool:
    sql = "SELECT 1 AS one FROM erase_on_request WHERE tenant = ? AND channel = ?"
    return tx.one(sql, tenant, channel) is not None


# CRMs


def ask_crm(tx: "Tx", one: CRMErasure) -> None:
    tx.run(
        "INSERT INTO crm_erasures (tenant, crm, contact, erasure, state, attempts, due_at, reason, what)"
        " VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT DO NOTHING",
        one.tenant,
        one.crm,
        one.contact,
        one.erasure,
        one.state,
        one.due_at,
        one.reason,
        one.what,
    )


def crm_due(tx: "Tx", tenant: str, crm: str, now: int, limit: int) -> list[CRMErasure]:
    rows = tx.all(
        "SELECT * FROM crm_erasures WHERE tenant = ? AND crm = ? AND state = 'queued' AND due_at <= ?"
        " ORDER BY due_at LIMIT ?",
        tenant,
        crm,
        now,
        limit,
    )
    return [_crm_erasure(row) for row in rows]


def at_crms(tx: "Tx", tenant: str, erasure: str) -> list[CRMErasure]:
    rows = tx.all(
        "SELECT * FROM crm_erasures WHERE tenant = ? AND erasure = ? ORDER BY crm, what DESC, contact", tenant, erasure
    )
    return [_crm_erasure(row) for row in rows]


def tell_crm(tx: "Tx", one: CRMErasure, state: CRMState, reason: str | None, now: int, due_at: int = 0) -> None:
    """How a try ended. Of what is done the contact's name is forgotten; a number stands in its place."""
    done = state == "done"
    name = _anonymous(tx, one) if done else one.contact
    tx.run(
        "UPDATE crm_erasures SET state = ?, reason = ?, attempts = attempts + 1, due_at = ?, ended_at = ?, contact = ?"
        " WHERE tenant = ? AND crm = ? AND contact = ? AND erasure = ? AND what = ?",
        state,
        reason,
        due_at,
        None if state == "queued" else now,
        name,
        one.tenant,
        one.crm,
        one.contact,
        one.erasure,
        one.what,
    )


def _anonymous(tx: "Tx", one: CRMErasure) -> str:
    row = tx.one(
        "SELECT count(*) AS n FROM crm_erasures WHERE tenant = ? AND crm = ? AND erasure = ? AND state = 'done'",
        one.tenant,
        one.crm,
        one.erasure,
    )
    return f"erased-{row['n'] + 1 if row else 1}"


_ENDED = "FROM crm_erasures WHERE state <> 'queued' AND coalesce(ended_at, due_at) < ?"


def count_crm_ends(tx: "Tx", before: int) -> int:
    row = tx.one(f"SELECT count(*) AS n {_ENDED}", before)
    return int(row["n"]) if row else 0


def forget_crm_ends(tx: "Tx", before: int) -> int:
    """Contacts that a person had to erase elsewhere are named for so long."""
    return tx.run(f"DELETE {_ENDED}", before)


# of whom the journal speaks


def note_subjects(tx: "Tx", tenant: str, digests: Iterable[str], entry: int) -> None:
    """The journal's entry speaks of these. For entries to which no interaction points."""
    for digest in set(digests):
        tx.defer(
            "INSERT INTO subjects (tenant, digest, entry) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (tenant, digest, entry),
        )


def entries_about(tx: "Tx", tenant: str, digests: Iterable[str]) -> set[int]:
    found: set[int] = set()
    for part in chunks(sorted(set(digests))):
        sql = f"SELECT entry FROM subjects WHERE tenant = ? AND digest IN ({marks_for(part)})"
        found.update(row["entry"] for row in tx.all(sql, tenant, *part))
    return found


def forget_subjects(tx: "Tx", entries: Iterable[int]) -> int:
    return sum(
        tx.run(f"DELETE FROM subjects WHERE entry IN ({marks_for(part)})", *part) for part in chunks(sorted(entries))
    )


# statements of any length


def chunks(values: list[Any], size: int = 400) -> list[list[Any]]:
    """So many values at once are known to no store as too many."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def marks_for(values: Collection[Any]) -> str:
    return ", ".join("?" * len(values))


def _erasure(row: "Row") -> Erasure:
    return Erasure(
        row["tenant"],
        row["erasure"],
        row["customer"],
        row["agent"],
        row["at"],
        row["state"],
        json.loads(row["removed"]),
        json.loads(row["blobs"]),
        row["blob_count"],
        row["blob_bytes"],
        row["shared"],
        json.loads(row["cleaned"]) if row["cleaned"] else None,
    )


def _crm_erasure(row: "Row") -> CRMErasure:
    return CRMErasure(*(row[name] for name in CRMErasure.__slots__))
