"""The HTTP API, for helpdesks in any language. JSON in and out; errors as problems."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from socialsupport_core.conversation.timeline import place_of
from socialsupport_core.hub import CursorAhead, Hub
from socialsupport_core.identity import Verdict
from socialsupport_core.model import Choice, Interaction, Template
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.store import StoreError
from socialsupport_core.store.accounts import Access
from socialsupport_core.store.interactions import Order
from socialsupport_core.web import (
    admin,
    answers,
    approving,
    channels,
    connect,
    conversing,
    doing,
    drafting,
    erasing,
    files,
    handing,
    queueing,
    reporting,
    routing,
    webhooks,
)
from socialsupport_core.web.auth import require
from socialsupport_core.web.endpoint import (
    Body,
    Misread,
    audit,
    audit_customer,
    body_of,
    flag,
    id_of,
    key_of,
    limit_of,
    number,
    only,
    read,
    route,
)
from socialsupport_core.web.presence import Presence

HEARTBEAT = 15.0  # seconds between comments on a quiet stream, so that proxies keep it open
STATUSES = ("open", "resolved", "all")
QUEUE = ("status", "channel", "assignee", "waiting", "limit", *queueing.QUERY)
NOBODY = 'needs at least one, such as {"kind": "phone", "value": "+15550147"}; an agent\'s note has its own address'


class ReplyBody(Body):
    text: str | None = None
    leg: int | None = None
    attachments: list[Attachment] = Field(default_factory=list)
    choices: list[Choice] = Field(default_factory=list)
    subject: str | None = None
    private: bool = False
    template: Template | None = None
    answer: str | None = Field(default=None, max_length=40)
    """The id of the answer with which it began."""

    def how(self, hub: Hub) -> dict[str, Any]:
        given = self.model_dump(exclude={"text"}) | {"attachments": files.attached(hub, self.attachments)}
        return {name: value for name, value in given.items() if value}


class NoteBody(Body):
    text: str = Field(min_length=1, max_length=100_000)


class AssignBody(Body):
    assignee: str | None


class LinkBody(Body):
    other: str = Field(min_length=1)
    note: str | None = None


class SplitBody(Body):
    accounts: list[str] = Field(min_length=1)


class UndoBody(Body):
    verdict: str = Field(min_length=1)


class PresenceBody(Body):
    answering: bool


class SettleBody(Body):
    state: str = Field(pattern="^(sent|failed|queued)$")


# customers


def find_customers(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    text = request.query_params.get("q", "")
    return {"customers": hub.find_customers(access.agent.tenant, text, limit=limit_of(request, 20))}


def customer(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "read")
    return hub.customer(access.agent.tenant, id_of(request))


def customer_timeline(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "read")
    entries = hub.timeline(access.agent.tenant, id_of(request), before=_before(request), limit=limit_of(request, 50))
    return {"entries": entries, "before": entries[0]["cursor"] if entries else None}


def explain(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "read")
    return hub.explain(access.agent.tenant, id_of(request))


def link(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, LinkBody)
    audit_customer(request, hub, access, "link")
    agent = access.agent
    return _verdict(hub.link(agent.tenant, id_of(request), body.other, agent=agent.id, note=body.note))


def split(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "split")
    leaving = body_of(request, SplitBody).accounts
    return _verdict(hub.split(access.agent.tenant, id_of(request), leaving, agent=access.agent.id))


def undo(request: Request, hub: Hub, access: Access) -> Any:
    audit_customer(request, hub, access, "undo")
    verdict = body_of(request, UndoBody).verdict
    return _verdict(hub.undo(access.agent.tenant, verdict, agent=access.agent.id, who=id_of(request)))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"verdict": verdict.id, "customers": list(verdict.customers)}


# conversations


def queue(request: Request, hub: Hub, access: Access) -> Any:
    asked = request.query_params
    status = asked.get("status", "open")
    if status not in STATUSES:
        raise HTTPException(400, f"status: {status[:40]!r} is none; there is {', '.join(STATUSES)}")
    found = hub.queue(
        access.agent.tenant,
        status=None if status == "all" else status,
        channel=asked.get("channel"),
        assignee=asked.get("assignee"),
        waiting=flag(request, "waiting"),
        **queueing.asked(request),
        limit=limit_of(request, 100),
    )
    others = _others(request, access)
    return {"conversations": [one | {"answering": others.get(one["id"], [])} for one in found]}


def conversation(request: Request, hub: Hub, access: Access) -> Any:
    audit(request, hub, access, "read")
    found = hub.conversation(access.agent.tenant, id_of(request))
    waiting = hub.drafts(access.agent.tenant, found["id"])
    shown: dict[str, Any] = {"drafts": waiting} if waiting else {}
    if decided := hub.routed(access.agent.tenant, found["id"]):
        shown["routing"] = decided
    return found | shown | {"answering": _others(request, access).get(found["id"], [])}


def _others(request: Request, access: Access) -> dict[str, list[str]]:
    present: Presence = request.app.state.presence
    return present.others(access.agent.tenant, access.agent.id)


def presence(request: Request, hub: Hub, access: Access) -> Any:
    """A sign of life from whoever is writing an answer; what comes back are the others who are."""
    present: Presence = request.app.state.presence
    agent, answering = access.agent, body_of(request, PresenceBody).answering
    hub.conversation_id(agent.tenant, id_of(request))
    present.note(agent.tenant, agent.id, agent.name, id_of(request), answering=answering)
    return {"answering": present.others(agent.tenant, agent.id).get(id_of(request), [])}


def plan(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, ReplyBody)
    return hub.plan(access.agent.tenant, id_of(request), body.text, agent=access.agent.id, **body.how(hub))


def reply(request: Request, hub: Hub, access: Access) -> Any:
    body = body_of(request, ReplyBody)
    agent = access.agent
    key = key_of(request, agent.id)
    sent = hub.reply(agent.tenant, id_of(request), body.text, agent=agent.id, key=key, **body.how(hub))
    return JSONResponse(sent, 202)


def note(request: Request, hub: Hub, access: Access) -> Any:
    agent, text = access.agent, body_of(request, NoteBody).text
    hub.note(agent.tenant, id_of(request), text, agent=agent.id, key=key_of(request, agent.id))
    return {}


def assign(request: Request, hub: Hub, access: Access) -> Any:
    assignee = body_of(request, AssignBody).assignee
    hub.assign(access.agent.tenant, id_of(request), assignee, agent=access.agent.id)
    return {}


def resolve(request: Request, hub: Hub, access: Access) -> Any:
    hub.resolve(access.agent.tenant, id_of(request), agent=access.agent.id)
    return {}


def reopen(request: Request, hub: Hub, access: Access) -> Any:
    hub.reopen(access.agent.tenant, id_of(request), agent=access.agent.id)
    return {}


def settle(request: Request, hub: Hub, access: Access) -> Any:
    state: Any = body_of(request, SettleBody).state
    hub.settle(access.agent.tenant, request.path_params["part"], state, agent=access.agent.id)
    return {}


# interactions, events


def record(request: Request, hub: Hub, access: Access) -> Any:
    interaction = read(request.state.body, Interaction)
    if interaction.direction != "outbound" and not interaction.author.identifiers:
        raise Misread([("author.identifiers", NOBODY)])
    return JSONResponse({"entry": hub.record_interaction(access.agent.tenant, interaction)}, 202)


async def events(request: Request) -> Response:
    """A page of the log, or, asked for as `text/event-stream`, everything from the cursor on as it happens.

    409, with the `newest`, for a cursor that is ahead of the log. With `presence=1` the stream also tells who else is
    answering; those events have no id, they are not of the log.
    """
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "read")
    tenant = access.agent.tenant
    only(request, ("after", "limit", "presence"))
    after = number("after", request.headers.get("last-event-id") or request.query_params.get("after", "0"))
    if "text/event-stream" in request.headers.get("accept", ""):
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        watched = request.app.state.presence if flag(request, "presence") else None
        await asyncio.to_thread(hub.events, tenant, after, 1)  # a cursor that is ahead is told before the stream begins
        stream = _stream(hub, access, after, watched)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
    found = await asyncio.to_thread(hub.events, tenant, after, limit_of(request, 200))
    return JSONResponse({"events": found, "after": found[-1]["cursor"] if found else after})


async def _stream(hub: Hub, access: Access, after: int, presence: Presence | None) -> AsyncIterator[str]:
    """Ends when the store does not answer: the reader comes back with its cursor, and is told 503 or goes on."""
    yield ": welcome\n\n"
    tenant, agent, answering = access.agent.tenant, access.agent.id, dict[str, list[str]]()
    while True:
        heard = hub.bell.heard()
        try:
            found = await asyncio.to_thread(hub.events, tenant, after)
        except (StoreError, CursorAhead):
            return
        if found:
            after = found[-1]["cursor"]
            yield "".join(_told(one) for one in found)
        if presence is not None:
            hub.seen(tenant, agent)
        if presence is not None and (others := presence.others(tenant, agent)) != answering:
            answering = others
            yield f"event: presence\ndata: {json.dumps(others)}\n\n"
        if not found:
            await hub.bell.listen(heard, min(HEARTBEAT, presence.rest() if presence else HEARTBEAT))
            yield ": \n\n"


def _told(event: dict[str, Any]) -> str:
    return f"id: {event['cursor']}\nevent: {event['type']}\ndata: {json.dumps(event)}\n\n"


# the hub itself


def me(_request: Request, hub: Hub, access: Access) -> Any:
    """Who the token speaks for, the tenant's channels by name, and the cursor from which to listen."""
    agent = access.agent
    shown = ("id", "connector", "name", "handle", "own_account", "state", "reason")
    channels = [{name: one[name] for name in shown if name in one} for one in hub.list_channels(agent.tenant)]
    return {
        "tenant": agent.tenant,
        "agent": agent.id,
        "name": agent.name,
        "scopes": sorted(access.scopes),
        "channels": channels,
        "cursor": hub.cursor(agent.tenant),
    }


