"""Zammad's REST interface played in dictionaries, as far as the adapter uses it, after its documentation."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_zammad.native import NOBODY, NOBODY_ID, STATES
from socialsupport_zammad.polling import stamp
from socialsupport_zammad.settings import SIGNATURE, ZammadSettings, sign

US = 2
DELETABLE = timedelta(minutes=10)
"""So long an own note can be deleted (`ui_ticket_zoom_article_delete_timeframe` of https://github.com/zammad/zammad,
2026-11)."""
Record = dict[str, Any]


class Refused(Answered):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = httpx.Response(status, json={"error": message, "error_human": message})


Handler = Callable[["ZammadSimulator", httpx.Request, tuple[int, ...]], httpx.Response]


class ZammadSimulator(AnsweringSimulator):
    network: ClassVar[str] = "zammad"
    hosts: ClassVar[frozenset[str]] = frozenset({"zammad.example"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = ZammadSettings.model_validate(settings, from_attributes=True)
        self.users: dict[int, Record] = {}
        self.tickets: dict[int, Record] = {}
        self.articles: dict[int, Record] = {}
        self.files: dict[int, bytes] = {}
        self.tasks: list[Record] = []
        self.hooks: list[Record] = []
        self.triggers: list[Record] = []
        self._last = NOBODY_ID - 1
        self.add_user(NOBODY, firstname=NOBODY)
        self.add_user("socialsupport@acme.example", firstname="The", lastname="hub")

    # what people do there

    def add_user(self, login: str, **fields: str) -> int:
        known = {"firstname": "", "lastname": "", "email": login if "@" in login else "", "phone": "", "mobile": ""}
        number = self._number()
        self.users[number] = {"id": number, "login": login, "active": True, **known, **fields}
        return number

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) writes a public note, by default in the newest ticket. `files`: name → content."""
        return self._said(person, text, place, **more)

    def note(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self._said(person, text, place, internal=True, **more)

    def _said(self, person: str, text: str, place: str, files: Mapping[str, bytes] | None = None, **more: Any) -> Said:
        ticket = self._ticket(int(place or max(self.tickets)))
        coded = [
            {"filename": name, "data": base64.b64encode(content).decode(), "mime-type": "text/plain"}
            for name, content in (files or {}).items()
        ]
        given = {"body": text, "content_type": "text/html", "type": "note", "internal": False, **more}
        one = self._write(ticket, {**given, "attachments": coded}, self._agent(person))
        self._tell(ticket, one)
        said = Said(str(one["id"]), str(ticket["id"]), str(ticket["id"]), person, text, self.clock())
        self.said.append(said)
        return said

    def change(self, person: str, ticket: str, **fields: Any) -> None:
        """`state`, `owner` or `title`, by an agent."""
        one = self._ticket(int(ticket))
        one |= fields
        self._touch(one, self._agent(person))
        self._tell(one, None)

    def _agent(self, person: str) -> int:
        found = (one["id"] for one in self.users.values() if one["login"] == person)
        return next(found, 0) or self.add_user(person, firstname=person.capitalize())

    def _tell(self, ticket: Record, article: Record | None) -> None:
        """As the trigger calls the webhook: with whole people in place of logins."""
        secret = self.own.webhook_secret
        if secret is None:
            return
        people = {name: self._person(ticket[name]) for name in ("owner", "created_by", "updated_by", "customer")}
        told = {"ticket": {**ticket, **people}, "article": {}}
        if article is not None:
            told["article"] = {**article, "created_by": self._person(article["created_by"])}
        body = json.dumps(told).encode()
        proof = ((SIGNATURE, sign(secret, body)), ("x-zammad-delivery", f"delivery-{self._number()}"))
        headers = (("content-type", "application/json; charset=utf-8"), *proof)
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))

    def _person(self, login: str) -> Record:
        return next(one for one in self.users.values() if one["login"] == login)

    # its HTTP interface

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "Invalid token").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Token token={self.own.token.get_secret_value()}":
            raise Refused(401, "Invalid token")
        path = request.url.path.removeprefix(httpx.URL(self.own.base_url).path.rstrip("/"))
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(f"/api/v1/{pattern}", path)):
                return handler(self, request, tuple(int(part) for part in match.groups()))
        raise Refused(404, f"No route matches [{request.method}] {path}")

    def _me(self, _: httpx.Request, __: tuple[int, ...]) -> httpx.Response:
        return httpx.Response(200, json=self.users[US])

    def _user(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        if path[0] not in self.users:
            raise Refused(404, f"Couldn't find User with 'id'={path[0]}")
        return httpx.Response(200, json=self.users[path[0]])

    def _users(self, request: httpx.Request, _: tuple[int, ...]) -> httpx.Response:
        """Finds too much: everybody with one of the words."""
        words = re.findall(r"\w+", request.url.params["query"].casefold())
        shown = [one for one in self.users.values() if any(word in json.dumps(one).casefold() for word in words)]
        return httpx.Response(200, json=shown[: int(request.url.params["limit"])])

    def _search(self, request: httpx.Request, _: tuple[int, ...]) -> httpx.Response:
        asked = request.url.params
        if "query" in asked:
            raise Refused(500, "the simulator's search index knows nothing yet")
        found = [one for one in self.tickets.values() if all(_fits(one, *each) for each in _conditions(asked))]
        found.sort(key=lambda one: (one[asked.get("sort_by", "updated_at")], one["id"]))
        size, page = int(asked.get("per_page", "50")), int(asked.get("page", "1"))
        return httpx.Response(200, json=found[(page - 1) * size : page * size])

    def _new_ticket(self, request: httpx.Request, _: tuple[int, ...]) -> httpx.Response:
        given = json.loads(request.content)
        if given.get("group") != self.own.group or not given.get("title"):
            raise Refused(422, "Group is required")
        customer = given.get("customer_id")
        if isinstance(customer, str):
            mail = customer.removeprefix("guess:")
            customer = next((one["id"] for one in self.users.values() if one["email"] == mail), None)
            customer = customer or self.add_user(mail)
        if customer not in self.users:
            raise Refused(422, "Customer is required")
        made = {
            "id": self._number(),
            "title": given["title"],
            "group": given["group"],
            "customer_id": customer,
            "customer": self.users[customer]["login"],
            "state": "new",
            "owner": NOBODY,
            "tags": given.get("tags", "").split(","),
            "created_by": self.users[US]["login"],
            "created_at": self._now(),
        }
        self.tickets[made["id"]] = made
        self._write(made, given["article"], US)
        return httpx.Response(201, json=made)

    def _get_ticket(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        return httpx.Response(200, json=self._ticket(path[0]))

    def _put_ticket(self, request: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        ticket, given = self._ticket(path[0]), json.loads(request.content)
        if given.get("state", "open") not in STATES:
            raise Refused(422, f"No lookup value found for 'state': {given['state']!r}")
        if given.pop("owner_id", None) == NOBODY_ID:
            given["owner"] = NOBODY
        if given.get("owner", NOBODY) not in {one["login"] for one in self.users.values()}:
            raise Refused(422, f"No lookup value found for 'owner': {given['owner']!r}")
        ticket |= given
        self._touch(ticket, US)
        self._tell(ticket, None)
        return httpx.Response(200, json=ticket)

    def _delete_ticket(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        del self.tickets[self._ticket(path[0])["id"]]
        self.articles = {key: one for key, one in self.articles.items() if one["ticket_id"] != path[0]}
        return httpx.Response(200, json={})

    def _of_ticket(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        ticket = self._ticket(path[0])["id"]
        return httpx.Response(200, json=[one for one in self.articles.values() if one["ticket_id"] == ticket])

    def _new_article(self, request: httpx.Request, _: tuple[int, ...]) -> httpx.Response:
        given = json.loads(request.content)
        ticket = self._ticket(given["ticket_id"])
        one = self._write(ticket, given, US)
        self._tell(ticket, one)
        return httpx.Response(201, json=one)

    def _write(self, ticket: Record, given: Mapping[str, Any], author: int) -> Record:
        if not given.get("body"):
            raise Refused(422, "Need at least an 'article body' field.")
        who = self.users[author]
        made = {
            "id": self._number(),
            "ticket_id": ticket["id"],
            "sender": "Agent",
            "from": f"{who['firstname']} {who['lastname']}".strip(),
            "subject": None,
            **{name: value for name, value in given.items() if name != "attachments"},
            "attachments": [self._store(file) for file in given.get("attachments", ())],
            "created_by": who["login"],
            "created_by_id": author,
            "created_at": self._now(),
        }
        self.articles[made["id"]] = made
        self._touch(ticket, author)
        return made

    def _store(self, file: Mapping[str, str]) -> Record:
        number, content = self._number(), base64.b64decode(file["data"], validate=True)
        self.files[number] = content
        kind = {"Mime-Type": file["mime-type"]}
        return {"id": number, "filename": file["filename"], "size": str(len(content)), "preferences": kind}

    def _delete_article(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        if (one := self.articles.get(path[0])) is None:
            raise Refused(404, f"Couldn't find Ticket::Article with 'id'={path[0]}")
        if one["created_by_id"] != US or self.clock() - datetime.fromisoformat(one["created_at"]) > DELETABLE:
            raise Refused(403, "note is too old to be deleted")
        del self.articles[path[0]]
        return httpx.Response(200, json={})

    def _file(self, _: httpx.Request, path: tuple[int, ...]) -> httpx.Response:
        article = self.articles.get(path[1])
        if article is None or path[2] not in {file["id"] for file in article["attachments"]}:
            raise Refused(403, "The file does not belong to the specified article.")
        return httpx.Response(200, content=self.files[path[2]], headers={"content-type": "text/plain"})

    def _listed(self, request: httpx.Request, _: tuple[int, ...]) -> httpx.Response:
        """Webhooks, triggers and tasks: a list, and one more."""
        kept: dict[str, list[Record]] = {"webhooks": self.hooks, "triggers": self.triggers}
        records = kept.get(request.url.path.rpartition("/")[2], self.tasks)
        if request.method == "GET":
            return httpx.Response(200, json=[{**one, "signature_token": "**********"} for one in records])
        records.append({**json.loads(request.content), "id": self._number()})
        return httpx.Response(201, json=records[-1])

    # inside

    def _ticket(self, number: int) -> Record:
        if number not in self.tickets:
            raise Refused(404, f"Couldn't find Ticket with 'id'={number}")
        return self.tickets[number]

    def _touch(self, ticket: Record, who: int) -> None:
        login = self.users[who]["login"]
        ticket |= {"updated_by_id": who, "updated_by": login, "updated_at": self._now()}

    def _now(self) -> str:
        return stamp(self.clock())

    def _number(self) -> int:
        self._last += 1
        return self._last


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "users/me"): ZammadSimulator._me,
    ("GET", "users/search"): ZammadSimulator._users,
    ("GET", "users/([0-9]+)"): ZammadSimulator._user,
    ("GET", "tickets/search"): ZammadSimulator._search,
    ("POST", "tickets"): ZammadSimulator._new_ticket,
    ("GET", "tickets/([0-9]+)"): ZammadSimulator._get_ticket,
    ("PUT", "tickets/([0-9]+)"): ZammadSimulator._put_ticket,
    ("DELETE", "tickets/([0-9]+)"): ZammadSimulator._delete_ticket,
    ("GET", "ticket_articles/by_ticket/([0-9]+)"): ZammadSimulator._of_ticket,
    ("POST", "ticket_articles"): ZammadSimulator._new_article,
    ("DELETE", "ticket_articles/([0-9]+)"): ZammadSimulator._delete_article,
    ("GET", "ticket_attachment/([0-9]+)/([0-9]+)/([0-9]+)"): ZammadSimulator._file,
    ("GET", "(?:webhooks|triggers|data_privacy_tasks)"): ZammadSimulator._listed,
    ("POST", "(?:webhooks|triggers|data_privacy_tasks)"): ZammadSimulator._listed,
}


def _conditions(asked: httpx.QueryParams) -> list[tuple[str, str, str]]:
    names = dict.fromkeys(re.findall(r"condition\[([\w.]+)\]", " ".join(asked)))
    return [(name, asked[f"condition[{name}][operator]"], asked[f"condition[{name}][value]"]) for name in names]


def _fits(ticket: Record, name: str, operator: str, value: str) -> bool:
    held = ticket[name.removeprefix("ticket.")]
    if operator == "after (absolute)":
        return bool(held > value)
    if operator in ("contains", "contains one"):
        return value in held
    raise Refused(500, f"the simulator knows no operator {operator!r}")
