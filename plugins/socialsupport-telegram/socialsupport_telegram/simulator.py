"""Telegram, played on this machine: a bot, a group, and whoever speaks to them.

Written from the documentation of the Bot API (https://core.telegram.org/bots/api, 10.1, 2026-06), with
nothing of the connector. In one thing it is stricter than Telegram: a field that a method does not have is
refused instead of ignored.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email import message_from_bytes
from email.policy import HTTP
from email.utils import format_datetime
from typing import Any, ClassVar

import httpx

from socialsupport_core.model import Payload
from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_telegram.settings import TelegramSettings
from socialsupport_telegram.simulated import (
    FILES,
    METHODS,
    TYPES,
    Refusal,
    check_album,
    check_entities,
    check_fields,
    check_keyboard,
    check_reaction,
    check_text,
)

GROUP = -1001234567890
FIRST_UPDATE = 500_000
Json = dict[str, Any]


class TelegramSimulator(Simulator):
    """Its people are named by keys such as `kerry`; each has a private chat with the bot and is in the group.

    Webhooks go to `door` from the start if the settings hold a `secret_token`; otherwise updates wait for
    getUpdates.
    """

    network = "telegram"
    hosts = frozenset({"api.telegram.org"})
    places: ClassVar = (
        Place("dm", "Message @acme_support_bot", "private"),
        Place("group", "Acme customers", "public"),
    )
    settings: TelegramSettings

    def __init__(self, settings: TelegramSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.token = settings.token.get_secret_value()
        self.bot: Json = {
            "id": int(self.token.partition(":")[0]),
            "is_bot": True,
            "first_name": "Acme Support",
            "username": "acme_support_bot",
        }
        self.people: dict[str, Json] = {}
        self.group: Json = {
            "id": GROUP,
            "type": "supergroup",
            "title": "Acme customers",
            "username": "acme_customers",
        }
        self.chats: dict[int, Json] = {GROUP: self.group}
        self.messages: dict[tuple[int, int], Json] = {}
        self.reactions: dict[tuple[str, str, str], list[Json]] = {}
        """By message, thread and person; ours are those of `us`."""
        self.blocked: set[int] = set()
        self.topics: set[int] = set()
        """Of the group, if it is a forum; the general one takes no number."""
        self.files: dict[str, bytes] = {}
        self.pending: list[Json] = []
        secret = settings.secret_token
        self.webhook: tuple[str, str] | None = (self.door, secret.get_secret_value()) if secret else None
        self.allowed: list[str] | None = None
        """The kinds of updates that the bot has asked for; None until it has."""
        self.typing: list[str] = []
        """The chats in which the bot was seen typing."""
        self.answered: list[str] = []
        """The callback queries that the bot has answered."""
        self._serial = 0
        self._updates = 0

    def resume(self, sent: Sequence[Payload]) -> None:
        super().resume(sent)
        if sent:
            self._updates = max(json.loads(one.body)["update_id"] for one in sent) - FIRST_UPDATE
            self._serial = self._now()  # beyond what was counted until now

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`more` are further fields of the message, such as `entities` or `reply_to_message`."""
        return self._heard(person, place, {"text": text, **more})

    def send_photo(self, person: str, content: bytes, caption: str = "", place: str = "") -> Said:
        sizes = [self._file(content) | {"width": side, "height": side} for side in (90, 1280)]
        return self._heard(person, place, {"photo": sizes} | ({"caption": caption} if caption else {}))

    def share_contact(self, person: str, phone: str) -> Said:
        user = self._person(person)
        contact = {"phone_number": phone, "first_name": user["first_name"], "user_id": user["id"]}
        return self._heard(person, "dm", {"contact": contact})

    def start(self, person: str, token: str) -> Said:
        """Follows a link `t.me/acme_support_bot?start=TOKEN`."""
        return self.speak(person, f"/start {token}")

    def press(self, person: str, title: str, place: str = "") -> None:
        """Presses the newest button of that title."""
        chat = self._chat(self._person(person), place)
        message, button = next(
            (message, button)
            for message in reversed(self._in(chat))
            for button in _buttons(message)
            if button["text"] == title
        )
        query = {"id": str(self._number()), "from": self._person(person), "message": message}
        self._update("callback_query", query | {"chat_instance": "1", "data": button["callback_data"]})

    def edit(self, person: str, said: Said, text: str) -> None:
        message = self._mine(person, said)
        message |= {"text": text, "edit_date": self._now()}
        self._rewrite(said.id, said.thread, text=text, edited=True)
        self._update("edited_message", message)

    def react(self, person: str, said: Said, emoji: str) -> None:
        """An empty emoji takes the reaction back."""
        message = self.messages[int(said.thread), int(said.id)]
        before = self.reactions.get((said.id, said.thread, person), [])
        after = [{"type": "emoji", "emoji": emoji}] if emoji else []
        self.reactions[said.id, said.thread, person] = after
        about = {"chat": message["chat"], "message_id": message["message_id"], "user": self._person(person)}
        self._update("message_reaction", about | {"date": self._now(), "old_reaction": before, "new_reaction": after})

    def block(self, person: str, *, unblock: bool = False) -> None:
        user = self._person(person)
        (self.blocked.discard if unblock else self.blocked.add)(user["id"])
        free, shut = (
            {"status": "member", "user": self.bot},
            {"status": "kicked", "user": self.bot, "until_date": 0},
        )
        old, new = (shut, free) if unblock else (free, shut)
        about = {"chat": self._chat(user, "dm"), "from": user, "date": self._now()}
        self._update("my_chat_member", about | {"old_chat_member": old, "new_chat_member": new})

    # what the bot asks

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            result = self._answer(request)
        except Refusal as refusal:
            return self._reply(refusal.code, refusal.body())
        if isinstance(result, bytes):
            return httpx.Response(200, content=result, headers={"content-type": "application/octet-stream"})
        return self._reply(200, {"ok": True, "result": result})

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        refusal = Refusal(429, "Too Many Requests: retry after 5", retry_after=5)
        return self._reply(429, refusal.body())

    def expired(self, request: httpx.Request) -> httpx.Response:
        return self._reply(401, Refusal(401, "Unauthorized").body())

    def _reply(self, status: int, body: Json) -> httpx.Response:
        return httpx.Response(status, json=body, headers={"date": format_datetime(self.clock(), usegmt=True)})

    def _answer(self, request: httpx.Request) -> Any:
        kind, _, rest = request.url.path.removeprefix("/").partition("bot")
        token, _, asked = rest.partition("/")
        if kind not in ("", "file/") or not asked:
            raise Refusal(404, "Not Found")
        if token != self.token:
            raise Refusal(401, "Unauthorized")
        if kind:
            return self._download(asked)
        if asked not in METHODS:
            raise Refusal(404, "Not Found: method not found")
        fields = _fields(request)
        if asked == "sendMediaGroup":
            return self._send_album(fields)
        check_fields(asked, fields)
        return HANDLERS.get(asked, TelegramSimulator._send_file)(self, asked, fields)

    def _download(self, path: str) -> bytes:
        name = path.removeprefix("files/")
        if name not in self.files:
            raise Refusal(404, "Not Found")
        return self.files[name]

    def _get_me(self, method: str, fields: Json) -> Json:
        return self.bot | {"can_join_groups": True, "can_read_all_group_messages": False}

    def _set_webhook(self, method: str, fields: Json) -> bool:
        if not str(fields["url"]).startswith("https://"):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = (fields["url"], fields.get("secret_token", ""))
        self.allowed = fields.get("allowed_updates") or None
        waiting, self.pending = self.pending, []
        for update in waiting:
            self._deliver(update)
        return True

    def _delete_webhook(self, method: str, fields: Json) -> bool:
        self.webhook = None
        return True

    def _get_updates(self, method: str, fields: Json) -> list[Json]:
        if self.webhook:
            raise Refusal(
                409,
                "Conflict: can't use getUpdates method while webhook is active",
            )
        self.allowed = fields.get("allowed_updates", self.allowed) or None
        offset = int(fields.get("offset", 0))
        self.pending = [update for update in self.pending if update["update_id"] >= offset]
        return self.pending[: int(fields.get("limit", 100))]

    def _send_message(self, method: str, fields: Json) -> Json:
        check_text(fields["text"], 4096, "message text")
        check_entities(fields["text"], fields.get("entities", []))
        return self._said(fields, {name: fields[name] for name in ("text", "entities") if name in fields})

    def _send_file(self, method: str, fields: Json) -> Json:
        name = FILES[method]
        check_text(fields.get("caption", "-"), 1024, "message caption")
        check_entities(fields.get("caption", ""), fields.get("caption_entities", []))
        content = fields[name] if isinstance(fields[name], bytes) else b"fetched"
        file = self._file(content)
        shown: Any = [file | {"width": 800, "height": 600}] if name == "photo" else file
        captions = {key: fields[key] for key in ("caption", "caption_entities") if key in fields}
        return self._said(fields, {name: shown} | captions)

    def _send_album(self, fields: Json) -> list[Json]:
        """Several messages with one mark; whoever reads sees them as one."""
        files = {name: value for name, value in fields.items() if isinstance(value, bytes)}
        fields = {name: value for name, value in fields.items() if name not in files}
        check_fields("sendMediaGroup", fields)
        check_album(fields, files)
        group, sent = str(self._number()), []
        for item in fields["media"]:
            file = self._file(files.get(item["media"].removeprefix("attach://"), b"fetched"))
            shown: Any = [file | {"width": 800, "height": 600}] if item["type"] == "photo" else file
            captions = {key: item[key] for key in ("caption", "caption_entities") if key in item}
            sent.append(self._said(fields, {item["type"]: shown, "media_group_id": group} | captions))
        return sent

    def _delete_all(self, method: str, fields: Json) -> bool:
        """What is not there is passed over."""
        for message_id in fields["message_ids"]:
            if (int(fields["chat_id"]), message_id) in self.messages:
                self._delete_message(method, {"chat_id": fields["chat_id"], "message_id": message_id})
        return True

    def _edit_text(self, method: str, fields: Json) -> Json:
        check_text(fields["text"], 4096, "message text")
        check_entities(fields["text"], fields.get("entities", []))
        return self._change(fields, {"text": fields["text"], "entities": fields.get("entities", [])})

    def _edit_caption(self, method: str, fields: Json) -> Json:
        check_text(fields.get("caption", "-"), 1024, "message caption")
        entities = fields.get("caption_entities", [])
        return self._change(fields, {"caption": fields.get("caption", ""), "caption_entities": entities})

    def _delete_message(self, method: str, fields: Json) -> bool:
        message = self._find(fields, "message to delete not found")
        del self.messages[message["chat"]["id"], message["message_id"]]
        self._rewrite(str(message["message_id"]), str(message["chat"]["id"]), deleted=True)
        return True

    def _set_reaction(self, method: str, fields: Json) -> bool:
        check_reaction(fields.get("reaction", []))
        message = self._find(fields, "message to react not found")
        place = str(message["message_id"]), str(message["chat"]["id"])
        self.reactions[(*place, "us")] = fields.get("reaction", [])
        return True

    def _chat_action(self, method: str, fields: Json) -> bool:
        self.typing.append(str(self._reachable(fields)["id"]))
        return True

    def _answer_query(self, method: str, fields: Json) -> bool:
        self.answered.append(fields["callback_query_id"])
        return True

    def _get_chat(self, method: str, fields: Json) -> Json:
        return self._reachable(fields) | {
            "accent_color_id": 1,
            "max_reaction_count": 11,
            "accepted_gift_types": {},
        }

    def _get_file(self, method: str, fields: Json) -> Json:
        file_id = fields["file_id"]
        if file_id not in self.files:
            raise Refusal(400, "Bad Request: invalid file_id")
        return self._file(self.files[file_id], file_id) | {"file_path": f"files/{file_id}"}

    # inside

    def _heard(self, person: str, place: str, content: Json) -> Said:
        user = self._person(person)
        chat = self._chat(user, place)
        message = self._store(chat, {"from": user, **content})
        said = self._saying(message, person)
        self._update("message", message)
        return said

    def _said(self, fields: Json, content: Json) -> Json:
        chat = self._reachable(fields)
        check_keyboard(fields.get("reply_markup", {}))
        if fields.get("message_thread_id", 0) not in {0, *self.topics}:
            raise Refusal(400, "Bad Request: message thread not found")
        more: Json = {"reply_markup": fields["reply_markup"]} if "reply_markup" in fields else {}
        if replied := self._replied(chat, fields.get("reply_parameters")):
            more["reply_to_message"] = replied
        if topic := fields.get("message_thread_id"):
            more |= {"message_thread_id": topic, "is_topic_message": True}
        message = self._store(chat, {"from": self.bot, **content, **more})
        self._saying(message, "us")
        return message

    def _replied(self, chat: Json, parameters: Json | None) -> Json | None:
        if not parameters:
            return None
        found = self.messages.get((chat["id"], parameters["message_id"]))
        if found is None and not parameters.get("allow_sending_without_reply"):
            raise Refusal(400, "Bad Request: message to be replied not found")
        return found

    def _store(self, chat: Json, content: Json) -> Json:
        message = {"message_id": self._number(), "date": self._now(), "chat": chat, **content}
        self.messages[chat["id"], message["message_id"]] = message
        return message

    def _saying(self, message: Json, author: str) -> Said:
        chat = message["chat"]["id"]
        said = Said(
            id=str(message["message_id"]),
            place="group" if chat == GROUP else "dm",
            thread=str(chat),
            author=author,
            text=message.get("text") or message.get("caption") or "",
            at=self.clock(),
            choices=tuple(button["text"] for button in _buttons(message)),
        )
        self.said.append(said)
        return said

    def _rewrite(self, message_id: str, thread: str, **changes: Any) -> None:
        self.said = [
            replace(said, **changes) if (said.id, said.thread) == (message_id, thread) else said for said in self.said
        ]

    def _change(self, fields: Json, content: Json) -> Json:
        message = self._find(fields, "message to edit not found")
        if message["from"] is not self.bot:
            raise Refusal(400, "Bad Request: message can't be edited")
        if all(message.get(name, []) == value for name, value in content.items()):
            raise Refusal(400, "Bad Request: message is not modified: the new content is the same as the current")
        message.pop("reply_markup", None)
        message |= content | {"edit_date": self._now()}
        text = content.get("text") or content.get("caption")
        self._rewrite(str(message["message_id"]), str(message["chat"]["id"]), text=text, edited=True, choices=())
        return message

    def _find(self, fields: Json, complaint: str) -> Json:
        chat = self._reachable(fields)
        message = self.messages.get((chat["id"], fields["message_id"]))
        if message is None:
            raise Refusal(400, f"Bad Request: {complaint}")
        return message

    def _reachable(self, fields: Json) -> Json:
        """A person who never wrote to the bot is as unknown to it as one who does not exist."""
        chat = self.chats.get(int(fields["chat_id"]))
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat["id"] in self.blocked:
            raise Refusal(403, "Forbidden: bot was blocked by the user")
        return chat

    def _person(self, key: str) -> Json:
        if key not in self.people:
            number = 1000 + len(self.people)
            names = {"first_name": key.capitalize(), "username": f"{key}_{number}", "language_code": "en"}
            self.people[key] = {"id": number, "is_bot": False, **names}
        return self.people[key]

    def _chat(self, user: Json, place: str) -> Json:
        if place == "group":
            return self.group
        names = {name: user[name] for name in ("first_name", "username")}
        return self.chats.setdefault(user["id"], {"id": user["id"], "type": "private", **names})

    def _in(self, chat: Json) -> list[Json]:
        return [message for (where, _), message in self.messages.items() if where == chat["id"]]

    def _mine(self, person: str, said: Said) -> Json:
        message = self.messages[int(said.thread), int(said.id)]
        assert message["from"] == self._person(person), f"{person} did not write that"
        return message

    def _file(self, content: bytes, file_id: str = "") -> Json:
        file_id = file_id or f"file{self._number()}"
        self.files[file_id] = content
        return {"file_id": file_id, "file_unique_id": f"unique-{file_id}", "file_size": len(content)}

    def _update(self, kind: str, content: Json) -> None:
        if self.allowed is None or kind in self.allowed:
            self._updates += 1  # a count of its own: a gap in it would mean that something was lost
            self._deliver({"update_id": FIRST_UPDATE + self._updates, kind: content})

    def _deliver(self, update: Json) -> None:
        update = json.loads(json.dumps(update))  # as it is now
        if self.webhook is None:
            self.pending.append(update)
            return
        url, secret = self.webhook
        headers = (("content-type", "application/json"), ("x-telegram-bot-api-secret-token", secret))
        body = json.dumps(update).encode()
        self.emit(Payload(url=url, headers=headers, body=body, received_at=self.clock()))

    def _now(self) -> int:
        return int(self.clock().timestamp())

    def _number(self) -> int:
        self._serial += 1
        return self._serial


