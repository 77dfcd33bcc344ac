"""WhatsApp, played on this machine: one number of ours, and whoever writes to it.

Written from the documentation and the published description of the Cloud API (v23.0) named in the connector, with
nothing of it but the settings.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import httpx

from socialsupport_core.testing import Place, Said
from socialsupport_meta.simulated import DAY, GraphSimulator, Json, Refusal
from socialsupport_whatsapp.settings import WhatsAppSettings

NUMBER_ID, NUMBER = "106540352242922", "15550783881"
FILES = "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid="
FIELDS = {"messaging_product", "recipient_type", "to", "recipient", "type", "context", "biz_opaque_callback_data"}
KINDS = frozenset({"text", "image", "video", "audio", "document", "sticker", "interactive", "template", "reaction"})


class WhatsAppSimulator(GraphSimulator):
    """Its people are named by keys such as `kerry`; each has a number and a business-scoped id.

    Whoever is in `hidden` has taken a username and shows no number.
    """

    network = "whatsapp"
    object = "whatsapp_business_account"
    hosts = frozenset({"graph.facebook.com", "lookaside.fbsbx.com"})
    places: ClassVar = (Place("dm", "Message Acme on WhatsApp", "private"),)
    settings: WhatsAppSettings

    def __init__(self, settings: WhatsAppSettings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.account = settings.business_account_id or "102290129340398"
        self.number_id = settings.phone_number_id or NUMBER_ID
        self.hidden: set[str] = set()
        self.heard_at: dict[str, Any] = {}
        self.templates: dict[tuple[str, str], int] = {("parcel_update", "en_US"): 2, ("hello_world", "en_US"): 0}
        """Approved ones by name and language, and how many blanks each has."""
        self.reactions: dict[str, str] = {}
        self.read: set[str] = set()
        """Messages that we have marked as read."""
        self.typing: list[str] = []
        self.override: Json = {}
        self.values: dict[tuple[str, str], str] = {}
        """Of choices, by message and title."""
        self.keys: dict[str, str] = {}
        """What we told to be called back with, by message."""
        self.scoped: dict[str, str] = {}

    # what people do

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        return self.write(person, "text", {"body": text}, text, **more)

    def write(self, person: str, kind: str, content: Any, text: str = "", **more: Any) -> Said:
        """A message of any type; `more` are its other fields, such as `context`."""
        self.heard_at[self.person(person)] = self.clock()
        said = self.say(self._wamid(), "dm", self._thread(person), person, text)
        self._tell(person, messages=[{"id": said.id, "type": kind, kind: content, **more}])
        return said

    def send_photo(self, person: str, content: bytes, caption: str = "") -> Said:
        media_id = str(self.number())
        self.files[media_id] = content
        image = {"mime_type": "image/jpeg", "sha256": "x", "id": media_id} | ({"caption": caption} if caption else {})
        return self.write(person, "image", image, caption)

    def press(self, person: str, title: str) -> Said:
        """Presses the newest button, or takes the newest row, of that title."""
        shown = next(said for said in reversed(self.said) if title in said.choices)
        reply = {"type": "button_reply", "button_reply": {"id": self.values[shown.id, title], "title": title}}
        return self.write(person, "interactive", reply, title, context={"from": NUMBER, "id": shown.id})

    def react(self, person: str, said: Said, emoji: str) -> None:
        reaction = {"message_id": said.id} | ({"emoji": emoji} if emoji else {})
        self._tell(person, messages=[{"id": self._wamid(), "type": "reaction", "reaction": reaction}])

    def change_number(self, person: str, number: str) -> None:
        """A new number brings a new business-scoped id along."""
        old, scoped = self.person(person), self._scoped(person)
        self.people[person], self.scoped[person] = number, f"US.{self.number()}"
        body = f"User {person} changed from {old} to {number}"
        system = {"body": body, "wa_id": number, "type": "user_changed_number"}
        system |= {"user_id": self.scoped[person], "previous_user_id": scoped}
        message = {"from": old, "id": self._wamid(), "timestamp": self._seconds(), "type": "system", "system": system}
        self._change({"messages": [message]})

    def status(self, said_id: str, state: str, **more: Any) -> None:
        """What becomes of a message of ours."""
        said = next(one for one in self.said if one.id == said_id)
        key = {"biz_opaque_callback_data": self.keys[said_id]} if said_id in self.keys else {}
        status = {"id": said_id, "status": state, "timestamp": self._seconds(), "recipient_id": said.thread}
        self._change({"statuses": [status | key | more]})

    # what we ask

    def call(self, method: str, path: list[str], fields: Json) -> Any:
        calls: dict[tuple[str, ...], Callable[[], Any]] = {
            ("POST", self.number_id, "messages"): lambda: self._send(fields),
            ("POST", self.number_id, "media"): lambda: self._upload(fields),
            ("POST", self.account, "subscribed_apps"): lambda: self._subscribe(fields),
            ("GET", self.number_id): self._number,
        }
        if known := calls.get((method, *path)):
            return known()
        if method == "GET" and path[0] in self.files:
            url = f"{FILES}{path[0]}"
            return {"messaging_product": "whatsapp", "url": url, "mime_type": "image/jpeg", "id": path[0]}
        raise self.unknown(path)

    def download(self, request: httpx.Request) -> bytes | None:
        """Files want the token as well."""
        if request.url.host != "lookaside.fbsbx.com":
            return None
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return (
            self.files.get(request.url.params.get("mid", "")) if scheme == "Bearer" and token in self.tokens else None
        )

    def _number(self) -> Json:
        return {"display_phone_number": "+1 555-078-3881", "verified_name": "Acme", "id": self.number_id}

    def _subscribe(self, fields: Json) -> Json:
        self.override = fields
        return {"success": True}

    def _upload(self, fields: Json) -> Json:
        if fields.get("messaging_product") != "whatsapp" or "/" not in fields.get("type", "") or "file" not in fields:
            raise Refusal(100, "(#100) Invalid parameter")
        media_id = str(self.number())
        self.files[media_id] = fields["file"]
        return {"id": media_id}

    def _send(self, fields: Json) -> Json:
        if fields.get("messaging_product") != "whatsapp":
            raise Refusal(100, "(#100) The parameter messaging_product is required.")
        if fields.get("status") == "read":
            return self._seen(fields)
        kind = str(fields.get("type"))
        if kind not in KINDS or fields.keys() - FIELDS != {kind}:
            raise Refusal(100, f"(#100) Invalid parameter: type {kind}")
        if ("to" in fields) == ("recipient" in fields):
            raise Refusal(100, "(#100) The parameter to or recipient is required.")
        person = self._whose(str(fields.get("to") or fields.get("recipient")))
        if kind == "reaction":
            return self._react(person, fields["reaction"])
        self._check(person, kind, fields[kind])
        return self._told(person, kind, fields)

    def _check(self, person: str, kind: str, content: Json) -> None:
        silence = self.clock() - self.heard_at.get(self.person(person), self.clock() - 30 * DAY)
        if kind == "template":
            self._check_template(content)
        elif silence > DAY:
            raise Refusal(131047, "(#131047) Re-engagement message")
        if kind == "text" and not 0 < len(content.get("body", "")) <= 4096:
            raise Refusal(100, "(#100) Param text['body'] must be at most 4096 characters long.")
        if kind in ("image", "video", "audio", "document", "sticker") and content.get("id") not in self.files:
            raise Refusal(131053, "(#131053) Media upload error")
        if kind == "audio" and "caption" in content:
            raise Refusal(100, "(#100) Invalid parameter caption")

    def _check_template(self, content: Json) -> None:
        named = content["name"], content["language"]["code"]
        if named not in self.templates:
            raise Refusal(132001, "(#132001) Template name does not exist in the translation", status=404)
        given = [parameter for part in content.get("components", []) for parameter in part["parameters"]]
        if len(given) != self.templates[named]:
            raise Refusal(132000, "(#132000) Number of parameters does not match the expected number of params")

    def _told(self, person: str, kind: str, fields: Json) -> Json:
        content, wamid = fields[kind], self._wamid()
        options = _options(content) if kind == "interactive" else []
        text = content.get("body") if kind == "text" else content.get("caption") or content.get("name") or ""
        if kind == "interactive":
            text = content["body"]["text"]
        titles = tuple(title for title, _ in options)
        self.say(wamid, "dm", self._thread(person), "us", str(text), choices=titles)
        self.values.update({(wamid, title): value for title, value in options})
        if key := fields.get("biz_opaque_callback_data"):
            self.keys[wamid] = key
        self.status(wamid, "sent")
        contact = {"input": self._thread(person), "wa_id": self.person(person)}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": wamid}]}

    def _react(self, person: str, reaction: Json) -> Json:
        if reaction["emoji"]:
            self.reactions[reaction["message_id"]] = reaction["emoji"]
        else:
            self.reactions.pop(reaction["message_id"], None)
        contact = {"input": self._thread(person), "wa_id": self.person(person)}
        return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": self._wamid()}]}

    def _seen(self, fields: Json) -> Json:
        if fields["message_id"] not in {said.id for said in self.said}:
            raise Refusal(131009, "(#131009) Parameter value is not valid")
        self.read.add(fields["message_id"])
        if "typing_indicator" in fields:
            self.typing.append(fields["message_id"])
        return {"success": True}

    # inside

    def person(self, key: str) -> str:
        """Somebody's number."""
        return self.people.setdefault(key, str(15_550_002_222 + len(self.people)))

    def _scoped(self, key: str) -> str:
        return self.scoped.setdefault(key, f"US.1349120865530274191{len(self.scoped)}")

    def _thread(self, key: str) -> str:
        return self._scoped(key) if key in self.hidden else self.person(key)

    def _whose(self, written: str) -> str:
        found = [key for key in self.people if written in (self.person(key), self._scoped(key))]
        if not found:
            raise Refusal(131026, "(#131026) Message undeliverable")
        return found[0]

    def _wamid(self) -> str:
        return f"wamid.HBgL{self.number()}"

    def _seconds(self) -> str:
        return str(int(self.clock().timestamp()))

    def _tell(self, person: str, messages: list[Json]) -> None:
        number = {} if person in self.hidden else {"wa_id": self.person(person)}
        sender = {} if person in self.hidden else {"from": self.person(person)}
        profile = {"name": person.capitalize()} | ({"username": person} if person in self.hidden else {})
        dated = {"from_user_id": self._scoped(person), "timestamp": self._seconds(), **sender}
        contact = {"profile": profile, "user_id": self._scoped(person), **number}
        self._change({"contacts": [contact], "messages": [{**dated, **one} for one in messages]})

    def _change(self, value: Json) -> None:
        metadata = {"display_phone_number": NUMBER, "phone_number_id": self.number_id}
        self.tell(
            {
                "changes": [
                    {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
                ]
            }
        )


def _options(interactive: Json) -> list[tuple[str, str]]:
    """Titles and values. Raises Refusal where WhatsApp would."""
    action = interactive["action"]
    if interactive["type"] == "button":
        shown, longest, most = [one["reply"] for one in action["buttons"]], 20, 3
    else:
        shown, longest, most = [row for section in action["sections"] for row in section["rows"]], 24, 10
    if not 0 < len(shown) <= most or any(not 0 < len(one["title"]) <= longest for one in shown):
        raise Refusal(131009, "(#131009) Parameter value is not valid")
    return [(one["title"], one["id"]) for one in shown]
