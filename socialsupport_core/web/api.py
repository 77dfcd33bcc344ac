"""The HTTP API, for helpdesks in any language. JSON in and out; errors as problems."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from socialsupport_core.hub import Hub
from socialsupport_core.identity import Verdict
from socialsupport_core.model import Choice, Interaction
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.store.accounts import Access, Scope
from socialsupport_core.text import file_name
from socialsupport_core.web.auth import require
from socialsupport_core.web.doors import read_body
from socialsupport_core.web.presence import Presence

MAX_BODY = 1024 * 1024
MAX_PAGE = 500
HEARTBEAT = 15.0  # seconds between comments on a quiet stream, so that proxies keep it open


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReplyBody(Body):
    text: str | None = None
    leg: int | None = None
    attachments: list[Attachment] = Field(default_factory=list)
    choices: list[Choice] = Field(default_factory=list)
    subject: str | None = None
    private: bool = False

    def how(self) -> dict[str, Any]:
        return {name: value for name, value in self.model_dump(exclude={"text"}).items() if value}


class NoteBody(Body):
    text: str = Field(min_length=1, max_length=100_000)


class AssignBody(Body):
    assignee: str | None


class HandoffBody(Body):
    leg: int | None = None


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


class ChannelBody(Body):
    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)
    app: str | None = None
    own_account: str | None = None
    mode: str | None = Field(default=None, pattern="^(webhook|poll)$")


class ChannelPatch(Body):
    settings: dict[str, Any]


Call = Callable[[Request, Hub, Access], Any]


def endpoint(scope: Scope, call: Call) -> Callable[[Request], Any]:
    """A call that needs a scope; it runs in a thread, its result is the JSON answer."""

    async def answer(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        access = await asyncio.to_thread(require, request, scope)
        request.state.body = await read_body(request, MAX_BODY) if request.method != "GET" else b""
        result = await asyncio.to_thread(call, request, hub, access)
        return result if isinstance(result, Response) else JSONResponse(result)

    return answer


B = TypeVar("B", bound=Body)


def _body(request: Request, model: type[B]) -> B:
    return model.model_validate_json(request.state.body or b"{}")


# customers


def find_customers(request: Request, hub: Hub, access: Access) -> Any:
    text = request.query_params.get("q", "")
    return {"customers": hub.find_customers(access.agent.tenant, text, limit=_limit(request, 20))}


def customer(request: Request, hub: Hub, access: Access) -> Any:
    _audit(hub, access, "read", request)
    return hub.customer(access.agent.tenant, _id(request))


def customer_timeline(request: Request, hub: Hub, access: Access) -> Any:
    _audit(hub, access, "read", request)
    entries = hub.timeline(access.agent.tenant, _id(request), before=_before(request), limit=_limit(request, 50))
    return {"entries": entries, "before": entries[0]["cursor"] if entries else None}


def explain(request: Request, hub: Hub, access: Access) -> Any:
    return hub.explain(access.agent.tenant, _id(request))


def link(request: Request, hub: Hub, access: Access) -> Any:
    body = _body(request, LinkBody)
    _audit(hub, access, "link", request)
    agent = access.agent
    return _verdict(hub.link(agent.tenant, _id(request), body.other, agent=agent.id, note=body.note))


def split(request: Request, hub: Hub, access: Access) -> Any:
    _audit(hub, access, "split", request)
    leaving = _body(request, SplitBody).accounts
    return _verdict(hub.split(access.agent.tenant, _id(request), leaving, agent=access.agent.id))


def undo(request: Request, hub: Hub, access: Access) -> Any:
    _audit(hub, access, "undo", request)
    verdict = _body(request, UndoBody).verdict
    return _verdict(hub.undo(access.agent.tenant, verdict, agent=access.agent.id))


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"verdict": verdict.id, "customers": list(verdict.customers)}


# conversations


def queue(request: Request, hub: Hub, access: Access) -> Any:
    asked = request.query_params
    found = hub.queue(
        access.agent.tenant,
        status=None if asked.get("status") == "all" else asked.get("status", "open"),
        channel=asked.get("channel"),
        assignee=asked.get("assignee"),
        waiting=asked.get("waiting", "") in {"1", "true", "yes"},
        limit=_limit(request, 100),
    )
    others = _others(request, access)
    return {"conversations": [one | {"answering": others.get(one["id"], [])} for one in found]}


def conversation(request: Request, hub: Hub, access: Access) -> Any:
    _audit(hub, access, "read", request)
    found = hub.conversation(access.agent.tenant, _id(request))
    return found | {"answering": _others(request, access).get(found["id"], [])}


def _others(request: Request, access: Access) -> dict[str, list[str]]:
    present: Presence = request.app.state.presence
    return present.others(access.agent.tenant, access.agent.id)


def presence(request: Request, _hub: Hub, access: Access) -> Any:
    """A sign of life from whoever is writing an answer; what comes back are the others who are."""
    present: Presence = request.app.state.presence
    agent, answering = access.agent, _body(request, PresenceBody).answering
    present.note(agent.tenant, agent.id, agent.name, _id(request), answering=answering)
    return {"answering": present.others(agent.tenant, agent.id).get(_id(request), [])}


def plan(request: Request, hub: Hub, access: Access) -> Any:
    body = _body(request, ReplyBody)
    return hub.plan(access.agent.tenant, _id(request), body.text, agent=access.agent.id, **body.how())


def reply(request: Request, hub: Hub, access: Access) -> Any:
    body = _body(request, ReplyBody)
    key = request.headers.get("idempotency-key")
    agent = access.agent
    sent = hub.reply(agent.tenant, _id(request), body.text, agent=agent.id, key=_key(key, agent.id), **body.how())
    return JSONResponse(sent, 202)


def _key(given: str | None, agent: str) -> str | None:
    """One agent's key says nothing about another's."""
    if given is not None and not (given.isascii() and given.isprintable() and 0 < len(given) <= 80):
        raise HTTPException(400, "an Idempotency-Key is at most 80 printable ASCII characters")
    return f"{agent}:{given}" if given else None


def note(request: Request, hub: Hub, access: Access) -> Any:
    hub.note(access.agent.tenant, _id(request), _body(request, NoteBody).text, agent=access.agent.id)
    return {}


def assign(request: Request, hub: Hub, access: Access) -> Any:
    assignee = _body(request, AssignBody).assignee
    hub.assign(access.agent.tenant, _id(request), assignee, agent=access.agent.id)
    return {}


def resolve(request: Request, hub: Hub, access: Access) -> Any:
    hub.resolve(access.agent.tenant, _id(request), agent=access.agent.id)
    return {}


def reopen(request: Request, hub: Hub, access: Access) -> Any:
    hub.reopen(access.agent.tenant, _id(request), agent=access.agent.id)
    return {}


def hand_off(request: Request, hub: Hub, access: Access) -> Any:
    leg = _body(request, HandoffBody).leg
    return hub.hand_off(access.agent.tenant, _id(request), agent=access.agent.id, leg=leg)


def settle(request: Request, hub: Hub, access: Access) -> Any:
    state: Any = _body(request, SettleBody).state
    hub.settle(access.agent.tenant, request.path_params["part"], state, agent=access.agent.id)
    return {}


# interactions, attachments, events


def record(request: Request, hub: Hub, access: Access) -> Any:
    interaction = Interaction.model_validate_json(request.state.body)
    hub.record_interaction(access.agent.tenant, interaction)
    return JSONResponse({}, 202)


def attachment(request: Request, hub: Hub, access: Access) -> Any:
    kept, content = hub.attachment(access.agent.tenant, _id(request))
    name = file_name(kept.name or "attachment")
    quoted = name.encode("ascii", "replace").decode().replace('"', "'")
    return Response(
        content,
        media_type="application/octet-stream",
        headers={"content-disposition": f'attachment; filename="{quoted}"'},
    )


async def events(request: Request) -> Response:
    """A page of the log, or, asked for as `text/event-stream`, everything from the cursor on as it happens.

    With `presence=1` the stream also tells who else is answering; those events have no id, they are not of the log.
    """
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "read")
    tenant = access.agent.tenant
    after = _number(request.headers.get("last-event-id") or request.query_params.get("after", "0"))
    if "text/event-stream" in request.headers.get("accept", ""):
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        watched = request.app.state.presence if request.query_params.get("presence") else None
        stream = _stream(hub, access, after, watched)
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)
    found = await asyncio.to_thread(hub.events, tenant, after, _limit(request, 200))
    return JSONResponse({"events": found, "after": found[-1]["cursor"] if found else after})


async def _stream(hub: Hub, access: Access, after: int, presence: Presence | None) -> AsyncIterator[str]:
    yield ": welcome\n\n"
    tenant, agent, answering = access.agent.tenant, access.agent.id, dict[str, list[str]]()
    while True:
        heard = hub.bell.heard()
        found = await asyncio.to_thread(hub.events, tenant, after)
        for one in found:
            after = one["cursor"]
            yield f"id: {after}\nevent: {one['type']}\ndata: {json.dumps(one)}\n\n"
        if presence is not None and (others := presence.others(tenant, agent)) != answering:
            answering = others
            yield f"event: presence\ndata: {json.dumps(others)}\n\n"
        if not found:
            await hub.bell.listen(heard, min(HEARTBEAT, presence.rest() if presence else HEARTBEAT))
            yield ": \n\n"


# channels and the hub itself


def channels(_request: Request, hub: Hub, access: Access) -> Any:
    return {"channels": hub.list_channels(access.agent.tenant)}


def add_channel(request: Request, hub: Hub, access: Access) -> Any:
    body = _body(request, ChannelBody)
    path = hub.add_channel(
        access.agent.tenant,
        body.id,
        body.connector,
        body.settings,
        app=body.app,
        own_account=body.own_account,
        mode=body.mode,
    )
    return JSONResponse({"id": body.id, "door": f"{hub.public_url}{path}"}, 201)


def change_channel(request: Request, hub: Hub, access: Access) -> Any:
    tenant, name = access.agent.tenant, _id(request)
    live = hub.channels.get(tenant, name).channel
    path = hub.add_channel(
        tenant,
        name,
        live.connector,
        _body(request, ChannelPatch).settings,
        app=live.app,
        mode=live.mode,
        open_network=live.open_network,
    )
    return {"id": name, "door": f"{hub.public_url}{path}"}


def remove_channel(request: Request, hub: Hub, access: Access) -> Any:
    hub.remove_channel(access.agent.tenant, _id(request))
    return {}


def pause_channel(request: Request, hub: Hub, access: Access) -> Any:
    hub.set_channel_state(access.agent.tenant, _id(request), "paused", "paused by an operator")
    return {}


def resume_channel(request: Request, hub: Hub, access: Access) -> Any:
    hub.set_channel_state(access.agent.tenant, _id(request), "active")
    return {}


async def test_channel(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "configure")
    facts = await hub.test_channel(access.agent.tenant, _id(request))
    return JSONResponse(facts.model_dump(mode="json", exclude_none=True))


async def subscribe(request: Request) -> Response:
    hub: Hub = request.app.state.hub
    access = await asyncio.to_thread(require, request, "configure")
    await hub.subscribe(access.agent.tenant, _id(request))
    return JSONResponse({})


def connect(request: Request, hub: Hub, access: Access) -> Any:
    name = request.path_params["connector"]
    for live in hub.channels.all().values():
        if live.channel.tenant == access.agent.tenant and live.connector.name == name:
            return {"url": live.connector.connect(hub.new_state(), f"{hub.public_url}/api/connect/{name}")}
    raise KeyError(f"add a channel of {name} with its app's credentials first")


def me(_request: Request, hub: Hub, access: Access) -> Any:
    """Who the token speaks for, the tenant's channels by name, and the cursor from which to listen."""
    agent = access.agent
    shown = ("id", "connector", "name", "handle", "own_account", "state")
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


