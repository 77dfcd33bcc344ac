"""From a webhook of LINE to events.

https://developers.line.biz/en/reference/messaging-api/#webhook-event-objects (2026-11) and the published description
(https://github.com/line/line-openapi, webhook.yml, 2025-11). `destination` is our account; a request without events
is LINE trying the door.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of
from socialsupport_core.model import (
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionReceived,
    Party,
    Payload,
    Thread,
    ThreadUpdated,
    Unrecognised,
)
from socialsupport_line.content import content
from socialsupport_line.native import context, digest, moment_of

USER = "line.user"
PLACES: Mapping[str, tuple[str, str]] = {
    "user": ("userId", USER),
    "group": ("groupId", "line.group"),
    "room": ("roomId", "line.room"),
}
"""Field of the id, and the kind of its identifier, by the type of a source."""
REPLY_TIME = timedelta(minutes=1)
"""After which LINE promises nothing of a reply token (#send-reply-message, 2026-11)."""
TOKEN = re.compile(r"(?:(?<!\S)|/h/)([a-z2-7]{26})(?![^\s.,!?)/])")
"""A hand-off token: alone, or at the end of a link `…/h/TOKEN`."""
NONCE = re.compile(r"[a-z2-7]{26}")
CHANGES: Mapping[str, str] = {"unfollow": "blocked", "join": "joined", "leave": "left"}
MEMBERS: Mapping[str, tuple[str, str]] = {
    "memberJoined": ("joined", "member_joined"),
    "memberLeft": ("left", "member_left"),
}
REASONS: Mapping[str, str] = {
    "videoPlayComplete": "a video was watched to its end; this connector sends none",
    "beacon": "somebody came near a beacon; nothing was said",
    "membership": "a membership began, ended or was renewed; look into LINE Official Account Manager",
    "module": "a module channel was attached or detached",
    "activated": "another module has handed the conversation to us",
    "deactivated": "another module has taken the conversation over",
    "botSuspended": "LINE has suspended the account: look into LINE Official Account Manager",
    "botResumed": "LINE has resumed the account",
    "delivery": "a notification by phone number has arrived; this connector sends none",
    "accountLink": "the account was not linked, or with a nonce that is no hand-off token",
}
UNNAMED = "channel"
"""Our account, where LINE does not name it: until 2019 it did not.

https://developers.line.biz/en/news/tags/messaging-api/ (2026-11)
"""
CHOSEN = ("datetime", "date", "time")
"""What a date picker gives."""
UNKNOWN = "this connector does not read events of this kind"


def translated(payload: Payload) -> list[Event]:
    """One unreadable event among others is set aside; a payload of only such is malformed."""
    try:
        body = payload.json()
        if not isinstance(body, dict) or not isinstance(body.get("events"), list):
            raise Unreadable("the payload has no list of events")
        own = text_of(body, "destination") or UNNAMED
        found = [_read(native, own, payload.received_at) for native in body["events"]]
    except RecursionError:
        raise MalformedPayload("the payload is nested too deeply") from None
    except ValueError as error:
        raise MalformedPayload(f"the payload cannot be read: {_line(error)}") from error
    refused = [one for one in found if isinstance(one, ValueError)]
    if refused and len(refused) == len(found):
        raise MalformedPayload(f"the payload cannot be read: {_line(refused[0])}") from refused[0]
    return _once(body["events"], found, own)


def _read(native: Any, own: str, received_at: datetime) -> list[Event] | ValueError:
    try:
        if not isinstance(native, dict):
            raise Unreadable("an event is no JSON object")
        return list(Reading(native, own, received_at).events())
    except ValueError as error:
        return error


def _once(natives: list[Any], found: list[list[Event] | ValueError], own: str) -> list[Event]:
    events: dict[str, Event] = {}
    for native, read in zip(natives, found, strict=True):
        for event in [_set_aside(native, read, own)] if isinstance(read, ValueError) else read:
            first = events.setdefault(event.id, event)
            if first != event:  # two events of one id are not LINE's way, and still both are told
                told = event.model_dump(mode="json", exclude_defaults=True, exclude={"interaction": {"context"}})
                other = f"{event.id}#{digest(told)[:12]}"  # a reply token, which runs out, is no part of it
                events[other] = event.model_copy(update={"id": other})
    return list(events.values())


def _set_aside(native: Any, error: ValueError, own: str) -> Event:
    fields: Json = native if isinstance(native, dict) else {"event": native}
    lasting = {name: value for name, value in fields.items() if name != "deliveryContext"}
    return Unrecognised(
        id=(text_of(fields, "webhookEventId") or f"event.{digest(lasting)}")[:200],
        own_account=own,
        native_type=(text_of(fields, "type") or "event")[:100],
        reason=f"it cannot be read: {_line(error)}",
    )


def _line(error: ValueError) -> str:
    return str(error).partition("\n")[0][:200]


@dataclass(frozen=True, slots=True)
class Reading:
    """One native event. Its id is LINE's own and stays the same when LINE delivers it again."""

    native: Json
    own: str
    received_at: datetime

    def events(self) -> Iterator[Event]:
        readers: Mapping[str, Callable[[], Iterator[Event]]] = {
            "message": self._message,
            "postback": self._pressed,
            "unsend": self._unsent,
            "follow": self._followed,
            "accountLink": self._linked,
            **dict.fromkeys(CHANGES, self._changed),
            **dict.fromkeys(MEMBERS, self._members),
        }
        return readers.get(needed(self.native, "type"), self._unknown)()

    # what all events have

    @property
    def id(self) -> str:
        """LINE's own; events from before 2022 have none."""
        return text_of(self.native, "webhookEventId") or f"event.{digest(self._told)}"

    @property
    def _told(self) -> list[str | None]:
        where = [text_of(self.source, field) for field, _ in PLACES.values()]
        what = [text_of(object_of(self.native, name), "id", "messageId", "data") for name in ("message", "postback")]
        return [*(text_of(self.native, name) for name in ("type", "timestamp")), *where, *what]

    @property
    def at(self) -> datetime:
        return moment_of(self.native, "timestamp") or self.received_at

    @property
    def source(self) -> Json:
        return object_of(self.native, "source")

    def place(self) -> Identifier:
        """Somebody's own chat with us, a group, or a chat of several."""
        kind = needed(self.source, "type")
        if kind not in PLACES:
            raise Unreadable(f"a source of the type {kind[:50]!r}")
        field, identifier = PLACES[kind]
        return Identifier(kind=identifier, value=needed(self.source, field))

    def thread(self) -> Thread:
        return Thread(id=self.place().value, visibility="private")

    def author(self) -> Party:
        """In a group LINE names only who agreed to it: of the others the group itself is all there is to know."""
        user = text_of(self.source, "userId")
        return Party(identifiers=(Identifier(kind=USER, value=user) if user else self.place(),))

    # readers

    def _message(self) -> Iterator[Event]:
        message = object_of(self.native, "message")
        said, more = content(message)
        if not said:
            kind = f"message.{needed(message, 'type')}"[:100]
            yield Unrecognised(id=self.id, own_account=self.own, native_type=kind, reason=UNKNOWN)
            return
        tokens = {"quote": text_of(message, "quoteToken"), "read": text_of(message, "markAsReadToken")}
        found = TOKEN.search(text_of(message, "text") or "")
        if found and text_of(self.source, "userId"):
            yield self._claim(f"{self.id}:token", found[1])
        said |= {"in_reply_to": text_of(message, "quotedMessageId")}
        yield self._interaction(needed(message, "id"), said, tokens, more)

    def _pressed(self) -> Iterator[Event]:
        """A button; its words are not told, a chosen date or time is."""
        postback = object_of(self.native, "postback")
        params = {name: value for name, value in object_of(postback, "params").items() if isinstance(value, str)}
        said = {"choice": needed(postback, "data"), "text": next(filter(None, map(params.get, CHOSEN)), None)}
        yield self._interaction(self.id, said, {}, {"params": params})

    def _interaction(self, native_id: str, said: dict[str, Any], tokens: dict[str, Any], more: Json) -> Event:
        is_fresh = self.received_at - self.at <= REPLY_TIME
        reply = text_of(self.native, "replyToken") if is_fresh else None
        interaction = Interaction(
            network="line",
            native_id=native_id,
            kind="message",
            direction="inbound",
            own_account=self.own,
            thread=self.thread(),
            author=self.author(),
            context=context({"reply": reply, **tokens}, more),
            sent_at=self.at,
            **{name: value for name, value in said.items() if value is not None},
        )
        return InteractionReceived(id=self.id, interaction=interaction)

    def _unsent(self) -> Iterator[Event]:
        message_id = needed(object_of(self.native, "unsend"), "messageId")
        yield InteractionDeleted(
            id=self.id, own_account=self.own, thread=self.thread(), native_id=message_id, at=self.at
        )

    def _followed(self) -> Iterator[Event]:
        again = object_of(self.native, "follow").get("isUnblocked") is True
        yield self._update(self.id, "unblocked" if again else "followed")

    def _changed(self) -> Iterator[Event]:
        yield self._update(self.id, CHANGES[needed(self.native, "type")])

    def _members(self) -> Iterator[Event]:
        """One for each: who it was stands in the payload, a thread keeps no list."""
        field, change = MEMBERS[needed(self.native, "type")]
        members = objects_of(object_of(self.native, field), "members")
        if not members:
            raise Unreadable("members are missing")
        for number, _ in enumerate(members, start=1):
            yield self._update(f"{self.id}:{number}", change)

    def _update(self, event_id: str, change: str) -> Event:
        return ThreadUpdated(id=event_id, own_account=self.own, thread=self.thread(), change=change, at=self.at)

    def _linked(self) -> Iterator[Event]:
        """Linking is ours to begin, with a nonce of ours: where that is a hand-off token, LINE vouches for both ends.

        https://developers.line.biz/en/docs/messaging-api/linking-accounts/ (2026-11)
        """
        link = object_of(self.native, "link")
        nonce = text_of(link, "nonce") or ""
        if text_of(link, "result") == "ok" and NONCE.fullmatch(nonce):
            yield self._claim(self.id, nonce)
        else:
            yield from self._unknown()

    def _claim(self, event_id: str, token: str) -> Event:
        subject = self.author().account
        assert subject
        return IdentityClaimed(
            id=event_id,
            own_account=self.own,
            subject=subject,
            proof="handoff_token",
            token=token,
            thread=self.thread(),
            at=self.at,
        )

    def _unknown(self) -> Iterator[Event]:
        kind = needed(self.native, "type")[:100]
        yield Unrecognised(id=self.id, own_account=self.own, native_type=kind, reason=REASONS.get(kind, UNKNOWN))
