"""What a message of LINE says.

https://developers.line.biz/en/reference/messaging-api/#message-event (2026-11) and the published description of the
webhooks (https://github.com/line/line-openapi, webhook.yml, 2025-11)
"""

from collections.abc import Callable, Mapping
from typing import Any

from socialsupport_core.contract.lax import (
    Json,
    Unreadable,
    needed,
    number_of,
    object_of,
    objects_of,
    text_of,
)
from socialsupport_core.model import Attachment, Location
from socialsupport_core.text import escape

Said = dict[str, Any]
MEDIA: Mapping[str, str] = {
    "image": "image/jpeg",
    "video": "video/mp4",
    "audio": "audio/x-m4a",
    "file": "application/octet-stream",
}
"""Types that are files. LINE tells no media type with them, only when they are fetched."""
MENTIONS = 20


def content(message: Json) -> tuple[Said, Json]:
    """What it says, and what is worth keeping beside; nothing if it says nothing that is read here."""
    kind = needed(message, "type")
    if kind in MEDIA:
        return _file(message, kind)
    reader = READERS.get(kind)
    return reader(message) if reader else ({}, {})


def _text(message: Json) -> tuple[Said, Json]:
    """A LINE emoji stands in the text as its name, `(love)`; a mention as `@name`."""
    mentioned = objects_of(object_of(message, "mention"), "mentionees")[:MENTIONS]
    emojis = [f"{text_of(one, 'productId')}/{text_of(one, 'emojiId')}" for one in objects_of(message, "emojis")]
    more = {
        "emojis": emojis,
        "mentions_us": any(one.get("isSelf") is True for one in mentioned),
        "mentions": ["all" if text_of(one, "type") == "all" else text_of(one, "userId") or "?" for one in mentioned],
    }
    return {"text": escape(needed(message, "text"))}, more


def _sticker(message: Json) -> tuple[Said, Json]:
    """What is written on it, else what LINE says that it shows."""
    words = text_of(message, "text") or ", ".join(_keywords(message)[:15]) or "sticker"
    sticker = "/".join(filter(None, [text_of(message, "packageId"), text_of(message, "stickerId")]))
    return {"text": escape(words)}, {"sticker": sticker}


def _keywords(message: Json) -> list[str]:
    words = message.get("keywords")
    return [word for word in words if isinstance(word, str) and word] if isinstance(words, list) else []


def _location(message: Json) -> tuple[Said, Json]:
    latitude, longitude = number_of(message, "latitude"), number_of(message, "longitude")
    if latitude is None or longitude is None:
        raise Unreadable("a place without latitude and longitude")
    name, address = text_of(message, "title"), text_of(message, "address")
    return {"location": Location(latitude=latitude, longitude=longitude, name=name, address=address)}, {}


def _file(message: Json, kind: str) -> tuple[Said, Json]:
    """It is fetched by the message's id, unless an app inside LINE has sent it from somewhere else."""
    size, provider = number_of(message, "fileSize"), object_of(message, "contentProvider")
    elsewhere = text_of(provider, "originalContentUrl") if text_of(provider, "type") == "external" else None
    file = Attachment(
        media_type=MEDIA[kind],
        native_id=None if elsewhere else needed(message, "id"),
        url=elsewhere,
        name=text_of(message, "fileName"),
        size=int(size) if size and size > 0 else None,
    )
    milliseconds = number_of(message, "duration")
    duration = milliseconds / 1000 if milliseconds and milliseconds > 0 else None
    picture = object_of(message, "imageSet")
    numbers = {name: text_of(picture, name) for name in ("id", "index", "total") if text_of(picture, name)}
    return {"attachments": (file,), "duration": duration}, {"image_set": numbers}


READERS: Mapping[str, Callable[[Json], tuple[Said, Json]]] = {
    "text": _text,
    "sticker": _sticker,
    "location": _location,
}
