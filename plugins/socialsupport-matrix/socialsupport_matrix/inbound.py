"""From what a homeserver tells of one room to events.

A payload is one room's share of an answer to `/sync` or `/messages`, put together by `syncing`: its events are
as the homeserver sent them, beside them stands what a reader of this share alone could not know.

https://spec.matrix.org/latest/client-server-api/#room-events (v1.18, 2026-11)
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.model import (
    Attachment,
    DeliveryUpdated,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Location,
    Party,
    Payload,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    ThreadUpdated,
    TypingStarted,
    Unrecognised,
)
from socialsupport_core.text import escape
from socialsupport_matrix import raw
from socialsupport_matrix.markup import to_markdown
from socialsupport_matrix.native import (
    EVENT,
    MXC,
    ROOM,
    USER,
    Json,
    at_of,
    id_of,
    names,
    number_of,
    object_of,
    objects_of,
    related,
    relation,
    replied,
    text_of,
    thread_id,
)

TOKEN = re.compile(r"\s*([a-z2-7]{26})\s*")
"""A hand-off token that somebody pastes."""
UNREADABLE = (
    "[This message is end-to-end encrypted and cannot be read here. "
    "Please ask for it to be sent again in a room without encryption, or on another channel.]"
)
GEO = re.compile(r"geo:(-?\d{1,3}(?:\.\d{1,15})?),(-?\d{1,3}(?:\.\d{1,15})?)(?:,-?[\d.]{1,20})?(?:;.*)?")
FILES: Mapping[str, str] = {
    "m.image": "image/*",
    "m.audio": "audio/*",
    "m.video": "video/*",
    "m.file": "application/octet-stream",
    "m.sticker": "image/*",
}
"""The media type of a file whose sender names none. #mroommessage-msgtypes, #sticker-messages"""
CHANGES: Mapping[str, str] = {
    "m.room.name": "title",
    "m.room.topic": "topic",
    "m.room.tombstone": "moved",
    "m.room.encryption": "encrypted",
    "m.room.join_rules": "visibility",
    "m.room.history_visibility": "visibility",
}
MEMBERS: Mapping[str, str] = {
    "join": "member_joined",
    "leave": "member_left",
    "ban": "member_banned",
    "invite": "member_invited",
    "knock": "member_asked",
}
"""#mroommember"""


def translated(payload: Payload, own: str) -> list[Event]:
    """Raises MalformedPayload."""
    try:
        told = payload.json()
    except ValueError as error:
        raise MalformedPayload("this is no JSON") from error
    ours = isinstance(told, dict) and {"own_account", "timeline"} & told.keys()
    given = [told] if ours or (found := raw.shares(told)) is None else found
    return [event for share in given for event in _shared(share, own, payload.received_at)]


def _shared(share: Any, own: str, now: datetime) -> Iterator[Event]:
    room = id_of(share, "room_id", ROOM)
    if room is None or not isinstance(share.get("timeline", []), list):
        raise MalformedPayload("this is no sync, and no share of one: rooms or room_id is missing")
    shown = names([*objects_of(share, "state"), *objects_of(share, "timeline")])
    return _Translator(share, room, id_of(share, "own_account", USER) or own, now, shown).events()


