"""Signing in to an account as a public app.

https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens (2026-11)
"""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from socialsupport_core.contract import AuthExpired, ConfigError, Flow, answered_at
from socialsupport_core.model import Credentials
from socialsupport_hubspot import api
from socialsupport_hubspot.settings import HubSpotSettings

PAGE = "https://app.hubspot.com/oauth/authorize"
SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "tickets",
    "files",
)
"""Contacts are read, and written where one is erased; notes and communications come with contacts."""
CHANNEL_SCOPES = ("conversations.custom_channels.read", "conversations.custom_channels.write")


def address(settings: HubSpotSettings, state: str, redirect: str) -> str:
    scopes = SCOPES + (CHANNEL_SCOPES if settings.channel else ())
    asked = {"client_id": _app(settings)[0], "redirect_uri": redirect, "scope": " ".join(scopes), "state": state}
    return f"{PAGE}?{urlencode(asked)}"


def exchange(settings: HubSpotSettings, code: str, redirect: str) -> Flow[Credentials]:
    return _token(settings, grant_type="authorization_code", code=code, redirect_uri=redirect)


def refresh(settings: HubSpotSettings, credentials: Credentials) -> Flow[Credentials]:
    """The refresh token stays the same until the account takes the app out."""
    if credentials.refresh_token is None:
        raise AuthExpired("there is no refresh token: connect HubSpot again")
    old = credentials.refresh_token
    fresh = yield from _token(settings, grant_type="refresh_token", refresh_token=old.get_secret_value())
    return fresh if fresh.refresh_token else fresh.model_copy(update={"refresh_token": old})


def _token(settings: HubSpotSettings, **form: str) -> Flow[Credentials]:
    client, secret = _app(settings)
    response: httpx.Response = yield api.request(
        "POST", api.TOKEN, data={**form, "client_id": client, "client_secret": secret}
    )
    token: dict[str, Any] = response.json()
    return Credentials(
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        expires_at=answered_at(response) + timedelta(seconds=int(token["expires_in"])),
        scopes=frozenset(map(str, token.get("scopes") or ())),
    )


def _app(settings: HubSpotSettings) -> tuple[str, str]:
    if not (settings.client_id and settings.client_secret):
        raise ConfigError("client_id and client_secret are missing; they stand on the app's Auth tab")
    return settings.client_id, settings.client_secret.get_secret_value()
