"""Installing the app by signing in (https://docs.slack.dev/authentication/installing-with-oauth, 2026-11), and tokens
that are rotated (https://docs.slack.dev/authentication/using-token-rotation, 2026-11)."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import httpx

from socialsupport_core.contract import AuthExpired, ConfigError, Flow, SignIn
from socialsupport_core.contract.lax import text_of, whole_of
from socialsupport_core.model import Credentials
from socialsupport_slack.settings import SlackSettings

AUTHORIZE = "https://slack.com/oauth/v2/authorize"
TOKEN = "https://slack.com/api/oauth.v2.access"  # noqa: S105 - an address


def address(settings: SlackSettings, sign_in: SignIn) -> str:
    asked = {
        "client_id": _app(settings)["client_id"],
        "scope": ",".join(settings.scopes),
        "redirect_uri": sign_in.redirect,
        "state": sign_in.state,
    }
    return f"{AUTHORIZE}?{urlencode(asked)}"


def exchange(settings: SlackSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    return _token(settings, code=code, redirect_uri=sign_in.redirect)


def refresh(settings: SlackSettings, credentials: Credentials) -> Flow[Credentials]:
    """Each refresh gives a new refresh token; the old one stays good for a while."""
    if credentials.refresh_token is None:
        raise AuthExpired("token rotation is off in the app's settings, and the token was revoked: connect it again")
    old = credentials.refresh_token
    fresh = yield from _token(settings, grant_type="refresh_token", refresh_token=old.get_secret_value())
    kept = {"refresh_token": fresh.refresh_token or old, "scopes": fresh.scopes or credentials.scopes}
    return fresh.model_copy(update=kept)


def _token(settings: SlackSettings, **form: str) -> Flow[Credentials]:
    response: httpx.Response = yield httpx.Request("POST", TOKEN, data=form | _app(settings))
    token: dict[str, Any] = response.json()
    seconds = whole_of(token, "expires_in")
    return Credentials(
        access_token=str(token["access_token"]),
        refresh_token=text_of(token, "refresh_token"),
        expires_at=answered_at(response) + timedelta(seconds=seconds) if seconds else None,
        scopes=frozenset(filter(None, (text_of(token, "scope") or "").split(","))),
    )


def answered_at(response: httpx.Response) -> datetime:
    """By the network's own clock."""
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, ValueError):
        raise ValueError("the answer carries no Date, so nobody knows when the token expires") from None


def _app(settings: SlackSettings) -> dict[str, str]:
    if settings.client_id is None or settings.client_secret is None:
        raise ConfigError("to sign in, enter client_id and client_secret from the app's Basic Information")
    return {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
