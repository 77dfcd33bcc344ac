"""A CRM at which an operator signs in: its tokens are renewed as those of channels are, and it misses nothing."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from raven import Clock, Raven, Roost, Sky, message
from raven.connector import RavenSettings

from socialsupport_core.contract import CRM, CaseRef, CaseSummary, Contact, Flow, Ref, Settings, hookimpl
from socialsupport_core.model import Credentials, Interaction, Party
from socialsupport_core.testing import Network, Simulator
from socialsupport_core.testing.oauth import SignInPages

API = "https://ledger.example"


class LedgerSettings(Settings):
    base: str = API


class Ledger(CRM[LedgerSettings]):
    name = "ledger"
    settings_model = LedgerSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"ledger.example"})

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: Any, nonce: str
    ) -> httpx.Request:
        if credentials is not None:
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        assert credentials.refresh_token is not None
        form = {
            "grant_type": "refresh_token",
            "refresh_token": credentials.refresh_token.get_secret_value(),
            "client_id": "ledger-client",
        }
        response = yield httpx.Request("POST", f"{API}/token", data=form)
        given = response.json()
        return Credentials(access_token=given["access_token"], refresh_token=given["refresh_token"])

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        yield httpx.Request("GET", f"{API}/contacts")
        return ()

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        yield httpx.Request("POST", f"{API}/cases", json={"id": conversation.conversation})
        return CaseRef(id=conversation.conversation)

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        yield httpx.Request("POST", f"{API}/entries", json={"text": interaction.text, "key": key})
        return Ref(id=key)

    def close_case(self, case: CaseRef, outcome: Any) -> Flow[None]:
        yield httpx.Request("POST", f"{API}/closed", json={})


class Plain(Ledger):
    """Written before there were sign-ins: its key stands in the settings."""

    authorize_with = CRM.authorize_with

    def authorize(self, request: httpx.Request, now: Any, nonce: str) -> httpx.Request:
        request.headers["authorization"] = "Bearer key-of-the-settings"
        return request


class Alone(Ledger):
    """It signs in by itself, with what its settings hold."""

    grants_itself = True

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        assert credentials.refresh_token is None
        response = yield httpx.Request("POST", f"{API}/token/mine", data={"grant_type": "client_credentials"})
        return Credentials(access_token=response.json()["access_token"])


class Office(Simulator):
    network = "ledger"
    hosts = frozenset({"ledger.example"})

    def __init__(self, clock: Clock) -> None:
        super().__init__(RavenSettings(), clock=clock)
        self.pages = SignInPages(clock, self.random, "ledger-client")
        self.entries: dict[str, str] = {}
        self.alone = 0
        """So many tokens were asked for with the app's own credentials."""
        self.knows_the_app = True

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return self.pages.token(request)
        if request.url.path == "/token/mine":
            self.alone += 1
            return self.pages.grant() if self.knows_the_app else httpx.Response(400, json={"error": "invalid_client"})
        if not self.pages.accepts(request) and request.headers.get("authorization") != "Bearer key-of-the-settings":
            return httpx.Response(401, json={})
        if request.url.path == "/entries":
            told = json.loads(request.read())
            self.entries[told["key"]] = told["text"]
        return httpx.Response(200, json={})

    def granted(self) -> Credentials:
        given = json.loads(self.pages.grant().content)
        return Credentials(
            access_token=SecretStr(given["access_token"]), refresh_token=SecretStr(given["refresh_token"])
        )


class Shop(Roost):
    def __init__(self, folder: Path, store: str | Path, crm: type[CRM[Any]] = Ledger) -> None:
        clock = Clock()
        self.office, sky = Office(clock), Sky(clock=clock)

        @hookimpl
        def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
            return (crm,)

        self.crms = socialsupport_crms
        transport = Network([sky, self.office]).transport()
        super().__init__(folder, store=store, clock=clock, sky=sky, transport=transport)
        self.hub.add_crm("acme", "books", "ledger", {})

    def open(self, *connectors: Any, **hooks: Any) -> Any:
        return super().open(*connectors, socialsupport_crms=self.crms, **hooks)

    def say(self, number: int) -> None:
        self.hear(message(number, f"text {number}", at=self.clock.now))


