"""Over HTTP: conversations merged, split and moved, what was told, and what is to be reviewed."""

from typing import Any

import pytest
from raven import ACCOUNT, Roost, bird, message
from raven.events import NOON
from raven.web import Desk, Web

from socialsupport_core.model import IdentityClaimed
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

jsonschema = pytest.importorskip("jsonschema")


def fits(answer: Any, method: str, path: str) -> Any:
    """The answer, which has the shape that OpenAPI says."""
    assert answer.status_code == 200, answer.text
    schema = {**OPERATIONS[method, path].answer, "components": openapi()["components"]}
    jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
    return answer.json()


def refused(answer: Any, status: int, told: str) -> None:
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]


@pytest.fixture
def con(roost: Roost) -> str:
    """Kerry has told an order in public and an account in private."""
    roost.hear(message(1, "order 4711 is late", visibility="public", at=roost.clock.now))
    roost.clock.forward(minutes=1)
    roost.hear(message(2, "my customer number is 12345678", at=roost.clock.now))
    return roost.conversation()


def read(acme: Any, conversation: str) -> Any:
    return fits(acme.get(f"/api/conversations/{conversation}"), "GET", "/api/conversations/{id}")


def do(acme: Any, conversation: str, verb: str, **body: Any) -> Any:
    answer = acme.post(f"/api/conversations/{conversation}/{verb}", body)
    return fits(answer, "POST", f"/api/conversations/{{id}}/{verb}")


def test_a_conversation_is_split_merged_moved_and_put_back(acme: Any, con: str) -> None:
    legs = read(acme, con)["legs"]
    new = do(acme, con, "split", legs=[legs[1]["id"]])["conversations"][-1]
    assert [one["id"] for one in read(acme, new)["legs"]] == [legs[1]["id"]]
    merged = do(acme, new, "merge", into=con)
    assert merged["conversations"] == [new, con]
    gone = read(acme, new)
    assert (gone["status"], gone["superseded_by"]) == ("superseded", con)
    do(acme, con, "undo", move=merged["move"])
    do(acme, new, "move", into=con, legs=[legs[1]["id"]])
    assert [one["kind"] for one in read(acme, con)["moves"]] == ["split", "merged", "moved"]
    do(acme, con, "undo")
    do(acme, con, "undo")
    assert len(read(acme, con)["legs"]) == 2


def test_a_thread_is_split_from_an_interaction_on(acme: Any, roost: Roost, con: str) -> None:
    roost.hear(message(3, "and another thing", at=roost.clock.now))
    last = read(acme, con)["entries"][-1]
    new = do(acme, con, "split", since=int(last["id"]))["conversations"][-1]
    assert [one["interaction"]["text"] for one in read(acme, new)["entries"]] == ["and another thing"]


@pytest.mark.parametrize(
    ("verb", "body", "status", "told"),
    [
        ("split", {}, 422, "needs either legs, or since"),
        ("split", {"legs": [1], "since": 2}, 422, "needs either legs, or since"),
        ("split", {"legs": [99]}, 409, "has no leg 99"),
        ("split", {"legs": ["x"]}, 422, "legs"),
        ("merge", {"into": "con_nobody"}, 404, "no conversation"),
        ("merge", {}, 422, "into"),
        ("move", {"into": "con_nobody", "legs": [1]}, 404, "no conversation"),
        ("undo", {}, 409, "nothing was merged"),
        ("undo", {"move": "mov_7"}, 409, "there is no move"),
        ("context", {"kind": "order", "value": "1"}, 404, "no order like that"),
        ("context", {"kind": "order"}, 422, "value"),
    ],
)
def test_what_makes_no_sense_is_a_problem_that_says_why(
    acme: Any, con: str, verb: str, body: dict[str, Any], status: int, told: str
) -> None:
    refused(acme.post(f"/api/conversations/{con}/{verb}", body), status, told)
    assert len(read(acme, con)["legs"]) == 2


def test_what_was_told_is_read_corrected_removed_and_restored(acme: Any, con: str) -> None:
    assert [(one["kind"], one["value"]) for one in read(acme, con)["context"]] == [
        ("order", "4711"),
        ("account", "12345678"),
    ]
    changed = do(acme, con, "context", kind="order", value="4711", corrected="4712")["context"]
    assert (changed[0]["value"], changed[0]["told"], changed[0]["agent"]) == ("4712", "4711", "dana")
    removed = do(acme, con, "context", kind="account", value="12345678")["context"]
    assert removed[-1]["state"] == "removed"
    do(acme, con, "context", kind="account", value="12345678", restore=True)
    back = do(acme, con, "context", kind="order", value="4712", restore=True)["context"]
    assert {one["state"] for one in back} == {"told"}


