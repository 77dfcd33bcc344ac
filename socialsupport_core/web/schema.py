"""OpenAPI 3.1 of every path and AsyncAPI 3 of the event log, from the route table, the bodies and the shapes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.routing import Route

from socialsupport_core.model import Interaction
from socialsupport_core.store.accounts import Scope
from socialsupport_core.web import api
from socialsupport_core.web.shapes import EMPTY, EVENTS, MODELS, SHAPES, TEXT, Shape, fields, listed, ref

Document = dict[str, Any]
BINARY: Shape = {"type": "string", "contentMediaType": "application/octet-stream"}
LIMIT: Shape = {"type": "integer", "minimum": 1, "maximum": api.MAX_PAGE}
QUERY: dict[str, tuple[Shape, str]] = {
    "q": (TEXT, "Part of a name, handle or identifier."),
    "limit": (LIMIT, "How many at most."),
    "before": (TEXT, "A cursor of the answer before: what is older."),
    "after": ({"type": "integer", "minimum": 0}, "The cursor of the last event that you have dealt with."),
    "presence": ({"const": "1"}, "In the stream, also who else is answering."),
    "status": ({"enum": ["open", "resolved", "all"]}, "`open` unless you say otherwise."),
    "channel": (TEXT, "Only with a leg on this channel."),
    "assignee": (TEXT, "Only this agent's."),
    "waiting": ({"enum": ["1", "true", "yes"]}, "Only where the customer waits for an answer."),
}
PATH: dict[str, str] = {
    "door": "The unguessable id of the door.",
    "id": "The id; of a customer also any identifier, such as `phone:+15550147`.",
    "part": "The key of the part.",
    "connector": "The network, such as `telegram`.",
    "token": "What a hand-off gave.",
    "page": "What the surface calls its pages.",
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path. `scope` None: no token is asked for."""

    summary: str
    scope: Scope | None
    answer: Shape
    body: type[Any] | None = None
    query: tuple[str, ...] = ()
    status: int = 200
    media_type: str = "application/json"


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/me"): Operation("Who the token speaks for.", "read", ref("Me")),
    ("GET", "/api/agents"): Operation("The tenant's agents.", "read", fields(agents=listed(ref("Agent")))),
    ("GET", "/api/customers"): Operation(
        "Find customers.", "read", fields(customers=listed(ref("Customer"))), query=("q", "limit")
    ),
    ("GET", "/api/customers/{id}"): Operation(
        "One customer. An old id answers with the current one.", "read", ref("Customer")
    ),
    ("GET", "/api/customers/{id}/timeline"): Operation(
        "The continuous conversation, oldest first; `before` leads to what is older.",
        "read",
        fields(entries=listed(ref("Entry")), before={"type": ["string", "null"]}),
        query=("before", "limit"),
    ),
    ("GET", "/api/customers/{id}/explain"): Operation(
        "Why these accounts are one customer.", "read", ref("Explanation")
    ),
    ("POST", "/api/customers/{id}/link"): Operation("These two are one.", "link", ref("Verdict"), api.LinkBody),
    ("POST", "/api/customers/{id}/split"): Operation(
        "These accounts are somebody else.", "link", ref("Verdict"), api.SplitBody
    ),
    ("POST", "/api/customers/{id}/undo"): Operation("Take a verdict back.", "link", ref("Verdict"), api.UndoBody),
    ("GET", "/api/conversations"): Operation(
        "The queue, whoever has waited longest first.",
        "read",
        fields(conversations=listed(ref("ConversationSummary"))),
        query=("status", "channel", "assignee", "waiting", "limit"),
    ),
    ("GET", "/api/conversations/{id}"): Operation("One conversation with its legs.", "read", ref("Conversation")),
    ("POST", "/api/conversations/{id}/plan"): Operation(
        "What would be sent, in how many parts, what is lost and what forbids it.", "read", ref("Plan"), api.ReplyBody
    ),
    ("POST", "/api/conversations/{id}/reply"): Operation(
        "Answer. The same `Idempotency-Key` sends once.", "reply", ref("Sent"), api.ReplyBody, status=202
    ),
    ("POST", "/api/conversations/{id}/hand-off"): Operation(
        "A link that brings its bearer to this conversation, once.", "reply", ref("HandOff"), api.HandoffBody
    ),
    ("POST", "/api/conversations/{id}/note"): Operation("An internal note.", "reply", EMPTY, api.NoteBody),
    ("POST", "/api/conversations/{id}/presence"): Operation(
        "A sign of life from whoever is answering; the others come back.",
        "reply",
        fields(answering=listed(TEXT)),
        api.PresenceBody,
    ),
    ("POST", "/api/conversations/{id}/assign"): Operation(
        "Give it to an agent, or to nobody.", "reply", EMPTY, api.AssignBody
    ),
    ("POST", "/api/conversations/{id}/resolve"): Operation("The matter is done.", "reply", EMPTY),
    ("POST", "/api/conversations/{id}/reopen"): Operation("It is not.", "reply", EMPTY),
    ("POST", "/api/outbox/{part}/settle"): Operation(
        "A person has looked whether an uncertain part was sent.", "reply", EMPTY, api.SettleBody
    ),
    ("POST", "/api/interactions"): Operation(
        "What no webhook tells: a call, a visit, a form.", "reply", EMPTY, Interaction, status=202
    ),
    ("GET", "/api/attachments/{id}"): Operation(
        "A stored file, as a download.", "read", BINARY, media_type="application/octet-stream"
    ),
    ("GET", "/api/events"): Operation(
        "Everything that happened since a cursor: a page, or with `Accept: text/event-stream` a stream.",
        "read",
        fields(events=listed(ref("Event")), after={"type": "integer"}),
        query=("after", "limit", "presence"),
    ),
    ("GET", "/api/channels"): Operation(
        "The tenant's channels, without their settings.", "configure", fields(channels=listed(ref("Channel")))
    ),
    ("POST", "/api/channels"): Operation(
        "Add a channel, live at once.", "configure", ref("Door"), api.ChannelBody, status=201
    ),
    ("PATCH", "/api/channels/{id}"): Operation("Give it new settings.", "configure", ref("Door"), api.ChannelPatch),
    ("DELETE", "/api/channels/{id}"): Operation("Remove it; what came through it stays.", "configure", EMPTY),
    ("POST", "/api/channels/{id}/pause"): Operation("Neither receive nor send.", "configure", EMPTY),
    ("POST", "/api/channels/{id}/resume"): Operation("Go on.", "configure", EMPTY),
    ("POST", "/api/channels/{id}/test"): Operation("The connection test: who are we there?", "configure", ref("Facts")),
    ("POST", "/api/channels/{id}/subscribe"): Operation("Tell the network where our door is.", "configure", EMPTY),
    ("GET", "/api/connect/{connector}"): Operation(
        "Where an operator grants access (OAuth).", "configure", fields(url=TEXT)
    ),
    ("GET", "/health"): Operation("Is all accounted for? 503 if not.", None, ref("Health")),
    ("GET", "/metrics"): Operation("The same counters for Prometheus.", None, TEXT, media_type="text/plain"),
    ("GET", "/hooks/{door}"): Operation("A network's challenge.", None, BINARY, media_type="*/*"),
    ("POST", "/hooks/{door}"): Operation(
        "A network calls; the answer follows the commit.", None, BINARY, media_type="*/*"
    ),
    ("GET", "/hooks/app/{door}"): Operation(
        "The same for an app that many channels share.", None, BINARY, media_type="*/*"
    ),
    ("POST", "/hooks/app/{door}"): Operation(
        "The same for an app that many channels share.", None, BINARY, media_type="*/*"
    ),
    ("PUT", "/hooks/{door}"): Operation("The same for a network that puts.", None, BINARY, media_type="*/*"),
    ("PUT", "/hooks/app/{door}"): Operation("The same for a network that puts.", None, BINARY, media_type="*/*"),
    ("GET", "/h/{token}"): Operation("The page to which a hand-off link leads.", None, TEXT, media_type="text/html"),
    ("GET", "/chat/{door}/{page}"): Operation(
        "The pages that a plugin brings, such as the web chat.", None, BINARY, media_type="*/*"
    ),
}


