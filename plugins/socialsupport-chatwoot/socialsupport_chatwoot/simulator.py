"""Chatwoot played in dictionaries, as far as the adapter uses it, by its documentation and published source."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import httpx

from socialsupport_chatwoot import signing
from socialsupport_chatwoot.settings import ChatwootSettings
from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.forms import content_of
from socialsupport_core.testing.simulator import Said

US = 1
"""Our own administrator."""


@dataclass
class Conversation:
    id: int
    contact: int
    source: str
    inbox: int
    status: str = "open"
    assignee: int | None = None
    custom: dict[str, str] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    updated_at: float = 0.0
    active_at: int = 0


class Refused(Answered):
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.response = httpx.Response(status, json={"error": error})


Handler = Callable[["ChatwootSimulator", httpx.Request, tuple[str, ...]], httpx.Response]


class ChatwootSimulator(AnsweringSimulator):
    network: ClassVar[str] = "chatwoot"
    hosts: ClassVar[frozenset[str]] = frozenset({"app.chatwoot.com"})
    deletes: ClassVar[bool] = True
    """Whether this version can delete a conversation."""

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = ChatwootSettings.model_validate(settings, from_attributes=True)
        self.home = self.own.address
        self.inboxes = {int(self.own.inbox): "Channel::Api"}
        self.agents: dict[int, str] = {US: "The hub"}
        self.contacts: dict[int, dict[str, Any]] = {}
        self.sources: dict[str, int] = {}
        self.conversations: dict[int, Conversation] = {}
        self.files: dict[str, bytes] = {}
        self.webhooks: list[dict[str, Any]] = []
        self._last = 1000
        self._turn = 0

    # what people in Chatwoot do

    def add_contact(self, name: str, **fields: str) -> int:
        """`email`, `phone_number`, `identifier`."""
        number = self._id()
        empty = {"email": None, "phone_number": None, "identifier": None, "thumbnail": ""}
        self.contacts[number] = {"id": number, "name": name, **empty, "custom_attributes": {}, **fields}
        self._emit("contact_created", self.contacts[number])
        return number

    def speak(
        self,
        person: str,
        text: str,
        place: str = "",
        *,
        private: bool = False,
        files: Mapping[str, bytes] | None = None,
        **_: Any,
    ) -> Said:
        """An agent (`person`) answers or notes something in a conversation, by default in the newest."""
        one = self.conversations[int(place or max(self.conversations))]
        stored = [self._stored(name, content) for name, content in (files or {}).items()]
        told = self._say(one, self._agent(person), text, private=private, files=stored)
        said = Said(str(told["id"]), str(one.id), str(one.id), person, text, self.clock())
        self.said.append(said)
        return said

    def change(self, place: str, **fields: Any) -> None:
        """`status` or `assignee`, by an agent."""
        self._set(self.conversations[int(place)], **fields)

    def rename(self, contact: int, **fields: str) -> None:
        self.contacts[contact].update(fields)
        fields["updated_at"] = self._now()
        changed = [{name: {"previous_value": None, "current_value": value}} for name, value in fields.items()]
        self._emit("contact_updated", {**self.contacts[contact], "changed_attributes": changed})

    def merge(self, contact: int, into: int) -> None:
        """Conversations and source ids go on; no webhook tells of it."""
        for one in self.conversations.values():
            one.contact = into if one.contact == contact else one.contact
        self.sources = {source: into if who == contact else who for source, who in self.sources.items()}
        del self.contacts[contact]

    def _agent(self, person: str) -> int:
        known = (number for number, name in self.agents.items() if name == person)
        number = next(known, None) or self._id()
        self.agents[number] = person
        return number

    # what it tells

    def _emit(self, event: str, about: Mapping[str, Any]) -> None:
        native = {"event": event, "account": {"id": int(self.own.account), "name": "Acme"}, **about}
        self.emit(self.signed(json.dumps(native).encode()))

    def due(self) -> list[Payload]:
        """Signed as they leave."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        url, headers = self.door, []
        if secret := self.own.webhook_secret:
            timestamp = str(int(self.clock().timestamp()))
            signature = signing.sign(secret, timestamp, body)
            headers = [("X-Chatwoot-Signature", signature), ("X-Chatwoot-Timestamp", timestamp)]
        elif key := self.own.door_key:
            url = f"{url}?{signing.PARAMETER}={key.get_secret_value()}"
        return Payload(url=url, headers=tuple(headers), body=body, received_at=self.clock())

    def _about(self, one: Conversation) -> dict[str, Any]:
        """A conversation as webhooks show it."""
        agent = {"id": one.assignee, "name": self.agents[one.assignee], "type": "user"} if one.assignee else None
        contact_inbox = {"contact_id": one.contact, "inbox_id": one.inbox, "source_id": one.source}
        return {
            "id": one.id,
            "inbox_id": one.inbox,
            "channel": self.inboxes[one.inbox],
            "status": one.status,
            "contact_inbox": contact_inbox,
            "custom_attributes": one.custom,
            "meta": {"sender": {**self.contacts[one.contact], "type": "contact"}, "assignee": agent},
            "timestamp": one.active_at,
            "updated_at": one.updated_at,
        }

    def _message(self, one: Conversation, told: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {0: "incoming", 1: "outgoing"}
        made = datetime.fromtimestamp(told["created_at"], UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        about = {"inbox": {"id": one.inbox, "name": "The hub"}, "conversation": self._about(one)}
        return {**told, **about, "message_type": kinds[told["message_type"]], "created_at": made}

    # its HTTP interface

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "30"}, text="Retry later\n")

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "Invalid Access Token").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.startswith("/api/") and request.headers.get("api_access_token") != self.own.token.get_secret_value():
            raise Refused(401, "Invalid Access Token")
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(self._rooted(pattern), path)):
                return handler(self, request, match.groups())
        raise Refused(404, "Not Found")

    def _rooted(self, pattern: str) -> str:
        if pattern.startswith("/"):
            return pattern
        return f"/api/v1/accounts/{self.own.account}/{pattern}"

    def _profile(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        accounts = [{"id": int(self.own.account), "name": "Acme", "role": "administrator"}]
        return httpx.Response(
            200, json={"id": US, "name": self.agents[US], "email": "hub@acme.example", "accounts": accounts}
        )

    def _inbox(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if int(path[0]) not in self.inboxes:
            raise Refused(404, "Resource could not be found")
        return httpx.Response(
            200, json={"id": int(path[0]), "name": "The hub", "channel_type": self.inboxes[int(path[0])]}
        )

    def _search(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        wanted = request.url.params["q"].casefold()
        columns = ("name", "email", "phone_number", "identifier")
        found = [one for one in self.contacts.values() if any(wanted in str(one[name]).casefold() for name in columns)]
        return httpx.Response(200, json={"meta": {"count": len(found), "current_page": 1}, "payload": found[:15]})

    def _new_contact(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)
        inbox, source = given.pop("inbox_id"), f"made-by-chatwoot-{self._id()}"
        for name in ("email", "phone_number"):
            if given.get(name) and any(one[name] == given[name] for one in self.contacts.values()):
                raise Refused(422, f"{name} has already been taken")
        self.sources[source] = number = self.add_contact(**given)
        held = {"source_id": source, "inbox": {"id": inbox}}
        return httpx.Response(200, json={"payload": {"contact": self.contacts[number], "contact_inbox": held}})

    def _new_source(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)
        number = self._contact(path[0])["id"]
        if self.sources.get(given["source_id"], number) != number:
            raise Refused(422, "source_id should be unique")
        self.sources[given["source_id"]] = number
        return httpx.Response(200, json={"source_id": given["source_id"], "inbox": {"id": given["inbox_id"]}})

    def _drop_contact(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        del self.contacts[self._contact(path[0])["id"]]
        self.conversations = {number: one for number, one in self.conversations.items() if one.contact != int(path[0])}
        self.sources = {source: who for source, who in self.sources.items() if who != int(path[0])}
        return httpx.Response(200)

    def _of_source(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """What anybody may ask who knows the inbox's identifier and the source id."""
        if path[0] != self.own.inbox_identifier or path[1] not in self.sources:
            raise Refused(404, "Resource could not be found")
        found = [one for one in self.conversations.values() if one.source == path[1]]
        return httpx.Response(200, json=[{"id": one.id, "inbox_id": one.inbox, "messages": []} for one in found])

    def _list_conversations(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        """25 at once; what a message or a change of status has touched last comes first."""
        asked = request.url.params
        if asked.get("status") != "all":
            raise Refused(422, "only all are played")
        mine = [one for one in self.conversations.values() if str(one.inbox) == asked["inbox_id"]]
        mine.sort(key=lambda one: (one.active_at, one.id), reverse=True)
        begin = (int(asked["page"]) - 1) * 25
        shown = [{"id": one.id, "status": one.status, "timestamp": one.active_at} for one in mine[begin : begin + 25]]
        return httpx.Response(200, json={"data": {"meta": {"all_count": len(mine)}, "payload": shown}})

    def _new_conversation(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        given = json.loads(request.content)
        if given["source_id"] not in self.sources:
            raise Refused(404, "Resource could not be found")
        contact = self.sources[given["source_id"]]
        one = Conversation(
            self._id(), contact, given["source_id"], given["inbox_id"], custom=given["custom_attributes"]
        )
        self.conversations[one.id] = one
        one.active_at = int(self.clock().timestamp())
        self._touch(one)
        self._emit("conversation_created", self._about(one))
        return httpx.Response(200, json={"id": one.id, "account_id": int(self.own.account), "inbox_id": one.inbox})

    def _show(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json=self._about(self._conversation(path[0])))

    def _delete(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if not self.deletes:
            raise Refused(404, "Not Found")
        del self.conversations[self._conversation(path[0]).id]
        return httpx.Response(200)

    def _attributes(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """Replaces them all."""
        one = self._conversation(path[0])
        one.custom = json.loads(request.content)["custom_attributes"]
        self._touch(one)
        change = {"custom_attributes": {"previous_value": {}, "current_value": one.custom}}
        self._emit("conversation_updated", {**self._about(one), "changed_attributes": [change]})
        return httpx.Response(200, json={"custom_attributes": one.custom})

    def _toggle(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        one = self._conversation(path[0])
        self._set(one, status=json.loads(request.content)["status"])
        done = {"success": True, "current_status": one.status, "conversation_id": one.id}
        return httpx.Response(200, json={"meta": {}, "payload": done})

    def _assign(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """Whoever is no agent here is nobody."""
        one, given = self._conversation(path[0]), json.loads(request.content)["assignee_id"]
        self._set(one, assignee=given if given in self.agents else None)
        shown = {"id": one.assignee, "name": self.agents[one.assignee]} if one.assignee else None
        return httpx.Response(200, json=shown)

    def _messages(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        after = int(request.url.params["after"])
        found = [one for one in self._conversation(path[0]).messages if one["id"] > after]
        return httpx.Response(200, json={"meta": {}, "payload": found[:100]})

    def _new_message(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        given, files = content_of(request)
        stored = [self._stored(name, content) for name, content in files]
        one = self._conversation(path[0])
        incoming = given["message_type"] == "incoming"
        if incoming and one.status == "resolved":
            self._set(one, status="open")
        private, source = str(given["private"]).lower() == "true", given.get("source_id")
        told = self._say(one, None if incoming else US, given["content"], private=private, files=stored, source=source)
        return httpx.Response(200, json=told)

    def _delete_message(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """It stays, without its text."""
        one = self._conversation(path[0])
        for told in one.messages:
            if told["id"] == int(path[1]):
                told.update(content="This message was deleted", content_attributes={"deleted": True}, attachments=[])
                self._emit("message_updated", self._message(one, told))
                return httpx.Response(200)
        raise Refused(404, "Resource could not be found")

    def _list_webhooks(self, _: httpx.Request, __: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"payload": {"webhooks": self.webhooks}})

    def _new_webhook(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        made = {"id": self._id(), "account_id": int(self.own.account), **json.loads(request.content)}
        self.webhooks.append(made)
        return httpx.Response(200, json={"payload": {"webhook": {**made, "secret": "made-by-chatwoot"}}})

    def _download(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if path[0] not in self.files:
            raise Refused(404, "Resource could not be found")
        return httpx.Response(200, content=self.files[path[0]], headers={"content-type": "text/plain"})

    # inside

    def _conversation(self, number: str) -> Conversation:
        if int(number) not in self.conversations:
            raise Refused(404, "Resource could not be found")
        return self.conversations[int(number)]

    def _contact(self, number: str) -> dict[str, Any]:
        if int(number) not in self.contacts:
            raise Refused(404, "Resource could not be found")
        return self.contacts[int(number)]

    def _set(self, one: Conversation, **fields: Any) -> None:
        for name, value in fields.items():
            before = getattr(one, name)
            if before == value:
                continue
            setattr(one, name, value)
            self._touch(one)
            native = {"assignee": "assignee_id"}.get(name, name)
            stamped = {"updated_at": {"previous_value": None, "current_value": self._now()}}
            changed = [{native: {"previous_value": before, "current_value": value}}, stamped]
            told = {**self._about(one), "changed_attributes": changed}
            self._emit("conversation_updated", told)
            if name == "status":
                self._emit("conversation_status_changed", told)

    def _say(
        self,
        one: Conversation,
        agent: int | None,
        text: str,
        *,
        private: bool,
        files: list[dict[str, Any]],
        source: str | None = None,
    ) -> dict[str, Any]:
        sender = (
            {"id": agent, "name": self.agents[agent], "type": "user"}
            if agent
            else {"id": one.contact, "type": "contact"}
        )
        told = {
            "id": self._id(),
            "content": text,
            "message_type": 0 if agent is None else 1,
            "content_type": "text",
            "content_attributes": {},
            "private": private,
            "source_id": source,
            "sender": sender,
            "conversation_id": one.id,
            "created_at": int(self.clock().timestamp()),
            **({"attachments": files} if files else {}),
        }
        one.messages.append(told)
        one.active_at = int(self.clock().timestamp())
        self._emit("message_created", self._message(one, told))
        return told

    def _stored(self, name: str, content: bytes) -> dict[str, Any]:
        number = self._id()
        self.files[str(number)] = content
        address = f"{self.home}/rails/active_storage/blobs/redirect/{number}/{name}"
        return {"id": number, "file_type": "file", "data_url": address, "file_size": len(content)}

    def _touch(self, one: Conversation) -> None:
        """Each change is later than the one before."""
        self._turn += 1
        one.updated_at = (self.clock() + timedelta(milliseconds=self._turn)).timestamp()

    def _now(self) -> str:
        later = self.clock().astimezone(UTC) + timedelta(milliseconds=self._turn)
        return later.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _id(self) -> int:
        self._last += 1
        return self._last


_ONE = "conversations/([0-9]+)"
ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/api/v1/profile"): ChatwootSimulator._profile,
    ("GET", "inboxes/([0-9]+)/"): ChatwootSimulator._inbox,
    ("GET", "contacts/search"): ChatwootSimulator._search,
    ("POST", "contacts"): ChatwootSimulator._new_contact,
    ("POST", "contacts/([0-9]+)/contact_inboxes"): ChatwootSimulator._new_source,
    ("DELETE", "contacts/([0-9]+)"): ChatwootSimulator._drop_contact,
    ("GET", "/public/api/v1/inboxes/([^/]+)/contacts/([^/]+)/conversations"): ChatwootSimulator._of_source,
    ("GET", "conversations"): ChatwootSimulator._list_conversations,
    ("POST", "conversations"): ChatwootSimulator._new_conversation,
    ("GET", _ONE): ChatwootSimulator._show,
    ("DELETE", _ONE): ChatwootSimulator._delete,
    ("POST", f"{_ONE}/custom_attributes"): ChatwootSimulator._attributes,
    ("POST", f"{_ONE}/toggle_status"): ChatwootSimulator._toggle,
    ("POST", f"{_ONE}/assignments"): ChatwootSimulator._assign,
    ("GET", f"{_ONE}/messages"): ChatwootSimulator._messages,
    ("POST", f"{_ONE}/messages"): ChatwootSimulator._new_message,
    ("DELETE", f"{_ONE}/messages/([0-9]+)"): ChatwootSimulator._delete_message,
    ("GET", "webhooks"): ChatwootSimulator._list_webhooks,
    ("POST", "webhooks"): ChatwootSimulator._new_webhook,
    ("GET", "/rails/active_storage/blobs/redirect/([0-9]+)/[^/]+"): ChatwootSimulator._download,
}
