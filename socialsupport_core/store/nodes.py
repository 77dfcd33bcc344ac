"""Account nodes. The map node → customer is all that a merge or split writes.

An identifier that changed hands has a node for each time: the first since ever, each other since it was given up.
"""

import base64
import hmac
import struct
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from socialsupport_core.model import Identifier
from socialsupport_core.store import erasures
from socialsupport_core.store.accounts import tenant_key
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.digests import digest

TABLES = """
CREATE TABLE nodes (
  node NUMBERED, tenant TEXT NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
  value TEXT NOT NULL, first_seen INTEGER NOT NULL, id BLOB NOT NULL, customer INTEGER NOT NULL,
  name TEXT, handle TEXT, name_at INTEGER NOT NULL DEFAULT 0, handle_at INTEGER NOT NULL DEFAULT 0,
  told BLOB, since INTEGER NOT NULL DEFAULT 0, base INTEGER, wanted INTEGER,
  UNIQUE (tenant, kind, scope, value, since), UNIQUE (tenant, id));
CREATE INDEX nodes_by_customer ON nodes (tenant, customer);
CREATE INDEX nodes_by_base ON nodes (base) WHERE base IS NOT NULL;
CREATE TABLE handles (
  tenant TEXT NOT NULL, node INTEGER NOT NULL, at INTEGER NOT NULL, handle TEXT NOT NULL,
  PRIMARY KEY (tenant, node, at, handle)) WITHOUT ROWID;
"""


