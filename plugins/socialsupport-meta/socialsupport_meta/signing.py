"""Signing in with Facebook, down to the token of one page that does not expire.

https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow,
https://developers.facebook.com/documentation/facebook-login/guides/access-tokens/get-long-lived (2026-03): the code
gives a token of some hours, that one a token of sixty days, and with it a page's token, which has no end.
Both exchanges are GET requests with the app's secret in the address.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import ConfigError, Flow, Forbidden, SignIn
from socialsupport_core.contract.lax import Json, number_of, objects_of, text_of
from socialsupport_core.model import Credentials
from socialsupport_meta.graph import Graph
from socialsupport_meta.settings import AppSettings

DIALOG = "https://www.facebook.com/{version}/dialog/oauth"
PAGES = 100
"""Pages of one person that are looked through; more are named by their id in the settings."""


def address(settings: AppSettings, sign_in: SignIn, scopes: tuple[str, ...]) -> str:
    asked = {
        "client_id": app_id(settings),
        "redirect_uri": sign_in.redirect,
        "state": sign_in.state,
        "response_type": "code",
        "scope": ",".join(scopes),
    }
    return f"{DIALOG.format(version=settings.version)}?{urlencode(asked, quote_via=quote)}"


def user_token(settings: AppSettings, graph: Graph, code: str, sign_in: SignIn) -> Flow[Credentials]:
    """The long-lived token of whoever signed in."""
    client = {"client_id": app_id(settings), "client_secret": settings.app_secret.get_secret_value()}
    short = yield graph.get("oauth", "access_token", redirect_uri=sign_in.redirect, code=code, **client)
    token = str(short.json()["access_token"])
    lasting = {"grant_type": "fb_exchange_token", "fb_exchange_token": token}
    response: httpx.Response = yield graph.get("oauth", "access_token", **lasting, **client)
    return granted(response)


def granted(response: httpx.Response) -> Credentials:
    token: Json = response.json()
    seconds = number_of(token, "expires_in")
    expires_at = answered_at(response) + timedelta(seconds=seconds) if seconds else None
    return Credentials(access_token=SecretStr(str(token["access_token"])), expires_at=expires_at)


def answered_at(response: httpx.Response) -> datetime:
    """Meta's clock: two clocks of one machine cannot differ. Raises ValueError without it."""
    return parsedate_to_datetime(response.headers.get("date", ""))


def pages(graph: Graph, user: Credentials, fields: str) -> Flow[list[Json]]:
    """The pages on which whoever signed in has a task, each with its token."""
    request = graph.get("me", "accounts", fields=f"id,name,access_token,{fields}", limit=str(PAGES))
    request.headers["authorization"] = f"Bearer {user.access_token.get_secret_value()}"
    response: httpx.Response = yield request
    return list(objects_of(response.json(), "data"))


def page_token(found: Sequence[Json], wanted: str | None, what: str) -> Credentials:
    """Of the page that is wanted, or of the only one."""
    fitting = [page for page in found if wanted is None or text_of(page, "id") == wanted]
    if len(fitting) != 1:
        names = ", ".join(f"{text_of(page, 'name')} ({text_of(page, 'id')})" for page in found) or "none"
        raise Forbidden(f"whoever signed in grants access to these pages: {names}; set {what} to one of them")
    return Credentials(access_token=SecretStr(str(fitting[0]["access_token"])))


def app_id(settings: AppSettings) -> str:
    if not settings.app_id:
        raise ConfigError("app_id is missing; it stands at the top of the app's dashboard")
    return settings.app_id
