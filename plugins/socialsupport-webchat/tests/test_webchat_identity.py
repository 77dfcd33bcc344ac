"""Who somebody is: attacks on the host page's signature."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from socialsupport_core.model import Event, IdentityClaimed, Payload, ProfileUpdated, Unrecognised
from socialsupport_webchat import Webchat, WebchatSettings
from socialsupport_webchat.connector import IdentityRefused
from socialsupport_webchat.protocol import sign

VISITOR = "3f9a1c0b7d2e4f5a8b6c9d0e1f2a3b4c"
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
IN_AN_HOUR = int((NOW + timedelta(hours=1)).timestamp())
IDENTITY_SECRET = SecretStr("shared-with-the-host-page")
CHAT = Webchat(
    WebchatSettings(
        own_account="acme-web",
        secret=SecretStr("the-channels-own-secret"),
        identity_secret=IDENTITY_SECRET,
        previous_identity_secret=SecretStr("shared-until-last-month"),
    )
)
KERRY = {"user": "42", "email": "kerry@acme.example", "name": "Kerry", "expires": IN_AN_HOUR}


def signed(identity: dict[str, Any], secret: SecretStr = IDENTITY_SECRET) -> dict[str, str]:
    text = json.dumps(identity, ensure_ascii=False)
    return {"identity": text, "signature": sign(secret, text.encode())}


def events(said: dict[str, Any], visitor: str = VISITOR, at: datetime = NOW) -> list[Event]:
    body = json.dumps({"type": "identify", "visitor": visitor, **said}).encode()
    return list(CHAT.parse(Payload(body=body, received_at=at)))


def refused(said: dict[str, Any], at: datetime = NOW) -> str:
    """The reason; nothing may be claimed."""
    (event,) = events(said, at=at)
    assert isinstance(event, Unrecognised)
    assert event.reason
    return event.reason


def test_a_signed_identity_is_verified() -> None:
    claim, profile = events(signed(KERRY))
    assert isinstance(claim, IdentityClaimed)
    assert (claim.tier, claim.proof) == ("verified", "signed_identity")
    assert [str(one) for one in claim.claims] == ["webchat.user@acme-web:42", "email:kerry@acme.example"]
    assert str(claim.subject) == f"webchat.visitor@acme-web:{VISITOR}"
    assert isinstance(profile, ProfileUpdated)
    assert profile.party.name == "Kerry"


def test_names_of_all_scripts_can_be_signed() -> None:
    assert len(events(signed({**KERRY, "name": "Kérry 李 🦊 </script>"}))) == 2


def test_the_same_page_loaded_twice_is_one_claim() -> None:
    assert events(signed(KERRY)) == events(signed(KERRY))


def test_the_previous_secret_is_still_good() -> None:
    claim = events(signed(KERRY, SecretStr("shared-until-last-month")))[0]
    assert isinstance(claim, IdentityClaimed)
    assert claim.tier == "verified"


def test_what_somebody_typed_is_only_claimed() -> None:
    (claim,) = events({"identity": '{"email": "boss@acme.example"}'})
    assert isinstance(claim, IdentityClaimed)
    assert (claim.tier, claim.proof) == ("claimed", "typed")


def test_taking_the_signature_away_takes_the_proof_away() -> None:
    claim = events({"identity": signed(KERRY)["identity"]})[0]
    assert isinstance(claim, IdentityClaimed)
    assert claim.tier == "claimed"


def test_a_name_alone_claims_nobody() -> None:
    (profile,) = events({"identity": '{"name": "Kerry"}'})
    assert isinstance(profile, ProfileUpdated)


@pytest.mark.parametrize("field", ["user", "email", "name", "expires"])
def test_the_signature_is_bound_to_exactly_this_contact(field: str) -> None:
    other = {**KERRY, field: IN_AN_HOUR + 60 if field == "expires" else "mallory@evil.example"}
    forged = {"identity": json.dumps(other), "signature": signed(KERRY)["signature"]}
    assert "does not fit" in refused(forged)


def test_leaving_a_claim_out_breaks_the_signature() -> None:
    less = {key: value for key, value in KERRY.items() if key != "email"}
    assert "does not fit" in refused({"identity": json.dumps(less), "signature": signed(KERRY)["signature"]})


@pytest.mark.parametrize("signature", ["", "0" * 64, "ß" * 64])
def test_a_made_up_signature_is_refused(signature: str) -> None:
    assert "does not fit" in refused({**signed(KERRY), "signature": signature})


def test_the_channels_own_secret_signs_no_identity() -> None:
    assert "does not fit" in refused(signed(KERRY, SecretStr("the-channels-own-secret")))


@settings(deadline=None)
@given(st.integers(0, 63), st.integers(0, 7))
def test_no_flipped_bit_is_forgiven(position: int, bit: int) -> None:
    good = signed(KERRY)["signature"]
    flipped = chr(ord(good[position]) ^ (1 << bit))
    refused({**signed(KERRY), "signature": good[:position] + flipped + good[position + 1 :]})


def test_an_identity_ends_at_its_second() -> None:
    ends = NOW + timedelta(hours=1)
    assert len(events(signed(KERRY), at=ends - timedelta(seconds=1))) == 2
    assert "expired" in refused(signed(KERRY), at=ends)


def test_the_clock_is_the_payloads_so_that_replay_agrees() -> None:
    assert events(signed(KERRY), at=NOW) == events(signed(KERRY), at=NOW)
    assert "expired" in refused(signed({**KERRY, "expires": 0}))


def test_an_identity_that_lives_for_ever_is_refused() -> None:
    assert "more than a day" in refused(signed({**KERRY, "expires": IN_AN_HOUR + 86_400}))


@pytest.mark.parametrize("missing", ["user", "expires"])
def test_a_signed_identity_says_who_and_until_when(missing: str) -> None:
    less = {key: value for key, value in KERRY.items() if key != missing}
    assert "needs `user` and `expires`" in refused(signed(less))


@pytest.mark.parametrize(
    "wrong",
    [
        {"admin": True},
        {"email": "no address"},
        {"email": "two@at@signs.example"},
        {"phone": "0155 1234"},
        {"user": ""},
        {"expires": str(IN_AN_HOUR)},
        {"expires": 10**400},
        {"expires": True},
    ],
)
def test_a_signed_identity_that_is_strange_is_not_half_believed(wrong: dict[str, Any]) -> None:
    assert "cannot be read" in refused(signed({**KERRY, **wrong}))


def test_a_signed_identity_is_a_pass_for_whoever_holds_it_until_it_expires() -> None:
    """It is bound to the contact, not to a browser: the host page's server does not know the visitor's id."""
    thief = events(signed(KERRY), visitor="e" * 32)[0]
    assert isinstance(thief, IdentityClaimed)
    assert thief.subject.value == "e" * 32


def test_without_an_identity_secret_nothing_is_verified() -> None:
    chat = Webchat(WebchatSettings(own_account="acme-web", secret=SecretStr("the-channels-own-secret")))
    with pytest.raises(IdentityRefused, match="has no `identity_secret`"):
        chat.identity(**_text_and_signature(), now=NOW)


def _text_and_signature() -> dict[str, str]:
    said = signed(KERRY)
    return {"text": said["identity"], "signature": said["signature"]}
