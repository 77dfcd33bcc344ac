"""Attachments of Messenger and Instagram.

Types: https://developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks/webhook-events/messages
(2026-03). What is shared from elsewhere is an address to look at, not a file that was sent.
"""

import mimetypes
from collections.abc import Sequence
from urllib.parse import urlsplit

from socialsupport_core.contract import declares
from socialsupport_core.contract.lax import Json, number_of, object_of, objects_of, text_of
from socialsupport_core.model import Attachment, Location
from socialsupport_core.text import Span, escape, from_spans

FILES = {
    "image": "image/jpeg",
    "sticker": "image/png",
    "video": "video/mp4",
    "reel": "video/mp4",
    "ig_reel": "video/mp4",
    "audio": "audio/mp4",
    "file": "application/octet-stream",
}
"""What a file is taken for when its address does not tell."""
HOSTS = frozenset({"*.fbcdn.net", "*.fbsbx.com", "*.cdninstagram.com"})
"""Where Meta keeps files."""
SHARED = frozenset({"share", "post", "ig_post"})
"""A post that was passed on: its picture where that lies at Meta, else a link."""
STORY = "story:"
"""Stories may be looked at for a day and not be kept; so their attachments name them and are never fetched.

https://developers.facebook.com/docs/messenger-platform/instagram/features/story-mention (2026-03)
"""
STORY_MENTION = "story_mention"
WORDS = {"like_heart": "❤️"}
"""Attachments that are a word and no file."""


def attachments(native: Sequence[Json], story: Json) -> tuple[Attachment, ...]:
    stickers = {text_of(object_of(one, "payload"), "sticker_id") for one in native if text_of(one, "type") == "sticker"}
    found = [_story(story)] if text_of(story, "url") else []
    for one in native:
        kind, payload = text_of(one, "type") or "", object_of(one, "payload")
        if kind == "image" and stickers and text_of(payload, "sticker_id") in stickers:
            continue  # until 2026-08-30 a sticker comes a second time as an image
        if kind in SHARED and text_of(payload, "url") in {file.url for file in found}:
            continue  # one post comes as `share` and as `ig_post`
        if kind == STORY_MENTION and text_of(payload, "url"):
            found.append(_story(payload))
        elif (kind in FILES or _is_picture(one)) and (url := text_of(payload, "url")):
            found.append(
                Attachment(media_type=media_type(url, FILES.get(kind, "image/jpeg")), url=url, name=_name(payload))
            )
    return tuple(found)


def _is_picture(one: Json) -> bool:
    try:
        host = urlsplit(text_of(object_of(one, "payload"), "url") or "").hostname or ""
    except ValueError:
        return False
    return text_of(one, "type") in SHARED and declares(HOSTS, host)


def _story(payload: Json) -> Attachment:
    url, story_id = text_of(payload, "url") or "", text_of(payload, "id") or ""
    return Attachment(media_type=media_type(url, "image/jpeg"), url=url, native_id=STORY + story_id)


def media_type(url: str, otherwise: str) -> str:
    """By the ending of its address; of another family it would be a wrong guess."""
    try:
        guessed = mimetypes.guess_type(urlsplit(url).path)[0]
    except ValueError:
        return otherwise
    family = otherwise.partition("/")[0]
    return guessed if guessed and (family == "application" or guessed.startswith(f"{family}/")) else otherwise


def _name(payload: Json) -> str | None:
    return text_of(payload, "title", "name")


def linked(native: Sequence[Json]) -> str | None:
    """What was shared, as a link; for a template its words."""
    for one in native:
        payload = object_of(one, "payload")
        if text_of(one, "type") in (*FILES, STORY_MENTION, "location") or _is_picture(one):
            continue
        title = (
            WORDS.get(text_of(one, "type") or "")
            or text_of(one, "title")
            or text_of(payload, "title", "text")
            or _first_title(payload)
        )
        url = text_of(payload, "url") or text_of(one, "url", "URL")
        if title and url:
            return from_spans(title, [Span(0, len(title), "link", url)])
        if title or url:
            return escape(title or url or "")
    return None


def _first_title(payload: Json) -> str | None:
    inside = object_of(payload, "product", "generic")
    elements = objects_of(payload, "elements") or objects_of(inside, "elements")
    return next((title for element in elements if (title := text_of(element, "title"))), None)


def location(native: Sequence[Json]) -> Location | None:
    for one in native:
        point = object_of(object_of(one, "payload"), "coordinates")
        latitude, longitude = number_of(point, "lat"), number_of(point, "long")
        if latitude is not None and longitude is not None:
            return Location(latitude=latitude, longitude=longitude, name=text_of(one, "title"))
    return None
