"""The partition is a pure function of the set of evidence."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.identity import Partition, partition
from socialsupport_core.identity.partition import CAP
from socialsupport_core.model import Identifier
from socialsupport_core.store.identity import Evidence, Node

KINDS = ("x.user", "email", "phone", "crm.ledger")
SIZE = 9
brief = settings(max_examples=50)


def node(number: int, kind: str = "x.user", first_seen: int = 0) -> Node:
    return Node(number, Identifier(kind=kind, value=f"v{number}"), b"%d" % number, number, first_seen, None, None)


def why(a: int, b: int, tier: str = "verified", at: int = 0, **more: str) -> Evidence:
    return Evidence(min(a, b), max(a, b), tier, more.pop("proof", "p"), more.pop("source", "s"), at, **more)


nodes = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 3)), min_size=SIZE, max_size=SIZE).map(
    lambda drawn: {number: node(number, *one) for number, one in enumerate(drawn)}
)
evidence = st.builds(
    why,
    st.integers(0, SIZE - 1),
    st.integers(0, SIZE - 1),
    st.sampled_from(["human", "verified", "asserted", "claimed", "cannot"]),
    st.integers(0, 4),
).filter(lambda one: one.a != one.b)
bundles = st.lists(evidence, max_size=16, unique_by=lambda one: one.digest)


def groups(found: Partition) -> set[frozenset[int]]:
    joined: dict[int, set[int]] = {}
    for member, canonical in found.customer.items():
        joined.setdefault(canonical, set()).add(member)
    return {frozenset(group) for group in joined.values()}


def together(found: Partition, a: int, b: int) -> bool:
    return found.customer[a] == found.customer[b]


@brief
@given(nodes, bundles, st.randoms(use_true_random=False))
def test_any_order_gives_the_same(known: dict[int, Node], given_: list[Evidence], chance: object) -> None:
    shuffled = list(given_)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = partition(known, given_), partition(known, shuffled)
    assert one.customer == other.customer
    assert {(r.evidence.digest, r.rule) for r in one.refused} == {(r.evidence.digest, r.rule) for r in other.refused}


@brief
@given(nodes, bundles)
def test_the_same_twice_changes_nothing(known: dict[int, Node], given_: list[Evidence]) -> None:
    assert partition(known, given_ + given_).customer == partition(known, given_).customer


@brief
@given(nodes, bundles, evidence)
def test_what_is_taken_back_never_was(known: dict[int, Node], given_: list[Evidence], extra: Evidence) -> None:
    others = [one for one in given_ if one.digest != extra.digest]
    gone = replace(extra, retracted_by="dana")
    assert partition(known, [*others, gone]) == partition(known, others)


@brief
@given(nodes, bundles, st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_cannot_separates_and_taking_it_back_restores(
    known: dict[int, Node], given_: list[Evidence], a: int, b: int
) -> None:
    if a == b:
        return
    verdict = why(a, b, "cannot", at=99)
    assert not together(partition(known, [*given_, verdict]), a, b)
    assert (
        partition(known, [*given_, replace(verdict, retracted_by="dana")]).customer == partition(known, given_).customer
    )


@brief
@given(nodes, bundles)
def test_claims_never_change_anything(known: dict[int, Node], given_: list[Evidence]) -> None:
    strong = [one for one in given_ if one.tier != "claimed"]
    assert partition(known, given_).customer == partition(known, strong).customer


@brief
@given(nodes, bundles)
def test_a_customer_has_one_record_in_one_crm(known: dict[int, Node], given_: list[Evidence]) -> None:
    for group in groups(partition(known, given_)):
        assert sum(known[member].identifier.kind == "crm.ledger" for member in group) <= 1


@brief
@given(nodes, bundles)
def test_every_group_hangs_together_by_what_joined_it(known: dict[int, Node], given_: list[Evidence]) -> None:
    found = partition(known, given_)
    reached = {number: {number} for number in known}
    for one in found.joined:
        whole = reached[one.a] | reached[one.b]
        for member in whole:
            reached[member] = whole
    assert {frozenset(group) for group in reached.values()} == groups(found)
    live = {one.digest for one in given_ if one.tier != "cannot"}
    assert {one.digest for one in found.joined} | {r.evidence.digest for r in found.refused} == live


@brief
@given(nodes, bundles)
def test_the_canonical_member_is_the_one_that_was_first_seen(known: dict[int, Node], given_: list[Evidence]) -> None:
    found = partition(known, given_)
    for group in groups(found):
        first = min(group, key=lambda member: _seniority(known[member]) if member >= 0 else (2**60, False, ""))
        assert {found.customer[member] for member in group} == {first}


def _seniority(node: Node) -> tuple[int, bool, str]:
    return node.first_seen, node.identifier.kind in {"email", "phone"}, str(node.identifier)


@brief
@given(nodes, bundles, st.permutations(range(SIZE)))
def test_it_does_not_hang_on_how_nodes_are_numbered(
    known: dict[int, Node], given_: list[Evidence], other: list[int]
) -> None:
    """Numbers count arrivals; identifiers do not."""
    renamed = {other[number]: one._replace(number=other[number]) for number, one in known.items()}
    moved = [replace(one, a=min(other[one.a], other[one.b]), b=max(other[one.a], other[one.b])) for one in given_]
    expected = {frozenset(other[member] for member in group) for group in groups(partition(known, given_))}
    assert groups(partition(renamed, moved)) == expected


def test_more_than_the_cap_needs_a_person() -> None:
    known = {number: node(number) for number in range(CAP + 4)}
    chain = [why(number, number + 1, at=number) for number in range(CAP + 3)]
    found = partition(known, chain)
    assert max(map(len, groups(found))) == CAP
    assert any("a person decides" in one.rule for one in found.refused)
    by_hand = [replace(one, tier="human") for one in chain]
    assert len(groups(partition(known, by_hand))) == 1


def test_of_two_verdicts_on_a_pair_the_later_counts_and_on_a_tie_the_split() -> None:
    known = {0: node(0), 1: node(1)}
    for link, split, joined in ((1, 2, False), (2, 1, True), (1, 1, False)):
        found = partition(known, [why(0, 1, "human", link), why(0, 1, "cannot", split)])
        assert together(found, 0, 1) is joined


def test_the_stronger_tier_joins_first() -> None:
    """Two records of one CRM want the same person: what is verified wins over what came earlier and is weaker."""
    known = {0: node(0), 1: node(1, "crm.ledger"), 2: node(2, "crm.ledger")}
    found = partition(known, [why(0, 1, "verified", at=1), why(0, 2, "human", at=9)])
    assert together(found, 0, 2)
    assert [one.rule for one in found.refused] == ["one customer has one crm.ledger"]
