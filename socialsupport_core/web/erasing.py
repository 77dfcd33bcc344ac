"""Erasing a customer, and what waits for somebody to decide it."""

from typing import Any

from starlette.requests import Request

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import id_of, limit_of, route


def erase(request: Request, hub: Hub, access: Access) -> Any:
    """The audit names the customer's id only, and is written with the erasure."""
    return hub.erase(access.agent.tenant, id_of(request), agent=access.agent.id)


def erasures(request: Request, hub: Hub, access: Access) -> Any:
    tenant = access.agent.tenant
    return {"erasures": hub.erasures(tenant, limit_of(request, 100)), "requests": hub.erasure_requests(tenant)}


def dismiss(request: Request, hub: Hub, access: Access) -> Any:
    hub.dismiss_erasure(access.agent.tenant, id_of(request), agent=access.agent.id)
    return {}


ROUTES = [
    route("/customers/{id:path}", "DELETE", "erase", erase),
    route("/erasures", "GET", "erase", erasures, query=("limit",)),
    route("/erasures/{id}/dismiss", "POST", "erase", dismiss),
]
