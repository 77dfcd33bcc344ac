"""HubSpot played on this machine: an account with its people, tickets, activities, inbox and webhooks.

What a request must have is restated from the published descriptions (contacts, tickets, communications v3, custom
channels 2025-09; 2026-11).
"""

import email.policy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote

import httpx
import phonenumbers

from socialsupport_core.contract import Settings
from socialsupport_core.model import Payload
from socialsupport_core.testing.answering import Answered, AnsweringSimulator
from socialsupport_core.testing.oauth import SignInPages
from socialsupport_core.testing.simulator import Said
from socialsupport_hubspot.api import DEEPEST, GROUPS, HOST, PAGE
from socialsupport_hubspot.settings import HubSpotSettings
from socialsupport_hubspot.signing import sign

KINDS = {"contacts": "0-1", "tickets": "0-5", "notes": "0-46", "communications": "0-18"}
APP = "4711"
KNOWN: Mapping[str, frozenset[str]] = {
    "tickets": frozenset({"subject", "hs_pipeline", "hs_pipeline_stage", "hubspot_owner_id"}),
    "notes": frozenset({"hs_note_body", "hs_timestamp", "hs_attachment_ids"}),
    "communications": frozenset(
        {"hs_communication_channel_type", "hs_communication_logged_from", "hs_communication_body", "hs_timestamp"}
    ),
}
"""Properties that may be written, besides the one that an operator makes for our key."""
NEEDED: Mapping[str, frozenset[str]] = {
    "tickets": frozenset({"subject", "hs_pipeline_stage"}),
    "notes": frozenset({"hs_timestamp"}),
    "communications": frozenset({"hs_communication_channel_type", "hs_timestamp"}),
}
CHANNEL_TYPES = frozenset({"WHATS_APP", "LINKEDIN_MESSAGE", "SMS"})
SEARCH = frozenset({"after", "filterGroups", "limit", "properties", "sorts"})
MESSAGE = frozenset(
    {"attachments", "channelAccountId", "messageDirection", "recipients", "senders", "text", "timestamp"}
)
IDENTIFIERS = frozenset({"CHANNEL_SPECIFIC_OPAQUE_ID", "HS_EMAIL_ADDRESS", "HS_PHONE_NUMBER", "HS_SHORT_CODE"})
PORTAL = "62515"


