"""Every error is a problem: its title is a name to branch on, its detail says what to do."""

from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.web.endpoint import MAX_PAGE
from socialsupport_core.web.operations import OPERATIONS


def problem(answer: Any, status: int, title: str) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert (found["title"], found["status"]) == (title, status)
    detail: str = found["detail"]
    return detail


def test_a_method_that_is_none_names_those_that_are(acme: Desk) -> None:
    answer = acme.ask("PUT", "/api/channels")
    assert problem(answer, 405, "Method Not Allowed") == "this address takes GET, HEAD, POST"
    assert answer.headers["allow"] == "GET, HEAD, POST"
    answer = acme.ask("DELETE", "/health")
    assert "GET" in problem(answer, 405, "Method Not Allowed")


@pytest.mark.parametrize("path", ["/nothing", "/api/nothing", "/api/", "/h/a/b", "/api/<script>"])
def test_an_address_that_is_none_says_where_they_are_listed(acme: Desk, path: str) -> None:
    detail = problem(acme.get(path), 404, "Not Found")
    assert "socialsupport schema" in detail
    assert "script" not in detail


def test_without_a_token_it_says_how_to_give_one(web: Web) -> None:
    assert "Authorization: Bearer" in problem(web.get("/api/me"), 401, "Unauthorized")


def test_without_the_scope_it_says_which_one_and_what_there_is(roost: Roost, web: Web) -> None:
    answer = Desk(roost, web, "acme", "read", "link").post("/api/channels")
    assert problem(answer, 403, "Forbidden") == "this token lacks the scope 'configure'; it has link, read"


def test_another_name_is_a_problem_too(web: Web) -> None:
    answer = web.get("/api/me", headers={"host": "evil.example"})
    assert "'evil.example'" in problem(answer, 421, "Misdirected Request")


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({"txt": "hi"}, "txt", "did you mean text?"),
        ({"text": 5}, "text", "must be a text"),
        ({"attachments": [{"blobb": "x"}]}, "attachments.0.blobb", "did you mean blob?"),
    ],
)
def test_a_wrong_field_is_named_with_what_was_probably_meant(
    acme: Desk, roost: Roost, body: dict[str, Any], field: str, told: str
) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    answer = acme.post(f"/api/conversations/{roost.conversation()}/reply", body)
    detail = problem(answer, 422, "Unprocessable Entity")
    assert told in detail
    assert answer.json()["fields"][0]["field"] == field


def test_a_body_that_is_no_json_says_where(acme: Desk, roost: Roost) -> None:
    answer = acme.ask("POST", "/api/channels", content=b'{"id": ')
    assert "the body: is not JSON" in problem(answer, 422, "Unprocessable Entity")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("asignee=dana", "did you mean assignee?"),
        ("status=closed", "there is open, resolved, all"),
        ("waiting=maybe", "neither true nor false"),
        ("limit=many", "limit: 'many' is not a number"),
        (
            "q=x",
            "there is no parameter 'q' here; there is: after, assignee, channel, kind, limit, noise, order, status",
        ),
    ],
)
def test_a_filter_that_is_none_is_refused_rather_than_passed_over(acme: Desk, query: str, told: str) -> None:
    assert told in problem(acme.get(f"/api/conversations?{query}"), 400, "Bad Request")


def test_a_page_is_as_long_as_the_description_says_or_none(roost: Roost, web: Web) -> None:
    desk = Desk(roost, web, "acme", *SCOPES)
    roost.hear(message(1, "hello", at=roost.clock.now))
    lists = [path for (method, path), one in OPERATIONS.items() if "limit" in one.query]
    assert len(lists) >= 7
    for path in (one.replace("{id}", "raven.ring:kerry") for one in lists):
        assert [desk.get(f"{path}?limit={number}").status_code for number in (1, MAX_PAGE)] == [200, 200]
        for number in (0, MAX_PAGE + 1, 10**15):
            answer = desk.get(f"{path}?limit={number}")
            assert "limit: must be 1 to 500" in problem(answer, 422, "Unprocessable Entity")
            assert answer.json()["fields"][0]["field"] == "limit"


@pytest.mark.parametrize("query", ["waiting=0", "waiting=false", "waiting=", "status=all", "status=resolved"])
def test_filters_that_are_some_are_taken(acme: Desk, roost: Roost, query: str) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    found = acme.get(f"/api/conversations?{query}").json()["conversations"]
    assert len(found) == (0 if "resolved" in query else 1)


def test_an_interaction_of_nobody_is_refused_and_not_quarantined(acme: Desk, roost: Roost) -> None:
    visit = {
        "network": "store",
        "native_id": "v1",
        "kind": "visit",
        "direction": "inbound",
        "own_account": "Berlin",
        "thread": {"id": "v1", "visibility": "private"},
        "author": {"name": "Kerry"},
        "sent_at": "2026-03-01T12:00:00Z",
    }
    answer = acme.post("/api/interactions", visit)
    assert "author.identifiers: needs at least one" in problem(answer, 422, "Unprocessable Entity")
    assert roost.journal()["accepted"] == 0
    visit["author"] = {"identifiers": [{"kind": "phone", "value": "+15550147"}]}
    answer = acme.post("/api/interactions", visit)
    assert (answer.status_code, answer.json()) == (202, {"entry": 1})
