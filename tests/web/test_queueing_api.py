"""Over HTTP: what to answer next, of what kind a conversation is, and a tenant's guidance."""

from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

jsonschema = pytest.importorskip("jsonschema")


def fits(answer: Any, method: str, path: str) -> Any:
    assert answer.status_code == 200, answer.text
    schema = {**OPERATIONS[method, path].answer, "components": openapi()["components"]}
    jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
    return answer.json()


@pytest.fixture
def three(roost: Roost) -> Roost:
    for number, (name, text) in enumerate(
        (("kerry", "what time do you open?"), ("flo", "my lamp is broken"), ("max", "any promo codes?"))
    ):
        roost.hear(message(number, text, name, at=roost.clock.now))
        roost.clock.forward(minutes=1)
    return roost


def put(acme: Any, given: dict[str, Any]) -> Any:
    return acme.ask("PUT", "/api/guidance", json=given)


def names(acme: Any, query: str = "") -> list[str]:
    found = fits(acme.get(f"/api/conversations{query}"), "GET", "/api/conversations")
    return [one["customer"]["name"].lower() for one in found["conversations"]]


def test_the_queue_in_either_order(acme: Any, three: Roost) -> None:
    assert names(acme) == ["kerry", "flo"]
    assert names(acme, "?order=next") == ["flo", "kerry"]
    assert names(acme, "?order=next&limit=1&after=1") == ["kerry"]
    assert names(acme, "?noise=true") == ["max"]
    assert names(acme, "?noise=false&status=all") == ["kerry", "flo"]
    assert names(acme, "?status=all") == ["kerry", "flo", "max"]
    assert names(acme, "?kind=complaint") == ["flo"]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?order=best", "order: 'best' is none; there is oldest, next"),
        ("?kind=moan", "kind: 'moan' is none"),
        ("?noise=maybe", "noise: 'maybe' is neither true nor false"),
        ("?after=3", "after: leafs through order=next only"),
        ("?order=next&after=x", "after: 'x' is not a number"),
    ],
)
def test_what_makes_no_sense_is_refused(acme: Any, three: Roost, query: str, told: str) -> None:
    answer = acme.get(f"/api/conversations{query}")
    assert answer.status_code == 400
    assert told in answer.json()["detail"]


def test_an_agent_brings_a_conversation_back(acme: Any, three: Roost) -> None:
    con = three.conversation("max")
    answer = acme.post(f"/api/conversations/{con}/triage", {"kind": "question"})
    shown = fits(answer, "POST", "/api/conversations/{id}/triage")
    assert (shown["kind"], shown["noise"], shown["by"]) == ("question", False, "agent")
    assert names(acme) == ["kerry", "flo", "max"]
    found = fits(acme.get(f"/api/conversations/{con}"), "GET", "/api/conversations/{id}")
    assert found["entries"][0]["triage"]["by"] == "agent"
    assert acme.post(f"/api/conversations/{con}/triage", {"kind": "moan"}).status_code == 422
    assert acme.post("/api/conversations/con_none/triage", {"kind": "spam"}).status_code == 404


def test_guidance_is_read_and_set_as_a_whole(acme: Any, three: Roost) -> None:
    given = {"target": 60, "queue": {"complaint": 0}, "triage": {"words": {"spam": ["lamp"]}}}
    told = put(acme, given)
    assert told.status_code == 200, told.text
    found = acme.get("/api/guidance").json()
    assert found == told.json()
    assert (found["target"], found["queue"]["complaint"], found["queue"]["waiting"]) == (60, 0, 100)
    assert found["triage"]["words"] == {"spam": ["lamp"]}
    assert three.hub.conduct("acme") == {"guidance": {**given, "target": 60.0, "queue": {"complaint": 0.0}}}
    assert three.hub.guidance("rival").target == 4 * 3600
    assert put(acme, found).json() == found
    assert put(acme, {}).json()["target"] == 4 * 3600


def test_guidance_that_makes_no_sense_names_its_field(acme: Any, three: Roost) -> None:
    for given, field in (
        ({"targt": 3}, "targt"),
        ({"hours": {"week": {"mon": ["17:00-09:00"]}}}, "hours.week.mon"),
        ({"queue": {"waiting": -1}}, "queue.waiting"),
        ({"warn": 1}, "warn"),
    ):
        answer = put(acme, given)
        assert answer.status_code == 422, answer.text
        assert field in answer.text
    assert three.hub.conduct("acme") == {}


def test_guidance_needs_its_scope(roost: Roost, web: Web) -> None:
    acme = Desk(roost, web, "acme", "read", "reply")
    assert acme.get("/api/guidance").status_code == 403
    assert put(acme, {}).status_code == 403