@dataclass
class Record:
    id: str
    properties: dict[str, str]
    created: datetime
    updated: datetime
    tied: set[tuple[str, str]] = field(default_factory=set)
    past: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Of each property, the newest value first."""

    def shown(self, *names: str) -> dict[str, Any]:
        known = {name: self.properties.get(name) for name in names}
        return {"id": self.id, "properties": {**known, "hs_object_id": self.id}, "archived": False,
                "createdAt": _written(self.created), "updatedAt": _written(self.updated)}  # fmt: skip


class Refused(Answered):
    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        content = {"status": "error", "category": category, "message": message, "correlationId": "0", **more}
        self.response = httpx.Response(status, json=content)


Handler = Callable[["HubSpotServer", httpx.Request, tuple[str, ...]], httpx.Response]


class HubSpotServer(AnsweringSimulator):
    network: ClassVar[str] = "hubspot"
    hosts: ClassVar[frozenset[str]] = frozenset({HOST, "app.hubspot.com", f"{PORTAL}.fs1.hubspotusercontent-na1.net"})

    def __init__(self, settings: Settings, **more: Any) -> None:
        super().__init__(settings, **more)
        self.own = HubSpotSettings.model_validate(settings, from_attributes=True)
        self.portal = self.own.portal_id or PORTAL
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in KINDS}
        self.files: dict[str, dict[str, Any]] = {}
        self.messages: dict[str, dict[str, Any]] = {}
        """What stands in the inbox, by idempotency id."""
        self.erased: set[str] = set()
        self.pages = SignInPages(
            self.clock, self.random, self.own.client_id or "", lifetime=timedelta(minutes=30), single_use=False
        )
        self.app = self.own.app_id or APP
        self.keyed = {"tickets", "notes", "communications"}
        """What an operator has made the property for our key on."""
        self._last = 100

    # what people in HubSpot do

    def add_contact(self, **properties: str) -> Record:
        record = self._made("contacts", _calculated(properties))
        self._tell("contact.creation", record.id, changeSource="CRM_UI")
        return record

    def change_contact(self, contact: str, name: str, value: str) -> None:
        record = self.records["contacts"][contact]
        record.properties.update(_calculated({name: value}))
        record.updated = self.clock()
        self._tell("contact.propertyChange", contact, propertyName=name, propertyValue=value, changeSource="CRM_UI")

    def merge(self, primary: str, other: str) -> Record:
        """The new record has a number of its own, and names those that went into it."""
        contacts = self.records["contacts"]
        one, two = contacts.pop(primary), contacts.pop(other)
        emails = [one.properties.get("email"), two.properties.get("email")]
        merged = {
            "hs_merged_object_ids": f"{primary};{other}",
            "hs_additional_emails": ";".join(filter(None, emails[1:])),
        }
        left = self._made("contacts", {**two.properties, **one.properties, **merged})
        ids = {"primaryObjectId": primary, "mergedObjectIds": [other], "newObjectId": left.id}
        self._tell("contact.merge", left.id, numberOfPropertiesMoved=0, **ids)
        return left

    def close(self, ticket: str) -> None:
        self.change(ticket, "hs_pipeline_stage", self.own.closed_stage)

    def change(self, ticket: str, name: str, value: str) -> None:
        self._write("tickets", self.records["tickets"][ticket], {name: value}, "CRM_UI", "userId:5")

    def delete(self, kind: str, record: str) -> None:
        """Into the recycling bin."""
        del self.records[kind][record]
        self._tell(f"{kind[:-1]}.deletion", record, changeSource="CRM_UI")

    def reply(self, ticket: str, agent: str, text: str, **more: Any) -> Said:
        """In the inbox: to whoever has a thread there, which our own channel has begun."""
        message = {
            "id": self._id(), "type": "MESSAGE", "channelId": self._channel(), "conversationsThreadId": f"9{ticket}",
            "createdAt": _written(self.clock()), "createdBy": "A-1", "client": {"clientType": "HUBSPOT"},
            "senders": [{"actorId": "A-1", "name": agent}], "recipients": [], "text": text, "direction": "OUTGOING",
            "truncationStatus": "NOT_TRUNCATED", "status": {"statusType": "SENT"}, "attachments": [], **more,
        }  # fmt: skip
        self._push({
            "type": "OUTGOING_CHANNEL_MESSAGE_CREATED", "portalId": self.portal, "channelId": self._channel(),
            "eventTimestamp": message["createdAt"], "eventId": self._id(), "channelIntegrationThreadIds": [ticket],
            "message": message,
        })  # fmt: skip
        said = Said(str(message["id"]), ticket, ticket, agent, text, self.clock())
        self.said.append(said)
        return said

    def speak(self, person: str, text: str, place: str = "", **more: Any) -> Said:
        """An agent (`person`) replies in a ticket (`place`), by default the newest."""
        return self.reply(place or next(reversed(self.records["tickets"])), person, text)

    def allow(self, address: str) -> str:
        """The operator agrees on the page at this address: where the browser is sent back to."""
        return self.pages.allow(str(_asked_for_code(httpx.Request("GET", address)).url))

    def due(self) -> list[Payload]:
        """Signed as they leave: a late or repeated webhook carries a fresh signature."""
        return [self.signed(payload.body) for payload in super().due()]

    def signed(self, body: bytes) -> Payload:
        signed_at = str(int(self.clock().timestamp() * 1000))
        secret = self.own.client_secret
        proof = sign(secret, "POST", self.door, body, signed_at) if secret else ""
        headers = (("content-type", "application/json"), ("x-hubspot-signature-v3", proof),
                   ("x-hubspot-request-timestamp", signed_at))  # fmt: skip
        return Payload(url=self.door, headers=headers, body=body, received_at=self.clock())

    def everything(self) -> str:
        """All that is stored, as text: to look for what should be gone, or what is there twice."""
        records = [
            [one.id, one.properties, sorted(one.tied)] for kind in self.records.values() for one in kind.values()
        ]
        return json.dumps([records, sorted(self.messages), sorted(self.files)], default=str)

    # its HTTP interface

    def rate_limited(self, request: httpx.Request) -> httpx.Response:
        return Refused(429, "RATE_LIMITS", "You have reached your ten_secondly_rolling limit.",
                       policyName="TEN_SECONDLY_ROLLING").response  # fmt: skip

    def expired(self, request: httpx.Request) -> httpx.Response:
        return Refused(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired").response

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "app.hubspot.com":
            return self.pages.page(_asked_for_code(request))
        if request.url.host != HOST:
            return self._download(request)
        path = request.url.raw_path.decode().partition("?")[0]
        for (method, pattern), handler in ROUTES.items():
            if method == request.method and (match := re.fullmatch(pattern, path)):
                if handler is not HubSpotServer._token and not self._accepts(request):
                    raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found")
                return handler(self, request, tuple(unquote(part) for part in match.groups()))
        raise Refused(404, "NOT_FOUND", f"{request.method} {path}")

    def _accepts(self, request: httpx.Request) -> bool:
        token = self.own.access_token
        given = request.headers.get("authorization")
        return (token is not None and given == f"Bearer {token.get_secret_value()}") or self.pages.accepts(request)

    def _token(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        form = parse_qs(request.read().decode())
        secret = self.own.client_secret.get_secret_value() if self.own.client_secret else None
        if form.get("client_secret") != [secret]:
            return httpx.Response(400, json={"error": "invalid_client", "status": "BAD_CLIENT_SECRET"})
        answer = self.pages.token(request)
        if answer.status_code != 200:
            return answer
        granted = answer.json()
        return httpx.Response(200, json={**granted, "scopes": granted.pop("scope").split(), "hub_id": int(self.portal)})

    def _get(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        kind, wanted = path
        names = request.url.params.get("properties", "").split(",")
        by = request.url.params.get("idProperty")
        return httpx.Response(200, json=self._found(kind, wanted, by).shown(*filter(None, names)))

    def _search(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        asked = _object(request, SEARCH)
        after, limit = int(asked["after"] or 0), asked["limit"]
        if limit > PAGE or len(asked["filterGroups"]) > GROUPS or len(asked["sorts"]) > 1 or after + limit > DEEPEST:
            raise Refused(400, "VALIDATION_ERROR", "the search asks for too much")
        found = [one for one in self.records[path[0]].values() if _fits(one, asked["filterGroups"])]
        if not all(isinstance(order, str) for order in asked["sorts"]):
            raise Refused(400, "VALIDATION_ERROR", "sorts are names of properties")
        for order in asked["sorts"]:
            found.sort(key=lambda one: (one.updated, int(one.id)) if "modified" in order else (0, 0))
        page = found[after : after + limit]
        following = {"paging": {"next": {"after": str(after + limit)}}} if after + limit < len(found) else {}
        shown = [one.shown(*asked["properties"]) for one in page]
        return httpx.Response(200, json={"total": len(found), "results": shown, **following})

    def _upsert(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        kind, results = path[0], []
        for one in _object(request, {"inputs"})["inputs"]:
            if one.get("idProperty") != self.own.key_property or kind not in self.keyed or not one.get("id"):
                raise Refused(400, "VALIDATION_ERROR", f"{one.get('idProperty')} is no unique property of {kind}")
            known = self._by(kind, self.own.key_property, one["id"])
            self._check(kind, one["properties"], complete=known is None)
            record = known or self._made(kind, {self.own.key_property: one["id"]})
            self._write(kind, record, one["properties"], "INTEGRATION", self.app)
            results.append({**record.shown(*record.properties), "new": known is None})
        return httpx.Response(200, json={"status": "COMPLETE", "results": results})

    def _patch(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        record = self._found(path[0], path[1], None)
        properties = _object(request, {"properties"})["properties"]
        self._check(path[0], properties, complete=False)
        self._write(path[0], record, properties, "INTEGRATION", self.app)
        return httpx.Response(200, json=record.shown(*record.properties))

    def _read(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        asked = _object(request, {"inputs", "properties", "propertiesWithHistory"})
        if len(asked["inputs"]) > 50:
            raise Refused(400, "VALIDATION_ERROR", "at most 50 with their history")
        found = [self.records[path[0]].get(one["id"]) for one in asked["inputs"]]
        results = [
            {**one.shown(*asked["properties"]),
             "propertiesWithHistory": {name: one.past.get(name, []) for name in asked["propertiesWithHistory"]}}
            for one in found if one
        ]  # fmt: skip
        return httpx.Response(200, json={"status": "COMPLETE", "results": results})

    def _delete(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        """Also of what is gone already."""
        if self.records[path[0]].pop(path[1], None) and path[0] == "tickets":
            self._tell("ticket.deletion", path[1], changeSource="INTEGRATION", sourceId=self.app)
        return httpx.Response(204)

    def _delete_file(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if self.files.pop(path[0], None) is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        return httpx.Response(204)

    def _tied(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        ticket, kind = path
        self._found("tickets", ticket, None)
        tied = [one.id for one in self.records[kind].values() if ("tickets", ticket) in one.tied]
        return httpx.Response(200, json={"results": [{"toObjectId": int(one)} for one in tied[:100]]})

    def _account(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        return httpx.Response(200, json={"portalId": int(self.portal), "timeZone": "Europe/Berlin"})

    def _property(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if path[0] not in self.keyed or path[1] != self.own.key_property:
            raise Refused(404, "OBJECT_NOT_FOUND", "no such property")
        return httpx.Response(200, json={"name": path[1], "type": "string", "hasUniqueValue": True})

    def _sign(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        if path[0] not in self.files:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        url = f"https://{self.portal}.fs1.hubspotusercontent-na1.net/{path[0]}?signature=1"
        return httpx.Response(200, json={"url": url, "name": self.files[path[0]]["name"]})

    def _download(self, request: httpx.Request) -> httpx.Response:
        """A signed address says all; whoever sends a token along tells it to strangers."""
        stored = self.files.get(request.url.path.strip("/"))
        if stored is None or "authorization" in request.headers or "signature" not in request.url.params:
            return httpx.Response(403)
        return httpx.Response(200, content=stored["content"], headers={"content-type": stored["media_type"]})

    def _tie(self, _: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        kind, one, other_kind, other = path
        self._found(kind, one, None).tied.add((other_kind, self._found(other_kind, other, None).id))
        return httpx.Response(200, json={"status": "COMPLETE", "results": [{"from": {"id": one}, "to": {"id": other}}]})

    def _erase(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        """The contact with their activities; tickets stay, with nobody."""
        contact = _object(request, {"objectId"})["objectId"]
        if self.records["contacts"].pop(contact, None) is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        self.erased.add(contact)
        theirs = {name for name, one in self.records["tickets"].items() if ("contacts", contact) in one.tied}
        for kind in ("notes", "communications"):
            kept = {name: one for name, one in self.records[kind].items() if not {t for _, t in one.tied} & theirs}
            self.records[kind] = kept
        return httpx.Response(204)

    def _upload(self, request: httpx.Request, _: tuple[str, ...]) -> httpx.Response:
        form = _form(request)
        access = json.loads(form["options"]["content"])["access"] if "options" in form else None
        if "file" not in form or "folderPath" not in form or access not in {"PRIVATE", "PUBLIC_INDEXABLE"}:
            raise Refused(400, "VALIDATION_ERROR", "file, folderPath and options.access are needed")
        name = self._id()
        self.files[name] = {**form["file"], "folder": form["folderPath"]["content"].decode()}
        return httpx.Response(201, json={"id": name, "access": access})

    def _publish(self, request: httpx.Request, path: tuple[str, ...]) -> httpx.Response:
        given = _object(request, MESSAGE)
        channel = self.own.channel
        if channel is None or path[0] != channel.id or given["channelAccountId"] != channel.account:
            raise Refused(404, "OBJECT_NOT_FOUND", "no such channel or channel account")
        people = [*given["senders"], *given["recipients"]]
        if {one["deliveryIdentifier"]["type"] for one in people} - IDENTIFIERS or not given["text"]:
            raise Refused(400, "VALIDATION_ERROR", "a delivery identifier of no known type, or no text")
        if given["messageDirection"] not in {"INCOMING", "OUTGOING"}:
            raise Refused(400, "VALIDATION_ERROR", "messageDirection")
        key = given.get("integrationIdempotencyId") or self._id()
        if key not in self.messages:
            self.messages[key] = {
                **given,
                "id": self._id(),
                "conversationsThreadId": f"9{given['integrationThreadId']}",
            }
        return httpx.Response(201, json=self.messages[key])

    # inside

    def _found(self, kind: str, wanted: str, by: str | None) -> Record:
        found = self._by(kind, by, wanted) if by else self.records[kind].get(wanted)
        if found is None:
            raise Refused(404, "OBJECT_NOT_FOUND", "resource not found")
        return found

    def _by(self, kind: str, name: str, value: str) -> Record | None:
        return next((one for one in self.records[kind].values() if one.properties.get(name) == value), None)

    def _check(self, kind: str, properties: dict[str, Any], *, complete: bool) -> None:
        missing = NEEDED[kind] - properties.keys() if complete else ()
        unknown = properties.keys() - KNOWN[kind]
        if missing or unknown or not all(isinstance(one, str) for one in properties.values()):
            raise Refused(400, "VALIDATION_ERROR", f"missing {sorted(missing)}, unknown {sorted(unknown)}, or no text")
        if properties.get("hs_communication_channel_type", "SMS") not in CHANNEL_TYPES:
            raise Refused(400, "VALIDATION_ERROR", "hs_communication_channel_type")
        if len(properties.get("hs_note_body", "")) > 65_536:
            raise Refused(400, "VALIDATION_ERROR", "hs_note_body is longer than 65,536 characters")

    def _made(self, kind: str, properties: dict[str, str]) -> Record:
        record = Record(self._id(), dict(properties), self.clock(), self.clock())
        self.records[kind][record.id] = record
        return record

    def _write(self, kind: str, record: Record, properties: dict[str, str], source: str, name: str) -> None:
        """Each value with who wrote it; a ticket's are told by webhook."""
        record.updated = self.clock()
        for key, value in properties.items():
            if record.properties.get(key) == value:
                continue
            record.properties[key] = value
            entry = {"value": value, "timestamp": _written(self.clock()), "sourceType": source, "sourceId": name}
            record.past.setdefault(key, []).insert(0, entry)
            if kind == "tickets" and len(record.past[key]) > 1:
                told = {"propertyName": key, "propertyValue": value, "changeSource": source, "sourceId": name}
                self._tell("ticket.propertyChange", record.id, **told)

    def _channel(self) -> str:
        return self.own.channel.id if self.own.channel else "0"

    def _tell(self, kind: str, record: str, **more: Any) -> None:
        change = {"eventId": int(self._id()), "subscriptionId": 1, "portalId": int(self.portal), "appId": 1,
                  "occurredAt": int(self.clock().timestamp() * 1000), "subscriptionType": kind, "attemptNumber": 0,
                  "objectId": int(record), **more}  # fmt: skip
        self._push([change])

    def _push(self, content: Any) -> None:
        self.emit(self.signed(json.dumps(content).encode()))

    def _id(self) -> str:
        self._last += 1
        return str(self._last)


