"""What only an operator does: tenants, agents and tokens at run time, and what could not be read."""

from typing import Any

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from socialsupport_core.config import AgentId, Id
from socialsupport_core.hub import Hub
from socialsupport_core.hub.admitting import token_name
from socialsupport_core.store.accounts import Access, Scope
from socialsupport_core.store.journal import Entry
from socialsupport_core.web.auth import token_of
from socialsupport_core.web.endpoint import Body, Misread, audit, body_of, id_of, limit_of, number, route
from socialsupport_core.web.files import download


class TenantBody(Body):
    id: Id
    name: str = Field(min_length=1, max_length=200)


class AgentBody(Body):
    """`tenant`: that of the token unless it is given."""

    id: AgentId
    name: str = Field(min_length=1, max_length=200)
    is_bot: bool = False
    tenant: str | None = None


class TokenBody(Body):
    """`tenant`: that of the token unless it is given. `purpose` is for the list."""

    agent: str
    tenant: str | None = None
    scopes: list[Scope] = Field(default=["read", "reply", "link"], min_length=1)
    purpose: str | None = Field(default=None, max_length=200)


class ReplayBody(Body):
    """One entry, or all of a tenant, or all."""

    entry: int | None = Field(default=None, ge=1)
    tenant: str | None = None


def tenants(_request: Request, hub: Hub, _access: Access) -> Any:
    return {"tenants": hub.list_tenants()}


def add_tenant(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, TenantBody)
    if body.id in hub.tenants():
        raise HTTPException(409, f"there is a tenant {body.id!r} already")
    hub.add_tenant(body.id, body.name)
    audit(request, hub, access, f"add tenant {body.id}")
    return JSONResponse(body.model_dump(), 201)


def add_agent(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, AgentBody)
    tenant = _tenant(hub, access, body.tenant)
    added = hub.add_agent(tenant, body.id, body.name, is_bot=body.is_bot)
    audit(request, hub, access, f"add agent {tenant}/{body.id}")
    return JSONResponse({"id": added.id, "name": added.name, "is_bot": added.is_bot}, 201)


def tokens(request: Request, hub: Hub, access: Access) -> Any:
    tenant = request.query_params.get("tenant")
    return {"tokens": hub.tokens(_tenant(hub, access, tenant) if tenant else None)}


def issue_token(request: Request, hub: Hub, access: Access) -> Any:
    """The only time that the token itself is told."""
    body = body_of(request, TokenBody)
    tenant, by = _tenant(hub, access, body.tenant), f"{access.agent.tenant}/{access.agent.id}"
    known = [one["id"] for one in hub.agents(tenant)]
    if body.agent not in known:
        raise Misread([("agent", f"{tenant} has no agent {body.agent!r}; add it first, or take one of {known}")])
    token = hub.issue_token(tenant, body.agent, body.scopes, origin="http", by=by, purpose=body.purpose)
    name = token_name(token)
    audit(request, hub, access, f"issue {name} for {tenant}/{body.agent}")
    shown = next(one for one in hub.tokens(tenant) if one["id"] == name)
    return JSONResponse({**shown, "token": token}, 201)


def revoke_token(request: Request, hub: Hub, access: Access) -> Any:
    name = id_of(request)
    if name == token_name(token_of(request)):
        raise HTTPException(409, "this is the token that you are calling with; revoke it with another one")
    if not hub.revoke_token(name):
        raise HTTPException(404, f"there is no token {name[:40]!r}; the list tells their ids")
    audit(request, hub, access, f"revoke {name}")
    return {}


def quarantine(request: Request, hub: Hub, access: Access) -> Any:
    tenant = request.query_params.get("tenant")
    found = hub.quarantine(_tenant(hub, access, tenant) if tenant else None, limit_of(request, 100))
    names = {live.channel.door: live.channel.id for live in hub.channels.all().values()}
    return {"entries": [_shown(one, names.get(one.door)) for one in found]}


def quarantined(request: Request, hub: Hub, access: Access) -> Any:
    """The body as it came, for `socialsupport translate` or a bug report."""
    found = _entry(hub, number("entry", request.path_params["entry"]))
    audit(request, hub, access, "read")
    return download(found.payload.body, f"payload-{found.number}")


def replay(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, ReplayBody)
    tenant = _tenant(hub, access, body.tenant) if body.tenant else None
    if body.entry is not None:
        _entry(hub, body.entry)
    count = hub.replay(body.entry, tenant)
    audit(request, hub, access, "replay")
    return JSONResponse({"replayed": count}, 202)


def _entry(hub: Hub, wanted: int) -> Entry:
    found = hub.journalled(wanted)
    if found is None or found.state != "quarantined":
        raise HTTPException(404, f"there is no entry {wanted} in quarantine")
    return found


def _tenant(hub: Hub, access: Access, given: str | None) -> str:
    if given is not None and given not in hub.tenants():
        raise HTTPException(404, f"there is no tenant {given[:80]!r}; add it first")
    return given or access.agent.tenant


def _shown(one: Entry, channel: str | None) -> dict[str, Any]:
    shown = {
        "entry": one.number,
        "tenant": one.tenant,
        "channel": channel,
        "source": one.payload.source,
        "received_at": one.payload.received_at.isoformat().replace("+00:00", "Z"),
        "reason": one.reason,
        "bytes": len(one.payload.body),
    }
    return {name: value for name, value in shown.items() if value is not None}


ROUTES = [
    route("/tenants", "GET", "operate", tenants),
    route("/tenants", "POST", "operate", add_tenant),
    route("/agents", "POST", "operate", add_agent),
    route("/tokens", "GET", "operate", tokens, query=("tenant",)),
    route("/tokens", "POST", "operate", issue_token),
    route("/tokens/{id}", "DELETE", "operate", revoke_token),
    route("/quarantine", "GET", "operate", quarantine, query=("tenant", "limit")),
    route("/quarantine/replay", "POST", "operate", replay),
    route("/quarantine/{entry}", "GET", "operate", quarantined),
]
