"""The adapter: our verbs as calls of Chatwoot's application API, its webhooks and messages as our events.

Each conversation of ours has a source id of its own in one API inbox, made from its key: there it is found again. A
record's key is the message's `source_id`, and is looked for among the messages before anything is written.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from socialsupport_chatwoot import signing
from socialsupport_chatwoot.native import EVENTS, OURS, contact_of, events, is_ours, moment, stamp, status_of
from socialsupport_chatwoot.settings import ChatwootSettings
from socialsupport_core.contract import (
    CRM,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    Contact,
    ContentRejected,
    CRMEvent,
    Flow,
    Outcome,
    Ref,
    Settings,
    SignatureError,
    Unreachable,
    Unsupported,
    answered_at,
    body,
    headline,
    mark,
)
from socialsupport_core.contract.answered import downloaded
from socialsupport_core.contract.lax import text_of
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Blob, Facts, Interaction, Page, Party, Payload, RateLimit
from socialsupport_core.text import escape

KINDS = frozenset({"email", "phone"})
"""What contacts are searched by."""
PAGE, PAGES = 100, 50
"""Messages after a number come 100 at once (https://github.com/chatwoot/chatwoot/blob/develop/app/finders/
message_finder.rb, 2026-11); after 5,000 nobody looks for a record that may be there already."""
OUTGOING = 1
LAG = 60
"""Seconds of which a poll looks at everything again: what is newest is not always seen in the order of its numbers."""
LONGEST = 150_000
"""Characters of a message (https://github.com/chatwoot/chatwoot/blob/develop/app/models/message.rb, 2026-11)."""


class Chatwoot(CRM[ChatwootSettings]):
    name: ClassVar[str] = "chatwoot"
    settings_model: ClassVar[type[Settings]] = ChatwootSettings
    pause: ClassVar[float] = 60.0
    # https://github.com/chatwoot/chatwoot/blob/develop/config/initializers/rack_attack.rb (2026-11): the defaults of an
    # installation, whose operator may set others.
    rate_limits: ClassVar[tuple[RateLimit, ...]] = (
        RateLimit(calls=3000, seconds=60),
        RateLimit(calls=100, seconds=60, of=r"GET /api/v1/accounts/[0-9]+/contacts/search.*"),
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.address).hostname or "", *self.settings.file_hosts})

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """By e-mail address and telephone number; the search itself is not exact."""
        found: dict[str, Contact] = {}
        for identifier in party.identifiers:
            if identifier.kind not in KINDS:
                continue
            answer = yield self._request("GET", "contacts/search", params={"q": identifier.value})
            for one in map(contact_of, answer.json()["payload"]):
                if str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}:
                    found[one.id] = one
        return tuple(found.values())

    def erase(self, contact: str) -> Flow[None]:
        yield from self._found("DELETE", f"contacts/{number(contact)}")

    def _contact(self, conversation: CaseSummary, source: str) -> Flow[None]:
        """Gives our source id to whom Chatwoot knows, else to somebody new."""
        known = conversation.contact
        if known is None and conversation.party is not None:
            found = yield from self.find_customers(conversation.party)
            known = found[0].id if found else None
        inbox = {"inbox_id": int(self.settings.inbox), "source_id": source}
        path = "contacts/{}/contact_inboxes"
        if known is None or not (yield from self._found("POST", path.format(number(known)), json=inbox)):
            made = yield self._request("POST", "contacts", json=_person(conversation) | {"inbox_id": inbox["inbox_id"]})
            yield self._request("POST", path.format(made.json()["payload"]["contact"]["id"]), json=inbox)

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        source = mark(conversation.key)
        try:
            listed = yield self._in_inbox(f"contacts/{source}/conversations")
        except Unreachable:
            yield from self._contact(conversation, source)
        else:
            for one in listed.json():
                return self._case(one["id"])
        about = {OURS: conversation.key, f"{OURS}_subject": conversation.subject}
        if conversation.follows:
            about[f"{OURS}_follows"] = conversation.follows
        content = {"source_id": source, "inbox_id": int(self.settings.inbox), "custom_attributes": about}
        made = yield self._request("POST", "conversations", json=content)
        return self._case(made.json()["id"])

    def _case(self, conversation: int | str) -> CaseRef:
        address = f"{self.settings.address}/app/accounts/{self.settings.account}/conversations/{conversation}"
        return CaseRef(id=str(conversation), url=address)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        shown = (yield self._request("GET", _path(case))).json()
        assignee = shown["meta"].get("assignee") or {}
        return CaseState(
            status=status_of(shown["status"]),
            assignee=text_of(assignee, "id") or "",
            subject=text_of(shown.get("custom_attributes") or {}, f"{OURS}_subject"),
            at=moment(shown.get("updated_at") or shown.get("timestamp")),
        )

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield from self._announce(case, "closed")
        yield self._request("POST", f"{_path(case)}/toggle_status", json={"status": "resolved"})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self._announce(case, "open")
        yield self._request("POST", f"{_path(case)}/toggle_status", json={"status": "open"})

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """A conversation has no subject: ours is a custom attribute. Agent 0 is nobody."""
        if fields.subject is not None:
            yield from self._attribute(case, {f"{OURS}_subject": fields.subject})
        if fields.assignee is not None:
            agent = int(number(fields.assignee or "0"))
            yield from self._announce(case, "assigned", fields.assignee)
            yield self._request("POST", f"{_path(case)}/assignments", json={"assignee_id": agent})

    def erase_case(self, case: str) -> Flow[None]:
        """Versions that cannot delete a conversation answer 404, too: so it is looked for."""
        if (yield from self._found("DELETE", _path(CaseRef(id=case)))):
            return
        if not (yield from self._found("GET", _path(CaseRef(id=case)))):
            return
        raise Unsupported("this Chatwoot deletes no conversations; erase the contact, or update it")

    def _announce(self, case: CaseRef, name: str, value: str = "") -> Flow[None]:
        yield from self._attribute(case, {}, name, value)

    def _attribute(self, case: CaseRef, told: dict[str, str], name: str = "", value: str = "") -> Flow[None]:
        """All attributes are written at once: what is not named is gone."""
        answer = yield self._request("GET", _path(case))
        told = told | (stamp(name, value, answered_at(answer)) if name else {})
        known = answer.json().get("custom_attributes") or {}
        yield self._request("POST", f"{_path(case)}/custom_attributes", json={"custom_attributes": known | told})

    def _found(self, method: str, path: str, **content: Any) -> Flow[bool]:
        """Done, unless it is not there."""
        try:
            yield self._request(method, path, **content)
        except Unreachable as error:
            if error.code != "404":
                raise
            return False
        return True

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """What a customer said is an incoming message; all else a private note, since Chatwoot may mail messages."""
        kind = "incoming" if interaction.direction == "inbound" else "outgoing"
        return (yield from self._write(case, f"{escape(headline(interaction))}\n\n{body(interaction)}", key, kind))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A note of its own, once for each content: messages cannot be changed."""
        said = body(interaction)
        edited = f"Edited: {escape(headline(interaction))}\n\n{said}"
        return (yield from self._write(case, edited, f"{key}~{mark(said)}", "outgoing"))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield from self._found("DELETE", f"{_path(case)}/messages/{number(record.id)}")

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        name = blob.name or "attachment"
        files = {"attachments[]": (name, blob.content, blob.media_type)}
        return (yield from self._write(case, f"File {name}", key, "outgoing", files))

    def _write(
        self, case: CaseRef, text: str, key: str, kind: str, files: dict[str, tuple[str, bytes, str]] | None = None
    ) -> Flow[Ref]:
        source = f"{OURS}:{mark(key)}"
        if (known := (yield from self._record(case, source))) is not None:
            return known
        told = {"content": text[:LONGEST], "message_type": kind, "private": kind == "outgoing", "source_id": source}
        if files is None:
            made = yield self._request("POST", f"{_path(case)}/messages", json=told)
        else:
            fields = {name: "true" if value is True else str(value) for name, value in told.items()}
            made = yield self._request("POST", f"{_path(case)}/messages", data=fields, files=files)
        return Ref(id=str(made.json()["id"]))

    def _record(self, case: CaseRef, source: str) -> Flow[Ref | None]:
        for one in (yield from self._messages(case.id, 0)):
            if one.get("source_id") == source:
                return Ref(id=str(one["id"]))
        return None

    def _messages(self, case: str, after: int) -> Flow[list[dict[str, Any]]]:
        found: list[dict[str, Any]] = []
        for _ in range(PAGES):
            path = f"{_path(CaseRef(id=case))}/messages"
            listed = (yield self._request("GET", path, params={"after": after})).json()["payload"]
            found += listed
            if len(listed) < PAGE:
                break
            after = max(one["id"] for one in listed)
        return found

    # about the world

    def probe(self) -> Flow[Facts]:
        user = (yield httpx.Request("GET", f"{self.settings.address}/api/v1/profile")).json()
        inbox = (yield self._request("GET", f"inboxes/{self.settings.inbox}/")).json()
        if inbox.get("channel_type") != "Channel::Api":
            raise ContentRejected(
                f"inbox {self.settings.inbox} is not of the API channel; make one and give its number"
            )
        roles = [one.get("role") for one in user.get("accounts", ()) if str(one.get("id")) == self.settings.account]
        extra = {"inbox": str(inbox["name"]), "role": str(roles[0] if roles else "unknown")}
        return Facts(own_account=str(user["id"]), name=user["name"], extra=extra)

    def subscribe(self, public_url: str) -> Flow[None]:
        """Makes the account's webhook, unless there is one. Its secret then goes into the settings."""
        key = self.settings.door_key
        url = str(httpx.URL(public_url, params={signing.PARAMETER: key.get_secret_value()})) if key else public_url
        listed = (yield self._request("GET", "webhooks")).json()["payload"]["webhooks"]
        if not any(one["url"] == url for one in listed):
            content = {"url": url, "name": OURS, "subscriptions": list(EVENTS)}
            yield self._request("POST", "webhooks", json=content)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """From the installation, which may send us on to where its files lie."""
        if attachment.url is None or urlsplit(attachment.url).hostname not in self.hosts:
            raise ContentRejected("a file that is not of this Chatwoot; name its host in file_hosts if it is")
        answer = yield httpx.Request("GET", attachment.url)
        return downloaded(answer, attachment, _file_name(attachment.url))

    # inbound

    def starting(self, since: datetime) -> str:
        return json.dumps({"since": int(since.timestamp()), "floor": 0, "seen": []})

    def poll(self, cursor: str | None) -> Flow[Page]:
        """What was said in the inbox since, for what no webhook has brought; a payload each, as a webhook has it.

        The cursor: messages `since` when, above which number (`floor`), and which above it were `seen`.
        """
        at = json.loads(cursor or self.starting(datetime.fromtimestamp(0, UTC)))
        begin, newest, told = at["since"] - LAG, at["since"], []
        for conversation in (yield from self._active(begin)):
            newest = max(newest, conversation["timestamp"])
            for one in (yield from self._messages(str(conversation["id"]), at["floor"])):
                if one["created_at"] >= begin:
                    told.append((conversation["id"], one))
        floor = max([at["floor"], *(one["id"] for _, one in told if one["created_at"] < newest - LAG)])
        seen = sorted(number for number in {*at["seen"], *(one["id"] for _, one in told)} if number > floor)
        fresh = [(case, one) for case, one in told if one["id"] not in at["seen"] and one["message_type"] == OUTGOING]
        payloads = tuple(self._told(case, one) for case, one in fresh if not is_ours(one))
        return Page(payloads=payloads, cursor=json.dumps({"since": newest, "floor": floor, "seen": seen}))

    def _active(self, since: int) -> Flow[list[dict[str, Any]]]:
        """Conversations of the inbox, those in which something happened last come first."""
        found: list[dict[str, Any]] = []
        for page in range(1, PAGES + 1):
            query = {"inbox_id": self.settings.inbox, "status": "all", "assignee_type": "all", "page": page}
            listed = (yield self._request("GET", "conversations", params=query)).json()["data"]["payload"]
            recent = [one for one in listed if one["timestamp"] >= since]
            found += recent
            if not listed or len(recent) < len(listed):
                break
        return found

    def _told(self, case: int, message: dict[str, Any]) -> Payload:
        about = {"event": "message_created", "inbox": {"id": int(self.settings.inbox)}, "conversation": {"id": case}}
        body = json.dumps(message | about, sort_keys=True).encode()
        at = datetime.fromtimestamp(message["created_at"], UTC)
        return Payload(source="poll", method="GET", url=self.settings.address, body=body, received_at=at)

    def verify(self, payload: Payload) -> None:
        if payload.source != "webhook":
            return
        if self.settings.webhook_secret:
            signing.verify_signature(payload, self.settings.webhook_secret, self.settings.previous_webhook_secret)
        elif self.settings.door_key:
            signing.verify_address(payload, self.settings.door_key)
        else:
            raise SignatureError(
                "there is neither webhook_secret nor door_key in the settings; nothing can be verified"
            )

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload, self.settings.inbox)

    # calls

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        """Only to the API of the installation; what customers may call takes no token."""
        home = urlsplit(self.settings.address)
        if request.url.host == home.hostname and request.url.path.startswith("/api/"):
            request.headers["api_access_token"] = self.settings.token.get_secret_value()
        return request

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(
            method, f"{self.settings.address}/api/v1/accounts/{self.settings.account}/{path}", **content
        )

    def _in_inbox(self, path: str) -> httpx.Request:
        address = f"{self.settings.address}/public/api/v1/inboxes/{self.settings.inbox_identifier}"
        return httpx.Request("GET", f"{address}/{path}")


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "Chatwoot")


def _path(case: CaseRef) -> str:
    return f"conversations/{number(case.id)}"


def _person(conversation: CaseSummary) -> dict[str, Any]:
    """A new contact: a name, and what Chatwoot takes of an address or a number."""
    party = conversation.party
    known = {one.kind: one.value for one in reversed(party.identifiers)} if party else {}
    told = {"name": (party.name or party.handle if party else None) or "Somebody"}
    phone = re.fullmatch(r"\+[1-9][0-9]{1,14}", known.get("phone", ""))
    fields = {"email": known.get("email"), "phone_number": phone and phone[0]}
    return told | {name: value for name, value in fields.items() if value}


def _file_name(url: str) -> str | None:
    return urlsplit(url).path.rpartition("/")[2] or None