ROUTES: Mapping[tuple[str, str], Handler] = {
    ("POST", "/oauth/2026-03/token"): HubSpotServer._token,
    ("POST", "/crm/v3/objects/contacts/gdpr-delete"): HubSpotServer._erase,
    ("POST", "/crm/v3/objects/(contacts|tickets)/search"): HubSpotServer._search,
    ("POST", "/crm/v3/objects/(tickets|notes|communications)/batch/upsert"): HubSpotServer._upsert,
    ("GET", "/crm/v3/objects/(contacts|tickets|notes|communications)/([^/]+)"): HubSpotServer._get,
    ("POST", "/crm/v3/objects/(tickets)/batch/read"): HubSpotServer._read,
    ("DELETE", "/crm/v3/objects/(tickets|notes|communications)/([^/]+)"): HubSpotServer._delete,
    ("GET", "/crm/v4/objects/tickets/([^/]+)/associations/(notes|communications)"): HubSpotServer._tied,
    ("GET", "/crm/v3/properties/([a-z]+)/([^/]+)"): HubSpotServer._property,
    ("GET", "/account-info/v3/details"): HubSpotServer._account,
    ("GET", "/files/v3/files/([^/]+)/signed-url"): HubSpotServer._sign,
    ("DELETE", "/files/v3/files/([^/]+)/gdpr-delete"): HubSpotServer._delete_file,
    ("PATCH", "/crm/v3/objects/(tickets)/([^/]+)"): HubSpotServer._patch,
    ("PUT", "/crm/v4/objects/([a-z]+)/([^/]+)/associations/default/(contacts|tickets)/([^/]+)"): HubSpotServer._tie,
    ("POST", "/files/v3/files"): HubSpotServer._upload,
    ("POST", "/conversations/custom-channels/2025-09/([^/]+)/messages"): HubSpotServer._publish,
}


