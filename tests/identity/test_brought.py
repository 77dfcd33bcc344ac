"""What connectors bring along as proof: what each is believed for, and what it cannot be made to say."""

from pathlib import Path
from typing import Any

import pytest
from raven import Raven, Roost, message
from raven.events import bird

from socialsupport_core.identity.proofs import BROUGHT, Bringing, CrmRecord, Proven, Refused, judge
from socialsupport_core.model import Identifier, IdentityClaimed, Payload

OLD, NEW = "raven.ring:kerry", "raven.ring:kerry-2"


def event(subject: str, *claims: str, proof: str, tier: str = "verified", at: Any = None, **more: Any) -> Any:
    given: dict[str, Any] = {
        "id": more.pop("id", f"claim-{subject}-{proof}"),
        "own_account": "tower",
        "subject": Identifier.parse(subject),
        "claims": tuple(Identifier.parse(one) for one in claims),
        "tier": tier,
        "proof": proof,
        "at": at or "2026-03-01T12:00:00Z",
    }
    return IdentityClaimed(**(given | more))


def judged(*given: str, network: str = "raven", **more: Any) -> str:
    """The tier, or why not."""
    outcome = judge(Bringing(event(*given, **more), network, 0))
    return outcome.tier if isinstance(outcome, Proven) else outcome.reason


# DMARC


def test_dmarc_shows_control_and_joins_nothing() -> None:
    outcome = judge(Bringing(event("email:a@b.example", "email:A@B.example", proof="dmarc"), "email", 0))
    assert isinstance(outcome, Proven)
    assert (outcome.tier, outcome.claims) == ("verified", ())


@pytest.mark.parametrize("claim", ["email:boss@b.example", "phone:+15550100", "raven.ring:kerry"])
def test_dmarc_speaks_of_nobody_else(claim: str) -> None:
    assert "nothing else" in judged("email:a@b.example", "email:a@b.example", claim, proof="dmarc", network="email")


def test_dmarc_speaks_of_mail_only() -> None:
    assert "nothing else" in judged("raven.ring:kerry", proof="dmarc")


# signed identities


def test_a_signed_identity_is_of_the_channels_own_network() -> None:
    chat = "webchat.visitor@acme-web:1"
    assert judged(chat, "email:a@b.example", proof="signed_identity", network="webchat") == "verified"
    assert "cannot speak for" in judged(OLD, "email:a@b.example", proof="signed_identity", network="webchat")


def test_what_was_typed_stays_a_claim() -> None:
    assert judged(OLD, "email:a@b.example", proof="typed", tier="claimed") == "claimed"


# migration


def test_a_network_moves_its_own_account() -> None:
    assert judged(NEW, OLD, proof="migration") == "verified"
    assert judged(NEW, OLD, proof="provider_migration") == "verified"


@pytest.mark.parametrize(
    ("given", "more"),
    [
        ((NEW,), {}),
        ((NEW, OLD), {"tier": "claimed"}),
        ((NEW, OLD), {"tier": "asserted"}),
        ((NEW, NEW), {}),
        ((NEW, "raven.nest:kerry"), {}),
        ((NEW, "phone:+15550100"), {}),
        ((NEW, OLD, "email:a@b.example"), {}),
        (("whatsapp.user@1:5", "whatsapp.user@2:4"), {"network": "whatsapp"}),
    ],
)
def test_what_is_no_migration(given: tuple[str, ...], more: dict[str, Any]) -> None:
    """A connector that mistakes one number for another must not give somebody's account away."""
    told = judged(*given, proof="migration", **more)
    assert "migration" in told or "moves" in told


def test_from_a_channel_that_verifies_nothing_it_is_nobodys_word() -> None:
    outcome = judge(Bringing(event(NEW, OLD, proof="migration"), "raven", 0, is_signed=False))
    assert isinstance(outcome, Refused)
    assert "does not verify" in outcome.reason


class Trusting(Raven):
    capabilities = Raven.capabilities.model_copy(update={"verification": "none"})

    def verify(self, payload: Payload) -> None:
        pass


