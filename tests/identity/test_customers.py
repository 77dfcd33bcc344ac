"""Customers on the hub: evidence and verdicts in any order, two tenants interleaved, ids that never dangle."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from raven import Roost, message
from raven.events import NOON, bird

from socialsupport_core.hub import Hub
from socialsupport_core.identity import NoSuchCustomer, VerdictRefused, partition
from socialsupport_core.model import Identifier, IdentityClaimed
from socialsupport_core.store import Tx
from socialsupport_core.store.evidence import evidence_of
from socialsupport_core.store.nodes import node_of

NAMES = [f"bird{number}" for number in range(6)]
MAILS = [f"m{number}@acme.example" for number in range(4)]
Step = Callable[[Roost, str], None]


def ring(name: str) -> Identifier:
    return Identifier(kind="raven.ring", value=name)


def claim(number: int, name: str, other: Identifier, tier: str = "verified") -> IdentityClaimed:
    at = NOON.replace(minute=number % 60)
    return IdentityClaimed(
        id=f"c{number}", own_account="tower", subject=ring(name), claims=(other,), tier=tier, proof="sign_in", at=at
    )


def mail(value: str) -> Identifier:
    return Identifier(kind="email", value=value)


def step(chance: random.Random, number: int) -> Step:
    """One thing that happens, drawn once so that it can happen to several hubs alike."""
    name, other, address = chance.choice(NAMES), chance.choice(NAMES), chance.choice(MAILS)
    tier = chance.choice(["verified", "verified", "asserted", "claimed"])
    pick = chance.random()
    kind = chance.choice(["say", "claim", "claim", "claim", "crm", "link", "link", "split", "undo"])

    def happen(roost: Roost, tenant: str) -> None:
        hub = roost.hub
        try:
            if kind == "say":
                roost.deliver(message(number, f"text {number}", name, at=number), tenant=tenant)
            elif kind == "claim":
                roost.deliver(claim(number, name, mail(address), tier), tenant=tenant)
            elif kind == "crm":
                roost.deliver(claim(number, name, Identifier(kind="crm.ledger", value=other)), tenant=tenant)
            elif kind == "link":
                hub.link(tenant, str(ring(name)), str(ring(other)), agent="dana")
            elif kind == "split":
                accounts = [one["identifier"] for one in hub.customer(tenant, str(ring(name)))["accounts"]]
                hub.split(tenant, str(ring(name)), accounts[: int(pick * len(accounts))], agent="dana")
            else:
                verdicts = hub.explain(tenant, str(ring(name)))
                found = sorted({one["source"] for one in verdicts["evidence"] + verdicts["forbidden"]})
                if found:
                    hub.undo(tenant, found[int(pick * len(found))], agent="dana")
        except (VerdictRefused, NoSuchCustomer):
            pass  # the same happens to the other hub
        hub.workers.record_waiting()

    return happen


def people(hub: Hub, tenant: str) -> dict[str, tuple[str, ...]]:
    """Customer ids and their accounts."""
    return {
        one["id"]: tuple(sorted(account["identifier"] for account in one["accounts"]))
        for one in hub.find_customers(tenant, "", limit=1000)
    }


def rebuilt(hub: Hub, tenant: str) -> dict[str, tuple[str, ...]]:
    """The same from nothing but nodes and evidence."""

    def build(tx: Tx) -> dict[str, tuple[str, ...]]:
        nodes = {row["node"]: node_of(row) for row in tx.all("SELECT * FROM nodes WHERE tenant = ?", tenant)}
        evidence = [evidence_of(row) for row in tx.all("SELECT * FROM evidence WHERE tenant = ?", tenant)]
        groups: dict[str, list[str]] = {}
        for number, canonical in partition(nodes, evidence).customer.items():
            groups.setdefault(nodes[canonical].id, []).append(str(nodes[number].identifier))
        return {id: tuple(sorted(accounts)) for id, accounts in groups.items()}

    return hub._database.read(build)


def rhyme(hub: Hub, tenant: str) -> set[tuple[str, ...]]:
    return set(people(hub, tenant).values())


@pytest.mark.parametrize("seed", range(4))
def test_two_tenants_interleaved_equal_each_alone_and_a_rebuild_after_every_step(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    both, alone = Roost(tmp_path / "both"), {tenant: Roost(tmp_path / tenant) for tenant in ("acme", "rival")}
    handed_out: dict[str, set[str]] = {"acme": set(), "rival": set()}
    try:
        for number in range(25):
            tenant, happen = chance.choice(["acme", "rival"]), step(chance, number)
            happen(both, tenant)
            happen(alone[tenant], tenant)
            for roost in (both, alone[tenant]):
                roost.clock.forward(seconds=number + 1)
            alone[tenant].clock.now = both.clock.now
            for who, known in handed_out.items():
                now = people(both.hub, who)
                assert now == rebuilt(both.hub, who)
                known |= set(now)
                for id in known:
                    assert both.hub.customer(who, id)["id"] in now
            assert rhyme(both.hub, tenant) == rhyme(alone[tenant].hub, tenant)
        for tenant, roost in alone.items():
            assert rhyme(both.hub, tenant) == rhyme(roost.hub, tenant)
    finally:
        for roost in (both, *alone.values()):
            roost.hub.close()


def story(number: int) -> list[Any]:
    """Messages and evidence of three people on seven accounts."""
    said = [message(n, f"text {n}", NAMES[n % 5], at=n) for n in range(8)]
    joined = [claim(n, NAMES[n % 5], mail(MAILS[n % 2])) for n in range(4)]
    records = [claim(10 + n, NAMES[n], Identifier(kind="crm.ledger", value=f"r{n % 3}")) for n in range(5)]
    events = [*said, *joined, *records]
    random.Random(number).shuffle(events)
    return events


def test_the_order_of_arrival_changes_neither_the_partition_nor_the_ids(tmp_path: Path) -> None:
    outcomes = []
    for number in range(6):
        roost = Roost(tmp_path / str(number))
        for event in story(number):
            roost.deliver(event)
        roost.hub.drain()
        texts = {
            id: [one["interaction"]["text"] for one in roost.hub.timeline("acme", id)]
            for id in people(roost.hub, "acme")
        }
        outcomes.append((people(roost.hub, "acme"), texts))
        roost.hub.close()
    assert len(outcomes[0][0]) > 1
    assert all(one == outcomes[0] for one in outcomes)


def test_a_split_gives_each_side_the_id_that_it_had(roost: Roost) -> None:
    for number, name in enumerate(NAMES[:4]):
        roost.hear(message(number, f"I am {name}", name, at=number))
    before = people(roost.hub, "acme")
    for name in NAMES[1:4]:
        roost.hub.link("acme", str(ring(NAMES[0])), str(ring(name)), agent="dana")
    ((merged, accounts),) = people(roost.hub, "acme").items()
    assert merged in before
    assert len(accounts) == 4
    assert [one["interaction"]["text"] for one in roost.hub.timeline("acme", merged)] == [
        f"I am {n}" for n in NAMES[:4]
    ]
    verdict = roost.hub.split("acme", merged, [str(ring(NAMES[2]))], agent="dana")
    two = people(roost.hub, "acme")
    assert two.keys() <= before.keys()
    assert sorted(verdict.customers) == sorted(two)
    assert (str(ring(NAMES[2])),) in two.values()
    assert roost.hub.customer(
        "acme", before and next(id for id, one in before.items() if one == (str(ring(NAMES[2])),))
    )
    roost.hub.undo("acme", verdict.id, agent="dana")
    assert set(people(roost.hub, "acme")) == {merged}


def test_the_next_mail_does_not_join_again_what_a_person_has_split(roost: Roost) -> None:
    roost.hear(message(1, "hello", "bird0"), claim(1, "bird0", mail("a@acme.example")))
    assert len(people(roost.hub, "acme")) == 1
    roost.hub.split("acme", str(ring("bird0")), ["email:a@acme.example"], agent="dana")
    roost.hear(claim(2, "bird0", mail("a@acme.example")))
    assert len(people(roost.hub, "acme")) == 2
    (refused,) = roost.hub.explain("acme", str(ring("bird0")))["forbidden"]
    assert refused["agent"] == "dana"


def test_a_link_that_a_rule_forbids_leaves_no_trace(roost: Roost) -> None:
    for name in ("bird0", "bird1"):
        roost.hear(message(name, "hello", name))
        roost.hub.link("acme", str(ring(name)), f"crm.ledger:{name}", agent="dana")
    roost.clock.forward(seconds=1)
    before, cursor = people(roost.hub, "acme"), roost.hub.cursor()
    with pytest.raises(VerdictRefused, match=r"one customer has one crm\.ledger"):
        roost.hub.link("acme", str(ring("bird0")), str(ring("bird1")), agent="dana")
    assert (people(roost.hub, "acme"), roost.hub.cursor()) == (before, cursor)
    assert roost.hub.explain("acme", str(ring("bird0")))["refused"] == []


def test_two_verdicts_at_one_moment_are_two(roost: Roost) -> None:
    for number, name in enumerate(NAMES[:4]):
        roost.hear(message(number, "hello", name))
    first = roost.hub.link("acme", str(ring("bird0")), str(ring("bird1")), agent="dana")
    second = roost.hub.link("acme", str(ring("bird2")), str(ring("bird3")), agent="dana")
    assert first.id != second.id
    roost.hub.undo("acme", first.id, agent="dana")
    assert sorted(map(len, people(roost.hub, "acme").values())) == [1, 1, 2]


def test_linked_unlinked_and_linked_again(roost: Roost) -> None:
    for number, name in enumerate(NAMES[:2]):
        roost.hear(message(number, "hello", name))
    for _ in range(3):
        verdict = roost.hub.link("acme", str(ring("bird0")), str(ring("bird1")), agent="dana")
        assert len(people(roost.hub, "acme")) == 1
        roost.hub.undo("acme", verdict.id, agent="dana")
        assert len(people(roost.hub, "acme")) == 2
        roost.clock.forward(microseconds=1)


def test_every_change_is_told_with_old_and_new(roost: Roost) -> None:
    roost.hear(message(1, "a", "bird0", at=1), message(2, "b", "bird1", at=2))
    ids = [roost.hub.customer("acme", str(ring(name)))["id"] for name in NAMES[:2]]
    verdict = roost.hub.link("acme", ids[0], ids[1], agent="dana")
    roost.hub.undo("acme", verdict.id, agent="dana")
    changes = [one["data"] for one in roost.log("customer.changed")]
    assert [(one["old"], one["new"], one["cause"]) for one in changes] == [
        (ids[1], ids[0], "merged"),
        (ids[0], ids[1], "split"),
    ]
    assert all(one["accounts"] == [str(ring("bird1"))] for one in changes)


def test_a_later_told_earlier_sight_moves_the_id_as_if_it_had_come_first(roost: Roost) -> None:
    roost.hear(message(1, "late", "bird0", at=100), message(2, "late", "bird1", at=50))
    roost.hub.link("acme", str(ring("bird0")), str(ring("bird1")), agent="dana")
    roost.hear(message(3, "early", "bird0", at=10))
    assert people(roost.hub, "acme") == rebuilt(roost.hub, "acme")


@pytest.mark.parametrize(
    ("kind", "spellings"),
    [
        ("email", ["Kerry@Acme.Example", " kerry@acme.example ", "KERRY@ACME.EXAMPLE"]),
        ("phone", ["+44 20 7946 0958", "+44-20-7946-0958", "+44 (20) 7946.0958", "+442079460958"]),
        ("email", ["k@bücher.example", "k@xn--bcher-kva.example", "K@BÜCHER.example"]),
    ],
)
def test_one_account_has_one_spelling(roost: Roost, kind: str, spellings: list[str]) -> None:
    """Two at a time: a number that more than two birds have proven is a household's."""
    first, *others = spellings
    for number, written in enumerate(others):
        mine, yours = f"bird{2 * number}", f"bird{2 * number + 1}"
        roost.hear(claim(2 * number, mine, Identifier(kind=kind, value=first)))
        roost.hear(claim(2 * number + 1, yours, Identifier(kind=kind, value=written)))
        (account,) = [one for one in people(roost.hub, "acme").values() if str(ring(yours)) in one]
        assert str(ring(mine)) in account
        for name in (mine, yours):
            (brought,) = roost.hub.explain("acme", str(ring(name)))["evidence"][:1]
            roost.hub.undo("acme", brought["id"], agent="dana")
            for left in roost.hub.explain("acme", str(ring(name)))["evidence"]:
                roost.hub.undo("acme", left["id"], agent="dana")


