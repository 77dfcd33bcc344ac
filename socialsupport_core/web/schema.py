"""OpenAPI 3.1 of every path and AsyncAPI 3 of the event log, from the route table, the bodies and the shapes."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema
from starlette.routing import Route

from socialsupport_core.pipeline.webhooks import MEDIA_TYPE, PING
from socialsupport_core.web.happenings import EVENTS
from socialsupport_core.web.naming import operation_id, tag
from socialsupport_core.web.operation import BINARY, PATH, QUERY, Operation
from socialsupport_core.web.operations import OPERATIONS
from socialsupport_core.web.reported import REPORTED
from socialsupport_core.web.shape import TEXT, Shape, fields, ref
from socialsupport_core.web.shapes import MODELS, SHAPES

Document = dict[str, Any]


def paths_of(routes: list[Route], prefix: str) -> Iterator[tuple[str, str]]:
    """Method and path of each route, in OpenAPI's way of writing."""
    for route in routes:
        path = re.sub(r"\{(\w+):path\}", r"{\1}", prefix + route.path)
        yield from ((method, path) for method in sorted((route.methods or set()) - {"HEAD"}))


KEYED = frozenset({"send_reply", "add_note", "edit_interaction", "delete_interaction", "react_to_interaction"})
"""Operations that an `Idempotency-Key` has done once."""


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
        "operationId": operation_id(method, path),
        "tags": [tag(path)],
        "summary": one.summary,
        "parameters": [_in_path(name) for name in names] + [_in_query(name) for name in one.query],
        "responses": {str(one.status): _answer(one), "default": _problem()},
    }
    if operation_id(method, path) in KEYED:
        found["parameters"].append(
            {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 80}}
        )
    if path == "/api/events":
        found["responses"]["200"]["content"]["text/event-stream"] = {"schema": TEXT}
    if path == "/api/report":
        found["responses"]["200"]["content"]["text/html"] = {"schema": TEXT}
    if one.body is not None:
        content = {"application/json": {"schema": ref(one.body.__name__)}}
        found["requestBody"] = {"required": True, "content": content}
    if one.takes is not None:
        found["requestBody"] = {"required": True, "content": {one.takes: {"schema": BINARY}}}
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
    return {**described["$defs"], **SHAPES, **REPORTED}


@cache
def asyncapi() -> Document:
    """AsyncAPI 3 of the event log, as `GET /api/events` streams it and as endpoints are told it."""
    messages = {name: _message(name, text, data) for name, (text, data) in EVENTS.items()}
    where = {name: {"$ref": f"#/channels/events/messages/{name}"} for name in messages}
    told = {name: _envelope(message) for name, message in (messages | {PING: _ping()}).items()}
    return {
        "asyncapi": "3.0.0",
        "info": _info(),
        "channels": {
            "events": {"address": "/api/events", "messages": messages},
            "webhooks": {"address": None, "description": WEBHOOKS, "messages": told},
        },
        "operations": {
            "listen": {
                "action": "send",
                "channel": {"$ref": "#/channels/events"},
                "summary": "Everything that happened, in the order in which it was committed.",
                "messages": list(where.values()),
            },
            "tell": {
                "action": "send",
                "channel": {"$ref": "#/channels/webhooks"},
                "summary": "Every event to every endpoint that listens: at least once, in order in a conversation.",
                "messages": [{"$ref": f"#/channels/webhooks/messages/{name}"} for name in told],
            },
        },
        "components": {"schemas": _schemas()},
    }


def _message(name: str, summary: str, data: Shape) -> Document:
    event = SHAPES["Event"]
    payload = {**event, "properties": {**event["properties"], "type": {"const": name}, "data": data}}
    return {"name": name, "summary": summary, "contentType": "application/json", "payload": payload}


WEBHOOKS = (
    "A POST to the address that was registered. CloudEvents 1.0 in structured mode, signed as Standard Webhooks;"
    " any 2xx takes it, anything else has it sent again."
)
SIGNED: Shape = {
    "type": "object",
    "properties": {
        "webhook-id": {
            "type": "string",
            "description": "The same for every attempt: what was taken before is known by it.",
        },
        "webhook-timestamp": {
            "type": "string",
            "pattern": "^[0-9]+$",
            "description": "Seconds since 1970, of this attempt.",
        },
        "webhook-signature": {
            "type": "string",
            "pattern": "^v1,[^ ]+( v1,[^ ]+)?$",
            "description": "One for each valid secret.",
        },
    },
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
}


def _envelope(message: Document) -> Document:
    """The same event as an endpoint gets it."""
    payload = fields(
        specversion={"const": "1.0"},
        id=TEXT,
        source={"type": "string", "format": "uri"},
        type={"const": message["name"]},
        subject_=TEXT,
        time={"type": "string", "format": "date-time"},
        datacontenttype={"const": "application/json"},
        data=message["payload"],
    )
    return {**message, "contentType": MEDIA_TYPE, "headers": SIGNED, "payload": payload}


def _ping() -> Document:
    """Not in the log: what `POST /api/webhooks/{id}/test` sends."""
    time: Shape = {"type": "string", "format": "date-time"}
    payload = fields(tenant=TEXT, type={"const": PING}, at=time, data=fields(webhook=TEXT))
    return {"name": PING, "summary": "A trial.", "contentType": "application/json", "payload": payload}
