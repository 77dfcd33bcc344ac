"""Which accounts are one person's to the end, and how they are taken away.

A whole customer goes at once, so nobody else's joins change: no refused union depended on an account of theirs.
"""

from collections import Counter
from collections.abc import Collection

from socialsupport_core.store import Tx, identity
from socialsupport_core.store.identity import Node
from socialsupport_core.store.removing import delete_in


def accounts(tx: Tx, tenant: str, customer: int) -> list[Node]:
    """The customer's own, and what is known of nobody but them: a number that a network told of one of their accounts
    and from which nobody has ever written."""
    own = {node.number: node for node in identity.members(tx, tenant, customer)}
    waiting = list(own)
    while waiting:
        for one in identity.evidence_at(tx, tenant, waiting.pop()):
            for number in {one.a, one.b} - own.keys():
                if node := _mere_value(tx, tenant, number, own):
                    own[number] = node
                    waiting.append(number)
    return list(own.values())


def _mere_value(tx: Tx, tenant: str, number: int, own: Collection[int]) -> Node | None:
    node = identity.by_numbers(tx, [number]).get(number)
    if node is None or len(identity.members(tx, tenant, node.customer)) > 1:
        return None
    if any(tx.one(sql, tenant, number) for sql in _HEARD_OF):
        return None
    known_of = {one.of(number) for one in identity.evidence_at(tx, tenant, number)}
    return node if known_of <= set(own) else None


_HEARD_OF = (
    "SELECT 1 AS one FROM interactions WHERE tenant = ? AND node = ? LIMIT 1",
    "SELECT 1 AS one FROM legs WHERE tenant = ? AND node = ? LIMIT 1",
)


def remove(tx: Tx, tenant: str, nodes: Collection[int]) -> Counter[str]:
    """The accounts, and every reason that joined or parted them."""
    gone: Counter[str] = Counter()
    for end in ("a", "b"):
        gone["evidence"] += delete_in(tx, "evidence", end, nodes, tenant)
    gone["nodes"] += delete_in(tx, "nodes", "node", nodes, tenant)
    return +gone
