"""Sign-in at the host's portal: a token proves who it is, and nothing that looks like one does."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.identity.proofs import ProofRefused

ISSUER, AUDIENCE = "https://login.acme.example", "support-desk"
OWL, KERRY = "raven.ring:owl", "raven.ring:kerry"
KEY = RSAKey.generate_key(2048, {"kid": "2026"})
OTHER = RSAKey.generate_key(2048, {"kid": "2026"})
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})
PUBLIC = KeySet([KEY, CURVE]).as_dict(private=False)


@pytest.fixture
def portal(roost: Roost) -> Roost:
    roost.hear(message(1, "hello", "owl", at=roost.clock.now))
    roost.hear(message(2, "hello", "kerry", at=roost.clock.now))
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE, PUBLIC, algorithms=("RS256", "ES256"))
    return roost


def claims(roost: Roost, account: str = OWL, **more: Any) -> dict[str, Any]:
    now = int(roost.clock.now.timestamp())
    given = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "user-42",
        "iat": now,
        "exp": now + 300,
        "email": "Kerry@Acme.example",
        "email_verified": True,
    }
    if "nonce" not in more:
        given["nonce"] = roost.hub.ask_sign_in("acme", account)["nonce"]
    return {name: value for name, value in (given | more).items() if value is not None}


def token(roost: Roost, key: Any = KEY, alg: str = "RS256", header: dict[str, Any] | None = None, **more: Any) -> str:
    head = {"alg": alg, "kid": key.kid or "2026"} | (header or {})
    return str(jwt.encode(head, claims(roost, **more), key, algorithms=[alg]))


def refused(roost: Roost, given: str, account: str = OWL) -> str:
    """Why; nothing may have been joined, and the refusal is recorded."""
    before = roost.hub.customer("acme", account)["accounts"]
    with pytest.raises(ProofRefused) as error:
        roost.hub.signed_in("acme", account, given)
    assert roost.hub.customer("acme", account)["accounts"] == before
    assert roost.log("proof.refused")[-1]["data"] == {"proof": "oidc", "account": account, "reason": str(error.value)}
    return str(error.value)


def written(head: dict[str, Any], body: dict[str, Any], signature: bytes = b"") -> str:
    """A token put together by hand, as no library would."""
    parts = [json.dumps(head).encode(), json.dumps(body).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_who_signs_in_is_known(portal: Roost) -> None:
    done = portal.hub.signed_in("acme", OWL, token(portal))
    assert done["claims"] == ["oidc.subject@login.acme.example:user-42", "email:kerry@acme.example"]
    accounts = {one["identifier"] for one in portal.hub.customer("acme", OWL)["accounts"]}
    assert accounts == {OWL, *done["claims"]}
    assert {(one["tier"], one["proof"]) for one in portal.hub.explain("acme", OWL)["evidence"]} == {
        ("verified", "oidc")
    }
    assert portal.hub.customer("acme", OWL)["id"] == done["customer"]


def test_another_algorithm_that_was_agreed(portal: Roost) -> None:
    assert portal.hub.signed_in("acme", OWL, token(portal, CURVE, "ES256"))["proof"] == "oidc"


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_address_counts_only_if_the_issuer_says_so(portal: Roost, verified: Any) -> None:
    done = portal.hub.signed_in("acme", OWL, token(portal, email_verified=verified))
    assert done["claims"] == ["oidc.subject@login.acme.example:user-42"]


# what looks like a token


def test_without_a_signature(portal: Roost) -> None:
    for none in ("none", "None", "NONE", ""):
        assert "signature" in refused(portal, written({"alg": none}, claims(portal)))
        assert "signature" in refused(portal, written({"alg": none, "kid": "2026"}, claims(portal), b"x"))


def test_the_public_key_taken_for_a_shared_secret(portal: Roost) -> None:
    """Everybody knows it, so everybody could sign with it."""
    for secret in (KEY.as_pem(private=False), json.dumps(PUBLIC["keys"][0]).encode(), KEY.as_der(private=False)):
        head = {"alg": "HS256", "kid": "2026"}
        unsigned = written(head, claims(portal)).rpartition(".")[0]
        mac = hmac.new(secret, unsigned.encode(), hashlib.sha256).digest()
        forged = f"{unsigned}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        assert "signature" in refused(portal, forged)


def test_a_shared_secret_of_ones_own(portal: Roost) -> None:
    own = OctKey.import_key("a-secret-of-sufficient-length-00", {"kid": "2026"})
    assert "signature" in refused(portal, token(portal, own, "HS256"))


def test_another_key_of_the_same_name(portal: Roost) -> None:
    assert "signature" in refused(portal, token(portal, OTHER))


def test_a_key_that_the_token_brings_along(portal: Roost) -> None:
    own = ECKey.generate_key("P-256")
    head = {"alg": "ES256", "jwk": own.as_dict(private=False)}
    given = jwt.encode(head, claims(portal), own, algorithms=["ES256"])
    assert "signature" in refused(portal, str(given))


def test_an_algorithm_that_was_not_agreed(portal: Roost) -> None:
    assert "signature" in refused(portal, token(portal, KEY, "PS256"))


def test_every_part_is_signed(portal: Roost) -> None:
    head, body, signature = token(portal).split(".")
    other = base64.urlsafe_b64encode(json.dumps(claims(portal, sub="somebody-else")).encode()).rstrip(b"=").decode()
    assert "signature" in refused(portal, f"{head}.{other}.{signature}")
    assert "signature" in refused(portal, f"{head}.{body}.")
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert "signature" in refused(portal, f"{head}.{body}.{flipped}")


@pytest.mark.parametrize("rubbish", ["", "x", "a.b.c", "....", "e30.e30.", "☃.☃.☃", "e30.W10.e30", "." * 9000])
def test_what_is_no_token_at_all(portal: Roost, rubbish: str) -> None:
    refused(portal, rubbish)


def test_what_is_demanded_and_not_known_is_not_passed_over(portal: Roost) -> None:
    head = {"alg": "RS256", "kid": "2026", "crit": ["exp"], "exp": 1}
    body = claims(portal)
    unsigned = written(head, body).rpartition(".")[0]
    signed = KEY.get_op_key("sign").sign(unsigned.encode(), *_pkcs1())
    refused(portal, f"{unsigned}.{base64.urlsafe_b64encode(signed).rstrip(b'=').decode()}")


def _pkcs1() -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()


# a real token for something else


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"iss": "https://login.evil.example"}, "issuer is not trusted"),
        ({"iss": "https://login.acme.example/"}, "issuer is not trusted"),
        ({"iss": None}, "issuer is not trusted"),
        ({"aud": "another-desk"}, "(aud)"),
        ({"aud": ["another-desk"]}, "(aud)"),
        ({"aud": None}, "(aud)"),
        ({"aud": {"support-desk": 1}}, "(aud)"),
        ({"aud": ["support-desk", "another"]}, "(azp)"),
        ({"azp": "another-desk"}, "(azp)"),
        ({"exp": None}, "(iat, exp)"),
        ({"iat": None}, "(iat, exp)"),
        ({"exp": True}, "(iat, exp)"),
        ({"exp": "tomorrow"}, "(iat, exp)"),
        ({"sub": None}, "(sub)"),
        ({"sub": ""}, "(sub)"),
        ({"sub": "a\nb"}, "(sub)"),
        ({"sub": "x" * 256}, "(sub)"),
        ({"nonce": None}, "no nonce"),
        ({"nonce": "mine"}, "not ours"),
        ({"nonce": 5}, "no nonce"),
    ],
)
def test_it_was_made_for_somebody_else_or_says_too_little(portal: Roost, more: dict[str, Any], said: str) -> None:
    assert said in refused(portal, token(portal, **more))


@pytest.mark.parametrize(("seconds", "ends"), [(-59, True), (-60, False), (-3600, False)])
def test_it_ends(portal: Roost, seconds: int, ends: bool) -> None:
    given = token(portal, exp=int(portal.clock.now.timestamp()) + seconds)
    if ends:
        portal.hub.signed_in("acme", OWL, given)
    else:
        assert "expired" in refused(portal, given)


@pytest.mark.parametrize("name", ["iat", "nbf"])
def test_it_comes_from_the_future(portal: Roost, name: str) -> None:
    given = token(portal, **{name: int(portal.clock.now.timestamp()) + 61})
    assert "future" in refused(portal, given)


# replay, forwarding


def test_a_nonce_works_once(portal: Roost) -> None:
    given = token(portal)
    portal.hub.signed_in("acme", OWL, given)
    assert "used already" in refused(portal, given)
    assert "used already" in refused(portal, given, KERRY)


def test_a_stolen_token_is_of_no_use_elsewhere(portal: Roost) -> None:
    """And it is spent by the attempt: nobody knows who holds it."""
    given = token(portal)
    assert "given for another account" in refused(portal, given, KERRY)
    assert "used already" in refused(portal, given)


def test_a_nonce_lives_for_ten_minutes(portal: Roost) -> None:
    given = portal.hub.ask_sign_in("acme", OWL)["nonce"]
    portal.clock.forward(minutes=10, seconds=1)
    assert "nonce has expired" in refused(portal, token(portal, nonce=given))


def test_a_restart_does_not_revive_a_nonce(portal: Roost) -> None:
    given = token(portal)
    portal.hub.signed_in("acme", OWL, given)
    portal.reopen()
    assert "used already" in refused(portal, given)


def test_another_tenant_trusts_nobody(portal: Roost) -> None:
    portal.hear(message(1, "hello", "owl", at=portal.clock.now), tenant="rival")
    given = token(portal)
    with pytest.raises(ProofRefused, match="not trusted"):
        portal.hub.signed_in("rival", OWL, given)
    portal.hub.trust_issuer("rival", ISSUER, AUDIENCE, PUBLIC)
    with pytest.raises(ProofRefused, match="not ours"):
        portal.hub.signed_in("rival", OWL, given)
    assert portal.hub.signed_in("acme", OWL, given)["proof"] == "oidc"


def test_neither_nonce_nor_token_is_kept(portal: Roost) -> None:
    given = claims(portal)
    signed = str(jwt.encode({"alg": "RS256", "kid": "2026"}, given, KEY))
    portal.hub.signed_in("acme", OWL, signed)
    dump = portal.dump()
    assert given["nonce"] not in dump
    assert signed not in dump


# whom to trust


def test_issuers_are_listed_and_dismissed(portal: Roost) -> None:
    assert portal.hub.issuers("acme") == [{"issuer": ISSUER, "audience": AUDIENCE, "algorithms": ["RS256", "ES256"]}]
    given = token(portal)
    portal.hub.distrust_issuer("acme", ISSUER)
    assert "not trusted" in refused(portal, given)
    with pytest.raises(ConfigError, match="is not trusted"):
        portal.hub.distrust_issuer("acme", ISSUER)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"issuer": "http://login.acme.example"}, "https://login"),
        ({"issuer": "https://"}, "is no issuer"),
        ({"issuer": "https://login.acme.example?x=1"}, "is no issuer"),
        ({"audience": ""}, "audience"),
        ({"algorithms": ("none",)}, "'none' is not allowed"),
        ({"algorithms": ("RS256", "HS256")}, "'HS256' is not allowed"),
        ({"algorithms": ()}, "at least one"),
        ({"keys": {}}, "JSON Web Key Set"),
        ({"keys": {"keys": []}}, "JSON Web Key Set"),
        ({"keys": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}, "public keys only"),
        ({"keys": KeySet([KEY]).as_dict(private=True)}, "public keys only"),
        ({"keys": {"keys": [{"kty": "RSA"}]}}, "keys: "),
    ],
)
def test_what_must_not_be_trusted_is_refused_with_the_place(portal: Roost, more: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "keys": PUBLIC, "algorithms": ("RS256",)}
    with pytest.raises(ConfigError) as error:
        portal.hub.trust_issuer("acme", **(given | more))
    assert said in str(error.value)
