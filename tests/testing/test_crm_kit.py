"""The CRM kit: content with the ledger, and hard on each way to get it wrong."""

from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest
from pigeon.ledger import Ledger, LedgerSimulator
from signing import golden, write_package

from socialsupport_core.contract import CaseRef, CaseSummary, Contact, Flow, Outcome
from socialsupport_core.model import Identifier, Party
from socialsupport_core.testing import CRMConformance
from socialsupport_core.testing.check import check_crm


class TestLedger(CRMConformance):
    crm = Ledger
    simulator = LedgerSimulator


class ANewCaseEveryTime(Ledger):
    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        made = yield self.ask("POST", "/cases", {"conversation": conversation.conversation})
        return CaseRef(id=made.json()["id"])


class OneCaseForAll(Ledger):
    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        return (yield from super().open_case(conversation.model_copy(update={"conversation": "all"})))


class ARecordEveryTime(Ledger):
    def once(self, path: str, key: str, content: Any) -> Flow[str]:
        made = yield self.ask("POST", path, content)
        return str(made.json()["id"])


class LookingMakesSomebody(Ledger):
    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        found = yield from super().find_customers(party)
        for identifier in () if found else party.identifiers:
            yield self.ask("POST", "/people", {"mail": identifier.value, "name": party.name})
        return found


class EverybodyIsFound(Ledger):
    def contact(self, person: Any) -> Contact:
        return Contact(id=person["id"], identifiers=(Identifier(kind="ledger.person", value=person["id"]),))


class ClosingAgainIsAnError(Ledger):
    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield self.ask("PATCH", f"/cases/{case.id}", {"state": outcome})
        raise KeyError("closed")


class TheTokenIsInTheAddress(Ledger):
    def ask(self, method: str, path: str, content: Any = None) -> httpx.Request:
        request = super().ask(method, path, content)
        token = self.settings.token.get_secret_value()
        return httpx.Request(method, request.url.copy_merge_params({"token": token}), headers=request.headers)


class RefusalsAreOverlooked(Ledger):
    def failure(self, response: httpx.Response) -> None:
        return None


class NothingIsClosed(Ledger):
    close_case = Ledger.__mro__[1].close_case  # type: ignore[assignment]


MUTANTS = [
    ("a_conversation_is_one_case", ANewCaseEveryTime),
    ("a_conversation_is_one_case", OneCaseForAll),
    ("a_key_is_one_record", ARecordEveryTime),
    ("an_attachment_is_one_record", ARecordEveryTime),
    ("looking_makes_nobody", LookingMakesSomebody),
    ("call_cases", EverybodyIsFound),
    ("closing_twice_is_closing_once", ClosingAgainIsAnError),
    ("secrets_stay_out_of_addresses", TheTokenIsInTheAddress),
    ("every_status_is_a_decision", RefusalsAreOverlooked),
    ("every_verb_has_a_case", NothingIsClosed),
]


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_mutant_is_killed(name: str, mutant: type[Ledger]) -> None:
    report = check_crm(mutant, LedgerSimulator, only=[name])
    assert {result.name for result in report.failed} == {name}


def test_without_a_simulator_the_report_says_what_was_not_tried() -> None:
    report = check_crm(Ledger)
    assert report.passed
    untried = {result.name for result in report.skipped if "no simulator" in result.message}
    assert untried >= {"a_conversation_is_one_case", "a_key_is_one_record", "looking_makes_nobody"}


# an adapter at which an operator signs in

SIGNED_IN = """
import httpx
from pigeon.ledger import API, Ledger
from socialsupport_core.model import Credentials


class Bank(Ledger):
    name = "ledger"

    def ask(self, method, path, content=None):
        return httpx.Request(method, API + path, json=content)

    def authorize_with(self, request, credentials, now, nonce):
        if credentials and request.url.path != "/api/token":
            request.headers["authorization"] = f"Bearer {credentials.access_token.get_secret_value()}"
        return request

    def refresh(self, credentials):
        if credentials.refresh_token is None:
            return credentials
        answer = yield self.ask("POST", "/token", {"old": credentials.refresh_token.get_secret_value()})
        new = answer.json()
        return Credentials(access_token=new["access_token"], refresh_token=credentials.refresh_token)


class Forgetful(Bank):
    def authorize_with(self, request, credentials, now, nonce):
        request.headers["authorization"] = "Bearer ledger-token-1"
        return request
"""
TOKEN = {"access_token": "ledger-token-1", "refresh_token": "ledger-refresh-1"}
REFRESH = {
    "name": "a new token",
    "source": "the ledger's own handbook (2026-03)",
    "call": "refresh",
    "arguments": {"credentials": TOKEN},
    "exchange": [
        {
            "request": {
                "method": "POST",
                "url": "https://ledger.example/api/token",
                "json": {"old": "ledger-refresh-1"},
            },
            "response": {"json": {"access_token": "ledger-token-2"}},
        }
    ],
    "result": {**TOKEN, "access_token": "ledger-token-2"},
}


def test_an_adapter_that_signs_in_is_checked_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verbs, settings = golden("ledger/verbs.json"), golden("ledger/settings.json")
    shared = {"settings.json": settings, "credentials.json": TOKEN, "verbs.json": verbs}
    write_package(tmp_path / "bank", SIGNED_IN, {**shared, "refresh.json": REFRESH})
    write_package(tmp_path / "poor_bank", SIGNED_IN, shared)
    monkeypatch.syspath_prepend(tmp_path)
    report = check_crm(import_module("bank").Bank, LedgerSimulator)
    assert report.failed == ()
    assert "refreshed_credentials_are_used" in {one.name for one in report.results if one.outcome == "passed"}
    ignored = check_crm(import_module("bank").Forgetful, LedgerSimulator, only=["refreshed_credentials_are_used"])
    assert "must use the `credentials`" in ignored.failed[0].message
    untold = check_crm(import_module("poor_bank").Bank, LedgerSimulator, only=["every_verb_has_a_case"])
    assert 'refresh is overridden, and no case has "call": "refresh"' in untold.failed[0].message
