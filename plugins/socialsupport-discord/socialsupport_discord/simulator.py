"""Discord, played on this machine: one server with a channel, its people, their direct messages, and the gateway.

Written from the documentation, with nothing of the connector but the settings. A session keeps what it has told, so
that it can be resumed; the door is called for buttons and commands, signed.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import unquote

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from socialsupport_core.contract import Closed, Frame
from socialsupport_core.model import Payload
from socialsupport_core.testing import Line, Place, Refused, Said, Simulator
from socialsupport_discord.settings import DiscordSettings

Json = dict[str, Any]
GUILD, GENERAL = "700000000000000001", "700000000000000002"
EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
BEAT = 41_250
KEY = Ed25519PrivateKey.from_private_bytes(b"an invented key of 32 bytes long")
PUBLIC_KEY = KEY.public_key().public_bytes_raw().hex()
"""For the settings of whoever uses this simulator."""
_REACTION = re.compile(r"/channels/(\d+)/messages/(\d+)/reactions/(.+)/@me")
_MESSAGE = re.compile(r"/channels/(\d+)/messages/(\d+)")
_MESSAGES = re.compile(r"/channels/(\d+)/messages")


@dataclass
class Refusal(Exception):
    status: int
    code: int
    message: str


@dataclass
class Session:
    told: list[Json]
    is_valid: bool = True


class DiscordSimulator(Simulator):
    """Its people are named by keys such as `kerry`; who is in `closed` takes no direct messages."""

    network = "discord"
    hosts = frozenset({"discord.com", "cdn.discordapp.com", "gateway.discord.gg", "gateway-us-east1.discord.gg"})
    places: ClassVar = (
        Place("dm", "Message Acme on Discord", "private"),
        Place(GENERAL, "#general of Acme's server", "public"),
    )
    settings: DiscordSettings

    def __init__(self, settings: DiscordSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.people: dict[str, str] = {}
        self.messages: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.sessions: dict[str, Session] = {}
        self.of_line: dict[int, str] = {}
        """The session of each line."""
        self.nonces: dict[str, str] = {}
        self.closed: set[str] = set()
        self.typing: list[str] = []
        self.endpoint = ""
        self.heartbeats = 0
        self.beat = BEAT
        self._count = 0

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`fields` are added to the message; `reply` names the message that it answers."""
        channel = self._channel(person, place)
        message = self._made(channel, self._user(person), text) | dict(more.get("fields", {}))
        if "reply" in more:
            message |= {"type": 19, "message_reference": {"message_id": more["reply"].id, "channel_id": channel}}
        return self._keep(message, person, place or "dm")

    def send_photo(self, person: str, content: bytes, text: str = "") -> Said:
        file = self._file("photo.png", "image/png", content)
        message = self._made(self._channel(person, ""), self._user(person), text)
        return self._keep(message | {"attachments": [file]}, person, "dm")

    def edit(self, said: Said, text: str) -> None:
        self._change(self.messages[said.id], text)

    def delete(self, *said: Said) -> None:
        gone = [self.messages.pop(one.id) for one in said]
        where: Json = {name: gone[0][name] for name in ("channel_id", "guild_id") if name in gone[0]}
        if len(gone) == 1:
            self._tell("MESSAGE_DELETE", {"id": gone[0]["id"], **where})
        else:
            self._tell("MESSAGE_DELETE_BULK", {"ids": [one["id"] for one in gone], **where})

    def react(self, person: str, said: Said, emoji: str, *, added: bool = True) -> None:
        message = self.messages[said.id]
        where: Json = {name: message[name] for name in ("channel_id", "guild_id") if name in message}
        about = {"user_id": self.user(person), "message_id": said.id, "emoji": {"id": None, "name": emoji}, **where}
        self._tell("MESSAGE_REACTION_ADD" if added else "MESSAGE_REACTION_REMOVE", about)

    def press(self, person: str, title: str) -> None:
        message, button = next(
            (message, button)
            for message in reversed(list(self.messages.values()))
            for row in message.get("components", ())
            for button in row["components"]
            if button["label"] == title
        )
        data = {"custom_id": button["custom_id"], "component_type": 2}
        self._call(person, 3, data, message["channel_id"], message=message)

    def command(self, person: str, name: str, place: str = "", **options: str) -> None:
        given = [{"name": key, "type": 3, "value": value} for key, value in options.items()]
        data = {"id": self._number(), "name": name, "type": 1, "options": given}
        self._call(person, 2, data, self._channel(person, place))

    # the gateway

    def dialled(self, line: Line) -> None:
        if line.request.url.params.get("v") != "10" or line.request.url.params.get("encoding") != "json":
            raise Refused(httpx.Response(400))
        line.tell(_frame(10, {"heartbeat_interval": self.beat}))

    def spoken_to(self, line: Line, text: str) -> None:
        said = json.loads(text)
        match said["op"]:
            case 1:
                self.heartbeats += 1
                line.tell(_frame(11, None))
            case 2:
                self._identified(line, said["d"])
            case 6:
                self._resumed(line, said["d"])
            case _:
                line.tell(Closed(4001, "Unknown opcode."))

    def forget_sessions(self) -> None:
        for session in self.sessions.values():
            session.is_valid = False

    def ask_to_reconnect(self) -> None:
        for line in self.lines:
            line.tell(_frame(7, None))

    def _identified(self, line: Line, given: Json) -> None:
        if given["token"] != self.settings.bot_token.get_secret_value():
            line.tell(Closed(4004, "Authentication failed."))
            return
        if not {"os", "browser", "device"} <= given["properties"].keys():
            line.tell(Closed(4002, "Error while decoding payload."))
            return
        name = f"session-{len(self.sessions) + 1}"
        self.sessions[name] = Session([])
        self.of_line[id(line)] = name
        address = "wss://gateway-us-east1.discord.gg"
        ready = {"v": 10, "user": self._us(), "session_id": name, "resume_gateway_url": address, "guilds": []}
        self._to(name, "READY", ready)

    def _resumed(self, line: Line, given: Json) -> None:
        session = self.sessions.get(given["session_id"])
        if given["token"] != self.settings.bot_token.get_secret_value():
            line.tell(Closed(4004, "Authentication failed."))
        elif session is None or not session.is_valid:
            line.tell(_frame(9, False))
        else:
            self.of_line[id(line)] = given["session_id"]
            line.tell(*(Frame(json.dumps(one)) for one in session.told if one["s"] > given["seq"]))
            self._to(given["session_id"], "RESUMED", {})

    def _tell(self, kind: str, content: Json) -> None:
        """To every session, also one whose line is broken: it may be resumed."""
        for name, session in self.sessions.items():
            if session.is_valid:
                self._to(name, kind, content)

    def _to(self, name: str, kind: str, content: Json) -> None:
        session = self.sessions[name]
        frame = {"op": 0, "t": kind, "s": len(session.told) + 1, "d": content}
        session.told.append(frame)
        for line in self.lines:
            if self.of_line.get(id(line)) == name:
                line.tell(Frame(json.dumps(frame)))

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._answer(request)
        except Refusal as refusal:
            return httpx.Response(refusal.status, json={"code": refusal.code, "message": refusal.message})

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        told = {"message": "You are being rate limited.", "retry_after": 0.65, "global": False}
        return httpx.Response(429, json=told, headers={"retry-after": "1", "x-ratelimit-scope": "user"})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, json={"code": 0, "message": "401: Unauthorized"})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "cdn.discordapp.com":
            return self._of_file(request)
        if request.headers.get("authorization") != f"Bot {self.settings.bot_token.get_secret_value()}":
            raise Refusal(401, 0, "401: Unauthorized")
        if not request.headers.get("user-agent", "").startswith("DiscordBot ("):
            raise Refusal(403, 40333, "internal network error")
        path = request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v10")
        if found := _REACTION.fullmatch(path):
            return self._reaction(request.method, found[2], unquote(found[3]))
        if found := _MESSAGE.fullmatch(path):
            return self._message(request, found[1], found[2])
        if found := _MESSAGES.fullmatch(path):
            return self._messages(request, found[1])
        return self._other(request, path)

    def _other(self, request: httpx.Request, path: str) -> httpx.Response:
        calls: dict[tuple[str, str], Callable[[], Any]] = {
            ("GET", "/gateway/bot"): lambda: {"url": "wss://gateway.discord.gg", "shards": 1},
            ("GET", "/users/@me"): self._us,
            ("GET", "/users/@me/guilds"): lambda: [{"id": GUILD, "name": "Acme"}],
            ("GET", f"/guilds/{GUILD}/channels"): lambda: [{"id": GENERAL, "type": 0}, {"id": "7", "type": 4}],
            ("GET", f"/guilds/{GUILD}/threads/active"): lambda: {"threads": [], "members": []},
            ("POST", "/users/@me/channels"): lambda: self._opened(json.loads(request.read())),
            ("PATCH", "/applications/@me"): lambda: self._subscribe(json.loads(request.read())),
        }
        if known := calls.get((request.method, path)):
            return httpx.Response(200, json=known())
        if request.method == "POST" and path.endswith("/typing"):
            self.typing.append(path.split("/")[2])
            return httpx.Response(204)
        if request.method == "GET" and path.startswith("/users/"):
            return httpx.Response(200, json=self._known(path.rpartition("/")[2]))
        raise Refusal(404, 0, "404: Not Found")

    def _messages(self, request: httpx.Request, channel: str) -> httpx.Response:
        if request.method == "GET":
            after = int(request.url.params.get("after", 0))
            found = [one for one in self.messages.values() if one["channel_id"] == channel and int(one["id"]) > after]
            shown = [{key: value for key, value in one.items() if key != "guild_id"} for one in found[:100]]
            return httpx.Response(200, json=list(reversed(shown)))
        given, files = _read(request)
        if known := self.nonces.get(str(given.get("nonce"))) if given.get("enforce_nonce") else None:
            return httpx.Response(200, json=self.messages[known])
        self._check(given, channel)
        message = self._made(channel, self._us(), given.get("content", ""))
        message |= {name: given[name] for name in ("components", "message_reference", "nonce") if name in given}
        if "message_reference" in given:
            message["type"] = 19
        message["attachments"] = [
            self._file(one["filename"], "application/octet-stream", files[int(one["id"])])
            for one in given.get("attachments", ())
        ]
        self._keep(message, "us", channel)
        if "nonce" in given:
            self.nonces[given["nonce"]] = message["id"]
        return httpx.Response(200, json=message)

    def _check(self, given: Json, channel: str) -> None:
        person = next((key for key in self.people if self._direct(key) == channel), None)
        if person in self.closed:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        if channel != GENERAL and person is None:
            raise Refusal(404, 10003, "Unknown Channel")
        if not given.get("content") and not given.get("attachments"):
            raise Refusal(400, 50006, "Cannot send an empty message")
        too_long = len(given.get("content", "")) > 2000 or len(str(given.get("nonce", ""))) > 25
        if too_long or given["allowed_mentions"]["parse"] != []:
            raise Refusal(400, 50035, "Invalid Form Body")
        rows = given.get("components", [])
        if len(rows) > 5 or any(not 1 <= len(row["components"]) <= 5 for row in rows):
            raise Refusal(400, 50035, "Invalid Form Body")
        for button in (button for row in rows for button in row["components"]):
            if len(button["label"]) > 80 or not 1 <= len(button["custom_id"]) <= 100:
                raise Refusal(400, 50035, "Invalid Form Body")

    def _message(self, request: httpx.Request, channel: str, number: str) -> httpx.Response:
        message = self.messages.get(number)
        if message is None or message["channel_id"] != channel:
            raise Refusal(404, 10008, "Unknown Message")
        if request.method == "GET":
            return httpx.Response(200, json=message)
        if message["author"]["id"] != self.settings.application_id:
            raise Refusal(403, 50005, "Cannot edit a message authored by another user")
        if request.method == "DELETE":
            self.said = [replace(one, deleted=one.deleted or one.id == number) for one in self.said]
            self.delete(next(one for one in self.said if one.id == number))
            return httpx.Response(204)
        return httpx.Response(200, json=self._change(message, json.loads(request.read())["content"]))

    def _change(self, message: Json, text: str) -> Json:
        message |= {"content": text, "edited_timestamp": self.clock().isoformat()}
        self.said = [replace(one, text=text, edited=True) if one.id == message["id"] else one for one in self.said]
        self._tell("MESSAGE_UPDATE", message)
        return message

    def _reaction(self, method: str, number: str, emoji: str) -> httpx.Response:
        message = self.messages.get(number)
        if message is None:
            raise Refusal(404, 10008, "Unknown Message")
        if emoji.isascii() and ":" not in emoji:
            raise Refusal(400, 10014, "Unknown Emoji")
        others = [one for one in message.get("reactions", []) if one["emoji"]["name"] != emoji]
        ours = {"emoji": {"id": None, "name": emoji}, "count": 1, "me": True}
        message["reactions"] = [*others, *([ours] if method == "PUT" else [])]
        return httpx.Response(204)

    def _opened(self, given: Json) -> Json:
        person = next((key for key, user in self.people.items() if user == given["recipient_id"]), None)
        if person is None:
            raise Refusal(400, 50033, "Invalid Recipient(s)")
        return {"id": self._direct(person), "type": 1}

    def _subscribe(self, given: Json) -> Json:
        if not given["interactions_endpoint_url"].startswith("https://"):
            raise Refusal(400, 50035, "Invalid Form Body")
        self.endpoint = given["interactions_endpoint_url"]
        return {"id": self.settings.application_id}

    def _known(self, number: str) -> Json:
        person = next((key for key, user in self.people.items() if user == number), None)
        if person is None:
            raise Refusal(404, 10013, "Unknown User")
        return self._user(person)

    def _of_file(self, request: httpx.Request) -> httpx.Response:
        content = self.contents.get(request.url.path.split("/")[-2])
        if content is None or "authorization" in request.headers:
            return httpx.Response(404, text="This content is no longer available.")
        return httpx.Response(200, content=content, headers={"content-type": "image/png"})

    # inside

    def user(self, person: str) -> str:
        return self.people.setdefault(person, f"6{len(self.people) + 1:017}")

    def _user(self, person: str) -> Json:
        return {"id": self.user(person), "username": person, "global_name": person.title(), "avatar": None}

    def _us(self) -> Json:
        return {"id": self.settings.application_id, "username": "acme", "global_name": None, "bot": True}

    def _direct(self, person: str) -> str:
        return f"8{self.user(person)[1:]}"

    def _channel(self, person: str, place: str) -> str:
        return GENERAL if place == GENERAL else self._direct(person)

    def _number(self) -> str:
        self._count += 1
        milliseconds = int((self.clock() - EPOCH).total_seconds() * 1000)
        return str((milliseconds << 22) + self._count)

    def _made(self, channel: str, author: Json, text: str) -> Json:
        where = {"guild_id": GUILD, "member": {"nick": None}} if channel == GENERAL else {}
        return {
            "id": self._number(),
            "type": 0,
            "channel_id": channel,
            "author": author,
            "content": text,
            "timestamp": self.clock().isoformat(),
            "edited_timestamp": None,
            "mentions": [],
            "attachments": [],
            "embeds": [],
            **where,
        }

    def _keep(self, message: Json, author: str, place: str) -> Said:
        self.messages[message["id"]] = message
        titles = tuple(button["label"] for row in message.get("components", ()) for button in row["components"])
        channel, text = message["channel_id"], message["content"]
        shown = GENERAL if channel == GENERAL else "dm"
        said = Said(message["id"], shown, channel, author, text, self.clock(), choices=titles)
        self.said.append(said)
        self._tell("MESSAGE_CREATE", message)
        return said

    def _file(self, name: str, media_type: str, content: bytes) -> Json:
        number = self._number()
        self.contents[number] = content
        address = f"https://cdn.discordapp.com/attachments/{GENERAL}/{number}/{name}?ex=1&is=2&hm=3"
        return {"id": number, "filename": name, "content_type": media_type, "size": len(content), "url": address}

    def _call(self, person: str, kind: int, data: Json, channel: str, **more: Any) -> None:
        who = (
            {"member": {"user": self._user(person)}, "guild_id": GUILD}
            if channel == GENERAL
            else {"user": self._user(person)}
        )
        given = {"id": self._number(), "application_id": self.settings.application_id, "type": kind, "token": "a-token"}
        self.emit(self.signed({**given, "version": 1, "data": data, "channel_id": channel, **who, **more}))

    def signed(self, content: Json) -> Payload:
        body, stamp = json.dumps(content).encode(), str(int(self.clock().timestamp()))
        signature = KEY.sign(stamp.encode() + body).hex()
        headers = (("x-signature-ed25519", signature), ("x-signature-timestamp", stamp))
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    def resume(self, sent: Any) -> None:
        super().resume(sent)
        self._count += 10 * len(sent)


def _frame(op: int, content: Any) -> Frame:
    return Frame(json.dumps({"op": op, "d": content, "s": None, "t": None}))


def _read(request: httpx.Request) -> tuple[Json, list[bytes]]:
    """JSON, or a form with `payload_json` and `files[n]`."""
    body, kind = request.read(), request.headers.get("content-type", "")
    if "json" in kind:
        return json.loads(body), []
    boundary = kind.partition("boundary=")[2].encode()
    parts = [part.partition(b"\r\n\r\n") for part in body.split(b"--" + boundary)[1:-1]]
    named = {re.findall(rb'name="([^"]+)"', head)[0].decode(): rest.removesuffix(b"\r\n") for head, _, rest in parts}
    files = [content for name, content in sorted(named.items()) if name.startswith("files[")]
    return json.loads(named["payload_json"]), files
