"""Who is there, over HTTP, and what routing has decided."""

from typing import Any

from starlette.requests import Request

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import Body, body_of, id_of, route


class DutyBody(Body):
    away: bool


def team(_request: Request, hub: Hub, access: Access) -> Any:
    return {"team": hub.team(access.agent.tenant)}


def duty(request: Request, hub: Hub, access: Access) -> Any:
    """Whoever calls signs off, or on again."""
    hub.sign_off(access.agent.tenant, access.agent.id, away=body_of(request, DutyBody).away)
    return {}


def routed(request: Request, hub: Hub, access: Access) -> Any:
    return {"routing": hub.routed(access.agent.tenant, id_of(request))}


def spikes(_request: Request, hub: Hub, access: Access) -> Any:
    return {"spikes": hub.spikes(access.agent.tenant)}


ROUTES = [
    route("/spikes", "GET", "read", spikes),
    route("/team", "GET", "read", team),
    route("/duty", "POST", "reply", duty),
    route("/conversations/{id}/routing", "GET", "read", routed),
]