@pytest.fixture
def shop(tmp_path: Path, store: str | Path) -> Iterator[Shop]:
    made = Shop(tmp_path, store)
    yield made
    made.hub.close()


def test_an_expired_token_is_renewed_once_and_nothing_is_missed(shop: Shop) -> None:
    shop.hub.keep_crm_credentials("acme", "books", shop.office.granted())
    for number in range(1, 6):
        shop.office.pages.expire()
        shop.clock.forward(minutes=2)
        shop.say(number)
    assert sorted(shop.office.entries.values()) == [f"text {number}" for number in range(1, 6)]
    assert shop.office.pages.refreshes == 5
    assert shop.log("crm.failed") == []


def test_a_withdrawn_access_is_told_once_and_what_waited_is_told_when_it_is_mended(shop: Shop) -> None:
    shop.hub.keep_crm_credentials("acme", "books", shop.office.granted())
    shop.say(1)
    shop.office.pages.revoke()
    for number in range(2, 7):
        shop.say(number)
        shop.clock.forward(minutes=5)
        shop.hub.drain()
    calls = len(shop.office.calls)
    assert list(shop.office.entries.values()) == ["text 1"]
    (failed,) = shop.log("crm.failed")
    assert "connect it again" in failed["data"]["reason"]
    for _ in range(10):
        shop.hub.drain()
    assert len(shop.office.calls) == calls

    shop.hub.keep_crm_credentials("acme", "books", shop.office.granted())
    shop.hub.drain()
    assert sorted(shop.office.entries.values()) == [f"text {number}" for number in range(1, 7)]


def test_a_refused_key_of_the_settings_misses_nothing_either(shop: Shop) -> None:
    """It was never connected: the CRM is left alone for a minute, and asked again by itself."""
    shop.say(1)
    assert shop.office.entries == {}
    asked = len(shop.office.calls)
    for _ in range(5):
        shop.hub.drain()
    assert len(shop.office.calls) == asked
    shop.office.pages.accepts = lambda request: True  # type: ignore[method-assign]
    shop.clock.forward(minutes=1)
    shop.hub.drain()
    assert list(shop.office.entries.values()) == ["text 1"]


def test_an_adapter_without_sign_in_works_as_before(tmp_path: Path) -> None:
    shop = Shop(tmp_path, tmp_path / "support.sqlite", Plain)
    shop.say(1)
    assert list(shop.office.entries.values()) == ["text 1"]
    shop.hub.close()


def test_an_adapter_that_signs_in_by_itself_needs_nobody(tmp_path: Path, store: str | Path) -> None:
    shop = Shop(tmp_path, store, Alone)
    for number in range(1, 4):
        shop.say(number)
    assert sorted(shop.office.entries.values()) == ["text 1", "text 2", "text 3"]
    assert shop.office.alone == 1
    shop.office.pages.expire()
    shop.clock.forward(minutes=2)
    shop.say(4)
    assert "text 4" in shop.office.entries.values()
    assert shop.office.alone == 2
    assert shop.log("crm.failed") == []
    shop.hub.close()


def test_an_app_that_is_not_known_is_told_and_tried_again_when_the_operator_has_mended_it(
    tmp_path: Path, store: str | Path
) -> None:
    shop = Shop(tmp_path, store, Alone)
    shop.office.knows_the_app = False
    shop.say(1)
    (failed,) = shop.log("crm.failed")
    assert "refuses to renew" in failed["data"]["reason"]
    shop.office.knows_the_app = True
    shop.hub.add_crm("acme", "books", "ledger", {})
    shop.clock.forward(minutes=2)
    shop.hub.drain()
    assert list(shop.office.entries.values()) == ["text 1"]
    shop.hub.close()


def test_credentials_of_a_crm_are_its_own(shop: Shop) -> None:
    """Neither the channels nor another tenant's CRM of the same name are given them."""
    shop.hub.add_crm("rival", "books", "ledger", {})
    given = shop.office.granted()
    shop.hub.keep_crm_credentials("acme", "books", given)
    shop.say(1)
    shop.hear(message(2, "text 2", at=shop.clock.now), tenant="rival")
    assert list(shop.office.entries.values()) == ["text 1"]
    assert all(given.access_token.get_secret_value() not in str(call.headers) for call in shop.sky.calls)
    assert Raven in {type(live.connector) for live in shop.hub.channels.all().values()}
