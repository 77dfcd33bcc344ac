"""Each guard by itself: what it refuses, what it lets pass, and what `explain` will say."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from socialsupport_core.identity import Policy, partition
from socialsupport_core.identity.batch import Batch
from socialsupport_core.identity.namesakes import value_of
from socialsupport_core.model import Identifier
from socialsupport_core.store.evidence import HUB, Evidence
from socialsupport_core.store.nodes import Node

DAY = 86_400_000_000
MAIL, OTHER, PHONE = "email:k@a.example", "email:l@a.example", "phone:+442079460958"
Said = tuple[str, str, str, int]
"""An account, what it is said to have, the tier, and the day."""


def customers(said: Sequence[Said], policy: Policy | None = None) -> dict[str, str | None]:
    batch = Batch(policy or Policy())
    for one, other, tier, day in said:
        a, b = (Identifier.parse(written) for written in (one, other))
        batch.observe(day * DAY, (a.kind, a.scope, a.value), [(b.kind, b.scope, b.value, tier)])
    return {str(identifier): customer for identifier, customer in batch.customers()}


def together(said: Sequence[Said], *who: str, policy: Policy | None = None) -> bool:
    found = customers(said, policy)
    return len({found[one] for one in who}) == 1


def codes(said: Sequence[Said], policy: Policy | None = None) -> set[str]:
    """The rules that refused something."""
    names = sorted({one for first, second, _, _ in said for one in (first, second)})
    numbers = {name: number for number, name in enumerate(names)}
    first = {name: min(day for a, b, _, day in said if name in (a, b)) * DAY for name in names}
    nodes = {
        n: Node(n, Identifier.parse(name), name.encode(), n, first[name], None, None) for name, n in numbers.items()
    }
    evidence = []
    for a, b, tier, day in said:
        low, high = sorted((numbers[a], numbers[b]))
        evidence.append(Evidence(low, high, tier, "p", f"{day}", day * DAY))
    return {one.code for one in partition(nodes, evidence, policy or Policy()).refused}


@pytest.mark.parametrize("tier", ["asserted", "verified", "human"])
def test_a_customer_has_one_record_in_a_crm_whatever_is_said(tier: str) -> None:
    said = [("crm.ledger:1", MAIL, tier, 1), ("crm.ledger:2", MAIL, tier, 2)]
    assert not together(said, "crm.ledger:1", "crm.ledger:2")
    assert codes(said) == ({"shared"} if tier == "asserted" else {"exclusive"})
    assert together([said[0], ("crm.other:2", MAIL, tier, 2)], "crm.ledger:1", "crm.other:2")


def test_the_record_that_was_there_first_stays() -> None:
    said = [("crm.ledger:2", MAIL, "verified", 1), ("crm.ledger:1", MAIL, "verified", 2)]
    assert together(said, MAIL, "crm.ledger:2")
    assert together([*said, ("crm.ledger:1", MAIL, "human", 9)], MAIL, "crm.ledger:1")  # a person comes before proof


def test_one_account_a_network_unless_it_is_proven() -> None:
    """Not through one address, which would be shared, but by a way round."""
    said = [
        ("x.user:1", MAIL, "asserted", 1),
        ("crm.ledger:1", MAIL, "asserted", 2),
        ("crm.ledger:1", OTHER, "asserted", 3),
    ]
    second = ("x.user:2", OTHER, "asserted", 4)
    assert not together([*said, second], "x.user:1", "x.user:2")
    assert codes([*said, second]) == {"limit"}
    assert not together([*said, (*second[:2], "verified", 4)], "x.user:1", "x.user:2")  # all of the way, or none
    assert together([(a, b, "verified", day) for a, b, _, day in [*said, second]], "x.user:1", "x.user:2")
    assert together([*said, second], "x.user:1", "x.user:2", policy=Policy(limits={"x.user": 2}))
    scoped = [(a.replace("x.user:2", "x.user@b:2"), *rest) for a, *rest in [*said, second]]
    assert together([tuple(one) for one in scoped], "x.user:1", "x.user@b:2")  # type: ignore[misc]


def test_of_several_a_customer_may_have_so_many() -> None:
    visits = [(f"webchat.visitor@c:{n}", MAIL, "asserted", n) for n in range(1, 5)]
    everybody = [one for one, *_ in visits]
    assert together(visits, *everybody)
    assert not together(visits, *everybody, policy=Policy(limits={"webchat.visitor": 3}))
    way_round = [(f"webchat.visitor@c:{n}", f"email:m{n}@a.example", "asserted", n) for n in range(1, 5)]
    record = [("crm.ledger:1", f"email:m{n}@a.example", "asserted", 9) for n in range(1, 5)]
    found = customers([*way_round, *record], Policy(limits={"webchat.visitor": 3}))
    assert sum(found[one] == found["crm.ledger:1"] for one in everybody) == 3


@pytest.mark.parametrize(("kind", "most"), [(MAIL, 8), (PHONE, 2)])
def test_too_many_proofs_make_it_shared(kind: str, most: int) -> None:
    proven = [(f"x.user:{n}", kind, "verified", 1) for n in range(most + 1)]
    assert together(proven[:-1], *(one for one, *_ in proven[:-1]))
    found = customers(proven)
    assert found.pop(kind) is None
    assert len(set(found.values())) == most + 1


def test_a_second_one_who_is_only_said_to_have_it_parts_what_is_only_said() -> None:
    said = [
        ("x.user:1", MAIL, "verified", 2),
        ("x.user:2", MAIL, "asserted", 3),
        ("telegram.user:1", MAIL, "asserted", 1),
    ]
    found = customers(said)
    assert found["x.user:1"] == found[MAIL]
    assert len(set(found.values())) == 3


@pytest.mark.parametrize("written", ["info", "Support", "NO-REPLY", "sales+north", "postmaster"])
@pytest.mark.parametrize("tier", ["asserted", "verified"])
def test_a_role_mailbox_joins_nobody_but_by_hand(written: str, tier: str) -> None:
    box = f"email:{written}@a.example"
    said = [("x.user:1", box, tier, 1), ("telegram.user:1", box, tier, 2)]
    found = customers(said)
    assert found[box] is None
    assert found["x.user:1"] != found["telegram.user:1"]
    assert codes(said) == {"role"}
    assert together([(*said[0][:2], "human", 1), (*said[1][:2], "human", 2)], "x.user:1", "telegram.user:1")
    assert together(said, "x.user:1", "telegram.user:1", policy=Policy(role_mailboxes=frozenset()))


@pytest.mark.parametrize("written", ["info2", "info.berlin", "uk-sales", "atendimento", "kontakt", "ventas01", "biuro"])
def test_a_role_is_one_as_a_part_too_and_in_other_languages(written: str) -> None:
    box = f"email:{written}@a.example"
    assert not together([("x.user:1", box, "verified", 1), ("telegram.user:1", box, "verified", 2)], box, "x.user:1")


@pytest.mark.parametrize("written", ["infocom", "mail.kerry", "anna.shop", "kerry.fisher", "sales123", "7"])
def test_a_person_s_mailbox_is_no_role_s(written: str) -> None:
    box = f"email:{written}@a.example"
    assert together([("x.user:1", box, "asserted", 1), ("telegram.user:1", box, "asserted", 2)], box, "x.user:1")


NOBODYS = [
    "email:test@test.com",
    "email:a@a.com",
    "email:noemail@b.example",
    "email:xxx@b.example",
    "email:familie.meyer@b.example",
    "email:family@b.example",
    "phone:+10000000000",
    "phone:+1234567890",
    "phone:0000000",
    "phone:+5511999999999",
]


@pytest.mark.parametrize("written", NOBODYS)
def test_what_looks_like_nobodys_own_joins_by_proof_alone(written: str) -> None:
    said = [("x.user:1", written, "asserted", 1), ("telegram.user:1", written, "asserted", 2)]
    assert customers(said)[written] is None
    assert not together(said, "x.user:1", "telegram.user:1")
    assert codes(said) == {"blocked"}
    assert together([(a, b, "verified", day) for a, b, _, day in said], "x.user:1", "telegram.user:1")
    assert together(said, "x.user:1", "telegram.user:1", policy=Policy(placeholders=True, family_mailboxes=True))


def test_a_placeholder_that_too_many_prove_joins_by_no_proof_either() -> None:
    proven = [(f"x.user:{n}", "phone:+10000000000", "verified", 1) for n in range(3)]
    assert len(set(customers(proven).values())) == 4


@pytest.mark.parametrize(
    "written", ["email:ab@abc.example", "email:kerry@kerry.example", "email:tester.k@a.example", "phone:+15550000001"]
)
def test_what_looks_like_somebodys_joins(written: str) -> None:
    assert together(
        [("x.user:1", written, "asserted", 1), ("telegram.user:1", written, "asserted", 2)],
        *("x.user:1", "telegram.user:1"),
    )


@pytest.mark.parametrize("tier", ["asserted", "verified"])
@pytest.mark.parametrize(
    ("mine", "others", "are_one"),
    [
        ("kerry.fisher", "kerryfisher82", False),
        ("kerry.fisher", "Kerry_Fisher82", True),
        ("kerry.fisher", "dana.fisher", False),
        ("fisher17", "fisher18", False),
        ("fisher17", "fisher.17", True),
        ("k.fisher1", "k.fisher2", False),
    ],
)
def test_mailboxes_of_one_name_tell_nobody_apart_at_a_telephone(
    mine: str, others: str, are_one: bool, tier: str
) -> None:
    said = [
        ("x.user:1", f"email:{mine}@a.example", tier, 1),
        ("telegram.user:1", f"email:{others}@b.example", tier, 1),
        ("x.user:1", PHONE, tier, 2),
        ("telegram.user:1", PHONE, tier, 2),
    ]
    said = [(a, b.lower(), t, day) for a, b, t, day in said]
    assert together(said, "x.user:1", "telegram.user:1") == are_one
    assert ("told_apart" in codes(said)) != are_one


def test_a_name_joins_nobody() -> None:
    said = [
        ("x.user:1", "email:kerry.fisher@a.example", "verified", 1),
        ("telegram.user:1", "email:kerry.fisher@b.example", "verified", 1),
    ]
    assert not together(said, "x.user:1", "telegram.user:1")


def test_of_two_owners_of_one_mailbox_each_is_another() -> None:
    mine, others = (Identifier(kind="email", value=f"kerry.fisher@{host}.example") for host in "ab")
    assert value_of(mine, (1, 0)) == value_of(others, (2, 0))
    assert value_of(mine, (1, 0)) != value_of(mine, (1, 1))


@pytest.mark.parametrize("blocked", [PHONE, "phone:+44*", "*0958"])
def test_a_blocked_value_joins_nobody(blocked: str) -> None:
    said = [("x.user:1", PHONE, "verified", 1), ("telegram.user:1", PHONE, "verified", 2)]
    assert together(said, "x.user:1", "telegram.user:1")
    assert not together(said, "x.user:1", "telegram.user:1", policy=Policy(blocked=frozenset({blocked})))
    assert codes(said, Policy(blocked=frozenset({blocked}))) == {"blocked"}


def test_addresses_of_their_own_tell_two_apart_who_have_a_telephone_in_common() -> None:
    own = [("x.user:1", MAIL, "asserted", 1), ("telegram.user:2", OTHER, "asserted", 1)]
    phone = [("x.user:1", PHONE, "asserted", 2), ("telegram.user:2", PHONE, "asserted", 3)]
    assert together(phone, "x.user:1", "telegram.user:2")
    assert not together([*own, *phone], "x.user:1", "telegram.user:2")
    assert codes([*own, *phone]) == {"told_apart"}
    proof = [(one, other, "verified", day) for one, other, _, day in phone]
    assert together(proof, "x.user:1", "telegram.user:2")
    assert not together(
        [*own, *proof], "x.user:1", "telegram.user:2"
    )  # a household's phone can be proven by each of it
    assert codes([*own, *proof]) == {"told_apart"}
    assert together([*own, *phone], "x.user:1", "telegram.user:2", policy=Policy(told_apart_by={}))
    common = [("x.user:1", OTHER, "asserted", 1)]
    assert together([*own, *phone, *common], "x.user:1", "telegram.user:2")


def test_a_household_is_told_apart_whatever_was_said_first() -> None:
    """What each of them has for their own came later, and by a way round."""
    said = [
        ("x.user:1", PHONE, "verified", 1),
        ("telegram.user:2", PHONE, "verified", 2),
        ("x.user:1", "webchat.visitor@c:1", "verified", 5),
        ("webchat.visitor@c:1", MAIL, "verified", 6),
        ("telegram.user:2", "whatsapp.user:2", "verified", 7),
    ]
    assert together(said, "x.user:1", "telegram.user:2")
    later = [*said, ("whatsapp.user:2", OTHER, "verified", 8)]
    found = customers(later)
    assert found["x.user:1"] == found[MAIL] != found["telegram.user:2"] == found[OTHER]
    assert found[PHONE] is None  # it is nobody's own
    assert codes(later) == {"told_apart"}


def test_whose_phone_an_address_has_too_is_told_apart_by_it() -> None:
    said = [(MAIL, PHONE, "verified", 1), (OTHER, PHONE, "verified", 2), ("x.user:1", MAIL, "verified", 3)]
    assert not together(said, MAIL, OTHER)
    assert together([*said, ("x.user:1", OTHER, "verified", 4)], MAIL, OTHER, PHONE)


def test_other_telephones_of_their_own_tell_two_apart() -> None:
    common = [("x.user:1", PHONE, "asserted", 1), ("telegram.user:2", PHONE, "asserted", 2)]
    first, second = (f"phone:+44207946000{n}" for n in (1, 2))
    own = [("x.user:1", first, "asserted", 3), ("telegram.user:2", second, "asserted", 4)]
    assert together([*common, own[0]], "x.user:1", "telegram.user:2")  # one of two numbers may be a new one
    assert not together([*common, *own], "x.user:1", "telegram.user:2")
    assert together([*common, *own, ("telegram.user:2", first, "asserted", 5)], "x.user:1", "telegram.user:2")
    assert together([*common, *own], "x.user:1", "telegram.user:2", policy=Policy(told_apart_by={"phone": "email"}))  # type: ignore[dict-item]


def test_what_two_have_in_common_who_are_told_apart_joins_no_third() -> None:
    said = [
        ("x.user:1", MAIL, "verified", 1),
        ("telegram.user:2", OTHER, "verified", 1),
        *((one, PHONE, "asserted", 2) for one in ("x.user:1", "telegram.user:2", "whatsapp.user:3")),
    ]
    found = customers(said)
    assert len({found["x.user:1"], found["telegram.user:2"], found["whatsapp.user:3"]}) == 3
    assert found[PHONE] is None
    proof = [*said, ("whatsapp.user:3", PHONE, "verified", 3)]
    assert together(proof, "whatsapp.user:3", PHONE)


def test_what_three_have_in_common_of_whom_one_has_another_number_is_nobodys_own() -> None:
    said = [(one, PHONE, "asserted", 1) for one in ("x.user:1", "telegram.user:2", "whatsapp.user:3")]
    another = ("x.user:1", "phone:+442079460001", "asserted", 2)
    assert together(said, *(one for one, *_ in said))
    assert together([*said[:2], another], "x.user:1", "telegram.user:2")
    assert len({customers([*said, another])[one] for one, *_ in said}) == 3
    assert codes([*said, another]) == {"shared"}
    known = [*said, another, ("telegram.user:2", "x.user:1", "verified", 3)]
    assert together(known, *(one for one, *_ in said))  # of two who are not known to be one, it may be


@pytest.mark.parametrize("tier", ["asserted", "verified"])
@pytest.mark.parametrize("who", ["x.user:1", "telegram.user:2"])
def test_what_one_had_long_before_another_joins_them_not_if_one_has_another_number(tier: str, who: str) -> None:
    said = [("x.user:1", PHONE, tier, 1), ("telegram.user:2", PHONE, tier, 46)]
    another = (who, "phone:+442079460001", tier, 2)
    ends = ("x.user:1", "telegram.user:2")
    assert together(said, *ends)
    assert not together([*said, another], *ends)
    assert codes([*said, another]) == {"shared"}
    assert together([said[0], another, ("telegram.user:2", PHONE, tier, 45)], *ends)  # a number rests longer
    assert together([*said, another, ("x.user:1", PHONE, tier, 31)], *ends)  # they had it still
    assert together([*said, another, (*ends, "human", 47)], *ends)
    mails = [(one, MAIL, "asserted", 50) for one in ends]
    assert together([*said, another, *mails], *ends)  # a mailbox in common joins them


@pytest.mark.parametrize("tier", ["asserted", "verified"])
def test_what_nobody_was_seen_with_for_a_year_is_nobodys_own(tier: str) -> None:
    said = [("x.user:1", PHONE, tier, 1), ("telegram.user:2", PHONE, tier, 366)]
    ends = ("x.user:1", "telegram.user:2")
    assert not together(said, *ends)
    assert codes(said) == {"shared"}
    assert together([said[0], (*said[1][:3], 365)], *ends)
    assert together([*said, ("x.user:1", PHONE, tier, 31)], *ends)  # they had it still
    assert together([*said, ("whatsapp.user:3", PHONE, tier, 200)], *ends)
    assert together([*said, (*ends, "human", 400)], *ends)
    assert together([*said, ("crm.ledger:1", PHONE, tier, 200)], *ends)  # who knows when it was the record's
    mails = [(one, MAIL, "asserted", 400) for one in ends]
    assert together([*said, *mails], *ends)  # a mailbox in common joins them


def test_the_year_is_sought_between_any_two_who_had_it_in_turn() -> None:
    said = [("x.user:1", PHONE, "asserted", 1), ("x.user:1", PHONE, "asserted", 301)]
    said += [("telegram.user:2", PHONE, "asserted", 100), ("whatsapp.user:3", PHONE, "asserted", 500)]
    assert together(said, "x.user:1", "telegram.user:2", "whatsapp.user:3")
    assert codes([*said[:3], ("whatsapp.user:3", PHONE, "asserted", 701)]) == {"shared"}
    early, *_ = said
    later = [("telegram.user:2", PHONE, "asserted", 400), ("whatsapp.user:3", PHONE, "asserted", 401)]
    assert codes([early, *later]) == {"shared"}


def test_a_year_between_two_visits_tells_nothing() -> None:
    said = [(f"webchat.visitor:{day}", PHONE, "asserted", day) for day in (1, 400, 800)]
    visitors = [one for one, *_ in said]
    assert together(said, *visitors)
    assert together([*said, ("x.user:1", PHONE, "asserted", 900)], *visitors)
    assert codes([*said, ("x.user:1", PHONE, "asserted", 1200)]) == {"shared"}
    known = [("webchat.visitor:1", MAIL, "asserted", 1)]
    assert not together([*said[:2], *known], *visitors[:2])  # it is somebody by now


def test_only_the_time_since_a_number_was_given_up_counts() -> None:
    """Once theirs, given up, then another's, and long after that theirs again."""
    names = ("x.user:1", "telegram.user:2", PHONE, "phone:+442079460001")
    nodes = {n: Node(n, Identifier.parse(name), name.encode(), n, DAY, None, None) for n, name in enumerate(names, 1)}
    said = [(1, 3, "asserted", 1), (3, 3, "closed", 90), (2, 3, "asserted", 91), (1, 3, "asserted", 151)]
    evidence = [Evidence(a, b, tier, "p", f"{day}", day * DAY) for a, b, tier, day in said]
    known = partition(nodes, evidence).customer
    assert known[1] == known[2]
    known = partition(nodes, [*evidence, Evidence(1, 4, "asserted", "p", "151", 151 * DAY)]).customer
    assert known[1] != known[2]


