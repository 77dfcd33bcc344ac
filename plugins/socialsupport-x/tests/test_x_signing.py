"""Signing in to X: the address, the code, the tokens, and what is granted by them."""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, ConfigError, ContentRejected, Flow, Forbidden, SignIn, drive
from socialsupport_core.model import Credentials
from socialsupport_core.testing import Network
from socialsupport_x import X, XSettings, signing
from socialsupport_x.checking import LIMITS, SCOPES
from socialsupport_x.connector import RATE_LIMITS
from socialsupport_x.simulator import XSimulator

APP = {"client_id": "the-client", "client_secret": "client-secret-of-the-app", "handle": "acme"}
SIGN_IN = SignIn(state="s" * 43, redirect="https://hub.example/connect/callback", verifier="v" * 43)  # type: ignore[arg-type]


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


def test_without_a_client_id_it_says_what_is_missing() -> None:
    connector = X(XSettings(client_secret="secret-of-the-app"))
    with pytest.raises(ConfigError, match="client_id is missing"):
        connector.connect_with(SIGN_IN)
    with pytest.raises(ConfigError, match="client_id is missing"):
        next(connector.exchange_with("code", SIGN_IN))


# with the simulator


class Account:
    """Whoever grants access, at a simulated X whose clock is moved by hand."""

    def __init__(self, **settings: Any) -> None:
        self.now = datetime(2026, 7, 24, 21, 0, tzinfo=UTC)
        self.settings = XSettings(**{**APP, **settings})
        self.connector = X(self.settings)
        self.x = XSimulator(self.settings, clock=lambda: self.now)

    def run(self, flow: Flow[Any], held: Credentials | None = None) -> Any:
        def respond(ask: httpx.Request) -> httpx.Response:
            return self.x.handle(self.connector.authorize(ask, held, self.now, "0" * 32))

        return drive(flow, respond, self.connector.failure)

    def code(self) -> str:
        return httpx.URL(self.x.signing.allow(self.connector.connect_with(SIGN_IN))).params["code"]

    def sign_in(self) -> Credentials:
        found: Credentials = self.run(self.connector.exchange_with(self.code(), SIGN_IN))
        return found


@pytest.mark.parametrize("settings", [{}, {"client_secret": None, "consumer_secret": "consumer-secret-1"}])
def test_a_token_is_got_used_and_renewed(settings: dict[str, Any]) -> None:
    """As a confidential client, and as a public one."""
    account = Account(**settings)
    first = account.sign_in()
    assert first.expires_at == account.now + timedelta(hours=2)
    assert first.scopes == set(signing.SCOPES)
    assert account.run(account.connector.probe(), first).handle == "acme"
    account.now += timedelta(hours=2)
    with pytest.raises(AuthExpired):
        account.run(account.connector.probe(), first)
    second = account.run(account.connector.refresh(first))
    assert account.run(account.connector.probe(), second).handle == "acme"
    with pytest.raises(ContentRejected) as raised:
        account.run(account.connector.refresh(first))
    assert (raised.value.code, "refresh token was invalid" in str(raised.value)) == ("invalid_request", True)


def test_a_code_works_once_within_half_a_minute_and_with_its_verifier() -> None:
    account = Account()
    code = account.code()
    other = SIGN_IN.model_copy(update={"verifier": SecretStr("w" * 43)})
    for sign_in in (other, SIGN_IN):  # the second time it is used up
        with pytest.raises(ContentRejected):
            account.run(account.connector.exchange_with(code, sign_in))
    late = account.code()
    account.now += timedelta(seconds=30)
    with pytest.raises(ContentRejected):
        account.run(account.connector.exchange_with(late, SIGN_IN))


def test_a_wrong_client_secret_is_no_client() -> None:
    account = Account()
    code = account.code()
    account.connector = X(XSettings(**{**APP, "client_secret": "another-client-secret"}))
    with pytest.raises(AuthExpired):
        account.run(account.connector.exchange_with(code, SIGN_IN))


def test_a_scope_that_was_not_granted_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "SCOPES", ("tweet.read", "offline.access"))
    account = Account()
    held = account.sign_in()
    with pytest.raises(Forbidden, match="oauth2 scopes"):
        account.run(account.connector.probe(), held)


def test_the_page_sends_the_browser_back() -> None:
    account = Account()
    browser = httpx.Client(transport=Network([account.x]).transport())
    page = browser.get(account.connector.connect_with(SIGN_IN))
    assert "dm.write" in page.text
    for choice, told in (("allow", "code"), ("deny", "error")):
        back = browser.get(str(page.url.copy_merge_params({"choice": choice})))
        where = httpx.URL(back.headers["location"])
        assert (back.status_code, where.host, where.params["state"]) == (302, "hub.example", SIGN_IN.state)
        assert told in where.params


@pytest.mark.parametrize(
    "change", ["response_type=token", "client_id=other", "code_challenge_method=plain", "redirect_uri=http://a"]
)
def test_the_page_takes_no_other_form(change: str) -> None:
    account = Account()
    name, _, value = change.partition("=")
    address = httpx.URL(account.connector.connect_with(SIGN_IN)).copy_set_param(name, value)
    assert account.x.handle(httpx.Request("GET", address)).status_code == 400
    with pytest.raises(ValueError):
        account.x.signing.allow(str(address))
