"""Zendesk played in dictionaries, as far as the adapter uses it, by its documentation."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_zendesk import signing
from socialsupport_zendesk.settings import ZendeskSettings


@dataclass
class Ticket:
    id: int
    subject: str
    external_id: str | None
    requester: int
    status: str = "open"
    assignee: int | None = None
    updated_at: str = ""
    tags: list[str] = field(default_factory=list)


class Refused(Answered):
    def __init__(self, status: int, error: str, description: str = "") -> None:
        super().__init__(error)
        self.response = httpx.Response(status, json={"error": error, "description": description})


Handler = Callable[["ZendeskSimulator", httpx.Request, tuple[str, ...]], httpx.Response]


class ZendeskSimulator(AnsweringSimulator):
    network: ClassVar[str] = "zendesk"
    hosts: ClassVar[frozenset[str]] = frozenset({"acme.zendesk.com"})
    lag: ClassVar[int] = 60
    """Seconds that the export leaves out."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = ZendeskSettings.model_validate(settings, from_attributes=True)
        self.users: dict[int, dict[str, Any]] = {}
        self.identities: dict[int, list[dict[str, Any]]] = {}
        self.tickets: dict[int, Ticket] = {}
        self.deleted: set[str] = set()
        self.audits: list[dict[str, Any]] = []
        self.uploads: dict[str, dict[str, Any]] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: list[dict[str, Any]] = []
        self.tokens = {"fake-access-token"}
        self._last = 1000
        self._turn = 0
        self.us = self.add_user("The hub", role="agent", id=1)

    # what people in Zendesk do

    def add_user(self, name: str, *, role: str = "end-user", id: int | None = None, **identities: Any) -> int:
        """`identities`: type → (value, verified)."""
        number = id or self._id()
        known = [{"type": kind, "value": value, "verified": proven} for kind, (value, proven) in identities.items()]
        self.users[number] = {
            "id": number,
            "name": name,
            "role": role,
            "email": None,
            "phone": None,
            "external_id": None,
        }
        self.identities[number] = known
        return number

    def speak(
        self,
        person: str,
        text: str,
        place: str = "",
        *,
        public: bool = True,
        files: Mapping[str, bytes] | None = None,
        **_: Any,
    ) -> Said:
        """An agent (`person`) comments on a ticket, by default on the newest."""
        author = self._agent(person)
        ticket = self.tickets[int(place or max(self.tickets))]
        comment = self._comment(author, text, public=public)
        for name, content in (files or {}).items():
            comment["attachments"].append(self._stored(name, content))
        self._audit(ticket, author, [comment])
        told = {"id": str(author), "is_staff": True, "name": person}
        event = {"comment": {"id": str(comment["id"]), "author": told, "body": text, "is_public": public}}
        self._emit(ticket, "comment_added", author, event)
        said = Said(str(comment["id"]), str(ticket.id), str(ticket.id), person, text, self.clock())
        self.said.append(said)
        return said

    def change(self, person: str, place: str, **fields: Any) -> None:
        """`status`, `assignee` (a user's number or None) or `subject`, by an agent."""
        author, ticket = self._agent(person), self.tickets[int(place)]
        for name, value in fields.items():
            before = self._set(ticket, author, name, value)
            kinds = {"status": "status_changed", "assignee": "agent_assignment_changed", "subject": "subject_changed"}
            large = [str(each or 0).upper() if name == "status" else each and str(each) for each in (before, value)]
            self._emit(ticket, kinds[name], author, {"previous": large[0], "current": large[1]})

    def _agent(self, person: str) -> int:
        known = (user["id"] for user in self.users.values() if user["name"] == person)
        return next(known, None) or self.add_user(person, role="agent")

    def _emit(self, ticket: Ticket, kind: str, actor: int, event: Mapping[str, Any]) -> None:
        native = {
            "account_id": 1,
            "id": f"event-{self._id()}",
            "type": f"zen:event-type:ticket.{kind}",
            "time": self._now(),
            "zendesk_event_version": "2022-11-06",
            "subject": f"zen:ticket:{ticket.id}",
            "detail": {"id": str(ticket.id), "actor_id": str(actor), "status": ticket.status.upper()},
            "event": {**event, "meta": {"sequence": {"id": "1", "position": 1, "total": 1}}},
        }
        self.emit(self.signed(json.dumps(native).encode()))

    def due(self) -> list[Payload]:
        """Signed as they leave."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        timestamp, secret = self._now(), self.own.webhook_secret or SecretStr("")
        headers = ((signing.SIGNATURE, signing.sign(secret, timestamp, body)), (signing.TIMESTAMP, timestamp))
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    # its HTTP interface

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "invalid_token").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/oauth/tokens":
            return self._token(request)
        if request.headers.get("authorization") not in self._wanted():
            raise Refused(401, "Couldn't authenticate you")
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return handler(self, request, match.groups())
        raise Refused(404, "InvalidEndpoint")

    def _wanted(self) -> set[str]:
        if self.own.api_token is None:
            return {f"Bearer {token}" for token in self.tokens}
        pair = f"{self.own.email}/token:{self.own.api_token.get_secret_value()}"
        return {f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def _token(self, request: httpx.Request) -> httpx.Response:
        given, secret = json.loads(request.content), self.own.client_secret
        if secret is None or given["client_secret"] != secret.get_secret_value():
            raise Refused(401, "invalid_client")
        self.tokens.add(token := f"fake-access-token-{self._id()}")
        content = {"access_token": token, "token_type": "bearer", "scope": "read write", "expires_in": 7200}
        return httpx.Response(200, json={**content, "refresh_token": f"fake-refresh-token-{self._last}"})

    def _me(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"user": self.users[self.us]})

    def _search(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        match = re.fullmatch(r'(email|phone):"([^"]*)"', request.url.params["query"])
        wanted = match[2].casefold() if match else ""
        found = [
            self.users[number]
            for number, known in self.identities.items()
            if any(str(one["value"]).casefold() == wanted for one in known)
        ]
        return httpx.Response(200, json={"users": found, "count": len(found)})

    def _identities(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"identities": self.identities.get(int(path[0]), [])})

    def _show_many(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        numbers = [int(one) for one in request.url.params["ids"].split(",")]
        return httpx.Response(200, json={"users": [self.users[one] for one in numbers if one in self.users]})

    def _list_tickets(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        wanted = request.url.params["external_id"]
        found = [self._shown(one) for one in self.tickets.values() if one.external_id == wanted]
        return httpx.Response(200, json={"tickets": found})

    def _new_ticket(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)["ticket"]
        if not given.get("comment", {}).get("body"):
            raise Refused(422, "RecordInvalid", "Description: cannot be blank")
        requester = given.get("requester_id") or self._requested(given.get("requester"))
        ticket = Ticket(self._id(), given["subject"], given.get("external_id"), requester, tags=given.get("tags", []))
        self.tickets[ticket.id] = ticket
        self._audit(ticket, self.us, [self._comment(self.us, given["comment"]["body"], public=False)])
        return httpx.Response(201, json={"ticket": self._shown(ticket)})

    def _requested(self, given: Mapping[str, str] | None) -> int:
        """A requester with a known address is that user, another is made."""
        if given is None:
            return self.us
        for number, known in self.identities.items():
            if any(one["value"] == given["email"] for one in known):
                return number
        return self.add_user(given["name"], email=(given["email"], False))

    def _get_ticket(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"ticket": self._shown(self._ticket(path[0]))})

    def _put_ticket(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        ticket, given = self._ticket(path[0]), json.loads(request.content)["ticket"]
        if given.pop("safe_update", False) and given.pop("updated_stamp") != ticket.updated_at:
            raise Refused(409, "UpdateConflict")
        if ticket.status == "closed":
            raise Refused(422, "RecordInvalid", "Status: closed prevents ticket update")
        children: list[dict[str, Any]] = []
        if comment := given.get("comment"):
            children.append(self._comment(self.us, comment["body"], public=comment.get("public", True)))
            children[0]["attachments"] = [self.uploads.pop(token) for token in comment.get("uploads", [])]
        for name in ("status", "assignee_id", "subject"):
            if name in given and given[name] != self._shown(ticket)[name]:
                children.append({"id": self._id(), "type": "Change", "field_name": name, "value": given[name]})
                setattr(ticket, name.removesuffix("_id"), given[name])
        custom = given.get("metadata", {}).get("custom", {})
        audit = self._audit(ticket, self.us, children, custom)
        return httpx.Response(200, json={"ticket": self._shown(ticket), "audit": _public(audit)})

    def _list_audits(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        mine = [_public(one) for one in self.audits if one["ticket_id"] == self._ticket(path[0]).id]
        begin = int(request.url.params.get("page[after]", "0"))
        end = begin + int(request.url.params.get("page[size]", "100"))
        meta = {"has_more": end < len(mine), "after_cursor": str(end)}
        return httpx.Response(200, json={"audits": mine[begin:end], "meta": meta})

    def _upload(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        token = f"upload-{self._id()}"
        self.uploads[token] = self._stored(request.url.params["filename"], request.read())
        return httpx.Response(201, json={"upload": {"token": token}})

    def _download(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if path[0] not in self.files:
            raise Refused(404, "RecordNotFound")
        return httpx.Response(200, content=self.files[path[0]], headers={"content-type": "text/plain"})

    def _delete(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """What is deleted can be deleted for good, once."""
        soft, kind, number = path[0] != "deleted_", path[1], int(path[2])
        known: dict[int, Any] = self.tickets if kind == "tickets" else self.users
        name = f"{kind} {number}"
        if soft and number in known:
            del known[number]
            self.deleted.add(name)
            return httpx.Response(204)
        if not soft and name in self.deleted:
            self.deleted.remove(name)
            self.audits = [one for one in self.audits if kind != "tickets" or one["ticket_id"] != number]
            return httpx.Response(200, json={"job_status": {"status": "queued"}})
        raise Refused(404, "RecordNotFound")

    def _list_webhooks(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"webhooks": self.webhooks})

    def _new_webhook(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        self.webhooks.append(json.loads(request.content)["webhook"])
        return httpx.Response(201, json={"webhook": self.webhooks[-1]})

    def _export(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        start, now = int(request.url.params["start_time"]), int(self.clock().timestamp())
        if start > now - self.lag:
            raise Refused(400, "StartTimeTooRecent")
        found = [one for one in self.audits if start <= one["timestamp"] <= now - self.lag]
        page = found[:1000]
        end = page[-1]["timestamp"] if page else None
        shown = [{name: one[name] for name in _EXPORTED} for one in page]
        content = {"ticket_events": shown, "count": len(page), "end_time": end, "end_of_stream": len(found) <= 1000}
        return httpx.Response(200, json=content)

    # inside

    def _ticket(self, number: str) -> Ticket:
        if int(number) not in self.tickets:
            raise Refused(404, "RecordNotFound")
        return self.tickets[int(number)]

    def _shown(self, ticket: Ticket) -> dict[str, Any]:
        return {
            "id": ticket.id,
            "subject": ticket.subject,
            "status": ticket.status,
            "assignee_id": ticket.assignee,
            "external_id": ticket.external_id,
            "requester_id": ticket.requester,
            "updated_at": ticket.updated_at,
        }

    def _set(self, ticket: Ticket, author: int, name: str, value: Any) -> Any:
        before = getattr(ticket, name)
        setattr(ticket, name, value)
        native = {"assignee": "assignee_id"}.get(name, name)
        child = {"id": self._id(), "type": "Change", "field_name": native, "value": value, "previous_value": before}
        self._audit(ticket, author, [child])
        return before

    def _comment(self, author: int, text: str, *, public: bool) -> dict[str, Any]:
        told = {"id": self._id(), "type": "Comment", "author_id": author, "body": text, "public": public}
        return {**told, "attachments": []}

    def _stored(self, name: str, content: bytes) -> dict[str, Any]:
        number = str(self._id())
        self.files[number] = content
        address = f"https://acme.zendesk.com/attachments/token/{number}/"
        return {"id": int(number), "file_name": name, "content_type": "text/plain", "content_url": address}

    def _audit(
        self, ticket: Ticket, author: int, children: list[dict[str, Any]], custom: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Each update has a later stamp: two in one second would be one version."""
        self._turn += 1
        later = self.clock().astimezone(UTC) + timedelta(seconds=self._turn)
        ticket.updated_at = later.strftime("%Y-%m-%dT%H:%M:%SZ")
        audit = {
            "id": self._id(),
            "ticket_id": ticket.id,
            "timestamp": int(self.clock().timestamp()),
            "updater_id": author,
            "child_events": [_as_child(one) for one in children],
            "events": children,
            "metadata": {"custom": dict(custom or {}), "system": {}},
            "event_type": "Audit",
        }
        self.audits.append(audit)
        return audit

    def _now(self) -> str:
        moment: datetime = self.clock().astimezone(UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def _id(self) -> int:
        self._last += 1
        return self._last


_EXPORTED = ("id", "ticket_id", "timestamp", "updater_id", "child_events", "event_type")

ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/api/v2/users/me.json"): ZendeskSimulator._me,
    ("GET", "/api/v2/users/search.json"): ZendeskSimulator._search,
    ("GET", "/api/v2/users/show_many.json"): ZendeskSimulator._show_many,
    ("GET", "/api/v2/users/([0-9]+)/identities.json"): ZendeskSimulator._identities,
    ("GET", "/api/v2/tickets.json"): ZendeskSimulator._list_tickets,
    ("POST", "/api/v2/tickets.json"): ZendeskSimulator._new_ticket,
    ("GET", "/api/v2/tickets/([0-9]+).json"): ZendeskSimulator._get_ticket,
    ("PUT", "/api/v2/tickets/([0-9]+).json"): ZendeskSimulator._put_ticket,
    ("GET", "/api/v2/tickets/([0-9]+)/audits.json"): ZendeskSimulator._list_audits,
    ("POST", "/api/v2/uploads.json"): ZendeskSimulator._upload,
    ("DELETE", "/api/v2/(|deleted_)(tickets|users)/([0-9]+).json"): ZendeskSimulator._delete,
    ("GET", "/api/v2/webhooks.json"): ZendeskSimulator._list_webhooks,
    ("POST", "/api/v2/webhooks.json"): ZendeskSimulator._new_webhook,
    ("GET", "/api/v2/incremental/ticket_events.json"): ZendeskSimulator._export,
    ("GET", "/attachments/token/([0-9]+)/"): ZendeskSimulator._download,
}


def _as_child(event: Mapping[str, Any]) -> dict[str, Any]:
    """The export names a changed field as a member."""
    if event["type"] == "Comment":
        return {**event, "event_type": "Comment"}
    previous = event.get("previous_value")
    return {"id": event["id"], "event_type": "Change", event["field_name"]: event["value"], "previous_value": previous}


def _public(audit: Mapping[str, Any]) -> dict[str, Any]:
    return {name: audit[name] for name in ("id", "ticket_id", "events", "metadata")}
