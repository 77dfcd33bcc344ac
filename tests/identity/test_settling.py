"""What is settled at a glance is what the rules would have said."""

import random

import permutations
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.identity import Policy, settling
from socialsupport_core.identity.batch import Batch, Written
from socialsupport_core.identity.folding import Fold
from socialsupport_core.identity.settling import Part, Settled

DAY = 86_400_000_000
ASSERTED, PROVEN = "asserted", "verified"
MAIL, PHONE = ("email", None, "kerry@acme.example"), ("phone", None, "+442079460958")
CALM = ("x.user", "telegram.user", "whatsapp.user", "webchat.visitor", "crm.ledger", "email", "phone", "line.user")
Place = tuple[int, int] | None
policies = st.integers(0, 10_000).map(lambda seed: permutations.policy_of(random.Random(seed)))


def at_a_glance(batch: Batch) -> list[Place]:
    settled = Settled(batch)
    heads = [settled.head(number) for number in range(len(batch.values))]
    return [None if head is None else settled.place(head) for head in heads]


def by_the_rules(batch: Batch) -> list[Place]:
    fold = Fold(Part(batch, range(len(batch.values))))
    heads = [fold.head(number) for number in range(len(batch.values))]
    return [None if head is None else fold.place(head) for head in heads]


@settings(max_examples=30)
@given(st.integers(0, 100_000), policies)
def test_any_world_comes_out_as_by_the_rules(seed: int, policy: Policy) -> None:
    batch = Batch(policy)
    for one in permutations.drawn(random.Random(seed)):
        batch.add(one)
    assert at_a_glance(batch) == by_the_rules(batch)


@settings(max_examples=30)
@given(st.integers(0, 100_000), policies)
def test_so_do_worlds_in_which_next_to_nothing_is_there_twice(seed: int, policy: Policy) -> None:
    draw, batch = random.Random(seed), Batch(policy)
    for _ in range(40):
        person = draw.randrange(8)
        one, other = (calm(draw, person, chance=0.02) for _ in range(2))
        tier = draw.choice(
            (PROVEN, ASSERTED, ASSERTED, "claimed", *(("human", "cannot") if draw.random() < 0.1 else ()))
        )
        batch.observe(draw.choice((1, 1, 2, 50)) * DAY, one, [(*other, tier)])
    assert at_a_glance(batch) == by_the_rules(batch)


def calm(draw: random.Random, person: int, chance: float) -> Written:
    kind, owner = draw.choice(CALM), draw.randrange(8) if draw.random() < chance else person
    values = {"email": f"p{owner}@mail.example", "phone": f"+4420794609{owner:02}"}
    return kind, None, values.get(kind, str(owner))


def world(*told: tuple[int, Written, Written, str], policy: Policy | None = None) -> Batch:
    batch = Batch(policy or Policy())
    for day, one, other, tier in told:
        batch.observe(day * DAY, one, [(*other, tier)])
    return batch


def user(network: str, value: str = "1", scope: str | None = None) -> Written:
    return f"{network}.user", scope, value


def test_what_is_there_once_needs_no_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = world((3, user("x"), MAIL, ASSERTED), (2, user("telegram"), MAIL, ASSERTED), (2, MAIL, PHONE, PROVEN))
    monkeypatch.setattr(settling, "Fold", None)
    numbers = [batch.name(place[0]) if place else None for place in at_a_glance(batch)]
    assert numbers == ["telegram.user:1"] * 4  # of two that were seen first at one moment rather an account


@pytest.mark.parametrize(
    "batch",
    [
        world((1, user("x"), MAIL, ASSERTED), (2, user("x", "2"), MAIL, ASSERTED)),
        world((1, user("x"), PHONE, ASSERTED), (2, user("x"), ("phone", "SHOP", "+442079460959"), ASSERTED)),
        world((1, user("x"), ("email", None, "info@acme.example"), ASSERTED)),
        world((1, user("x"), MAIL, ASSERTED), (2, user("x"), MAIL, "cannot")),
        world((1, user("x"), MAIL, ASSERTED), policy=Policy(merges="verified")),
        world((1, user("x"), MAIL, ASSERTED), policy=Policy(blocked=frozenset({"email:*@acme.example"}))),
        world((1, user("x"), MAIL, PROVEN), (1, MAIL, PHONE, PROVEN), policy=Policy(cap=2)),
        world((1, user("x"), MAIL, PROVEN), (1, MAIL, PHONE, PROVEN), policy=Policy(component=2)),
    ],
    ids=["twice", "of two issuers", "a role", "told apart", "too weak", "blocked", "above the cap", "too much"],
)
def test_where_a_rule_may_turn_it_is_asked(batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, asked = by_the_rules(batch), list[int]()

    def fold(part: Part) -> Fold:
        asked.append(len(part))
        return Fold(part)

    monkeypatch.setattr(settling, "Fold", fold)
    assert at_a_glance(batch) == expected
    assert asked == [len(batch.values)]


def test_more_kinds_than_bits_only_ask_more_often() -> None:
    count = settling.BITS + 5
    batch = world(*((n, user(f"net{n}"), user(f"net{n + 1}"), "human") for n in range(count)))
    assert at_a_glance(batch) == by_the_rules(batch) == [(0, 0)] * (count + 1)


def test_a_later_time_of_a_number_may_be_the_senior() -> None:
    """It was given out again, and whoever has it now was seen first after that."""
    batch = world(
        (1, user("x"), PHONE, ASSERTED),
        (100, user("x", "2"), PHONE, PROVEN),
        (100, user("x", "2"), MAIL, PROVEN),
        (150, user("telegram"), PHONE, "human"),
        (150, user("telegram"), ("email", None, "other@acme.example"), PROVEN),
    )
    found = at_a_glance(batch)
    assert found == by_the_rules(batch)
    number = batch.values.index(PHONE[2])
    assert found[number] == (number, 100 * DAY)