@pytest.mark.parametrize("value", ["аcme@x.example", "ac\u200bme@x.example", "acme@x.example\u202e", "ａcme@x.example"])
def test_what_only_looks_alike_is_somebody_else(roost: Roost, value: str) -> None:
    roost.hear(claim(1, "bird0", mail("acme@x.example")), claim(2, "bird1", mail(value)))
    assert len(people(roost.hub, "acme")) == 2


def test_explain_tells_the_weakest_step_and_what_was_only_suggested(roost: Roost) -> None:
    roost.hear(claim(1, "bird0", mail("a@acme.example")), claim(2, "bird0", mail("b@acme.example"), "claimed"))
    roost.hub.link("acme", str(ring("bird0")), "phone:+15550001111", agent="dana", note="on the phone")
    told = roost.hub.explain("acme", str(ring("bird0")))
    assert {one["identifier"] for one in told["accounts"]} == {
        "raven.ring:bird0",
        "email:a@acme.example",
        "phone:+15550001111",
    }
    assert (told["weakest"]["tier"], told["weakest"]["proof"]) == ("verified", "sign_in")
    assert [one["rule"] for one in told["refused"]] == ["claimed evidence suggests, it never joins"]


def test_what_a_network_asserts_joins_until_it_is_shared(roost: Roost) -> None:
    """Two birds under one telephone: a landline is nobody's own, and it turns out with the second."""
    shared = Identifier(kind="phone", value="+442079460958")
    for number, name in enumerate(("bird0", "bird1")):
        said = message(number, "hello", name)
        known = said.interaction.model_copy(update={"author": bird(name, shared)})
        roost.hear(said.model_copy(update={"interaction": known}))
        expected = {("phone:+442079460958", "raven.ring:bird0")} if number == 0 else set()
        assert {one for one in people(roost.hub, "acme").values() if len(one) > 1} == expected
    told = roost.hub.explain("acme", str(ring("bird0")))
    assert (told["refused"][0]["code"], told["refused"][0]["proof"]) == ("shared", "profile")
    assert "2 of raven.ring have it" in told["refused"][0]["rule"]
    (change,) = [one["data"] for one in roost.log("customer.changed")]
    assert (change["accounts"], change["old"]) == ([str(shared)], roost.hub.customer("acme", str(ring("bird0")))["id"])


