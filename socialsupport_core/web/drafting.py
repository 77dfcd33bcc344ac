"""Drafts over HTTP: whoever may `draft` writes them, whoever may `reply` sends or discards them."""

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from socialsupport_core.hub import Hub
from socialsupport_core.hub.drafting import LONGEST
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.store.accounts import Access
from socialsupport_core.web import files
from socialsupport_core.web.endpoint import Body, audit, body_of, flag, id_of, route


class DraftBody(Body):
    """`why`: the maker's reason for it, shown beside it."""

    text: str = Field(min_length=1, max_length=LONGEST)
    leg: int | None = None
    private: bool = False
    why: str | None = Field(default=None, max_length=LONGEST)


class SendBody(Body):
    """Left out, each is as it was drafted."""

    text: str | None = None
    leg: int | None = None
    private: bool | None = None
    attachments: list[Attachment] = Field(default_factory=list)


def drafts(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    return {"drafts": hub.drafts(access.agent.tenant, id_of(request), ended=flag(request, "ended"))}


def draft(request: Request, hub: Hub, access: Access) -> Any:
    given, agent = body_of(request, DraftBody).model_dump(), access.agent
    return JSONResponse(hub.draft(agent.tenant, id_of(request), agent=agent.id, **given), 201)


def send(request: Request, hub: Hub, access: Access) -> Any:
    body, agent = body_of(request, SendBody), access.agent
    given = body.model_dump(exclude_none=True) | {"attachments": files.attached(hub, body.attachments)}
    return JSONResponse(hub.send_draft(agent.tenant, id_of(request), agent=agent.id, **given), 202)


def discard(request: Request, hub: Hub, access: Access) -> Any:
    hub.discard_draft(access.agent.tenant, id_of(request), agent=access.agent.id)
    return {}


ROUTES = [
    route("/conversations/{id}/drafts", "GET", "read", drafts, query=("ended",)),
    route("/conversations/{id}/drafts", "POST", "draft", draft),
    route("/drafts/{id}/send", "POST", "reply", send),
    route("/drafts/{id}/discard", "POST", "reply", discard),
]
