"""The adapter: our verbs as calls of Intercom's API, its webhooks and its search as our events.

A conversation's key is an attribute of Intercom's conversation. A record's key is the last line of the part that was
made for it, and is looked for before anything is written: parts have no place for a key.
"""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

import httpx
from pydantic import SecretStr

from socialsupport_core.contract import (
    CRM,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    ConfigError,
    Conflict,
    Contact,
    ContentRejected,
    CRMEvent,
    DeliveryError,
    Flow,
    Outcome,
    Ref,
    Settings,
    SignIn,
    Unreachable,
    Unsupported,
    body,
    headline,
    mark,
)
from socialsupport_core.contract.answered import downloaded
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.model import Attachment, Blob, Credentials, Facts, Interaction, Page, Party, Payload
from socialsupport_core.text import escape, plain, to_html
from socialsupport_intercom import api, native, polling
from socialsupport_intercom.api import number
from socialsupport_intercom.settings import API, APP, IntercomSettings

SEARCHED = ("email", "phone")
FILTERS = 15
"""In one search: …/api.intercom.io/contacts/searchcontacts (2026-11)"""
PAGES = 20
FILES = frozenset({"*.intercomcdn.com", "*.intercomcdn.eu", *(f"intercom-attachments-{n}.com" for n in range(1, 10))})
"""Where files of conversations lie, at addresses that are signed."""


