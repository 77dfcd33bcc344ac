"""Who is told what happens: endpoints registered, shown, tried, resumed and replayed."""

import asyncio
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from socialsupport_core.config import Id
from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.auth import require
from socialsupport_core.web.endpoint import Body, audit, body_of, id_of, only, route

EVERY = ["*"]


class WebhookBody(Body):
    """`types` left out are all of them; `after` left out is now."""

    url: str
    id: Id | None = None
    types: list[str] | None = None
    description: str = ""
    after: int | None = Field(default=None, ge=0)


class WebhookPatch(Body):
    """What is left out stays; `types` of null are all of them."""

    url: str | None = None
    types: list[str] | None = None
    description: str | None = None


class WebhookReplay(Body):
    after: int = Field(ge=0)


def webhooks(_request: Request, hub: Hub, access: Access) -> Any:
    return {"webhooks": hub.list_webhooks(access.agent.tenant)}


def webhook(request: Request, hub: Hub, access: Access) -> Any:
    return hub.webhook(access.agent.tenant, id_of(request))


def add_webhook(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, WebhookBody)
    audit(request, hub, access, "configure")
    made = hub.add_webhook(
        access.agent.tenant,
        body.url,
        webhook=body.id,
        types=body.types,
        description=body.description,
        after=body.after,
    )
    return JSONResponse(made, 201)


def change_webhook(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, WebhookPatch)
    audit(request, hub, access, "configure")
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    if "types" in given:
        given["types"] = given["types"] if given["types"] is not None else EVERY
    return hub.change_webhook(access.agent.tenant, id_of(request), **given)


def remove_webhook(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.remove_webhook(access.agent.tenant, id_of(request))
    return {}


def pause_webhook(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.pause_webhook(access.agent.tenant, id_of(request))
    return {}


def resume_webhook(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.resume_webhook(access.agent.tenant, id_of(request))
    return {}


def replay_webhook(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.replay_webhook(access.agent.tenant, id_of(request), body_of(request, WebhookReplay).after)
    return {}


def rotate_secret(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    return JSONResponse({"secret": hub.rotate_webhook_secret(access.agent.tenant, id_of(request))}, 201)


def retire_secret(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    hub.retire_webhook_secret(access.agent.tenant, id_of(request))
    return {}


async def test_webhook(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "configure")
    only(request, ())
    return JSONResponse(await hub.test_webhook(access.agent.tenant, id_of(request)))


ROUTES = [
    route("/webhooks", "GET", "configure", webhooks),
    route("/webhooks", "POST", "configure", add_webhook),
    route("/webhooks/{id}", "GET", "configure", webhook),
    route("/webhooks/{id}", "PATCH", "configure", change_webhook),
    route("/webhooks/{id}", "DELETE", "configure", remove_webhook),
    route("/webhooks/{id}/pause", "POST", "configure", pause_webhook),
    route("/webhooks/{id}/resume", "POST", "configure", resume_webhook),
    route("/webhooks/{id}/replay", "POST", "configure", replay_webhook),
    route("/webhooks/{id}/secret", "POST", "configure", rotate_secret),
    route("/webhooks/{id}/secret/retire", "POST", "configure", retire_secret),
    Route("/webhooks/{id}/test", test_webhook, methods=["POST"]),
]
