"""The review queue: what the machine may not decide, each with its reasons, and every decision taken back."""

from datetime import timedelta
from typing import Any

import pytest
from raven import ACCOUNT, Roost, bird, message
from raven.events import NOON

from socialsupport_core.identity import VerdictRefused
from socialsupport_core.identity.partition import REMEDIES
from socialsupport_core.identity.policy import DEFAULT
from socialsupport_core.identity.review import KINDS, ORDER, REASONS, from_proposals, from_refused, joined
from socialsupport_core.identity.suggestions.result import Step, Suggestion
from socialsupport_core.model import Identifier, IdentityClaimed, Thread
from socialsupport_core.store.reviews import Proposal

PHONE = Identifier(kind="phone", value="+15550147")


def claim(who: str, *others: Identifier, tier: Any = "claimed", proof: str = "typed", **more: Any) -> IdentityClaimed:
    name = f"{who}-{'-'.join(str(one) for one in others)}-{tier}"
    subject = bird(who).identifiers[0]
    given: dict[str, Any] = {"own_account": ACCOUNT, "subject": subject, "claims": others, "proof": proof, "at": NOON}
    return IdentityClaimed(id=name, tier=tier, **(given | more))


def account(name: str) -> Identifier:
    return bird(name).identifiers[0]


def kinds(roost: Roost, **how: Any) -> list[str]:
    return [one["kind"] for one in roost.hub.reviews("acme", **how)]


@pytest.fixture
def hinted(roost: Roost) -> Roost:
    """Sam says that he is Kerry."""
    roost.hear(message(1, "hello", "kerry"), message(2, "I am kerry", "sam", at=1), claim("sam", account("kerry")))
    return roost


def test_a_claim_is_to_be_reviewed_with_its_reason(hinted: Roost) -> None:
    (one,) = hinted.hub.reviews("acme")
    assert (one["kind"], one["reason"]) == ("suggestion", "somebody says so, and nothing proves it")
    assert [end["identifier"] for end in one["between"]] == ["raven.ring:kerry", "raven.ring:sam"]
    assert one["between"][0]["customer"] == hinted.hub.customer_id("acme", "raven.ring:kerry")
    (evidence,) = one["evidence"]
    assert (evidence["tier"], evidence["proof"], evidence["code"]) == ("claimed", "typed", "tier")
    assert one["remedy"] == "a proof, or an agent who links them"
    assert one["conversation"] in {hinted.conversation("kerry"), hinted.conversation("sam")}
    assert hinted.hub.reviews("rival") == []


def test_linking_makes_them_one_with_their_conversations(hinted: Roost) -> None:
    (one,) = hinted.hub.reviews("acme")
    verdict = hinted.hub.decide("acme", one["id"], "link", agent="dana")
    assert len(verdict.customers) == 1
    assert len(hinted.hub.queue("acme")) == 1
    assert kinds(hinted) == []
    (decided,) = hinted.hub.reviews("acme", state="decided")
    assert (decided["id"], decided["decision"], decided["agent"]) == (one["id"], "link", "dana")
    assert hinted.hub.explain("acme", "raven.ring:kerry")["weakest"]["tier"] == "human"


def test_apart_is_evidence_that_outlives_what_comes_later(hinted: Roost) -> None:
    (one,) = hinted.hub.reviews("acme")
    hinted.hub.decide("acme", one["id"], "apart", agent="dana")
    assert kinds(hinted) == []
    hinted.hear(claim("sam", account("kerry"), tier="verified", proof="network"))
    assert len(hinted.hub.queue("acme")) == 2
    assert hinted.hub.explain("acme", "raven.ring:kerry")["forbidden"]
    assert kinds(hinted) == [], "a person has decided it"


@pytest.mark.parametrize("decision", ["link", "apart", "later"])
def test_every_decision_is_taken_back(hinted: Roost, decision: Any) -> None:
    (one,) = hinted.hub.reviews("acme")
    hinted.hub.decide("acme", one["id"], decision, agent="dana")
    assert kinds(hinted) == []
    hinted.hub.decide("acme", one["id"], "undo", agent="dana")
    assert hinted.hub.reviews("acme") == [one]
    assert len(hinted.hub.queue("acme")) == 2
    assert hinted.hub.reviews("acme", state="decided") == []
    with pytest.raises(VerdictRefused, match="nothing was decided"):
        hinted.hub.decide("acme", one["id"], "undo", agent="dana")


