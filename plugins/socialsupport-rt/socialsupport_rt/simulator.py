"""RT's REST2 played in dictionaries, as far as the adapter uses it. Answers are shaped as a server 5.0.3 gave them."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_rt.adapter import RTSettings
from socialsupport_rt.native import NOBODY

SEARCHABLE = ("id", "Name", "EmailAddress", "RealName", "Organization")
"""Of users; conditions on other fields are passed over without a word, as a real server does."""


@dataclass
class Ticket:
    id: int
    subject: str
    links: list[str]
    requestors: list[str]
    status: str = "new"
    owner: str = NOBODY
    into: int | None = None


@dataclass
class Transaction:
    id: int
    ticket: int
    type: str
    creator: str
    created: datetime
    about: str = ""
    old: str = ""
    new: str = ""
    attachments: list["Stored"] = field(default_factory=list)


@dataclass
class Stored:
    id: int
    content_type: str
    file_name: str
    subject: str
    content: bytes


class Refused(Answered):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = httpx.Response(status, json={"message": message})


Handler = Callable[["RTSimulator", httpx.Request, tuple[str, ...]], httpx.Response]


class RTSimulator(AnsweringSimulator):
    network: ClassVar[str] = "rt"
    hosts: ClassVar[frozenset[str]] = frozenset({"rt.example"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = RTSettings.model_validate(settings, from_attributes=True)
        self.users: dict[str, dict[str, Any]] = {}
        self.tickets: dict[int, Ticket] = {}
        self.transactions: list[Transaction] = []
        self._last = 20
        for name in (NOBODY, self.own.user):
            self.add_user(name)

    # what people in RT do

    def add_user(self, name: str, **fields: str) -> str:
        known = {"RealName": "", "EmailAddress": "", "MobilePhone": "", "WorkPhone": "", "HomePhone": "", **fields}
        self.users[name] = {"Name": name, "Organization": "", "Disabled": "", "number": self._id(), **known}
        return name

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) answers in a ticket, by default the newest. `files`: name → content."""
        return self._said(person, "Correspond", text, place, **more)

    def note(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self._said(person, "Comment", text, place, **more)

    def _said(
        self,
        person: str,
        kind: str,
        text: str,
        place: str,
        html: bool = False,
        files: Mapping[str, bytes] | None = None,
    ) -> Said:
        if person not in self.users:
            self.add_user(person, RealName=person.capitalize())
        ticket = self._ticket(place or str(max(self.tickets)))
        done = self._done(ticket.id, kind, person)
        media_type = "text/html" if html else "text/plain"
        done.attachments.append(Stored(self._id(), media_type, "", "", text.encode()))
        for name, content in (files or {}).items():
            done.attachments.append(Stored(self._id(), "application/octet-stream", name, "", content))
        said = Said(str(done.id), str(ticket.id), str(ticket.id), person, text, self.clock())
        self.said.append(said)
        return said

    def change(self, person: str, ticket: str, **fields: str) -> None:
        """`Status`, `Owner` or `Subject`, by an agent."""
        if person not in self.users:
            self.add_user(person)
        self._set(self._ticket(ticket), person, fields)

    def merge(self, person: str, ticket: str, into: str) -> None:
        gone = self._ticket(ticket)
        gone.into = int(into)
        address = f"fsck.com-rt://example.com/ticket/{into}"
        for one in (gone.id, int(into)):
            self._done(one, "AddLink", person, "MergedInto", "", address)

    # its HTTP interface

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "Unauthorized").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != self._wanted():
            raise Refused(401, "Unauthorized")
        path = request.url.raw_path.decode().partition("?")[0]
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(f"/REST/2.0/{pattern}", path)):
                return handler(self, request, tuple(unquote(part) for part in match.groups()))
        raise Refused(404, "Not Found")

    def _wanted(self) -> str:
        if self.own.token is not None:
            return f"token {self.own.token.get_secret_value()}"
        assert self.own.password is not None
        pair = f"{self.own.user}:{self.own.password.get_secret_value()}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def _about(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"Version": "5.0.3", "Plugins": []})

    def _user(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        found = (one for one in self.users.values() if path[0] in (one["Name"], str(one["number"])))
        if (user := next(found, None)) is None:
            raise Refused(404, "Not Found")
        return httpx.Response(200, json={**user, "id": user["Name"]})

    def _users(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        shown = request.url.params.get("fields", "").split(",")
        searched = [one for one in _conditions(request) if one["field"] in SEARCHABLE]
        found = [user for user in self.users.values() if _fits(user, searched)]
        return _page(request, [{**{name: user[name] for name in shown}, "id": user["Name"]} for user in found])

    def _tickets(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        match = re.fullmatch(r"RefersTo = '([^']*)'", request.url.params.get("query", ""))
        if match is None:
            raise Refused(400, "the simulator knows no other TicketSQL")
        found = [one for one in self.tickets.values() if match[1] in one.links and one.status != "deleted"]
        return _page(request, [{"id": str(one.into or one.id), "type": "ticket"} for one in found])

    def _new_ticket(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)
        if given.get("Queue") != self.own.queue:
            raise Refused(403, f"No permission to create tickets in the queue '{given.get('Queue')}'")
        made = Ticket(self._id(), given["Subject"], [given["RefersTo"]], given.get("Requestor", []))
        self.tickets[made.id] = made
        self._done(made.id, "Create", self.own.user)
        return httpx.Response(201, json={"id": str(made.id), "type": "ticket"})

    def _get_ticket(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        one = self._ticket(path[0])
        shown = {
            "id": one.id,
            "Status": one.status,
            "Subject": one.subject,
            "Owner": {"type": "user", "id": one.owner},
            "LastUpdated": self._newest(one).created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return httpx.Response(200, json=shown, headers={"etag": self._etag(one)})

    def _put_ticket(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """An owner who may not be one is refused in words, with 200."""
        one, given = self._ticket(path[0]), json.loads(request.content)
        if request.headers.get("if-match", self._etag(one)) != self._etag(one):
            raise Refused(412, "Precondition Failed")
        if given.get("Owner", NOBODY) not in self.users:
            return httpx.Response(200, json=[f"Ticket {one.id}: That user does not exist"])
        return httpx.Response(200, json=self._set(one, self.own.user, given))

    def _set(self, one: Ticket, person: str, fields: Mapping[str, str]) -> list[str]:
        said = []
        for name, value in fields.items():
            before = getattr(one, name.lower())
            if before == value:
                continue
            setattr(one, name.lower(), value)
            old, new = (self._number(each) if name == "Owner" else each for each in (before, value))
            self._done(one.id, "Status" if name == "Status" else "Set", person, name, old, new)
            said.append(f"Ticket {one.id}: {name} changed from '{before}' to '{value}'")
        return said

    def _comment(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if int(path[0]) not in self.tickets:
            raise Refused(400, "Message could not be recorded")
        given, ticket = json.loads(request.content), self._ticket(path[0])
        if not given.get("Attachments") and not (given.get("Content") and given.get("ContentType")):
            raise Refused(400, "Content is a required field")
        done, files = self._done(ticket.id, "Comment", self.own.user), given.get("Attachments", [])
        kind = "multipart/mixed" if files else given["ContentType"]
        done.attachments.append(
            Stored(self._id(), kind, "", given.get("Subject", ""), given.get("Content", "").encode())
        )
        for file in files:
            content = base64.b64decode(file["FileContent"], validate=True)
            done.attachments.append(Stored(self._id(), file["FileType"], file["FileName"], "", content))
        return httpx.Response(201, json=["Comments added"])

    def _attachments(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        shown = request.url.params.get("fields", "").split(",")
        found = []
        for done in self.transactions:
            for one in done.attachments:
                known = {
                    "id": str(one.id),
                    "Subject": one.subject,
                    "TransactionId": str(done.id),
                    "ContentType": one.content_type,
                    "Filename": one.file_name,
                }
                if _fits(known, _conditions(request)):
                    found.append({name: known[name] for name in ("id", *shown)})
        return _page(request, found)

    def _attachment(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        stored = (one for done in self.transactions for one in done.attachments if str(one.id) == path[0])
        if (one := next(stored, None)) is None:
            raise Refused(404, "Not Found")
        coded = base64.encodebytes(one.content).decode()
        shown = {"id": one.id, "ContentType": one.content_type, "Filename": one.file_name, "Content": coded}
        return httpx.Response(200, json=shown)

    def _history(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        """By TransactionSQL as the adapter writes it, or by conditions."""
        found, fits = [], _fitting(request)
        for one in self.transactions:
            known = {
                "id": str(one.id),
                "Type": one.type,
                "Field": one.about,
                "OldValue": one.old,
                "NewValue": one.new,
                "Created": one.created.strftime("%Y-%m-%d %H:%M:%S"),
                "ObjectId": str(one.ticket),
                "ObjectType": "RT::Ticket",
            }
            if fits(known):
                creator = {"Name": one.creator, "RealName": self.users[one.creator]["RealName"], "type": "user"}
                created = one.created.strftime("%Y-%m-%dT%H:%M:%SZ")
                found.append({**known, "Created": created, "Creator": creator})
        return _page(request, found)

    # inside

    def _ticket(self, written: str) -> Ticket:
        one = self.tickets.get(int(written))
        if one is None:
            raise Refused(404, "Not Found")
        return self.tickets[one.into] if one.into else one

    def _newest(self, ticket: Ticket) -> Transaction:
        return max((one for one in self.transactions if one.ticket == ticket.id), key=lambda one: one.id)

    def _etag(self, ticket: Ticket) -> str:
        return f'"{self._newest(ticket).id}"'

    def _number(self, user: str) -> str:
        return str(self.users[user]["number"])

    def _done(self, ticket: int, kind: str, person: str, about: str = "", old: str = "", new: str = "") -> Transaction:
        done = Transaction(self._id(), ticket, kind, person, self.clock().astimezone(UTC), about, old, new)
        self.transactions.append(done)
        return done

    def _id(self) -> int:
        self._last += 1
        return self._last


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "rt"): RTSimulator._about,
    ("GET", "user/([^/]+)"): RTSimulator._user,
    ("GET", "users"): RTSimulator._users,
    ("GET", "tickets"): RTSimulator._tickets,
    ("POST", "ticket"): RTSimulator._new_ticket,
    ("GET", "ticket/([0-9]+)"): RTSimulator._get_ticket,
    ("PUT", "ticket/([0-9]+)"): RTSimulator._put_ticket,
    ("POST", "ticket/([0-9]+)/comment"): RTSimulator._comment,
    ("GET", "attachments"): RTSimulator._attachments,
    ("GET", "attachment/([0-9]+)"): RTSimulator._attachment,
    ("GET", "transactions"): RTSimulator._history,
}


def _fitting(request: httpx.Request) -> Callable[[Mapping[str, Any]], bool]:
    query = request.url.params["query"]
    if query.startswith("["):
        return lambda known: _fits(known, _conditions(request))
    match = re.fullmatch(r"ObjectType = 'RT::Ticket' AND id > ([0-9]+) AND \((Type = .*)\)", query)
    if match is None:
        raise Refused(400, "the simulator knows no other TransactionSQL")
    after, kinds = int(match[1]), re.findall(r"'(\w+)'", match[2])
    return lambda known: int(known["id"]) > after and known["Type"] in kinds


def _conditions(request: httpx.Request) -> list[dict[str, str]]:
    given: list[dict[str, str]] = json.loads(request.url.params["query"])
    return given


def _fits(known: Mapping[str, Any], conditions: list[dict[str, str]]) -> bool:
    return all(_is(str(known[one["field"]]), one.get("operator", "="), one["value"]) for one in conditions)


def _is(value: str, operator: str, wanted: str) -> bool:
    """Dates are compared as text; `=` of a database knows no case."""
    if operator == "<":
        return value < wanted
    if operator == "LIKE":
        return wanted.casefold() in value.casefold()
    return value.casefold() == wanted.casefold()


def _page(request: httpx.Request, items: list[dict[str, Any]]) -> httpx.Response:
    size = int(request.url.params.get("per_page", "20"))
    if request.url.params.get("order") == "DESC":
        items = items[::-1]
    pages = -(-len(items) // size)
    shown = {"items": items[:size], "total": len(items), "count": len(items[:size]), "page": 1, "pages": pages}
    return httpx.Response(200, json={**shown, "per_page": size})
