"""Signing in by Instagram: the token of the account itself, which lives sixty days and is renewed before.

https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login/business-login (2026-03),
https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token (2026-03): the code gives a token
of an hour, that one a token of sixty days, and that one, older than a day and not yet at its end, another of sixty.
"""

from urllib.parse import quote, urlencode

import httpx

from socialsupport_core.contract import ConfigError, Flow, SignIn
from socialsupport_core.contract.lax import objects_of
from socialsupport_core.model import Credentials
from socialsupport_instagram.settings import InstagramSettings
from socialsupport_meta import signing

GRAPH = "graph.instagram.com"
TOKENS = "api.instagram.com"
HOSTS = frozenset({GRAPH, TOKENS})
DIALOG = "https://www.instagram.com/oauth/authorize"
SCOPES = ("instagram_business_basic", "instagram_business_manage_messages", "instagram_business_manage_comments")


def address(settings: InstagramSettings, sign_in: SignIn) -> str:
    asked = {
        "client_id": _client(settings)["client_id"],
        "redirect_uri": sign_in.redirect,
        "response_type": "code",
        "scope": ",".join(SCOPES),
        "state": sign_in.state,
    }
    return f"{DIALOG}?{urlencode(asked, quote_via=quote)}"


def exchanged(settings: InstagramSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    client = _client(settings)
    form = {**client, "grant_type": "authorization_code", "redirect_uri": sign_in.redirect, "code": code}
    response: httpx.Response = yield httpx.Request("POST", f"https://{TOKENS}/oauth/access_token", data=form)
    told = response.json()
    short = next(iter(objects_of(told, "data")), told)  # the page prints a list of one, others saw the object alone
    asked = {"client_secret": client["client_secret"], "access_token": str(short["access_token"])}
    return (yield from _lasting("access_token", grant_type="ig_exchange_token", **asked))


def renewed(credentials: Credentials) -> Flow[Credentials]:
    token = credentials.access_token.get_secret_value()
    return (yield from _lasting("refresh_access_token", grant_type="ig_refresh_token", access_token=token))


def _lasting(path: str, **asked: str) -> Flow[Credentials]:
    response: httpx.Response = yield httpx.Request("GET", f"https://{GRAPH}/{path}", params=asked)
    return signing.granted(response)


def _client(settings: InstagramSettings) -> dict[str, str]:
    if not settings.instagram_app_id or settings.instagram_app_secret is None:
        raise ConfigError(
            "instagram_app_id and instagram_app_secret are missing; they stand in the app's dashboard under "
            "Instagram → API setup with Instagram login → Business login settings"
        )
    secret = settings.instagram_app_secret.get_secret_value()
    return {"client_id": settings.instagram_app_id, "client_secret": secret}