def _asked_for_code(request: httpx.Request) -> httpx.Request:
    """HubSpot's page knows one kind of answer, so nobody has to ask for it."""
    return httpx.Request(request.method, request.url.copy_merge_params({"response_type": "code"}))


def _object(request: httpx.Request, needed: frozenset[str] | set[str]) -> dict[str, Any]:
    try:
        given = json.loads(request.content)
    except ValueError:
        raise Refused(400, "VALIDATION_ERROR", "the body is not JSON") from None
    if not isinstance(given, dict) or needed - given.keys():
        raise Refused(400, "VALIDATION_ERROR", f"the body needs {sorted(needed)}")
    return given


def _form(request: httpx.Request) -> dict[str, dict[str, Any]]:
    """A multipart form is a MIME message without its first header."""
    head = f"content-type: {request.headers.get('content-type', '')}\r\n\r\n".encode()
    message = BytesParser(EmailMessage, policy=email.policy.HTTP).parsebytes(head + request.read())
    return {
        str(part.get_param("name", header="content-disposition")): {
            "name": part.get_filename(),
            "media_type": part.get_content_type(),
            "content": part.get_payload(decode=True),
        }
        for part in (message.iter_parts() if message.is_multipart() else ())
    }


def _fits(record: Record, groups: list[dict[str, Any]]) -> bool:
    return any(all(_holds(record, one) for one in group["filters"]) for group in groups)


def _holds(record: Record, wanted: dict[str, Any]) -> bool:
    name, operator, value = wanted["propertyName"], wanted["operator"], wanted["value"]
    if name.endswith("lastmodifieddate"):
        moment = int(record.updated.timestamp() * 1000)
        return moment >= int(value) if operator == "GTE" else moment < int(value)
    known = record.id if name == "hs_object_id" else record.properties.get(name, "")
    tokens = {known.lower()} if operator == "EQ" else set(re.split(r"[;\s]", known.lower()))
    return bool(known) and value.lower() in tokens


def _calculated(properties: dict[str, str]) -> dict[str, str]:
    """HubSpot's own copies of numbers that it understands."""
    made = {}
    for name, copied in (("phone", "phone"), ("mobilephone", "mobile")):
        try:
            number = phonenumbers.parse(properties.get(name, ""))
        except phonenumbers.NumberParseException:
            continue
        made[f"hs_calculated_{copied}_number"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        made[f"hs_searchable_calculated_{copied}_number"] = str(number.national_number)
    return {**properties, **made}


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
