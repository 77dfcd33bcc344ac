"""Identifiers that change hands: what was said in each time hangs on the node of that time.

Which times there are follows from the evidence, so it may turn out later, or be taken back: then what was said moves.
"""

from collections.abc import Sequence

from socialsupport_core.store import nodes
from socialsupport_core.store.database import Tx
from socialsupport_core.store.erasures import marks_for
from socialsupport_core.store.nodes import Node

FOREVER = 2**62
_TIMED = (("interactions", "at"), ("interaction_keys", "at"), ("legs", "opened_at"), ("conversations", "opened_at"))
"""What hangs on a node, and the column that says in which time."""


def since(tx: Tx, tenant: str, base: Node, at: int) -> Node:
    """The node of an identifier from that moment on, made if it is new."""
    found = nodes.find(tx, tenant, base.identifier, at)
    if found is not None and found.since == at:
        return found
    return nodes.make(tx, tenant, base.identifier, at, since=at, base=base.number)


def change_hands(tx: Tx, tenant: str, base: Node, times: Sequence[int]) -> None:
    """From each of these moments on the identifier is somebody else's, and only from these."""
    known = {abs(node.since): node for node in nodes.of_base(tx, base.number)}
    for at, node in known.items():
        wanted = at if at in times else -at
        if node.since != wanted:
            nodes.set_since(tx, node, wanted)
            if wanted < 0:  # its id leads to whoever has the identifier
                nodes.set_customer(tx, tenant, node, base.number)
    tx.flush()
    nodes.forget(tx, tenant, base.identifier)
    held = [base, *(since(tx, tenant, base, at) for at in times)]
    if known or _is_spoken_of(tx, tenant, base.number):
        _move(tx, tenant, held, [base.number, *(node.number for node in known.values())])


def _is_spoken_of(tx: Tx, tenant: str, node: int) -> bool:
    return any(
        tx.one(f"SELECT 1 AS one FROM {table} WHERE tenant = ? AND node = ? LIMIT 1", tenant, node)
        for table, _ in _TIMED
    )


def _move(tx: Tx, tenant: str, held: Sequence[Node], numbers: Sequence[int]) -> None:
    ends = [*(node.since for node in held[1:]), FOREVER]
    for node, end in zip(held, ends, strict=True):
        others = [number for number in numbers if number != node.number]
        for table, column in _TIMED if others else ():
            tx.run(
                f"UPDATE {table} SET node = ? WHERE tenant = ? AND node IN ({marks_for(others)})"
                f" AND {column} >= ? AND {column} < ?",
                node.number,
                tenant,
                *others,
                node.since,
                end,
            )