def test_the_time_of_a_record_does_not_tell_when_somebody_had_a_number() -> None:
    said = [("crm.ledger:1", PHONE, "asserted", 1), ("x.user:1", PHONE, "asserted", 100)]
    assert together([*said, ("crm.ledger:1", "phone:+442079460001", "asserted", 1)], "crm.ledger:1", "x.user:1")


def test_two_telephones_do_not_lead_from_one_to_another_who_is_told_apart() -> None:
    """Between them is somebody who has both telephones and nothing else."""
    said = [
        ("x.user:1", MAIL, "asserted", 1),
        ("telegram.user:2", OTHER, "asserted", 1),
        ("x.user:1", PHONE, "asserted", 2),
        ("whatsapp.user:3", PHONE, "asserted", 3),
        ("whatsapp.user:3", "phone:+442079460001", "asserted", 4),
        ("telegram.user:2", "phone:+442079460001", "asserted", 5),
    ]
    found = customers(said)
    assert found["x.user:1"] == found["whatsapp.user:3"] != found["telegram.user:2"]
    assert codes(said) == {"told_apart"}


def test_where_too_much_hangs_together_what_is_only_said_disputes_nothing() -> None:
    said = [
        ("x.user:1", MAIL, "asserted", 1),
        ("telegram.user:2", OTHER, "asserted", 1),
        ("x.user:1", PHONE, "asserted", 2),
        ("telegram.user:2", PHONE, "asserted", 3),
    ]
    assert customers(said)[PHONE] is None
    assert customers(said, Policy(component=3))[PHONE] is not None


