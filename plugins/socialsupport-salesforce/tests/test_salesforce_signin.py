"""Who signs in, and how."""

import base64
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from socialsupport_core.contract import AuthExpired, ConfigError, Flow, SignIn, drive
from socialsupport_core.model import Credentials
from socialsupport_salesforce import Salesforce, SalesforceSettings, oauth
from socialsupport_salesforce.simulator import SalesforceServer

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
URL = "https://acme.my.salesforce.com"
BACK = "https://hub.example/api/connect/back"
SIGN_IN = SignIn(state="state-1", redirect=BACK, verifier=SecretStr("v" * 43))


@cache
def key(kind: str = "rsa") -> SecretStr:
    made = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    return SecretStr(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())


def web() -> SalesforceSettings:
    return SalesforceSettings(instance_url=URL, client_id="consumer-key", client_secret=SecretStr("consumer-secret"))


def jwt(**more: Any) -> SalesforceSettings:
    given = {"instance_url": URL, "client_id": "consumer-key", "username": "hub@acme.example", "private_key": key()}
    return SalesforceSettings.model_validate(given | more)


def run(server: SalesforceServer, flow: Flow[Any], credentials: Credentials | None = None, at: datetime = NOW) -> Any:
    crm = Salesforce(server.own)
    return drive(flow, lambda ask: server.handle(crm.authorize_with(ask, credentials, at, "")), crm.failure)


def test_an_operator_signs_in_and_the_token_is_renewed_when_it_is_refused() -> None:
    now = [NOW]
    server = SalesforceServer(web(), clock=lambda: now[0])
    crm = Salesforce(server.own)
    code = httpx.URL(server.pages.allow(crm.connect_with(SIGN_IN))).params["code"]
    granted = run(server, crm.exchange_with(code, SIGN_IN))
    assert granted.expires_at is None
    now[0] += timedelta(hours=3)
    with pytest.raises(AuthExpired):
        run(server, crm.poll(None), granted)
    fresh = run(server, crm.refresh(granted))
    assert fresh.refresh_token == granted.refresh_token
    run(server, crm.poll(None), fresh)
    server.pages.revoke()
    with pytest.raises(AuthExpired) as refused:
        run(server, crm.refresh(granted))
    assert refused.value.code == "invalid_grant"


def test_another_browsers_code_is_worth_nothing() -> None:
    server = SalesforceServer(web(), clock=lambda: NOW)
    crm = Salesforce(server.own)
    code = httpx.URL(server.pages.allow(crm.connect_with(SIGN_IN))).params["code"]
    other = SignIn(state="state-1", redirect=BACK, verifier=SecretStr("w" * 43))
    with pytest.raises(AuthExpired):
        run(server, crm.exchange_with(code, other))


def test_without_a_refresh_token_the_operator_is_told() -> None:
    with pytest.raises(AuthExpired, match="without the scope refresh_token"):
        next(Salesforce(web()).refresh(Credentials(access_token=SecretStr("t"))))


def test_an_org_elsewhere_is_not_told_our_token() -> None:
    crm = Salesforce(web())
    answer = httpx.Response(200, json={"access_token": "t", "instance_url": "https://evil.example"})
    with pytest.raises(ConfigError, match="set instance_url"):
        drive(crm.exchange_with("code", SIGN_IN), lambda _: answer, crm.failure)
    assert crm.hosts == {"acme.my.salesforce.com"}


NOTHING = Credentials(access_token=SecretStr("none"))


def test_the_app_signs_in_by_itself_with_its_key() -> None:
    server = SalesforceServer(jwt(), clock=lambda: NOW)
    crm = Salesforce(server.own)
    assert crm.grants_itself
    granted = run(server, crm.refresh(NOTHING))
    run(server, crm.poll(None), granted)
    assert granted.refresh_token is None


def test_the_app_signs_in_by_itself_with_its_secret() -> None:
    settings = web().model_copy(update={"client_credentials": True})
    server = SalesforceServer(settings, clock=lambda: NOW)
    crm = Salesforce(settings)
    assert crm.grants_itself
    run(server, crm.poll(None), run(server, crm.refresh(NOTHING)))
    assert not Salesforce(web()).grants_itself


def test_an_assertion_says_who_where_and_until_when() -> None:
    written = oauth.assertion(jwt(audience="https://test.salesforce.com"), NOW)
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in written.split(".")[:2])
    assert header == {"alg": "RS256"}
    assert claims == {
        "iss": "consumer-key",
        "sub": "hub@acme.example",
        "aud": "https://test.salesforce.com",
        "exp": int(NOW.timestamp()) + 180,
    }


@pytest.mark.parametrize(
    "change",
    [{"username": "somebody@acme.example"}, {"client_id": "other-key"}, {"audience": "https://test.salesforce.com"}],
)
def test_an_assertion_for_somebody_else_is_refused(change: dict[str, str]) -> None:
    server = SalesforceServer(jwt(), clock=lambda: NOW)
    other = Salesforce(server.own.model_copy(update=change))
    with pytest.raises(AuthExpired):
        drive(
            other.refresh(NOTHING), lambda ask: server.handle(other.authorize_with(ask, None, NOW, "")), other.failure
        )


@pytest.mark.parametrize("seconds", [-181, 181])
def test_an_assertion_of_another_time_is_refused(seconds: int) -> None:
    server = SalesforceServer(jwt(), clock=lambda: NOW)
    with pytest.raises(AuthExpired):
        run(server, Salesforce(server.own).refresh(NOTHING), at=NOW + timedelta(seconds=seconds))


def test_a_flow_asks_the_same_whatever_the_time_is() -> None:
    crm = Salesforce(jwt())
    first, again = next(crm.refresh(NOTHING)), next(crm.refresh(NOTHING))
    assert first.content == again.content
    assert b"assertion" not in first.content
    assert b"assertion=" in crm.authorize_with(first, None, NOW, "").content


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"client_secret": None}, "set client_secret, or username and private_key"),
        ({"private_key": key("rsa")}, "private_key needs username"),
        ({"private_key": key("ec"), "username": "a@b.c"}, "no RSA key in PEM"),
        ({"private_key": "-----BEGIN", "username": "a@b.c"}, "no RSA key in PEM"),
        ({"instance_url": "https://evil.example"}, "instance_url"),
        ({"instance_url": "http://acme.my.salesforce.com"}, "instance_url"),
        ({"instance_url": "https://acme.my.salesforce.com/"}, "instance_url"),
        ({"key_field": "Key'; --__c"}, "key_field"),
        ({"user_id": "003000000000001AAA"}, "user_id"),
        ({"colour": "blue"}, "Extra inputs"),
    ],
)
def test_settings_say_what_is_wrong_and_repeat_no_secret(change: dict[str, Any], complaint: str) -> None:
    given = {"instance_url": URL, "client_id": "consumer-key", "client_secret": "consumer-secret"} | change
    with pytest.raises(ValueError, match=complaint) as refused:
        SalesforceSettings.model_validate(given)
    assert "consumer-secret" not in str(refused.value)
    assert "BEGIN" not in str(refused.value)
