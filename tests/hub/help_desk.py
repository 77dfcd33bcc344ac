"""A CRM that exists only here, and a shop that is connected to it."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx
from pydantic import Field, TypeAdapter
from raven import Clock, Roost, Sky, message
from raven.connector import RavenSettings

from socialsupport_core.contract import (
    CRM,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    Conflict,
    Contact,
    CRMEvent,
    DeliveryError,
    Flow,
    Ref,
    Settings,
    from_response,
    hookimpl,
)
from socialsupport_core.model import Attachment, Blob, Facts, Interaction, Page, Party, Payload
from socialsupport_core.testing import Network, Simulator

API = "https://desk.example"
EVENTS: TypeAdapter[list[CRMEvent]] = TypeAdapter(list[Annotated[CRMEvent, Field(discriminator="type")]])


class Desk(CRM[Settings]):
    """Its payloads are our own events as JSON; its calls name the verb."""

    name = "desk"
    settings_model = Settings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"desk.example"})

    def call(self, verb: str, **given: Any) -> Flow[Any]:
        return (yield httpx.Request("POST", f"{API}/{verb}", json=given)).json()

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        found = yield from self.call("find", who=[str(one) for one in party.identifiers])
        return tuple(Contact.model_validate_json(json.dumps(one)) for one in found)

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        return CaseRef(**(yield from self.call("open", key=conversation.key, name=conversation.party.name)))

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        told = {"text": interaction.text, "direction": interaction.direction}
        return Ref(id=(yield from self.call("save", case=case.id, key=key, **told)))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield from self.call("remove", case=case.id, record=record.id)

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        told = {"text": blob.content.decode(), "direction": f"file {blob.name}"}
        return Ref(id=(yield from self.call("save", case=case.id, key=key, **told)))

    def close_case(self, case: CaseRef, outcome: Any) -> Flow[None]:
        yield from self.call("change", case=case.id, status="closed", version=case.version)

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self.call("change", case=case.id, status="open", version=case.version)

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        yield from self.call("change", case=case.id, assignee=fields.assignee, version=case.version)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        return CaseState.model_validate_json(json.dumps((yield from self.call("read", case=case.id))))

    def probe(self) -> Flow[Facts]:
        return Facts(own_account=(yield from self.call("whoami")))

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        content = yield httpx.Request("GET", f"{API}/files/{attachment.native_id}")
        return Blob(content=content.content, media_type="text/plain", name="list.txt")

    def poll(self, cursor: str | None) -> Flow[Page]:
        told = yield httpx.Request("POST", f"{API}/news", json={"after": int(cursor or "0")})
        news = told.json()
        body = json.dumps(news["events"]).encode()
        payload = Payload(source="poll", body=body, received_at=datetime.fromisoformat("2026-03-01T12:00:00+00:00"))
        return Page(payloads=(payload,) if news["events"] else (), cursor=str(news["cursor"]))

    def verify(self, payload: Payload) -> None:
        return None

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        if payload.body == b"boom":
            raise RuntimeError("a mistake of the adapter")
        return EVENTS.validate_json(payload.body)

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return Conflict("changed meanwhile") if response.status_code == 412 else from_response(response)


class Office(Simulator):
    network = "desk"
    hosts = frozenset({"desk.example"})

    def __init__(self, clock: Clock) -> None:
        super().__init__(RavenSettings(), clock=clock)
        self.contacts: list[Contact] = []
        self.cases: dict[str, dict[str, Any]] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.news: list[CRMEvent] = []
        self.asked: list[str] = []
        self.behind = timedelta()
        """By so much its clock is late."""
        self.files = {"f-1": b"the list"}

    def told(self, case: str = "case-1") -> list[str]:
        return [f"{one['direction']}: {one['text']}" for one in self.records.values() if one["case"] == case]

    def respond(self, request: httpx.Request) -> httpx.Response:
        verb, _, rest = request.url.path.removeprefix("/").partition("/")
        self.asked.append(verb)
        if verb == "files":
            return httpx.Response(200, content=self.files[rest]) if rest in self.files else httpx.Response(404)
        return getattr(self, f"_{verb}")(**json.loads(request.read()))

    def _whoami(self) -> httpx.Response:
        return httpx.Response(200, json="us")

    def _find(self, who: list[str]) -> httpx.Response:
        found = [one for one in self.contacts if {str(each) for each in one.identifiers} & set(who)]
        return httpx.Response(200, json=[one.model_dump(mode="json") for one in found])

    def _open(self, key: str, name: str) -> httpx.Response:
        known = next((id for id, case in self.cases.items() if case["key"] == key), None)
        id = known or f"case-{len(self.cases) + 1}"
        fresh = {"key": key, "name": name, "status": "open", "assignee": "", "version": 1, "gone": False, "at": None}
        self.cases.setdefault(id, fresh)
        return httpx.Response(200, json={"id": id, "url": f"{API}/cases/{id}"})

    def _save(self, case: str, key: str, text: str, direction: str) -> httpx.Response:
        if self.cases[case]["gone"]:
            return httpx.Response(404)
        self.records[key] = {"case": case, "text": text, "direction": direction}
        return httpx.Response(200, json=key)

    def _remove(self, case: str, record: str) -> httpx.Response:
        self.records.pop(record, None)
        return httpx.Response(200, json={})

    def _change(self, case: str, version: str | None, **fields: Any) -> httpx.Response:
        if version is not None and version != str(self.cases[case]["version"]):
            return httpx.Response(412)
        self.change(case, **fields)
        return httpx.Response(200, json={})

    def change(self, case: str, **fields: Any) -> None:
        known = self.cases[case]
        known |= {"version": known["version"] + 1, "at": (self.clock() - self.behind).isoformat(), **fields}

    def _read(self, case: str) -> httpx.Response:
        known = self.cases[case]
        shown = {name: known[name] for name in ("status", "assignee", "at")}
        return httpx.Response(200, json=shown | {"version": str(known["version"])})

    def _news(self, after: int) -> httpx.Response:
        events = [json.loads(one.to_json()) for one in self.news[after:]]
        return httpx.Response(200, json={"events": events, "cursor": len(self.news)})


class Shop(Roost):
    def __init__(self, folder: Path, store: str | Path) -> None:
        clock = Clock()
        self.office, sky = Office(clock), Sky(clock=clock)

        self.adapters: tuple[type[CRM[Any]], ...] = (Desk,)
        transport = Network([sky, self.office]).transport()
        super().__init__(folder, store=store, clock=clock, sky=sky, transport=transport)
        self.door = self.hub.add_crm("acme", "desk", "desk", {}).rsplit("/", 1)[1]

    def open(self, *connectors: Any, **hooks: Any) -> Any:
        @hookimpl
        def socialsupport_crms() -> Sequence[type[CRM[Any]]]:
            return self.adapters

        return super().open(*connectors, socialsupport_crms=socialsupport_crms, **hooks)

    def restart(self, *adapters: type[CRM[Any]]) -> None:
        """With these CRM adapters and no others."""
        self.adapters = adapters
        self.reopen()

    def say(self, number: int, text: str, author: str = "kerry", **more: Any) -> None:
        self.hear(message(number, text, author, at=self.clock.now, **more))

    def happens(self, *events: CRMEvent, body: bytes | None = None) -> None:
        """In the CRM, told by its webhook."""
        told = body or json.dumps([json.loads(one.to_json()) for one in events]).encode()
        self.hub.receive(self.door, Payload(body=told, received_at=self.clock())).result()
        self.hub.drain()

    def replied(self, id: str, text: str, **more: Any) -> AgentReplied:
        return AgentReplied(id=id, case="case-1", agent="max", text=text, at=self.clock.now, **more)

    def changed(self, id: str, **fields: Any) -> CaseChanged:
        return CaseChanged(id=id, case="case-1", fields=CaseFields(**fields), at=self.clock.now)

    def status(self) -> str:
        return str(self.hub.conversation("acme", self.conversation())["status"])

    def assignee(self) -> str | None:
        found: str | None = self.hub.conversation("acme", self.conversation()).get("assignee")
        return found
