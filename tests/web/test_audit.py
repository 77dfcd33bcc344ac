"""The audit: who has read a person or decided something about one, and who has changed how the hub works."""

from typing import Any

import pytest
from raven import Roost, message
from raven.web import Desk, Web

from socialsupport_core.model import Attachment, ErasureRequested, Identifier
from socialsupport_core.store.accounts import SCOPES

KERRY = "/api/customers/raven.ring:kerry"
READ = [
    "/api/customers?q=kerry",
    KERRY,
    f"{KERRY}/timeline",
    f"{KERRY}/explain",
    f"{KERRY}/consents",
    "/api/conversations/CON",
    "/api/conversations/CON/drafts",
    "/api/conversations/CON/answers",
    "/api/conversations/CON/hand-off",
    "/api/attachments/FILE",
    "/api/approvals",
    "/api/reviews",
    "/api/report",
    "/api/quarantine/2",
]
LOFT: dict[str, Any] = {"id": "loft", "connector": "raven"}
DESK: dict[str, Any] = {"id": "desk", "url": "https://desk.example/hook"}
CHANGED: list[tuple[str, str, str, Any]] = [
    ("link", "POST", f"{KERRY}/link", {"other": "raven.ring:robin"}),
    ("split", "POST", f"{KERRY}/split", {"accounts": ["raven.ring:robin"]}),
    ("undo", "POST", f"{KERRY}/undo", {"verdict": "VERDICT"}),
    ("merge", "POST", "/api/conversations/CON/merge", {"into": "OTHER"}),
    ("undo", "POST", "/api/conversations/CON/undo", {}),
    ("move", "POST", "/api/conversations/CON/move", {"into": "OTHER", "legs": [1]}),
    ("split", "POST", "/api/conversations/OTHER/split", {"legs": [1]}),
    ("context", "POST", "/api/conversations/CON/context", {"kind": "order", "value": "4711"}),
    ("configure", "PUT", "/api/guidance", {}),
    ("configure", "PUT", "/api/answers/hours", {"title": "Hours", "text": "Nine to five."}),
    ("configure", "DELETE", "/api/answers/hours", None),
    ("configure", "POST", "/api/channels", LOFT),
    ("configure", "PATCH", "/api/channels/loft", {"expect_within": 3600}),
    ("configure", "POST", "/api/channels/loft/pause", {}),
    ("configure", "POST", "/api/channels/loft/resume", {}),
    ("configure", "POST", "/api/channels/loft/backfill", {"since": "2026-02-01T00:00:00Z"}),
    ("configure", "DELETE", "/api/channels/loft", None),
    ("configure", "POST", "/api/webhooks", DESK),
    ("configure", "PATCH", "/api/webhooks/desk", {"description": "x"}),
    ("configure", "POST", "/api/webhooks/desk/pause", {}),
    ("configure", "POST", "/api/webhooks/desk/resume", {}),
    ("configure", "POST", "/api/webhooks/desk/replay", {"after": 0}),
    ("configure", "POST", "/api/webhooks/desk/secret", {}),
    ("configure", "POST", "/api/webhooks/desk/secret/retire", {}),
    ("configure", "DELETE", "/api/webhooks/desk", None),
    ("add tenant nova", "POST", "/api/tenants", {"id": "nova", "name": "Nova"}),
    ("add agent nova/kim", "POST", "/api/agents", {"tenant": "nova", "id": "kim", "name": "Kim"}),
    ("replay", "POST", "/api/quarantine/replay", {}),
    ("erase", "DELETE", KERRY, None),
]


@pytest.fixture
def desk(roost: Roost, web: Web) -> Desk:
    return Desk(roost, web, "acme", *SCOPES)