async def health(request: Request) -> Response:
    found = await asyncio.to_thread(request.app.state.hub.health)
    public = {name: found[name] for name in ("status", "journal", "refused", "outbox")}
    return JSONResponse(public, 200 if found["status"] == "ok" else 503)


async def metrics(request: Request) -> Response:
    """In the text format of Prometheus."""
    found = await asyncio.to_thread(request.app.state.hub.health)
    lines = [f'socialsupport_journal{{state="{state}"}} {count}' for state, count in found["journal"].items()]
    lines += [f'socialsupport_outbox{{state="{state}"}} {count}' for state, count in found["outbox"].items()]
    lines.append(f"socialsupport_refused_total {found['refused']}")
    return Response("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


# reading a request


def _id(request: Request) -> str:
    found: str = request.path_params["id"]
    return found


def _before(request: Request) -> tuple[int, int] | None:
    given = request.query_params.get("before")
    if not given:
        return None
    at, _, seq = given.partition(".")
    early = -1 if at.startswith("-") else 1  # before 1970
    return early * _number(at.removeprefix("-")), _number(seq or "0")


def _limit(request: Request, default: int) -> int:
    return max(1, min(MAX_PAGE, _number(request.query_params.get("limit") or str(default))))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise HTTPException(400, f"{text[:40]!r} is not a number")
    return int(text)


def _audit(hub: Hub, access: Access, verb: str, request: Request) -> None:
    hub.audit(access.agent.tenant, access.agent.id, verb, f"{request.method} {request.url.path}")


def _route(path: str, method: str, scope: Scope, call: Call) -> Route:
    return Route(path, endpoint(scope, call), methods=[method], name=call.__name__)


ROUTES = [
    _route("/me", "GET", "read", me),
    _route("/agents", "GET", "read", agents),
    _route("/customers", "GET", "read", find_customers),
    _route("/customers/{id:path}/timeline", "GET", "read", customer_timeline),
    _route("/customers/{id:path}/explain", "GET", "read", explain),
    _route("/customers/{id:path}/link", "POST", "link", link),
    _route("/customers/{id:path}/split", "POST", "link", split),
    _route("/customers/{id:path}/undo", "POST", "link", undo),
    _route("/customers/{id:path}", "GET", "read", customer),
    _route("/conversations", "GET", "read", queue),
    _route("/conversations/{id}", "GET", "read", conversation),
    _route("/conversations/{id}/plan", "POST", "read", plan),
    _route("/conversations/{id}/reply", "POST", "reply", reply),
    _route("/conversations/{id}/hand-off", "POST", "reply", hand_off),
    _route("/conversations/{id}/note", "POST", "reply", note),
    _route("/conversations/{id}/presence", "POST", "reply", presence),
    _route("/conversations/{id}/assign", "POST", "reply", assign),
    _route("/conversations/{id}/resolve", "POST", "reply", resolve),
    _route("/conversations/{id}/reopen", "POST", "reply", reopen),
    _route("/outbox/{part:path}/settle", "POST", "reply", settle),
    _route("/interactions", "POST", "reply", record),
    _route("/attachments/{id}", "GET", "read", attachment),
    Route("/events", events, methods=["GET"]),
    _route("/channels", "GET", "configure", channels),
    _route("/channels", "POST", "configure", add_channel),
    _route("/channels/{id}", "PATCH", "configure", change_channel),
    _route("/channels/{id}", "DELETE", "configure", remove_channel),
    _route("/channels/{id}/pause", "POST", "configure", pause_channel),
    _route("/channels/{id}/resume", "POST", "configure", resume_channel),
    Route("/channels/{id}/test", test_channel, methods=["POST"]),
    Route("/channels/{id}/subscribe", subscribe, methods=["POST"]),
    _route("/connect/{connector}", "GET", "configure", connect),
]
