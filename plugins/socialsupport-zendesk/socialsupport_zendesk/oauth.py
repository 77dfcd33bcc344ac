"""Signing in: an operator of the account grants access to an OAuth client of its own.

https://developer.zendesk.com/documentation/ticketing/working-with-oauth/creating-and-using-oauth-tokens-with-the-api/
"""

import httpx

from socialsupport_core.contract import ContentRejected, Flow, SignIn
from socialsupport_core.model import Credentials
from socialsupport_zendesk.settings import ZendeskSettings
from socialsupport_zendesk.signing import credentials_of


def address(settings: ZendeskSettings, sign_in: SignIn) -> str:
    query = {
        "response_type": "code",
        "client_id": _client_id(settings),
        "redirect_uri": sign_in.redirect,
        "scope": "read write",
        "state": sign_in.state,
        "code_challenge": sign_in.challenge,
        "code_challenge_method": "S256",
    }
    return str(httpx.URL(f"{settings.address}/oauth/authorizations/new", params=query))


def exchange(settings: ZendeskSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    more = {"code": code, "redirect_uri": sign_in.redirect, "code_verifier": sign_in.verifier.get_secret_value()}
    answer = yield _token(settings, "authorization_code", {**more, "scope": "read write"})
    return credentials_of(answer)


def refresh(settings: ZendeskSettings, credentials: Credentials) -> Flow[Credentials]:
    if credentials.refresh_token is None:
        return credentials
    more = {"refresh_token": credentials.refresh_token.get_secret_value()}
    return credentials_of((yield _token(settings, "refresh_token", more)), credentials)


def _client_id(settings: ZendeskSettings) -> str:
    if settings.client_id is None:
        raise ContentRejected("there is no OAuth client; give client_id and client_secret")
    return settings.client_id


def _token(settings: ZendeskSettings, grant: str, more: dict[str, str]) -> httpx.Request:
    client = _client_id(settings)
    secret = settings.client_secret.get_secret_value() if settings.client_secret else ""
    content = {"grant_type": grant, "client_id": client, "client_secret": secret, **more}
    return httpx.Request("POST", f"{settings.address}/oauth/tokens", json=content)
