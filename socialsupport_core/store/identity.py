"""Account nodes, and the evidence that joins them. The map node → customer is all that a merge or split writes."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace

from socialsupport_core.model import Identifier
from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.database import Row, Tx


@dataclass(frozen=True, slots=True)
class Node:
    """One native, immutable account."""

    number: int
    identifier: Identifier
    id: str
    """Opaque and keyed; a customer's id is that of its canonical node, so every id resolves for ever."""
    customer: int
    first_seen: int
    name: str | None
    handle: str | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A reason to believe that two nodes are one customer, or (tier `cannot`) that they are not."""

    a: int
    b: int
    tier: str
    proof: str
    source: str
    """The event, or `verdict:…`, from which it comes."""
    at: int
    agent: str | None = None
    note: str | None = None
    retracted_by: str | None = None

    @property
    def digest(self) -> str:
        """Names it by its content: the same evidence twice is one."""
        content = "\0".join(map(str, (self.a, self.b, self.tier, self.proof, self.source, self.at)))
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def of(self, node: int) -> int:
        """The other node."""
        return self.b if node == self.a else self.a


def node_id(key: bytes, identifier: Identifier) -> str:
    mac = hmac.new(key, str(identifier).encode(), hashlib.sha256).digest()
    return "cus_" + base64.b32encode(mac[:15]).decode().lower()


def ensure(tx: Tx, tenant: str, identifier: Identifier, at: int) -> Node:
    """The node, made if it is new. First seen is the earliest event time, whatever the order of arrival."""
    if node := find(tx, tenant, identifier):
        if at < node.first_seen:
            tx.run("UPDATE nodes SET first_seen = ? WHERE node = ?", at, node.number)
            node = replace(node, first_seen=at)
        return node
    number = tx.insert(
        "INSERT INTO nodes (tenant, kind, scope, value, first_seen, id, customer) VALUES (?, ?, ?, ?, ?, ?, 0)",
        tenant,
        identifier.kind,
        identifier.scope or "",
        identifier.value,
        at,
        public := node_id(tenant_key(tx, tenant), identifier),
    )
    tx.run("UPDATE nodes SET customer = node WHERE node = ?", number)
    return Node(number, identifier, public, number, at, None, None)


def find(tx: Tx, tenant: str, identifier: Identifier) -> Node | None:
    row = tx.one(
        "SELECT * FROM nodes WHERE tenant = ? AND kind = ? AND scope = ? AND value = ?",
        tenant,
        identifier.kind,
        identifier.scope or "",
        identifier.value,
    )
    return _node(row) if row else None


def by_id(tx: Tx, tenant: str, public: str) -> Node | None:
    row = tx.one("SELECT * FROM nodes WHERE tenant = ? AND id = ?", tenant, public)
    return _node(row) if row else None


def by_numbers(tx: Tx, numbers: Iterable[int]) -> dict[int, Node]:
    wanted = sorted(set(numbers))
    marks = ", ".join("?" * len(wanted))
    rows = tx.all(f"SELECT * FROM nodes WHERE node IN ({marks})", *wanted)  # noqa: S608 - question marks only
    return {row["node"]: _node(row) for row in rows}


def members(tx: Tx, tenant: str, customer: int) -> list[Node]:
    rows = tx.all(
        "SELECT * FROM nodes WHERE tenant = ? AND customer = ? ORDER BY first_seen, kind, scope, value",
        tenant,
        customer,
    )
    return [_node(row) for row in rows]


def set_customer(tx: Tx, node: int, customer: int) -> None:
    tx.run("UPDATE nodes SET customer = ? WHERE node = ?", customer, node)


def set_profile(tx: Tx, node: int, name: str | None, handle: str | None, at: int) -> None:
    """The newest by event time wins; what is not told stays."""
    tx.run(
        "UPDATE nodes SET name = coalesce(?, name), handle = coalesce(?, handle), profile_at = ?"
        " WHERE node = ? AND coalesce(profile_at, 0) <= ?",
        name,
        handle,
        at,
        node,
        at,
    )


def search(tx: Tx, tenant: str, text: str, limit: int) -> list[int]:
    """Customers with the text in an identifier, name or handle."""
    like = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = tx.all(
        "SELECT DISTINCT customer FROM nodes WHERE tenant = ? AND"
        " (value LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\' OR handle LIKE ? ESCAPE '\\' OR id = ?) LIMIT ?",
        tenant,
        like,
        like,
        like,
        text,
        limit,
    )
    return [row["customer"] for row in rows]


def add_evidence(tx: Tx, tenant: str, evidence: Evidence) -> bool:
    """False if exactly this was known already."""
    return bool(
        tx.run(
            "INSERT INTO evidence (tenant, digest, a, b, tier, proof, source, at, agent, note)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            tenant,
            evidence.digest,
            evidence.a,
            evidence.b,
            evidence.tier,
            evidence.proof,
            evidence.source,
            evidence.at,
            evidence.agent,
            evidence.note,
        )
    )


def retract(tx: Tx, tenant: str, source: str, agent: str, at: int) -> list[Evidence]:
    """Retracts what `source` (a verdict, or one evidence's digest) brought; what was retracted."""
    where = "tenant = ? AND (source = ? OR digest = ?) AND retracted_by IS NULL"
    found = [
        _evidence(row)
        for row in tx.all(f"SELECT * FROM evidence WHERE {where}", tenant, source, source)  # noqa: S608
    ]
    tx.run(
        f"UPDATE evidence SET retracted_by = ?, retracted_at = ? WHERE {where}",  # noqa: S608 - a constant
        agent,
        at,
        tenant,
        source,
        source,
    )
    return found


def evidence_at(tx: Tx, tenant: str, node: int) -> list[Evidence]:
    rows = tx.all(
        "SELECT * FROM evidence WHERE tenant = ? AND a = ? UNION SELECT * FROM evidence WHERE tenant = ? AND b = ?",
        tenant,
        node,
        tenant,
        node,
    )
    return [_evidence(row) for row in rows]


def _node(row: Row) -> Node:
    identifier = Identifier(kind=row["kind"], scope=row["scope"] or None, value=row["value"])
    return Node(
        row["node"],
        identifier,
        row["id"],
        row["customer"],
        row["first_seen"],
        row["name"],
        row["handle"],
    )


def _evidence(row: Row) -> Evidence:
    return Evidence(
        row["a"],
        row["b"],
        row["tier"],
        row["proof"],
        row["source"],
        row["at"],
        row["agent"],
        row["note"],
        row["retracted_by"],
    )