def test_who_begins_with_several_accounts_has_not_changed(roost: Roost) -> None:
    """Nobody has heard of either id; an account that a known customer gets is told, and so is one that moves."""
    phone, address = Identifier(kind="phone", value="+442079460958"), mail("wren@mail.example")
    for number, known in enumerate(([phone], [phone, address])):
        said = message(number, "hello", "bird0")
        roost.hear(
            said.model_copy(
                update={"interaction": said.interaction.model_copy(update={"author": bird("bird0", *known)})}
            )
        )
        told = [one["data"] for one in roost.log("customer.changed")]
        assert [one["accounts"] for one in told] == [[str(address)]] * number
    customer = roost.hub.customer("acme", str(phone))
    assert customer["id"] == told[0]["new"] == roost.hub.customer("acme", str(ring("bird0")))["id"]
    assert roost.hub.customer("acme", customer["aliases"][0])["id"] == customer["id"]


def test_who_is_new_and_joins_somebody_known_has_changed(roost: Roost) -> None:
    address = mail("wren@mail.example")
    roost.hear(claim(1, "bird0", address))
    before = len(roost.log("customer.changed"))
    roost.hear(claim(2, "bird1", address))
    (told,) = [one["data"] for one in roost.log("customer.changed")[before:]]
    assert (told["accounts"], told["new"]) == ([str(ring("bird1"))], roost.hub.customer("acme", str(address))["id"])
