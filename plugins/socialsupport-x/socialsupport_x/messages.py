"""Direct messages, typing and read receipts.

v1.1 events: https://docs.x.com/x-api/account-activity/introduction (2026-07); the X Activity API wraps the
same in `dm.received` and `dm.sent`.
v2 events: https://docs.x.com/x-api/direct-messages/lookup/integrate (2026-07); by that page, ids of messages
and conversations are the same in both.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, texts_of
from socialsupport_core.model import (
    Attachment,
    DeliveryUpdated,
    Event,
    IdentityClaimed,
    Interaction,
    InteractionReceived,
    Location,
    Party,
    Thread,
    ThreadUpdated,
    TypingStarted,
)
from socialsupport_x.people import identifier, known, party
from socialsupport_x.posts import Scene
from socialsupport_x.reading import attachment, moment_of, point, written

TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
ONE_TO_ONE = re.compile(r"([0-9]{1,19})-([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Message:
    """A direct message of either generation."""

    id: str
    sender: str
    conversation: str
    text: str | None
    at: datetime
    recipient: str | None = None
    attachments: tuple[Attachment, ...] = ()
    choice: str | None = None
    location: Location | None = field(default=None)


def private(conversation: str) -> Thread:
    return Thread(id=conversation, visibility="private")


def conversation_of(one: str, other: str) -> str:
    """The id of a one-to-one conversation: the smaller user id first."""
    if not (one.isascii() and one.isdigit() and other.isascii() and other.isdigit()):
        raise Unreadable("a direct message has a participant whose id is not a number")
    return "-".join(sorted((one, other), key=lambda user_id: (len(user_id), user_id)))


def counterpart(conversation: str, own: str) -> str | None:
    """The other participant; None in a group."""
    match = ONE_TO_ONE.fullmatch(conversation)
    others = [user_id for user_id in match.groups() if user_id != own] if match else []
    return others[0] if len(others) == 1 else None


# Reading


def from_v1(event: Json, scene: Scene) -> Message:
    create = object_of(event, "message_create")
    data = object_of(create, "message_data")
    attached = object_of(data, "attachment")
    media = [item for item in (object_of(attached, "media"),) if item]
    hidden = frozenset(link for item in media if (link := text_of(item, "url")))
    links = objects_of(object_of(data, "entities"), "urls")
    sender = needed(create, "sender_id")
    recipient = needed(object_of(create, "target"), "recipient_id")
    return Message(
        id=needed(event, "id"),
        sender=sender,
        recipient=recipient,
        conversation=conversation_of(sender, recipient),
        text=written(text_of(data, "text") or "", links, hidden),
        at=moment_of(event, "created_timestamp") or scene.received_at,
        attachments=tuple(attachment(item) for item in media),
        choice=text_of(object_of(data, "quick_reply_response"), "metadata"),
        location=_location(attached),
    )


def _location(attached: Json) -> Location | None:
    return point(object_of(object_of(object_of(attached, "location"), "shared_coordinate"), "coordinates"))


def from_v2(event: Json, scene: Scene) -> Message:
    conversation = needed(event, "dm_conversation_id")
    keys = texts_of(object_of(event, "attachments"), "media_keys")
    links = objects_of(object_of(event, "entities"), "urls")
    hidden = frozenset(short for link in links if _is_media(link) and (short := text_of(link, "url")))
    sender = needed(event, "sender_id")
    other = counterpart(conversation, scene.own)
    return Message(
        id=needed(event, "id"),
        sender=sender,
        recipient=other if sender == scene.own else scene.own,
        conversation=conversation,
        text=written(text_of(event, "text") or "", links, hidden),
        at=moment_of(event, "created_at") or scene.received_at,
        attachments=tuple(attachment(scene.media.get(key, {"media_key": key})) for key in keys),
    )


def _is_media(link: Json) -> bool:
    """X appends a link to attached media, which nobody wrote."""
    return "/messages/media/" in (text_of(link, "expanded_url") or "")


# Translating


def received(message: Message, scene: Scene) -> Iterator[Event]:
    author = party(known(message.sender, scene.users), scene.own)
    if not author.is_self and (token := token_in(message.text or "")):
        yield claim(token, message, scene)
    yield InteractionReceived(
        id=message.id,
        interaction=Interaction(
            network="x",
            native_id=message.id,
            kind="message",
            direction="outbound" if author.is_self else "inbound",
            own_account=scene.own,
            thread=private(message.conversation),
            author=author,
            recipients=_recipients(message, author, scene),
            text=message.text,
            attachments=message.attachments,
            choice=message.choice,
            location=message.location,
            sent_at=message.at,
        ),
    )


def _recipients(message: Message, author: Party, scene: Scene) -> tuple[Party, ...]:
    if not author.is_self or message.recipient in (None, scene.own):
        return ()
    assert message.recipient is not None
    return (party(known(message.recipient, scene.users), scene.own),)


def token_in(text: str) -> str | None:
    match = TOKEN.search(text)
    return match[1] if match else None


def claim(token: str, message: Message, scene: Scene) -> IdentityClaimed:
    return IdentityClaimed(
        id=f"{message.id}.claim",
        own_account=scene.own,
        subject=identifier(message.sender),
        proof="handoff_token",
        token=token,
        thread=private(message.conversation),
        at=message.at,
    )


def received_v1(event: Json, scene: Scene) -> Iterator[Event]:
    if event.get("type") != "message_create":
        raise Unreadable("a direct message event that is not a message_create")
    return received(from_v1(event, scene), scene)


def received_v2(event: Json, scene: Scene) -> Iterator[Event]:
    native_type = needed(event, "event_type")
    if native_type in MEMBERSHIP:
        return iter([membership(event, MEMBERSHIP[native_type], scene)])
    if native_type != "MessageCreate":
        raise Unreadable(f"a direct message event of the unknown type {native_type}")
    return received(from_v2(event, scene), scene)


MEMBERSHIP = {"ParticipantsJoin": "participants joined", "ParticipantsLeave": "participants left"}


def membership(event: Json, change: str, scene: Scene) -> ThreadUpdated:
    return ThreadUpdated(
        id=needed(event, "id"),
        own_account=scene.own,
        thread=private(needed(event, "dm_conversation_id")),
        change=change,
        at=moment_of(event, "created_at") or scene.received_at,
    )


def typing_v1(event: Json, scene: Scene) -> Iterator[Event]:
    sender = needed(event, "sender_id")
    at = moment_of(event, "created_timestamp") or scene.received_at
    yield TypingStarted(
        id=f"{sender}.typing.{at.timestamp():.3f}",
        own_account=scene.own,
        thread=private(conversation_of(sender, scene.own)),
        author=party(known(sender, scene.users), scene.own),
        at=at,
    )


def read_v1(event: Json, scene: Scene) -> Iterator[Event]:
    """Everything until then has been read: so X has no receipt for each message."""
    sender = needed(event, "sender_id")
    if sender == scene.own:
        raise Unreadable("a read receipt of our own")
    yield DeliveryUpdated(
        id=f"{sender}.read.{needed(event, 'last_read_event_id')}",
        own_account=scene.own,
        state="read",
        thread=private(conversation_of(sender, scene.own)),
        at=moment_of(event, "created_timestamp") or scene.received_at,
    )
