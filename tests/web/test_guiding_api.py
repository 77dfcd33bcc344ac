"""Approvals and answers over HTTP: shapes, scopes, statuses."""

from typing import Any

import jsonschema
import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

SAID = {"text": "I guarantee that it is there on Friday."}


@pytest.fixture
def con(roost: Roost) -> str:
    roost.hub.add_agent("acme", "kim", "Kim")
    roost.hear(message(1, "My parcel is late, order 4711", at=roost.clock.now))
    return roost.conversation()


@pytest.fixture
def kim(roost: Roost, web: Web, con: str) -> Desk:
    desk = Desk(roost, web, "acme", "read")
    desk.token = roost.hub.issue_token("acme", "kim", ("read", "approve"))
    return desk


def held(acme: Desk, con: str) -> str:
    answer = acme.post(f"/api/conversations/{con}/reply", SAID, headers={"idempotency-key": "once"})
    assert answer.status_code == 202
    found: str = answer.json()["approval"]["id"]
    return found


def test_it_waits_is_approved_and_stands_in_the_audit(acme: Desk, kim: Desk, con: str, roost: Roost) -> None:
    id = held(acme, con)
    (one,) = kim.get("/api/approvals").json()["approvals"]
    assert (one["id"], one["conversation"], one["wrote_since"]) == (id, con, False)
    assert acme.get(f"/api/conversations/{con}").json()["approvals"][0]["id"] == id
    done = kim.post(f"/api/approvals/{id}/approve")
    assert [part["state"] for part in done.json()["parts"]] == ["queued"]
    assert kim.get("/api/approvals").json() == {"approvals": []}
    assert kim.get("/api/approvals?state=decided").json()["approvals"][0]["decided_by"] == "kim"
    assert kim.post(f"/api/approvals/{id}/approve").status_code == 409
    again = acme.post(f"/api/conversations/{con}/reply", SAID, headers={"idempotency-key": "once"})
    assert again.json()["approval"]["state"] == "approved"
    roost.hub.drain()
    assert roost.sky.texts() == [SAID["text"]]
    for verb in ("ask for approval", "approved a reply"):
        assert verb in roost.dump()


def test_who_may_what(acme: Desk, kim: Desk, rival: Desk, con: str) -> None:
    id = held(acme, con)
    assert acme.post(f"/api/approvals/{id}/approve").status_code == 403
    assert kim.post(f"/api/approvals/{id}/withdraw").status_code == 403
    assert rival.get("/api/approvals").json() == {"approvals": []}
    assert kim.post("/api/approvals/nowhere/approve").status_code == 404
    assert kim.post(f"/api/approvals/{id}/refuse").status_code == 422
    assert kim.post(f"/api/approvals/{id}/refuse", {"word": "no"}).status_code == 200
    refused = acme.post(f"/api/conversations/{con}/reply", SAID, headers={"idempotency-key": "once"})
    assert refused.status_code == 422
    assert "kim has refused it: no" in refused.json()["detail"]


def test_ones_own_is_409_even_with_the_scope(acme: Desk, kim: Desk, con: str, roost: Roost, web: Web) -> None:
    id = held(acme, con)
    mine = Desk(roost, web, "acme", "reply", "approve")
    answer = mine.post(f"/api/approvals/{id}/approve")
    assert answer.status_code == 409
    assert "of their own" in answer.json()["detail"]
    assert mine.post(f"/api/approvals/{id}/withdraw").status_code == 200


def test_answers_are_put_offered_sent_and_removed(acme: Desk, rival: Desk, con: str) -> None:
    given = {"title": "A parcel is late", "text": "{greeting}, {order} is on its way."}
    assert acme.ask("PUT", "/api/answers/late", json=given).status_code == 200
    assert "txt" in acme.ask("PUT", "/api/answers/late", json={"title": "x", "txt": "x"}).json()["detail"]
    (one,) = acme.get(f"/api/conversations/{con}/answers").json()["answers"]
    assert one["text"] == "Hi Kerry, 4711 is on its way."
    sent = acme.post(f"/api/conversations/{con}/reply", {"text": one["text"], "answer": one["id"]})
    assert sent.status_code == 202
    (kept,) = acme.get("/api/answers").json()["answers"]
    assert (kept["name"], kept["sent"], kept["edited"]) == ("late", 1, 0)
    assert rival.get("/api/answers").json() == {"answers": []}
    assert acme.ask("DELETE", "/api/answers/late").status_code == 200
    assert acme.ask("DELETE", "/api/answers/late").status_code == 404


def test_a_body_that_makes_no_sense_is_422(acme: Desk, kim: Desk, con: str) -> None:
    answer: Any = kim.post(f"/api/approvals/{held(acme, con)}/approve", {"anyways": True})
    assert answer.status_code == 422
    assert kim.get("/api/approvals?state=gone").status_code == 400


def test_what_is_answered_has_its_shape(acme: Desk, kim: Desk, con: str, roost: Roost) -> None:
    roost.hub.put_answer("acme", "late", {"title": "A parcel is late", "text": "{order}", "on": {"x": "short"}})
    id = held(acme, con)
    kim.post(f"/api/approvals/{id}/refuse", {"word": "no"})
    reads = ["/api/approvals?state=decided", "/api/answers", f"/api/conversations/{con}/answers"]
    for path in [*reads, f"/api/conversations/{con}"]:
        described = path.partition("?")[0].replace(con, "{id}")
        whole = {**OPERATIONS["GET", described].answer, "components": openapi()["components"]}
        jsonschema.validate(acme.get(path).json(), whole, cls=jsonschema.Draft202012Validator)
    asked = acme.post(f"/api/conversations/{con}/plan", SAID).json()
    plan = {**OPERATIONS["POST", "/api/conversations/{id}/plan"].answer, "components": openapi()["components"]}
    jsonschema.validate(asked, plan, cls=jsonschema.Draft202012Validator)
