"""What a message says: its text, its files, where it is.

https://core.telegram.org/bots/api#message (Bot API 10.1, 2026-06)
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from socialsupport_core.model import Attachment, Location
from socialsupport_core.text import escape
from socialsupport_telegram.entities import to_markdown
from socialsupport_telegram.native import File, Message, Option, PaidMedia
from socialsupport_telegram.rich import rich_files, rich_text

MEDIA_TYPES = {
    "animation": "video/mp4",
    "audio": "audio/mpeg",
    "document": "application/octet-stream",
    "live_photo": "video/mp4",
    "photo": "image/jpeg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "voice": "audio/ogg",
}
"""By field: what a file is unless its `mime_type` says otherwise."""


_OF_PLAIN_TEXT = frozenset({"message_id", "sender", "chat", "date", "text", "entities"})
"""What most messages have, and nothing else."""


def content(message: Message) -> dict[str, Any]:
    """The fields of an interaction that tell what was said; empty if there is nothing that we can read."""
    if message.model_fields_set <= _OF_PLAIN_TEXT:
        told = text(message)
        return {"text": told} if told else {}
    said = {
        "text": text(message),
        "attachments": tuple(_attachments(message)),
        "location": _location(message),
        "choice": message.web_app_data.data if message.web_app_data else None,
        "duration": _duration(message),
    }
    return {name: value for name, value in said.items() if value not in (None, "", ())}


def text(message: Message) -> str | None:
    if message.text is not None:
        return to_markdown(message.text, message.entities)
    if message.caption is not None:
        return to_markdown(message.caption, message.caption_entities)
    return next((words(message) for field, words in _WORDS.items() if getattr(message, field)), None)


def full_name(first: str | None, last: str | None) -> str | None:
    return " ".join(part for part in (first, last) if part) or None


def _contact(message: Message) -> str:
    assert message.contact
    name = full_name(message.contact.first_name, message.contact.last_name)
    return escape(": ".join(part for part in (name, message.contact.phone_number) if part))


def _dice(message: Message) -> str:
    assert message.dice
    return f"{escape(message.dice.emoji)} {message.dice.value}"


def _game(message: Message) -> str:
    assert message.game
    return escape("\n".join(part for part in (message.game.title, message.game.description) if part))


def _poll(message: Message) -> str:
    assert message.poll
    return _list(message.poll.question, message.poll.options)


def _checklist(message: Message) -> str:
    assert message.checklist
    return _list(message.checklist.title, message.checklist.tasks)


def _list(title: str, options: Sequence[Option]) -> str:
    lines = [f"- {escape(option.text)}{' ✓' if option.completion_date else ''}" for option in options]
    return "\n".join([escape(title), "", *lines])


def _button(message: Message) -> str:
    assert message.web_app_data
    return escape(message.web_app_data.button_text)


def _rich(message: Message) -> str:
    assert message.rich_message
    return rich_text(message.rich_message.blocks)


_WORDS: dict[str, Callable[[Message], str]] = {
    "rich_message": _rich,
    "contact": _contact,
    "dice": _dice,
    "game": _game,
    "poll": _poll,
    "checklist": _checklist,
    "web_app_data": _button,
}


def _location(message: Message) -> Location | None:
    # A venue comes with its location a second time, for older bots.
    if venue := message.venue:
        point = venue.location
        return Location(latitude=point.latitude, longitude=point.longitude, name=venue.title, address=venue.address)
    if point_only := message.location:
        return Location(latitude=point_only.latitude, longitude=point_only.longitude)
    return None


def _duration(message: Message) -> float | None:
    playing = (message.voice, message.audio, message.video, message.video_note, message.animation)
    return next((file.duration for file in playing if file and file.duration is not None), None)


def _attachments(message: Message) -> Iterator[Attachment]:
    present = message.model_fields_set  # most messages have none of these
    for field in MEDIA_TYPES:
        if field not in present or (field == "document" and message.animation):
            continue  # with an animation comes the same file again, for older bots
        yield from _files(field, getattr(message, field))
    if message.sticker:
        yield _sticker(message.sticker)
    for paid in message.paid_media.paid_media if message.paid_media else ():
        for field in PaidMedia.model_fields:
            yield from _files(field, getattr(paid, field))
    for field, file in rich_files(message.rich_message.blocks) if message.rich_message else ():
        yield from _files(field, file)


def _files(field: str, found: File | tuple[File, ...] | None) -> Iterator[Attachment]:
    """A photo is a list of its sizes, of which the largest is taken."""
    if isinstance(found, tuple):
        found = max(found, key=lambda size: size.width * size.height, default=None)
    if found:
        yield _attachment(found, found.mime_type or MEDIA_TYPES[field])


def _attachment(file: File, media_type: str, alternative: str | None = None) -> Attachment:
    return Attachment(
        media_type=media_type,
        native_id=file.file_id,
        name=file.file_name,
        size=file.file_size,
        text=alternative,
    )


def _sticker(sticker: File) -> Attachment:
    # https://core.telegram.org/bots/api#sticker: animated ones are TGS, videos WEBM, the others WEBP
    moving = "application/x-tgsticker" if sticker.is_animated else "video/webm"
    still = not (sticker.is_animated or sticker.is_video)
    return _attachment(sticker, "image/webp" if still else moving, sticker.emoji)
