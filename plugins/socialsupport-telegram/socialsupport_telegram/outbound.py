"""From intents to calls of the Bot API.

https://core.telegram.org/bots/api#available-methods (Bot API 10.1, 2026-06)
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from socialsupport_core.contract import ContentRejected, Flow, ReadBlob, Unreachable, Unsupported
from socialsupport_core.model import (
    Attachment,
    Blob,
    Choice,
    DeleteMessage,
    EditMessage,
    Identifier,
    Intent,
    Interaction,
    MarkRead,
    OpenPrivate,
    React,
    Receipt,
    SendMessage,
    Thread,
    Typing,
)
from socialsupport_core.text import count
from socialsupport_telegram import album
from socialsupport_telegram.address import Address
from socialsupport_telegram.entities import to_entities

CAPTION_LIMIT = 1024  # UTF-16 code units; https://core.telegram.org/bots/api#sendphoto (2026-06)
CALLBACK_DATA_BYTES = 64  # https://core.telegram.org/bots/api#inlinekeyboardbutton (2026-06)
PHOTO_BYTES = 10_000_000  # https://core.telegram.org/bots/api#sendphoto (2026-06): 10 MB, other files 50 MB

FILE_FIELDS = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "image/gif": "animation",
    "video/mp4": "video",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
    "audio/ogg": "voice",
}
"""How a file is shown, by media type; every other one is a document.

https://core.telegram.org/bots/api#sendvoice, #sendaudio, #sendvideo, #sendanimation (Bot API 10.1, 2026-06)
"""

NO_CONTENT = "the attachment has no content: it names neither a blob nor an address"
ALREADY = {
    "editMessageText": "not modified",
    "editMessageCaption": "not modified",
    "deleteMessage": "to delete not found",
}
"""What Telegram says to a call that changes nothing, because an earlier attempt has already done it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One method and its fields; `uploads` are files and the fields that carry them."""

    method: str
    fields: dict[str, Any]
    uploads: tuple[tuple[str, Blob], ...] = ()

    def request(self, base: str) -> httpx.Request:
        url = f"{base}/{self.method}"
        if not self.uploads:
            return httpx.Request("POST", url, json=self.fields)
        form = {key: _form_value(value) for key, value in self.fields.items()}
        files = {name: (blob.name or name, blob.content, blob.media_type) for name, blob in self.uploads}
        return httpx.Request("POST", url, data=form, files=files)


def _form_value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def compose(intent: Intent) -> Flow[Call]:
    """The call that carries out an intent. Raises ContentRejected, Unreachable, Unsupported."""
    if isinstance(intent, SendMessage) and intent.attachments:
        return (yield from (_file(intent) if len(intent.attachments) == 1 else _album(intent)))
    return _COMPOSERS[type(intent)](intent)


def receipt(intent: Intent, call: Call, result: Any) -> Receipt:
    """Calls that show a message answer with it, those that show an album with its messages, the others with True."""
    if isinstance(result, list):
        first = receipt(intent, call, result[0])
        return first.model_copy(update={"context": album.kept(result)})
    if isinstance(result, dict):
        thread = Thread(id=str(call.fields["chat_id"]), visibility="private")
        return Receipt(
            native_id=str(result["message_id"] or "") or None,  # 0: Telegram sends it later
            thread=thread if isinstance(intent, OpenPrivate) else None,
            at=datetime.fromtimestamp(result.get("edit_date") or result["date"], UTC),
        )
    changed = intent.target if isinstance(intent, EditMessage | DeleteMessage) else None
    return Receipt(native_id=changed.native_id if changed else None)


def _message(intent: SendMessage) -> Call:
    return Call("sendMessage", _where(intent) | _text(intent.text or "") | _around(intent))


def _file(intent: SendMessage) -> Flow[Call]:
    attachment = intent.attachments[0]
    fields = _where(intent) | _caption(intent.text or "") | _around(intent)
    if attachment.blob is None:
        return _known_file(attachment, fields)
    blob: Blob = yield ReadBlob(attachment.blob)
    name = _field(attachment.media_type, len(blob.content))
    named = {"media_type": attachment.media_type, "name": attachment.name or blob.name}
    return Call(_method(name), fields, ((name, blob.model_copy(update=named)),))


def _album(intent: SendMessage) -> Flow[Call]:
    """The text stands under the first file, which Telegram shows under all of them."""
    if len(intent.attachments) > album.MOST:
        raise ContentRejected(
            f"an album of Telegram has at most {album.MOST} files; send the others in a second message"
        )
    if intent.choices:
        raise ContentRejected("no buttons can stand under an album; send them in a message of their own")
    media: list[dict[str, Any]] = []
    uploads: list[tuple[str, Blob]] = []
    for number, attachment in enumerate(intent.attachments):
        known, size = attachment.native_id or attachment.url, attachment.size or 0
        if attachment.blob is not None:
            blob: Blob = yield ReadBlob(attachment.blob)
            named = {"media_type": attachment.media_type, "name": attachment.name or blob.name}
            uploads.append((f"file{number}", blob.model_copy(update=named)))
            known, size = f"attach://file{number}", len(blob.content)
        if known is None:
            raise ContentRejected(NO_CONTENT)
        media.append({"type": _field(attachment.media_type, size), "media": known})
    for item, kind in zip(media, album.kinds([item["type"] for item in media]), strict=True):
        item["type"] = kind
    media[0] |= _caption(intent.text or "")
    return Call("sendMediaGroup", _where(intent) | {"media": media} | _around(intent), tuple(uploads))


def _known_file(attachment: Attachment, fields: dict[str, Any]) -> Call:
    """A file that Telegram has already, or fetches itself."""
    known = attachment.native_id or attachment.url
    if known is None:
        raise ContentRejected(NO_CONTENT)
    name = _field(attachment.media_type, attachment.size or 0)
    return Call(_method(name), fields | {name: known})


def _field(media_type: str, size: int) -> str:
    name = FILE_FIELDS.get(media_type, "document")
    return "document" if name == "photo" and size > PHOTO_BYTES else name


def _method(name: str) -> str:
    return f"send{name.capitalize()}"


def _text(markdown: str) -> dict[str, Any]:
    text, entities = to_entities(markdown)
    if not text:
        raise ContentRejected("the message is empty; Telegram takes no message without text")
    return {"text": text} | ({"entities": entities} if entities else {})


def _caption(markdown: str) -> dict[str, Any]:
    text, entities = to_entities(markdown)
    if (length := count(text, "utf16")) > CAPTION_LIMIT:
        raise ContentRejected(
            f"the text under a file may have {CAPTION_LIMIT} characters on Telegram, this one has {length}; "
            "send it as a message of its own"
        )
    return ({"caption": text} if text else {}) | ({"caption_entities": entities} if entities else {})


def _where(intent: Intent) -> dict[str, Any]:
    return Address.read(intent.thread.id).fields()


def _around(intent: SendMessage) -> dict[str, Any]:
    """What surrounds the text: the message replied to, and the buttons."""
    fields: dict[str, Any] = {}
    if intent.target and _is_message(intent.target) and _is_here(intent.target, intent.thread):
        replied = int(intent.target.native_id)
        fields["reply_parameters"] = {"message_id": replied, "allow_sending_without_reply": True}
    if intent.choices:
        fields["reply_markup"] = {"inline_keyboard": _keyboard(intent.choices)}
    return fields


def _is_message(target: Interaction) -> bool:
    """A pressed button is a query and no message."""
    return "callback_query_id" not in (target.context or "") and _is_number(target.native_id)


def _is_number(written: str) -> bool:
    return written.isascii() and written.isdecimal()


def _is_here(target: Interaction, thread: Thread) -> bool:
    """Message ids say nothing in another chat: what was written in public may be answered in private."""
    return Address.read(target.thread.id).key == Address.read(thread.id).key


def _keyboard(choices: Sequence[Choice]) -> list[list[dict[str, str]]]:
    for choice in choices:
        if (size := count(choice.value, "utf8_bytes")) > CALLBACK_DATA_BYTES:
            raise ContentRejected(
                f"the value of the button {choice.title!r} has {size} bytes, Telegram takes {CALLBACK_DATA_BYTES}"
            )
    return [[{"text": choice.title, "callback_data": choice.value}] for choice in choices]


def _opening(intent: OpenPrivate) -> Call:
    """A bot may write first to whoever has started it; the private chat has the person's number."""
    person = intent.recipient or (intent.target.author if intent.target else None)
    return Call("sendMessage", {"chat_id": user_id(person.account if person else None)} | _text(intent.text))


