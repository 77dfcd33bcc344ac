"""Signing in: https://docs.bsky.app/docs/api/com-atproto-server-create-session and -refresh-session (2026-11).

An app password is in the settings, so that there is no page to agree on: the operator is sent straight back, and we
sign in when the code is exchanged. From then on the tokens are renewed; a refresh token is good for one use.
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from socialsupport_bluesky import xrpc
from socialsupport_bluesky.settings import BlueskySettings
from socialsupport_core.contract import AuthExpired, Flow, SignIn
from socialsupport_core.model import Credentials

CODE = "app-password"
CREATE, REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"


def address(sign_in: SignIn) -> str:
    return f"{sign_in.redirect}?{urlencode({'code': CODE, 'state': sign_in.state})}"


def begin(settings: BlueskySettings) -> Flow[Credentials]:
    body = {"identifier": settings.handle, "password": settings.app_password.get_secret_value()}
    response: httpx.Response = yield xrpc.procedure(settings.service, CREATE, body)
    return _credentials(response.json())


def renew(settings: BlueskySettings, host: str, credentials: Credentials) -> Flow[Credentials]:
    """With the refresh token; once that is no good any more, with the app password again."""
    old = credentials.refresh_token
    if old is None:
        return (yield from begin(settings))
    request = httpx.Request(
        "POST",
        f"https://{host}/xrpc/{REFRESH}",
        headers={"authorization": f"Bearer {old.get_secret_value()}"},
    )
    try:
        response: httpx.Response = yield request
    except AuthExpired:
        return (yield from begin(settings))
    told = response.json()
    return _credentials({"refreshJwt": old.get_secret_value(), **told})


def _credentials(granted: dict[str, Any]) -> Credentials:
    access, fresh = str(granted["accessJwt"]), granted.get("refreshJwt")
    return Credentials(access_token=access, refresh_token=str(fresh) if fresh else None, expires_at=_end(access))


def _end(token: str) -> datetime | None:
    """`exp` of the token (RFC 7519); without it, a refusal tells."""
    try:
        claims = token.split(".")[1]
        told = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        return datetime.fromtimestamp(int(told["exp"]), UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return None
