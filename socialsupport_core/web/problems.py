"""Errors as `application/problem+json` (RFC 9457): what is wrong, and what to do."""

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from socialsupport_core.contract import (
    AuthExpired,
    ConfigError,
    DeliveryError,
    Forbidden,
    RateLimited,
    SignatureError,
    SocialSupportError,
    Unavailable,
    Unsupported,
)
from socialsupport_core.conversation.moving import MoveRefused
from socialsupport_core.hub import (
    ApprovalRefused,
    CursorAhead,
    DoorClosed,
    KeyReused,
    NoSuchAnswer,
    NoSuchApproval,
    NoSuchChannel,
    NoSuchConversation,
    NoSuchDoor,
    NoSuchDraft,
    NoSuchHandoff,
    NoSuchInteraction,
    NoSuchWebhook,
    NothingTold,
    ReplyRefused,
)
from socialsupport_core.identity import Erased, NoSuchCustomer, VerdictRefused
from socialsupport_core.identity.proofs import ProofRefused
from socialsupport_core.mistakes import mistakes
from socialsupport_core.store import StoreError
from socialsupport_core.web.endpoint import Misread

logger = logging.getLogger("socialsupport")

# A key with another body is 422: https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-idempotency-key-header
# (2026-11)
STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NoSuchDoor, 404),
    (Erased, 410),
    (NoSuchCustomer, 404),
    (NoSuchAnswer, 404),
    (NoSuchApproval, 404),
    (ApprovalRefused, 409),
    (NoSuchConversation, 404),
    (NoSuchDraft, 404),
    (NoSuchHandoff, 404),
    (NoSuchInteraction, 404),
    (NoSuchWebhook, 404),
    (NothingTold, 404),
    (NoSuchChannel, 404),
    (SignatureError, 401),
    (VerdictRefused, 409),
    (ProofRefused, 422),
    (MoveRefused, 409),
    (CursorAhead, 409),
    (KeyReused, 422),
    (ReplyRefused, 422),
    (DoorClosed, 503),
    (ConfigError, 422),
    (StoreError, 503),
    (Unsupported, 422),
    (DeliveryError, 502),
    (SocialSupportError, 400),
)

REMEDIES: tuple[tuple[type[DeliveryError], str], ...] = (
    (AuthExpired, "connect the channel again (GET /api/connect/{connector}), or PATCH its settings"),
    (Forbidden, "look at the account's rights at the network"),
    (Unavailable, "try again later"),
    (RateLimited, "try again later"),
)
"""What to do about a call to a network that did not end well."""
NOT_STORED = "nothing can be read or written at the moment; come again in some seconds. The log of the server says why"


def problem(
    status: int, title: str, detail: str = "", headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    content = {"title": title, "status": status, "detail": detail, **more}
    shown = {name: value for name, value in content.items() if value != ""}
    told = dict(headers or {})
    if status == 401:
        told["www-authenticate"] = "Bearer"
    if status == 503:
        told["retry-after"] = "5"
    return JSONResponse(shown, status, told, media_type="application/problem+json")


def _ours(_request: Request, error: Exception) -> Response:
    status = next(number for kind, number in STATUS if isinstance(error, kind))
    more: dict[str, Any] = {}
    if isinstance(error, ReplyRefused) and not isinstance(error, KeyReused):
        more["refusals"] = [one.model_dump() for one in error.refusals]
        more["obstacles"] = [one.model_dump() for one in error.plan.obstacles] if error.plan else []
    if isinstance(error, CursorAhead):
        more["newest"] = error.newest
    if isinstance(error, StoreError):  # it names the server or the folder, and strangers knock here, too
        logger.error("answered %s: %s", status, error)
        return problem(status, type(error).__name__, NOT_STORED)
    remedy = next((told for kind, told in REMEDIES if isinstance(error, kind)), "")
    return problem(status, type(error).__name__, f"{error}; {remedy}" if remedy else str(error), **more)


def _http(request: Request, error: Exception) -> Response:
    """The title is the status's own name; the detail says what was wrong, and what to do."""
    assert isinstance(error, HTTPException)
    title = HTTPStatus(error.status_code).phrase
    said = error.detail if error.detail != title else ""
    if not said and error.status_code == HTTPStatus.NOT_FOUND:
        said = "there is nothing at this address; `socialsupport schema --what openapi` prints what there is"
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted(_methods(request)))
        return problem(error.status_code, title, f"this address takes {allowed}", {"allow": allowed})
    return problem(error.status_code, title, said, error.headers)


def _methods(request: Request) -> set[str]:
    """Of all routes that have this path; Starlette itself tells those of the first."""
    top = request.app.routes
    routes = [one for route in top for one in ([route] if isinstance(route, Route) else getattr(route, "routes", []))]
    fitting = [one for one in routes if isinstance(one, Route) and one.matches(request.scope)[0] is not Match.NONE]
    return {method for route in fitting for method in route.methods or ()}


def _misread(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Misread)
    fields = [{"field": field, "problem": what} for field, what in error.fields]
    return problem(422, HTTPStatus.UNPROCESSABLE_ENTITY.phrase, str(error), fields=fields)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    return _misread(request, Misread(mistakes(error)))


def _missing(_request: Request, error: Exception) -> Response:
    said = str(error.args[0]) if error.args else ""
    return problem(404, HTTPStatus.NOT_FOUND.phrase, said if " " in said else "there is no such thing")


def _failed(_request: Request, _error: Exception) -> Response:
    title = HTTPStatus.INTERNAL_SERVER_ERROR.phrase
    return problem(500, title, "it is in the log; the request may be repeated with its key")


HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    SocialSupportError: _ours,
    HTTPException: _http,
    Misread: _misread,
    ValidationError: _invalid,
    KeyError: _missing,
    Exception: _failed,
}