class Intercom(CRM[IntercomSettings]):
    name: ClassVar[str] = "intercom"
    settings_model: ClassVar[type[Settings]] = IntercomSettings
    pause: ClassVar[float] = 60.0

    def __init__(self, settings: IntercomSettings, facts: Facts | None = None) -> None:
        super().__init__(settings, facts)
        self._api = api.Api(API[settings.region])

    @property
    def hosts(self) -> frozenset[str]:
        return FILES | {self._api.host}

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        asked = tuple(one for one in party.identifiers if one.kind in SEARCHED)[:FILTERS]
        if not asked:
            return ()
        wanted = [{"field": one.kind, "operator": "=", "value": one.value} for one in asked]
        query = {"query": {"operator": "OR", "value": wanted}}
        answer = yield self._api.call("POST", "contacts", "search", json=query)
        found = (native.contact(one) for one in objects_of(answer.json(), "data"))
        return tuple(one for one in found if native.is_about(one, asked))

    def _contact(self, conversation: CaseSummary) -> Flow[str]:
        """Whom Intercom knows; else one of ours, without an address, so that Intercom mails nobody."""
        if conversation.contact:
            return number(conversation.contact)
        ours = f"socialsupport:{conversation.customer}"
        try:
            answer = yield self._api.call("GET", "contacts", "find_by_external_id", ours)
        except Unreachable as error:
            if (error.code or "").startswith(api.MERGED):
                return number(str(error.code).removeprefix(api.MERGED))
            named = {"name": conversation.party.name} if conversation.party and conversation.party.name else {}
            answer = yield self._api.call("POST", "contacts", json={"role": "user", "external_id": ours, **named})
        return number(str(answer.json()["id"]))

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        contact = yield from self._contact(conversation)
        if known := (yield from self._known(contact, conversation.key)):
            return self._case(known)
        after = f"Follows conversation {conversation.follows}. " if conversation.follows else ""
        begun = {"from": {"type": "contact", "id": contact}, "body": f"{after}{conversation.subject}"}
        made = yield self._api.call("POST", "conversations", json=begun)
        id = number(str(made.json()["conversation_id"]))
        kept = {"custom_attributes": {self.settings.attribute: conversation.key}}
        yield self._api.call("PUT", "conversations", id, json=kept)
        tag = yield self._api.call("POST", "tags", json={"name": self.settings.tag})
        told = {"id": str(tag.json()["id"]), "admin_id": self._us}
        yield self._api.call("POST", "conversations", id, "tags", json=told)
        return self._case(id)

    def _known(self, contact: str, key: str) -> Flow[str | None]:
        """Attributes cannot be searched for: the contact's conversations can."""
        query = {"field": "contact_ids", "operator": "=", "value": contact}
        pagination: dict[str, Any] = {"per_page": 150}
        for _ in range(PAGES):
            asked = {"query": query, "pagination": pagination}
            found = (yield self._api.call("POST", "conversations", "search", json=asked)).json()
            for one in objects_of(found, "conversations"):
                if text_of(object_of(one, "custom_attributes"), self.settings.attribute) == key:
                    return number(str(one["id"]))
            onward = text_of(object_of(object_of(found, "pages"), "next"), "starting_after")
            if onward is None:
                break
            pagination["starting_after"] = onward
        return None

    def _case(self, id: str) -> CaseRef:
        return CaseRef(id=id, url=f"https://{APP[self.settings.region]}/a/inbox/_/inbox/conversation/{id}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        if text_of((yield from self._unchanged(case)), "state") != "closed":
            yield self._manage(case, message_type="close", type="admin")

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        if text_of((yield from self._unchanged(case)), "state") == "closed":
            yield self._manage(case, message_type="open")

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        if fields.subject is not None:
            raise Unsupported("a conversation in Intercom has no subject that could be changed")
        if fields.assignee is not None:
            yield from self._unchanged(case)
            whom = number(fields.assignee) if fields.assignee else "0"
            yield self._manage(case, message_type="assignment", type="admin", assignee_id=whom)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        found = yield from self._read(case)
        changed = whole_of(found, "updated_at")
        assignee = text_of(found, "admin_assignee_id")
        return CaseState(
            status="closed" if text_of(found, "state") == "closed" else "open",
            assignee="" if assignee in (None, "0") else assignee,
            subject=text_of(found, "title"),
            version=str(changed),
            at=datetime.fromtimestamp(changed or 0, UTC),
        )

    def _read(self, case: CaseRef) -> Flow[Json]:
        shown = {"display_as": "plaintext"}
        found: Json = (yield self._api.call("GET", "conversations", number(case.id), params=shown)).json()
        if text_of(found, "id") != case.id:
            raise ValueError("the answer is no conversation")
        return found

    def _unchanged(self, case: CaseRef) -> Flow[Json]:
        """Intercom takes no version along, so it is looked at just before."""
        found = yield from self._read(case)
        if case.version and text_of(found, "updated_at") != case.version:
            raise Conflict("the conversation was changed in Intercom meanwhile", code="updated_at")
        return found

    def _manage(self, case: CaseRef, **content: Any) -> httpx.Request:
        return self._api.call("POST", "conversations", case.id, "parts", json={**content, "admin_id": self._us})

    @property
    def _us(self) -> str:
        if self.facts.own_account is None:
            raise ConfigError("the teammate in whose name we write is not known; run the connection test once")
        return self.facts.own_account

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """What a customer says, they say; all else is a note, since a teammate's comment would be mailed."""
        conversation = yield from self._read(case)
        last = native.marked(mark(key))
        people = objects_of(object_of(conversation, "contacts"), "contacts")
        if interaction.direction == "inbound" and people:
            words = f"{plain(body(interaction))}\n\n{headline(interaction)} · {last}"
            content = {"type": "user", "message_type": "comment", "intercom_user_id": str(people[0]["id"])}
            return (yield from self._written(conversation, content | {"body": words}, key))
        return (yield from self._noted(conversation, headline(interaction), body(interaction), key))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A note of its own, once for each content: parts cannot be changed. It names the record that it is about."""
        said, title = body(interaction), f"Edited: {headline(interaction)}"
        conversation = yield from self._read(case)
        return (yield from self._noted(conversation, title, said, f"{key}~{mark(said)}", about=f" of {mark(key)}"))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        name = blob.name or "attachment"
        file = {"content_type": blob.media_type, "data": base64.b64encode(blob.content).decode(), "name": name}
        conversation = yield from self._read(case)
        return (yield from self._noted(conversation, f"File {name}", "", key, attachment_files=[file]))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        """Its words are redacted, and those of its edits; that there was something is still seen."""
        for one in native.parts_of((yield from self._read(case))):
            id = number(str(one["id"]))
            if one.get("redacted") is not True and (id == record.id or mark(key) in (text_of(one, "body") or "")):
                told = {"type": "conversation_part", "conversation_id": case.id, "conversation_part_id": id}
                yield self._api.call("POST", "conversations", "redact", json=told)

    def _noted(
        self, conversation: Json, title: str, words: str, key: str, *, about: str = "", **more: Any
    ) -> Flow[Ref]:
        written = to_html(f"**{escape(title)}**\n\n{words}\n\n{native.marked(mark(key))}{about}")
        content = {"type": "admin", "message_type": "note", "admin_id": self._us, "body": written, **more}
        return (yield from self._written(conversation, content, key))

    def _written(self, conversation: Json, content: dict[str, Any], key: str) -> Flow[Ref]:
        if (known := _record(conversation, key)) is not None:
            return known
        case = str(conversation["id"])
        made = _record((yield self._api.call("POST", "conversations", case, "reply", json=content)).json(), key)
        if made is None:
            raise ValueError("the answer does not show what was written")
        return made

    # erasing

    def erase(self, contact: str) -> Flow[None]:
        yield from self._deleted("contacts", number(contact))

    def erase_case(self, case: str) -> Flow[None]:
        yield from self._deleted("conversations", number(case))

    def _deleted(self, *path: str) -> Flow[None]:
        try:
            yield self._api.call("DELETE", *path)
        except Unreachable as error:
            if (error.code or "").startswith(api.MERGED):
                raise ContentRejected("the contact was merged in Intercom: erase the one that is left") from error

    # about the world

    def probe(self) -> Flow[Facts]:
        admin = (yield self._api.call("GET", "me")).json()
        workspace = text_of(object_of(admin, "app"), "id_code", "name") or ""
        return Facts(own_account=str(admin["id"]), name=text_of(admin, "name"), extra={"workspace": workspace})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.url is None or urlsplit(attachment.url).scheme != "https":
            raise ContentRejected("a file without an address of Intercom")
        answer = yield httpx.Request("GET", attachment.url)
        return downloaded(answer, attachment)

    # inbound

    def starting(self, since: datetime) -> str:
        return json.dumps({"since": int(since.timestamp())})

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._api, cursor)

    def verify(self, payload: Payload) -> None:
        if payload.source == "webhook":
            api.verify(payload, self.settings.signing)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return native.events(payload, self.facts.own_account)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return api.failure(response)

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        token = credentials.access_token if credentials else self.settings.access_token
        if request.url.host == self._api.host and request.url.path != "/auth/eagle/token" and token is not None:
            request.headers["authorization"] = f"Bearer {token.get_secret_value()}"
        return request

    def connect(self, state: str, redirect: str) -> str:
        """https://developers.intercom.com/building-apps/docs/setting-up-oauth (2026-11)"""
        query = urlencode({"client_id": self._client, "state": state, "redirect_uri": redirect})
        return f"https://{APP[self.settings.region]}/oauth?{query}"

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        """The token has no end."""
        secret = self.settings.client_secret.get_secret_value() if self.settings.client_secret else ""
        asked = {"code": code, "client_id": self._client, "client_secret": secret}
        answer = yield self._api.call("POST", "auth", "eagle", "token", json=asked)
        return Credentials(access_token=SecretStr(answer.json()["access_token"]))

    @property
    def _client(self) -> str:
        if self.settings.client_id is None:
            raise ConfigError("there is no OAuth client; give client_id and client_secret instead of access_token")
        return self.settings.client_id


def _record(conversation: Json, key: str) -> Ref | None:
    """The part that was written under this key."""
    found = (one for one in native.parts_of(conversation) if native.marked(mark(key)) in (text_of(one, "body") or ""))
    return next((Ref(id=number(str(one["id"]))) for one in found), None)
