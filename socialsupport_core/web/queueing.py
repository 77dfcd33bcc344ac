"""Which message to answer next, of what kind it is, and a tenant's guidance, over HTTP."""

from typing import Any

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from socialsupport_core.contract import ContactKind, Urgency
from socialsupport_core.guidance import Guidance
from socialsupport_core.guidance.triage import GRAVE
from socialsupport_core.hub import Hub
from socialsupport_core.hub.queueing import ORDERS
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import MAX_PAGE, Body, audit, body_of, flag, id_of, number, route

QUERY = ("order", "noise", "kind", "after")
DEEPEST = 100 * MAX_PAGE
"""How far the queue can be leafed through."""


class TriageBody(Body):
    """A kind of marketing takes the conversation out of the queue, any other brings it back."""

    kind: ContactKind
    urgency: Urgency | None = Field(default=None)


class GuidanceBody(Guidance):
    """All of it anew: what is left out is as it is shipped."""


def asked(request: Request) -> dict[str, Any]:
    """What the queue is asked for beside its filters."""
    given = request.query_params
    order, kind = given.get("order", "oldest"), given.get("kind")
    if order not in ORDERS:
        raise HTTPException(400, f"order: {order[:40]!r} is none; there is {', '.join(ORDERS)}")
    if kind is not None and kind not in GRAVE:
        raise HTTPException(400, f"kind: {kind[:40]!r} is none; there is {', '.join(GRAVE)}")
    after = number("after", given.get("after") or "0")
    if after and order != "next":
        raise HTTPException(400, "after: leafs through order=next only")
    noise = flag(request, "noise") if "noise" in given else None
    return {"order": order, "kind": kind, "noise": noise, "after": min(after, DEEPEST)}


def triage(request: Request, hub: Hub, access: Access) -> Any:
    body, agent = body_of(request, TriageBody), access.agent
    return hub.triage(agent.tenant, id_of(request), body.kind, agent=agent.id, urgency=body.urgency)


def guidance(_request: Request, hub: Hub, access: Access) -> Any:
    return hub.guidance(access.agent.tenant).model_dump(mode="json")


def set_guidance(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "configure")
    given = body_of(request, GuidanceBody).model_dump(mode="json", exclude_unset=True)
    hub.set_guidance(access.agent.tenant, given)
    return hub.guidance(access.agent.tenant).model_dump(mode="json")


ROUTES = [
    route("/conversations/{id}/triage", "POST", "reply", triage),
    route("/guidance", "GET", "configure", guidance),
    route("/guidance", "PUT", "configure", set_guidance),
]
