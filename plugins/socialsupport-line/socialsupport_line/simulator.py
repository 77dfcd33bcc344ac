"""LINE, played on this machine: one official account of ours, its friends and one group.

Written from the documentation and the published description named in the connector, with nothing of it but the
settings.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

import httpx

from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_core.text import count
from socialsupport_line.settings import LineSettings

Json = dict[str, Any]
US, GROUP = "U0123456789abcdef0123456789abcdef", "C4af4980629fedcba9876543210fedcba"
GOOD_FOR = timedelta(minutes=1)


@dataclass
class Refusal(Exception):
    status: int
    message: str
    more: Json | None = None


class LineSimulator(Simulator):
    """Its people are named by keys such as `kerry`; whoever is in `blocking` gets nothing, and LINE does not say so."""

    network = "line"
    hosts = frozenset({"api.line.me", "api-data.line.me"})
    places: ClassVar = (
        Place("chat", "Message Acme on LINE", "private"),
        Place("group", "Acme's group on LINE", "private"),
    )
    settings: LineSettings

    def __init__(self, settings: LineSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.people: dict[str, str] = {}
        self.blocking: set[str] = set()
        self.files: dict[str, bytes | None] = {}
        """By the message's id; None while LINE prepares it."""
        self.replies: dict[str, tuple[datetime, str]] = {}
        """Reply tokens that were not used, when they were given and for which chat."""
        self.quotes: dict[str, str] = {}
        """Quote tokens and their chats."""
        self.keys: dict[str, Json] = {}
        """Retry keys, and what was answered."""
        self.unread: dict[str, str] = {}
        """Read tokens and their messages."""
        self.read: list[str] = []
        self.loading: list[tuple[str, int]] = []
        self.values: dict[tuple[str, str], str] = {}
        """Of choices, by message and title."""
        self.endpoint = ""
        self.left = 200
        """Messages of this month; replies are not counted."""
        self.count = 0

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self.write(person, {"type": "text", "text": text, **more}, place)

    def write(self, person: str, message: Json, place: str = "") -> Said:
        """A message of any type, with the tokens that LINE adds."""
        native_id, thread = self._number(), self._thread(person, place)
        said = Said(native_id, place or "chat", thread, person, str(message.get("text", "")), self.clock())
        self.said.append(said)
        quote, read = f"quote-{native_id}", f"read-{native_id}"
        self.quotes[quote], self.unread[read] = thread, native_id
        told = {"id": native_id, "quoteToken": quote, "markAsReadToken": read, **message}
        self.tell(person, "message", place, replied=True, message=told)
        return said

    def send_photo(self, person: str, content: bytes | None) -> Said:
        said = self.write(person, {"type": "image", "contentProvider": {"type": "line"}})
        self.files[said.id] = content
        return said

    def press(self, person: str, title: str, place: str = "") -> None:
        """Presses the newest button of that title."""
        shown = next(said for said in reversed(self.said) if title in said.choices)
        self.tell(person, "postback", place, replied=True, postback={"data": self.values[shown.id, title]})

    def unsend(self, person: str, said: Said) -> None:
        self.tell(person, "unsend", said.place, unsend={"messageId": said.id})

    def follow(self, person: str) -> None:
        again = person in self.blocking
        self.blocking.discard(person)
        self.tell(person, "follow", replied=True, follow={"isUnblocked": again})

    def block(self, person: str) -> None:
        self.blocking.add(person)
        self.tell(person, "unfollow")

    def tell(self, person: str, kind: str, place: str = "", *, replied: bool = False, **more: Any) -> None:
        """An event of any type."""
        thread = self._thread(person, place)
        source = {"type": "group", "groupId": thread} if place == "group" else {"type": "user"}
        self.count += 1
        event = {
            "type": kind,
            "mode": "active",
            "timestamp": int(self.clock().timestamp() * 1000),
            "source": {**source, "userId": self.person(person)},
            "webhookEventId": f"01FZ74A0TDDPYRVKNK77X{self.count:05}",
            "deliveryContext": {"isRedelivery": False},
            **more,
        }
        if replied:
            event["replyToken"] = f"reply-{self.count}"
            self.replies[event["replyToken"]] = self.clock(), thread
        self.deliver(event)

    def deliver(self, *events: Json) -> None:
        body = json.dumps({"destination": US, "events": events}).encode()
        secret = self.settings.channel_secret.get_secret_value().encode()
        signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
        headers = (("content-type", "application/json"), ("x-line-signature", signature))
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        token = self.settings.channel_access_token
        if token is None or request.headers.get("authorization") != f"Bearer {token.get_secret_value()}":
            return self.expired(request)
        try:
            return self._answer(request)
        except Refusal as refusal:
            return httpx.Response(refusal.status, json={"message": refusal.message, **(refusal.more or {})})

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        message = "The API rate limit has been exceeded. Try again later."
        return httpx.Response(429, json={"message": message})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"message": "Authentication failed. Confirm that the access token is valid."})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v2/bot/")
        if request.url.host == "api-data.line.me":
            return self._content(path.split("/"))
        fields = json.loads(request.content or b"{}")
        key = request.headers.get("x-line-retry-key")
        calls: dict[tuple[str, str], Callable[[], Json]] = {
            ("POST", "message/reply"): lambda: self._reply(fields, key),
            ("POST", "message/push"): lambda: self._push(fields, key),
            ("POST", "chat/markAsRead"): lambda: self._mark(fields),
            ("POST", "chat/loading/start"): lambda: self._load(fields),
            ("PUT", "channel/webhook/endpoint"): lambda: self._subscribe(fields),
            ("GET", "info"): self._info,
        }
        if known := calls.get((request.method, path)):
            return httpx.Response(202 if path == "chat/loading/start" else 200, json=known())
        return httpx.Response(200, json=self._known(request.method, path.split("/")))

    def _known(self, method: str, path: list[str]) -> Json:
        names = {user: key for key, user in self.people.items()}
        if method == "GET" and path[0] == "profile" and path[-1] in names:
            name = names[path[-1]].capitalize()
            return {"userId": path[-1], "displayName": name, "language": "en", "pictureUrl": "https://p.line.example/k"}
        if method == "GET" and path == ["group", GROUP, "summary"]:
            return {"groupId": GROUP, "groupName": "Acme's friends"}
        raise Refusal(404, "Not found")

    def _content(self, path: list[str]) -> httpx.Response:
        if path[0] != "message" or path[-1] != "content" or path[1] not in self.files:
            raise Refusal(404, "Not found")
        content = self.files[path[1]]
        if content is None:
            return httpx.Response(202)
        return httpx.Response(200, content=content, headers={"content-type": "image/jpeg"})

    def _reply(self, fields: Json, key: str | None) -> Json:
        if key is not None:
            raise Refusal(400, "The retry key is not supported by this API")
        messages = self._checked(fields)
        given = self.replies.get(fields.get("replyToken", ""))
        if given is None or self.clock() - given[0] > GOOD_FOR:
            raise Refusal(400, "Invalid reply token")
        self._quoted(messages, given[1])
        del self.replies[fields["replyToken"]]
        return {"sentMessages": [self._sent(given[1], one) for one in messages]}

    def _push(self, fields: Json, key: str | None) -> Json:
        if key is not None:
            _check_key(key)
        if key in self.keys:
            raise Refusal(409, "The retry key is already accepted", self.keys[key])
        messages, to = self._checked(fields), fields.get("to")
        if to not in {GROUP, *self.people.values()}:
            raise Refusal(400, "Failed to send messages")
        self._quoted(messages, to)
        if self.left < len(messages):
            raise Refusal(429, "You have reached your monthly limit.")
        self.left -= len(messages)
        answer = {"sentMessages": [self._sent(to, one) for one in messages]}
        if key is not None:
            self.keys[key] = answer
        return answer

    def _checked(self, fields: Json) -> list[Json]:
        messages = fields.get("messages")
        if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
            raise _invalid("messages", "Size must be between 1 and 5")
        for number, one in enumerate(messages):
            if one.get("type") != "text":
                raise _invalid(f"messages[{number}].type", "Must be one of the following values: [text]")
            if not 0 < len(one.get("text", "").encode("utf-16-le")) // 2 <= 5000:
                raise _invalid(f"messages[{number}].text", "Length must be between 0 and 5000")
            _check_buttons(one.get("quickReply", {"items": []})["items"], "quickReply" in one)
        return messages

    def _quoted(self, messages: list[Json], thread: str) -> None:
        for one in messages:
            if "quoteToken" in one and self.quotes.get(one["quoteToken"]) != thread:
                raise Refusal(400, "The quote token is invalid")

    def _sent(self, thread: str, message: Json) -> Json:
        native_id = self._number()
        actions = [item["action"] for item in message.get("quickReply", {"items": []})["items"]]
        titles = tuple(one["label"] for one in actions)
        hidden = {self.person(key) for key in self.blocking}
        if thread not in hidden:  # LINE answers alike
            place = "group" if thread == GROUP else "chat"
            self.said.append(Said(native_id, place, thread, "us", message["text"], self.clock(), choices=titles))
        self.values.update({(native_id, one["label"]): one["data"] for one in actions})
        self.quotes[f"quote-{native_id}"] = thread
        return {"id": native_id, "quoteToken": f"quote-{native_id}"}

    def _mark(self, fields: Json) -> Json:
        if fields.get("markAsReadToken") not in self.unread:
            raise Refusal(400, "Invalid markAsReadToken")
        self.read.append(self.unread[fields["markAsReadToken"]])
        return {}

    def _load(self, fields: Json) -> Json:
        seconds = fields.get("loadingSeconds", 20)
        if fields.get("chatId") not in self.people.values() or seconds % 5 or not 5 <= seconds <= 60:
            raise Refusal(400, "The request body has 1 error(s)")
        self.loading.append((fields["chatId"], seconds))
        return {}

    def _subscribe(self, fields: Json) -> Json:
        if not fields.get("endpoint", "").startswith("https://") or len(fields["endpoint"]) > 500:
            raise Refusal(400, "Invalid webhook endpoint URL")
        self.endpoint = fields["endpoint"]
        return {}

    def _info(self) -> Json:
        us = {"userId": US, "basicId": "@216acme", "displayName": "Acme"}
        return {**us, "chatMode": "chat", "markAsReadMode": "manual"}

    # inside

    def person(self, key: str) -> str:
        """Somebody's user id."""
        return self.people.setdefault(key, "U" + hashlib.md5(key.encode(), usedforsecurity=False).hexdigest())

    def _thread(self, key: str, place: str) -> str:
        return GROUP if place == "group" else self.person(key)

    def resume(self, sent: Any) -> None:
        super().resume(sent)
        self.count += len(sent)

    def _number(self) -> str:
        """Ids of messages are long numbers, told as texts."""
        return str(444_573_844_083_572_737 + self.random.randrange(10**12) * 1000 + len(self.said) + self.count)


def _check_key(key: str) -> None:
    try:
        UUID(key)
    except ValueError:
        raise Refusal(400, "The retry key is invalid") from None


def _check_buttons(items: list[Json], is_given: bool) -> None:
    if is_given and not 1 <= len(items) <= 13:
        raise _invalid("quickReply.items", "Size must be between 1 and 13")
    for item in items:
        action = item["action"]
        if item["type"] != "action" or action["type"] != "postback" or not action.get("displayText"):
            raise _invalid("quickReply.items", "Invalid action")
        if not 0 < count(action["label"], "graphemes") <= 20 or count(action["data"], "utf16") > 300:
            raise _invalid("quickReply.items", "Length must be between 0 and 20")


def _invalid(field: str, what: str) -> Refusal:
    return Refusal(400, "The request body has 1 error(s)", {"details": [{"message": what, "property": field}]})
