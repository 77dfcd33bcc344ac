"""Polling: `/sync` by a token, holes in timelines filled by `/messages`, invitations followed.

https://spec.matrix.org/latest/client-server-api/#syncing (v1.18, 2026-11)
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

import httpx
from pydantic import Field, ValidationError

from socialsupport_core.contract import ConfigError, DeliveryError, Flow, RateLimited, Uncertain, answered_at
from socialsupport_core.model import Page, Payload, Value
from socialsupport_matrix.api import Api
from socialsupport_matrix.native import (
    EVENT,
    ROOM,
    USER,
    Json,
    id_of,
    number_of,
    object_of,
    objects_of,
    related,
    relation,
    text_of,
)
from socialsupport_matrix.settings import MatrixSettings

LONG_POLL = 25
"""Seconds. The homeserver answers at once when there is news."""
READ = 120.0
"""Seconds for the first answer, which tells of all rooms."""
TIMELINE = 50
"""Events of a room in one answer; what is more is read back."""
PAGE, MOST_PAGES = 100, 10
"""What is read back: events in a page, and pages of a room in one poll."""
MOST_LOOKUPS = 50
"""Messages looked up in one poll, to know the thread of what was edited or reacted to."""
MOST_REACTIONS = 50
"""The newest reactions, kept so that it is known what one said when it is taken back: a redaction tells only its id."""
PUBLIC = {
    "m.room.join_rules": ("join_rule", "public"),
    "m.room.history_visibility": ("history_visibility", "world_readable"),
}
"""What makes a room public: anybody may come in, or may read without coming in. #mroomjoin_rules"""
FOLLOWED = {"all": True, "direct": True, "none": False}


class Kept(Value):
    """What one reaction said."""

    target: str
    key: str
    author: str


