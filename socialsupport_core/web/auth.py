"""Who is calling: a bearer token, or the session cookie of the inbox page with its CSRF token."""

import hashlib
import hmac

from starlette.exceptions import HTTPException
from starlette.requests import Request

from socialsupport_core.hub import Hub
from socialsupport_core.store.accounts import Access, Scope

COOKIE = "socialsupport_session"
CSRF = "x-csrf-token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def require(request: Request, scope: Scope) -> Access:
    """Raises 401 without a valid token, 403 without the scope or the CSRF token."""
    hub: Hub = request.app.state.hub
    token, by_cookie = _token(request)
    access = hub.access(token) if token else None
    if access is None:
        raise HTTPException(401, "give a valid API token as `Authorization: Bearer …`")
    if by_cookie and request.method not in SAFE:
        _check_csrf(request, token)
    if scope not in access.scopes:
        has = ", ".join(sorted(access.scopes)) or "none"
        raise HTTPException(403, f"this token lacks the scope {scope!r}; it has {has}")
    return access


def csrf_for(token: str) -> str:
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()[:32]


def token_of(request: Request) -> str:
    return _token(request)[0]


def _token(request: Request) -> tuple[str, bool]:
    """And whether it came in the session's cookie."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return given.strip(), False
    return request.cookies.get(COOKIE, ""), True


def _check_csrf(request: Request, token: str) -> None:
    if not hmac.compare_digest(request.headers.get(CSRF, ""), csrf_for(token)):
        raise HTTPException(403, "the page's CSRF token is missing or wrong; reload the page")
