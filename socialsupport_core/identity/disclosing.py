"""Linking is not disclosing: what somebody has said elsewhere is shown to an account only along proof."""

from collections.abc import Iterable

from socialsupport_core.identity.components import Key, Walker
from socialsupport_core.identity.policy import VERIFIED
from socialsupport_core.identity.resolving import Stored
from socialsupport_core.identity.sharing import Edge
from socialsupport_core.store import Tx, nodes
from socialsupport_core.store.nodes import Node


def may_disclose(tx: Tx, tenant: str, account: int, other: int) -> bool:
    """Whether what is known from the node `other` may be told to the node `account`.

    Only if the two are one customer along a way of proofs and people's verdicts alone; what is merely said, by a
    provider, a CRM or the customer, joins for us and discloses nothing. Every account may know what is its own.
    """
    return other in proven(tx, tenant, account, (other,))


def proven(tx: Tx, tenant: str, account: int, others: Iterable[int]) -> set[int]:
    """Those of the nodes that are the same customer as `account` beyond doubt; see `may_disclose`."""
    wanted = set(others)
    found = nodes.by_numbers(tx, {account, *wanted} if wanted - {account} else ())
    one = found.get(account)
    mine = [found[number] for number in wanted & set(found) if one and found[number].customer == one.customer]
    if one is None or mine in ([], [one]):
        return wanted & {account}
    walker = Walker(Stored(tx, tenant))
    start = _key(walker, one)
    sure = reached(start, (edge for edge in walker.fold(walker.component(start)).joined if edge.rank <= VERIFIED))
    return {node.number for node in mine if _key(walker, node) in sure}


def _key(walker: Walker, node: Node) -> Key:
    return node.base, walker.view(node.base).epoch(node.since) if node.since else 0


def reached(start: Key, edges: Iterable[Edge]) -> set[Key]:
    """Everything to which these reasons lead from there."""
    ways: dict[Key, list[Key]] = {}
    for edge in edges:
        ways.setdefault(edge.a, []).append(edge.b)
        ways.setdefault(edge.b, []).append(edge.a)
    seen, waiting = {start}, [start]
    while waiting:
        for key in ways.get(waiting.pop(), ()):
            if key not in seen:
                seen.add(key)
                waiting.append(key)
    return seen
