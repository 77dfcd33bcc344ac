"""Account nodes, and the evidence that joins them. The map node → customer is all that a merge or split writes."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from socialsupport_core.model import Identifier
from socialsupport_core.store import erasures
from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.digests import digest


class Node(NamedTuple):
    """One native, immutable account."""

    number: int
    identifier: Identifier
    id: str
    """Opaque and keyed; a customer's id is that of its canonical node, so every id resolves for ever."""
    customer: int
    first_seen: int
    name: str | None
    handle: str | None
    name_at: int = 0
    handle_at: int = 0


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
        content = "\0".join(map(str, (self.a, self.b, self.tier, self.proof, self.source)))
        return hashlib.sha256(content.encode()).hexdigest()[:32]

    def of(self, node: int) -> int:
        """The other node."""
        return self.b if node == self.a else self.a


def node_id(key: bytes, identifier: Identifier, times: int = 0) -> str:
    """`times` is how often it was erased: whoever comes back is somebody new."""
    named = f"{identifier}\0{times}" if times else str(identifier)
    mac = hmac.new(key, named.encode(), hashlib.sha256).digest()
    return "cus_" + base64.b32encode(mac[:15]).decode().lower()


def ensure(tx: Tx, tenant: str, identifier: Identifier, at: int) -> Node:
    """The node, made if it is new. First seen is the earliest event time, whatever the order of arrival."""
    if node := find(tx, tenant, identifier):
        if at < node.first_seen:
            tx.run("UPDATE nodes SET first_seen = ? WHERE node = ?", at, node.number)
            node = node._replace(first_seen=at)
        return node
    number, kind, scope, value = tx.number("node"), identifier.kind, identifier.scope or "", identifier.value
    public = node_id(tenant_key(tx, tenant), identifier, _times_erased(tx, tenant, identifier))
    tx.defer(
        "INSERT INTO nodes (node, tenant, kind, scope, value, first_seen, id, customer)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (number, tenant, kind, scope, value, at, public, number),
    )
    tx.memo("of_customer")[tenant, number] = []  # nobody knows more of whoever is new
    return _remember(tx, tenant, Node(number, identifier, public, number, at, None, None))


def _times_erased(tx: Tx, tenant: str, identifier: Identifier) -> int:
    if not erasures.any_tombstone(tx, tenant):
        return 0
    found = erasures.tombstone(tx, tenant, account_digest(tx, tenant, identifier))
    return found[1] if found else 0


def account_digest(tx: Tx, tenant: str, identifier: Identifier) -> str:
    """Under which an erased account is known, and what the journal says of one. `identifier` is canonical."""
    return digest(tx, tenant, "account", str(identifier))


def find(tx: Tx, tenant: str, identifier: Identifier) -> Node | None:
    kind, scope, value = identifier.kind, identifier.scope or "", identifier.value
    known = tx.memo("identifiers")
    if (tenant, kind, scope, value) in known:
        number = known[tenant, kind, scope, value]
        return None if number is None else by_numbers(tx, [number])[number]
    row = tx.one(
        "SELECT * FROM nodes WHERE tenant = ? AND kind = ? AND scope = ? AND value = ?", tenant, kind, scope, value
    )
    return _remember(tx, tenant, _node(row)) if row else None


def read_ahead(tx: Tx, tenant: str, identifiers: Iterable[Identifier]) -> None:
    """Finds all of them at once, and the customers to whom they belong."""
    wanted: dict[tuple[str, str], set[str]] = {}
    known = tx.memo("identifiers")
    for one in identifiers:
        wanted.setdefault((one.kind, one.scope or ""), set()).add(one.value)
        known[tenant, one.kind, one.scope or "", one.value] = None
    for (kind, scope), values in wanted.items():
        marks = ", ".join("?" * len(values))
        sql = f"SELECT * FROM nodes WHERE tenant = ? AND kind = ? AND scope = ? AND value IN ({marks})"
        for row in tx.all(sql, tenant, kind, scope, *sorted(values)):
            _remember(tx, tenant, _node(row))
    nodes: dict[int, Node] = tx.memo("nodes")
    by_numbers(tx, {node.customer for node in list(nodes.values())})


