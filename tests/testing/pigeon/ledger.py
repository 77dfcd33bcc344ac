"""A helpdesk that exists only here, and its simulator."""

import json
from typing import Any, ClassVar
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    CRM,
    CaseRef,
    CaseSummary,
    Contact,
    Flow,
    Outcome,
    Ref,
    Settings,
)
from socialsupport_core.model import Blob, Identifier, Interaction, Party
from socialsupport_core.testing import Simulator

API = "https://ledger.example/api"


class LedgerSettings(Settings):
    token: SecretStr


class Ledger(CRM[LedgerSettings]):
    name = "ledger"
    settings_model: ClassVar[type[Settings]] = LedgerSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"ledger.example"})

    def ask(self, method: str, path: str, content: Any = None) -> httpx.Request:
        token = self.settings.token.get_secret_value()
        headers = {"authorization": f"Bearer {token}"}
        return httpx.Request(method, API + path, headers=headers, json=content)

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        found = []
        for identifier in party.identifiers:
            response = yield self.ask("GET", f"/people?mail={quote(identifier.value)}")
            found += [self.contact(person) for person in response.json()]
        return tuple(found)

    def contact(self, person: Any) -> Contact:
        mail = Identifier(kind="email", value=person["mail"])
        return Contact(id=person["id"], identifiers=(mail,), name=person["name"])

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        content = {"conversation": conversation.key, "subject": conversation.subject}
        opened = yield from self.once("/cases", conversation.key, content)
        return CaseRef(id=opened)

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        saved = yield from self.once(f"/cases/{case.id}/notes", key, {"key": key, "text": interaction.text})
        return Ref(id=saved)

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        saved = yield from self.once(f"/cases/{case.id}/files", key, {"key": key, "name": blob.name})
        return Ref(id=saved)

    def once(self, path: str, key: str, content: Any) -> Flow[str]:
        there = yield self.ask("GET", f"{path}?key={quote(key)}")
        for record in there.json():
            return str(record["id"])
        made = yield self.ask("POST", path, content)
        return str(made.json()["id"])

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield self.ask("PATCH", f"/cases/{case.id}", {"state": outcome})


class LedgerSimulator(Simulator):
    network = "ledger"
    hosts = frozenset({"ledger.example"})

    def __init__(self, settings: Settings, **given: Any) -> None:
        super().__init__(settings, **given)
        self.records: dict[str, list[dict[str, Any]]] = {"/api/people": [{"id": "p-1", "mail": "kerry@acme.example"}]}

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != "Bearer ledger-token-1":
            return self.expired(request)
        records = self.records.setdefault(request.url.path, [])
        if request.method == "GET":
            wanted = set(request.url.params.values())
            return httpx.Response(200, json=[record for record in records if wanted & set(record.values())])
        record = {**json.loads(request.read()), "id": f"{request.url.path.rsplit('/', 1)[-1]}-{len(records) + 1}"}
        records.append(record)
        return httpx.Response(200, json=record)
