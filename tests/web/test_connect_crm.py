"""An operator signs in at a CRM, and comes back; its tokens are its own."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import SecretStr
from raven import Clock, Roost, Sky, message
from raven.connector import RavenSettings
from raven.web import Desk, Web

from socialsupport_core.contract import CRM, CaseRef, CaseSummary, Contact, Flow, Ref, Settings, SignIn, hookimpl
from socialsupport_core.model import Credentials, Facts, Interaction, Party
from socialsupport_core.testing import Network, Simulator
from socialsupport_core.web import create_app

API = "https://ledger.example"
BACK = "https://hub.example"


class Ledger(CRM[Settings]):
    name = "ledger"
    settings_model = Settings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"ledger.example"})

    def connect_with(self, sign_in: SignIn) -> str:
        query = {"state": sign_in.state, "redirect_uri": sign_in.redirect, "challenge": sign_in.challenge}
        return str(httpx.URL(f"{API}/authorize", params=query))

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        content = {"code": code, "verifier": sign_in.verifier.get_secret_value()}
        given = (yield httpx.Request("POST", f"{API}/token", json=content)).json()
        return Credentials(access_token=SecretStr(given["token"]))

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: Any, nonce: str
    ) -> httpx.Request:
        if credentials is not None:
            request.headers["authorization"] = credentials.access_token.get_secret_value()
        return request

    def probe(self) -> Flow[Facts]:
        return Facts(own_account=(yield httpx.Request("GET", f"{API}/me")).json()["id"])

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        yield httpx.Request("GET", f"{API}/contacts")
        return ()

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        yield httpx.Request("POST", f"{API}/cases", json={})
        return CaseRef(id="1")

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        yield httpx.Request("POST", f"{API}/entries", json={"text": interaction.text})
        return Ref(id=key)


class Office(Simulator):
    network = "ledger"
    hosts = frozenset({"ledger.example"})
    entries = 0
    broken = False

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "secret-token-of-the-ledger"})
        if request.headers.get("authorization") != "secret-token-of-the-ledger" or self.broken:
            return httpx.Response(401, json={})
        self.entries += request.url.path == "/entries"
        return httpx.Response(200, json={"id": "us"})


class Shop(Roost):
    def __init__(self, folder: Path) -> None:
        clock = Clock()
        self.office, sky = Office(RavenSettings(), clock=clock), Sky(clock=clock)

        @hookimpl
        def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
            return (Ledger,)

        self.crms = socialsupport_crms
        super().__init__(folder, clock=clock, sky=sky, transport=Network([sky, self.office]).transport())
        self.hub.add_crm("acme", "books", "ledger", {})
        self.web = Web(create_app(self.hub, inbox=True, run_workers=False))
        self.acme = Desk(self, self.web, "acme")  # type: ignore[arg-type]

    def open(self, *connectors: Any, **hooks: Any) -> Any:
        return super().open(*connectors, socialsupport_crms=self.crms, **hooks)

    def set_out(self, **asked: str) -> httpx.Response:
        return self.acme.get("/api/connect/ledger", params={"crm": "books", **asked})

    def come(self, there: str, code: str = "code-1") -> httpx.Response:
        state = parse_qs(urlsplit(there).query)["state"][0]
        return self.web.get(f"/connect/callback?code={code}&state={state}")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path)
    yield made
    made.hub.close()


def test_an_operator_signs_in_at_a_crm_and_it_works(shop: Shop) -> None:
    shop.hear(message(1, "one", at=shop.clock.now))
    assert shop.office.entries == 0
    there = shop.set_out().json()["url"]
    assert there.startswith(f"{API}/authorize?")
    answer = shop.come(there)
    assert answer.status_code == 200, answer.text
    assert "CRM books is connected to ledger as us." in answer.text
    shop.hub.drain()
    assert shop.office.entries == 1
    assert "secret-token-of-the-ledger" not in shop.dump() + answer.text
    shop.settle()
    rows = shop.hub._database.read(lambda tx: tx.all("SELECT object FROM audit WHERE verb = 'connect' ORDER BY number"))
    assert [row["object"] for row in rows] == ["set out for CRM books", "CRM books has new credentials"]


def test_the_way_back_is_used_once(shop: Shop) -> None:
    there = shop.set_out().json()["url"]
    assert shop.come(there).status_code == 200
    assert shop.come(there).status_code == 400


def test_access_that_does_not_work_is_told(shop: Shop) -> None:
    shop.office.broken = True
    answer = shop.come(shop.set_out().json()["url"])
    assert answer.status_code == 502
    assert "connection test failed" in answer.text


@pytest.mark.parametrize(("path", "crm", "status"), [("raven", "books", 422), ("ledger", "nothing", 422)])
def test_another_adapter_or_an_unknown_crm_is_refused(shop: Shop, path: str, crm: str, status: int) -> None:
    answer = shop.acme.get(f"/api/connect/{path}", params={"crm": crm})
    assert answer.status_code == status, answer.text
    assert json.loads(answer.text)
