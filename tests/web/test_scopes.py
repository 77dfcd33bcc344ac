"""Every operation asks for the scope that its description names, and for no other."""

import re

from raven import Roost
from raven.web import Desk, Web

from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.web.operations import OPERATIONS

GUARDED = {key: one.scope for key, one in OPERATIONS.items() if one.scope is not None}
OPEN = {
    "GET /connect/callback",
    "GET /health",
    "GET /metrics",
    "GET /hooks/{door}",
    "POST /hooks/{door}",
    "PUT /hooks/{door}",
    "GET /hooks/app/{door}",
    "POST /hooks/app/{door}",
    "PUT /hooks/app/{door}",
    "GET /h/{token}",
    "GET /chat/{door}/{page}",
}
"""What needs no token: networks, browsers and monitors ask."""
ENDLESS = {"/api/events"}
"""It may answer as a stream."""


def address(path: str) -> str:
    return re.sub(r"\{\w+\}", "never", path)


def test_without_a_token_nothing_is_answered(web: Web) -> None:
    wrong = {
        f"{method} {path}": answer.status_code
        for method, path in GUARDED
        if (answer := web.request(method, address(path), json={})).status_code != 401
    }
    assert wrong == {}


def test_with_every_scope_but_its_own_it_is_403(roost: Roost, web: Web) -> None:
    poor = {one: Desk(roost, web, "acme", *(other for other in SCOPES if other != one)) for one in SCOPES}
    before = roost.dump()
    wrong = {}
    for (method, path), scope in GUARDED.items():
        answer = poor[scope].ask(method, address(path), json={})
        if answer.status_code != 403 or f"lacks the scope {scope!r}" not in answer.json()["detail"]:
            wrong[f"{method} {path}"] = answer.text
    assert wrong == {}
    assert roost.dump() == before


def test_with_its_own_scope_alone_it_is_not_403(roost: Roost, web: Web) -> None:
    rich = {one: Desk(roost, web, "acme", one) for one in SCOPES}
    wrong = {}
    for (method, path), scope in GUARDED.items():
        if path in ENDLESS:
            continue
        answer = rich[scope].ask(method, address(path), json={})
        if answer.status_code in (401, 403):
            wrong[f"{method} {path}"] = answer.text
    assert wrong == {}


def test_what_is_open_is_known() -> None:
    assert {f"{method} {path}" for (method, path), one in OPERATIONS.items() if one.scope is None} == OPEN
