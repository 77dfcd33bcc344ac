"""A homeserver, played on this machine: an account of ours, whoever writes to it, and a public room.

Written from the client-server API's specification (https://spec.matrix.org/latest/client-server-api/, v1.18,
2026-11) and from what Synapse answers, with nothing of the connector but the settings.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

import httpx

from socialsupport_core.testing import Place, Said, Simulator
from socialsupport_matrix.settings import MatrixSettings

Json = dict[str, Any]
SERVER = "acme.example"
US = f"@support:{SERVER}"
SQUARE = f"!square:{SERVER}"
EVENT_BYTES = 65_536  # #size-limits
STATE = ("join_rules", "encryption", "tombstone", "name", "history_visibility")


@dataclass
class Refusal(Exception):
    status: int
    errcode: str
    error: str
    more: Json = field(default_factory=dict)


class MatrixSimulator(Simulator):
    """Its people are named by keys such as `kerry`; each opens a direct room with us by the first word."""

    network = "matrix"
    hosts: ClassVar = frozenset({"matrix.acme.example"})
    places: ClassVar = (
        Place("dm", "A direct room with Acme", "private"),
        Place("square", "#acme:acme.example", "public"),
    )
    settings: MatrixSettings

    def __init__(self, settings: MatrixSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.hosts = frozenset({urlsplit(settings.homeserver).hostname or ""})  # type: ignore[misc]
        self.events: list[Json] = []
        """Everything that ever happened, with its room; the number in a sync token is a place in it."""
        self.members: dict[tuple[str, str], str] = {}
        self.transactions: dict[str, str] = {}
        self.media: dict[str, tuple[bytes, str]] = {}
        self.account: dict[str, Json] = {}
        self.aliases: dict[str, str] = {}
        self.passing: list[tuple[int, str, Json]] = []
        """Typing and receipts: after which event, in which room, what."""
        self.typing: list[str] = []
        self.read: list[str] = []
        self.direct: dict[str, str] = {}
        self._count = 0
        self._room(SQUARE, "@admin:acme.example", join_rules={"join_rule": "public"})
        self._member(SQUARE, US, "join", US)

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`more` are further fields of the content, such as `m.relates_to`."""
        return self.write(person, {"msgtype": "m.text", "body": text, **more}, place)

    def write(self, person: str, content: Json, place: str = "", kind: str = "m.room.message") -> Said:
        room = self.room_of(person, place)
        event = self._happens(room, self.user(person), kind, content)
        return self._saying(event, person, content)

    def send_photo(self, person: str, content: bytes, caption: str = "") -> Said:
        info = {"mimetype": "image/png", "size": len(content)}
        file = {"msgtype": "m.image", "filename": "photo.png", "url": self._stored(content, "image/png"), "info": info}
        return self.write(person, file | {"body": caption or "photo.png"})

    def edit(self, person: str, said: Said, text: str) -> None:
        new = {"msgtype": "m.text", "body": text}
        relates = {"rel_type": "m.replace", "event_id": said.id}
        self._happens(
            said.thread,
            self.user(person),
            "m.room.message",
            {**new, "body": f"* {text}", "m.new_content": new, "m.relates_to": relates},
        )
        self._rewrite(said.id, text=text, edited=True)

    def react(self, person: str, said: Said, emoji: str) -> str:
        relates = {"rel_type": "m.annotation", "event_id": said.id, "key": emoji}
        event = self._happens(said.thread, self.user(person), "m.reaction", {"m.relates_to": relates})
        return str(event["event_id"])

    def redact(self, person: str, room: str, event: str) -> None:
        self._redacted(room, self.user(person), event)

    def type(self, person: str) -> None:
        self._passes(self.room_of(person), {"type": "m.typing", "content": {"user_ids": [self.user(person)]}})

    def reads(self, person: str, said: Said) -> None:
        about = {"m.read": {self.user(person): {"ts": self._now()}}}
        self._passes(said.thread, {"type": "m.receipt", "content": {said.id: about}})

    def encrypt(self, person: str) -> None:
        """Their client switches encryption on, and what is written from now on cannot be read."""
        room = self.room_of(person)
        self._happens(room, self.user(person), "m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"}, key="")

    def upgrade(self, person: str) -> str:
        """Their room moves; the new one invites us."""
        old, who = self.room_of(person), self.user(person)
        new = f"{old.partition(':')[0]}2:{SERVER}"
        self._room(new, who)
        self._member(new, US, "invite", who, is_direct=True)
        self._happens(old, who, "m.room.tombstone", {"body": "moved", "replacement_room": new}, key="")
        self.direct[person] = new
        return new

    def leave(self, person: str) -> None:
        self._member(self.room_of(person), self.user(person), "leave", self.user(person))

    def user(self, person: str) -> str:
        return f"@{person}:{SERVER}"

    def room_of(self, person: str, place: str = "") -> str:
        who = self.user(person)
        if place == "square":
            if (SQUARE, who) not in self.members:
                self._member(SQUARE, who, "join", who)
            return SQUARE
        if person not in self.direct:
            self.direct[person] = f"!{person}:{SERVER}"
            self._room(self.direct[person], who)
            self._member(self.direct[person], US, "invite", who, is_direct=True)
        return self.direct[person]

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != f"Bearer {self.settings.access_token.get_secret_value()}":
            return self.expired(request)
        try:
            return self._answer(request)
        except Refusal as refusal:
            return self._reply(refusal.status, {"errcode": refusal.errcode, "error": refusal.error, **refusal.more})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().partition("?")[0].partition("/_matrix/")[2]
        for form, answer in ROUTES.items():
            if found := form.fullmatch(f"{request.method} {path}"):
                told = answer(self, request, *(unquote(one) for one in found.groups()))
                return told if isinstance(told, httpx.Response) else self._reply(200, told)
        raise Refusal(404, "M_UNRECOGNIZED", "Unrecognized request")

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        told = {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 2000}
        return self._reply(429, told)

    def expired(self, request: httpx.Request) -> httpx.Response:
        told = {"errcode": "M_UNKNOWN_TOKEN", "error": "Unrecognised access token", "soft_logout": True}
        return self._reply(401, told)

    def _reply(self, status: int, told: Json) -> httpx.Response:
        date = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        return httpx.Response(status, json=told, headers={"date": date})

    def _whoami(self, request: httpx.Request) -> Json:
        return {"user_id": US, "device_id": "SUPPORT", "is_guest": False}

    def _config(self, request: httpx.Request) -> Json:
        return {"m.upload.size": 52_428_800}

    def _profile(self, request: httpx.Request, user: str) -> Json:
        if not user.endswith(f":{SERVER}"):
            raise Refusal(404, "M_NOT_FOUND", "Profile was not found")
        return {"displayname": _shown(user)}

    def _sync(self, request: httpx.Request) -> Json:
        query = request.url.params
        wanted = json.loads(query["filter"])
        since = int(query["since"].removeprefix("s")) if "since" in query else 0
        if since > len(self.events) + len(self.passing):
            raise Refusal(400, "M_INVALID_PARAM", "Unknown position")
        limit = wanted["room"]["timeline"]["limit"]
        rooms: Json = {"join": {}, "invite": {}, "leave": {}}
        for room in dict.fromkeys(event["room_id"] for event in self.events):
            member = self.members.get((room, US))
            news = [event for event in self.events[since:] if event["room_id"] == room]
            if member == "join":
                passing = [one for after, where, one in self.passing if where == room and after > since]
                if news or passing:
                    rooms["join"][room] = self._share(room, since, news, limit, passing)
            elif member == "invite" and any(event.get("state_key") == US for event in news):
                rooms["invite"][room] = {
                    "invite_state": {"events": [_stripped(event) for event in news if "state_key" in event]}
                }
            elif member == "leave" and news:
                rooms["leave"][room] = self._share(room, since, news, limit, [])
        account = (
            [{"type": kind, "content": content} for kind, content in self.account.items()]
            if "since" not in query
            else []
        )
        return {"next_batch": f"s{len(self.events)}", "rooms": rooms, "account_data": {"events": account}}

    def _share(self, room: str, since: int, news: list[Json], limit: int, passing: list[Json]) -> Json:
        entered = any(event.get("state_key") == US and event["content"]["membership"] == "join" for event in news)
        all_of_it = [event for event in self.events if event["room_id"] == room]
        news = all_of_it if entered else news
        shown = news[-limit:]
        before = [event for event in all_of_it if event not in shown] if entered or since == 0 else []
        state = [event for event in before if "state_key" in event]
        senders = {event["sender"] for event in shown}
        state += [one for one in self._members(room) if one["state_key"] in senders and one not in state + shown]
        first = self.events.index(shown[0]) if shown else len(self.events)
        timeline = {
            "events": [_told(event) for event in shown],
            "limited": len(news) > len(shown),
            "prev_batch": f"t{first}",
        }
        return {
            "timeline": timeline,
            "state": {"events": [_told(event) for event in state]},
            "ephemeral": {"events": passing},
        }

    def _messages(self, request: httpx.Request, room: str) -> Json:
        self._within(room)
        query = request.url.params
        if query.get("dir") != "b":
            raise Refusal(400, "M_INVALID_PARAM", "dir")
        start = int(query["from"][1:]) if "from" in query else len(self.events)
        end = int(query["to"][1:]) if "to" in query else 0
        limit = int(query.get("limit", "10"))
        past = [at for at in range(start - 1, end - 1, -1) if self.events[at]["room_id"] == room]
        page = past[:limit]
        told = {"start": f"t{start}", "chunk": [_told(self.events[at]) for at in page], "state": self._members(room)}
        return told | ({"end": f"t{page[-1]}"} if len(past) > limit else {})

    def _one(self, request: httpx.Request, room: str, event_id: str) -> Json:
        self._within(room)
        return _told(self._event(room, event_id))

    def _state(self, request: httpx.Request, room: str, kind: str, key: str) -> Json:
        self._within(room)
        found = [one for one in self.events if (one["room_id"], one["type"], one.get("state_key")) == (room, kind, key)]
        if not found:
            raise Refusal(404, "M_NOT_FOUND", "Event not found.")
        return dict(found[-1]["content"])

    def _send(self, request: httpx.Request, room: str, kind: str, transaction: str) -> Json:
        self._within(room)
        known = f"{room} {kind} {transaction}"
        if known in self.transactions:
            return {"event_id": self.transactions[known]}
        content = json.loads(request.read())
        if len(request.content) > EVENT_BYTES - 1000:
            raise Refusal(413, "M_TOO_LARGE", "event too large")
        self._check(room, kind, content)
        unsigned = {"transaction_id": transaction}
        event = self._happens(room, US, kind, content, unsigned=unsigned)
        self.transactions[known] = event["event_id"]
        relates = content.get("m.relates_to", {})
        if relates.get("rel_type") == "m.replace":
            self._rewrite(relates["event_id"], text=content["m.new_content"]["body"], edited=True)
        elif kind == "m.room.message":
            self._saying(event, "us", content)
        return {"event_id": event["event_id"]}

    def _check(self, room: str, kind: str, content: Json) -> None:
        """Stricter than a homeserver, which takes anything: what a client could not show is refused."""
        relates = content.get("m.relates_to", {})
        for named in (relates.get("event_id"), relates.get("m.in_reply_to", {}).get("event_id")):
            if named is not None:
                self._event(room, named)
        if kind == "m.reaction":
            same = [
                one
                for one in self._reactions(relates["event_id"])
                if one["content"]["m.relates_to"]["key"] == relates["key"]
            ]
            if same:
                raise Refusal(400, "M_DUPLICATE_ANNOTATION", "Can't send same reaction twice")
            return
        if not isinstance(content.get("body"), str) or "msgtype" not in content:
            raise Refusal(400, "M_BAD_JSON", "'body' not in content")
        if content.get("m.mentions") != {}:
            raise Refusal(400, "M_BAD_JSON", "somebody would be pinged")
        if "url" in content and content["url"] not in self.media:
            raise Refusal(400, "M_BAD_JSON", "nothing was uploaded there")

    def _redact(self, request: httpx.Request, room: str, event_id: str, transaction: str) -> Json:
        self._within(room)
        known = f"{room} redact {transaction}"
        if known not in self.transactions:
            self.transactions[known] = self._redacted(room, US, event_id)
        return {"event_id": self.transactions[known]}

    def _relations(self, request: httpx.Request, room: str, event_id: str) -> Json:
        self._within(room)
        return {"chunk": [_told(one) for one in self._reactions(event_id)]}

    def _receipt(self, request: httpx.Request, room: str, event_id: str) -> Json:
        self._within(room)
        self._event(room, event_id)
        self.read.append(event_id)
        return {}

    def _types(self, request: httpx.Request, room: str, user: str) -> Json:
        self._within(room)
        if user != US:
            raise Refusal(403, "M_FORBIDDEN", "Cannot set another user's typing state")
        self.typing.append(room)
        return {}

    def _join(self, request: httpx.Request, room: str) -> Json:
        if self.members.get((room, US)) not in ("invite", "join"):
            raise Refusal(403, "M_FORBIDDEN", "You are not invited to this room.")
        if self.members[room, US] != "join":
            self._member(room, US, "join", US, before="invite")
        return {"room_id": room}

    def _joined(self, request: httpx.Request) -> Json:
        return {
            "joined_rooms": [room for (room, user), member in self.members.items() if (user, member) == (US, "join")]
        }

    def _create(self, request: httpx.Request) -> Json:
        wanted = json.loads(request.read())
        alias = f"#{wanted['room_alias_name']}:{SERVER}"
        if alias in self.aliases:
            raise Refusal(400, "M_ROOM_IN_USE", "Room alias already taken")
        self._count += 1
        room = self.aliases[alias] = f"!new{self._count}:{SERVER}"
        self._room(room, US)
        for user in wanted["invite"]:
            self._member(room, user, "invite", US, is_direct=True)
            self.direct[user[1:].partition(":")[0]] = room
        return {"room_id": room}

    def _alias(self, request: httpx.Request, alias: str) -> Json:
        if alias not in self.aliases:
            raise Refusal(404, "M_NOT_FOUND", "Room alias not found")
        return {"room_id": self.aliases[alias], "servers": [SERVER]}

    def _account_data(self, request: httpx.Request, user: str, kind: str) -> Json:
        if kind not in self.account:
            raise Refusal(404, "M_NOT_FOUND", "Account data not found")
        return self.account[kind]

    def _set_account_data(self, request: httpx.Request, user: str, kind: str) -> Json:
        self.account[kind] = json.loads(request.read())
        return {}

    def _upload(self, request: httpx.Request) -> Json:
        return {"content_uri": self._stored(request.read(), request.headers.get("content-type", ""))}

    def _download(self, request: httpx.Request, server: str, media: str) -> httpx.Response:
        found = self.media.get(f"mxc://{server}/{media}")
        if found is None:
            raise Refusal(404, "M_NOT_FOUND", "Not found")
        return httpx.Response(200, content=found[0], headers={"content-type": found[1]})

    # inside

    def _within(self, room: str) -> None:
        if self.members.get((room, US)) != "join":
            raise Refusal(403, "M_FORBIDDEN", f"User {US} not in room {room}")
        moved = any(one["type"] == "m.room.tombstone" and one["room_id"] == room for one in self.events)
        if moved and self.calls and self.calls[-1].method == "PUT" and "/send/" in self.calls[-1].url.path:
            raise Refusal(403, "M_FORBIDDEN", "You don't have permission to post that to the room.")

    def _event(self, room: str, event_id: str) -> Json:
        for event in self.events:
            if (event["room_id"], event["event_id"]) == (room, event_id):
                return event
        raise Refusal(404, "M_NOT_FOUND", "Event not found.")

    def _reactions(self, event_id: str) -> list[Json]:
        mine = [one for one in self.events if one["type"] == "m.reaction" and one["content"]]
        return [one for one in mine if one["content"]["m.relates_to"]["event_id"] == event_id]

    def _redacted(self, room: str, who: str, event_id: str) -> str:
        target = self._event(room, event_id)
        target["content"] = {}
        self._rewrite(event_id, deleted=True)
        event = self._happens(room, who, "m.room.redaction", {"redacts": event_id}, redacts=event_id)
        target["unsigned"] = {"redacted_because": _told(event)}
        return str(event["event_id"])

    def _room(self, room: str, creator: str, **state: Json) -> None:
        self._happens(room, creator, "m.room.create", {"room_version": "11"}, key="")
        self._member(room, creator, "join", creator)
        for kind in STATE:
            if content := state.get(kind, {"join_rule": "invite"} if kind == "join_rules" else None):
                self._happens(room, creator, f"m.room.{kind}", content, key="")

    def _member(self, room: str, user: str, membership: str, by: str, **more: Any) -> None:
        before = more.pop("before", None)
        unsigned = {"prev_content": {"membership": before}} if before else {}
        content = {"membership": membership, "displayname": _shown(user), **more}
        self._happens(room, by, "m.room.member", content, key=user, unsigned=unsigned)
        self.members[room, user] = membership

    def _members(self, room: str) -> list[Json]:
        newest = {
            one["state_key"]: one for one in self.events if one["room_id"] == room and one["type"] == "m.room.member"
        }
        return list(newest.values())

    def _happens(self, room: str, who: str, kind: str, content: Json, *, key: str | None = None, **more: Any) -> Json:
        self._count += 1
        event_id = f"${hashlib.sha256(str(self._count).encode()).hexdigest()[:43]}"
        event = {"room_id": room, "event_id": event_id, "sender": who, "type": kind, "content": content, **more}
        event |= {"origin_server_ts": self._now()} | ({} if key is None else {"state_key": key})
        self.events.append(event)
        return event

    def _passes(self, room: str, what: Json) -> None:
        """It takes a place in the stream too, so that it is told once."""
        self._happens("", US, "nothing", {})
        self.passing.append((len(self.events), room, what))

    def _saying(self, event: Json, author: str, content: Json) -> Said:
        place = "square" if event["room_id"] == SQUARE else "dm"
        text = str(content.get("body", ""))
        said = Said(event["event_id"], place, event["room_id"], author, text, self.clock())
        self.said.append(said)
        return said

    def _rewrite(self, event_id: str, **changes: Any) -> None:
        self.said = [replace(said, **changes) if said.id == event_id else said for said in self.said]

    def _stored(self, content: bytes, media_type: str) -> str:
        self._count += 1
        address = f"mxc://{SERVER}/media{self._count}"
        self.media[address] = content, media_type
        return address

    def _now(self) -> int:
        return int(self.clock().timestamp() * 1000)


