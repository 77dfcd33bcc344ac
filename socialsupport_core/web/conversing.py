"""Conversations merged, split and moved, what their customers have told, and what is to be reviewed, over HTTP."""

from datetime import timedelta
from typing import Any, Self

from pydantic import Field, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request

from socialsupport_core.conversation.moving import Moved
from socialsupport_core.hub import Hub
from socialsupport_core.identity.review import Decision
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import Body, audit, body_of, id_of, limit_of, route


class MergeBody(Body):
    into: str = Field(min_length=1, max_length=100)


class PartBody(Body):
    """Either some legs, or the interaction from which on its thread goes."""

    legs: list[int] = Field(default_factory=list, max_length=500)
    since: int | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.since is None) == (not self.legs):
            raise ValueError("needs either legs, or since: the interaction from which on its thread goes")
        return self


class MoveBody(PartBody):
    into: str = Field(min_length=1, max_length=100)


class UndoMoveBody(Body):
    move: str | None = Field(default=None, min_length=1, max_length=100)


class ContextBody(Body):
    """`corrected` puts another value in its place; `restore` takes back what an agent did; without both it goes."""

    kind: str = Field(min_length=1, max_length=40)
    value: str = Field(min_length=1, max_length=200)
    corrected: str | None = Field(default=None, min_length=1, max_length=200)
    restore: bool = False


def merge(request: Request, hub: Hub, access: Access) -> Any:
    into = body_of(request, MergeBody).into
    audit(request, hub, access, "merge")
    return _moved(hub.merge_conversation(access.agent.tenant, id_of(request), into, agent=access.agent.id))


def split(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, PartBody)
    audit(request, hub, access, "split")
    agent = access.agent
    return _moved(
        hub.split_conversation(agent.tenant, id_of(request), agent=agent.id, legs=body.legs, since=body.since)
    )


def move(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, MoveBody)
    audit(request, hub, access, "move")
    agent = access.agent
    return _moved(
        hub.move_legs(agent.tenant, id_of(request), body.into, agent=agent.id, legs=body.legs, since=body.since)
    )


def undo(request: Request, hub: Hub, access: Access) -> Any:
    name = body_of(request, UndoMoveBody).move
    audit(request, hub, access, "undo")
    return _moved(hub.undo_move(access.agent.tenant, id_of(request), name, agent=access.agent.id))


def _moved(one: Moved) -> dict[str, Any]:
    return {"move": one.id, "conversations": list(one.conversations)}


def context(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, ContextBody)
    audit(request, hub, access, "context")
    agent = access.agent
    about = agent.tenant, id_of(request), body.kind, body.value
    if body.restore:
        return {"context": hub.restore_context(*about, agent=agent.id)}
    return {"context": hub.change_context(*about, agent=agent.id, corrected=body.corrected)}


# reviews

STATES = ("open", "later", "decided")


class DecisionBody(Body):
    """`apart`: they are not the same. `later` puts it off for some days, seven unless you say."""

    decision: Decision
    days: int = Field(default=7, ge=1, le=365)


def reviews(request: Request, hub: Hub, access: Access) -> Any:
    state = request.query_params.get("state", "open")
    if state not in STATES:
        raise HTTPException(400, f"state: {state[:40]!r} is none; there is {', '.join(STATES)}")
    audit(request, hub, access, "read")
    found = hub.reviews(access.agent.tenant, state=state, limit=limit_of(request, 50))
    return {"decided" if state == "decided" else "reviews": found}


def decide(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, DecisionBody)
    audit(request, hub, access, body.decision)
    agent, later = access.agent, timedelta(days=body.days)
    verdict = hub.decide(agent.tenant, id_of(request), body.decision, agent=agent.id, later=later)
    return {"customers": list(verdict.customers)} | ({"verdict": verdict.id} if verdict.id else {})


ROUTES = [
    route("/reviews", "GET", "read", reviews, query=("state", "limit")),
    route("/reviews/{id}", "POST", "link", decide),
    route("/conversations/{id}/merge", "POST", "link", merge),
    route("/conversations/{id}/split", "POST", "link", split),
    route("/conversations/{id}/move", "POST", "link", move),
    route("/conversations/{id}/undo", "POST", "link", undo),
    route("/conversations/{id}/context", "POST", "reply", context),
]
