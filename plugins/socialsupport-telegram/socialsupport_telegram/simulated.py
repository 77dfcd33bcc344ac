"""How the Bot API checks calls, for the simulator.

https://core.telegram.org/bots/api#available-methods (Bot API 10.1, 2026-06)
"""

from typing import Any

Json = dict[str, Any]


class Refusal(Exception):
    """`{"ok": false}` with its code, its description and its parameters."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> Json:
        body: Json = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


_SENDING = "business_connection_id? chat_id message_thread_id? direct_messages_topic_id?"
_AROUND = "reply_parameters? reply_markup?"
_CAPTION = "caption? caption_entities?"

FILES = {
    "sendPhoto": "photo",
    "sendDocument": "document",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendAudio": "audio",
    "sendVoice": "voice",
}
METHODS: dict[str, str] = {
    "getMe": "",
    "getUpdates": "offset? limit? timeout? allowed_updates?",
    "setWebhook": "url secret_token? allowed_updates? max_connections? drop_pending_updates?",
    "deleteWebhook": "drop_pending_updates?",
    "sendMessage": f"{_SENDING} text entities? {_AROUND}",
    "editMessageText": "business_connection_id? chat_id message_id text entities? reply_markup?",
    "editMessageCaption": f"business_connection_id? chat_id message_id {_CAPTION} reply_markup?",
    "deleteMessage": "chat_id message_id",
    "deleteMessages": "chat_id message_ids",
    "sendMediaGroup": f"{_SENDING} media reply_parameters?",
    "setMessageReaction": "chat_id message_id reaction? is_big?",
    "sendChatAction": "business_connection_id? chat_id message_thread_id? action",
    "answerCallbackQuery": "callback_query_id text? show_alert? url? cache_time?",
    "getChat": "chat_id",
    "getFile": "file_id",
    **{method: f"{_SENDING} {field} {_CAPTION} {_AROUND}" for method, field in FILES.items()},
}
"""The fields of each method that the simulator plays; `?` marks the optional ones."""

TYPES: dict[str, tuple[type, ...]] = {
    "allowed_updates": (list,),
    "caption_entities": (list,),
    "chat_id": (int, str),
    "entities": (list,),
    "limit": (int,),
    "media": (list,),
    "message_id": (int,),
    "message_ids": (list,),
    "message_thread_id": (int,),
    "offset": (int,),
    "reaction": (list,),
    "reply_markup": (dict,),
    "reply_parameters": (dict,),
    "text": (str,),
}
"""Of the fields that are not plain text."""

_ENTITIES = (
    "mention hashtag cashtag bot_command url email phone_number bold italic underline strikethrough spoiler "
    "blockquote expandable_blockquote code pre text_link text_mention custom_emoji date_time"
)
ENTITIES = frozenset(_ENTITIES.split())
_EMOJI = (
    "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 "
    "🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ "
    "🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡 "
)
REACTIONS = frozenset(_EMOJI.split())
"""https://core.telegram.org/bots/api#reactiontypeemoji (Bot API 10.1, 2026-06)"""


def check_fields(method: str, fields: Json) -> None:
    known = METHODS[method].split()
    for name in known:
        if not name.endswith("?") and fields.get(name) in (None, ""):
            raise Refusal(400, f"Bad Request: {name.replace('_', ' ')} is empty")
    for name, value in fields.items():
        if name not in known and f"{name}?" not in known:
            raise Refusal(400, f"Bad Request: {method} has no field {name}")
        if type(value) not in TYPES.get(name, (type(value),)):
            raise Refusal(400, f"Bad Request: field {name} has a wrong type")


def check_text(text: str, limit: int, what: str) -> None:
    if not text.strip():
        raise Refusal(400, f"Bad Request: {what} is empty")
    if utf16(text) > limit:
        raise Refusal(400, f"Bad Request: {what.removesuffix(' text')} is too long")


def check_entities(text: str, entities: list[Json]) -> None:
    for entity in entities:
        if entity.get("type") not in ENTITIES:
            raise Refusal(400, "Bad Request: can't parse entities: unknown type")
        start, length = entity["offset"], entity["length"]
        if start < 0 or length <= 0 or start + length > utf16(text):
            raise Refusal(400, "Bad Request: ENTITY_BOUNDS_INVALID")
        if entity["type"] == "text_link" and "url" not in entity:
            raise Refusal(400, "Bad Request: can't parse entities: text_link needs url")
        if entity["type"] == "text_mention" and "id" not in entity.get("user", {}):
            raise Refusal(400, "Bad Request: can't parse entities: text_mention needs user")


def check_album(fields: Json, files: Json) -> None:
    media = fields["media"]
    if not 2 <= len(media) <= 10:
        raise Refusal(400, "Bad Request: group send failed: wrong number of items")
    kinds = {item["type"] for item in media}
    if not (kinds <= {"photo", "video", "live_photo"} or kinds in ({"audio"}, {"document"})):
        raise Refusal(400, "Bad Request: can't mix these types in an album")
    for item in media:
        named = item["media"].removeprefix("attach://")
        if item["media"].startswith("attach://") and named not in files:
            raise Refusal(400, f"Bad Request: file {named} was not attached")
        check_text(item.get("caption", "-"), 1024, "message caption")
        check_entities(item.get("caption", ""), item.get("caption_entities", []))


def check_keyboard(markup: Json) -> None:
    for row in markup.get("inline_keyboard", []):
        for button in row:
            if not button.get("text"):
                raise Refusal(400, "Bad Request: can't parse inline keyboard button: text is empty")
            if not 1 <= len(button.get("callback_data", "").encode()) <= 64:
                raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def check_reaction(reactions: list[Json]) -> None:
    if len(reactions) > 1:
        raise Refusal(400, "Bad Request: REACTIONS_TOO_MANY")
    for reaction in reactions:
        if reaction.get("type") == "emoji" and reaction.get("emoji") not in REACTIONS:
            raise Refusal(400, "Bad Request: REACTION_INVALID")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
