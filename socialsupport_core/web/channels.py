"""Channels at run time, live at once."""

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import AwareDatetime, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from socialsupport_core.config import Id
from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.auth import require
from socialsupport_core.web.endpoint import Body, audit, body_of, id_of, only, route

MAX_SILENCE = 366 * 24 * 3600  # seconds
MODE = "^(webhook|poll|stream)$"


class ChannelBody(Body):
    id: Id
    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)
    app: str | None = None
    own_account: str | None = None
    mode: str | None = Field(default=None, pattern=MODE)
    expect_within: int | None = Field(default=None, ge=0, le=MAX_SILENCE)
    """Seconds of silence at most; 0 leaves that to the channel's own rhythm."""


class BackfillBody(Body):
    since: AwareDatetime


class ChannelPatch(Body):
    """What is left out stays. `settings` are merged in depth, and null takes a key away (RFC 7396)."""

    settings: dict[str, Any] = Field(default_factory=dict)
    own_account: str | None = None
    mode: str | None = Field(default=None, pattern=MODE)
    expect_within: int | None = Field(default=None, ge=0, le=MAX_SILENCE)
    """Seconds of silence at most; 0 leaves that to the channel's own rhythm."""


def channels(_request: Request, hub: Hub, access: Access) -> Any:
    return {"channels": hub.list_channels(access.agent.tenant)}


def add_channel(request: Request, hub: Hub, access: Access) -> Any:
    body, tenant = body_of(request, ChannelBody), access.agent.tenant
    audit(request, hub, access, "configure")
    before = next((one["connector"] for one in hub.list_channels(tenant) if one["id"] == body.id), body.connector)
    if before != body.connector:
        said = f"there is a channel {body.id!r} of {before}; remove it first, or give the new one another name"
        raise HTTPException(409, said)
    path = hub.add_channel(
        tenant,
        body.id,
        body.connector,
        body.settings,
        app=body.app,
        own_account=body.own_account,
        mode=body.mode,
        expect_within=_span(body.expect_within),
    )
    return JSONResponse({"id": body.id, "door": f"{hub.public_url}{path}"}, 201)


def change_channel(request: Request, hub: Hub, access: Access) -> Any:
    body, name = body_of(request, ChannelPatch), id_of(request)
    audit(request, hub, access, "configure")
    path = hub.change_channel(
        access.agent.tenant,
        name,
        body.settings,
        own_account=body.own_account,
        mode=body.mode,
        expect_within=_span(body.expect_within),
    )
    return {"id": name, "door": f"{hub.public_url}{path}"}


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def backfill(request: Request, hub: Hub, access: Access) -> Any:
    since = body_of(request, BackfillBody).since
    audit(request, hub, access, "configure")
    return JSONResponse(hub.backfill(access.agent.tenant, id_of(request), since=since), 202)


def remove_channel(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.remove_channel(access.agent.tenant, id_of(request))
    return {}


def pause_channel(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.set_channel_state(access.agent.tenant, id_of(request), "paused", "paused by an operator")
    return {}


def resume_channel(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.set_channel_state(access.agent.tenant, id_of(request), "active")
    return {}


async def test_channel(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "configure")
    only(request, ())
    facts = await hub.test_channel(access.agent.tenant, id_of(request))
    return JSONResponse(facts.model_dump(mode="json", exclude_none=True))


async def subscribe(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "configure")
    only(request, ())
    await hub.subscribe(access.agent.tenant, id_of(request))
    return JSONResponse({})


ROUTES = [
    route("/channels", "GET", "configure", channels),
    route("/channels", "POST", "configure", add_channel),
    route("/channels/{id}", "PATCH", "configure", change_channel),
    route("/channels/{id}", "DELETE", "configure", remove_channel),
    route("/channels/{id}/pause", "POST", "configure", pause_channel),
    route("/channels/{id}/resume", "POST", "configure", resume_channel),
    route("/channels/{id}/backfill", "POST", "configure", backfill),
    Route("/channels/{id}/test", test_channel, methods=["POST"]),
    Route("/channels/{id}/subscribe", subscribe, methods=["POST"]),
]
