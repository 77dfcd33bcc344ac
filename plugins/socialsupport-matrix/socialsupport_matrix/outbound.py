"""From intents to calls. A transaction's id is the intent's key: the same key makes the same event, once.

https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid (v1.18, 2026-11)
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from socialsupport_core.contract import (
    ContentRejected,
    DeliveryError,
    Flow,
    Forbidden,
    ReadBlob,
    Unreachable,
)
from socialsupport_core.model import (
    Attachment,
    Blob,
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
from socialsupport_matrix.api import Api
from socialsupport_matrix.markup import to_content
from socialsupport_matrix.native import EVENT, ROOM, USER, Json, id_of, objects_of, place_of
from socialsupport_matrix.syncing import direct_of, remember_direct, state_of

TYPING = 30_000
"""Milliseconds until a homeserver forgets that somebody types, if it is not told again."""
MOST_ROOMS = 5
"""Direct rooms with one person that are tried, and rooms that are followed when they moved."""
MESSAGE_TYPES = {"image": "m.image", "audio": "m.audio", "video": "m.video"}
ENCRYPTED = "the room is end-to-end encrypted: what we write there could not be read; use another room or channel"


def send(api: Api, intent: Intent) -> Flow[Receipt]:
    return (yield from _SENDERS[type(intent)](_Sender(api), intent))


def said(intent: SendMessage | EditMessage | OpenPrivate) -> Json:
    """Nobody is pinged, whatever a text says. #user-and-room-mentions"""
    return {"msgtype": "m.text", **to_content(intent.text or ""), "m.mentions": {}}


@dataclass(frozen=True, slots=True)
class _Sender:
    api: Api

    def message(self, intent: SendMessage) -> Flow[Receipt]:
        if len(intent.attachments) > 1:
            raise ContentRejected("a message of Matrix carries one file; send each in a message of its own")
        if not intent.text and not intent.attachments:
            raise ContentRejected("the message is empty")
        yield from self._readable(place_of(intent.thread.id)[0])
        content = said(intent)
        if intent.attachments:
            content = yield from self._file(intent.attachments[0], content, intent)
        return (yield from self._into(intent, "m.room.message", content | _around(intent)))

    def edit(self, intent: EditMessage) -> Flow[Receipt]:
        """#event-replacements: the text with an asterisk is for clients that know of no edits."""
        target = _target(intent)
        yield from self._readable(place_of(intent.thread.id)[0])
        new = said(intent)
        relates = {"rel_type": "m.replace", "event_id": target}
        content = new | {"body": f"* {new['body']}", "m.new_content": new, "m.relates_to": relates}
        if "formatted_body" in new:
            content["formatted_body"] = f"* {new['formatted_body']}"
        yield from self._into(intent, "m.room.message", content)
        return Receipt(native_id=target)

    def delete(self, intent: DeleteMessage) -> Flow[Receipt]:
        target = _target(intent)
        yield self._redaction(intent, target, intent.key)
        return Receipt(native_id=target)

    def react(self, intent: React) -> Flow[Receipt]:
        target = _target(intent)
        if not intent.reaction:
            return (yield from self._take_back(intent, target))
        relates = {"rel_type": "m.annotation", "event_id": target, "key": intent.reaction}
        try:
            return (yield from self._into(intent, "m.reaction", {"m.relates_to": relates}))
        except DeliveryError as error:
            if error.code != "M_DUPLICATE_ANNOTATION":
                raise
            return Receipt()

    def _take_back(self, intent: React, target: str) -> Flow[Receipt]:
        """Ours among the reactions to it. #get_matrixclientv1roomsroomidrelationseventidreltypeeventtype"""
        room = place_of(intent.thread.id)[0]
        path = f"{self.api.room(room)}/relations/{self.api.quoted(target)}/m.annotation/m.reaction"
        address = self.api.client(path).replace("/client/v3/", "/client/v1/", 1)
        response: httpx.Response = yield httpx.Request("GET", address, params={"limit": "100"})
        mine = [one for one in objects_of(response.json(), "chunk") if one.get("sender") == intent.own_account]
        for number, reaction in enumerate(mine):
            if native_id := id_of(reaction, "event_id", EVENT):
                yield self._redaction(intent, native_id, f"{intent.key}.{number}")
        return Receipt()

    def read(self, intent: MarkRead) -> Flow[Receipt]:
        """#post_matrixclientv3roomsroomidreceiptreceipttypeeventid"""
        room, root = place_of(intent.thread.id)
        path = f"{self.api.room(room)}/receipt/m.read/{self.api.quoted(_target(intent))}"
        yield self.api.post(path, {"thread_id": root} if root else {})
        return Receipt()

    def typing(self, intent: Typing) -> Flow[Receipt]:
        room = place_of(intent.thread.id)[0]
        path = f"{self.api.room(room)}/typing/{self.api.quoted(intent.own_account)}"
        yield self.api.put(path, {"typing": True, "timeout": TYPING})
        return Receipt()

    def private(self, intent: OpenPrivate) -> Flow[Receipt]:
        """In the direct room that we share already, or in a new one."""
        account = _account(intent)
        if account is None or account.kind != "matrix.user" or not USER.fullmatch(account.value):
            raise Unreachable(f"{account or 'nobody'} is no matrix.user; only those have direct rooms")
        room = (yield from self._shared(intent, account.value)) or (yield from self._opened(intent, account.value))
        thread = Thread(id=room, visibility="private")
        moved = intent.model_copy(update={"thread": thread})
        receipt = yield from self._into(moved, "m.room.message", said(intent))
        return receipt.model_copy(update={"thread": thread})

    def _shared(self, intent: OpenPrivate, who: str) -> Flow[str | None]:
        known = yield from direct_of(self.api, intent.own_account)
        listed = known.get(who)
        written = listed if isinstance(listed, list) else []
        rooms = [one for one in written if isinstance(one, str) and ROOM.fullmatch(one)]
        for room in rooms[-1 : -MOST_ROOMS - 1 : -1]:
            member = yield from state_of(self.api, room, "m.room.member", who)
            encrypted = yield from state_of(self.api, room, "m.room.encryption")
            if member.get("membership") in ("join", "invite") and not encrypted:
                return room
        return None

    def _opened(self, intent: OpenPrivate, who: str) -> Flow[str]:
        """The alias makes it one room, however often the call is made. #post_matrixclientv3createroom"""
        name = f"support-{hashlib.sha256(intent.key.encode()).hexdigest()[:24]}"
        wanted = {"preset": "private_chat", "is_direct": True, "invite": [who], "room_alias_name": name}
        try:
            response: httpx.Response = yield self.api.post("createRoom", wanted)
        except ContentRejected as error:
            if error.code != "M_ROOM_IN_USE":
                raise
            server = intent.own_account.partition(":")[2]
            response = yield self.api.get(f"directory/room/{self.api.quoted(f'#{name}:{server}')}")
        room = str(response.json()["room_id"])
        yield from remember_direct(self.api, intent.own_account, room, who)
        return room

    # inside

    def _readable(self, room: str) -> Flow[None]:
        self.api.room(room)
        encryption = yield from state_of(self.api, room, "m.room.encryption")
        if "algorithm" in encryption:
            raise Unreachable(ENCRYPTED, code="encrypted")

    def _into(self, intent: Intent, kind: str, content: Json) -> Flow[Receipt]:
        """Into the room, or into the one that has taken its place. #room-upgrades"""
        room, _ = place_of(intent.thread.id)
        first = room
        for _ in range(MOST_ROOMS):
            path = f"{self.api.room(room)}/send/{kind}/{self.api.quoted(intent.key)}"
            try:
                response: httpx.Response = yield self.api.put(path, content)
            except Forbidden:
                tombstone = yield from state_of(self.api, room, "m.room.tombstone")
                replacement = id_of(tombstone, "replacement_room", ROOM)
                if replacement is None or kind == "m.reaction":
                    raise
                yield from self._readable(replacement)
                room, content = replacement, {name: value for name, value in content.items() if name != "m.relates_to"}
                continue
            thread = Thread(id=room, visibility=intent.thread.visibility) if room != first else None
            return Receipt(native_id=str(response.json()["event_id"]), thread=thread)
        raise Unreachable("the room has moved too often; look for it in a client", code="moved")

    def _redaction(self, intent: Intent, target: str, key: str) -> httpx.Request:
        room = place_of(intent.thread.id)[0]
        return self.api.put(f"{self.api.room(room)}/redact/{self.api.quoted(target)}/{self.api.quoted(key)}", {})

    def _file(self, attachment: Attachment, content: Json, intent: SendMessage) -> Flow[Json]:
        """#media-captions: `filename` is the file's name, `body` what is said of it."""
        if attachment.blob is None:
            raise ContentRejected("the attachment has no content: it names no blob")
        blob: Blob = yield ReadBlob(attachment.blob)
        name = attachment.name or blob.name or "file"
        response: httpx.Response = yield self.api.upload(blob.content, attachment.media_type, name)
        kind = MESSAGE_TYPES.get(attachment.media_type.partition("/")[0], "m.file")
        file = {
            "msgtype": kind,
            "url": str(response.json()["content_uri"]),
            "filename": name,
            "info": {"mimetype": attachment.media_type, "size": len(blob.content)},
        }
        return content | file | ({} if intent.text else {"body": name})