def test_above_the_cap_only_a_person_joins() -> None:
    policy = Policy(cap=3)
    chain = [(f"n{n}.user:1", f"n{n + 1}.user:1", "verified", n + 1) for n in range(5)]
    found = customers(chain, policy)
    assert max(list(found.values()).count(one) for one in found.values()) == 3
    assert codes(chain, policy) == {"cap"}
    assert len(set(customers([(a, b, "human", day) for a, b, _, day in chain], policy).values())) == 1


def test_one_account_is_said_to_have_only_so_much() -> None:
    said = [("x.user:1", f"email:m{n}@a.example", "asserted", n) for n in range(1, 10)]
    assert len(set(customers(said).values())) == 10
    assert len(set(customers(said[:8]).values())) == 1
    assert codes(said) == {"shared"}


def test_a_hub_joins_nobody() -> None:
    said = [(f"n{n}.user:1", MAIL, "verified", 1) for n in range(HUB + 1)]
    assert len(set(customers(said).values())) == HUB + 2
    assert customers(said)[MAIL] is None


@pytest.mark.parametrize("merges", ["verified", "human"])
def test_what_is_weaker_than_the_policy_wants_only_suggests(merges: str) -> None:
    policy = Policy(merges=merges)  # type: ignore[arg-type]
    said = [("x.user:1", MAIL, "asserted", 1)]
    assert not together(said, "x.user:1", MAIL, policy=policy)
    assert codes(said, policy) == {"tier"}
    assert together([("x.user:1", MAIL, "verified", 1)], "x.user:1", MAIL, policy=policy) is (merges == "verified")