def agents(_request: Request, hub: Hub, access: Access) -> Any:
    return {"agents": hub.agents(access.agent.tenant)}


# reading a request


def _before(request: Request) -> Order | None:
    given = request.query_params.get("before")
    try:
        return place_of(given) if given else None
    except ValueError as error:
        raise HTTPException(400, f"before: {error}") from error


ROUTES = [
    route("/me", "GET", "read", me),
    route("/agents", "GET", "read", agents),
    route("/customers", "GET", "read", find_customers, query=("q", "limit")),
    route("/customers/{id:path}/timeline", "GET", "read", customer_timeline, query=("before", "limit")),
    route("/customers/{id:path}/explain", "GET", "read", explain),
    route("/customers/{id:path}/link", "POST", "link", link),
    route("/customers/{id:path}/split", "POST", "link", split),
    route("/customers/{id:path}/undo", "POST", "link", undo),
    *handing.CUSTOMERS,
    route("/customers/{id:path}", "GET", "read", customer),
    route("/conversations", "GET", "read", queue, query=QUEUE),
    route("/conversations/{id}", "GET", "read", conversation),
    route("/conversations/{id}/plan", "POST", "read", plan),
    route("/conversations/{id}/reply", "POST", "reply", reply),
    route("/conversations/{id}/note", "POST", "reply", note),
    route("/conversations/{id}/presence", "POST", "reply", presence),
    route("/conversations/{id}/assign", "POST", "reply", assign),
    route("/conversations/{id}/resolve", "POST", "reply", resolve),
    route("/conversations/{id}/reopen", "POST", "reply", reopen),
    route("/outbox/{part:path}/settle", "POST", "reply", settle),
    route("/interactions", "POST", "reply", record),
    Route("/events", events, methods=["GET"]),
    *connect.API,
    *channels.ROUTES,
    *files.ROUTES,
    *webhooks.ROUTES,
    *admin.ROUTES,
    *erasing.ROUTES,
    *conversing.ROUTES,
    *doing.ROUTES,
    *handing.ROUTES,
    *approving.ROUTES,
    *answers.ROUTES,
    *queueing.ROUTES,
    *reporting.ROUTES,
    *drafting.ROUTES,
    *routing.ROUTES,
]
