"""The HTTP API, as a helpdesk in any language sees it."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from raven import Roost, message
from raven.connector import Raven
from raven.events import NOON
from raven.web import Desk, Web

from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.web import create_app
from socialsupport_core.web.api import ROUTES

PROBLEM = "application/problem+json"


@pytest.fixture
def con(roost: Roost) -> str:
    """Kerry's open conversation with acme."""
    roost.hear(message(1, "hello", at=roost.clock.now))
    return roost.conversation()


def problem(answer: Any, status: int) -> dict[str, Any]:
    """Every error says in one shape what is wrong."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["title"]
    return found


# who may do what


@pytest.mark.parametrize("path", ["/api/me", "/api/customers", "/api/conversations", "/api/events", "/api/channels"])
@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer sst_wrong", "Basic YTpi", "Bearer \xe9"])
def test_without_a_token_it_is_401(web: Web, path: str, given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    answer = web.get(path, headers=headers)
    problem(answer, 401)
    assert answer.headers["www-authenticate"] == "Bearer"


CALLS = [
    ("read", "GET", "/api/me"),
    ("read", "GET", "/api/conversations/CON"),
    ("read", "GET", "/api/customers/raven.ring:kerry/timeline"),
    ("read", "GET", "/api/events"),
    ("reply", "POST", "/api/conversations/CON/reply"),
    ("reply", "POST", "/api/conversations/CON/note"),
    ("reply", "POST", "/api/conversations/CON/assign"),
    ("reply", "POST", "/api/conversations/CON/resolve"),
    ("reply", "POST", "/api/conversations/CON/hand-off"),
    ("reply", "POST", "/api/outbox/x/settle"),
    ("reply", "POST", "/api/interactions"),
    ("link", "POST", "/api/customers/raven.ring:kerry/link"),
    ("link", "POST", "/api/customers/raven.ring:kerry/split"),
    ("link", "POST", "/api/customers/raven.ring:kerry/undo"),
    ("configure", "GET", "/api/channels"),
    ("configure", "POST", "/api/channels"),
    ("configure", "PATCH", "/api/channels/tower"),
    ("configure", "DELETE", "/api/channels/tower"),
    ("configure", "POST", "/api/channels/tower/pause"),
    ("configure", "POST", "/api/channels/tower/test"),
]


@pytest.mark.parametrize(("scope", "method", "path"), CALLS)
def test_without_the_scope_it_is_403_and_nothing_happens(
    web: Web, roost: Roost, con: str, scope: Any, method: str, path: str
) -> None:
    others = [one for one in SCOPES if one != scope]
    poor = Desk(roost, web, "acme", *others)
    before = roost.hub.cursor()
    found = problem(poor.ask(method, path.replace("CON", con), json={}), 403)
    assert f"lacks the scope {scope!r}" in found["detail"]
    assert roost.hub.cursor() == before
    assert [one["state"] for one in roost.hub.list_channels("acme")] == ["active"]


def test_every_route_is_behind_a_scope() -> None:
    """Whoever adds a route must think of who may call it."""
    assert {route.path for route in ROUTES if not hasattr(route, "path")} == set()
    assert len(ROUTES) >= 31


# the continuous conversation


def test_who_am_i(acme: Any) -> None:
    me = acme.get("/api/me").json()
    assert (me["tenant"], me["agent"], me["name"]) == ("acme", "dana", "Dana")
    assert [one["id"] for one in me["channels"]] == ["tower"]


def test_the_queue_the_conversation_and_the_timeline(acme: Any, roost: Roost, con: str) -> None:
    (waiting,) = acme.get("/api/conversations?waiting=1").json()["conversations"]
    assert (waiting["id"], waiting["last"]["text"]) == (con, "hello")
    shown = acme.get(f"/api/conversations/{con}").json()
    assert [one["interaction"]["text"] for one in shown["entries"]] == ["hello"]
    customer = waiting["customer"]["id"]
    for who in (customer, "raven.ring:kerry", "raven.ring%3Akerry"):
        timeline = acme.get(f"/api/customers/{who}/timeline").json()
        assert [one["interaction"]["text"] for one in timeline["entries"]] == ["hello"]
        assert acme.get(f"/api/customers/{who}").json()["id"] == customer
    assert [one["id"] for one in acme.get("/api/customers?q=Kerry").json()["customers"]] == [customer]


def test_pages_go_back_to_the_beginning_and_miss_nothing(acme: Any, roost: Roost) -> None:
    """Some of them at the same moment, some before 1970."""
    moments = [NOON + timedelta(seconds=n // 3) for n in range(24)] + [NOON.replace(year=1960)] * 3
    roost.hear(*(message(n, f"text {n}", at=at) for n, at in enumerate(moments)))
    whole = [one["id"] for one in acme.get("/api/customers/raven.ring:kerry/timeline?limit=500").json()["entries"]]
    assert len(whole) == 27
    found: list[str] = []
    before = ""
    while before is not None:
        page = acme.get(f"/api/customers/raven.ring:kerry/timeline?limit=4&before={before}").json()
        found = [one["id"] for one in page["entries"]] + found
        before = page["before"]
    assert found == whole


@pytest.mark.parametrize("what", ["reply", "note"])
def test_a_key_that_is_given_with_another_text_has_a_title_of_its_own(acme: Any, con: str, what: str) -> None:
    path, headers = f"/api/conversations/{con}/{what}", {"idempotency-key": "order-17"}
    for _ in range(2):
        assert acme.post(path, {"text": "hi"}, headers=headers).status_code < 300
    answer = acme.post(path, {"text": "good-bye"}, headers=headers)
    assert (answer.status_code, answer.json()["title"]) == (422, "KeyReused")
    assert "'dana:order-17' was used for another" in answer.json()["detail"]
    assert "refusals" not in answer.json()


@pytest.mark.parametrize("query", ["before=x", "before=1.x", "limit=many", "limit=" + "9" * 30, "before=%00"])
def test_a_page_that_is_none_is_400(acme: Any, con: str, query: str) -> None:
    problem(acme.get(f"/api/customers/raven.ring:kerry/timeline?{query}"), 400)


@pytest.mark.parametrize("who", ["cus_unknown", "nonsense", "raven.ring:nobody", "x" * 3000, "%00", "a%2Fb", "☃"])
@pytest.mark.parametrize("what", ["", "/timeline", "/explain"])
def test_nobody_is_404(acme: Any, con: str, who: str, what: str) -> None:
    problem(acme.get(f"/api/customers/{who}{what}"), 404)


def test_a_reply_goes_out_once_for_its_key(acme: Any, roost: Roost, con: str) -> None:
    for _ in range(3):
        answer = acme.post(f"/api/conversations/{con}/reply", {"text": "hi"}, headers={"idempotency-key": "order/17"})
        assert answer.status_code == 202
    roost.hub.drain()
    assert roost.sky.texts() == ["hi"]


def test_two_agents_with_one_key_send_two_replies(acme: Any, web: Web, roost: Roost, con: str) -> None:
    agent = "a" * 70
    for name in (f"{agent}1", f"{agent}2"):
        roost.hub.add_agent("acme", name, name)
        desk = Desk(roost, web, "acme")
        desk.token = roost.hub.issue_token("acme", name)
        headers = {"idempotency-key": "k" * 80}
        assert desk.post(f"/api/conversations/{con}/reply", {"text": "hi"}, headers=headers).status_code == 202
    roost.hub.drain()
    assert roost.sky.texts() == ["hi", "hi"]


@pytest.mark.parametrize("key", ["", "k" * 81, "a\tb"])
def test_a_key_that_is_none_is_400(acme: Any, con: str, key: str) -> None:
    problem(acme.post(f"/api/conversations/{con}/reply", {"text": "hi"}, headers={"idempotency-key": key}), 400)


def test_a_refusal_says_which_rule_and_what_else(acme: Any, roost: Roost) -> None:
    roost.hear(message(1, "hello", visibility="public", at=roost.clock.now))
    path = f"/api/conversations/{roost.conversation()}"
    found = problem(acme.post(f"{path}/reply", {"text": "write to kerry@acme.example"}), 422)
    assert [one["rule"] for one in found["refusals"]] == ["no_personal_data_in_public"]
    assert found["refusals"][0]["spans"] == [[9, 27]]
    plan = acme.post(f"{path}/plan", {"text": "write to kerry@acme.example"}).json()
    assert (plan["possible"], plan["visibility"]) == (False, "public")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("reply", {"text": "hi", "txet": "typo"}),
        ("reply", {"text": 5}),
        ("reply", {"text": "hi", "leg": 999_999}),
        ("reply", []),
        ("reply", b"{"),
        ("reply", b"\xff"),
        ("reply", b'{"text": NaN}'),
        ("reply", b'{"text": "\\ud800"}'),
        ("note", {}),
        ("note", {"text": ""}),
        ("assign", {}),
        ("assign", {"assignee": "nobody"}),
    ],
)
def test_a_body_that_is_none_is_422_and_names_the_field(
    acme: Any, roost: Roost, con: str, path: str, body: Any
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    problem(acme.ask("POST", f"/api/conversations/{con}/{path}", content=content), 422)
    roost.hub.drain()
    assert roost.sky.calls == []


def test_too_large_a_body_is_413(acme: Any, con: str) -> None:
    problem(acme.post(f"/api/conversations/{con}/note", {"text": "x" * 2_000_000}), 413)


def test_what_an_agent_does_is_in_the_log_with_its_name(acme: Any, roost: Roost, con: str) -> None:
    for verb, body in (("note", {"text": "VIP"}), ("assign", {"assignee": "dana"}), ("resolve", {}), ("reopen", {})):
        assert acme.post(f"/api/conversations/{con}/{verb}", body).status_code == 200
    events = acme.get("/api/events").json()["events"]
    assert [one["type"] for one in events[-4:]] == [
        "interaction.received",
        "conversation.assigned",
        "conversation.resolved",
        "conversation.reopened",
    ]
    assert [one["data"]["agent"] for one in events[-4:]] == ["dana"] * 4
    shown = acme.get(f"/api/conversations/{con}").json()
    assert (shown["assignee"], shown["status"]) == ("dana", "open")
    problem(acme.post("/api/conversations/con_unknown/note", {"text": "x"}), 404)


def test_verdicts_are_explained_and_taken_back(acme: Any, roost: Roost, con: str) -> None:
    roost.hear(message(2, "me too", "robin", at=roost.clock.now))
    verdict = acme.post(
        "/api/customers/raven.ring:kerry/link", {"other": "raven.ring:robin", "note": "on the phone"}
    ).json()
    assert len(verdict["customers"]) == 1
    problem(acme.post("/api/customers/raven.ring:kerry/link", {"other": "raven.ring:robin"}), 409)
    shown = acme.get("/api/customers/raven.ring:kerry/explain").json()
    assert shown["evidence"][0]["agent"] == "dana"
    roost.hear(message(3, "who are they?", "morris", at=roost.clock.now))
    for who, status in (("raven.ring:morris", 409), ("raven.ring:nobody", 404)):
        problem(acme.post(f"/api/customers/{who}/undo", {"verdict": verdict["verdict"]}), status)
    back = acme.post("/api/customers/raven.ring:kerry/undo", {"verdict": verdict["verdict"]}).json()
    assert len(back["customers"]) == 2
    problem(acme.post("/api/customers/raven.ring:kerry/undo", {"verdict": verdict["verdict"]}), 409)


@pytest.mark.parametrize(
    "accounts", [["nonsense"], ["raven.ring:robin"], ["raven.ring:kerry"], [""], ["a:" + "b" * 5000]]
)
def test_a_split_that_makes_no_sense_is_409_and_says_why(acme: Any, con: str, accounts: list[str]) -> None:
    assert problem(acme.post("/api/customers/raven.ring:kerry/split", {"accounts": accounts}), 409)["detail"]


@pytest.mark.parametrize("other", ["nonsense", "cus_unknown", "A:b", "a:" + "b" * 5000])
def test_a_link_to_nobody_is_404(acme: Any, con: str, other: str) -> None:
    problem(acme.post("/api/customers/raven.ring:kerry/link", {"other": other}), 404)


# what no network tells


def call(**more: Any) -> dict[str, Any]:
    given = {
        "network": "phone",
        "native_id": "call-1",
        "kind": "call",
        "direction": "inbound",
        "own_account": "+4420",
        "thread": {"id": "call-1", "visibility": "private"},
        "author": {"identifiers": [{"kind": "phone", "value": "+44 20 7946 0958"}]},
        "text": "asked for a refund",
        "sent_at": "2026-03-01T12:00:00Z",
    }
    return given | more


def test_a_call_is_written_down_once(acme: Any, roost: Roost) -> None:
    for _ in range(2):
        assert acme.post("/api/interactions", call()).status_code == 202
    roost.hub.drain()
    (entry,) = acme.get("/api/customers/phone:%2B442079460958/timeline").json()["entries"]
    assert (entry["interaction"]["kind"], entry["channel"]) == ("call", "manual")
    (opened,) = [one for one in roost.hub.events("acme") if one["type"] == "conversation.opened"]
    assert opened["data"]["network"] == entry["interaction"]["network"]
    assert roost.journal()["unexplained"] == 0


@pytest.mark.parametrize(
    "wrong", [{"kind": "telepathy"}, {"sent_at": "today"}, {"sent_at": "2026-03-01T12:00:00"}, {"x": 1}]
)
def test_an_interaction_that_is_none_is_422(acme: Any, roost: Roost, wrong: dict[str, Any]) -> None:
    problem(acme.post("/api/interactions", call(**wrong)), 422)
    assert roost.journal()["accepted"] == 0


# attachments


def test_an_attachment_is_a_download_and_nothing_else(acme: Any, roost: Roost) -> None:
    roost.sky.files["f1"] = b"<script>alert(1)</script>"
    file = {"media_type": "text/html", "native_id": "f1", "name": '../../"<b>\r\nevil\u202e.html'}
    roost.hear(message(1, "see", attachments=(file,)))
    (shown,) = roost.timeline()[0]["attachments"]
    assert shown["state"] == "stored"
    answer = acme.get(f"/api/attachments/{shown['id']}")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment; filename=")
    plain, _, whole = disposition.partition("filename=")[2].partition("; filename*=UTF-8''")
    assert not set(plain[1:-1] + unquote(whole)) & set('"/\\\r\n\u202e')


@pytest.mark.parametrize("id", ["1.0", "x", "1", "1.x", "-1.0", "99999999999999999999.0", "1.0.0", "٣.٣"])
def test_an_attachment_that_is_none_is_404(acme: Any, con: str, id: str) -> None:
    problem(acme.get(f"/api/attachments/{id}"), 404)


def test_an_attachment_comes_when_the_network_is_back(acme: Any, roost: Roost) -> None:
    roost.sky.faults.unavailable = 4
    roost.sky.files["f1"] = b"late"
    roost.hear(message(1, "see", attachments=({"native_id": "f1", "name": "a.txt"},)))
    assert roost.timeline()[0]["attachments"][0]["state"] == "pending"
    for _ in range(3):
        roost.clock.forward(hours=1)
        roost.hub.drain()
    assert roost.timeline()[0]["attachments"][0]["state"] == "stored"


# channels at run time


def test_a_channel_is_live_at_once_and_shows_no_secret(acme: Any, web: Web, roost: Roost) -> None:
    made = acme.post("/api/channels", {"id": "east", "connector": "raven", "settings": {"secret": "east-secret"}})
    assert made.status_code == 201
    door = made.json()["door"].removeprefix("https://hub.example")
    body = roost.payload(message(1, "hello")).body
    assert web.post(door, content=body, headers={"raven-secret": "east-secret"}).status_code == 200
    roost.hub.drain()
    assert roost.texts() == ["hello"]
    assert "east-secret" not in acme.get("/api/channels").text

    acme.ask("PATCH", "/api/channels/east", json={"settings": {"secret": "other-secret"}})
    assert web.post(door, content=b"[]", headers={"raven-secret": "east-secret"}).status_code == 401
    assert web.post(door, content=b"[]", headers={"raven-secret": "other-secret"}).status_code == 200
    assert acme.ask("DELETE", "/api/channels/east").status_code == 200
    assert web.post(door, content=b"[]", headers={"raven-secret": "other-secret"}).status_code == 404


def test_a_change_of_settings_keeps_the_rest(acme: Any, roost: Roost) -> None:
    roost.hub.add_channel("acme", "lan", "raven", {}, open_network=True, own_account="tower", mode="webhook")
    acme.post("/api/channels/lan/pause")
    before = roost.hub.channels.get("acme", "lan").channel
    acme.ask("PATCH", "/api/channels/lan", json={"settings": {"secret": "s"}})
    assert roost.hub.channels.get("acme", "lan").channel == before
    assert before.state == "paused"
    acme.post("/api/channels/lan/resume")
    assert roost.hub.channels.get("acme", "lan").channel.state == "active"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"id": "a", "connector": "raben"}, "did you mean raven"),
        ({"id": "a", "connector": "raven", "settings": {"sekret": "x"}}, "did you mean secret?"),
        ({"id": "a", "connector": "raven", "settings": {"secret": 5}}, "secret"),
        ({"id": "a", "connector": "raven", "app": "none"}, "there is no app"),
        ({"id": "../a", "connector": "raven"}, "id"),
        ({"connector": "raven"}, "id"),
    ],
)
def test_a_channel_that_cannot_be_is_422_and_says_what_to_do(acme: Any, body: dict[str, Any], told: str) -> None:
    assert told in problem(acme.post("/api/channels", body), 422)["detail"]
    assert [one["id"] for one in acme.get("/api/channels").json()["channels"]] == ["tower"]


def test_a_wrong_setting_is_not_quoted(acme: Any) -> None:
    answer = acme.post("/api/channels", {"id": "a", "connector": "raven", "settings": {"secrt": "hunter2"}})
    assert "hunter2" not in answer.text


def test_the_connection_test_tells_who_we_are(acme: Any, roost: Roost) -> None:
    assert acme.post("/api/channels/tower/test").json()["own_account"] == "tower"
    roost.sky.faults.expire = 1
    assert "raven-token" not in str(problem(acme.post("/api/channels/tower/test"), 502))


def test_a_connector_that_cannot_be_made_is_shown_as_broken(acme: Any, roost: Roost) -> None:
    class Fragile(Raven):
        def __init__(self, *given: Any) -> None:
            raise RuntimeError("raven-token-1")

    roost.reopen(Fragile)
    acme.client = web = Web(create_app(roost.hub, run_workers=False))
    (shown,) = acme.get("/api/channels").json()["channels"]
    assert (shown["state"], "raven-token-1" in str(shown)) == ("broken", False)
    assert web.post(f"/hooks/{roost.doors['acme']}").status_code == 503


# the house itself


def test_metrics_and_health(web: Web, roost: Roost, con: str) -> None:
    assert web.get("/health").json()["status"] == "ok"
    text = web.get("/metrics").text
    assert 'socialsupport_journal{state="unexplained"} 0' in text
    assert 'socialsupport_journal{state="recorded"} 1' in text


def test_reading_a_person_is_audited(acme: Any, roost: Roost, con: str) -> None:
    acme.get("/api/customers/raven.ring:kerry/timeline")
    acme.post("/api/customers/raven.ring:kerry/split", {"accounts": ["raven.ring:kerry"]})
    roost.settle()
    rows = roost.hub._database.read(
        lambda tx: [(row["agent"], row["verb"]) for row in tx.all("SELECT * FROM audit ORDER BY number")]
    )
    assert rows == [("dana", "read"), ("dana", "split")]


def test_what_goes_wrong_inside_is_told_in_the_same_shape(
    acme: Any, roost: Roost, con: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("raven-token-1")

    monkeypatch.setattr(roost.hub, "queue", broken)
    assert "raven-token-1" not in str(problem(acme.get("/api/conversations"), 500))
