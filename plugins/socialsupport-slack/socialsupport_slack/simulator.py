"""Slack, played on this machine: one workspace with our app, its people, a public channel and direct messages.

Written from the documentation, with nothing of the connector but the settings. With an `app_token` what happens goes
over a socket, and comes again on the next one until it is acknowledged; else to the door, signed.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import httpx

from socialsupport_core.contract import Frame
from socialsupport_core.model import Payload
from socialsupport_core.testing import Line, Place, Refused, Said, Simulator
from socialsupport_core.testing.oauth import SignInPages
from socialsupport_slack.settings import SlackSettings
from socialsupport_slack.simulated import APP, BOT, BOT_ID, TEAM, Refusal, check_blocks, fields_of, shown, typed, whoami

Json = dict[str, Any]
GENERAL = "C0GENERAL"
SOCKET = "wss-primary.slack.com"
KINDS = {GENERAL: "channel"}


class SlackSimulator(Simulator):
    """Its people are named by keys such as `kerry`. `external` ones come from another workspace by Slack Connect."""

    network = "slack"
    hosts = frozenset({"slack.com", "files.slack.com", SOCKET})
    places: ClassVar = (
        Place("dm", "Message Acme on Slack", "private"),
        Place(GENERAL, "#general of Acme's workspace", "public"),
    )
    settings: SlackSettings

    def __init__(self, settings: SlackSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.messages: dict[tuple[str, str], Json] = {}
        """By conversation and `ts`."""
        self.files: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.reactions: dict[tuple[str, str], dict[str, set[str]]] = {}
        self.unacknowledged: dict[str, Json] = {}
        """Envelopes by their ids."""
        self.external: set[str] = set()
        self.revoked = False
        self.pages = SignInPages(
            self.clock,
            self.random,
            client_id=settings.client_id or "",
            client_secret=settings.client_secret.get_secret_value() if settings.client_secret else None,
            lifetime=timedelta(hours=12),
        )
        self._count = 0

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """`thread` names the message under which it is said; `fields` are added to the event."""
        channel = self._channel(person, place)
        event = self._message(person, channel, text) | dict(more.get("fields", {}))
        if more.get("thread"):
            event["thread_ts"] = more["thread"].id.partition(":")[2]
        return self._keep(event, person, place or "dm", text)

    def send_photo(self, person: str, content: bytes, text: str = "") -> Said:
        file = self._file("photo.png", "image/png", content)
        event = self._message(person, self._channel(person, ""), text) | {"subtype": "file_share", "files": [file]}
        return self._keep(event, person, "dm", text)

    def edit(self, said: Said, text: str) -> None:
        channel, ts = said.id.split(":")
        before = self.messages[channel, ts]
        now = before | {"text": text, "blocks": typed(text), "edited": {"user": before["user"], "ts": self._ts()}}
        self.messages[channel, ts] = now
        self._tell(self._about(channel) | {"subtype": "message_changed", "message": now, "previous_message": before})

    def delete(self, said: Said) -> None:
        channel, ts = said.id.split(":")
        before = self.messages.pop((channel, ts))
        self._tell(self._about(channel) | {"subtype": "message_deleted", "deleted_ts": ts, "previous_message": before})

    def react(self, person: str, said: Said, name: str) -> None:
        channel, ts = said.id.split(":")
        item = {"type": "message", "channel": channel, "ts": ts}
        author = self.messages[channel, ts].get("user", BOT)
        event = {"type": "reaction_added", "user": self.user(person), "reaction": name, "item": item}
        self._tell(event | {"item_user": author, "event_ts": self._ts()})

    def press(self, person: str, title: str) -> None:
        """The newest button with that title."""
        message, button = next(
            (message, element)
            for message in reversed(list(self.messages.values()))
            for block in message.get("blocks", ())
            if block["type"] == "actions"
            for element in block["elements"]
            if element["text"]["text"] == title
        )
        action = {**button, "type": "button", "action_ts": self._ts()}
        container = {"type": "message", "message_ts": message["ts"], "channel_id": message["channel"]}
        pressed = {
            "type": "block_actions",
            "user": {"id": self.user(person), "username": person, "name": person, "team_id": TEAM},
            "api_app_id": APP,
            "trigger_id": f"trigger-{self._number()}",
            "team": {"id": TEAM, "domain": "acme"},
            "container": container,
            "message": {"user": BOT, "ts": message["ts"]},
            "actions": [action],
        }
        self._send("interactive", pressed)

    def uninstall(self) -> None:
        self.revoked = True
        self._tell({"type": "app_uninstalled"})

    # the socket

    def dialled(self, line: Line) -> None:
        if line.request.url.params.get("ticket") != "one-time-ticket":
            raise Refused(httpx.Response(401))
        hello = {"type": "hello", "num_connections": len(self.lines) + 1, "connection_info": {"app_id": APP}}
        line.tell(Frame(json.dumps(hello)))
        line.tell(*(Frame(json.dumps(envelope)) for envelope in self.unacknowledged.values()))

    def spoken_to(self, line: Line, text: str) -> None:
        self.unacknowledged.pop(json.loads(text)["envelope_id"], None)

    def hang_up(self, reason: str = "refresh_requested") -> None:
        """Every few hours Slack asks to connect anew."""
        for line in list(self.lines):
            line.tell(Frame(json.dumps({"type": "disconnect", "reason": reason})))

    # what we ask

    def respond(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._answer(request)
        except Refusal as refusal:
            return httpx.Response(200, json={"ok": False, "error": refusal.error})

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(429, headers={"retry-after": "30"}, json={"ok": False, "error": "ratelimited"})

    def expired(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": False, "error": "token_expired"})

    def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.slack.com":
            return self._of_file(request)
        method = request.url.path.removeprefix("/api/")
        if method == "oauth.v2.access":
            return self._granted(request)
        self._check_token(request, method)
        fields = fields_of(request)
        calls: dict[str, Callable[[Json], Json]] = {
            "apps.connections.open": lambda _: {"url": f"wss://{SOCKET}/link/?ticket=one-time-ticket&app_id={APP}"},
            "auth.test": lambda _: whoami(),
            "chat.postMessage": self._post,
            "chat.update": self._update,
            "chat.delete": self._delete,
            "conversations.open": lambda given: {"channel": {"id": self._direct(given["users"])}},
            "conversations.history": self._history,
            "conversations.replies": self._history,
            "reactions.add": self._react,
            "reactions.remove": self._react_no_more,
            "reactions.get": self._reactions,
            "users.info": self._user,
            "files.info": lambda given: {"file": self._known(given["file"])},
            "files.getUploadURLExternal": self._ticket,
            "files.completeUploadExternal": self._complete,
        }
        if method not in calls:
            raise Refusal("unknown_method")
        return httpx.Response(200, json={"ok": True, **calls[method](fields)})

    def _check_token(self, request: httpx.Request, method: str) -> None:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        app, bot = self.settings.app_token, self.settings.bot_token
        if not given:
            raise Refusal("not_authed")
        if method == "apps.connections.open":
            if app is None or given != app.get_secret_value():
                raise Refusal("invalid_auth")
            return
        if self.revoked:
            raise Refusal("token_revoked")
        if not (bot and given == bot.get_secret_value()) and not self.pages.accepts(request):
            raise Refusal("invalid_auth")

    def _granted(self, request: httpx.Request) -> httpx.Response:
        """Slack takes the app's credentials in the form too, and answers in a form of its own."""
        form = dict(parse_qsl(request.read().decode()))
        secret = self.settings.client_secret
        if form.pop("client_secret", None) != (secret.get_secret_value() if secret else ""):
            raise Refusal("bad_client_secret")
        content = urlencode({"grant_type": "authorization_code", **form})
        basic = httpx.BasicAuth(form.get("client_id", ""), secret.get_secret_value() if secret else "")
        asked = httpx.Request(
            "POST",
            "https://slack.com/api/oauth.v2.access",
            content=content,
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        answer = self.pages.token(next(basic.auth_flow(asked)))
        if answer.status_code != 200:
            raise Refusal("invalid_refresh_token" if "refresh_token" in form else "invalid_code")
        date = self.clock().strftime("%a, %d %b %Y %H:%M:%S GMT")
        told = {"ok": True, **answer.json(), "bot_user_id": BOT, "app_id": APP, "team": {"id": TEAM, "name": "Acme"}}
        return httpx.Response(200, json=told, headers={"date": date})

    # messages

    def _post(self, given: Json) -> Json:
        channel = self._open_channel(given)
        if not given.get("text") and not given.get("blocks"):
            raise Refusal("no_text")
        if len(given.get("text", "")) > 40_000:
            raise Refusal("msg_too_long")
        check_blocks(given.get("blocks", []))
        message = self._by_us(channel) | {
            name: given[name] for name in ("blocks", "metadata", "thread_ts") if name in given
        }
        message |= {"text": given.get("text", "")}
        self._keep(message, "us", channel, shown(message))
        return {"channel": channel, "ts": message["ts"], "message": message}

    def _update(self, given: Json) -> Json:
        message = self._own(given)
        check_blocks(given.get("blocks", []))
        channel, ts = given["channel"], given["ts"]
        now = message | {"text": given["text"], "blocks": given["blocks"], "edited": {"user": BOT, "ts": self._ts()}}
        self.messages[channel, ts] = now
        self._again(f"{channel}:{ts}", text=shown(now), edited=True)
        about = self._about(channel) | {"subtype": "message_changed"}
        self._tell(about | {"message": now, "previous_message": message})
        return {"channel": channel, "ts": ts, "text": given["text"]}

    def _delete(self, given: Json) -> Json:
        message = self._own(given)
        del self.messages[given["channel"], given["ts"]]
        self._again(f"{given['channel']}:{given['ts']}", text="", deleted=True)
        about = self._about(given["channel"]) | {"subtype": "message_deleted", "deleted_ts": given["ts"]}
        self._tell(about | {"previous_message": message})
        return {"channel": given["channel"], "ts": given["ts"]}

    def _own(self, given: Json) -> Json:
        message = self.messages.get((given["channel"], given["ts"]))
        if message is None:
            raise Refusal("message_not_found")
        if message.get("user") != BOT:
            raise Refusal("cant_update_message")
        return message

    def _again(self, native_id: str, **changes: Any) -> None:
        self.said = [replace(one, **changes) if one.id == native_id else one for one in self.said]

    def _history(self, given: Json) -> Json:
        found = [
            message
            for (channel, ts), message in self.messages.items()
            if channel == given["channel"] and float(ts) >= float(given.get("oldest", 0))
            if "ts" not in given or given["ts"] in {ts, message.get("thread_ts")}
        ]
        return {"messages": list(reversed(found)), "has_more": False}

    # reactions, people, files

    def _react(self, given: Json) -> Json:
        key = given["channel"], given["timestamp"]
        if key not in self.messages:
            raise Refusal("message_not_found")
        users = self.reactions.setdefault(key, {}).setdefault(given["name"], set())
        if BOT in users:
            raise Refusal("already_reacted")
        users.add(BOT)
        return {}

    def _react_no_more(self, given: Json) -> Json:
        users = self.reactions.get((given["channel"], given["timestamp"]), {}).get(given["name"], set())
        if BOT not in users:
            raise Refusal("no_reaction")
        users.remove(BOT)
        return {}

    def _reactions(self, given: Json) -> Json:
        known = self.reactions.get((given["channel"], given["timestamp"]), {})
        listed = [{"name": name, "users": sorted(users), "count": len(users)} for name, users in known.items() if users]
        return {"type": "message", "message": {"ts": given["timestamp"], "reactions": listed}}

    def _user(self, given: Json) -> Json:
        key = next((key for key in self._people() if self.user(key) == given["user"]), None)
        if key is None:
            raise Refusal("user_not_found")
        profile = {
            "real_name": key.title(),
            "email": f"{key}@mail.example",
            "image_192": "https://a.slack.example/k.png",
        }
        team = "T0OTHER" if key in self.external else TEAM
        return {"user": {"id": given["user"], "team_id": team, "name": key, "locale": "en-US", "profile": profile}}

    def _known(self, file: str) -> Json:
        if file not in self.files:
            raise Refusal("file_not_found")
        return self.files[file]

    def _ticket(self, given: Json) -> Json:
        if not given.get("filename") or int(given.get("length", 0)) <= 0:
            raise Refusal("invalid_arguments")
        file = self._file(given["filename"], "application/octet-stream", None)
        return {"file_id": file["id"], "upload_url": f"https://files.slack.com/upload/v1/{file['id']}"}

    def _of_file(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "POST":
            self.contents[name] = request.read()
            return httpx.Response(200, text=f"OK - {len(self.contents[name])}")
        if request.headers.get("authorization") != f"Bearer {self._token()}":
            return httpx.Response(200, html="<html>sign in</html>")
        return httpx.Response(200, content=self.contents[name], headers={"content-type": "image/png"})

    def _token(self) -> str:
        return self.settings.bot_token.get_secret_value() if self.settings.bot_token else ""

    def _complete(self, given: Json) -> Json:
        channel = self._open_channel({"channel": given["channel_id"]})
        shared = [self._known(one["id"]) for one in given["files"]]
        if any(one["id"] not in self.contents for one in shared):
            raise Refusal("file_not_found")
        message = self._by_us(channel) | {"subtype": "file_share", "files": shared, "blocks": given.get("blocks", [])}
        message |= {"thread_ts": given["thread_ts"]} if "thread_ts" in given else {}
        kind = "public" if channel == GENERAL else "private"
        for one in shared:
            one["shares"] = {kind: {channel: [{"ts": message["ts"]}]}}
        self._keep(message, "us", channel, shown(message) or shared[0]["name"])
        return {"files": [{"id": one["id"], "title": one["name"]} for one in shared]}

    # inside

    def user(self, person: str) -> str:
        return "U" + hashlib.sha256(person.encode()).hexdigest()[:9].upper()

    def _people(self) -> list[str]:
        return list(dict.fromkeys([*(said.author for said in self.said if said.author != "us"), *self.external]))

    def _direct(self, user: str) -> str:
        return f"D{user[1:]}"

    def _channel(self, person: str, place: str) -> str:
        return GENERAL if place == GENERAL else self._direct(self.user(person))

    def _open_channel(self, given: Json) -> str:
        channel: str = given.get("channel", "")
        if channel != GENERAL and not channel.startswith("D"):
            raise Refusal("channel_not_found")
        return channel

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _ts(self) -> str:
        return f"{int(self.clock().timestamp())}.{self._number():06}"

    def _about(self, channel: str) -> Json:
        ts = self._ts()
        return {
            "type": "message",
            "channel": channel,
            "channel_type": KINDS.get(channel, "im"),
            "ts": ts,
            "event_ts": ts,
        }

    def _message(self, person: str, channel: str, text: str) -> Json:
        key = f"{self._number():012}"
        event = self._about(channel) | {"user": self.user(person), "text": text, "blocks": typed(text)}
        team = "T0OTHER" if person in self.external else TEAM
        return event | {"client_msg_id": f"00000000-0000-4000-8000-{key}", "team": team}

    def _by_us(self, channel: str) -> Json:
        return self._about(channel) | {"user": BOT, "bot_id": BOT_ID, "app_id": APP, "team": TEAM}

    def _keep(self, event: Json, author: str, place: str, text: str) -> Said:
        channel, ts = event["channel"], event["ts"]
        self.messages[channel, ts] = event
        titles = [
            one["text"]["text"]
            for block in event.get("blocks", ())
            if block["type"] == "actions"
            for one in block["elements"]
        ]
        place_id = GENERAL if channel == GENERAL else "dm"
        said = Said(f"{channel}:{ts}", place_id, channel, author, text, self.clock(), choices=tuple(titles))
        self.said.append(said)
        self._tell(event)
        return said

    def _file(self, name: str, media_type: str, content: bytes | None) -> Json:
        file_id = f"F{self._number():08}"
        address = f"https://files.slack.com/files-pri/{TEAM}-{file_id}/{file_id}"
        file = {"id": file_id, "name": name, "mimetype": media_type, "url_private": address, "mode": "hosted"}
        self.files[file_id] = file | {"size": len(content or b"")}
        if content is not None:
            self.contents[file_id] = content
        return self.files[file_id]

    def _tell(self, event: Json) -> None:
        outer = {
            "token": "not-used-any-more",
            "team_id": TEAM,
            "api_app_id": APP,
            "event": {**event},
            "type": "event_callback",
            "event_id": f"Ev{self._number():08}",
            "event_time": int(self.clock().timestamp()),
            "authorizations": [{"team_id": TEAM, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}],
        }
        self._send("events_api", outer)

    def _send(self, kind: str, content: Json) -> None:
        if self.settings.app_token is None:
            return self.emit(self.signed(content, form=kind == "interactive"))
        envelope = {"envelope_id": f"envelope-{self._number()}", "type": kind, "payload": content}
        self.unacknowledged[str(envelope["envelope_id"])] = envelope
        for line in self.lines[:1]:  # one of the connections
            line.tell(Frame(json.dumps(envelope)))
        return None

    def signed(self, content: Json, *, form: bool = False) -> Payload:
        written = json.dumps(content)
        body = urlencode({"payload": written}).encode() if form else written.encode()
        signed_at = str(int(self.clock().timestamp()))
        secret = self.settings.signing_secret
        key = secret.get_secret_value().encode() if secret else b""
        mac = hmac.new(key, f"v0:{signed_at}:".encode() + body, hashlib.sha256).hexdigest()
        media_type = "application/x-www-form-urlencoded" if form else "application/json"
        headers = (
            ("content-type", media_type),
            ("x-slack-request-timestamp", signed_at),
            ("x-slack-signature", f"v0={mac}"),
        )
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    def resume(self, sent: Any) -> None:
        super().resume(sent)
        self._count += 10 * len(sent)
