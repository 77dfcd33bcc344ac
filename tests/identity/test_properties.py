"""What holds for every set of evidence. `python tests/identity/permutations.py 10000` runs the first for longer."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from permutations import KINDS, differences, drawn, policy_of, written

from socialsupport_core.identity import Policy, partition, resolve
from socialsupport_core.identity.batch import Batch
from socialsupport_core.identity.components import Walker
from socialsupport_core.identity.disclosing import reached
from socialsupport_core.identity.partition import Memory
from socialsupport_core.identity.policy import VERIFIED
from socialsupport_core.model import Identifier
from socialsupport_core.store.evidence import Evidence
from socialsupport_core.store.nodes import Node

DAY = 86_400_000_000
SIZE = 8
brief = settings(max_examples=60)
policies = st.integers(0, 10_000).map(lambda seed: policy_of(random.Random(seed)))
nodes = st.lists(st.sampled_from(KINDS), min_size=SIZE, max_size=SIZE).map(
    lambda kinds: {
        number: Node(number, Identifier(kind=kind, value=written(kind, number)), b"%d" % number, number, 0, None, None)
        for number, kind in enumerate(kinds)
    }
)


def bundle(*tiers: str) -> st.SearchStrategy[list[Evidence]]:
    one = st.builds(
        lambda a, b, tier, day: Evidence(min(a, b), max(a, b), tier, "p", f"s{day}", day * DAY),
        st.integers(0, SIZE - 1),
        st.integers(0, SIZE - 1),
        st.sampled_from(tiers),
        st.sampled_from([1, 2, 3, 60, 100, 200]),
    )
    return st.lists(one.filter(lambda e: e.a != e.b), max_size=14, unique_by=lambda e: e.digest)


everything = bundle("human", "verified", "verified", "asserted", "asserted", "claimed", "cannot")


def test_no_order_of_arrival_changes_customers_or_ids() -> None:
    assert differences(range(150), orders=4) == []


@brief
@given(st.integers(0, 100_000), policies)
def test_the_batch_gives_what_the_partition_gives(seed: int, policy: Policy) -> None:
    """Two ways of keeping the books, one set of rules."""
    chance = random.Random(seed)
    observed = drawn(chance)
    batch = Batch(policy)
    for one in observed:
        batch.add(one)
    found = {str(identifier): customer for identifier, customer in batch.customers()}
    expected = by_partition(batch, policy)
    assert grouped(found) == grouped(expected)
    assert {name for name, one in found.items() if one is None} == {n for n, one in expected.items() if one is None}


def by_partition(batch: Batch, policy: Policy) -> dict[str, str | None]:
    """The same reasons as nodes and evidence, each as a piece of its own."""
    known = {
        number: Node(number, Identifier.parse(name), name.encode(), number, batch.first[number], None, None)
        for number, name in enumerate(map(batch.name, range(len(batch.values))))
    }
    tiers = ("human", "verified", "asserted")
    reasons = zip(batch.a, batch.b, batch.rank, batch.at, strict=True)
    evidence = [Evidence(min(a, b), max(a, b), tiers[rank], "p", str(at), at) for a, b, rank, at in reasons]
    for (a, b), (at, apart) in batch.verdicts.items():
        evidence += [Evidence(a, b, "cannot", "p", str(at), at)] if apart else []
    walker = Walker(Memory(known, evidence, policy))
    found: dict[str, str | None] = {}
    for number, node in known.items():
        key = (number, len(walker.view(number).cuts))
        folded = walker.fold(walker.component(key))
        heads = folded.heads
        is_alone = list(heads.values()).count(heads[key]) == 1
        is_stopped = bool(walker.stop(key).rule) or key in folded.disputed
        is_shared = is_alone and is_stopped and policy.is_contact(node.identifier.kind)
        found[str(node.identifier)] = None if is_shared else str(heads[key])
    return found


def grouped(found: dict[str, str | None]) -> set[frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for name, customer in found.items():
        groups.setdefault(customer or f"nobody {name}", set()).add(name)
    return {frozenset(group) for group in groups.values()}


@brief
@given(nodes, everything, policies, bundle("claimed"))
def test_a_claim_never_changes_the_partition(
    known: dict[int, Node], given_: list[Evidence], policy: Policy, claims: list[Evidence]
) -> None:
    assert partition(known, given_ + claims, policy).customer == partition(known, given_, policy).customer


def disclosed(known: dict[int, Node], given_: list[Evidence], policy: Policy) -> tuple[set[tuple[int, int]], bool]:
    """Who may be told what is known from whom, and whether a guard has refused any proof."""
    walker = Walker(Memory(known, given_, policy))
    pairs: set[tuple[int, int]] = set()
    refused = False
    for number in known:
        for key in walker.keys(number):
            found = walker.component(key)
            folded = walker.fold(found)
            proven = [edge for edge in folded.joined if edge.rank <= VERIFIED]
            pairs |= {(number, other) for other, _ in reached(key, proven)}
            refused |= any(one.edge.rank <= VERIFIED for one in (*folded.refused, *found.stopped))
            refused |= len(walker.view(number).cuts) > 0
    return pairs, refused


@brief
@given(nodes, everything, bundle("verified"))
def test_proof_that_turns_no_guard_never_lowers_disclosure(
    known: dict[int, Node], given_: list[Evidence], proofs: list[Evidence]
) -> None:
    before, _ = disclosed(known, given_, Policy())
    after, refused = disclosed(known, given_ + proofs, Policy())
    assert refused or before <= after


@brief
@given(nodes, bundle("verified", "human", "cannot"), bundle("asserted", "claimed"))
def test_what_is_only_said_discloses_nothing(
    known: dict[int, Node], proofs: list[Evidence], said: list[Evidence]
) -> None:
    assert disclosed(known, proofs + said, Policy())[0] <= disclosed(known, proofs, Policy())[0]


@brief
@given(nodes, everything, policies)
def test_what_may_be_disclosed_is_one_customers(known: dict[int, Node], given_: list[Evidence], policy: Policy) -> None:
    found = partition(known, given_, policy)
    if any(number < 0 for number in found.customer):
        return  # a number that changed hands: its present and its past are two
    for one, other in disclosed(known, given_, policy)[0]:
        assert found.customer[one] == found.customer[other]


@brief
@given(nodes, everything, policies)
def test_the_guards_hold(known: dict[int, Node], given_: list[Evidence], policy: Policy) -> None:
    found = partition(known, given_, policy)
    groups: dict[int, list[Node]] = {}
    for number, customer in found.customer.items():
        groups.setdefault(customer, []).extend([known[number]] if number >= 0 else [])
    by_hand = any(one.tier == "human" for one in given_)
    for group in groups.values():
        kinds = [node.identifier.kind for node in group]
        assert kinds.count("crm.ledger") <= 1
        assert by_hand or len(group) <= policy.cap
        if all(one.tier != "verified" for one in given_) and not by_hand:
            assert kinds.count("x.user") <= 1
    parted = latest(given_)
    for pair in (pair for pair, apart in parted.items() if apart):
        a, b = pair
        assert found.customer[a] != found.customer[b]


def latest(given_: list[Evidence]) -> dict[tuple[int, int], bool]:
    """By pair, whether the latest verdict parts it; on a tie it does."""
    said: dict[tuple[int, int], tuple[int, bool]] = {}
    for one in given_:
        if one.tier in ("human", "cannot"):
            now = (one.at, one.tier == "cannot")
            said[one.a, one.b] = max(said.get((one.a, one.b), now), now)
    return {pair: apart for pair, (_, apart) in said.items()}


def test_resolve_takes_plain_values() -> None:
    account, mail = {"kind": "x.user", "value": "1"}, {"kind": "email", "value": "K@a.example", "tier": "asserted"}
    other = {"kind": "telegram.user", "value": "2"}
    found = resolve(
        [
            {"at": "2026-01-01T00:00:00Z", "account": account, "claims": [mail]},
            {"at": "2026-01-02T00:00:00Z", "account": other, "claims": [mail]},
        ]
    )
    assert [str(one) for one in found] == ["email:K@a.example", "telegram.user:2", "x.user:1"]
    assert len(set(found.values())) == 1
