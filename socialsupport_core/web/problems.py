"""Errors as `application/problem+json` (RFC 9457): what is wrong, and what to do."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from socialsupport_core.contract import ConfigError, DeliveryError, SignatureError, SocialSupportError
from socialsupport_core.hub import NoSuchConversation, NoSuchDoor, ReplyRefused
from socialsupport_core.identity import NoSuchCustomer, VerdictRefused
from socialsupport_core.store import StoreError

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NoSuchDoor, 404),
    (NoSuchCustomer, 404),
    (NoSuchConversation, 404),
    (SignatureError, 401),
    (VerdictRefused, 409),
    (ReplyRefused, 422),
    (ConfigError, 422),
    (StoreError, 503),
    (DeliveryError, 502),
    (SocialSupportError, 400),
)


def problem(status: int, title: str, detail: str = "", **more: Any) -> JSONResponse:
    content = {"title": title, "status": status, "detail": detail, **more}
    shown = {name: value for name, value in content.items() if value != ""}
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    if status == 503:
        headers["retry-after"] = "5"
    return JSONResponse(shown, status, headers, media_type="application/problem+json")


def _ours(_request: Request, error: Exception) -> Response:
    status = next(number for kind, number in STATUS if isinstance(error, kind))
    more: dict[str, Any] = {}
    if isinstance(error, ReplyRefused):
        more["refusals"] = [one.model_dump() for one in error.refusals]
        more["obstacles"] = [one.model_dump() for one in error.plan.obstacles] if error.plan else []
    return problem(status, type(error).__name__, str(error), **more)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, error.detail)


def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    found = error.errors(include_url=False, include_input=False, include_context=False)
    details = [{"field": ".".join(map(str, one["loc"])), "problem": one["msg"]} for one in found]
    text = "; ".join(f"{one['field'] or 'body'}: {one['problem']}" for one in details)
    return problem(422, "the request is not valid", text, fields=details)


def _missing(_request: Request, error: Exception) -> Response:
    return problem(404, "there is no such thing", str(error.args[0]) if error.args else "")


def _failed(_request: Request, _error: Exception) -> Response:
    return problem(500, "something went wrong here", "it is in the log; the request may be repeated with its key")


HANDLERS: Mapping[Any, Callable[[Request, Exception], Response]] = {
    SocialSupportError: _ours,
    HTTPException: _http,
    ValidationError: _invalid,
    KeyError: _missing,
    Exception: _failed,
}
