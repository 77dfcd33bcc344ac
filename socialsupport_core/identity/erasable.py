"""Which accounts are one person's to the end, and how they are taken away.

A whole customer goes at once, so no join of anybody else's depended on an account of theirs. What others have in
common with them still counts: a tie is left behind that names nobody, or a shared telephone would be taken for one
person's as soon as the other is erased.
"""

from collections import Counter
from collections.abc import Collection

from socialsupport_core.identity.resolving import Change, resolve
from socialsupport_core.store import Tx, evidence, nodes
from socialsupport_core.store.nodes import Node
from socialsupport_core.store.removing import delete_in


def accounts(tx: Tx, tenant: str, customer: int) -> list[Node]:
    """The customer's own, and what is known of nobody but them: a number that a network told of one of their accounts
    and from which nobody has ever written."""
    own = {node.number: node for node in nodes.members(tx, tenant, customer)}
    waiting = list(own)
    while waiting:
        for number in evidence.others(tx, tenant, waiting.pop()) - own.keys():
            if node := _mere_value(tx, tenant, number, own):
                own[number] = node
                waiting.append(number)
    return list(own.values())


def _mere_value(tx: Tx, tenant: str, number: int, own: Collection[int]) -> Node | None:
    node = nodes.by_numbers(tx, [number]).get(number)
    if node is None or len(nodes.members(tx, tenant, node.customer)) > 1 or nodes.of_base(tx, number):
        return None
    if any(tx.one(sql, tenant, number) for sql in _HEARD_OF):
        return None
    return node if evidence.others(tx, tenant, number) <= set(own) else None


_HEARD_OF = (
    "SELECT 1 AS one FROM interactions WHERE tenant = ? AND node = ? LIMIT 1",
    "SELECT 1 AS one FROM legs WHERE tenant = ? AND node = ? LIMIT 1",
)


def remove(tx: Tx, tenant: str, numbers: Collection[int]) -> Counter[str]:
    """The accounts, and every reason that joined or parted them. Where an identifier is somebody else's at another
    time, its node of this time stays behind and is nobody's."""
    gone: Counter[str] = Counter()
    whole, shared = _apart(tx, numbers)
    left = evidence.neighbours(tx, tenant, whole) - whole | {node.base for node in shared}
    gone["evidence"] += evidence.forget(tx, tenant, whole)
    gone["handles"] += delete_in(tx, "handles", "node", whole, tenant)
    gone["nodes"] += delete_in(tx, "nodes", "node", whole, tenant)
    for node in shared:
        nodes.renew(tx, tenant, node)
        gone["nodes"] += 1
    resolve(tx, tenant, Change.of(tx, tenant, sorted(left)), cause="split")
    return +gone


def _apart(tx: Tx, numbers: Collection[int]) -> tuple[set[int], list[Node]]:
    """Those that go with all that is known of their identifiers, and those whose identifier others have too."""
    whole: set[int] = set()
    shared: list[Node] = []
    for node in nodes.by_numbers(tx, numbers).values():
        family = nodes.of_base(tx, node.base)
        standing = {node.base, *(one.number for one in family if one.since > 0)}
        if standing <= set(numbers):
            whole |= standing | {one.number for one in family}
        else:
            shared.append(node)
    return whole, shared