def user_id(account: Identifier | None) -> int:
    if account is None or account.kind != "telegram.user" or not _is_number(account.value):
        raise Unreachable(f"{account or 'nobody'} is no telegram.user; only those have private chats")
    return int(account.value)


def _edit(intent: EditMessage) -> Call:
    if intent.target and intent.target.attachments:
        return Call("editMessageCaption", _place(intent) | _caption(intent.text))
    return Call("editMessageText", _place(intent) | _text(intent.text))


def _delete(intent: DeleteMessage) -> Call:
    place = _place(intent)
    ids = album.ids(intent.target) if intent.target else []
    if "business_connection_id" in place:
        connection = place["business_connection_id"]
        return Call("deleteBusinessMessages", {"business_connection_id": connection, "message_ids": ids})
    if len(ids) > 1:
        return Call("deleteMessages", {"chat_id": place["chat_id"], "message_ids": ids})
    return Call("deleteMessage", place)


def _react(intent: React) -> Call:
    place = _place(intent)
    if "business_connection_id" in place:
        raise Unsupported("Telegram lets bots react only in their own chats, not in those of a business account")
    return Call("setMessageReaction", place | {"reaction": _reaction(intent.reaction)})


def _read(intent: MarkRead) -> Call:
    place = _place(intent)
    if "business_connection_id" not in place:
        raise Unsupported("Telegram lets bots mark messages as read only in the chats of a business account")
    return Call("readBusinessMessage", place)


def _typing(intent: Typing) -> Call:
    return Call("sendChatAction", _where(intent) | {"action": "typing"})


def _place(intent: Intent) -> dict[str, Any]:
    """Where the target is, for calls that change it."""
    if intent.target is None or not _is_message(intent.target):
        raise ContentRejected(f"{intent.type} needs a target that is a message of Telegram")
    place = Address.read(intent.target.thread.id).message_fields()
    return place | {"message_id": int(intent.target.native_id)}


def _reaction(reaction: str) -> list[dict[str, str]]:
    """Telegram spells its emoji without the variation selector; an empty list takes ours back."""
    if not reaction:
        return []
    if reaction.startswith("custom_emoji:"):
        return [{"type": "custom_emoji", "custom_emoji_id": reaction.removeprefix("custom_emoji:")}]
    return [{"type": "emoji", "emoji": reaction.replace("\ufe0f", "")}]


_COMPOSERS: dict[type[Intent], Callable[[Any], Call]] = {
    SendMessage: _message,
    OpenPrivate: _opening,
    EditMessage: _edit,
    DeleteMessage: _delete,
    React: _react,
    MarkRead: _read,
    Typing: _typing,
}
