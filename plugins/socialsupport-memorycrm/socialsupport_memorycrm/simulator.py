"""The CRM itself: contacts, cases and what agents do, in dictionaries, behind its HTTP interface."""

import email.policy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_memorycrm.adapter import MemorySettings, sign

PAGE = 50
"""Contacts or changes on one page."""
OUTCOMES = ("resolved", "superseded", "abandoned")


@dataclass
class StoredContact:
    id: str
    name: str
    identifiers: dict[str, bool]
    """`kind:value` → verified."""
    fields: dict[str, str]

    def shown(self) -> dict[str, Any]:
        identifiers = [{"value": value, "verified": proven} for value, proven in self.identifiers.items()]
        fields = [{"name": name, "value": value} for name, value in self.fields.items()]
        return {"id": self.id, "name": self.name, "identifiers": identifiers, "fields": fields}


@dataclass
class StoredCase:
    id: str
    external_id: str
    contact: str | None
    subject: str
    status: str = "open"
    outcome: str | None = None
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By external id."""
    attachments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By idempotency key."""


class Refused(Answered):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.response = httpx.Response(status, json={"error": {"code": code, "message": message}})


Handler = Callable[["MemoryCRMServer", httpx.Request, tuple[str, ...]], httpx.Response]


class MemoryCRMServer(AnsweringSimulator):
    network: ClassVar[str] = "memory"
    hosts: ClassVar[frozenset[str]] = frozenset({"crm.example"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = MemorySettings.model_validate(settings, from_attributes=True)
        self.contacts: dict[str, StoredContact] = {}
        self.erased: set[str] = set()
        self.cases: dict[str, StoredCase] = {}
        self.changes: list[dict[str, Any]] = []
        self._last = 0

    # what people in the CRM do

    def add_contact(self, name: str, identifiers: Mapping[str, bool], **fields: str) -> StoredContact:
        """`identifiers`: `kind:value` → whether it is verified; `fields` such as plan and account_number."""
        contact = StoredContact(self._id("contact"), name, dict(identifiers), dict(fields))
        self.contacts[contact.id] = contact
        return contact

    def change_contact(self, contact: str, identifiers: Mapping[str, bool] | None = None, **fields: str) -> None:
        stored = self.contacts[contact]
        stored.identifiers.update(identifiers or {})
        stored.fields.update(fields)
        self._changed("contact.updated", contact=stored.shown())

    def reply(self, case: str, agent: str, text: str) -> Said:
        self._changed("case.replied", case=self.cases[case].id, agent={"name": agent}, text=text)
        said = Said(self.changes[-1]["id"], case, case, agent, text, self.clock())
        self.said.append(said)
        return said

    def close(self, case: str) -> None:
        self.cases[case].status = "closed"
        self._changed("case.closed", case=case)

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) replies in a case (`place`), by default the newest."""
        return self.reply(place or next(reversed(self.cases)), person, text)

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated webhook carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        signed_at = str(int(self.clock().timestamp()))
        signature = f"t={signed_at},v1={sign(self.own.webhook_secret, signed_at, body)}"
        headers = (("content-type", "application/json"), ("x-crm-signature", signature))
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    def everything(self) -> str:
        """All that is stored, as text: to look for what should be gone."""
        cases = [asdict(case) for case in self.cases.values()]
        return json.dumps([[one.shown() for one in self.contacts.values()], cases, self.changes], default=str)

    # its HTTP interface

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "token_expired", "the token has expired").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Bearer {self.own.token.get_secret_value()}":
            raise Refused(401, "token_invalid", "no valid token")
        path = request.url.raw_path.decode().partition("?")[0]
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return handler(self, request, tuple(unquote(part) for part in match.groups()))
        raise Refused(404, "no_such_address", f"{request.method} {path}")

    def _account(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"id": "account-1", "name": "Acme"})

    def _find(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        wanted = set(request.url.params.get_list("identifier"))
        if not wanted:
            raise Refused(422, "identifier_missing", "say whom you look for")
        found = [one.shown() for one in self.contacts.values() if wanted & one.identifiers.keys()]
        begin = _number(request.url.params.get("cursor", "0"))
        end = begin + PAGE
        following = str(end) if end < len(found) else None
        return httpx.Response(200, json={"contacts": found[begin:end], "next": following})

    def _put_case(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = _object(request, "external_id", "customer", "subject", "opened_at")
        if given.get("contact") and given["contact"] not in self.contacts:
            raise Refused(422, "contact_unknown", "no such contact")
        known = (case for case in self.cases.values() if case.external_id == given["external_id"])
        if case := next(known, None):
            return httpx.Response(200, json=_address(case))
        case = StoredCase(self._id("case"), given["external_id"], given.get("contact"), given["subject"])
        self.cases[case.id] = case
        return httpx.Response(201, json=_address(case))

    def _put_entry(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        case = self._case(path[0])
        given = _object(request, "external_id", "network", "direction", "author", "sent_at")
        known = case.entries.get(given["external_id"])
        entry = {**given, "id": known["id"] if known else self._id("entry")}
        case.entries[given["external_id"]] = entry
        return httpx.Response(200 if known else 201, json={"id": entry["id"]})

    def _post_attachment(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        case, key = self._case(path[0]), request.headers.get("idempotency-key", "")
        if not key:
            raise Refused(400, "key_missing", "send an Idempotency-Key")
        if key not in case.attachments:
            case.attachments[key] = {"id": self._id("attachment"), **_file(request)}
        return httpx.Response(201, json={"id": case.attachments[key]["id"]})

    def _patch_case(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        case, given = self._case(path[0]), _object(request, "status")
        if given["status"] != "closed" or given.get("outcome") not in OUTCOMES:
            raise Refused(422, "status_unknown", "a case can be closed with one of the outcomes")
        case.status, case.outcome = "closed", given["outcome"]
        return httpx.Response(200, json=_address(case))

    def _delete_contact(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """With their cases and every change that tells of them; the id remains, so that it stays gone."""
        contact = path[0]
        if contact in self.erased:
            raise Refused(410, "contact_erased", "erased before")
        if contact not in self.contacts:
            raise Refused(404, "contact_unknown", "no such contact")
        del self.contacts[contact]
        self.erased.add(contact)
        gone = {case.id for case in self.cases.values() if case.contact == contact}
        self.cases = {name: case for name, case in self.cases.items() if name not in gone}
        self.changes = [one for one in self.changes if not _tells_of(one, contact, gone)]
        return httpx.Response(204)

    def _list_changes(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        after = _number(request.url.params.get("after", "0"))
        news = [change for change in self.changes if change["sequence"] > after]
        page = news[:PAGE]
        cursor = str(page[-1]["sequence"] if page else after)
        return httpx.Response(200, json={"changes": page, "cursor": cursor, "more": len(news) > PAGE})

    # inside

    def _case(self, name: str) -> StoredCase:
        if name not in self.cases:
            raise Refused(404, "case_unknown", "no such case")
        return self.cases[name]

    def _changed(self, kind: str, **content: Any) -> None:
        name = self._id("change")
        at = self.clock().isoformat()
        change = {"id": name, "sequence": self._last, "type": kind, "at": at, **content}
        self.changes.append(change)
        self.emit(self.signed(json.dumps(change).encode()))

    def _id(self, kind: str) -> str:
        self._last += 1
        return f"{kind}-{self._last}"


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/v1/account"): MemoryCRMServer._account,
    ("GET", "/v1/contacts"): MemoryCRMServer._find,
    ("DELETE", "/v1/contacts/([^/]+)"): MemoryCRMServer._delete_contact,
    ("PUT", "/v1/cases"): MemoryCRMServer._put_case,
    ("PATCH", "/v1/cases/([^/]+)"): MemoryCRMServer._patch_case,
    ("PUT", "/v1/cases/([^/]+)/entries"): MemoryCRMServer._put_entry,
    ("POST", "/v1/cases/([^/]+)/attachments"): MemoryCRMServer._post_attachment,
    ("GET", "/v1/changes"): MemoryCRMServer._list_changes,
}


def _address(case: StoredCase) -> dict[str, str]:
    return {"id": case.id, "url": f"https://crm.example/cases/{case.id}", "status": case.status}


def _object(request: httpx.Request, *needed: str) -> dict[str, Any]:
    try:
        given = json.loads(request.content)
    except ValueError:
        raise Refused(400, "not_json", "the body is not JSON") from None
    missing = [name for name in needed if not isinstance(given, dict) or not given.get(name)]
    if missing:
        raise Refused(422, "field_missing", f"missing: {', '.join(missing)}")
    return dict(given)


def _file(request: httpx.Request) -> dict[str, Any]:
    """The form's field `file`; a multipart form is a MIME message without its first header."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + request.read())
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "file":
            content = part.get_payload(decode=True)
            return {"name": part.get_filename(), "media_type": part.get_content_type(), "content": content}
    raise Refused(422, "file_missing", "the form has no field named file")


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit()):
        raise Refused(422, "cursor_unknown", "that is no cursor of ours")
    return int(written)


def _tells_of(change: dict[str, Any], contact: str, cases: set[str]) -> bool:
    about = change.get("contact")
    return change.get("case") in cases or (isinstance(about, dict) and about["id"] == contact)
