"""Handing on and proving over HTTP."""

import re
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from raven import Roost, message
from raven.web import Desk, Web

KERRY, OWL = "raven.ring:kerry", "raven.ring:owl"


@pytest.fixture
def con(roost: Roost) -> str:
    """Kerry's, in public; owl is somebody else, in private."""
    roost.hear(message(1, "help!", "kerry", visibility="public", at=roost.clock.now))
    roost.hear(message(2, "hello", "owl", at=roost.clock.now))
    return roost.conversation("kerry")


def test_the_targets_and_the_hand_off(roost: Roost, acme: Desk, con: str) -> None:
    (target,) = acme.get(f"/api/conversations/{con}/hand-off").json()["targets"]
    assert (target["channel"], target["how"], target["obstacles"]) == ("tower", "open", [])
    done = acme.post(f"/api/conversations/{con}/hand-off", {"to": "tower"})
    assert done.status_code == 200
    assert (done.json()["how"], done.json()["said"]) == ("open", ["tower", "tower"])
    roost.hub.drain()
    assert len(roost.sky.texts()) == 2
    (under_way,) = acme.get(f"/api/conversations/{con}/hand-off?leg=1").json()["handoffs"]
    assert (under_way["state"], under_way["how"]) == ("offered", "open")


def test_without_a_target_it_is_a_link_as_ever(acme: Desk, con: str) -> None:
    answer = acme.post(f"/api/conversations/{con}/hand-off", {}).json()
    assert set(answer) == {"id", "token", "url", "leg", "proves", "note"}
    assert re.fullmatch("https://hub.example/h/[a-z2-7]{26}", answer["url"])


def test_taking_a_hand_off_back(acme: Desk, con: str) -> None:
    made = acme.post(f"/api/conversations/{con}/hand-off", {}).json()
    over = acme.ask("DELETE", f"/api/hand-off/{made['id']}")
    assert (over.status_code, over.json()["state"], over.json()["open"]) == (200, "withdrawn", False)
    again = acme.ask("DELETE", f"/api/hand-off/{made['id']}")
    assert (again.status_code, again.json()["detail"]) == (
        422,
        "the hand-off is withdrawn; there is nothing to withdraw",
    )
    unknown = acme.ask("DELETE", "/api/hand-off/ho_none")
    assert (unknown.status_code, "there is no hand-off 'ho_none'" in unknown.json()["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"to": "nowhere"}, "there is no channel 'nowhere'; there is tower"),
        ({"to_agent": "nobody"}, "no agent 'nobody'"),
        ({"to": "tower", "to_agent": "dana"}, "give one of"),
        ({"target": "tower"}, "target"),
        ({"language": "deutsch"}, "language"),
    ],
)
def test_what_cannot_be_is_a_problem(acme: Desk, con: str, body: dict[str, Any], said: str) -> None:
    answer = acme.post(f"/api/conversations/{con}/hand-off", body)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]


def test_a_code_over_http(roost: Roost, acme: Desk, con: str) -> None:
    made = acme.post(f"/api/conversations/{con}/challenge", {"told": OWL, "expected": KERRY})
    assert made.status_code == 201
    given = made.json()
    (listed,) = acme.get(f"/api/conversations/{con}/challenge").json()["challenges"]
    assert given == listed | {"code": given["code"]}
    wrong = acme.post(f"/api/challenges/{given['id']}/hear", {"code": f"{(int(given['code']) + 1) % 1_000_000:06}"})
    assert (wrong.status_code, wrong.json()["title"]) == (422, "ProofRefused")
    assert wrong.json()["detail"] == "the code was wrong; 4 tries are left"
    right = acme.post(f"/api/challenges/{given['id']}/hear", {"code": given["code"]})
    assert right.json()["state"] == "proven"
    assert roost.hub.customer("acme", OWL)["id"] == roost.hub.customer("acme", KERRY)["id"]


def test_another_tenants_challenge_is_none(acme: Desk, rival: Desk, con: str) -> None:
    given = acme.post(f"/api/conversations/{con}/challenge", {"told": OWL, "expected": KERRY}).json()
    assert rival.post(f"/api/challenges/{given['id']}/hear", {"code": given["code"]}).status_code == 422
    assert rival.get(f"/api/conversations/{con}/challenge").status_code == 404
    assert rival.get(f"/api/conversations/{con}/hand-off").status_code == 404
    assert acme.get(f"/api/conversations/{con}/challenge").json()["challenges"][0]["tries"] == 0