def test_what_was_put_off_comes_again(hinted: Roost) -> None:
    (one,) = hinted.hub.reviews("acme")
    hinted.hub.decide("acme", one["id"], "later", agent="dana", later=timedelta(days=2))
    assert kinds(hinted, state="later") == ["suggestion"]
    hinted.clock.forward(days=3)
    assert kinds(hinted) == ["suggestion"]
    assert kinds(hinted, state="later") == []


def test_a_shared_number_is_one_item_however_many_have_it(roost: Roost) -> None:
    for number, name in enumerate(["ann", "bob", "cy", "dee"]):
        roost.hear(message(number, "hi", name, at=number), claim(name, PHONE, tier="asserted", proof="network"))
    (one,) = roost.hub.reviews("acme")
    assert (one["kind"], one["identifier"]) == ("shared", "phone:+15550147")
    assert {end["identifier"] for end in one["between"]} >= {
        f"raven.ring:{name}" for name in ("ann", "bob", "cy", "dee")
    }
    with pytest.raises(VerdictRefused, match="link two of them by name"):
        roost.hub.decide("acme", one["id"], "link", agent="dana")
    roost.hub.decide("acme", one["id"], "apart", agent="dana")
    assert kinds(roost) == []


def test_proof_that_a_rule_forbids_is_a_conflict(roost: Roost) -> None:
    for number, name in enumerate(["ann", "bob"]):
        record = Identifier(kind="crm.books", value=f"record-{name}")
        roost.hear(message(number, "hi", name, at=number), claim(name, record, tier="verified", proof="crm_record"))
    roost.hear(claim("ann", account("bob"), tier="verified", proof="network"))
    (one,) = roost.hub.reviews("acme")
    assert one["kind"] == "conflict"
    assert "crm.books" in one["rule"]
    roost.hub.decide("acme", one["id"], "link", agent="dana")
    (left,) = roost.hub.reviews("acme")
    assert left["kind"] == "conflict", "one of the two records is somebody else's, or to be merged there"
    assert {end["identifier"].partition(":")[0] for end in left["between"]} == {"raven.ring", "crm.books"}


def test_a_token_that_was_shown_in_public_is_to_be_reviewed(roost: Roost) -> None:
    roost.hear(message(1, "hello", "kerry", visibility="public"))
    token = roost.hub.hand_off("acme", roost.conversation("kerry"), agent="dana")["token"]
    thread = Thread(id="dm-sam", visibility="private")
    roost.hear(claim("sam", proof="handoff_token", token=token, thread=thread, at=roost.clock.now))
    (one,) = roost.hub.reviews("acme")
    assert one["kind"] == "public_token"
    roost.hub.decide("acme", one["id"], "link", agent="dana")
    assert roost.hub.customer_id("acme", "raven.ring:sam") == roost.hub.customer_id("acme", "raven.ring:kerry")


def test_whoever_came_with_a_private_link_is_looked_at_until_something_is_proven(roost: Roost) -> None:
    roost.hear(message(1, "hello", "kerry"))
    token = roost.hub.hand_off("acme", roost.conversation("kerry"), agent="dana")["token"]
    thread = Thread(id="dm-sam", visibility="private")
    roost.hear(claim("sam", proof="handoff_token", token=token, thread=thread, at=roost.clock.now))
    (one,) = roost.hub.reviews("acme")
    assert (one["kind"], one["reason"]) == (
        "one_sided",
        "came with a hand-off link, and has not shown yet who they are",
    )
    verdict = roost.hub.decide("acme", one["id"], "link", agent="dana")
    assert kinds(roost) == []
    assert roost.hub.explain("acme", "raven.ring:sam")["weakest"]["tier"] == "human"
    roost.hub.undo("acme", verdict.id, agent="dana")


# what a scorer proposes


def suggestion(one: str, other: str, bits: float = 12.0) -> Suggestion:
    steps = [Step("", "", -3.0, "", ""), Step("name", "exact", bits, "kerry fisher", "kerry fisher")]
    return Suggestion.of(account(one), account(other), steps)


def test_proposals_are_shown_with_their_waterfall_and_join_nothing(roost: Roost) -> None:
    roost.hear(message(1, "a", "kerry"), message(2, "b", "kerry_home", at=1))
    assert roost.hub.propose("acme", [suggestion("kerry", "kerry_home"), suggestion("kerry", "nobody")]) == 1
    (one,) = roost.hub.reviews("acme")
    assert (one["kind"], one["weight"]) == ("proposal", 9.0)
    assert one["waterfall"][1]["attribute"] == "name"
    assert 0.99 < one["probability"] < 1
    assert len(roost.hub.queue("acme")) == 2
    roost.hub.decide("acme", one["id"], "apart", agent="dana")
    roost.hub.propose("acme", [suggestion("kerry", "kerry_home", 20)])
    assert kinds(roost) == [], "a person has said that they are two"


