"""The report over HTTP, as JSON and as a page, and how it goes right now."""

import threading
from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from socialsupport_core.hub import Hub
from socialsupport_core.insight.page import page, policy
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.endpoint import audit, route

FILTERS = ("channel", "network", "visibility", "agent")
QUERY = ("since", "until", *FILTERS)
AT_ONCE = 2
_free = threading.BoundedSemaphore(AT_ONCE)
"""A report keeps a thread busy for seconds; a crowd of them would hold up everybody else's calls."""


def report(request: Request, hub: Hub, access: Access) -> Any:
    found = _made(request, hub, access)
    return _page(request, found, access) if _prefers_html(request) else found


def report_page(request: Request, hub: Hub, access: Access) -> Any:
    return _page(request, _made(request, hub, access), access)


def live(_request: Request, hub: Hub, access: Access) -> Any:
    return hub.live(access.agent.tenant)


def _made(request: Request, hub: Hub, access: Access) -> dict[str, Any]:
    audit(request, hub, access, "read")
    asked = {name: _moment(request, name) for name in ("since", "until")}
    if asked["since"] and asked["since"] >= (asked["until"] or hub.clock()):
        raise HTTPException(400, "since: the period ends before it begins")
    filters = {name: request.query_params.get(name) or None for name in FILTERS}
    if not _free.acquire(blocking=False):
        raise HTTPException(503, f"{AT_ONCE} reports are being made already; ask again in a moment")
    try:
        return hub.report(access.agent.tenant, since=asked["since"], until=asked["until"], settings=None, **filters)
    finally:
        _free.release()


def _page(request: Request, found: dict[str, Any], access: Access) -> HTMLResponse:
    inbox = "../" if request.app.state.inbox else None
    headers = {
        "content-security-policy": f"{policy()}; frame-ancestors 'none'",
        "cache-control": "no-store",
        "vary": "accept",
    }
    return HTMLResponse(page(found, name=access.agent.tenant, inbox=inbox), headers=headers)


def _prefers_html(request: Request) -> bool:
    """Browsers name it first; whoever names neither gets JSON."""
    given = [one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "").split(",")]
    return next((one for one in given if one in {"text/html", "application/json"}), "") == "text/html"


def _moment(request: Request, name: str) -> datetime | None:
    """A day or a moment; without a zone it is UTC."""
    given = request.query_params.get(name)
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        said = f"{name}: {given[:40]!r} is no time; write 2026-11-01 or 2026-11-01T08:00:00Z"
        raise HTTPException(400, said) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


ROUTES: list[Route] = [
    route("/report", "GET", "read", report, query=QUERY),
    route("/report.html", "GET", "read", report_page, query=QUERY),
    route("/live", "GET", "read", live),
]