def _remember(tx: Tx, tenant: str, node: Node) -> Node:
    identifier = node.identifier
    tx.memo("nodes")[node.number] = node
    tx.memo("identifiers")[tenant, identifier.kind, identifier.scope or "", identifier.value] = node.number
    return node


def by_id(tx: Tx, tenant: str, public: str) -> Node | None:
    row = tx.one("SELECT * FROM nodes WHERE tenant = ? AND id = ?", tenant, public)
    return _node(row) if row else None


def by_numbers(tx: Tx, numbers: Iterable[int]) -> dict[int, Node]:
    wanted = set(numbers)
    known: dict[int, Node] = tx.memo("nodes")
    if missing := sorted(wanted - known.keys()):
        marks = ", ".join("?" * len(missing))
        for row in tx.all(f"SELECT * FROM nodes WHERE node IN ({marks})", *missing):
            known[row["node"]] = _node(row)
    return {number: known[number] for number in wanted if number in known}


def members(tx: Tx, tenant: str, customer: int) -> list[Node]:
    rows = tx.all(
        "SELECT * FROM nodes WHERE tenant = ? AND customer = ? ORDER BY first_seen, kind, scope, value",
        tenant,
        customer,
    )
    return [_node(row) for row in rows]


def set_customer(tx: Tx, node: int, customer: int) -> None:
    tx.run("UPDATE nodes SET customer = ? WHERE node = ?", customer, node)


def set_profile(tx: Tx, tenant: str, node: Node, name: str | None, handle: str | None, at: int) -> None:
    """The newest by event time wins, of two at one moment the one that sorts last; what is not told stays."""
    told = node
    if name and (at, name) > (node.name_at, node.name or ""):
        told = told._replace(name=name, name_at=at)
    if handle and (at, handle) > (node.handle_at, node.handle or ""):
        told = told._replace(handle=handle, handle_at=at)
    if told != node:
        tx.amend(
            "UPDATE nodes SET name = ?, handle = ?, name_at = ?, handle_at = ? WHERE node = ?",
            node.number,
            (told.name, told.handle, told.name_at, told.handle_at, node.number),
        )
        _remember(tx, tenant, told)


def search(tx: Tx, tenant: str, text: str, limit: int) -> list[int]:
    """Customers with the text in an identifier, name or handle."""
    like = "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = tx.all(
        "SELECT DISTINCT customer FROM nodes WHERE tenant = ? AND"
        " (lower(value) LIKE ? ESCAPE '\\' OR lower(name) LIKE ? ESCAPE '\\' OR lower(handle) LIKE ? ESCAPE '\\'"
        " OR id = ?) LIMIT ?",
        tenant,
        like,
        like,
        like,
        text,
        limit,
    )
    return [row["customer"] for row in rows]


def add_evidence(tx: Tx, tenant: str, evidence: Evidence) -> bool:
    """False if this was known already, and not from later: the earliest time counts, whatever came first."""
    digest, known = evidence.digest, tx.memo("evidence")
    if (tenant, digest) not in known:
        row = tx.one("SELECT at FROM evidence WHERE tenant = ? AND digest = ?", tenant, digest)
        known[tenant, digest] = row["at"] if row else None
    at = known[tenant, digest]
    if at is not None and at <= evidence.at:
        return False
    known[tenant, digest] = evidence.at
    if at is not None:
        tx.run("UPDATE evidence SET at = ? WHERE tenant = ? AND digest = ?", evidence.at, tenant, digest)
        return True
    tx.defer(
        "INSERT INTO evidence (tenant, digest, a, b, tier, proof, source, at, agent, note)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            tenant,
            digest,
            evidence.a,
            evidence.b,
            evidence.tier,
            evidence.proof,
            evidence.source,
            evidence.at,
            evidence.agent,
            evidence.note,
        ),
    )
    return True


def retract(tx: Tx, tenant: str, source: str, agent: str, at: int) -> list[Evidence]:
    """Retracts what `source` (a verdict, or one evidence's digest) brought; what was retracted."""
    where = "tenant = ? AND (source = ? OR digest = ?) AND retracted_by IS NULL"
    found = [_evidence(row) for row in tx.all(f"SELECT * FROM evidence WHERE {where}", tenant, source, source)]
    tx.run(
        f"UPDATE evidence SET retracted_by = ?, retracted_at = ? WHERE {where}",
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
        row["name_at"],
        row["handle_at"],
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