def test_signing_in_over_http(roost: Roost, acme: Desk, con: str) -> None:
    key = ECKey.generate_key("P-256", {"kid": "1"})
    trusted = {
        "issuer": "https://login.acme.example",
        "audience": "desk",
        "keys": KeySet([key]).as_dict(private=False),
        "algorithms": ["ES256"],
    }
    assert acme.post("/api/identities/issuers", trusted).status_code == 201
    asked = acme.post("/api/identities/nonce", {"account": OWL})
    assert asked.status_code == 201
    now = int(roost.clock.now.timestamp())
    claims = {"iss": trusted["issuer"], "aud": "desk", "sub": "42", "iat": now, "exp": now + 60}
    signed = jwt.encode({"alg": "ES256", "kid": "1"}, claims | {"nonce": asked.json()["nonce"]}, key)
    done = acme.post("/api/identities", {"account": OWL, "id_token": signed})
    assert done.json() == {
        "customer": roost.hub.customer("acme", OWL)["id"],
        "proof": "oidc",
        "claims": ["oidc.subject@login.acme.example:42"],
    }
    again = acme.post("/api/identities", {"account": OWL, "id_token": signed})
    assert (again.status_code, again.json()["detail"]) == (422, "the nonce was used already, or is not ours")
    assert [one["issuer"] for one in acme.get("/api/identities/issuers").json()["issuers"]] == [trusted["issuer"]]
    assert acme.ask("DELETE", f"/api/identities/issuers/{trusted['issuer']}").status_code == 200
    assert acme.get("/api/identities/issuers").json() == {"issuers": []}


def test_who_may_what(roost: Roost, web: Web, con: str) -> None:
    reading = Desk(roost, web, "acme", "read")
    for path in ("hand-off", "challenge"):
        assert reading.get(f"/api/conversations/{con}/{path}").status_code == 200
        assert reading.post(f"/api/conversations/{con}/{path}").status_code == 403
    replying = Desk(roost, web, "acme", "read", "reply")
    for path in ("/api/identities", "/api/identities/nonce", "/api/identities/issuers"):
        assert replying.post(path).status_code == 403
    assert replying.ask("PUT", "/api/hand-off/templates", json={"toml": ""}).status_code == 403


def test_consent_over_http(acme: Desk, con: str) -> None:
    told = {"channel": "tower", "state": "out", "source": "wrote STOP"}
    assert acme.post(f"/api/customers/{KERRY}/consents", told).status_code == 200
    found = acme.get(f"/api/customers/{KERRY}/consents").json()["consents"]["tower"]
    assert (found["state"], found["source"]) == ("out", "wrote STOP")
    (target,) = acme.get(f"/api/conversations/{con}/hand-off").json()["targets"]
    assert [one["rule"] for one in target["obstacles"]] == ["opt_out"]


def test_the_tenants_own_words_over_http(acme: Desk) -> None:
    given = {"toml": '[de]\npublic_open = "Schau in deine Nachrichten."'}
    assert acme.ask("PUT", "/api/hand-off/templates", json=given).status_code == 200
    found = acme.get("/api/hand-off/templates").json()["templates"]
    assert found["de"]["public_open"] == "Schau in deine Nachrichten."
    bad = acme.ask("PUT", "/api/hand-off/templates", json={"toml": "[de]\npublic_open = 5"})
    assert "de.public_open: write a text" in bad.json()["detail"]


@pytest.mark.parametrize(
    ("accept", "heading"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", "Weiter, wo wir"),
        ("tlh, es;q=0.5", "Sigamos"),
        ("", "Go on where"),
        ("<script>", "Go on where"),
    ],
)
def test_the_page_behind_the_link_speaks_the_browsers_language(
    web: Web, acme: Desk, con: str, accept: str, heading: str
) -> None:
    token = acme.post(f"/api/conversations/{con}/hand-off", {}).json()["token"]
    answer = web.get(f"/h/{token}", headers={"accept-language": accept})
    assert (answer.status_code, heading in answer.text) == (200, True)
    assert "<script>" not in answer.text