class Cursor(Value):
    """Where to go on, and what is told once but needed later."""

    since: str | None = None
    own: str | None = None
    public: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Public rooms, and the types of the state events that make them so."""
    direct: dict[str, str] = Field(default_factory=dict)
    """Direct rooms, and with whom."""
    invites: dict[str, bool] = Field(default_factory=dict)
    """Rooms that we are still to enter, and whether they are direct."""
    reactions: dict[str, Kept] = Field(default_factory=dict)

    @classmethod
    def read(cls, cursor: str | None) -> "Cursor":
        try:
            return cls.model_validate_json(cursor) if cursor else cls()
        except ValidationError as error:
            raise ConfigError("the stored cursor is not one of Matrix's; reset the channel's cursor") from error


def poll(api: Api, settings: MatrixSettings, cursor: Cursor) -> Flow[Page]:
    own = cursor.own or (yield from whoami(api))
    response: httpx.Response = yield _request(api, cursor.since, settings.backlog)
    told = response.json()
    batch = str(told["next_batch"])
    round_ = _Round(api, settings, cursor, own, batch, answered_at(response))
    round_.account(objects_of(object_of(told, "account_data"), "events"))
    rooms = object_of(told, "rooms")
    for kind in ("join", "leave"):
        for room, share in _rooms(rooms, kind):
            yield from round_.room(room, share)
    for room, share in _rooms(rooms, "invite"):
        round_.invited(room, objects_of(object_of(share, "invite_state"), "events"))
    yield from round_.enter()
    return Page(payloads=tuple(round_.payloads), cursor=round_.cursor().to_json())


def whoami(api: Api) -> Flow[str]:
    response: httpx.Response = yield api.get("account/whoami")
    return str(response.json()["user_id"])


def _rooms(rooms: Json, kind: str) -> Iterator[tuple[str, Json]]:
    for room in object_of(rooms, kind):
        if ROOM.fullmatch(room):
            yield room, object_of(object_of(rooms, kind), room)


def _request(api: Api, since: str | None, backlog: int) -> httpx.Request:
    members = {"lazy_load_members": True, "include_redundant_members": True}
    limit = TIMELINE if since else max(backlog, 1)
    room = {"timeline": {"limit": limit}, "state": members, "account_data": {"types": []}}
    wanted = {"presence": {"types": []}, "account_data": {"types": ["m.direct"]}, "room": room}
    query = {"filter": json.dumps(wanted, separators=(",", ":")), "timeout": str(LONG_POLL * 1000 if since else 0)}
    request = api.get("sync", **query, **({"since": since} if since else {}))
    request.extensions["timeout"] = httpx.Timeout(10, read=LONG_POLL + 10 if since else READ).as_dict()
    return request


class _Round:
    """One answer to `/sync` on its way into payloads and the next cursor."""

    def __init__(self, api: Api, settings: MatrixSettings, cursor: Cursor, own: str, batch: str, at: datetime) -> None:
        self.api, self.settings, self.own, self.batch, self.at = api, settings, own, batch, at
        self.since = cursor.since
        self.public = dict(cursor.public)
        self.direct = dict(cursor.direct)
        self.invites = dict(cursor.invites)
        self.reactions = dict(cursor.reactions)
        self.payloads: list[Payload] = []
        self.lookups = MOST_LOOKUPS

    def cursor(self) -> Cursor:
        newest = dict(list(self.reactions.items())[-MOST_REACTIONS:])
        return Cursor(
            since=self.batch,
            own=self.own,
            public=self.public,
            direct=self.direct,
            invites=self.invites,
            reactions=newest,
        )

    def account(self, events: Iterable[Json]) -> None:
        """#mdirect: whole, whenever it changes."""
        for event in events:
            if event.get("type") == "m.direct":
                self.direct = direct_rooms(object_of(event, "content"))

    def room(self, room: str, share: Json) -> Flow[None]:
        timeline, state = object_of(share, "timeline"), objects_of(object_of(share, "state"), "events")
        events, missed = objects_of(timeline, "events"), False
        learn(self.public, room, [*state, *events])
        self.invites.pop(room, None)
        if self.since is None:
            events = events[len(events) - self.settings.backlog :] if self.settings.backlog else []
        else:
            if timeline.get("limited") is True and _own(events, self.own, "join") is None:
                events, missed = yield from self._back(room, text_of(timeline, "prev_batch"), events, state)
            state = [*state, *events]  # who they are may stand in what is left out
            events = self._since_invited(events)
        if moved := next((one for one in events if one.get("type") == "m.room.tombstone"), None):
            self._follow(room, moved)
        ephemeral = objects_of(object_of(share, "ephemeral"), "events") if self.since else []
        if events or ephemeral or missed:
            yield from self._tell(room, events, state, ephemeral, missed)

    def _back(
        self, room: str, start: str | None, newer: list[Json], state: list[Json]
    ) -> Flow[tuple[list[Json], bool]]:
        """#syncing: `limited` and `prev_batch` say that something lies between; read until what is known."""
        older: list[Json] = []
        for _ in range(MOST_PAGES if start else 0):
            try:
                response: httpx.Response = yield messages(self.api, room, start, self.since)
            except RateLimited:
                raise
            except DeliveryError:
                return newer, True  # we are not in it any more, or the homeserver has nothing of it
            page = response.json()
            chunk = objects_of(page, "chunk")
            older += chunk
            state += objects_of(page, "state")
            start = text_of(page, "end")
            if not chunk or start is None or _own(chunk, self.own, "join") is not None:
                return [*reversed(older), *newer], False
        return [*reversed(older), *newer], start is not None

    def _since_invited(self, events: list[Json]) -> list[Json]:
        """In a room that we have just entered, what was said before we were invited is history."""
        joined = _own(events, self.own, "join")
        if joined is None:
            return events
        invited = _own(events[:joined], self.own, "invite")
        return events[joined - min(self.settings.backlog, joined) if invited is None else invited :]

    def _tell(
        self, room: str, events: list[Json], state: list[Json], ephemeral: list[Json], missed: bool
    ) -> Flow[None]:
        reactions = {one: self.reactions[one] for event in events if (one := _redacted(event)) in self.reactions}
        self._keep(events)
        share: Json = {"room_id": room, "own_account": self.own, "batch": self.batch}
        share["visibility"] = "public" if room in self.public else "private"
        share["timeline"] = events
        share["state"] = [event for event in state if event.get("type") == "m.room.member"]
        roots = yield from self._roots(room, events)
        optional = {
            "ephemeral": ephemeral,
            "counterpart": self.direct.get(room),
            "roots": roots,
            "reactions": {one: kept.model_dump() for one, kept in reactions.items()},
            "missed": missed,
        }
        share |= {name: value for name, value in optional.items() if value}
        self.payloads.append(share_payload(share, self.at))

    def _keep(self, events: list[Json]) -> None:
        for event in events:
            native_id, target = id_of(event, "event_id", EVENT), related(event, "m.annotation")
            key, author = text_of(relation(event), "key"), id_of(event, "sender", USER)
            if event.get("type") == "m.reaction" and native_id and target and key and author:
                self.reactions[native_id] = Kept(target=target, key=key[:128], author=author)

    def _roots(self, room: str, events: list[Json]) -> Flow[dict[str, str]]:
        """The threads of messages that are edited, reacted to or read: their events do not say."""
        found = {native_id: root for event in events if (native_id := id_of(event, "event_id", EVENT))
                 and (root := related(event, "m.thread"))}  # fmt: skip
        here = {id_of(event, "event_id", EVENT) for event in events}
        kept = [one for event in events if (redacted := _redacted(event)) and (one := self.reactions.get(redacted))]
        wanted = [related(event, kind) for event in events for kind in ("m.replace", "m.annotation")]
        for target in dict.fromkeys([*wanted, *(one.target for one in kept)]):
            if target is None or target in here or self.lookups == 0:
                continue
            self.lookups -= 1
            if root := (yield from root_of(self.api, room, target)):
                found[target] = root
        return found

    # invitations

    def invited(self, room: str, state: list[Json]) -> None:
        invitation = next((one for one in state if one.get("state_key") == self.own), None)
        is_direct = object_of(invitation, "content").get("is_direct") is True
        if self.settings.join_invites == "all" or (self.settings.join_invites == "direct" and is_direct):
            self.invites[room] = is_direct
            if is_direct and (who := id_of(invitation, "sender", USER)):
                self.direct[room] = who

    def _follow(self, room: str, tombstone: Json) -> None:
        """#room-upgrades: the conversation goes on in the room that takes its place."""
        replacement = id_of(object_of(tombstone, "content"), "replacement_room", ROOM)
        if replacement and FOLLOWED[self.settings.join_invites]:
            self.invites[replacement] = room in self.direct
            if room in self.direct:
                self.direct[replacement] = self.direct[room]

    def enter(self) -> Flow[None]:
        """An invitation is told once: one that could not be followed now is followed with the next poll."""
        for room, is_direct in list(self.invites.items()):
            try:
                yield self.api.post(f"join/{self.api.quoted(room)}", {}, **_via(self.direct.get(room) or room))
                if is_direct and (who := self.direct.get(room)):
                    yield from remember_direct(self.api, self.own, room, who)
            except (RateLimited, Uncertain):
                continue
            except DeliveryError:
                pass  # withdrawn meanwhile, or not for us
            del self.invites[room]


