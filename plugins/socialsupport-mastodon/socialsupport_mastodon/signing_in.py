"""Signing in with an app that is registered at this instance, since each instance has its own.

https://docs.joinmastodon.org/methods/oauth/ (2026-11). Tokens do not expire; they are revoked.
"""

from urllib.parse import urlencode

import httpx

from socialsupport_core.contract import ConfigError, Flow, SignIn
from socialsupport_core.contract.lax import text_of
from socialsupport_core.model import Credentials
from socialsupport_mastodon.settings import SCOPES, MastodonSettings

TOKEN = "/oauth/token"  # noqa: S105 - an address


def address(settings: MastodonSettings, sign_in: SignIn) -> str:
    asked = {
        "response_type": "code",
        "client_id": _app(settings)["client_id"],
        "redirect_uri": sign_in.redirect,
        "scope": " ".join(SCOPES),
        "state": sign_in.state,
        "code_challenge": sign_in.challenge,
        "code_challenge_method": "S256",
    }
    return f"https://{settings.instance}/oauth/authorize?{urlencode(asked)}"


def exchange(settings: MastodonSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": sign_in.redirect,
        "code_verifier": sign_in.verifier.get_secret_value(),
    }
    response: httpx.Response = yield httpx.Request(
        "POST", f"https://{settings.instance}{TOKEN}", data=form | _app(settings)
    )
    token = response.json()
    return Credentials(
        access_token=str(token["access_token"]), scopes=frozenset((text_of(token, "scope") or "").split())
    )


def _app(settings: MastodonSettings) -> dict[str, str]:
    if settings.client_id is None or settings.client_secret is None:
        raise ConfigError(
            "to sign in, enter client_id and client_secret; the instance shows them under Preferences → Development"
        )
    return {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
