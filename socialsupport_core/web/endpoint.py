"""What every address of the API has in common: who may call it, what it takes, and how its body and query are read."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from socialsupport_core.hub import Hub
from socialsupport_core.identity import NoSuchCustomer
from socialsupport_core.mistakes import mistakes, near
from socialsupport_core.store.accounts import Access, Scope
from socialsupport_core.web.auth import require
from socialsupport_core.web.doors import read_body

MAX_BODY = 1024 * 1024
MAX_PAGE = 500
STEPS = frozenset({"timeline", "explain", "consents", "link", "split", "undo"})
"""What an audited path of a customer may end in."""
YES = frozenset({"1", "true", "yes"})
NO = frozenset({"", "0", "false", "no"})

Call = Callable[[Request, Hub, Access], Any]
B = TypeVar("B", bound=BaseModel)


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Misread(Exception):
    """What was sent is not what is taken: 422. `fields` are pairs of field and problem."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field or 'the body'}: {problem}" for field, problem in fields))
        self.fields = fields


def endpoint(
    scope: Scope, call: Call, *, query: Collection[str] = (), limit: int = MAX_BODY
) -> Callable[[Request], Any]:
    """A call that needs a scope; it runs in a thread, its result is the JSON answer. `limit` is in bytes."""

    async def answer(request: Request) -> Response:
        hub: Hub = request.app.state.hub
        access = await asyncio.to_thread(require, request, scope)
        only(request, query)
        request.state.body = await read_body(request, limit) if request.method not in {"GET", "HEAD"} else b""
        result = await asyncio.to_thread(call, request, hub, access)
        return result if isinstance(result, Response) else JSONResponse(result)

    return answer


def route(
    path: str, method: str, scope: Scope, call: Call, *, query: Collection[str] = (), limit: int = MAX_BODY
) -> Route:
    return Route(path, endpoint(scope, call, query=query, limit=limit), methods=[method], name=call.__name__)


def only(request: Request, known: Collection[str]) -> None:
    """A misspelt parameter would be passed over, and the answer be more than was asked for."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise HTTPException(400, f"there is no parameter {unknown[0][:40]!r} here; {near(unknown[0], known)}")


def body_of(request: Request, model: type[B]) -> B:
    """Raises Misread, which names each field."""
    return read(request.state.body or b"{}", model)


def read(content: bytes, model: type[B]) -> B:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise Misread(mistakes(error, model)) from None


def id_of(request: Request) -> str:
    found: str = request.path_params["id"]
    return found


def limit_of(request: Request, default: int) -> int:
    """Raises Misread for what no page holds: fewer than were asked for would look like all that there are."""
    found = number("limit", request.query_params.get("limit") or str(default))
    if not 1 <= found <= MAX_PAGE:
        raise Misread([("limit", f"must be 1 to {MAX_PAGE}; ask for the rest page by page")])
    return found


def flag(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "").lower()
    if given not in YES | NO:
        raise HTTPException(400, f"{name}: {given[:40]!r} is neither true nor false")
    return given in YES


def number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise HTTPException(400, f"{name}: {text[:40]!r} is not a number")
    return int(text)


def audit(request: Request, hub: Hub, access: Access, verb: str) -> None:
    hub.audit(access.agent.tenant, access.agent.id, verb, f"{request.method} {request.url.path}")


def audit_customer(request: Request, hub: Hub, access: Access, verb: str) -> None:
    """By the customer's id: an address or number would outlive them in the audit."""
    tenant = access.agent.tenant
    try:
        who = hub.customer_id(tenant, id_of(request))
    except NoSuchCustomer:
        who = "unknown"
    step = request.url.path.rpartition("/")[2]
    where = f"/api/customers/{who}" + (f"/{step}" if step in STEPS else "")
    hub.audit(tenant, access.agent.id, verb, f"{request.method} {where}")


def key_of(request: Request, agent: str) -> str | None:
    """One agent's key says nothing about another's."""
    given = request.headers.get("idempotency-key")
    if given is not None and not (given.isascii() and given.isprintable() and 0 < len(given) <= 80):
        raise HTTPException(400, "an Idempotency-Key is at most 80 printable ASCII characters")
    return f"{agent}:{given}" if given else None