def _via(known: str) -> dict[str, str]:
    """A server that knows the room. Homeservers before v1.12 call it `server_name`.

    #post_matrixclientv3joinroomidoralias
    """
    server = known.partition(":")[2]
    return {"via": server, "server_name": server} if server else {}


def messages(api: Api, room: str, start: str | None, until: str | None) -> httpx.Request:
    query = {"dir": "b", "limit": str(PAGE), "filter": '{"lazy_load_members":true}'}
    query |= {name: value for name, value in (("from", start), ("to", until)) if value}
    return api.get(f"rooms/{api.quoted(room)}/messages", **query)


def root_of(api: Api, room: str, native_id: str) -> Flow[str | None]:
    try:
        response: httpx.Response = yield api.get(f"rooms/{api.quoted(room)}/event/{api.quoted(native_id)}")
    except RateLimited:
        raise
    except DeliveryError:
        return None  # it is gone, or from before we came
    return related(response.json(), "m.thread")


def share_payload(share: Json, at: datetime) -> Payload:
    return Payload(source="poll", body=json.dumps(share, separators=(",", ":")).encode(), received_at=at)


def direct_rooms(content: Json) -> dict[str, str]:
    pairs = [(room, user) for user, rooms in content.items() if isinstance(rooms, list) for room in rooms]
    known = [(room, user) for room, user in pairs if isinstance(room, str)]
    return {room: user for room, user in known if ROOM.fullmatch(room) and USER.fullmatch(user)}


def remember_direct(api: Api, own: str, room: str, who: str) -> Flow[None]:
    """#mdirect is one document for all of them."""
    known = yield from direct_of(api, own)
    listed = known.get(who)
    rooms = listed if isinstance(listed, list) else []
    if room not in rooms:
        yield api.put(f"user/{api.quoted(own)}/account_data/m.direct", known | {who: [*rooms, room]})


