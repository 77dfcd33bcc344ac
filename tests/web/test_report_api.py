"""The report over HTTP: as JSON and as a page, for whoever may read; and the live figures."""

from datetime import timedelta
from typing import Any

import pytest
from raven import Roost, message
from raven.events import NOON
from raven.web import Desk, Web

from socialsupport_core.insight.page import policy
from socialsupport_core.web import create_app, reporting
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import openapi

jsonschema = pytest.importorskip("jsonschema")
PAGE = "text/html; charset=utf-8"


@pytest.fixture
def heard(roost: Roost) -> Roost:
    """Kerry asked at noon; it is six, and nobody has answered."""
    roost.hear(message(1, "hello?", "kerry"))
    roost.clock.forward(hours=5)
    return roost


def fits(answer: Any, path: str) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    schema = {**OPERATIONS["GET", path].answer, "components": openapi()["components"]}
    jsonschema.validate(answer.json(), schema, cls=jsonschema.Draft202012Validator)
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    "query", ["", "?since=2026-02-28", "?since=2026-02-28T00:00:00Z&until=2026-03-02&network=raven"]
)
def test_the_report_is_the_hubs(acme: Desk, heard: Roost, query: str) -> None:
    told = fits(acme.get(f"/api/report{query}"), "/api/report")
    assert told["breakdowns"] == heard.hub.report("acme")["breakdowns"]
    assert told["breakdowns"]["count"] == 1
    assert (told["previous"] is None) is not query
    assert told["filters"]["network"] == ("raven" if "network" in query else None)


def test_what_they_are_about_and_how_it_went_have_their_shapes(acme: Desk, heard: Roost) -> None:
    for number in range(16):
        at = NOON - timedelta(days=13 if number > 10 else 20)
        text = "The router shows a red light" if number > 10 else "change my address"
        heard.hear(message(10 + number, text, f"bird{number}", at=at))
    told = fits(acme.get("/api/report"), "/api/report")
    assert [(one["name"], one["rise"]["week"]) for one in told["themes"]] == [
        ("address, change", "2026-W07"),
        ("red light, router shows", "2026-W08"),
    ]
    assert told["themes"][1]["examples"][0]["conversations"] == [heard.conversation("bird15")]
    assert told["accuracy"]["verdicts"]["asked"] == 0


def test_a_period_ends_where_it_is_said_to(acme: Desk, heard: Roost) -> None:
    told = fits(acme.get("/api/report?until=2026-03-01T13:00:00%2B01:00"), "/api/report")
    assert told["period"]["until"] == "2026-03-01T12:00:00Z"
    assert told["matters"]["count"] == 0


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json, text/html", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", PAGE),
        ("TEXT/HTML;q=0.9", PAGE),
    ],
)
def test_who_asks_for_a_page_gets_the_page(acme: Desk, heard: Roost, accept: str, media_type: str) -> None:
    answer = acme.get("/api/report", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)


def test_the_page_lets_in_its_own_style_and_nothing_else(acme: Desk, heard: Roost) -> None:
    answer = acme.get("/api/report.html")
    assert answer.headers["content-type"] == PAGE
    assert answer.headers["content-security-policy"] == f"{policy()}; frame-ancestors 'none'"
    assert "script" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_it_leads_to_the_inbox_where_there_is_one(acme: Desk, heard: Roost) -> None:
    conversation = heard.conversation("kerry")
    assert f'href="../#/{conversation}"' in acme.get("/api/report.html").text
    alone = Desk(heard, Web(create_app(heard.hub, run_workers=False)), "acme").get("/api/report.html").text
    assert "../#/" not in alone
    assert f"<code>{conversation}</code>" in alone


@pytest.mark.parametrize("path", ["/api/report", "/api/report.html", "/api/live"])
def test_it_needs_the_scope_to_read_and_tells_nothing_of_another_tenant(
    web: Web, rival: Desk, heard: Roost, path: str
) -> None:
    assert web.get(path).status_code == 401
    assert Desk(heard, web, "acme", "reply", "configure").get(path).status_code == 403
    assert heard.conversation("kerry") not in rival.get(path).text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("since=yesterday", 400, "since: 'yesterday' is no time; write 2026-11-01"),
        ("until=2026-13-01", 400, "until: '2026-13-01' is no time"),
        ("since=2026-03-02&until=2026-03-01", 400, "the period ends before it begins"),
        ("since=2027-01-01", 400, "the period ends before it begins"),
        ("from=2026-03-02", 400, "there is no parameter 'from' here"),
        ("channel=towre", 422, "there is no channel 'towre' to report on; did you mean tower?"),
        ("visibility=secret", 422, "there is: private, public"),
        ("agent=%3Cscript%3E", 422, "there is no agent '<script>'"),
    ],
)
@pytest.mark.parametrize("path", ["/api/report", "/api/report.html"])
def test_what_makes_no_sense_is_told(acme: Desk, heard: Roost, path: str, query: str, status: int, said: str) -> None:
    answer = acme.get(f"{path}?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert said in answer.json()["detail"]


def test_a_crowd_of_reports_does_not_hold_up_the_rest(acme: Desk, heard: Roost) -> None:
    for _ in range(reporting.AT_ONCE):
        assert reporting._free.acquire(blocking=False)
    try:
        answer = acme.get("/api/report")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert acme.get("/api/live").status_code == 200
    finally:
        for _ in range(reporting.AT_ONCE):
            reporting._free.release()
    assert acme.get("/api/report").status_code == 200


def test_what_was_wrong_frees_its_place(acme: Desk, heard: Roost) -> None:
    for _ in range(reporting.AT_ONCE + 1):
        assert acme.get("/api/report?channel=nowhere").status_code == 422
    assert acme.get("/api/report").status_code == 200


def test_it_is_audited(acme: Desk, heard: Roost) -> None:
    acme.get("/api/report?network=raven")
    heard.settle()
    assert "GET /api/report" in heard.dump()


def test_how_it_goes_right_now(acme: Desk, heard: Roost) -> None:
    told = fits(acme.get("/api/live"), "/api/live")
    assert told["waiting"] == 1
    assert told["oldest"]["conversation"] == heard.conversation("kerry")
    assert told["oldest"]["overdue"] is True
    assert told["today"]["in_target"] == {"share": 0.0, "count": 0, "of": 1}
    heard.hub.resolve("acme", heard.conversation("kerry"), agent="dana")
    assert fits(acme.get("/api/live"), "/api/live")["oldest"] is None


def test_the_description_names_the_page(heard: Roost) -> None:
    answers = openapi()["paths"]["/api/report"]["get"]["responses"]["200"]["content"]
    assert set(answers) == {"application/json", "text/html"}
    assert heard.clock.now == NOON + timedelta(hours=6)


@pytest.mark.parametrize("since", ["0001-01-01", "1000-01-01", "0001-01-01T00:00:00%2B14:00"])
def test_since_the_beginning_of_all_time(acme: Desk, heard: Roost, since: str) -> None:
    found = fits(acme.get(f"/api/report?since={since}"), "/api/report")
    assert found["previous"]["matters"]["count"] == 0