def test_what_was_told_in_private_is_refused_in_public_with_its_place(acme: Any, con: str) -> None:
    leg = read(acme, con)["legs"][0]["id"]
    body = {"text": "Your account is 12345678, right?", "leg": leg}
    answer = acme.post(f"/api/conversations/{con}/reply", body)
    refused(answer, 422, "the customer's account")
    (refusal,) = answer.json()["refusals"]
    assert (refusal["rule"], refusal["spans"]) == ("nothing_private_in_public", [[16, 24]])
    assert acme.post(f"/api/conversations/{con}/plan", body).json()["possible"] is False


@pytest.fixture
def item(roost: Roost) -> str:
    kerry, sam = bird("kerry").identifiers[0], bird("sam").identifiers[0]
    claim = IdentityClaimed(id="c", own_account=ACCOUNT, subject=sam, claims=(kerry,), proof="typed", at=NOON)
    roost.hear(message(1, "hello", "kerry"), message(2, "I am kerry", "sam", at=1), claim)
    return str(roost.hub.reviews("acme")[0]["id"])


def reviews(acme: Any, query: str = "") -> Any:
    return fits(acme.get(f"/api/reviews{query}"), "GET", "/api/reviews")


def decide(acme: Any, item: str, **body: Any) -> Any:
    return fits(acme.post(f"/api/reviews/{item}", body), "POST", "/api/reviews/{id}")


def test_reviews_are_listed_decided_and_taken_back(acme: Any, item: str) -> None:
    (one,) = reviews(acme)["reviews"]
    assert (one["id"], one["kind"]) == (item, "suggestion")
    linked = decide(acme, item, decision="link")
    assert len(linked["customers"]) == 1
    assert reviews(acme)["reviews"] == []
    assert reviews(acme, "?state=decided")["decided"][0]["verdict"] == linked["verdict"]
    decide(acme, item, decision="undo")
    decide(acme, item, decision="later", days=30)
    assert [one["id"] for one in reviews(acme, "?state=later")["reviews"]] == [item]
    refused(acme.post("/api/reviews/rev_zz", {"decision": "link"}), 409, "nothing to decide")
    refused(acme.post(f"/api/reviews/{item}", {"decision": "marry"}), 422, "decision")
    refused(acme.get("/api/reviews?state=lost"), 400, "there is open, later, decided")


def test_who_may_not_link_decides_nothing(web: Web, roost: Roost, acme: Any, item: str, con: str) -> None:
    reader = Desk(roost, web, "acme", "read", "reply")
    assert reviews(reader)["reviews"]
    for path in (f"/api/reviews/{item}", f"/api/conversations/{con}/undo", f"/api/conversations/{con}/merge"):
        assert reader.post(path, {"decision": "link", "into": con}).status_code == 403
    assert len(reviews(acme)["reviews"]) == 1


def test_another_tenants_are_unknown(rival: Any, con: str, item: str) -> None:
    assert rival.get("/api/reviews").json() == {"reviews": []}
    refused(rival.post(f"/api/reviews/{item}", {"decision": "link"}), 409, "nothing to decide")
    refused(rival.post(f"/api/conversations/{con}/split", {"legs": [1]}), 404, "no conversation")


def test_each_event_has_its_shape(acme: Any, roost: Roost, con: str) -> None:
    from socialsupport_core.web.schema import asyncapi

    legs = read(acme, con)["legs"]
    new = do(acme, con, "split", legs=[legs[1]["id"]])["conversations"][-1]
    do(acme, new, "merge", into=con)
    do(acme, con, "undo")
    do(acme, new, "move", into=con, legs=[legs[1]["id"]])
    do(acme, con, "context", kind="order", value="4711")
    messages, seen = asyncapi()["channels"]["events"]["messages"], set()
    for event in roost.hub.events("acme", limit=500):
        seen.add(event["type"])
        schema = {**messages[event["type"]]["payload"], "components": asyncapi()["components"]}
        jsonschema.validate(event, schema, cls=jsonschema.Draft202012Validator)
    wanted = {"merged", "split", "moved", "restored", "context"}
    assert {f"conversation.{one}" for one in wanted} <= seen