def paths_of(routes: list[Route], prefix: str) -> Iterator[tuple[str, str]]:
    """Method and path of each route, in OpenAPI's way of writing."""
    for route in routes:
        path = re.sub(r"\{(\w+):path\}", r"{\1}", prefix + route.path)
        yield from ((method, path) for method in sorted((route.methods or set()) - {"HEAD"}))


@cache
def openapi() -> Document:
    """OpenAPI 3.1."""
    paths: Document = {}
    for (method, path), operation in OPERATIONS.items():
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, operation)
    bearer = {"type": "http", "scheme": "bearer", "description": "A token carries tenant, agent and scopes."}
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": {"token": bearer}},
    }


def _info() -> Document:
    return {
        "title": "socialsupport",
        "version": version("socialsupport"),
        "description": "One continuous customer conversation, whatever the channel.",
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _operation(method: str, path: str, one: Operation) -> Document:
    names = re.findall(r"\{(\w+)\}", path)
    found: Document = {
        "operationId": f"{method} {path}".lower(),
        "summary": one.summary,
        "parameters": [_in_path(name) for name in names] + [_in_query(name) for name in one.query],
        "responses": {str(one.status): _answer(one), "default": _problem()},
    }
    if path.endswith("/reply"):
        found["parameters"].append(
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 80}}
        )
    if path == "/api/events":
        found["responses"]["200"]["content"]["text/event-stream"] = {"schema": TEXT}
    if one.body is not None:
        content = {"application/json": {"schema": ref(one.body.__name__)}}
        found["requestBody"] = {"required": True, "content": content}
    if one.scope is not None:
        found["security"] = [{"token": []}]
        found["x-scope"] = one.scope
    return found


