"""What the simulators of Meta's networks share: the Graph API's manners, signed webhooks, conversations.

Written from the documentation that the connectors name, with nothing of the connectors but their settings.
"""

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from email.utils import format_datetime
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import httpx

from socialsupport_core.model import Payload
from socialsupport_core.testing import Said, Simulator
from socialsupport_meta.settings import AppSettings

Json = dict[str, Any]
DAY = timedelta(hours=24)
WEEK = timedelta(days=7)
BODY = {"recipient", "message", "messaging_type", "tag", "sender_action", "payload", "notification_type", "persona_id"}
FOLDED = frozenset({"message", "recipient"})
"""Fields of a form that hold JSON."""


class Refusal(Exception):
    """An error as the Graph API words it."""

    def __init__(self, code: int, message: str, *, subcode: int | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.status = status
        error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AbCdEf"}
        self.body: Json = {"error": error | ({"error_subcode": subcode} if subcode else {})}


class GraphSimulator(Simulator):
    """Answers at one host of the Graph API, for one account of ours."""

    object: ClassVar[str]
    """What its webhooks are about: `page`, `instagram`, `whatsapp_business_account`."""
    account: str
    """The id of our account, as webhooks name it in `entry[].id`."""
    settings: AppSettings

    def __init__(self, settings: AppSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.tokens = {settings.access_token.get_secret_value()} if settings.access_token else set()
        self.people: dict[str, str] = {}
        """Keys such as `kerry`, and the id that each has for us."""
        self.files: dict[str, bytes] = {}
        self.subscribed: set[str] = set()
        self.codes: set[str] = set()
        """What was granted at the dialog and not yet exchanged."""
        self._serial = 0

    # what a subclass writes

    def call(self, method: str, path: list[str], fields: Json) -> Any:
        """The answer to a call whose token is valid. Raises Refusal."""
        raise NotImplementedError

    def download(self, request: httpx.Request) -> bytes | None:
        """A file, where it lies at a host of its own; None where there is none."""
        return self.files.get(str(request.url))

    # what Meta answers

    def respond(self, request: httpx.Request) -> httpx.Response:
        if (content := self.download(request)) is not None:
            return httpx.Response(200, content=content, headers={"content-type": "image/jpeg"})
        try:
            return self._reply(200, self._answer(request))
        except Refusal as refusal:
            return self._reply(refusal.status, refusal.body)

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        refusal = Refusal(613, "(#613) Calls to this API have exceeded the rate limit.")
        usage = {self.account: [{"type": "messenger", "estimated_time_to_regain_access": 1}]}
        return self._reply(400, refusal.body, {"x-business-use-case-usage": json.dumps(usage)})

    def expired(self, request: httpx.Request) -> httpx.Response:
        refusal = Refusal(190, "Error validating access token: The token has expired", subcode=463)
        return self._reply(401, refusal.body)

    def _reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> httpx.Response:
        dated = {"date": format_datetime(self.clock(), usegmt=True), **(headers or {})}
        return httpx.Response(status, json=body, headers=dated)

    def _answer(self, request: httpx.Request) -> Any:
        version, *path = request.url.path.strip("/").split("/")
        if request.url.host not in self.hosts or version != self.settings.version or not path:
            raise Refusal(2500, "Unknown path components", status=404)
        if path == ["oauth", "access_token"]:
            return self._granted(fields_of(request))
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.tokens:
            raise Refusal(190, "Invalid OAuth access token - Cannot parse access token", status=401)
        return self.call(request.method, path, fields_of(request))

    def allow(self, address: str) -> str:
        """The operator agrees at the dialog: the address to which the browser is sent back."""
        asked = dict(httpx.URL(address).params)
        assert asked["client_id"] == self.settings.app_id
        code = f"code-{self.number()}"
        self.codes.add(code)
        return str(httpx.URL(asked["redirect_uri"]).copy_merge_params({"state": asked["state"], "code": code}))

    def _granted(self, fields: Json) -> Json:
        """GET /oauth/access_token: a token for a code, a lasting one for that."""
        secret = self.settings.app_secret.get_secret_value()
        if (fields.get("client_id"), fields.get("client_secret")) != (self.settings.app_id, secret):
            raise Refusal(1, "Error validating client secret.")
        given = fields.get("code") or fields.get("fb_exchange_token")
        if given in self.codes:
            self.codes.discard(given)
        elif given not in self.tokens:
            raise Refusal(100, "This authorization code has been used.", subcode=36009)
        token = f"user-token-{self.number()}"
        self.tokens.add(token)
        return {"access_token": token, "token_type": "bearer", "expires_in": 5_183_944}

    def unknown(self, path: list[str]) -> Refusal:
        message = f"Unsupported request. Object with ID '{path[0]}' does not exist or cannot be loaded"
        return Refusal(100, message, subcode=33)

    # what Meta tells

    def tell(self, *entries: Json) -> None:
        """Emits one webhook with these entries, signed."""
        filled = [{"id": self.account, "time": self.stamp(), **entry} for entry in entries]
        body = json.dumps({"object": self.object, "entry": filled}).encode()
        secret = self.settings.app_secret.get_secret_value()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = (("content-type", "application/json"), ("x-hub-signature-256", signature))
        self.emit(Payload(url=self.door, headers=headers, body=body, received_at=self.clock()))

    def stamp(self) -> int:
        """Milliseconds."""
        return int(self.clock().timestamp() * 1000)

    def number(self) -> int:
        self._serial += 1
        return 17_000_000 + self._serial

    def known(self, person_id: str) -> str:
        """The person's key. Raises Refusal."""
        found = next((key for key, known in self.people.items() if known == person_id), None)
        if found is None:
            raise Refusal(100, "(#100) No matching user found", subcode=2018001)
        return found

    def say(self, said_id: str, place: str, thread: str, author: str, text: str, **more: Any) -> Said:
        said = Said(id=said_id, place=place, thread=thread, author=author, text=text, at=self.clock(), **more)
        self.said.append(said)
        return said

    def heard(self, person: str) -> list[Said]:
        """Whoever has not spoken yet may have been written to."""
        public = {place.id for place in self.places if place.visibility == "public"}
        mine = {said.thread for said in self.said if said.author == person} | {self.people.get(person)}
        return [said for said in self.said if said.thread in mine or said.place in public]

    def rewrite(self, said_id: str, **changes: Any) -> None:
        self.said = [replace(said, **changes) if said.id == said_id else said for said in self.said]


class MessagingSimulator(GraphSimulator):
    """Conversations as Messenger and Instagram have them."""

    def __init__(self, settings: AppSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.heard_at: dict[str, Any] = {}
        """When each person last wrote; the reply window counts from here."""
        self.acted: list[tuple[str, str]] = []
        """Sender actions, and to whom."""
        self.reactions: dict[str, str] = {}
        """Ours, by message."""
        self.replied: set[str] = set()
        """Comments that were answered in private."""
        self.commented: dict[str, tuple[str, Any]] = {}
        """Whose each comment is, and when it was written."""

    def fits(self, text: str) -> bool:
        """Whether a text is short enough."""
        raise NotImplementedError

    # what people do

    def write(self, person: str, **message: Any) -> Said:
        """A message; `message` are its fields."""
        person_id, mid = self.person(person), self.mid()
        self.heard_at[person_id] = self.clock()
        said = self.say(mid, "dm", person_id, person, str(message.get("text", "")))
        self.happened(person, message={"mid": mid, **message})
        return said

    def happened(self, person: str, **event: Any) -> None:
        """Something of a person's in the conversation with us: `reaction`, `read`, `postback`, `referral` …"""
        parties = {"sender": {"id": self.person(person)}, "recipient": {"id": self.account}}
        self.tell({"messaging": [{**parties, "timestamp": self.stamp(), **event}]})

    def unsend(self, person: str, said: Said) -> None:
        self.happened(person, message={"mid": said.id, "is_deleted": True})

    def press(self, person: str, title: str) -> Said:
        """Presses the newest quick reply of that title."""
        options = next(said for said in reversed(self.said) if title in said.choices)
        payload = self.payloads[options.id, title]
        return self.write(person, text=title, quick_reply={"payload": payload})

    # what we ask

    @property
    def payloads(self) -> dict[tuple[str, str], str]:
        """Values of quick replies, by message and title."""
        self._payloads: dict[tuple[str, str], str] = getattr(self, "_payloads", {})
        return self._payloads

    def send(self, fields: Json) -> Json:
        """POST /{account}/messages"""
        if unknown := fields.keys() - BODY - {"reply_to"}:
            raise Refusal(100, f"(#100) Invalid keys {', '.join(sorted(unknown))} were found in param")
        recipient = fields.get("recipient") or {}
        if comment := recipient.get("comment_id") or recipient.get("post_id"):
            return self._reply_in_private(comment, fields)
        person_id = str(recipient.get("id", ""))
        person = self.known(person_id)
        if "sender_action" in fields:
            return self._act(person_id, fields)
        self._check_window(person_id, fields)
        mid = self._told(person, person_id, fields["message"])
        return {"recipient_id": person_id, "message_id": mid}

    def upload(self, fields: Json) -> Json:
        """POST /{account}/message_attachments"""
        if fields["message"]["attachment"]["type"] not in {"image", "audio", "video", "file"}:
            raise Refusal(100, "(#100) Param message[attachment][type] must be one of {image, audio, video, file}")
        file_id = str(self.number())
        self.files[file_id] = fields["filedata"]
        return {"attachment_id": file_id}

    def _reply_in_private(self, comment: str, fields: Json) -> Json:
        if comment not in self.commented:
            raise self.unknown([comment])
        person, at = self.commented[comment]
        if comment in self.replied or self.clock() - at > WEEK:
            raise Refusal(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)
        self.replied.add(comment)
        person_id = self.person(person)
        return {"recipient_id": person_id, "message_id": self._told(person, person_id, fields["message"])}

    def _check_window(self, person_id: str, fields: Json) -> None:
        kind, tag = fields.get("messaging_type"), fields.get("tag")
        if kind not in {"RESPONSE", "UPDATE", "MESSAGE_TAG"} or (kind == "MESSAGE_TAG") != (tag is not None):
            raise Refusal(100, "(#100) Param messaging_type must be one of {RESPONSE, UPDATE, MESSAGE_TAG}")
        silence = self.clock() - self.heard_at.get(person_id, self.clock() - 99 * WEEK)
        if silence > (WEEK if tag == "HUMAN_AGENT" else DAY):
            raise Refusal(10, "(#10) This message is sent outside of allowed window.", subcode=2018278)

    def _act(self, person_id: str, fields: Json) -> Json:
        action = fields["sender_action"]
        if action not in {"typing_on", "typing_off", "mark_seen", "react", "unreact"} or "message" in fields:
            raise Refusal(100, "(#100) Cannot send both message and state at the same time.")
        self.acted.append((action, person_id))
        about = fields.get("payload", {})
        if action == "react":
            self.reactions[about["message_id"]] = about["reaction"]
        elif action == "unreact":
            self.reactions.pop(about["message_id"], None)
        return {"recipient_id": person_id}

    def _told(self, person: str, person_id: str, message: Json) -> str:
        text, replies = message.get("text"), message.get("quick_replies", [])
        file = message.get("attachment")
        if (text is None) == (file is None):
            raise Refusal(100, "(#100) Message must have either text or an attachment")
        if text is not None and not (text and self.fits(text)):
            raise Refusal(100, "(#100) Length of param message[text] is too long")
        if len(replies) > 13 or any(not one["title"] or len(one["title"]) > 20 for one in replies):
            raise Refusal(100, "(#100) Invalid quick replies")
        if file and file["payload"].get("attachment_id") not in self.files:
            raise Refusal(100, "(#100) Upload attachment failure.", subcode=2018047)
        mid = self.mid()
        said = self.say(mid, "dm", person_id, "us", text or "", choices=tuple(one["title"] for one in replies))
        self.payloads.update({(said.id, one["title"]): one["payload"] for one in replies})
        self.echo(person_id, mid, message)
        return mid

    def echo(self, person_id: str, mid: str, message: Json) -> None:
        shown: Json = {key: message[key] for key in ("text", "metadata") if key in message}
        if file := message.get("attachment"):
            shown["attachments"] = [{"type": file["type"], "payload": {"url": f"https://cdn.fbsbx.com/{mid}"}}]
        event = {"sender": {"id": self.account}, "recipient": {"id": person_id}, "timestamp": self.stamp()}
        self.tell({"messaging": [{**event, "message": {"mid": mid, "is_echo": True, "app_id": 1, **shown}}]})

    def person(self, key: str) -> str:
        """The id that somebody has for us."""
        return self.people.setdefault(key, str(24_000_000_000_000 + len(self.people)))

    def mid(self) -> str:
        return f"m_{self.number()}"


def fields_of(request: httpx.Request) -> Json:
    """Query, and the body as JSON or as a form of either kind."""
    fields: Json = dict(request.url.params)
    body, media_type = request.read(), request.headers.get("content-type", "")
    if media_type.startswith("application/json"):
        content: Json = json.loads(body)
        return fields | content
    if media_type.startswith("application/x-www-form-urlencoded"):
        return fields | dict(parse_qsl(body.decode()))
    if media_type.startswith("multipart/form-data"):
        head = f"content-type: {media_type}\r\n\r\n".encode()
        return fields | {name: _part(name, part) for name, part in _parts(message_from_bytes(head + body, policy=HTTP))}
    return fields


def _parts(form: Message) -> list[tuple[str, Message]]:
    parts = [part for part in form.walk() if not part.is_multipart()]
    return [(str(part.get_param("name", header="content-disposition")), part) for part in parts]


def _part(name: str, part: Message) -> Any:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    if part.get_filename():
        return content
    return json.loads(content) if name in FOLDED and content.startswith(b"{") else content.decode()