@pytest.mark.parametrize(("source", "is_moved"), [("webhook", False), ("file", True)])
def test_a_webhook_that_nobody_signed_moves_no_account(
    tmp_path: Path, store: str | Path, source: str, is_moved: bool
) -> None:
    roost = Roost(tmp_path, Trusting, store=store)
    roost.hear(message(1, "hello", "kerry", at=roost.clock.now))
    roost.hear(event(NEW, OLD, proof="migration", at=roost.clock.now), source=source)
    assert bool(roost.log("proof.refused")) is not is_moved
    assert bool(roost.log("customer.changed")) is is_moved
    roost.hub.close()


def test_both_names_are_evidence_of_one_kind() -> None:
    for name in ("migration", "provider_migration"):
        outcome = judge(Bringing(event(NEW, OLD, proof=name), "raven", 0))
        assert isinstance(outcome, Proven)
        assert outcome.proof == "migration"


def test_a_customer_goes_on_under_a_new_number(roost: Roost) -> None:
    roost.hear(message(1, "hello", "kerry", at=roost.clock.now))
    con = roost.conversation("kerry")
    roost.clock.forward(hours=1)
    roost.hear(event(NEW, OLD, proof="migration", at=roost.clock.now))
    roost.clock.forward(hours=1)
    roost.hear(message(2, "here I am again", "kerry-2", at=roost.clock.now))
    found = roost.hub.conversation("acme", con)
    assert [one["interaction"]["text"] for one in found["entries"]] == ["hello", "here I am again"]
    evidence = roost.hub.explain("acme", NEW)["evidence"]
    assert ("verified", "migration") in {(one["tier"], one["proof"]) for one in evidence}


def test_a_refusal_is_recorded_and_joins_nothing(roost: Roost) -> None:
    roost.hear(message(1, "hello", "kerry", at=roost.clock.now))
    roost.hear(message(2, "hello", "mallory", at=roost.clock.now))
    roost.hear(event("raven.ring:mallory", "raven.nest:1", OLD, proof="migration", at=roost.clock.now))
    customers = {roost.hub.customer("acme", str(bird(name).account))["id"] for name in ("kerry", "mallory")}
    assert len(customers) == 2
    (refused,) = roost.log("proof.refused")
    assert (refused["data"]["proof"], refused["data"]["account"]) == ("migration", "raven.ring:mallory")


# the CRM


def crm(account: str, *marked: str) -> str:
    record = Identifier(kind="crm.memory", value="c-1")
    found = {Identifier.parse(one) for one in marked}
    outcome = CrmRecord().judge(Identifier.parse(account), record, found, source="crm.memory:c-1", at=0)
    assert outcome.claims == (record,)
    return outcome.tier


def test_a_crm_verifies_exactly_what_it_marks() -> None:
    assert crm("email:a@b.example", "email:A@B.example") == "verified"
    assert crm("email:a@b.example", "email:other@b.example", "phone:+15550100") == "asserted"
    assert crm("phone:+15550100") == "asserted"


# all of them


def test_every_proof_says_what_it_proves_and_against_whom() -> None:
    from socialsupport_core.identity import proofs

    classes = [getattr(proofs, name) for name in proofs.__all__ if isinstance(getattr(proofs, name), type)]
    shown = [one for one in classes if issubclass(one, proofs.Proof) and "name" in vars(one)]
    assert {one.name for one in shown} == {
        "handoff_token",
        "one_time_code",
        "sms_code",
        "signed_identity",
        "dmarc",
        "migration",
        "crm_record",
        "oidc",
    }
    for one in shown:
        said = " ".join((one.__doc__ or "").split())
        assert "Proves" in said, one
        assert "Against" in said, one


def test_what_is_brought_goes_by_the_name_of_its_proof() -> None:
    assert {name for name, proof in BROUGHT.items() if proof.name != name} == {"provider_migration"}
    assert isinstance(judge(Bringing(event(NEW, proof="migration"), "raven", 0)), Refused)
