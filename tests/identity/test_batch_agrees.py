"""A batch, which keeps numbers in arrays, and the walk that the store does: the same customers of the same evidence."""

import random
from collections.abc import Iterable

import permutations
import pytest

from socialsupport_core.identity import Policy, canonical, partition
from socialsupport_core.identity.batch import Observation
from socialsupport_core.model import Identifier
from socialsupport_core.store import micros
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.nodes import Node

KINDS = ("x.user", "telegram.user", "whatsapp.user", "email", "email", "phone", "phone", "phone", "crm.ledger")
Together = tuple[set[frozenset[str]], set[str]]


class Told:
    """Observations as nodes and evidence."""

    def __init__(self, observed: Iterable[Observation], policy: Policy) -> None:
        self.policy = policy
        self.numbers: dict[str, int] = {}
        self.nodes: dict[int, Node] = {}
        self.evidence: list[Evidence] = []
        for source, one in enumerate(observed):
            at = micros(one.at)
            if one.account is not None:
                self.number(one.account, at)
                for claim in one.claims:
                    self.say(one.account, claim, claim.tier, at, source)
            for pair, tier in ((one.link, "human"), (one.split, "cannot")):
                if pair is not None:
                    self.say(*pair, tier, at, source)

    def number(self, written: Identifier, at: int) -> int:
        plain = Identifier(kind=written.kind, scope=written.scope, value=written.value)
        identifier = canonical(plain, self.policy)
        number = self.numbers.setdefault(str(identifier), len(self.numbers) + 1)
        known = self.nodes.get(number)
        if known is None or at < known.first_seen:
            self.nodes[number] = Node(number, identifier, str(identifier).encode(), number, at, None, None)
        return number

    def say(self, one: Identifier, other: Identifier, tier: str, at: int, source: int) -> None:
        low, high = sorted((self.number(one, at), self.number(other, at)))
        if low != high:
            self.evidence.append(Evidence(low, high, tier, "p", str(source), at))

    def together(self) -> Together:
        found = partition(self.nodes, self.evidence, self.policy)
        shared = {name for name, number in self.numbers.items() if number in found.shared}
        return groups({name: found.customer[number] for name, number in self.numbers.items()}), shared


def groups(customer: dict[str, int | str]) -> set[frozenset[str]]:
    found: dict[int | str, set[str]] = {}
    for name, one in customer.items():
        found.setdefault(one, set()).add(name)
    return set(map(frozenset, found.values()))


@pytest.mark.parametrize("block", range(4))
def test_a_batch_gives_the_customers_that_a_walk_gives(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutations, "KINDS", KINDS)
    compared = 0
    for seed in range(block * 300, block * 300 + 300):
        chance = random.Random(seed)
        policy, observed = permutations.policy_of(chance), permutations.drawn(chance)
        told = Told(observed, policy)
        expected, shared = told.together()
        if any(number < 0 for number in partition(told.nodes, told.evidence, policy).customer):
            continue  # something changed hands: its earlier time has no name in a batch
        customers = permutations.outcome(observed, policy)
        assert {name for name, one in customers.items() if one is None} == shared, seed
        assert groups({name: one or name for name, one in customers.items()}) == expected, seed
        compared += 1
    assert compared > 200