def test_the_later_of_two_verdicts_on_a_pair_counts() -> None:
    for link, split, joined in ((1, 2, False), (2, 1, True), (1, 1, False)):
        said = [("x.user:1", MAIL, "human", link), ("x.user:1", MAIL, "cannot", split)]
        assert together(said, "x.user:1", MAIL) is joined


def test_a_split_parts_groups_and_not_only_the_pair() -> None:
    said = [("x.user:1", MAIL, "verified", 1), ("telegram.user:1", MAIL, "verified", 2)]
    parted = [*said, ("x.user:1", "telegram.user:1", "cannot", 9)]
    found = customers(parted)
    assert found["x.user:1"] == found[MAIL] != found["telegram.user:1"]
    assert codes(parted) == {"apart"}


def test_the_id_is_that_of_whoever_was_seen_first_and_rather_an_accounts() -> None:
    found = customers([("x.user:1", MAIL, "verified", 5), ("telegram.user:1", MAIL, "verified", 9)])
    alone = customers([("x.user:1", "email:elsewhere@a.example", "claimed", 1)])
    assert found[MAIL] == alone["x.user:1"]
    later = customers([("x.user:1", MAIL, "verified", 5), ("telegram.user:1", MAIL, "verified", 3)])
    assert later["x.user:1"] == customers([("telegram.user:1", OTHER, "claimed", 1)])["telegram.user:1"]


