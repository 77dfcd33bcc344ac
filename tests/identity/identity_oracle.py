"""The partition of a store worked out anew from its rows, and what a store says instead."""

from socialsupport_core.identity import partition, policy_of
from socialsupport_core.identity.partition import Memory, Partition
from socialsupport_core.store import Tx
from socialsupport_core.store.evidence import Hood, Tie, evidence_of, hood
from socialsupport_core.store.nodes import Node, node_of


def nodes_of(tx: Tx, tenant: str) -> dict[int, Node]:
    rows = tx.all("SELECT * FROM nodes WHERE tenant = ? AND since >= 0", tenant)
    return {row["node"]: node_of(row) for row in rows}


def ghosts_of(tx: Tx, tenant: str) -> dict[int, list[Tie]]:
    """What is left of the erased: no evidence tells of it, so the oracle takes it as it stands."""
    found: dict[int, list[Tie]] = {}
    for row in tx.all("SELECT * FROM ties WHERE tenant = ? AND other < 0", tenant):
        tie = Tie(row["other"], row["slot"], row["human"], row["verified"], row["asserted"], row["last"])
        found.setdefault(row["node"], []).append(tie)
    return found


def rebuilt(tx: Tx, tenant: str) -> Partition:
    """From nothing but nodes and evidence."""
    evidence = [evidence_of(row) for row in tx.all("SELECT * FROM evidence WHERE tenant = ?", tenant)]
    return partition(nodes_of(tx, tenant), evidence, policy_of(tx, tenant), ghosts_of(tx, tenant))


def kept(tx: Tx, tenant: str) -> dict[int, int]:
    """As the store has kept it up."""
    return {number: node.customer for number, node in nodes_of(tx, tenant).items()}


def hoods(tx: Tx, tenant: str) -> tuple[dict[int, Hood], dict[int, Hood]]:
    """The neighbours of every node: kept up, and worked out anew."""
    nodes = nodes_of(tx, tenant)
    evidence = [evidence_of(row) for row in tx.all("SELECT * FROM evidence WHERE tenant = ?", tenant)]
    memory = Memory(nodes, evidence, policy_of(tx, tenant), ghosts_of(tx, tenant))
    bases = [number for number, node in nodes.items() if not node.since]
    return {one: hood(tx, tenant, one) for one in bases}, {one: memory.hood(one) for one in bases}