class Told(NamedTuple):
    """What a network has told of an account, in 18 bytes: the same again is no news."""

    mark: bytes
    """6 bytes that stand for the identifiers it named."""
    first: int
    last: int
    """Up to the month."""

    @classmethod
    def read(cls, written: bytes | None) -> "Told | None":
        if written is None:
            return None
        mark, first, months = _TOLD.unpack(written)
        return cls(mark, first, months * MONTH)

    def written(self) -> bytes:
        return _TOLD.pack(self.mark, self.first, self.last // MONTH)


_TOLD = struct.Struct(">6sqi")


class Node(NamedTuple):
    """One native, immutable account."""

    number: int
    identifier: Identifier
    kept_id: bytes
    customer: int
    first_seen: int
    name: str | None
    handle: str | None
    name_at: int = 0
    handle_at: int = 0
    told: Told | None = None
    since: int = 0
    """From when this node stands for its identifier: 0 is ever, below 0 is no more."""
    base: int = 0
    """The identifier's first node."""
    wanted: int | None = None
    """An agent's word whether what it writes belongs into the queue of support: 1 or 0."""

    @property
    def id(self) -> str:
        """Opaque and keyed; a customer's id is that of its canonical node, so every id resolves for ever."""
        return public_id(self.kept_id)

    @property
    def slot(self) -> str:
        return slot(self.identifier)


MONTH = timedelta(days=30) // timedelta(microseconds=1)
"""How finely is kept until when something has been seen again."""
Held = tuple[tuple[int, int], ...]
"""An identifier's nodes as `(since, number)`, the newest last."""


def slot(identifier: Identifier) -> str:
    """What limits count: the kind within its issuer."""
    return f"{identifier.kind}@{identifier.scope}" if identifier.scope else identifier.kind


def named_id(key: bytes, name: str, since: int = 0) -> str:
    """Of an identifier as it is written that was never erased; whoever has it `since` then is somebody new."""
    return public_id(_key(key, name, 0, since))


def _key(key: bytes, name: str, times: int, since: int) -> bytes:
    """`times` is how often it was erased: whoever comes back is somebody new. So is who has it `since` then."""
    named = name + (f"\0{times}" if times or since else "") + (f"\0{since}" if since else "")
    return hmac.digest(key, named.encode(), "sha256")[:15]


_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [one + other for one in _LETTERS for other in _LETTERS]
"""Base32 (RFC 4648) in small letters, ten bits at a time: half the time that `base64` takes."""


def public_id(kept: bytes) -> str:
    """As everybody knows it; the store keeps its 15 bytes."""
    number = int.from_bytes(kept)
    return "cus_" + "".join([_PAIRS[number >> low & 1023] for low in range(110, -1, -10)])


def kept_id(public: str) -> bytes | None:
    """None if no id is written so."""
    try:
        kept = base64.b32decode(public[4:].upper())
    except ValueError:
        return None
    return kept if len(kept) == 15 and public_id(kept) == public else None


def ensure(tx: Tx, tenant: str, identifier: Identifier, at: int) -> Node:
    """The node of that time, made if it is new. First seen is the earliest event time, whatever came first."""
    if node := find(tx, tenant, identifier, at):
        if at < node.first_seen and not node.since:
            tx.amend("UPDATE nodes SET first_seen = ? WHERE node = ?", node.number, (at, node.number))
            node = _replace(tx, node._replace(first_seen=at))
        return node
    return make(tx, tenant, identifier, at)


def make(
    tx: Tx,
    tenant: str,
    identifier: Identifier,
    at: int,
    *,
    since: int = 0,
    base: int | None = None,
    name: str | None = None,
    handle: str | None = None,
) -> Node:
    number, kind, scope, value = tx.number("node"), identifier.kind, identifier.scope or "", identifier.value
    kept = _key(tenant_key(tx, tenant), str(identifier), _times_erased(tx, tenant, identifier), since)
    profile = name or None, handle or None, at if name else 0, at if handle else 0
    tx.defer(
        "INSERT INTO nodes (node, tenant, kind, scope, value, first_seen, id, customer, since, base, name, handle,"
        " name_at, handle_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (number, tenant, kind, scope, value, at, kept, number, since, base, *profile),
    )
    if handle:
        _keep_handle(tx, tenant, number, at, handle)
    tx.memo("of_customer")[tenant, number] = []  # nobody knows more of whoever is new
    tx.memo("made")[tenant, number] = True
    node = Node(number, identifier, kept, number, at, *profile, since=since, base=base or number)
    return _remember(tx, tenant, node)


def _times_erased(tx: Tx, tenant: str, identifier: Identifier) -> int:
    if not erasures.any_tombstone(tx, tenant):
        return 0
    found = erasures.tombstone(tx, tenant, account_digest(tx, tenant, identifier))
    return found[1] if found else 0


def account_digest(tx: Tx, tenant: str, identifier: Identifier) -> str:
    """Under which an erased account is known, and what the journal says of one. `identifier` is canonical."""
    return digest(tx, tenant, "account", str(identifier))


_OF_IDENTIFIER = (
    "SELECT node, first_seen, id, customer, name, handle, name_at, handle_at, told, since, base, wanted FROM nodes"
    " WHERE tenant = ? AND kind = ? AND scope = ? AND value = ? AND since >= 0"
)


def find(tx: Tx, tenant: str, identifier: Identifier, at: int | None = None) -> Node | None:
    """The node that stands for the identifier now, or did at that time."""
    key = tenant, identifier.kind, identifier.scope or "", identifier.value
    known: dict[tuple[str, str, str, str], Held] = tx.memo("identifiers")
    held = known.get(key)
    if held is None:
        found = [_read(row, identifier) for row in tx.all(_OF_IDENTIFIER, *key)]
        tx.memo("nodes").update((node.number, node) for node in found)
        held = known[key] = tuple(sorted((node.since, node.number) for node in found))
    number = next((number for since, number in reversed(held) if at is None or not since or since <= at), None)
    return None if number is None else by_number(tx, number)


def read_ahead(tx: Tx, tenant: str, identifiers: Iterable[Identifier]) -> None:
    """Finds all of them at once, and the customers to whom they belong."""
    wanted: dict[tuple[str, str], set[str]] = {}
    known = tx.memo("identifiers")
    for one in identifiers:
        wanted.setdefault((one.kind, one.scope or ""), set()).add(one.value)
        known[tenant, one.kind, one.scope or "", one.value] = ()
    for (kind, scope), values in wanted.items():
        marks = ", ".join("?" * len(values))
        sql = f"SELECT * FROM nodes WHERE tenant = ? AND kind = ? AND scope = ? AND value IN ({marks}) AND since >= 0"
        for row in tx.all(sql, tenant, kind, scope, *sorted(values)):
            _remember(tx, tenant, node_of(row))
    nodes: dict[int, Node] = tx.memo("nodes")
    by_numbers(tx, {node.customer for node in list(nodes.values())})


def _remember(tx: Tx, tenant: str, node: Node) -> Node:
    identifier, known = node.identifier, tx.memo("identifiers")
    key = tenant, identifier.kind, identifier.scope or "", identifier.value
    held: Held = known.get(key, ())
    if (node.since, node.number) not in held:
        known[key] = tuple(sorted((*held, (node.since, node.number)))) if held else ((node.since, node.number),)
    return _replace(tx, node)


def _replace(tx: Tx, node: Node) -> Node:
    tx.memo("nodes")[node.number] = node
    return node


def forget(tx: Tx, tenant: str, identifier: Identifier) -> None:
    """What was read of its nodes is no longer true."""
    tx.memo("identifiers").pop((tenant, identifier.kind, identifier.scope or "", identifier.value), None)


def by_id(tx: Tx, tenant: str, public: str) -> Node | None:
    kept = kept_id(public)
    row = tx.one("SELECT * FROM nodes WHERE tenant = ? AND id = ?", tenant, kept) if kept else None
    return node_of(row) if row else None


def by_number(tx: Tx, number: int) -> Node:
    """Raises KeyError."""
    known: Node | None = tx.memo("nodes").get(number)
    return known or by_numbers(tx, [number])[number]


def by_numbers(tx: Tx, numbers: Iterable[int]) -> dict[int, Node]:
    wanted = set(numbers)
    known: dict[int, Node] = tx.memo("nodes")
    if missing := sorted(wanted - known.keys()):
        for part in erasures.chunks(missing):
            for row in tx.all(f"SELECT * FROM nodes WHERE node IN ({erasures.marks_for(part)})", *part):
                known[row["node"]] = node_of(row)
    return {number: known[number] for number in wanted if number in known}


def of_base(tx: Tx, base: int) -> list[Node]:
    """The later nodes of an identifier that changed hands, those that stand for it no more too."""
    return [node_of(row) for row in tx.all("SELECT * FROM nodes WHERE base = ? ORDER BY since", base)]


def members(tx: Tx, tenant: str, customer: int) -> list[Node]:
    return members_of(tx, tenant, [customer])[customer]


def members_of(tx: Tx, tenant: str, customers: Iterable[int]) -> dict[int, list[Node]]:
    """The accounts of each."""
    found: dict[int, list[Node]] = {number: [] for number in customers}
    for part in erasures.chunks(list(found)):
        rows = tx.all(
            f"SELECT * FROM nodes WHERE tenant = ? AND customer IN ({erasures.marks_for(part)}) AND since >= 0"
            " ORDER BY first_seen, kind, scope, value, since",
            tenant,
            *part,
        )
        for row in rows:
            found[row["customer"]].append(node_of(row))
    return found


def set_customer(tx: Tx, tenant: str, node: Node, customer: int) -> None:
    tx.amend("UPDATE nodes SET customer = ? WHERE node = ?", node.number, (customer, node.number))
    known = tx.memo("of_customer")
    if known.get((tenant, node.customer)) != []:  # else nothing moves with it
        known.pop((tenant, node.customer), None)
        known.pop((tenant, customer), None)
    _replace(tx, node._replace(customer=customer))


def set_since(tx: Tx, node: Node, since: int) -> None:
    tx.run("UPDATE nodes SET since = ? WHERE node = ?", since, node.number)


def renew(tx: Tx, tenant: str, node: Node) -> None:
    """Nothing is known of it any more but its identifier, which is somebody else's at another time; its id is new."""
    times = _times_erased(tx, tenant, node.identifier) + 1
    tx.run("DELETE FROM handles WHERE tenant = ? AND node = ?", tenant, node.number)
    tx.run(
        "UPDATE nodes SET id = ?, customer = node, name = NULL, handle = NULL, name_at = 0, handle_at = 0, told = NULL,"
        " wanted = NULL WHERE node = ?",
        _key(tenant_key(tx, tenant), str(node.identifier), times, max(node.since, 0)),
        node.number,
    )


def set_told(tx: Tx, node: Node, told: Told) -> None:
    tx.amend("UPDATE nodes SET told = ? WHERE node = ?", node.number, (told.written(), node.number))
    _replace(tx, node._replace(told=told))


def set_profile(tx: Tx, tenant: str, node: Node, name: str | None, handle: str | None, at: int) -> None:
    """The newest by event time wins, of two at one moment the one that sorts last; what is not told stays."""
    told = node
    if name and (at, name) > (node.name_at, node.name or ""):
        told = told._replace(name=name, name_at=at)
    if handle and (at, handle) > (node.handle_at, node.handle or ""):
        told = told._replace(handle=handle, handle_at=at)
    if handle and handle != node.handle:
        _keep_handle(tx, tenant, node.number, at, handle)
    if told != node:
        tx.amend(
            "UPDATE nodes SET name = ?, handle = ?, name_at = ?, handle_at = ? WHERE node = ?",
            node.number,
            (told.name, told.handle, told.name_at, told.handle_at, node.number),
        )
        _replace(tx, told)


def _keep_handle(tx: Tx, tenant: str, node: int, at: int, handle: str) -> None:
    sql = "INSERT INTO handles (tenant, node, at, handle) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    tx.defer(sql, (tenant, node, at, handle))


def handles(tx: Tx, tenant: str, node: int) -> list[tuple[str, int, int | None]]:
    """Each handle of an account, since when, and until when another had taken its place."""
    rows = tx.all("SELECT handle, at FROM handles WHERE tenant = ? AND node = ? ORDER BY at, handle", tenant, node)
    found: list[tuple[str, int]] = []
    for row in rows:
        if not found or found[-1][0] != row["handle"]:
            found.append((row["handle"], row["at"]))
    ends: list[int | None] = [at for _, at in found[1:]]
    return [(handle, at, end) for (handle, at), end in zip(found, [*ends, None], strict=False)]


def search(tx: Tx, tenant: str, text: str, limit: int) -> list[int]:
    """Customers with the text in an identifier, name or handle."""
    like = "%" + text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows = tx.all(
        "SELECT DISTINCT customer FROM nodes WHERE tenant = ? AND since >= 0 AND"
        " (lower(value) LIKE ? ESCAPE '\\' OR lower(name) LIKE ? ESCAPE '\\' OR lower(handle) LIKE ? ESCAPE '\\'"
        " OR id = ?) LIMIT ?",
        tenant,
        like,
        like,
        like,
        kept_id(text) or b"",
        limit,
    )
    return [row["customer"] for row in rows]


def node_of(row: Row) -> Node:
    return _read(row, Identifier(kind=row["kind"], scope=row["scope"] or None, value=row["value"]))


def _read(row: Row, identifier: Identifier) -> Node:
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
        Told.read(row["told"]),
        row["since"],
        row["base"] or row["node"],
        row["wanted"],
    )
