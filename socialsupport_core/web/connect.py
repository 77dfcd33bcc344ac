"""Connecting a channel by OAuth: where an operator sets out, and where the network sends them back."""

import asyncio
import html
import re
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from socialsupport_core.contract import ConfigError, DeliveryError
from socialsupport_core.hub import Hub, NoSuchChannel
from socialsupport_core.hub.base import CALLBACK
from socialsupport_core.pipeline.connecting import LIFETIME, OF_CRM, Arrival, Connection, ConnectRefused
from socialsupport_core.store import StoreError
from socialsupport_core.store.accounts import Access
from socialsupport_core.web.auth import token_of
from socialsupport_core.web.endpoint import flag, route

COOKIE = "socialsupport_connect"
"""By it the browser that comes back is known to be the one that set out. SameSite=Lax: it comes from elsewhere."""
OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
"""A path of the same origin: printable ASCII without a backslash, which browsers read as a slash; not `//host`."""
LONGEST = 4096


def connect(request: Request, hub: Hub, access: Access) -> Any:
    """The address to go to; with `redirect=1` the browser is sent there at once, and only it may come back."""
    return_to, begin = _own_path(request.query_params.get("return_to")), _beginning(request, hub, access)
    if not flag(request, "redirect"):
        return {"url": begin(return_to=return_to)}
    browser = _of_browser(request) or hub.connecting.unguessable()
    there = RedirectResponse(begin(return_to=return_to, browser=browser), 303)
    there.set_cookie(
        COOKIE,
        browser,
        max_age=int(LIFETIME.total_seconds()),
        path=_path(hub),
        secure=hub.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return there


def _beginning(request: Request, hub: Hub, access: Access) -> Callable[..., str]:
    """What sets out: a channel of the connector, or, with `crm=`, a CRM of the adapter."""
    asked, tenant, agent = request.query_params, access.agent.tenant, access.agent.id
    plugin = request.path_params["connector"]
    if crm := asked.get("crm"):
        known = hub.crms.get(tenant, crm).adapter.name
        if known != plugin:
            raise HTTPException(422, f"CRM {crm} is of {known}: GET /api/connect/{known}")
        return partial(hub.connect_crm, tenant, crm, agent=agent)
    channel = asked.get("channel") or _only_channel(hub, tenant, plugin)
    _same_connector(hub, tenant, channel, plugin)
    return partial(hub.connect, tenant, channel, agent=agent)


def _only_channel(hub: Hub, tenant: str, connector: str) -> str:
    mine = [one["id"] for one in hub.list_channels(tenant) if one["connector"] == connector]
    if not mine:
        raise NoSuchChannel(f"{tenant} has no channel of {connector}; add one with its app's credentials first")
    if len(mine) > 1:
        raise HTTPException(422, f"say which channel: ?channel=… is one of {', '.join(mine)}")
    return str(mine[0])


def _same_connector(hub: Hub, tenant: str, channel: str, connector: str) -> None:
    mine = {one["id"]: one["connector"] for one in hub.list_channels(tenant)}
    if channel not in mine:
        raise NoSuchChannel(f"{tenant} has no channel {channel!r}")
    if mine[channel] != connector:
        raise HTTPException(422, f"channel {channel} is of {mine[channel]}: GET /api/connect/{mine[channel]}")


def _own_path(given: str | None) -> str | None:
    if given and not OWN_PATH.fullmatch(given):
        raise HTTPException(400, "return_to: give a path of this origin, such as /settings/channels")
    return given or None


def _path(hub: Hub) -> str:
    """Of both ends of the way, so that a browser with several trips under way is the same in each."""
    return urlsplit(hub.public_url).path.rstrip("/") + "/"


async def callback(request: Request) -> Response:
    """Where the network sends the operator back to, with a code or with a refusal."""
    if request.method == "HEAD":  # somebody looks whether the page is there: that must not use up the state
        return Response(status_code=405, headers={"allow": "GET"})
    hub: Hub = request.app.state.hub
    asked, return_to = request.query_params, None
    try:
        tenant = await _signed_in(request, hub)
        arrival = await hub.connecting.arrive(_one(asked, "state"), browser=_of_browser(request), tenant=tenant)
        return_to = arrival.trip.return_to
        return await _arrived(hub, arrival, asked)
    except ConnectRefused as error:
        return _page("Not connected", f"{error}.", error.return_to, 400)
    except DeliveryError as error:
        return _page("Not connected", f"The network did not give us access: {error}.", return_to, 502)
    except ConfigError as error:
        return _page("Not connected", f"{error}.", return_to, 422)
    except StoreError:
        return _page("Not connected", "Nothing can be stored at the moment. Begin again later.", return_to, 503)


async def _arrived(hub: Hub, arrival: Arrival, asked: QueryParams) -> Response:
    code, refusal = _one(asked, "code"), _refusal(asked)
    if refusal or not code:
        refusal = refusal or "nothing: the code is missing"
        await hub.connecting.declined(arrival, refusal)
        return _page("Not connected", f"The network said {refusal}.", arrival.trip.return_to, 403)
    return _connected(await hub.connecting.finish(arrival, code))


def _connected(done: Connection) -> Response:
    if done.warning is not None:
        text = f"Access was granted, but the connection test failed: {done.warning}."
        return _page("Not working yet", text, done.return_to, 502)
    if done.return_to is not None:
        return RedirectResponse(done.return_to, 303)
    name = done.facts and (done.facts.handle or done.facts.name or done.facts.own_account)
    who = f" as {name}" if name else ""
    crm = done.channel.removeprefix(OF_CRM)
    what = f"Channel {crm}" if crm == done.channel else f"CRM {crm}"
    text = f"{what} is connected to {done.connector}{who}. You can close this page."
    return _page("Connected", text, None, 200)


def _refusal(asked: QueryParams) -> str:
    """RFC 6749, 4.1.2.1."""
    told = [_one(asked, name)[:300] for name in ("error", "error_description")]
    return ": ".join(one for one in told if one) if told[0] else ""


def _one(asked: QueryParams, name: str) -> str:
    """Nothing if it is there twice: nobody checks one and uses the other."""
    given = asked.getlist(name)
    return given[0] if len(given) == 1 and len(given[0]) <= LONGEST else ""


def _of_browser(request: Request) -> str | None:
    found = request.cookies.get(COOKIE, "")
    return found if 20 < len(found) < 100 else None


async def _signed_in(request: Request, hub: Hub) -> str | None:
    """The tenant of the agent who is signed in here, if the browser says so."""
    token = token_of(request)
    access = await asyncio.to_thread(hub.access, token) if token else None
    return access.agent.tenant if access else None


def _page(title: str, text: str, return_to: str | None, status: int) -> Response:
    back = f'<p><a href="{html.escape(return_to, quote=True)}">Back</a></p>' if return_to else ""
    content = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        f' content="width=device-width, initial-scale=1"><title>{html.escape(title)}</title>'
        '<link rel="icon" href="../h/static/icon.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="../h/static/page.css">'
        f"<main><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{back}</main></html>"
    )
    return HTMLResponse(content, status, {"cache-control": "no-store"})


API = (route("/connect/{connector}", "GET", "configure", connect, query=("channel", "crm", "return_to", "redirect")),)
PAGES = (Route(CALLBACK, callback),)