def _around(intent: SendMessage) -> Json:
    """#threading: in a thread an answer is told to old clients as one to the thread's beginning."""
    _, root = place_of(intent.thread.id)
    answered = _answered(intent.target, intent.thread)
    if root:
        relates: Json = {"rel_type": "m.thread", "event_id": root, "is_falling_back": answered is None}
        return {"m.relates_to": relates | {"m.in_reply_to": {"event_id": answered or root}}}
    return {"m.relates_to": {"m.in_reply_to": {"event_id": answered}}} if answered else {}


def _answered(target: Interaction | None, thread: Thread) -> str | None:
    """Event ids say nothing in another room."""
    is_here = target is not None and target.network == "matrix" and target.thread.id == thread.id
    return target.native_id if is_here and target and EVENT.fullmatch(target.native_id) else None


def _account(intent: OpenPrivate) -> Identifier | None:
    person = intent.recipient or (intent.target.author if intent.target else None)
    return person.account if person else None


def _target(intent: Intent) -> str:
    if intent.target is None or not EVENT.fullmatch(intent.target.native_id):
        raise ContentRejected(f"{intent.type} needs a target that is a message of Matrix")
    return intent.target.native_id


_SENDERS: Mapping[type[Any], Callable[[_Sender, Any], Flow[Receipt]]] = {
    SendMessage: _Sender.message,
    EditMessage: _Sender.edit,
    DeleteMessage: _Sender.delete,
    React: _Sender.react,
    MarkRead: _Sender.read,
    Typing: _Sender.typing,
    OpenPrivate: _Sender.private,
}