def _answer(one: Operation) -> Document:
    return {"description": one.summary, "content": {one.media_type: {"schema": one.answer}}}


def _problem() -> Document:
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {"description": "A problem: what is wrong, and what to do.", "content": content}


def _in_path(name: str) -> Document:
    return {"name": name, "in": "path", "required": True, "schema": TEXT, "description": PATH[name]}


def _in_query(name: str) -> Document:
    shape, text = QUERY[name]
    return {"name": name, "in": "query", "schema": shape, "description": text}


def _schemas() -> Document:
    bodies = {one.body for one in OPERATIONS.values() if one.body is not None}
    models = sorted({*bodies, *MODELS.values()}, key=lambda model: model.__name__)
    _, described = models_json_schema(
        [(model, "validation") for model in models], ref_template="#/components/schemas/{model}"
    )
    return {**described["$defs"], **SHAPES}


@cache
def asyncapi() -> Document:
    """AsyncAPI 3 of the event log, as `GET /api/events` streams it."""
    messages = {name: _message(name, text, data) for name, (text, data) in EVENTS.items()}
    where = {name: {"$ref": f"#/channels/events/messages/{name}"} for name in messages}
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "channels": {"events": {"address": "/api/events", "messages": messages}},
        "operations": {
            "listen": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "Everything that happened, in the order in which it was committed.",
                "messages": list(where.values()),
            }
        },
        "components": {"schemas": _schemas()},
    }


def _message(name: str, summary: str, data: Shape) -> Document:
    event = SHAPES["Event"]
    payload = {**event, "properties": {**event["properties"], "type": {"const": name}, "data": data}}
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": payload}
