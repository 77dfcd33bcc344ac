"""Signing in to X: the address, the code, the tokens, and what is granted by them."""

import base64
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from socialsupport_core.contract import AuthExpired, SignIn
from socialsupport_core.model import Credentials
from socialsupport_x import X, XSettings, signing
from socialsupport_x.checking import LIMITS, SCOPES
from socialsupport_x.connector import RATE_LIMITS

APP = {"client_id": "the-client", "client_secret": "client-secret-of-the-app", "handle": "acme"}
SIGN_IN = SignIn(state="s" * 43, redirect="https://hub.example/connect/callback", verifier="v" * 43)  # type: ignore[arg-type]


# the forms


def test_the_address_asks_for_everything_by_pkce() -> None:
    address = urlsplit(X(XSettings(**APP)).connect_with(SIGN_IN))
    asked = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert f"{address.scheme}://{address.netloc}{address.path}" == "https://x.com/i/oauth2/authorize"
    assert asked["scope"].split() == list(signing.SCOPES)
    assert asked["code_challenge"] == SIGN_IN.challenge
    assert "v" * 43 not in address.query


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (APP, "Basic " + base64.b64encode(b"the-client:client-secret-of-the-app").decode()),
        ({"client_id": "the-client", "consumer_secret": "consumer-secret-1"}, None),
    ],
)
def test_a_confidential_client_proves_itself_and_a_public_one_cannot(settings: Any, expected: str | None) -> None:
    connector = X(XSettings(**settings))
    request = next(connector.exchange_with("code", SIGN_IN))
    held = Credentials(access_token="the-old-access-token")  # type: ignore[arg-type]
    signed = connector.authorize(request, held, datetime.now(UTC), "0" * 32)
    assert signed.headers.get("authorization") == expected
    assert b"client_id=the-client" in signed.read()


def test_files_of_direct_messages_are_fetched_with_the_keys_that_their_host_knows() -> None:
    both = X(
        XSettings(
            **APP,
            consumer_key="key-1",
            consumer_secret="consumer-secret-1",
            access_token="token-1",
            access_token_secret="token-secret-1",
        )
    )
    held = Credentials(access_token="bearer-1")  # type: ignore[arg-type]
    for url, scheme in (
        ("https://ton.twitter.com/1.1/ton/data/dm/1/2/a.png", "OAuth"),
        ("https://api.x.com/2/x", "Bearer"),
    ):
        request = both.authorize(httpx.Request("GET", url), held, datetime.now(UTC), "0" * 32)
        assert request.headers["authorization"].split()[0] == scheme
    request = both.authorize(httpx.Request("GET", "https://pbs.twimg.com/a.jpg"), held, datetime.now(UTC), "0" * 32)
    assert "authorization" not in request.headers


def test_a_refresh_without_a_refresh_token_says_what_to_do() -> None:
    bare = Credentials(access_token="access-1")  # type: ignore[arg-type]
    with pytest.raises(AuthExpired, match="connect it again"):
        next(X(XSettings(**APP)).refresh(bare))


# X's own limits


@pytest.mark.parametrize(("endpoint", "limits"), LIMITS.items())
def test_every_limit_that_the_simulator_enforces_is_declared(endpoint: str, limits: Any) -> None:
    call = endpoint.replace(":id", "2244994945")
    fitting = {(limit.calls, limit.seconds) for limit in RATE_LIMITS if re.fullmatch(limit.of or ".*", call)}
    assert fitting == {(calls, float(seconds)) for _, calls, seconds in limits}


def test_we_ask_for_what_our_calls_need_and_for_nothing_else() -> None:
    needed = {scope for scopes in SCOPES.values() for scope in scopes}
    assert needed | {"offline.access"} == set(signing.SCOPES)
