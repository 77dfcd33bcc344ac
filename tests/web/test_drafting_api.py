"""Drafts over HTTP: which scope may do what."""

import pytest
from raven import Roost, message
from raven.web import Desk, Web


@pytest.fixture
def con(roost: Roost) -> str:
    roost.hear(message(1, "where is my parcel?", "kerry", at=roost.clock.now))
    return roost.conversation("kerry")


def test_one_drafts_another_sends(roost: Roost, web: Web, acme: Desk, con: str) -> None:
    machine = Desk(roost, web, "acme", "read", "draft")
    made = machine.post(f"/api/conversations/{con}/drafts", {"text": "It left.", "why": "tracked"})
    assert made.status_code == 201
    shown = acme.get(f"/api/conversations/{con}").json()["drafts"]
    assert shown == [made.json()] == acme.get(f"/api/conversations/{con}/drafts").json()["drafts"]
    draft = made.json()["id"]
    assert machine.post(f"/api/drafts/{draft}/send").status_code == 403
    assert machine.post(f"/api/drafts/{draft}/discard").status_code == 403
    assert machine.post(f"/api/conversations/{con}/reply", {"text": "It left."}).status_code == 403
    sent = acme.post(f"/api/drafts/{draft}/send", {"text": "It left yesterday."})
    assert sent.status_code == 202
    roost.hub.drain()
    assert roost.sky.texts() == ["It left yesterday."]
    assert "drafts" not in acme.get(f"/api/conversations/{con}").json()
    assert acme.get(f"/api/conversations/{con}/drafts?ended=1").json()["drafts"][0]["state"] == "sent"


def test_drafting_needs_its_own_scope(acme: Desk, rival: Desk, con: str) -> None:
    refused = acme.post(f"/api/conversations/{con}/drafts", {"text": "Yes."})
    assert refused.status_code == 403
    assert "'draft'" in refused.json()["detail"]
    assert rival.get(f"/api/conversations/{con}/drafts").status_code == 404
    assert acme.post("/api/drafts/dr_none/discard").status_code == 404