# identifiers that change hands


def test_a_proof_by_another_account_takes_over_what_was_only_said() -> None:
    said = [("x.user:1", PHONE, "asserted", 1), ("x.user:2", PHONE, "verified", 50)]
    assert customers(said)[PHONE] == customers(said)["x.user:2"]
    seen_since = [*said, ("x.user:1", PHONE, "asserted", 100)]
    assert customers(seen_since)[PHONE] == customers(seen_since)["x.user:2"]  # by proof alone
    third = ("telegram.user:3", PHONE, "asserted", 60)
    assert not together([*said, third], "telegram.user:3", "x.user:2")  # it may be a household's after all
    before = ("telegram.user:1", PHONE, "verified", 2)
    assert customers([*said, before])[PHONE] == customers([*said, before])["telegram.user:1"]
    assert together([*said, before], "x.user:2", "telegram.user:1")  # what is only said parts no two proofs


def test_after_a_rest_a_proven_number_may_be_somebody_elses() -> None:
    said = [("x.user:1", PHONE, "verified", 1), ("x.user:2", PHONE, "verified", 200)]
    policy = Policy(recycled={"phone": timedelta(days=90)})
    assert together(said, "x.user:1", "x.user:2")
    assert not together(said, "x.user:1", "x.user:2", policy=policy)
    assert customers(said, policy)[PHONE] == customers(said, policy)["x.user:2"]
    again = [*said, ("x.user:1", PHONE, "verified", 150)]
    assert together(again, "x.user:1", "x.user:2", policy=policy)