@dataclass(frozen=True, slots=True)
class _Translator:
    told: Json
    room: str
    own: str
    now: datetime
    shown: dict[str, str]
    """What people call themselves."""

    def events(self) -> Iterator[Event]:
        if self.told.get("missed") is True:
            reason = "more came than is read back after a pause; the oldest messages of it are missing"
            key = f"missed:{self.room}:{self._batch}"[:1024]
            yield Unrecognised(id=key, own_account=self.own, native_type="gap", reason=reason)
        seen: set[str] = set()
        for event in objects_of(self.told, "timeline"):
            native_id = id_of(event, "event_id", EVENT) or f"?{_digest(event)}"
            if native_id not in seen:
                seen.add(native_id)
                yield from self._event(event, native_id)
        for event in objects_of(self.told, "ephemeral"):
            yield from self._passing(event)

    def _event(self, event: Json, native_id: str) -> Iterator[Event]:
        kind, sender = text_of(event, "type") or "?", id_of(event, "sender", USER)
        if sender is None or native_id.startswith("?"):
            yield self._unknown(native_id, kind, "it lacks an event_id or a sender")
        elif "redacted_because" in object_of(event, "unsigned") and kind in ("m.room.message", "m.sticker"):
            yield self._deleted(native_id, native_id, object_of(object_of(event, "unsigned"), "redacted_because"))
        elif handler := _HANDLERS.get(kind):
            yield from handler(self, event, native_id, sender)
        elif kind in CHANGES:
            yield self._changed(event, native_id, CHANGES[kind])
        elif "state_key" not in event:
            yield self._unknown(native_id, kind, None)

    # messages

    def _message(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        if original := related(event, "m.replace"):
            yield from self._edited(event, native_id, sender, original)
            return
        content = object_of(event, "content")
        interaction = self._interaction(event, native_id, sender, content)
        if interaction is None:
            kind = text_of(content, "msgtype") or "nothing"
            yield self._unknown(native_id, f"m.room.message/{kind}"[:200], "there is nothing in it that can be shown")
            return
        if interaction.direction == "inbound" and (token := TOKEN.fullmatch(interaction.text or "")):
            yield IdentityClaimed(
                id=f"{native_id}:token",
                own_account=self.own,
                subject=_identifier(sender),
                proof="handoff_token",
                token=token[1],
                thread=interaction.thread,
                at=interaction.sent_at,
            )
        yield InteractionReceived(id=native_id, interaction=interaction)

    def _poll(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        """#polls, and as clients have sent them before: the text for clients without polls says all of it."""
        content = object_of(event, "content")
        written = next((text for one in objects_of(content, "m.text") if (text := text_of(one, "body"))), None)
        body = written or text_of(content, "org.matrix.msc1767.text")
        interaction = self._interaction(event, native_id, sender, {"body": body})
        if interaction is None:
            yield self._unknown(native_id, "m.poll.start", "there is nothing in it that can be shown")
            return
        yield InteractionReceived(id=native_id, interaction=interaction)

    def _encrypted(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        if related(event, "m.replace"):
            yield self._unknown(native_id, "m.room.encrypted", "an edit that is end-to-end encrypted")
            return
        told = self._interaction(event, native_id, sender, {"body": UNREADABLE})
        if told is not None:
            context = json.dumps({"encrypted": True})
            changed = {"text": escape(UNREADABLE), "context": context}
            yield InteractionReceived(id=native_id, interaction=told.model_copy(update=changed))

    def _edited(self, event: Json, native_id: str, sender: str, original: str) -> Iterator[Event]:
        """#event-replacements: the new content stands beside, and only the author may replace."""
        content = object_of(object_of(event, "content"), "m.new_content")
        interaction = self._interaction(event, original, sender, content)
        if interaction is None:
            yield self._unknown(native_id, "m.replace", "there is nothing in it that can be shown")
            return
        yield InteractionEdited(id=native_id, interaction=interaction, edited_at=interaction.sent_at)

    def _interaction(self, event: Json, native_id: str, sender: str, content: Json) -> Interaction | None:
        is_own = sender == self.own
        text, files, location = _said(event, content)
        if text is None and not files and location is None:
            return None
        counterpart = id_of(self.told, "counterpart", USER)
        return Interaction(
            network="matrix",
            native_id=native_id,
            kind="message",
            direction="outbound" if is_own else "inbound",
            own_account=self.own,
            thread=self._thread(native_id, related(event, "m.thread")),
            author=self._party(sender, is_bot=content.get("msgtype") == "m.notice"),
            recipients=(self._party(counterpart),) if is_own and counterpart else (),
            in_reply_to=replied(event),
            text=text,
            attachments=files,
            location=location,
            duration=_duration(content),
            client_key=_key(event) if is_own else None,
            sent_at=at_of(event, "origin_server_ts", self.now),
        )

    # what happens to messages

    def _reaction(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        """#annotations"""
        target, key = related(event, "m.annotation"), text_of(relation(event), "key")
        if target is None or key is None or len(key) > 128:
            yield self._unknown(native_id, "m.reaction", "it names no message or no emoji")
            return
        yield ReactionAdded(
            id=native_id,
            own_account=self.own,
            thread=self._thread(target, None),
            native_id=target,
            author=self._party(sender),
            reaction=key,
            at=at_of(event, "origin_server_ts", self.now),
        )

    def _redaction(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        """#redactions; `redacts` stands in the content from version 11 of rooms on."""
        target = id_of(event, "redacts", EVENT) or id_of(event.get("content"), "redacts", EVENT)
        if target is None:
            yield self._unknown(native_id, "m.room.redaction", "it names no event")
            return
        reaction = object_of(object_of(self.told, "reactions"), target)
        reacted, key = id_of(reaction, "target", EVENT), text_of(reaction, "key")
        author = id_of(reaction, "author", USER)
        if not (reacted and key and author):
            yield self._deleted(native_id, target, event)
            return
        yield ReactionRemoved(
            id=native_id,
            own_account=self.own,
            thread=self._thread(reacted, None),
            native_id=reacted,
            author=self._party(author),
            reaction=key[:128],
            at=at_of(event, "origin_server_ts", self.now),
        )

    def _deleted(self, native_id: str, target: str, redaction: Json) -> InteractionDeleted:
        key = f"{native_id}:redacted" if native_id == target else native_id
        at = at_of(redaction, "origin_server_ts", self.now)
        return InteractionDeleted(id=key, own_account=self.own, native_id=target, at=at)

    # what happens to rooms

    def _member(self, event: Json, native_id: str, sender: str) -> Iterator[Event]:
        content = object_of(event, "content")
        before = object_of(object_of(event, "unsigned"), "prev_content").get("membership")
        membership = content.get("membership")
        if membership != before and isinstance(membership, str) and membership in MEMBERS:
            yield self._changed(event, native_id, MEMBERS[membership])

    def _changed(self, event: Json, native_id: str, change: str) -> ThreadUpdated:
        at = at_of(event, "origin_server_ts", self.now)
        return ThreadUpdated(id=native_id, own_account=self.own, thread=self._room(), change=change, at=at)

    def _passing(self, event: Json) -> Iterator[Event]:
        if event.get("type") == "m.typing":
            yield from self._typing(event)
        elif event.get("type") == "m.receipt":
            yield from self._read(object_of(event, "content"))

    def _typing(self, event: Json) -> Iterator[Event]:
        """#typing-notifications: all who type now; who goes on is told again with the next change only."""
        written = object_of(event, "content").get("user_ids")
        users = {user for user in written if isinstance(user, str)} if isinstance(written, list) else set()
        for user in sorted(users - {self.own}):
            if USER.fullmatch(user):
                yield TypingStarted(
                    id=f"typing:{self.room}:{self._batch}:{user}"[:1024],
                    own_account=self.own,
                    thread=self._room(),
                    author=self._party(user),
                    at=self.now,
                )

    def _read(self, content: Json) -> Iterator[Event]:
        """#receipts: up to this event, and therefore until this moment."""
        for native_id in content:
            readers = object_of(object_of(content, native_id), "m.read")
            for user in readers:
                if EVENT.fullmatch(native_id) and USER.fullmatch(user) and user != self.own:
                    told = object_of(readers, user)
                    root = id_of(told, "thread_id", EVENT)
                    yield DeliveryUpdated(
                        id=f"read:{_digest([self.room, native_id, user, root])}",
                        own_account=self.own,
                        state="read",
                        thread=self._thread(native_id, root),
                        at=at_of(told, "ts", self.now),
                    )

    # who and where

    def _thread(self, native_id: str, root: str | None) -> Thread:
        """In the thread that the event names, or that its target was found in."""
        known = id_of(object_of(self.told, "roots"), native_id, EVENT)
        return self._room(root or known)

    def _room(self, root: str | None = None) -> Thread:
        is_public = self.told.get("visibility") == "public"
        return Thread(id=thread_id(self.room, root), visibility="public" if is_public else "private")

    def _party(self, user: str, *, is_bot: bool = False) -> Party:
        return Party(
            identifiers=(_identifier(user),),
            name=self.shown.get(user),
            handle=user.removeprefix("@"),
            is_self=user == self.own,
            is_bot=is_bot,
        )

    def _unknown(self, native_id: str, kind: str, reason: str | None) -> Unrecognised:
        return Unrecognised(id=native_id, own_account=self.own, native_type=kind, reason=reason)

    @property
    def _batch(self) -> str:
        return text_of(self.told, "batch") or ""


def _said(event: Json, content: Json) -> tuple[str | None, tuple[Attachment, ...], Location | None]:
    """Text, files and place of a message, or of what replaces it."""
    kind = "m.sticker" if event.get("type") == "m.sticker" else content.get("msgtype", "m.text")
    relations = {"m.relates_to": relation(event)}
    if kind == "m.location":
        return None, (), _location(content)
    if isinstance(kind, str) and kind in FILES:
        return _with_file(kind, content, relations)
    text = to_markdown(content | relations)
    return (f"/me {text}" if kind == "m.emote" and text else text), (), None


def _with_file(kind: str, content: Json, relations: Json) -> tuple[str | None, tuple[Attachment, ...], Location | None]:
    """A `body` beside a `filename` is a caption (since v1.10). #media-captions"""
    body, name = text_of(content, "body"), text_of(content, "filename")
    info, address = object_of(content, "info"), id_of(content, "url", MXC)
    caption = to_markdown(content | relations) if name and body != name and kind != "m.sticker" else None
    if address is None:
        return escape(body or ""), (), None
    file = Attachment(
        media_type=_media_type(text_of(info, "mimetype"), FILES[kind]),
        native_id=address,
        name=None if kind == "m.sticker" else (name or body),
        size=number_of(info, "size"),
        text=body if kind == "m.sticker" else None,
    )
    return caption, (file,), None


def _media_type(told: str | None, otherwise: str) -> str:
    return told if told and re.fullmatch(r"[\w.+-]{1,80}/[\w.+-]{1,80}", told) else otherwise


def _location(content: Json) -> Location | None:
    found = GEO.fullmatch((text_of(content, "geo_uri") or "")[:200])
    if found is None:
        return None
    latitude, longitude = float(found[1]), float(found[2])
    if abs(latitude) > 90 or abs(longitude) > 180:
        return None
    return Location(latitude=latitude, longitude=longitude, name=text_of(content, "body"))


def _duration(content: Json) -> float | None:
    found = number_of(object_of(content, "info"), "duration")
    return None if found is None else found / 1000


def _key(event: Json) -> str | None:
    """Ours, which only the device that has sent it gets back."""
    found = text_of(object_of(event, "unsigned"), "transaction_id")
    return found if found and len(found) <= 128 else None


def _identifier(user: str) -> Identifier:
    return Identifier(kind="matrix.user", value=user)


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


_HANDLERS: Mapping[str, Callable[[_Translator, Json, str, str], Iterator[Event]]] = {
    "m.room.message": _Translator._message,
    "m.sticker": _Translator._message,
    "m.room.encrypted": _Translator._encrypted,
    "m.poll.start": _Translator._poll,
    "org.matrix.msc3381.poll.start": _Translator._poll,
    "m.reaction": _Translator._reaction,
    "m.room.redaction": _Translator._redaction,
    "m.room.member": _Translator._member,
}
