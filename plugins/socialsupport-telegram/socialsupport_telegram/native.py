"""The parts of an Update that we read, as the Bot API documents them. What we do not read is ignored.

https://core.telegram.org/bots/api#available-types (Bot API 10.1, 2026-06)
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import from_json, to_json

Moment = Annotated[int, Field(ge=0, le=253_402_300_799)]
"""Unix time, until the end of the year 9999."""
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=8192)]
"""Telegram's longest text has 4096 characters; anything far beyond it is not Telegram's."""


class Native(BaseModel):
    """Strict, so that a strange value is refused with its place instead of being bent into shape."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class User(Native):
    id: int
    is_bot: bool = False
    first_name: str = ""
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None


class Chat(Native):
    id: int
    type: str = "private"
    title: str | None = None
    username: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    is_direct_messages: bool = False


class Entity(Native):
    """`offset` and `length` count UTF-16 code units."""

    type: str
    offset: Count
    length: Count
    url: str | None = None
    user: User | None = None
    language: str | None = None


Entities = Annotated[tuple[Entity, ...], Field(max_length=1000)]


class File(Native):
    """PhotoSize, Document, Audio, Voice, Video, VideoNote, Animation, LivePhoto and Sticker are all files."""

    file_id: str
    file_name: str | None = None
    mime_type: str | None = None
    file_size: Count | None = None
    duration: Count | None = None
    width: Count = 0
    height: Count = 0
    emoji: str | None = None
    is_animated: bool = False
    is_video: bool = False


class Contact(Native):
    phone_number: str
    first_name: Text = ""
    last_name: Text | None = None
    user_id: int | None = None


class Dice(Native):
    emoji: str
    value: int


class Titled(Native):
    """A Game."""

    title: Text
    description: Text = ""


class Option(Native):
    """A PollOption or a ChecklistTask."""

    text: Text
    completion_date: int = 0


class Poll(Native):
    question: Text
    options: Annotated[tuple[Option, ...], Field(max_length=100)] = ()


class Checklist(Native):
    title: Text
    tasks: Annotated[tuple[Option, ...], Field(max_length=100)] = ()


class Point(Native):
    """A Location."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class Venue(Native):
    location: Point
    title: str
    address: str


class WebAppData(Native):
    data: Text
    button_text: Text


class Button(Native):
    text: str
    callback_data: str | None = None


class Keyboard(Native):
    inline_keyboard: tuple[tuple[Button, ...], ...] = ()


class DirectTopic(Native):
    topic_id: int


class PaidMedia(Native):
    photo: tuple[File, ...] = ()
    video: File | None = None
    live_photo: File | None = None


class PaidMediaInfo(Native):
    paid_media: tuple[PaidMedia, ...] = ()


class Origin(Native):
    """A MessageOrigin: from whom a message was forwarded."""

    type: str
    sender_user: User | None = None
    sender_user_name: str | None = None
    sender_chat: Chat | None = None
    chat: Chat | None = None


class RichMessage(Native):
    blocks: tuple[dict[str, Any], ...] = ()


class Replied(Native):
    """The message that a message replies to."""

    message_id: int
    sender: User | None = Field(default=None, alias="from")
    forum_topic_created: dict[str, Any] | None = None


class Message(Native):
    """Content that we do not read stays in `model_extra`: its name tells what was not understood."""

    model_config = ConfigDict(extra="allow")

    message_id: int
    date: Moment
    chat: Chat
    sender: User | None = Field(default=None, alias="from")
    sender_chat: Chat | None = None
    sender_business_bot: User | None = None
    message_thread_id: int | None = None
    is_topic_message: bool = False
    is_automatic_forward: bool = False
    direct_messages_topic: DirectTopic | None = None
    business_connection_id: str | None = None
    reply_to_message: Replied | None = None
    forward_origin: Origin | None = None
    forward_from: User | None = None
    forward_from_chat: Chat | None = None
    forward_sender_name: str | None = None
    """What Bot API 7.0 (2023-12) has put together in `forward_origin`."""
    edit_date: Moment | None = None
    media_group_id: str | None = None
    text: Text | None = None
    entities: Entities = ()
    caption: Text | None = None
    caption_entities: Entities = ()
    rich_message: RichMessage | None = None
    animation: File | None = None
    audio: File | None = None
    document: File | None = None
    live_photo: File | None = None
    paid_media: PaidMediaInfo | None = None
    photo: tuple[File, ...] = ()
    sticker: File | None = None
    video: File | None = None
    video_note: File | None = None
    voice: File | None = None
    checklist: Checklist | None = None
    contact: Contact | None = None
    dice: Dice | None = None
    game: Titled | None = None
    poll: Poll | None = None
    venue: Venue | None = None
    location: Point | None = None
    web_app_data: WebAppData | None = None
    reply_markup: Keyboard | None = None


class CallbackQuery(Native):
    id: str
    sender: User = Field(alias="from")
    message: Message | None = None
    data: str | None = None


class Reaction(Native):
    type: str
    emoji: str | None = None
    custom_emoji_id: str | None = None


class MessageReaction(Native):
    chat: Chat
    message_id: int
    user: User | None = None
    actor_chat: Chat | None = None
    date: Moment
    old_reaction: tuple[Reaction, ...] = ()
    new_reaction: tuple[Reaction, ...] = ()


class Member(Native):
    status: str
    user: User
    is_member: bool = False
    """Only of the status `restricted`."""


class MemberUpdated(Native):
    chat: Chat
    date: Moment
    old_chat_member: Member
    new_chat_member: Member


class BusinessMessagesDeleted(Native):
    business_connection_id: str
    chat: Chat
    message_ids: tuple[int, ...]


class Update(Native):
    """At most one of its kinds is present; those that we do not read stay in `model_extra`."""

    model_config = ConfigDict(extra="allow")

    update_id: int
    message: Message | None = None
    edited_message: Message | None = None
    channel_post: Message | None = None
    edited_channel_post: Message | None = None
    business_message: Message | None = None
    edited_business_message: Message | None = None
    deleted_business_messages: BusinessMessagesDeleted | None = None
    callback_query: CallbackQuery | None = None
    message_reaction: MessageReaction | None = None
    my_chat_member: MemberUpdated | None = None
    chat_member: MemberUpdated | None = None


class SavedUpdates(Native):
    """A saved answer of getUpdates."""

    ok: bool
    result: tuple[Update, ...]


def without_nulls(body: bytes) -> bytes:
    """Telegram leaves out what is absent; software that keeps and passes on its updates writes null."""
    try:
        return to_json(_filled(from_json(body)))
    except ValueError:
        return body


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one) for name, one in value.items() if one is not None}
    return [_filled(one) for one in value] if isinstance(value, list) else value


UPDATES: TypeAdapter[Update | SavedUpdates] = TypeAdapter(
    Annotated[Update | SavedUpdates, Field(union_mode="left_to_right")]
)
