"""What an operator does over HTTP: tenants, agents, tokens, and what could not be read."""

import json
from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.hub.admitting import token_name


@pytest.fixture
def operator(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme", "operate")


def test_a_tenant_with_agent_token_and_channel_comes_up_over_http_alone(roost: Roost, web: Web, operator: Desk) -> None:
    assert operator.post("/api/tenants", {"id": "nova", "name": "Nova"}).status_code == 201
    assert {"id": "nova", "name": "Nova"} in operator.get("/api/tenants").json()["tenants"]
    made = operator.post("/api/agents", {"tenant": "nova", "id": "Kim.Lee", "name": "Kim"})
    assert (made.status_code, made.json()) == (201, {"id": "Kim.Lee", "name": "Kim", "is_bot": False})
    asked = {"tenant": "nova", "agent": "Kim.Lee", "scopes": ["read", "configure"], "purpose": "the helpdesk"}
    issued = operator.post("/api/tokens", asked)
    assert issued.status_code == 201

    kim = {"authorization": f"Bearer {issued.json()['token']}"}
    assert web.get("/api/me", headers=kim).json()["tenant"] == "nova"
    channel = {"id": "tower", "connector": "raven"}
    assert web.post("/api/channels", json=channel, headers=kim).status_code == 201
    assert web.post("/api/tenants", json={"id": "x", "name": "X"}, headers=kim).status_code == 403


def test_a_tenant_is_added_once(operator: Desk) -> None:
    again = operator.post("/api/tenants", {"id": "rival", "name": "Other"})
    assert again.status_code == 409
    assert "rival" in again.json()["detail"]
    assert {"id": "rival", "name": "Rival"} in operator.get("/api/tenants").json()["tenants"]


@pytest.mark.parametrize("id", ["", "Nova", "a b", "../x", "-nova", "n" * 65, "növa", 5])
def test_a_name_that_cannot_stand_in_an_address_is_refused(operator: Desk, id: Any) -> None:
    answer = operator.post("/api/tenants", {"id": id, "name": "Nova"})
    assert answer.status_code == 422
    assert answer.json()["fields"][0]["field"] == "id"


def test_tokens_are_listed_and_revoked(operator: Desk, web: Web) -> None:
    issued = operator.post("/api/tokens", {"agent": "dana"}).json()
    assert (issued["scopes"], issued["origin"], issued["issued_by"]) == (["read", "reply", "link"], "http", "acme/dana")
    headers = {"authorization": f"Bearer {issued['token']}"}
    assert web.get("/api/me", headers=headers).status_code == 200
    operator.post("/api/tokens", {"tenant": "rival", "agent": "dana"})
    listed = operator.get("/api/tokens?tenant=acme")
    assert issued["id"] in [one["id"] for one in listed.json()["tokens"]]
    assert {one["tenant"] for one in listed.json()["tokens"]} == {"acme"}
    assert issued["token"] not in listed.text

    assert operator.ask("DELETE", f"/api/tokens/{issued['id']}").status_code == 200
    assert web.get("/api/me", headers=headers).status_code == 401
    assert operator.ask("DELETE", f"/api/tokens/{issued['id']}").status_code == 404


def test_nobody_revokes_the_token_that_they_call_with(operator: Desk) -> None:
    answer = operator.ask("DELETE", f"/api/tokens/{token_name(operator.token)}")
    assert answer.status_code == 409
    assert "another one" in answer.json()["detail"]
    assert operator.get("/api/tokens").status_code == 200


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"agent": "nobody"}, 422, "has no agent 'nobody'"),
        ({"agent": "dana", "tenant": "nowhere"}, 404, "no tenant 'nowhere'"),
        ({"agent": "dana", "scopes": ["rule"]}, 422, "'operate'"),
        ({"agent": "dana", "scopes": []}, 422, "scopes"),
        ({"agent": "dana", "scope": ["read"]}, 422, "did you mean scopes?"),
        ({}, 422, "agent: is missing"),
    ],
)
def test_a_token_that_cannot_be_is_refused_with_the_remedy(
    operator: Desk, asked: dict[str, Any], status: int, told: str
) -> None:
    before = len(operator.get("/api/tokens").json()["tokens"])
    answer = operator.post("/api/tokens", asked)
    assert (answer.status_code, told in answer.json()["detail"]) == (status, True), answer.text
    assert len(operator.get("/api/tokens").json()["tokens"]) == before


def test_what_an_operator_does_is_audited(operator: Desk, roost: Roost) -> None:
    operator.post("/api/tenants", {"id": "nova", "name": "Nova"})
    operator.post("/api/tokens", {"agent": "dana"})
    roost.settle()
    rows = roost.hub._database.read(lambda tx: [row["verb"] for row in tx.all("SELECT verb FROM audit")])
    assert rows[0] == "add tenant nova"
    assert rows[1].startswith("issue tok_")


# what could not be read


@pytest.fixture
def scroll(roost: Roost) -> None:
    """One payload for acme and one for rival, neither of which ravens carry."""
    roost.hear({"type": "scroll"})
    roost.hear({"type": "scroll", "for": "rival"}, tenant="rival")


def test_the_quarantine_tells_where_when_and_why(operator: Desk, scroll: None) -> None:
    newest, oldest = operator.get("/api/quarantine").json()["entries"]
    assert (oldest["tenant"], oldest["channel"], oldest["source"]) == ("acme", "tower", "webhook")
    assert "ravens carry no scrolls" in oldest["reason"]
    assert newest["tenant"] == "rival"
    (mine,) = operator.get("/api/quarantine?tenant=acme").json()["entries"]
    assert mine == oldest
    assert operator.get("/api/quarantine?tenant=nowhere").status_code == 404


def test_a_quarantined_payload_is_a_download_as_it_came(operator: Desk, scroll: None) -> None:
    (entry,) = operator.get("/api/quarantine?tenant=acme").json()["entries"]
    answer = operator.get(f"/api/quarantine/{entry['entry']}")
    assert json.loads(answer.content) == [{"type": "scroll"}]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(("entry", "status"), [("999", 404), ("x", 400), ("-1", 400), ("9" * 30, 400)])
def test_an_entry_that_is_not_in_quarantine_is_not_shown(operator: Desk, roost: Roost, entry: str, status: int) -> None:
    assert operator.get(f"/api/quarantine/{entry}").status_code == status


def test_what_was_recorded_is_no_ones_to_read_as_a_payload(operator: Desk, roost: Roost) -> None:
    roost.hear(message(1, "hello"))
    assert operator.get("/api/quarantine/1").status_code == 404
    assert operator.post("/api/quarantine/replay", {"entry": 1}).status_code == 404


def test_replay_runs_what_can_be_read_now(operator: Desk, roost: Roost, scroll: None, monkeypatch: Any) -> None:
    answer = operator.post("/api/quarantine/replay", {"tenant": "acme"})
    assert (answer.status_code, answer.json()) == (202, {"replayed": 1})
    roost.hub.drain()
    assert len(operator.get("/api/quarantine").json()["entries"]) == 2, "still nobody can read it"

    connector = roost.hub.channels.door(roost.doors["acme"]).connector
    monkeypatch.setattr(type(connector), "read", lambda self, one: iter(()))
    assert operator.post("/api/quarantine/replay").json() == {"replayed": 2}
    roost.hub.drain()
    assert operator.get("/api/quarantine").json() == {"entries": []}
    assert roost.journal()["unexplained"] == 0