def _shown(user: str) -> str:
    return user[1:].partition(":")[0].capitalize()


def _told(event: Json) -> Json:
    return {name: value for name, value in json.loads(json.dumps(event)).items() if name != "room_id"}


def _stripped(event: Json) -> Json:
    return {name: event[name] for name in ("type", "state_key", "sender", "content")}


Route = Callable[..., Json | httpx.Response]
C, M, ONE = "client/v3", "media/v3", "([^/]+)"
_BY_FORM: Mapping[str, Route] = {
    f"GET {C}/account/whoami": MatrixSimulator._whoami,
    f"GET {C}/sync": MatrixSimulator._sync,
    f"GET {C}/joined_rooms": MatrixSimulator._joined,
    f"GET {C}/profile/{ONE}": MatrixSimulator._profile,
    f"GET {C}/rooms/{ONE}/messages": MatrixSimulator._messages,
    f"GET {C}/rooms/{ONE}/event/{ONE}": MatrixSimulator._one,
    f"GET {C}/rooms/{ONE}/state/{ONE}/([^/]*)": MatrixSimulator._state,
    f"PUT {C}/rooms/{ONE}/send/{ONE}/{ONE}": MatrixSimulator._send,
    f"PUT {C}/rooms/{ONE}/redact/{ONE}/{ONE}": MatrixSimulator._redact,
    f"GET client/v1/rooms/{ONE}/relations/{ONE}/m.annotation/m.reaction": MatrixSimulator._relations,
    f"POST {C}/rooms/{ONE}/receipt/m.read/{ONE}": MatrixSimulator._receipt,
    f"PUT {C}/rooms/{ONE}/typing/{ONE}": MatrixSimulator._types,
    f"POST {C}/join/{ONE}": MatrixSimulator._join,
    f"POST {C}/createRoom": MatrixSimulator._create,
    f"GET {C}/directory/room/{ONE}": MatrixSimulator._alias,
    f"GET {C}/user/{ONE}/account_data/{ONE}": MatrixSimulator._account_data,
    f"PUT {C}/user/{ONE}/account_data/{ONE}": MatrixSimulator._set_account_data,
    f"POST {M}/upload": MatrixSimulator._upload,
    "GET client/v1/media/config": MatrixSimulator._config,
    f"GET client/v1/media/download/{ONE}/{ONE}": MatrixSimulator._download,
}
ROUTES: Mapping[re.Pattern[str], Route] = {re.compile(form): answer for form, answer in _BY_FORM.items()}
