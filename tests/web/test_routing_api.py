"""Routing over HTTP: who is there, and why."""

from raven import Roost, message
from raven.web import Desk, Web


def test_who_is_there_and_why_nobody_has_it(roost: Roost, web: Web, acme: Desk, rival: Desk) -> None:
    roost.hub.set_guidance("acme", {"routing": {"enabled": True, "agents": {"dana": {"capacity": 1}}}})
    (me,) = acme.get("/api/team").json()["team"]
    assert (me["agent"], me["load"], me["capacity"], me["on"]) == ("dana", 0, 1, "hours")
    assert rival.get("/api/team").json() == {"team": []}
    assert acme.post("/api/duty", {"away": True}).status_code == 200
    assert acme.get("/api/team").json()["team"][0]["away"] == "is away"
    roost.hear(message(1, "hello", at=roost.clock.now))
    con = roost.conversation()
    shown = acme.get(f"/api/conversations/{con}").json()
    assert shown["routing"]["reason"] == "nobody can have it: is away (1)"
    assert acme.get(f"/api/conversations/{con}/routing").json()["routing"] == shown["routing"]
    assert rival.get(f"/api/conversations/{con}/routing").status_code == 404
    acme.post("/api/duty", {"away": False})
    roost.hub.drain()
    shown = acme.get(f"/api/conversations/{con}").json()
    assert (shown["assignee"], shown["routing"]["agent"]) == ("dana", "dana")
    assert Desk(roost, web, "acme", "read").post("/api/duty", {"away": True}).status_code == 403
