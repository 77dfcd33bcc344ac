"""Signing in: an operator by the web server flow with PKCE, or the app by itself.

https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm,
…remoteaccess_oauth_jwt_flow.htm, …remoteaccess_oauth_client_credentials_flow.htm,
…remoteaccess_oauth_refresh_token_flow.htm (2026-11). Salesforce does not say how long a token is good: it is renewed
when it is refused.
"""

import base64
import json
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from socialsupport_core.contract import AuthExpired, ConfigError, Flow, SignIn
from socialsupport_core.model import Credentials
from socialsupport_salesforce.api import API, TOKEN
from socialsupport_salesforce.settings import SalesforceSettings, read_key

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPES = "api refresh_token"
LIFETIME = 180
"""Seconds for which an assertion is good; Salesforce takes three minutes at most."""


def address(settings: SalesforceSettings, sign_in: SignIn) -> str:
    asked = {
        "response_type": "code",
        "client_id": settings.client_id,
        "redirect_uri": sign_in.redirect,
        "scope": SCOPES,
        "state": sign_in.state,
        "code_challenge": sign_in.challenge,
        "code_challenge_method": "S256",
    }
    return f"{settings.instance_url}/services/oauth2/authorize?{urlencode(asked)}"


def exchange(settings: SalesforceSettings, code: str, sign_in: SignIn) -> Flow[Credentials]:
    return _token(
        settings,
        grant_type="authorization_code",
        code=code,
        redirect_uri=sign_in.redirect,
        code_verifier=sign_in.verifier.get_secret_value(),
        **_app(settings),
    )


def refresh(settings: SalesforceSettings, credentials: Credentials) -> Flow[Credentials]:
    """With rotation each refresh brings a new refresh token, else the old one stays."""
    if settings.private_key is not None:
        return (yield from _token(settings, grant_type=JWT_BEARER))  # the assertion is added when it is sent
    if settings.client_credentials:
        return (yield from _token(settings, grant_type="client_credentials", **_app(settings)))
    old = credentials.refresh_token
    if old is None:
        raise AuthExpired("the org was connected without the scope refresh_token: connect it again")
    fresh = yield from _token(
        settings, grant_type="refresh_token", refresh_token=old.get_secret_value(), **_app(settings)
    )
    return fresh if fresh.refresh_token else fresh.model_copy(update={"refresh_token": old})


def asserted(request: httpx.Request, settings: SalesforceSettings, now: datetime) -> httpx.Request:
    """The same request with the assertion, which is dated: a flow knows no time."""
    if settings.private_key is None:
        return request
    form = {"grant_type": JWT_BEARER, "assertion": assertion(settings, now)}
    return httpx.Request(request.method, request.url, data=form)


def assertion(settings: SalesforceSettings, now: datetime) -> str:
    """A JWT (RFC 7523), signed with RS256."""
    assert settings.private_key is not None
    claims = {
        "iss": settings.client_id,
        "sub": settings.username,
        "aud": settings.audience,
        "exp": int(now.timestamp()) + LIFETIME,
    }
    signed = b".".join(_encoded(json.dumps(one, separators=(",", ":")).encode()) for one in ({"alg": "RS256"}, claims))
    signature = read_key(settings.private_key).sign(signed, PKCS1v15(), SHA256())
    return (signed + b"." + _encoded(signature)).decode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def _token(settings: SalesforceSettings, **form: str) -> Flow[Credentials]:
    response: httpx.Response = yield API(settings).request("POST", TOKEN, data=form)
    token: dict[str, Any] = response.json()
    where = str(token["instance_url"]).lower().rstrip("/")
    if where != settings.instance_url:
        raise ConfigError(f"the org is at {where[:128]}: set instance_url to it")
    return Credentials(
        access_token=token["access_token"],
        refresh_token=token.get("refresh_token"),
        scopes=frozenset(str(token.get("scope") or "").split()),
    )


def _app(settings: SalesforceSettings) -> dict[str, str]:
    if settings.client_secret is None:
        raise ConfigError("client_secret is missing; it stands in the app's settings as Consumer Secret")
    return {"client_id": settings.client_id, "client_secret": settings.client_secret.get_secret_value()}
