"""OpenAPI and AsyncAPI say what is true: of every route, every scope, every answer and every event."""

import ast
import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

import socialsupport_core
from socialsupport_core.demo.clock import StoryClock
from socialsupport_core.demo.story import Story, tell
from socialsupport_core.demo.world import TENANT, World, build
from socialsupport_core.store.accounts import SCOPES
from socialsupport_core.web import create_app
from socialsupport_core.web.happenings import EVENTS
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.schema import asyncapi, openapi, paths_of

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, Story]]:
    clock = StoryClock(datetime.now(UTC) - timedelta(hours=6))
    world = build(tmp_path_factory.mktemp("story"), "http://testserver", clock)
    yield world, tell(world, clock)
    world.hub.close()


def routes_of(app: Starlette) -> set[tuple[str, str]]:
    """Of doors, API and pages; what is mounted for plugins stands under the one path that surfaces have."""
    top = [one for one in app.routes if isinstance(one, Route)]
    api = next(one for one in app.routes if isinstance(one, Mount) and one.path == "/api")
    found = {*paths_of(top, ""), *paths_of(api.routes, "/api")}  # type: ignore[arg-type]
    return found | {("GET", "/chat/{door}/{page}")}


def test_each_route_is_described_and_each_description_has_its_route(told: tuple[World, Story]) -> None:
    assert routes_of(create_app(told[0].hub)) == set(OPERATIONS)
    paths = {(method.upper(), path) for path, methods in openapi()["paths"].items() for method in methods}
    assert paths == set(OPERATIONS)


def test_openapi_is_valid() -> None:
    pytest.importorskip("openapi_spec_validator").validate(openapi())


def ask(world: World, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(world.hub, run_workers=False))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=headers) as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())


GUARDED = [(method, path, one.scope) for (method, path), one in OPERATIONS.items() if one.scope]


@pytest.mark.parametrize(("method", "path", "scope"), GUARDED)
def test_the_scope_is_the_one_that_is_asked_for(told: tuple[World, Story], method: str, path: str, scope: str) -> None:
    world = told[0]
    others = [one for one in SCOPES if one != scope]
    without = world.hub.issue_token(TENANT, "bo", others)
    alone = world.hub.issue_token(TENANT, "bo", [scope])  # type: ignore[list-item]
    nowhere = re.sub(r"\{\w+\}", "nowhere", path)
    assert ask(world, method, nowhere).status_code == 401
    assert ask(world, method, nowhere, without).status_code == 403
    assert ask(world, method, nowhere, alone).status_code not in {401, 403}


def fits(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.validate(value, whole, cls=jsonschema.Draft202012Validator)


READS = (
    "/api/me",
    "/api/agents",
    "/api/customers?q=kerry",
    "/api/customers/{customer}",
    "/api/customers/{customer}/timeline",
    "/api/customers/{customer}/explain",
    "/api/conversations",
    "/api/conversations/{conversation}",
    "/api/events",
    "/api/channels",
    "/api/report",
    "/api/live",
    "/health",
)


@pytest.mark.parametrize("path", READS)
def test_what_is_read_has_its_shape(told: tuple[World, Story], path: str) -> None:
    world, story = told
    asked = path.format(customer=story.customer, conversation=story.conversation)
    answer = ask(world, "GET", asked, world.tokens["dana"])
    described = re.sub(r"\{\w+\}", "{id}", path).partition("?")[0]
    assert answer.status_code == 200
    assert answer.json()
    fits(answer.json(), OPERATIONS["GET", described].answer, openapi())


WRITES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("plan", {"text": "It is **on its way**."}),
    ("reply", {"text": "It is **on its way**."}),
    ("note", {"text": "She is friendly."}),
    ("presence", {"answering": True}),
    ("assign", {"assignee": "bo"}),
    ("hand-off", {}),
    ("resolve", {}),
    ("reopen", {}),
)


@pytest.mark.parametrize(("verb", "body"), WRITES)
def test_what_an_agent_does_is_answered_in_its_shape(
    told: tuple[World, Story], verb: str, body: dict[str, Any]
) -> None:
    world, story = told
    if verb in {"plan", "reply"}:
        legs = world.hub.conversation(TENANT, story.conversation)["legs"]
        body = {**body, "leg": next(leg["id"] for leg in legs if leg["network"] == "webchat")}
    answer = ask(world, "POST", f"/api/conversations/{story.conversation}/{verb}", world.tokens["dana"], json=body)
    described = OPERATIONS["POST", f"/api/conversations/{{id}}/{verb}"]
    assert answer.status_code == described.status, answer.text
    fits(answer.json(), described.answer, openapi())


def test_a_problem_has_its_shape(told: tuple[World, Story]) -> None:
    world, story = told
    wrong = ask(world, "POST", f"/api/conversations/{story.conversation}/note", world.tokens["dana"], json={})
    assert wrong.status_code == 422
    assert wrong.json()["fields"]
    fits(wrong.json(), {"$ref": "#/components/schemas/Problem"}, openapi())


def test_each_event_of_the_story_has_its_shape(told: tuple[World, Story]) -> None:
    world, _ = told
    events = world.hub.events(TENANT, limit=500)
    messages = asyncapi()["channels"]["events"]["messages"]
    for event in events:
        fits(event, messages[event["type"]]["payload"], asyncapi())
    assert len({event["type"] for event in events}) > 6


PUBLISHERS = {"publish", "_publish", "publish_interaction"}
TYPE = re.compile(r"[a-z]+\.[a-z_]+")


def published() -> set[str]:
    """The types that stand in calls which write to the log; those of connectors' events are passed through."""
    found = set()
    for path in Path(socialsupport_core.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in PUBLISHERS:
                inside = [one.value for part in node.args for one in ast.walk(part) if isinstance(one, ast.Constant)]
                found |= {one for one in inside if isinstance(one, str) and TYPE.fullmatch(one)}
    return found


def test_each_type_that_is_published_is_described() -> None:
    assert len(published()) > 8
    assert published() <= set(EVENTS)
    assert set(asyncapi()["channels"]["events"]["messages"]) == set(EVENTS)
