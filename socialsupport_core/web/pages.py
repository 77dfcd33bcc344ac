"""The pages: the agents' inbox, and the one to which a hand-off link leads."""

import asyncio
import html
from pathlib import Path

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from socialsupport_core.hub import Hub
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
    ways = await asyncio.to_thread(hub.handoff_ways, request.path_params["token"])
    if ways is None:
        text = "<h1>This link has been used, or has expired</h1><p>Ask us for a new one.</p>"
        return HTMLResponse(_page(text), 404)
    items = "".join(
        f'<li><a href="{html.escape(way["url"], quote=True)}" rel="noreferrer">{_label(way)}</a></li>' for way in ways
    )
    lead = "<h1>Go on where we left off</h1><p>Choose how. We know what it is about already.</p>"
    return HTMLResponse(_page(f"{lead}<ul>{items}</ul>"))


LABELS = {
    "email": "By e-mail",
    "webchat": "In the web chat",
    "telegram": "On Telegram",
    "x": "By direct message on X",
}


def _label(way: dict[str, str]) -> str:
    return html.escape(LABELS.get(way["network"], f"On {way['network']}"))


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width, initial-scale=1"><title>Go on with us</title>'
        '<link rel="icon" href="static/icon.svg" type="image/svg+xml"><link rel="stylesheet" href="static/page.css">'
        f"<main>{body}</main></html>"
    )


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