def _buttons(message: Json) -> Iterator[Json]:
    for row in message.get("reply_markup", {}).get("inline_keyboard", []):
        yield from row


def _fields(request: httpx.Request) -> Json:
    """From the query, JSON or a form with files: in the first and the last, objects are JSON in a string."""
    media_type = request.headers.get("content-type", "")
    if media_type.startswith("application/json"):
        return dict(json.loads(request.read()))
    written: Json = dict(request.url.params)
    if media_type.startswith("multipart/form-data"):
        head = f"Content-Type: {media_type}\r\n\r\n".encode()
        for part in message_from_bytes(head + request.read(), policy=HTTP).iter_parts():
            content = part.get_payload(decode=True)
            name = part.get_param("name", header="content-disposition")
            written[str(name)] = content if part.get_filename() else bytes(content).decode()
    return {name: _read(name, value) for name, value in written.items()}


def _read(name: str, value: Any) -> Any:
    is_json = name in TYPES and name != "text" and isinstance(value, str) and not value.startswith("@")
    return json.loads(value) if is_json else value


HANDLERS: dict[str, Callable[[TelegramSimulator, str, Json], Any]] = {
    "getMe": TelegramSimulator._get_me,
    "setWebhook": TelegramSimulator._set_webhook,
    "deleteWebhook": TelegramSimulator._delete_webhook,
    "getUpdates": TelegramSimulator._get_updates,
    "sendMessage": TelegramSimulator._send_message,
    "editMessageText": TelegramSimulator._edit_text,
    "editMessageCaption": TelegramSimulator._edit_caption,
    "deleteMessage": TelegramSimulator._delete_message,
    "deleteMessages": TelegramSimulator._delete_all,
    "setMessageReaction": TelegramSimulator._set_reaction,
    "sendChatAction": TelegramSimulator._chat_action,
    "answerCallbackQuery": TelegramSimulator._answer_query,
    "getChat": TelegramSimulator._get_chat,
    "getFile": TelegramSimulator._get_file,
}
"""All other methods of `METHODS` send a file."""