def test_what_evidence_and_a_scorer_say_is_one_item(hinted: Roost) -> None:
    hinted.hub.propose("acme", [suggestion("kerry", "sam")])
    (one,) = hinted.hub.reviews("acme")
    assert one["kind"] == "suggestion"
    assert one["evidence"]
    assert one["waterfall"]


def test_erasure_takes_proposals_and_decisions_along(hinted: Roost) -> None:
    hinted.hub.propose("acme", [suggestion("kerry", "sam")])
    (one,) = hinted.hub.reviews("acme")
    hinted.hub.decide("acme", one["id"], "later", agent="dana")
    removed = hinted.hub.erase("acme", "raven.ring:sam", agent="dana")["removed"]
    assert (removed["proposals"], removed["reviews"]) == (1, 1)
    assert kinds(hinted) == kinds(hinted, state="later") == []


# what is none


@pytest.mark.parametrize("name", ["rev_", "rev_zz", "rev_ff-fe", "nothing", "rev_1-2-3", "rev_" + "f" * 40])
def test_what_is_no_item_is_refused(hinted: Roost, name: str) -> None:
    with pytest.raises(VerdictRefused, match="nothing to decide"):
        hinted.hub.decide("acme", name, "link", agent="dana")


def test_another_tenants_item_is_none(hinted: Roost) -> None:
    """Though that tenant knows accounts of the same names."""
    hinted.hear(message(1, "hello", "kerry"), message(2, "hello", "sam", at=1), tenant="rival")
    (one,) = hinted.hub.reviews("acme")
    with pytest.raises(VerdictRefused, match="nothing to decide"):
        hinted.hub.decide("rival", one["id"], "link", agent="dana")
    assert len(hinted.hub.queue("rival")) == 2


def test_an_agent_who_is_none_decides_nothing(hinted: Roost) -> None:
    (one,) = hinted.hub.reviews("acme")
    with pytest.raises(Exception, match="no agent 'ghost'"):
        hinted.hub.decide("acme", one["id"], "link", agent="ghost")
    assert kinds(hinted) == ["suggestion"]


# producers are pure


def refused(code: str, proof: str = "typed") -> dict[str, Any]:
    ends = ["raven.ring:a", "phone:+15550147"]
    told = {"tier": "claimed", "proof": proof}
    return {"id": f"e-{code}", "between": ends, "code": code, **told, "rule": f"{code}: phone:+15550147"}


@pytest.mark.parametrize("code", sorted(REMEDIES))
def test_every_rule_of_the_partition_has_its_place_in_the_queue(code: str) -> None:
    numbers = {"raven.ring:a": 1, "phone:+15550147": 2}
    found = list(from_refused([refused(code)], numbers.get, DEFAULT))
    assert code in KINDS
    assert [one.kind for one in found] == ([KINDS[code]] if KINDS[code] else [])
    assert all(one.reason == REASONS[one.kind] for one in found)
    assert [one.identifier for one in found] == (["phone:+15550147"] if code == "shared" else [None] * len(found))


def test_a_household_is_one_item_and_not_one_for_each_of_it() -> None:
    numbers = {"raven.ring:a": 1, "phone:+15550147": 2, "email:a@mail.example": 3, "raven.ring:c": 4}
    told = {"code": "told_apart", "tier": "asserted", "proof": "profile", "rule": "what is their own tells them apart"}
    ends = ("raven.ring:a", "email:a@mail.example", "raven.ring:c")
    given = [{"id": one, "between": sorted((one, "phone:+15550147")), **told} for one in ends]
    (item,) = joined(from_refused(given, numbers.get, DEFAULT))
    assert (item.kind, item.identifier, item.nodes) == ("shared", "phone:+15550147", (1, 2, 3, 4))
    proven = [one | {"tier": "verified"} for one in given]
    assert [one.kind for one in joined(from_refused(proven, numbers.get, DEFAULT))] == ["conflict"] * 3


def test_items_come_in_the_order_in_which_customers_wait() -> None:
    numbers = {"raven.ring:a": 1, "phone:+15550147": 2}
    items = [*from_proposals([Proposal(3, 4, 0.9, {}, 5)]), *from_refused([refused("exclusive")], numbers.get, DEFAULT)]
    assert [one.kind for one in joined(items)] == ["conflict", "proposal"]
    assert joined(items) == joined(items[::-1])
    assert set(ORDER) == set(REASONS)