def direct_of(api: Api, own: str) -> Flow[Json]:
    try:
        response: httpx.Response = yield api.get(f"user/{api.quoted(own)}/account_data/m.direct")
    except (RateLimited, Uncertain):
        raise
    except DeliveryError:
        return {}  # there has never been one
    known = response.json()
    return known if isinstance(known, dict) else {}


def learn(public: dict[str, tuple[str, ...]], room: str, events: Iterable[Json]) -> None:
    """Whether the room is public, from the newest state."""
    for event in events:
        kind = event.get("type")
        if isinstance(kind, str) and kind in PUBLIC and event.get("state_key") == "":
            field, value = PUBLIC[kind]
            others = tuple(one for one in public.get(room, ()) if one != kind)
            now = (*others, kind) if object_of(event, "content").get(field) == value else others
            public.pop(room, None)
            public |= {room: now} if now else {}


def _own(events: list[Json], own: str, membership: Literal["join", "invite"]) -> int | None:
    """Where we came in, or were invited: not where we only changed our name."""
    for at in range(len(events) - 1, -1, -1):
        event = events[at]
        is_member = event.get("type") == "m.room.member" and event.get("state_key") == own
        before = object_of(object_of(event, "unsigned"), "prev_content").get("membership")
        if is_member and object_of(event, "content").get("membership") == membership != before:
            return at
    return None


def _redacted(event: Json) -> str | None:
    if event.get("type") != "m.room.redaction":
        return None
    return id_of(event, "redacts", EVENT) or id_of(event.get("content"), "redacts", EVENT)


class Reading(Value):
    """How far a history is read back: the rooms to come, and the page in the first of them."""

    rooms: tuple[str, ...]
    start: str | None = None
    own: str


def history(api: Api, since: datetime, cursor: str | None) -> Flow[Page]:
    """One page of one room, newest first, until what is older than `since`."""
    reading = Reading.model_validate_json(cursor) if cursor else (yield from _begin(api))
    if not reading.rooms:
        return Page(cursor=reading.to_json())
    room, rest = reading.rooms[0], reading.rooms[1:]
    try:
        response: httpx.Response = yield messages(api, room, reading.start, None)
    except RateLimited:
        raise
    except DeliveryError:
        return _after(reading, rest, None)  # we have left it meanwhile
    page = response.json()
    chunk = objects_of(page, "chunk")
    start = text_of(page, "end")
    oldest = min((at for event in chunk if (at := number_of(event, "origin_server_ts")) is not None), default=0)
    if not chunk or oldest < since.timestamp() * 1000:
        start = None
    share = yield from _past(api, reading, room, chunk, objects_of(page, "state"))
    following = _after(reading, (room, *rest) if start else rest, start)
    return following.model_copy(update={"payloads": (share_payload(share, answered_at(response)),) if chunk else ()})


def _begin(api: Api) -> Flow[Reading]:
    own = yield from whoami(api)
    response: httpx.Response = yield api.get("joined_rooms")
    rooms: Any = response.json()["joined_rooms"]
    return Reading(rooms=tuple(room for room in rooms if isinstance(room, str) and ROOM.fullmatch(room)), own=own)


def _past(api: Api, reading: Reading, room: str, chunk: list[Json], state: list[Json]) -> Flow[Json]:
    known: dict[str, tuple[str, ...]] = {}
    for kind in PUBLIC:
        learn(known, room, [{"type": kind, "state_key": "", "content": (yield from state_of(api, room, kind))}])
    share: Json = {"room_id": room, "own_account": reading.own, "batch": reading.start or ""}
    share["visibility"] = "public" if known else "private"
    share["timeline"] = list(reversed(chunk))
    share["state"] = [event for event in state if event.get("type") == "m.room.member"]
    return share


def state_of(api: Api, room: str, kind: str, key: str = "") -> Flow[Json]:
    """The content of a state event; nothing where there is none."""
    try:
        response: httpx.Response = yield api.get(f"rooms/{api.quoted(room)}/state/{kind}/{api.quoted(key)}")
    except (RateLimited, Uncertain):
        raise
    except DeliveryError:
        return {}
    content = response.json()
    return content if isinstance(content, dict) else {}


def _after(reading: Reading, rooms: tuple[str, ...], start: str | None) -> Page:
    following = reading.model_copy(update={"rooms": rooms, "start": start})
    return Page(cursor=following.to_json(), more=bool(rooms))
