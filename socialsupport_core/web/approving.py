"""What waits for a second person, over HTTP."""

from typing import Any

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import Body, audit, body_of, id_of, limit_of, route

STATES = ("waiting", "decided")


class ApproveBody(Body):
    """`text` in place of what was written; `anyway` though the customer has written since."""

    text: str | None = Field(default=None, min_length=1, max_length=100_000)
    anyway: bool = False


class RefuseBody(Body):
    word: str = Field(min_length=1, max_length=1000)


def approvals(request: Request, hub: Hub, access: Access) -> Any:
    state = request.query_params.get("state", "waiting")
    if state not in STATES:
        raise HTTPException(400, f"state: {state[:40]!r} is none; there is {', '.join(STATES)}")
    audit(request, hub, access, "read")
    found = hub.approvals(access.agent.tenant, waiting=state == "waiting", limit=limit_of(request, 100))
    return {"approvals": found}


def approve(request: Request, hub: Hub, access: Access) -> Any:
    body, agent = body_of(request, ApproveBody), access.agent
    return hub.approve(agent.tenant, id_of(request), agent=agent.id, text=body.text, anyway=body.anyway)


def refuse(request: Request, hub: Hub, access: Access) -> Any:
    word, agent = body_of(request, RefuseBody).word, access.agent
    hub.refuse_reply(agent.tenant, id_of(request), word, agent=agent.id)
    return {}


def withdraw(request: Request, hub: Hub, access: Access) -> Any:
    hub.withdraw_reply(access.agent.tenant, id_of(request), agent=access.agent.id)
    return {}


ROUTES = [
    route("/approvals", "GET", "read", approvals, query=("state", "limit")),
    route("/approvals/{id}/approve", "POST", "approve", approve),
    route("/approvals/{id}/refuse", "POST", "approve", refuse),
    route("/approvals/{id}/withdraw", "POST", "reply", withdraw),
]
