"""The adapter: our verbs as calls of Chatwoot's application API, its webhooks and messages as our events.

Each conversation of ours has a source id of its own in one API inbox, made from its key: there it is found again. A
record's key is the message's `source_id`, and is looked for among the messages before anything is written.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from socialsupport_chatwoot import people, polling, signing
from socialsupport_chatwoot.native import EVENTS, OURS, events, moment, number, stamp, status_of
from socialsupport_chatwoot.recording import path_of, write
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
from socialsupport_core.contract.answered import downloaded, if_there
from socialsupport_core.contract.lax import text_of
from socialsupport_core.model import Attachment, Blob, Facts, Interaction, Page, Party, Payload, RateLimit
from socialsupport_core.text import escape


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
        return people.find(self._request, party)

    def erase(self, contact: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"contacts/{number(contact)}"))

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        source = mark(conversation.key)
        try:
            listed = yield self._in_inbox(f"contacts/{source}/conversations")
        except Unreachable:
            yield from people.give(self._request, self.settings.inbox, conversation, source)
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
        shown = (yield self._request("GET", path_of(case))).json()
        assignee = shown["meta"].get("assignee") or {}
        return CaseState(
            status=status_of(shown["status"]),
            assignee=text_of(assignee, "id") or "",
            subject=text_of(shown.get("custom_attributes") or {}, f"{OURS}_subject"),
            at=moment(shown.get("updated_at") or shown.get("timestamp")),
        )

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield from self._announce(case, "closed")
        yield self._request("POST", f"{path_of(case)}/toggle_status", json={"status": "resolved"})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self._announce(case, "open")
        yield self._request("POST", f"{path_of(case)}/toggle_status", json={"status": "open"})

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """A conversation has no subject: ours is a custom attribute. Agent 0 is nobody."""
        if fields.subject is not None:
            yield from self._attribute(case, {f"{OURS}_subject": fields.subject})
        if fields.assignee is not None:
            agent = int(number(fields.assignee or "0"))
            yield from self._announce(case, "assigned", fields.assignee)
            yield self._request("POST", f"{path_of(case)}/assignments", json={"assignee_id": agent})

    def erase_case(self, case: str) -> Flow[None]:
        """Versions that cannot delete a conversation answer 404, too: so it is looked for."""
        if (yield from if_there(self._request("DELETE", path_of(CaseRef(id=case))))):
            return
        if not (yield from if_there(self._request("GET", path_of(CaseRef(id=case))))):
            return
        raise Unsupported("this Chatwoot deletes no conversations; erase the contact, or update it")

    def _announce(self, case: CaseRef, name: str, value: str = "") -> Flow[None]:
        yield from self._attribute(case, {}, name, value)

    def _attribute(self, case: CaseRef, told: dict[str, str], name: str = "", value: str = "") -> Flow[None]:
        """All attributes are written at once: what is not named is gone."""
        answer = yield self._request("GET", path_of(case))
        told = told | (stamp(name, value, answered_at(answer)) if name else {})
        known = answer.json().get("custom_attributes") or {}
        yield self._request("POST", f"{path_of(case)}/custom_attributes", json={"custom_attributes": known | told})

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """What a customer said is an incoming message; all else a private note, since Chatwoot may mail messages."""
        kind = "incoming" if interaction.direction == "inbound" else "outgoing"
        told = f"{escape(headline(interaction))}\n\n{body(interaction)}"
        return (yield from write(self._request, case, told, key, kind))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A note of its own, once for each content: messages cannot be changed."""
        said = body(interaction)
        edited = f"Edited: {escape(headline(interaction))}\n\n{said}"
        return (yield from write(self._request, case, edited, f"{key}~{mark(said)}", "outgoing"))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"{path_of(case)}/messages/{number(record.id)}"))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        name = blob.name or "attachment"
        files = {"attachments[]": (name, blob.content, blob.media_type)}
        return (yield from write(self._request, case, f"File {name}", key, "outgoing", files))

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
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._request, self.settings, cursor)

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


def _file_name(url: str) -> str | None:
    return urlsplit(url).path.rpartition("/")[2] or None
