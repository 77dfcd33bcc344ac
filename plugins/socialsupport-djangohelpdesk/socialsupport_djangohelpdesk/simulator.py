"""django-helpdesk's REST interface played in dictionaries, as far as the adapter uses it.

Answers are shaped as 2.6.1 gave them; what it does beside that and we do not want (a comment on a resolved ticket that
becomes its resolution, a title that renames the ticket, templates) it does here too.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, ClassVar

import httpx

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_djangohelpdesk.native import RESOLVED
from socialsupport_djangohelpdesk.settings import DOOR_USER, DjangoHelpdeskSettings, basic

STATUSES = {1: "Open", 2: "Reopened", 3: "Resolved", 4: "Closed", 5: "Duplicate"}
EXTENSIONS = (".txt", ".asc", ".pdf", ".doc", ".docx", ".odt", ".jpg", ".png", ".eml", "")
"""What may be attached unless the project says otherwise (`HELPDESK_VALID_EXTENSIONS`, 2.6.1, 2026-11)."""
_LITERAL = re.compile(r'\{\{ "([^"]*)" \}\}')
_TAG = re.compile(r"\{[{%#]|%\}|X-HELPDESK-COMMENT-")


@dataclass
class Desk:
    """What its database holds."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    followups: dict[int, dict[str, Any]] = field(default_factory=dict)
    files: dict[int, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    last: int = 0


class Refused(Answered):
    def __init__(self, status: int, told: Any) -> None:
        super().__init__(status)
        self.response = httpx.Response(status, json=told)


Handler = Callable[["DjangoHelpdeskSimulator", httpx.Request, int], httpx.Response]


class DjangoHelpdeskSimulator(AnsweringSimulator):
    network: ClassVar[str] = "djangohelpdesk"
    hosts: ClassVar[frozenset[str]] = frozenset({"desk.example"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = DjangoHelpdeskSettings.model_validate(settings, from_attributes=True)
        self.desk = Desk()
        self.agents: dict[str, int] = {}

    # what agents do there

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) answers in a ticket, by default the newest. `files`: name → content."""
        return self._said(person, text, place, public=True, **more)

    def note(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self._said(person, text, place, public=False, **more)

    def resolve(self, person: str, place: str) -> None:
        self._said(person, "", place, public=True, status=RESOLVED)

    def merge(self, ticket: str, into: str) -> None:
        gone = self._ticket(int(ticket))
        gone |= {"merged_to": int(into), "status": 5}
        for one in self._of(gone["id"]):
            one |= {"ticket": int(into), "title": f"[Merged from #{gone['id']}] {gone['title']}"}

    def _said(
        self,
        person: str,
        text: str,
        place: str,
        public: bool,
        status: int | None = None,
        files: Mapping[str, bytes] | None = None,
    ) -> Said:
        ticket = self._ticket(int(place or max(self.desk.tickets)))
        who = self.agents.setdefault(person, self.own.user_id + 1 + len(self.agents))
        one = self._follow(ticket, {"comment": text, "public": public, "new_status": status}, who)
        for name, content in (files or {}).items():
            self._filed(one["id"], name, "text/plain", content)
        self._tell(ticket, one)
        said = Said(str(one["id"]), str(ticket["id"]), str(ticket["id"]), person, text, self.clock())
        self.said.append(said)
        return said

    def _tell(self, ticket: dict[str, Any], one: dict[str, Any]) -> None:
        told = {"ticket": self._shown(ticket), "queue_slug": "support", "followup_id": one["id"]}
        secret = self.own.webhook_secret
        proof = (("authorization", basic(DOOR_USER, secret)),) if secret else ()
        headers = (("content-type", "application/json"), *proof)
        body = json.dumps(told).encode()
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))

    # its HTTP interface

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(403, {"detail": "Invalid username/password."}).response

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "GET" and path in self.desk.contents:
            return httpx.Response(200, content=self.desk.contents[path])
        if request.headers.get("authorization") != self._wanted():
            raise Refused(403, {"detail": "Invalid username/password."})
        local = path.removeprefix(httpx.URL(self.own.base_url).path.rstrip("/"))
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(f"/api/{pattern}/", local)):
                return handler(self, request, int(match[1]) if match.groups() else 0)
        raise Refused(404, {"detail": "Not found."})

    def _wanted(self) -> str:
        if self.own.token is not None:
            return f"Token {self.own.token.get_secret_value()}"
        assert self.own.password is not None
        return basic(self.own.user, self.own.password)

    def _ours(self, request: httpx.Request, _: int) -> httpx.Response:
        mine = [one for one in self.desk.tickets.values() if one["submitter_email"] == self.own.email]
        shown = [
            {
                "ticket": f"{one['id']} [support-{one['id']}]",
                "id": one["id"],
                "title": one["title"],
                "status": STATUSES[one["status"]],
                "created": one["created"],
                "submitter": one["submitter_email"],
            }
            for one in reversed(mine)
        ]
        return self._page(request, shown)

    def _new_ticket(self, request: httpx.Request, _: int) -> httpx.Response:
        given = json.loads(request.content)
        if "priority" not in given:
            raise Refused(400, {"priority": ["This field is required."]})
        if len(given["title"]) > 200:
            raise Refused(400, {"title": ["Ensure this field has no more than 200 characters."]})
        made = {
            **dict.fromkeys(("resolution", "assigned_to", "due_date", "merged_to")),
            **given,
            "id": self._number(),
            "status": 1,
            "on_hold": False,
            "created": self._now(),
        }
        self.desk.tickets[made["id"]] = made
        first = self._follow(made, {"comment": given["description"], "public": True}, self.own.user_id)
        first["title"] = "Ticket Opened"
        return httpx.Response(201, json=self._shown(made))

    def _get_ticket(self, _: httpx.Request, number: int) -> httpx.Response:
        return httpx.Response(200, json=self._shown(self._ticket(number)))

    def _patch_ticket(self, request: httpx.Request, number: int) -> httpx.Response:
        ticket, given = self._ticket(number), json.loads(request.content)
        owner = given.get("assigned_to")
        if owner is not None and owner not in self.agents.values():
            raise Refused(400, {"assigned_to": [f'Invalid pk "{owner}" - object does not exist.']})
        ticket |= given
        return httpx.Response(200, json=self._shown(ticket))

    def _delete_ticket(self, _: httpx.Request, number: int) -> httpx.Response:
        for one in self._of(self._ticket(number)["id"]):
            del self.desk.followups[one["id"]]
        del self.desk.tickets[number]
        return httpx.Response(204)

    def _followups(self, request: httpx.Request, _: int) -> httpx.Response:
        return self._page(request, [self._with_files(one) for one in self.desk.followups.values()])

    def _new_followup(self, request: httpx.Request, _: int) -> httpx.Response:
        given = json.loads(request.content)
        if (ticket := self.desk.tickets.get(given["ticket"])) is None:
            raise Refused(400, {"ticket": [f'Invalid pk "{given["ticket"]}" - object does not exist.']})
        comment = _LITERAL.sub("", given.get("comment", ""))
        if _TAG.search(comment):
            return httpx.Response(500, text="TemplateSyntaxError")
        given["comment"] = _LITERAL.sub(r"\1", given.get("comment", ""))
        ticket["title"] = given.get("title") or ticket["title"]
        one = self._follow(ticket, given, self.own.user_id)
        if ticket["status"] == RESOLVED:
            ticket["resolution"] = given["comment"]
        self._tell(ticket, one)
        return httpx.Response(201, json=self._with_files(one))

    def _follow(self, ticket: dict[str, Any], given: Mapping[str, Any], user: int) -> dict[str, Any]:
        status = given.get("new_status")
        changed = status is not None and status != ticket["status"]
        if changed:
            ticket["status"] = status
        made = {
            "id": self._number(),
            "ticket": ticket["id"],
            "user": user,
            "title": f"{ticket['title']} and {STATUSES[ticket['status']]}" if changed else ticket["title"],
            "comment": given.get("comment", ""),
            "public": given.get("public", False),
            "new_status": status if changed else None,
            "time_spent": None,
            "date": self._now(),
            "message_id": None,
        }
        self.desk.followups[made["id"]] = made
        return made

    def _patch_followup(self, request: httpx.Request, number: int) -> httpx.Response:
        one = self._found(self.desk.followups, number)
        one |= json.loads(request.content)
        return httpx.Response(200, json=self._with_files(one))

    def _delete_followup(self, _: httpx.Request, number: int) -> httpx.Response:
        del self.desk.followups[self._found(self.desk.followups, number)["id"]]
        return httpx.Response(204)

    def _new_file(self, request: httpx.Request, _: int) -> httpx.Response:
        head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
        message = BytesParser(policy=HTTP).parsebytes(head + request.read())
        parts = {str(part.get_param("name", header="content-disposition")): part for part in message.iter_parts()}
        name, kind = str(parts["filename"].get_payload()).strip(), str(parts["mime_type"].get_payload()).strip()
        if not name.lower().endswith(EXTENSIONS[:-1]) and "." in name:
            raise Refused(400, {"file": [f"Unsupported file extension: .{name.rpartition('.')[2]}"]})
        content = parts["file"].get_payload(decode=True)
        if not isinstance(content, bytes) or not content:
            raise Refused(400, {"file": ["The submitted file is empty."]})
        followup = self._found(self.desk.followups, int(str(parts["followup"].get_payload())))
        return httpx.Response(201, json=self._filed(followup["id"], name, kind, content))

    def _filed(self, followup: int, name: str, kind: str, content: bytes) -> dict[str, Any]:
        number = self._number()
        path = f"/media/helpdesk/attachments/{followup}/{number}"
        address = f"https://{httpx.URL(self.own.base_url).host}{path}"
        made = {"id": number, "followup": followup, "file": address, "filename": name, "mime_type": kind}
        self.desk.files[number] = {**made, "size": len(content)}
        self.desk.contents[path] = content
        return self.desk.files[number]

    def _get_file(self, _: httpx.Request, number: int) -> httpx.Response:
        return httpx.Response(200, json=self._found(self.desk.files, number))

    # inside

    def _ticket(self, number: int) -> dict[str, Any]:
        return self._found(self.desk.tickets, number, "Ticket")

    def _found(self, among: dict[int, dict[str, Any]], number: int, what: str = "FollowUp") -> dict[str, Any]:
        if number not in among:
            raise Refused(404, {"detail": f"No {what} matches the given query."})
        return among[number]

    def _of(self, ticket: int) -> list[dict[str, Any]]:
        return [one for one in self.desk.followups.values() if one["ticket"] == ticket]

    def _with_files(self, one: dict[str, Any]) -> dict[str, Any]:
        files = [file for file in self.desk.files.values() if file["followup"] == one["id"]]
        return {**one, "followupattachment_set": files}

    def _shown(self, ticket: dict[str, Any]) -> dict[str, Any]:
        told = [self._with_files(one) for one in self._of(ticket["id"])]
        return {**{name: value for name, value in ticket.items() if name != "created"}, "followup_set": told}

    def _page(self, request: httpx.Request, items: list[dict[str, Any]]) -> httpx.Response:
        size = int(request.url.params.get("page_size", "25"))
        pages = max(1, -(-len(items) // size))
        asked = request.url.params.get("page", "1")
        page = pages if asked == "last" else int(asked)
        if not 1 <= page <= pages:
            raise Refused(404, {"detail": "Invalid page."})
        shown = items[(page - 1) * size : page * size]
        return httpx.Response(200, json={"count": len(items), "next": None, "previous": None, "results": shown})

    def _now(self) -> str:
        return self.clock().astimezone(UTC).isoformat()

    def _number(self) -> int:
        self.desk.last += 1
        return self.desk.last


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "user_tickets"): DjangoHelpdeskSimulator._ours,
    ("POST", "tickets"): DjangoHelpdeskSimulator._new_ticket,
    ("GET", "tickets/([0-9]+)"): DjangoHelpdeskSimulator._get_ticket,
    ("PATCH", "tickets/([0-9]+)"): DjangoHelpdeskSimulator._patch_ticket,
    ("DELETE", "tickets/([0-9]+)"): DjangoHelpdeskSimulator._delete_ticket,
    ("GET", "followups"): DjangoHelpdeskSimulator._followups,
    ("POST", "followups"): DjangoHelpdeskSimulator._new_followup,
    ("PATCH", "followups/([0-9]+)"): DjangoHelpdeskSimulator._patch_followup,
    ("DELETE", "followups/([0-9]+)"): DjangoHelpdeskSimulator._delete_followup,
    ("POST", "followups-attachments"): DjangoHelpdeskSimulator._new_file,
    ("GET", "followups-attachments/([0-9]+)"): DjangoHelpdeskSimulator._get_file,
}
