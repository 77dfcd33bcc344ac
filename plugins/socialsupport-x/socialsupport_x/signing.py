"""Signing in as an account of X: OAuth 2.0 with PKCE.

https://docs.x.com/fundamentals/authentication/oauth-2-0/user-access-token,
https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code (2026-07)
"""

import base64
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from socialsupport_core.contract import AuthExpired, ConfigError, Flow, SignIn, answered_at
from socialsupport_core.model import Credentials
from socialsupport_x.api import API
from socialsupport_x.settings import XSettings

PAGE = "https://x.com/i/oauth2/authorize"
TOKEN_PATH = "/2/oauth2/token"  # noqa: S105 - an address
SCOPES = (
    "tweet.read",
    "tweet.write",
    "users.read",
    "dm.read",
    "dm.write",
    "like.read",
    "like.write",
    "media.write",
    "offline.access",
)
"""What each of our calls needs, by the published description 2.167; the last one brings a refresh token."""


def address(settings: XSettings, sign_in: SignIn) -> str:
    asked = {
        "response_type": "code",
        "client_id": _client(settings),
        "redirect_uri": sign_in.redirect,
        "scope": " ".join(SCOPES),
        "state": sign_in.state,
        "code_challenge": sign_in.challenge,
        "code_challenge_method": "S256",
    }
    return f"{PAGE}?{urlencode(asked, quote_via=quote)}"


def exchange(settings: XSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    """X takes a code for thirty seconds."""
    return _token(
        settings,
        grant_type="authorization_code",
        code=code,
        redirect_uri=sign_in.redirect,
        code_verifier=sign_in.verifier.get_secret_value(),
    )


def refresh(settings: XSettings, credentials: Credentials) -> Flow[Credentials]:
    """Each refresh brings a new refresh token, and voids the old one."""
    if credentials.refresh_token is None:
        raise AuthExpired("the account was connected without offline.access: connect it again")
    fresh = yield from _token(
        settings, grant_type="refresh_token", refresh_token=credentials.refresh_token.get_secret_value()
    )
    if fresh.refresh_token is None:
        return fresh.model_copy(update={"refresh_token": credentials.refresh_token})
    return fresh


def _token(settings: XSettings, **form: str) -> Flow[Credentials]:
    request = httpx.Request("POST", API + TOKEN_PATH, data={**form, "client_id": _client(settings)})
    response: httpx.Response = yield request
    token: dict[str, Any] = response.json()
    expires_at = answered_at(response) + timedelta(seconds=int(token["expires_in"]))
    return Credentials(
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        expires_at=expires_at,
        scopes=frozenset(str(token.get("scope", "")).split()),
    )


def proven(request: httpx.Request, settings: XSettings) -> httpx.Request:
    """A confidential client proves itself by HTTP Basic, a public one by its id alone."""
    if settings.client_secret is not None:
        pair = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
        request.headers["authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return request


def _client(settings: XSettings) -> str:
    if not settings.client_id:
        raise ConfigError("client_id is missing; it stands under Keys and tokens of the app, as OAuth 2.0 Client ID")
    return settings.client_id
