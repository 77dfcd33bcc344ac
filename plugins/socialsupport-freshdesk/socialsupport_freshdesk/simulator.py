"""Freshdesk played in dictionaries, as far as the adapter uses it, by its documentation."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.forms import content_of
from socialsupport_core.testing.simulator import Said
from socialsupport_freshdesk.settings import FreshdeskSettings

US = 1
"""Our own agent."""


class Refused(Answered):
    def __init__(self, status: int, code: str, field: str | None = None) -> None:
        super().__init__(code)
        errors = [{"field": field, "message": code, "code": code}]
        content = {"description": "Validation failed", "errors": errors} if field else {"code": code, "message": code}
        self.response = httpx.Response(status, json=content)


Handler = Callable[["FreshdeskSimulator", httpx.Request, tuple[str, ...]], httpx.Response]


class FreshdeskSimulator(AnsweringSimulator):
    network: ClassVar[str] = "freshdesk"
    hosts: ClassVar[frozenset[str]] = frozenset({"acme.freshdesk.com", "cdn.freshdesk.com"})
    ahead: ClassVar[timedelta] = timedelta(seconds=10)
    """How far the clock of the answers is ahead of what happens: so what has just happened is polled at once."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = FreshdeskSettings.model_validate(settings, from_attributes=True)
        self.fields = [self.own.field]
        self.agents: dict[int, str] = {US: "The hub"}
        self.contacts: dict[int, dict[str, Any]] = {}
        self.tickets: dict[int, dict[str, Any]] = {}
        self.conversations: dict[int, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self._last = 1000

    # what people in Freshdesk do

    def add_contact(self, name: str, **fields: Any) -> int:
        """`email`, `other_emails`, `phone`, `mobile`, `unique_external_id`, `active`."""
        number = self._id()
        empty = {"email": None, "phone": None, "mobile": None, "unique_external_id": None, "active": False}
        self.contacts[number] = {"id": number, "name": name, **empty, "other_emails": [], **fields}
        return number

    def speak(
        self,
        person: str,
        text: str,
        place: str = "",
        *,
        private: bool = False,
        incoming: bool = False,
        source: int = 0,
        files: Mapping[str, bytes] | None = None,
        **_: Any,
    ) -> Said:
        """An agent (`person`) answers in a ticket, by default in the newest."""
        ticket = self.tickets[int(place or max(self.tickets))]
        stored = [self._stored(name, content) for name, content in (files or {}).items()]
        more = {"private": private, "incoming": incoming, "source": 2 if private else source, "attachments": stored}
        told = self._say(ticket, self._agent(person), f"<div>{text}</div>", **more)
        said = Said(str(told["id"]), str(ticket["id"]), str(ticket["id"]), person, text, self.clock())
        self.said.append(said)
        return said

    def change(self, place: str, **fields: Any) -> None:
        """`status` or `responder_id`, by an agent."""
        self._set(self.tickets[int(place)], **fields)

    def _agent(self, person: str) -> int:
        known = (number for number, name in self.agents.items() if name == person)
        number = next(known, None) or self._id()
        self.agents[number] = person
        return number

    # its HTTP interface

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "34"}, json={"message": "You have exceeded the limit"})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "invalid_credentials").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "cdn.freshdesk.com":
            return self._download(request)
        pair = f"{self.own.api_key.get_secret_value()}:X"
        if request.headers.get("authorization") != f"Basic {base64.b64encode(pair.encode()).decode()}":
            raise Refused(401, "invalid_credentials")
        path = request.url.path.removeprefix("/api/v2/")
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return handler(self, request, match.groups())
        raise Refused(404, "not_found")

    def _download(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.split("/")[-3]
        if name not in self.files:
            return httpx.Response(404)
        return httpx.Response(200, content=self.files[name], headers={"content-type": "text/plain"})

    def _me(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"id": US, "contact": {"name": self.agents[US], "email": "hub@acme.example"}})

    def _show_agent(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if int(path[0]) not in self.agents:
            raise Refused(404, "not_found")
        return httpx.Response(200, json={"id": int(path[0]), "contact": {"name": self.agents[int(path[0])]}})

    def _list_fields(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json=[{"id": 9, "name": name, "type": "custom_text"} for name in self.fields])

    def _list_contacts(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        ((name, value),) = request.url.params.items()
        found = [
            one
            for one in self.contacts.values()
            if value.casefold()
            in {str(each).casefold() for each in (one[name], *(one["other_emails"] if name == "email" else ()))}
        ]
        return httpx.Response(200, json=found)

    def _drop_contact(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if request.url.params.get("force") != "true":
            raise Refused(400, "invalid_user")
        if int(path[0]) not in self.contacts:
            raise Refused(404, "not_found")
        del self.contacts[int(path[0])]
        self.tickets = {number: one for number, one in self.tickets.items() if one["requester_id"] != int(path[0])}
        return httpx.Response(204)

    def _list_tickets(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        asked = dict(request.url.params.items())
        since, size, page = asked["updated_since"], int(asked["per_page"]), int(asked["page"])
        if size > 100 or page > 300:
            raise Refused(400, "invalid_value", "per_page" if size > 100 else "page")
        found = [one for one in self.tickets.values() if one["updated_at"] >= since and not one["deleted"]]
        if "requester_id" in asked:
            found = [one for one in found if str(one["requester_id"]) == asked["requester_id"]]
        if external := asked.get("unique_external_id"):
            found = [one for one in found if self._contact(one)["unique_external_id"] == external]
        found.sort(
            key=lambda one: str(one[asked.get("order_by", "created_at")]), reverse=asked.get("order_type") != "asc"
        )
        hidden = {"deleted"} if asked.get("include") == "stats" else {"deleted", "stats"}
        shown = [{name: value for name, value in one.items() if name not in hidden} for one in found]
        return httpx.Response(200, json=shown[(page - 1) * size : page * size])

    def _contact(self, ticket: Mapping[str, Any]) -> dict[str, Any]:
        return self.contacts[ticket["requester_id"]]

    def _new_ticket(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)
        for name in ("status", "priority", "subject", "description"):
            if not given.get(name):
                raise Refused(400, "missing_field", name)
        for name in given["custom_fields"]:
            if name not in self.fields:
                raise Refused(400, "invalid_field", name)
        number, now = self._id(), self._now()
        self.tickets[number] = {
            "id": number,
            "subject": given["subject"],
            "status": given["status"],
            "requester_id": given.get("requester_id") or self._requested(given),
            "responder_id": None,
            "custom_fields": given["custom_fields"],
            "tags": given["tags"],
            "created_at": now,
            "updated_at": now,
            "deleted": False,
            "stats": {"resolved_at": None, "closed_at": None, "reopened_at": None, "status_updated_at": now},
        }
        return self._shown(self.tickets[number], 201)

    def _requested(self, given: Mapping[str, Any]) -> int:
        known = (
            number for number, one in self.contacts.items() if one["unique_external_id"] == given["unique_external_id"]
        )
        found = next(known, None)
        return found or self.add_contact(given["name"], unique_external_id=given["unique_external_id"])

    def _shown(self, ticket: Mapping[str, Any], status: int = 200) -> httpx.Response:
        hidden = {"stats"} if ticket["deleted"] else {"stats", "deleted"}
        return httpx.Response(status, json={name: value for name, value in ticket.items() if name not in hidden})

    def _get_ticket(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        return self._shown(self._ticket(path[0]))

    def _put_ticket(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        ticket, given = self._alive(path[0]), json.loads(request.content)
        self._set(ticket, **given)
        return self._shown(ticket)

    def _delete_ticket(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        self._alive(path[0])["deleted"] = True
        return httpx.Response(204)

    def _list_conversations(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        ticket, asked = self._ticket(path[0])["id"], request.url.params
        begin = (int(asked["page"]) - 1) * int(asked["per_page"])
        mine = [one for one in self.conversations.values() if one["ticket_id"] == ticket]
        return httpx.Response(200, json=mine[begin : begin + int(asked["per_page"])])

    def _new_note(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        ticket = self._alive(path[0])
        given, files = content_of(request)
        stored = [self._stored(name, content) for name, content in files]
        private = str(given.get("private", True)).lower() == "true"
        made = self._say(ticket, US, given["body"], private=private, incoming=False, source=2, attachments=stored)
        return httpx.Response(201, json=made)

    def _put_conversation(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if int(path[0]) not in self.conversations:
            raise Refused(404, "not_found")
        told, content = self.conversations[int(path[0])], json.loads(request.content)["body"]
        told.update(body=content, body_text=_text(content), updated_at=self._now())
        return httpx.Response(200, json=told)

    def _delete_conversation(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if self.conversations.pop(int(path[0]), None) is None:
            raise Refused(404, "not_found")
        return httpx.Response(204)

    # inside

    def _ticket(self, number: str) -> dict[str, Any]:
        if int(number) not in self.tickets:
            raise Refused(404, "not_found")
        return self.tickets[int(number)]

    def _alive(self, number: str) -> dict[str, Any]:
        if (ticket := self._ticket(number))["deleted"]:
            raise Refused(405, "method_not_allowed")
        return ticket

    def _set(self, ticket: dict[str, Any], **fields: Any) -> None:
        before, now = ticket["status"], self._now()
        ticket["custom_fields"] = ticket["custom_fields"] | fields.pop("custom_fields", {})
        ticket.update(fields, updated_at=now)
        if (after := ticket["status"]) != before:
            done = {"resolved_at": now if after in (4, 5) else None, "closed_at": now if after == 5 else None}
            again = now if before in (4, 5) and after not in (4, 5) else ticket["stats"]["reopened_at"]
            ticket["stats"] = {**done, "reopened_at": again, "status_updated_at": now}

    def _say(self, ticket: dict[str, Any], author: int, body: str, **more: Any) -> dict[str, Any]:
        now = self._now()
        made = {"id": self._id(), "ticket_id": ticket["id"], "user_id": author, "created_at": now, "updated_at": now}
        told = {**made, "body": body, "body_text": _text(body), **more}
        self.conversations[told["id"]] = told
        ticket["updated_at"] = now
        return told

    def _stored(self, name: str, content: bytes) -> dict[str, Any]:
        number = self._id()
        self.files[str(number)] = content
        address = f"https://cdn.freshdesk.com/data/helpdesk/attachments/production/{number}/original/{name}"
        more = {"name": name, "content_type": "text/plain", "size": len(content)}
        return {"id": number, "attachment_url": address, **more}

    def _now(self) -> str:
        now: datetime = self.clock().astimezone(UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _id(self) -> int:
        self._last += 1
        return self._last


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "agents/me"): FreshdeskSimulator._me,
    ("GET", "agents/([0-9]+)"): FreshdeskSimulator._show_agent,
    ("GET", "ticket_fields"): FreshdeskSimulator._list_fields,
    ("GET", "contacts"): FreshdeskSimulator._list_contacts,
    ("DELETE", "contacts/([0-9]+)/hard_delete"): FreshdeskSimulator._drop_contact,
    ("GET", "tickets"): FreshdeskSimulator._list_tickets,
    ("POST", "tickets"): FreshdeskSimulator._new_ticket,
    ("GET", "tickets/([0-9]+)"): FreshdeskSimulator._get_ticket,
    ("PUT", "tickets/([0-9]+)"): FreshdeskSimulator._put_ticket,
    ("DELETE", "tickets/([0-9]+)"): FreshdeskSimulator._delete_ticket,
    ("GET", "tickets/([0-9]+)/conversations"): FreshdeskSimulator._list_conversations,
    ("POST", "tickets/([0-9]+)/notes"): FreshdeskSimulator._new_note,
    ("PUT", "conversations/([0-9]+)"): FreshdeskSimulator._put_conversation,
    ("DELETE", "conversations/([0-9]+)"): FreshdeskSimulator._delete_conversation,
}


def _text(content: str) -> str:
    return unescape(re.sub("<[^>]*>", " ", content)).strip()
