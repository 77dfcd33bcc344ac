"""What is done to what was said, over HTTP."""

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import Body, body_of, id_of, key_of, route


class EditBody(Body):
    text: str = Field(min_length=1, max_length=100_000)


class ReactBody(Body):
    """An emoji; an empty one takes ours back."""

    reaction: str = Field(max_length=64)


class TypingBody(Body):
    leg: int | None = None


def edit(request: Request, hub: Hub, access: Access) -> Any:
    text, agent = body_of(request, EditBody).text, access.agent
    key = key_of(request, agent.id)
    return JSONResponse(hub.edit(agent.tenant, id_of(request), text, agent=agent.id, key=key), 202)


def delete(request: Request, hub: Hub, access: Access) -> Any:
    agent = access.agent
    key = key_of(request, agent.id)
    return JSONResponse(hub.delete(agent.tenant, id_of(request), agent=agent.id, key=key), 202)


def react(request: Request, hub: Hub, access: Access) -> Any:
    reaction, agent = body_of(request, ReactBody).reaction, access.agent
    key = key_of(request, agent.id)
    return JSONResponse(hub.react(agent.tenant, id_of(request), reaction, agent=agent.id, key=key), 202)


def typing(request: Request, hub: Hub, access: Access) -> Any:
    leg, agent = body_of(request, TypingBody).leg, access.agent
    return JSONResponse(hub.typing(agent.tenant, id_of(request), agent=agent.id, leg=leg), 202)


ROUTES = [
    route("/interactions/{id}", "PATCH", "reply", edit),
    route("/interactions/{id}", "DELETE", "reply", delete),
    route("/interactions/{id}/reaction", "POST", "reply", react),
    route("/conversations/{id}/typing", "POST", "reply", typing),
]
