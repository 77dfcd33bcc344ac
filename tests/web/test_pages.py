"""What browsers see: sessions, names, headers."""

import re

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.web import arrivals, create_app


def sign_in(web: Web, token: str) -> str:
    """The CSRF token of the new session."""
    answer = web.post("/session", json={"token": token})
    assert answer.status_code == 200
    return str(answer.json()["csrf"])


def test_a_session_lives_in_a_cookie_that_no_script_reads(web: Web, acme: Desk) -> None:
    answer = web.post("/session", json={"token": acme.token})
    cookie = answer.headers["set-cookie"].lower()
    for mark in ("httponly", "samesite=strict", "secure", "path=/"):
        assert mark in cookie
    assert web.get("/api/me").json()["agent"] == "dana"
    assert web.get("/session").json()["tenant"] == "acme"
    web.request("DELETE", "/session")
    assert web.get("/api/me").status_code == 401


@pytest.mark.parametrize("given", [None, "", "wrong", "0" * 32])
def test_a_change_by_cookie_needs_the_csrf_token(web: Web, acme: Desk, roost: Roost, given: str | None) -> None:
    roost.hear(message(1, "hello", at=roost.clock.now))
    path = f"/api/conversations/{roost.conversation()}/note"
    csrf = sign_in(web, acme.token)
    headers = {} if given is None else {"x-csrf-token": given}
    assert web.post(path, json={"text": "x"}, headers=headers).status_code == 403
    assert len(roost.timeline()) == 1
    assert web.post(path, json={"text": "x"}, headers={"x-csrf-token": csrf}).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_so_does_every_kind_of_change(web: Web, acme: Desk, method: str) -> None:
    sign_in(web, acme.token)
    path = {"PUT": "/api/answers/1", "PATCH": "/api/interactions/1", "DELETE": "/api/interactions/1"}[method]
    answer = web.request(method, path, json={"text": "x"})
    assert (answer.status_code, "CSRF" in answer.text) == (403, True)


def test_one_sessions_csrf_token_is_not_anothers(web: Web, acme: Desk, rival: Desk) -> None:
    assert sign_in(web, acme.token) != sign_in(web, rival.token)


@pytest.mark.parametrize("body", [{"token": "sst_wrong"}, {"token": ""}, {}, {"token": 5}, []])
def test_a_wrong_token_signs_nobody_in(web: Web, body: object) -> None:
    answer = web.post("/session", json=body)
    assert answer.status_code in (401, 422)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/api/me", "/session", "/chat/x", "/h/x", "/metrics"])
@pytest.mark.parametrize("host", ["evil.example", "hub.example.evil.example", "10.0.0.1", "evil.example:8765", ""])
def test_another_name_is_421(web: Web, path: str, host: str) -> None:
    assert web.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "host", ["hub.example", "HUB.example", "hub.example:8765", "localhost", "127.0.0.1:9", "[::1]:8765"]
)
def test_our_own_names_are_answered(web: Web, host: str) -> None:
    assert web.get("/api/me", headers={"host": host}).status_code == 401


def test_more_names_may_be_configured(roost: Roost) -> None:
    web = Web(create_app(roost.hub, hosts=frozenset({"desk.example"}), run_workers=False))
    assert web.get("/api/me", headers={"host": "desk.example"}).status_code == 401


@pytest.mark.parametrize("path", ["/", "/api/me", "/nowhere", "/health", "/h/x", "/static/nowhere.js"])
def test_every_answer_carries_the_security_headers(web: Web, path: str) -> None:
    headers = web.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src", 1)[1].split(";")[0]


def test_the_inbox_is_off_unless_it_is_turned_on(roost: Roost) -> None:
    web = Web(create_app(roost.hub, run_workers=False))
    assert web.get("/").status_code == 404
    assert web.post("/session", json={"token": "x"}).status_code == 404


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static//etc/passwd"]
)
def test_nothing_but_the_pages_own_files_is_served(web: Web, path: str) -> None:
    assert web.get(path).status_code == 404


@pytest.mark.parametrize("token", ["<script>alert(1)</script>", "a" * 26, "%00"])
def test_a_hand_off_page_shows_nothing_of_its_address(web: Web, token: str) -> None:
    answer = web.get(f"/h/{token}")
    assert answer.status_code in (404, 410)
    assert "<script>alert" not in answer.text


def test_a_hand_off_page_has_its_looks_without_the_inbox(roost: Roost) -> None:
    """Customers come there, also where agents do not."""
    web = Web(create_app(roost.hub, run_workers=False))
    roost.hear(message(1, "hello", at=roost.clock.now))
    token = roost.hub.hand_off("acme", roost.conversation(), agent="dana")["token"]
    page = web.get(f"/h/{token}")
    assert page.status_code == 200
    linked = re.findall(r'href="(static/[^"]+)"', page.text)
    assert {one.rpartition(".")[2] for one in linked} == {"svg", "css"}
    for one in linked:
        assert web.get(f"/h/{one}").status_code == 200


def test_a_hand_off_page_tells_the_address_to_write_to() -> None:
    """Without a mail program on this machine the link does nothing."""
    way = {"url": "mailto:support%2Bh.abc@acme.example?subject=4711", "label": "By e-mail"}
    other = {"url": "https://t.me/acme_bot?start=abc", "label": "On Telegram"}
    shown = arrivals.page("en", [way, other])
    assert "<small>support+h.abc@acme.example</small>" in shown
    assert shown.count("<small>") == 1
    assert "<script>" not in arrivals.page("en", [way | {"url": "mailto:%3Cscript%3E@acme.example"}])


def test_whoever_forgets_to_start_the_hub_is_told_once(roost: Roost, caplog: pytest.LogCaptureFixture) -> None:
    """Mounted in another application this one never hears that it starts."""
    web = Web(create_app(roost.hub))
    answers = [web.get("/health") for _ in range(3)]
    assert [one.status_code for one in answers] == [503] * 3
    assert answers[0].json()["working"] is False
    assert [one.message for one in caplog.records if "run_workers=False" in one.message] == [caplog.records[0].message]


def test_a_host_that_starts_the_hub_itself_is_told_nothing(roost: Roost, caplog: pytest.LogCaptureFixture) -> None:
    roost.hub.start()
    for app in (create_app(roost.hub), create_app(roost.hub, run_workers=False)):
        health = Web(app).get("/health")
        assert (health.status_code, health.json()["working"]) == (200, True)
    assert caplog.records == []


def test_a_host_that_leaves_the_work_to_others_is_told_nothing(roost: Roost, caplog: pytest.LogCaptureFixture) -> None:
    health = Web(create_app(roost.hub, run_workers=False)).get("/health")
    assert (health.status_code, health.json()["working"]) == (200, False)
    assert caplog.records == []
