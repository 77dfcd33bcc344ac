"""The pages: the agents' inbox, and the one to which a hand-off link leads."""

import asyncio
from pathlib import Path

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from socialsupport_core.hub import Hub
from socialsupport_core.web import arrivals
from socialsupport_core.web.auth import COOKIE, csrf_for
from socialsupport_core.web.doors import read_body
from socialsupport_core.web.endpoint import read

STATIC = Path(__file__).with_name("static")


class SignIn(BaseModel):
    token: str


async def inbox(_request: Request) -> Response:
    return FileResponse(STATIC / "inbox.html")


async def session(request: Request) -> Response:
    """Who is signed in, with the CSRF token that every change must carry."""
    hub: Hub = request.app.state.hub
    if request.method == "DELETE":
        gone = JSONResponse({})
        gone.delete_cookie(COOKIE)
        return gone
    given = request.cookies.get(COOKIE, "")
    if request.method == "POST":
        given = read(await read_body(request, 4096), SignIn).token
    access = await asyncio.to_thread(hub.access, given) if given else None
    if access is None:
        raise HTTPException(401, "this token is not known here")
    answer = JSONResponse(
        {
            "tenant": access.agent.tenant,
            "agent": access.agent.id,
            "name": access.agent.name,
            "scopes": sorted(access.scopes),
            "csrf": csrf_for(given),
        }
    )
    secure = hub.public_url.startswith("https://")
    answer.set_cookie(COOKIE, given, httponly=True, samesite="strict", secure=secure, max_age=12 * 3600)
    return answer


async def handoff(request: Request) -> Response:
    """Where a hand-off link leads: the private channels on which to go on."""
    hub: Hub = request.app.state.hub
    token, asked = request.path_params["token"], arrivals.wanted(request.headers.get("accept-language", ""))
    ways = await asyncio.to_thread(hub.handoff_ways, token, asked)
    if ways is None:
        return HTMLResponse(arrivals.over(asked), 404)
    known = await asyncio.to_thread(hub.handoff_language, token)
    return HTMLResponse(arrivals.page(known or asked, ways))


HANDOFF: tuple[BaseRoute, ...] = (
    Mount("/h/static", StaticFiles(directory=STATIC / "handoff")),
    Route("/h/{token}", handoff),
)
"""There whether or not the inbox is: customers come here."""
INBOX: tuple[BaseRoute, ...] = (
    Route("/", inbox),
    Route("/session", session, methods=["GET", "POST", "DELETE"]),
    Mount("/static", StaticFiles(directory=STATIC)),
)
