"""Intercom played in dictionaries, as far as the adapter uses it, by its documentation."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.simulator import Said
from socialsupport_intercom import api
from socialsupport_intercom.settings import API, IntercomSettings

Json = dict[str, Any]


@dataclass
class Talk:
    id: str
    contact: str
    body: str
    updated_at: int
    state: str = "open"
    assignee: str | None = None
    attributes: Json = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    parts: list[Json] = field(default_factory=list)


class Refused(Answered):
    def __init__(self, status: int, code: str, message: str = "", **headers: str) -> None:
        super().__init__(code)
        errors = {"type": "error.list", "errors": [{"code": code, "message": message}]}
        self.response = httpx.Response(status, json=errors, headers=headers)


class IntercomSimulator(AnsweringSimulator):
    network: ClassVar[str] = "intercom"
    hosts: ClassVar[frozenset[str]] = frozenset({*API.values(), "downloads.intercomcdn.com"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = IntercomSettings.model_validate(settings, from_attributes=True)
        self.contacts: dict[str, Json] = {}
        self.merged: dict[str, str] = {}
        """Ids and external ids of contacts that are others now."""
        self.talks: dict[str, Talk] = {}
        self.admins: dict[str, str] = {"991267696": "The hub"}
        self.us = "991267696"
        self.tags: dict[str, str] = {}
        self.attributes = {self.own.attribute}
        """Those that were made for conversations."""
        self.files: dict[str, bytes] = {}
        self.tokens = {"fake-access-token", "fake-granted-token"}
        self._last = 1000

    # what people in Intercom do

    def add_contact(self, name: str, **fields: Any) -> str:
        """`email`, `phone`, `external_id`."""
        id = f"{self._id():024x}"
        self.contacts[id] = {"type": "contact", "id": id, "role": "user", "name": name, "updated_at": self._now()} | {
            "external_id": None,
            "email": None,
            "phone": None,
            **fields,
        }
        return id

    def speak(
        self,
        person: str,
        text: str,
        place: str = "",
        *,
        kind: str = "comment",
        files: Mapping[str, bytes] | None = None,
        **_: Any,
    ) -> Said:
        """A teammate (`person`) answers, notes or closes with a word; in the newest conversation by default."""
        talk = self.talks[place or next(reversed(self.talks))]
        part = self._part(talk, {"type": "admin", "id": self._admin(person), "name": person}, kind, text, files)
        topics = {"comment": "replied", "note": "noted", "close": "closed", "open": "opened", "assignment": "assigned"}
        self._tell(f"conversation.admin.{topics[kind]}", self._shown(talk, [part]))
        said = Said(part["id"], talk.id, talk.id, person, text, self.clock())
        self.said.append(said)
        return said

    def assign(self, person: str, place: str, whom: str | None) -> None:
        talk = self.talks[place]
        talk.assignee = self._admin(whom) if whom else None
        author = {"type": "admin", "id": self._admin(person), "name": person}
        part = self._part(talk, author, "assignment", "")
        part["assigned_to"] = {"type": "admin", "id": talk.assignee} if talk.assignee else None
        self._tell("conversation.admin.assigned", self._shown(talk, [part]))

    def change(self, contact: str, **fields: Any) -> None:
        self.contacts[contact] |= fields
        self._tell("contact.user.updated", self.contacts[contact])

    def remove(self, contact: str) -> None:
        del self.contacts[contact]
        self._tell("contact.deleted", {"type": "contact", "id": contact})

    def merge(self, contact: str, into: str) -> None:
        gone = self.contacts.pop(contact)
        self.merged |= {contact: into, str(gone["external_id"]): into}

    def _admin(self, person: str) -> str:
        known = (id for id, name in self.admins.items() if name == person)
        found = next(known, None) or str(self._id())
        self.admins[found] = person
        return found

    def _tell(self, topic: str, item: Json) -> None:
        notification = {
            "type": "notification_event",
            "app_id": "acme1234",
            "topic": topic,
            "id": f"notif_{self._id()}",
            "created_at": self._now(),
            "data": {"type": "notification_event_data", "item": item},
        }
        self.emit(self.signed(json.dumps(notification).encode()))

    def signed(self, body: bytes) -> Payload:
        secret = self.own.client_secret or SecretStr("")
        return Payload(
            url=self.door,
            headers=(("X-Hub-Signature", api.sign(secret, body)),),
            body=body,
            received_at=self.clock(),
        )

    # its HTTP interface

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        now = self.clock().astimezone(UTC)
        headers = {"X-RateLimit-Reset": str(int(now.timestamp()) + 7), "date": format_datetime(now, usegmt=True)}
        return Refused(429, "rate_limit_exceeded", "Exceeded rate limit of 167 in 10_seconds", **headers).response

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "unauthorized", "Access Token Invalid").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.url.host not in API.values():
            return self._download(path.rpartition("/")[2])
        if path == "/auth/eagle/token":
            return self._granted(json.loads(request.content))
        token = self.own.access_token.get_secret_value() if self.own.access_token else None
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens | {token}:
            raise Refused(401, "unauthorized", "Access Token Invalid")
        if request.headers.get("intercom-version") != api.VERSION:
            raise Refused(400, "intercom_version_invalid", "The requested version could not be found")
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                return httpx.Response(200, json=handler(self, *match.groups(), **_content(request)))
        raise Refused(404, "not_found", "Resource Not Found")

    def _granted(self, asked: Json) -> httpx.Response:
        secret = self.own.client_secret
        if secret is None or asked["client_secret"] != secret.get_secret_value() or asked["code"] != "fake-code":
            raise Refused(401, "server_error", "Invalid code")
        return httpx.Response(200, json={"token_type": "Bearer", "token": "fake-granted-token"} | {
            "access_token": "fake-granted-token"
        })  # fmt: skip

    def _download(self, name: str) -> httpx.Response:
        if name not in self.files:
            raise Refused(404, "not_found")
        return httpx.Response(200, content=self.files[name], headers={"content-type": "text/plain"})

    def _me(self) -> Json:
        app = {"type": "app", "id_code": "acme1234", "name": "Acme"}
        return {"type": "admin", "id": self.us, "name": self.admins[self.us], "app": app}

    def _search_contacts(self, query: Json) -> Json:
        filters = query["value"] if query["operator"] == "OR" else [query]
        found = [one for one in self.contacts.values() if any(one[each["field"]] == each["value"] for each in filters)]
        return {"type": "list", "data": found, "total_count": len(found), "pages": {"type": "pages"}}

    def _by_external_id(self, external: str) -> Json:
        self._unmerged(external)
        found = [one for one in self.contacts.values() if one["external_id"] == external]
        if not found:
            raise Refused(404, "not_found", "User Not Found")
        return found[0]

    def _unmerged(self, name: str) -> None:
        if name in self.merged:
            raise Refused(410, "contact_merged", Link=f'</contacts/{self.merged[name]}>; rel="canonical"')

    def _new_contact(self, role: str, external_id: str, name: str = "") -> Json:
        if any(one["external_id"] == external_id for one in self.contacts.values()):
            raise Refused(409, "conflict", "A contact matching those details already exists")
        return self.contacts[self.add_contact(name, external_id=external_id, role=role)]

    def _delete_contact(self, id: str) -> Json:
        self._unmerged(id)
        if self.contacts.pop(id, None) is None:
            raise Refused(404, "not_found", "User Not Found")
        return {"type": "contact", "id": id, "deleted": True}

    def _new_talk(self, body: str, **more: Any) -> Json:
        contact = more["from"]["id"]
        if contact not in self.contacts or not body.strip():
            raise Refused(404, "not_found", "User Not Found")
        talk = Talk(str(self._id()), contact, body, self._now())
        self.talks[talk.id] = talk
        return {"type": "user_message", "id": str(self._id()), "body": body, "conversation_id": talk.id}

    def _put_talk(self, id: str, custom_attributes: Json) -> Json:
        if unknown := set(custom_attributes) - self.attributes:
            raise Refused(400, "parameter_invalid", f"Custom attribute {sorted(unknown)} does not exist")
        talk = self._talk(id)
        talk.attributes |= custom_attributes
        return self._shown(talk, talk.parts)

    def _search_talks(self, query: Json, pagination: Json) -> Json:
        tests: Mapping[str, Callable[[Talk], bool]] = {
            "contact_ids": lambda one: one.contact == query["value"] and query["operator"] == "=",
            "updated_at": lambda one: one.updated_at > query["value"] and query["operator"] == ">",
        }
        found = [self._shown(one, None) for one in self.talks.values() if tests[query["field"]](one)]
        begin = int(pagination.get("starting_after", "0"))
        end = begin + min(pagination["per_page"], 150)
        onward = {"next": {"per_page": pagination["per_page"], "starting_after": str(end)}} if end < len(found) else {}
        pages = {"type": "pages", **onward}
        return {"type": "conversation.list", "conversations": found[begin:end], "pages": pages}

    def _get_talk(self, id: str, display_as: str = "html") -> Json:
        talk = self._talk(id)
        return self._shown(talk, talk.parts[-500:], is_plain=display_as == "plaintext")

    def _delete_talk(self, id: str) -> Json:
        self._talk(id)
        del self.talks[id]
        return {"id": id, "object": "conversation", "deleted": True}

    def _reply(self, id: str, type: str, message_type: str, body: str, **more: Any) -> Json:
        talk = self._talk(id)
        if type == "user":
            if more["intercom_user_id"] != talk.contact or message_type != "comment":
                raise Refused(404, "not_found", "User Not Found")
            author = {"type": "user", "id": talk.contact, "name": self.contacts[talk.contact]["name"]}
        else:
            author = self._acting(more["admin_id"])
        files = {one["name"]: one["data"].encode() for one in more.get("attachment_files", ())}
        part = self._part(talk, author, message_type, body, files)
        topic = "user.replied" if type == "user" else "admin.noted" if message_type == "note" else "admin.replied"
        self._tell(f"conversation.{topic}", self._shown(talk, [part]))
        return self._shown(talk, talk.parts)

    def _manage(self, id: str, message_type: str, admin_id: str, **more: Any) -> Json:
        talk, author = self._talk(id), self._acting(admin_id)
        part = self._part(talk, author, message_type, "")
        if message_type == "assignment":
            talk.assignee = None if more["assignee_id"] == "0" else more["assignee_id"]
            part["assigned_to"] = {"type": "admin", "id": more["assignee_id"]}
        topics = {"close": "closed", "open": "opened", "assignment": "assigned"}
        self._tell(f"conversation.admin.{topics[message_type]}", self._shown(talk, [part]))
        return self._shown(talk, talk.parts)

    def _redact(self, type: str, conversation_id: str, conversation_part_id: str) -> Json:
        talk = self._talk(conversation_id)
        part = next((one for one in talk.parts if one["id"] == conversation_part_id), None)
        if part is None or not part["body"] or type != "conversation_part":
            raise Refused(404, "conversation_part_or_message_not_found")
        part |= {"body": None, "redacted": True}
        return self._shown(talk, talk.parts)

    def _new_tag(self, name: str) -> Json:
        self.tags[name] = self.tags.get(name) or str(self._id())
        return {"type": "tag", "id": self.tags[name], "name": name}

    def _put_tag(self, talk: str, id: str, admin_id: str) -> Json:
        self._acting(admin_id)
        (name,) = [name for name, known in self.tags.items() if known == id]
        self._talk(talk).tags.append(name)
        return {"type": "tag", "id": id, "name": name}

    # inside

    def _talk(self, id: str) -> Talk:
        if id not in self.talks:
            raise Refused(404, "not_found", "Resource Not Found")
        return self.talks[id]

    def _acting(self, admin: str) -> Json:
        if admin not in self.admins:
            raise Refused(404, "admin_not_found", "Admin Not Found")
        return {"type": "admin", "id": admin, "name": self.admins[admin]}

    def _part(self, talk: Talk, author: Json, kind: str, text: str, files: Mapping[str, bytes] | None = None) -> Json:
        talk.state = {"close": "closed", "open": "open"}.get(kind, talk.state)
        talk.updated_at = max(talk.updated_at + 1, self._now())
        part = {
            "type": "conversation_part",
            "id": str(self._id()),
            "part_type": kind,
            "body": text or None,
            "created_at": self._now(),
            "author": author,
            "attachments": [self._stored(name, content) for name, content in (files or {}).items()],
            "redacted": False,
            "assigned_to": None,
        }
        talk.parts.append(part)
        return part

    def _stored(self, name: str, content: bytes) -> Json:
        stored = f"{self._id()}.txt"
        self.files[stored] = content
        url = f"https://downloads.intercomcdn.com/i/o/{stored}"
        told = {"type": "upload", "name": name, "url": url, "content_type": "text/plain"}
        return told | {"filesize": len(content)}

    def _shown(self, talk: Talk, parts: list[Json] | None, *, is_plain: bool = True) -> Json:
        shown: Json = {
            "type": "conversation",
            "id": talk.id,
            "title": None,
            "created_at": talk.updated_at,
            "updated_at": talk.updated_at,
            "state": talk.state,
            "open": talk.state == "open",
            "admin_assignee_id": int(talk.assignee) if talk.assignee else None,
            "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": talk.contact}]},
            "custom_attributes": dict(talk.attributes),
        }
        if parts is not None:
            told = [one if is_plain or not one["body"] else one | {"body": f"<p>{one['body']}</p>"} for one in parts]
            shown["conversation_parts"] = {"type": "conversation_part.list", "conversation_parts": told}
        return json.loads(json.dumps(shown))  # type: ignore[no-any-return]

    def _now(self) -> int:
        return int(self.clock().timestamp())

    def _id(self) -> int:
        self._last += 1
        return self._last


def _content(request: httpx.Request) -> Json:
    found: Json = json.loads(request.content) if request.content else dict(request.url.params)
    return found


Handler = Callable[..., Json]
ROUTES: Mapping[tuple[str, str], Handler] = {
    ("GET", "/me"): IntercomSimulator._me,
    ("POST", "/contacts/search"): IntercomSimulator._search_contacts,
    ("GET", "/contacts/find_by_external_id/([^/]+)"): IntercomSimulator._by_external_id,
    ("POST", "/contacts"): IntercomSimulator._new_contact,
    ("DELETE", "/contacts/([0-9a-f]+)"): IntercomSimulator._delete_contact,
    ("POST", "/conversations"): IntercomSimulator._new_talk,
    ("POST", "/conversations/search"): IntercomSimulator._search_talks,
    ("POST", "/conversations/redact"): IntercomSimulator._redact,
    ("GET", "/conversations/([0-9]+)"): IntercomSimulator._get_talk,
    ("PUT", "/conversations/([0-9]+)"): IntercomSimulator._put_talk,
    ("DELETE", "/conversations/([0-9]+)"): IntercomSimulator._delete_talk,
    ("POST", "/conversations/([0-9]+)/reply"): IntercomSimulator._reply,
    ("POST", "/conversations/([0-9]+)/parts"): IntercomSimulator._manage,
    ("POST", "/conversations/([0-9]+)/tags"): IntercomSimulator._put_tag,
    ("POST", "/tags"): IntercomSimulator._new_tag,
}