@pytest.fixture
def known(roost: Roost) -> dict[str, str]:
    """What stands in a path or body for something that is there."""
    roost.sky.files["nest"] = b"eggs"
    roost.hear(message(1, "my order 4711 is late", at=roost.clock(), attachments=(Attachment(native_id="nest"),)))
    roost.hear({"type": "scroll"})
    roost.clock.forward(days=8)
    roost.hear(message(2, "hello again", at=roost.clock(), visibility="public"))
    roost.hear(message(3, "me too", "robin", at=roost.clock()))
    newest, oldest = (one["id"] for one in roost.hub.customer("acme", "raven.ring:kerry")["conversations"])
    file = roost.timeline()[0]["attachments"][0]["id"]
    return {"CON": oldest, "OTHER": newest, "FILE": file}


def audited(roost: Roost) -> list[tuple[str, str, str]]:
    roost.settle()
    rows = roost.hub._database.read(lambda tx: tx.all("SELECT * FROM audit WHERE tenant = 'acme' ORDER BY number"))
    return [(row["agent"], row["verb"], row["object"]) for row in rows]


def filled(given: Any, known: dict[str, str]) -> Any:
    if isinstance(given, dict):
        return {name: filled(value, known) for name, value in given.items()}
    for name, value in known.items() if isinstance(given, str) else ():
        given = given.replace(name, value)
    return given


@pytest.mark.parametrize("path", READ)
def test_whoever_reads_a_person_is_named(roost: Roost, desk: Desk, known: dict[str, str], path: str) -> None:
    answer = desk.get(filled(path, known))
    assert answer.status_code == 200, answer.text
    ((agent, verb, what),) = audited(roost)
    assert (agent, verb) == ("dana", "read")
    assert what.startswith("GET /api/")
    assert "kerry" not in what, "an address would outlive whoever has it"


def test_whoever_decides_or_changes_something_is_named(roost: Roost, desk: Desk, known: dict[str, str]) -> None:
    done: list[tuple[str, str]] = []
    for verb, method, path, body in CHANGED:
        answer = desk.ask(method, filled(path, known), json=filled(body, known))
        assert answer.status_code < 300, (method, path, answer.text)
        if answer.headers["content-type"] == "application/json" and "verdict" in answer.json():
            known["VERDICT"] = answer.json()["verdict"]
        roost.clock.forward(seconds=1)
        done.append((verb, method))
    assert [one[1] for one in audited(roost)] == [verb for verb, _ in done]
    assert {one[0] for one in audited(roost)} == {"dana"}


def test_whoever_issues_a_token_and_revokes_it_is_named(roost: Roost, desk: Desk) -> None:
    issued = desk.post("/api/tokens", {"agent": "dana", "scopes": ["read"]}).json()
    assert desk.ask("DELETE", f"/api/tokens/{issued['id']}").status_code == 200
    assert [verb for _, verb, _ in audited(roost)] == [
        f"issue {issued['id']} for acme/dana",
        f"revoke {issued['id']}",
    ]


def test_whoever_dismisses_a_demand_to_erase_is_named(roost: Roost, desk: Desk) -> None:
    whom = (Identifier(kind="raven.ring", value="kerry"),)
    roost.hear(message(1, "hello"))
    roost.hear(ErasureRequested(id="d", own_account="tower", identifiers=whom, at=roost.clock()))
    (request,) = roost.hub.erasure_requests("acme")
    assert desk.post(f"/api/erasures/{request['id']}/dismiss").status_code == 200
    assert audited(roost) == [("dana", "dismiss erasure", request["id"])]


def test_whoever_decides_about_what_was_decided_already_is_named(roost: Roost, desk: Desk) -> None:
    assert desk.post("/api/reviews/rev_1", {"decision": "apart"}).status_code == 409
    assert audited(roost) == [("dana", "apart", "POST /api/reviews/rev_1")]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/identities/issuers"),
        ("DELETE", "/api/identities/issuers/nobody"),
        ("PUT", "/api/hand-off/templates"),
    ],
)
def test_whoever_tries_to_change_whom_we_trust_or_what_we_say_is_named(
    roost: Roost, desk: Desk, method: str, path: str
) -> None:
    assert desk.ask(method, path, json={}).status_code == 422
    assert audited(roost) == [("dana", "configure", f"{method} {path}")]
