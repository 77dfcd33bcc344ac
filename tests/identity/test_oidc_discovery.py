"""Keys are read where an issuer publishes them: what rotates is found, and nobody is led astray by what is written."""

import asyncio
import base64
import hmac
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey
from raven import Roost, message

from socialsupport_core.contract import ConfigError
from socialsupport_core.identity.proofs import ProofRefused, discovery
from socialsupport_core.wire import guard
from socialsupport_core.wire.webhook import Poster

ISSUER, AUDIENCE, OWL = "https://login.acme.example", "support-desk", "raven.ring:owl"
OLD, NEW, FOREIGN = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("old", "new", "old"))
SHARED = OctKey.import_key("a-secret-of-sufficient-length-00", {"kid": "shared"})


class Portal:
    """What an issuer publishes, and who asked for it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.configuration: dict[str, Any] = {"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}
        self.keys: list[dict[str, Any]] = [OLD.as_dict(private=False)]
        self.down = False
        self.redirect: str | None = None

    def respond(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.down:
            raise httpx.ConnectError("no answer", request=request)
        if self.redirect and request.url.path == "/keys":
            return httpx.Response(302, headers={"location": self.redirect})
        found = {discovery.WELL_KNOWN: self.configuration, "/keys": {"keys": self.keys}}.get(request.url.path)
        return httpx.Response(200, json=found) if found else httpx.Response(404)


@pytest.fixture
def portal() -> Portal:
    return Portal()


@pytest.fixture
def roost(tmp_path: Path, portal: Portal) -> Iterator[Roost]:
    made = Roost(tmp_path, transport=httpx.MockTransport(portal.respond))
    made.hear(message(1, "hello", "owl", at=made.clock.now))
    yield made
    made.hub.close()


def token(roost: Roost, key: Any = OLD, alg: str = "RS256", issuer: str = ISSUER, **head: Any) -> str:
    now = int(roost.clock.now.timestamp())
    nonce = roost.hub.ask_sign_in("acme", OWL)["nonce"]
    said = {"iss": issuer, "aud": AUDIENCE, "sub": "user-42", "iat": now, "exp": now + 300, "nonce": nonce}
    return str(jwt.encode({"alg": alg, "kid": key.kid} | head, said, key, algorithms=[alg]))


def sign_in(roost: Roost, *given: Any, **more: Any) -> str:
    """What is known of the owl then, or why nothing is."""
    try:
        return str(roost.hub.signed_in("acme", OWL, token(roost, *given, **more))["claims"][0])
    except ProofRefused as refused:
        return str(refused)


KNOWN = "oidc.subject@login.acme.example:user-42"


def test_keys_are_read_where_the_issuer_says(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    assert portal.asked == [ISSUER + discovery.WELL_KNOWN, f"{ISSUER}/keys"]
    assert sign_in(roost) == KNOWN
    assert len(portal.asked) == 2  # they are kept


def test_they_are_read_at_the_first_sign_in(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE, at_once=False)
    assert not portal.asked
    assert sign_in(roost) == KNOWN
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE, at_once=False)  # as at the next start: what was read is kept
    assert sign_in(roost) == KNOWN
    assert len(portal.asked) == 2


def test_a_new_key_is_found_and_a_withdrawn_one_forgotten(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    portal.keys = [NEW.as_dict(private=False)]
    roost.clock.forward(minutes=2)
    assert sign_in(roost, NEW) == KNOWN
    assert "signature" in sign_in(roost, OLD)


def test_on_a_server_too(tmp_path: Path, portal: Portal, new_store: Callable[[str, Path], str | Path]) -> None:
    """Trusted, signed in, the keys rotated and asked for once by whoever is first, the nonce spent, distrusted."""
    transport, store = httpx.MockTransport(portal.respond), new_store("postgresql", tmp_path)
    roost = Roost(tmp_path, transport=transport, store=store)
    try:
        roost.hear(message(1, "hello", "owl", at=roost.clock.now))
        test_a_new_key_is_found_and_a_withdrawn_one_forgotten(roost, portal)
        used = token(roost, NEW)
        assert roost.hub.signed_in("acme", OWL, used)["claims"] == [KNOWN]
        with pytest.raises(ProofRefused, match="the nonce was used already"):
            roost.hub.signed_in("acme", OWL, used)
        roost.hub.distrust_issuer("acme", ISSUER)
        assert (roost.hub.issuers("acme"), "not trusted" in sign_in(roost, NEW)) == ([], True)
    finally:
        roost.hub.close()


def test_a_withdrawn_key_is_believed_for_a_day_at_most(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    portal.keys = [NEW.as_dict(private=False)]
    roost.clock.forward(hours=23)
    assert sign_in(roost) == KNOWN
    roost.clock.forward(hours=1)
    assert "signature" in sign_in(roost)


def test_invented_keys_call_nobody_more_than_once_a_minute(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    portal.asked.clear()
    for _ in range(5):
        roost.clock.forward(seconds=20)
        for kid in ("a", "b", "c"):
            assert "signature" in sign_in(roost, kid=kid)
    assert len(portal.asked) == 2  # of configuration and keys, once in these 100 seconds


def test_what_cannot_be_read_leaves_the_keys_as_they_are(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    portal.down = True
    roost.clock.forward(days=2)
    assert sign_in(roost) == KNOWN
    with pytest.raises(ConfigError, match=r"cannot be read: login\.acme\.example: ConnectError"):
        roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)


def test_before_any_key_was_read_the_refusal_says_so(roost: Roost, portal: Portal) -> None:
    portal.down = True
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE, at_once=False)
    assert "keys could not be read yet" in sign_in(roost)
    portal.down = False
    roost.clock.forward(minutes=1)
    assert sign_in(roost) == KNOWN


def test_only_a_trusted_issuer_is_called(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    portal.asked.clear()
    roost.clock.forward(days=2)
    assert "not trusted" in sign_in(roost, issuer="https://evil.example")
    assert sign_in(roost, NEW, jku="https://evil.example/keys", x5u="https://evil.example/x") != KNOWN
    assert {httpx.URL(one).host for one in portal.asked} == {"login.acme.example"}


def test_keys_that_were_given_by_hand_stay(roost: Roost, portal: Portal) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE, KeySet([OLD]).as_dict(private=False))
    roost.clock.forward(days=9)
    assert sign_in(roost) == KNOWN
    assert "signature" in sign_in(roost, NEW)
    assert not portal.asked


# what an issuer may not publish


def refused(roost: Roost) -> str:
    with pytest.raises(ConfigError) as error:
        roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    assert roost.hub.issuers("acme") == []
    return str(error.value)


@pytest.mark.parametrize("said", ["https://login.acme.example/", "https://evil.example", None, 7])
def test_a_configuration_that_names_another_issuer(roost: Roost, portal: Portal, said: Any) -> None:
    portal.configuration["issuer"] = said
    assert "names another issuer" in refused(roost)


@pytest.mark.parametrize(
    "address",
    [
        "http://login.acme.example/keys",
        "https://169.254.169.254/latest/meta-data",
        "https://127.0.0.1/keys",
        "https://localhost/keys",
        "https://10.0.0.1/keys",
        "https://[::1]/keys",
        "https://[::ffff:10.0.0.1]/keys",
        "https://user@login.acme.example/keys",
        "file:///etc/passwd",
        "//login.acme.example/keys",
        "",
    ],
)
def test_keys_at_an_address_that_is_not_public(roost: Roost, portal: Portal, address: str) -> None:
    portal.configuration["jwks_uri"] = address
    assert "cannot be read" in refused(roost)
    assert len(portal.asked) == 1


def test_keys_behind_a_redirection(roost: Roost, portal: Portal) -> None:
    portal.redirect = "https://169.254.169.254/keys"
    assert "302" in refused(roost)
    assert len(portal.asked) == 2


def test_a_name_that_leads_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    async def inside(host: str, port: int) -> list[str]:
        return ["10.0.0.1"]

    monkeypatch.setattr(guard, "_resolve", inside)

    async def call() -> str | None:
        poster = Poster()
        try:
            return (await poster.get("https://keys.acme.example/")).reason
        finally:
            await poster.aclose()

    assert "not a public address" in str(asyncio.run(call()))


@pytest.mark.parametrize("body", [[], "keys", {"keys": 7}, {"keys": []}, {"keys": ["RSA"]}, {}])
def test_what_is_no_key_set(body: Any) -> None:
    with pytest.raises(ConfigError):
        discovery.usable(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"\xff"])
def test_what_is_no_json(body: bytes) -> None:
    for read in (discovery.usable, lambda given: discovery.keys_at(ISSUER, given)):
        with pytest.raises(ConfigError):
            read(body)


UNUSABLE: dict[str, Callable[[], dict[str, Any]]] = {
    "a shared one": lambda: dict(SHARED.as_dict(private=True)),
    "a private one": lambda: dict(NEW.as_dict(private=True)),
    "one for encryption": lambda: {**ECKey.generate_key("P-256", {"kid": "enc"}).as_dict(private=False), "use": "enc"},
}


@pytest.mark.parametrize("which", UNUSABLE)
def test_a_key_that_must_not_be_believed_is_left_out(roost: Roost, portal: Portal, which: str) -> None:
    bad = UNUSABLE[which]()
    portal.keys = [bad]
    assert "no public key" in refused(roost)
    portal.keys = [bad, OLD.as_dict(private=False)]
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    assert sign_in(roost) == KNOWN
    assert sign_in(roost, SHARED, "HS256") != KNOWN
    assert sign_in(roost, NEW) != KNOWN


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def test_a_public_key_is_no_shared_secret_and_none_is_no_algorithm(roost: Roost) -> None:
    roost.hub.trust_issuer("acme", ISSUER, AUDIENCE)
    for alg, secret in (("HS256", OLD.as_pem(private=False)), ("none", None)):
        head = _encoded(json.dumps({"alg": alg, "kid": "old"}).encode())
        body = f"{head}.{token(roost).split('.')[1]}"
        signature = _encoded(hmac.digest(secret, body.encode(), "sha256")) if secret else ""
        with pytest.raises(ProofRefused, match="signature"):
            roost.hub.signed_in("acme", OWL, f"{body}.{signature}")
    assert "signature" in sign_in(roost, FOREIGN)


def test_a_configuration_that_is_endless(portal: Portal) -> None:
    """No more than the beginning is read, and that is no JSON."""

    async def call() -> int:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"[" * 10_000_000))
        return len((await Poster(transport).get("https://login.acme.example/")).body)

    assert asyncio.run(call()) <= 64 * 1024
