"""The adapter: our verbs as calls of Freshdesk's API, its changed tickets as our events.

A conversation's key stands in a custom field of the ticket, behind it what we have set last. A record's key stands as a
reference at the end of the note, and is looked for among the ticket's conversations before anything is written.
"""

import base64
from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from socialsupport_core.contract import (
    CRM,
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    Contact,
    ContentRejected,
    CRMEvent,
    DeliveryError,
    Flow,
    Outcome,
    Ref,
    Settings,
    Unreachable,
    answered_at,
    from_response,
    mark,
)
from socialsupport_core.contract.answered import downloaded, if_there
from socialsupport_core.model import Attachment, Blob, Facts, Interaction, Page, Party, Payload, RateLimit
from socialsupport_freshdesk import polling
from socialsupport_freshdesk.native import (
    CLOSED,
    OPEN,
    RESOLVED,
    Status,
    contact_of,
    events,
    key_of,
    moment,
    number,
    stamped,
    status_of,
)
from socialsupport_freshdesk.polling import PAGES, PER_PAGE
from socialsupport_freshdesk.settings import FreshdeskSettings
from socialsupport_freshdesk.written import TAG, html_of, path_of, reference, requester_of

FILTERS = {"email": ("email",), "phone": ("phone", "mobile")}
EVER = "2010-01-01T00:00:00Z"
"""Without it, only tickets of the last thirty days are listed."""
LARGEST = 20_000_000
"""Bytes of all files of a ticket (https://developers.freshdesk.com/api/#conversations, 2026-11)."""
OUTCOMES: dict[Outcome, int] = {"resolved": RESOLVED, "superseded": CLOSED, "abandoned": CLOSED}


class Freshdesk(CRM[FreshdeskSettings]):
    name: ClassVar[str] = "freshdesk"
    settings_model: ClassVar[type[Settings]] = FreshdeskSettings
    pause: ClassVar[float] = 60.0
    # https://developers.freshdesk.com/api/#ratelimit (2026-11): the Growth plan; more only by the answer 429.
    rate_limits: ClassVar[tuple[RateLimit, ...]] = (
        RateLimit(calls=200, seconds=60),
        RateLimit(calls=80, seconds=60, of="POST /api/v2/tickets"),
        RateLimit(calls=80, seconds=60, of="PUT /api/v2/tickets/[0-9]+"),
        RateLimit(calls=20, seconds=60, of="GET /api/v2/(tickets|contacts)"),
    )

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({"*.freshdesk.com", *self.settings.file_hosts})

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        found: dict[str, Contact] = {}
        for identifier in party.identifiers:
            for name in FILTERS.get(identifier.kind, ()):
                answer = yield self._request("GET", "contacts", params={name: identifier.value})
                for one in map(contact_of, answer.json()):
                    if str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}:
                        found[one.id] = one
        return tuple(found.values())

    def erase(self, contact: str) -> Flow[None]:
        """For good, with all their tickets."""
        yield from self._gone(f"contacts/{number(contact)}/hard_delete", force="true")

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        requester = requester_of(conversation)
        name, value = next(iter(requester.items()))
        query = {name: value, "updated_since": EVER, "per_page": PER_PAGE}
        for page in range(1, PAGES + 1):
            listed = (yield self._request("GET", "tickets", params=query | {"page": page})).json()
            for ticket in listed:
                if key_of(ticket, self.settings.field) == conversation.key:
                    return self._case(ticket["id"])
            if len(listed) < PER_PAGE:
                break
        after = f"Follows ticket {conversation.follows}. " if conversation.follows else ""
        ticket = requester | {
            "subject": conversation.subject,
            "description": f"{after}A conversation of socialsupport.",
            "status": OPEN,
            "priority": 1,
            "tags": [TAG],
            "custom_fields": {self.settings.field: conversation.key},
        }
        made = yield self._request("POST", "tickets", json=ticket)
        return self._case(made.json()["id"])

    def _case(self, ticket: int) -> CaseRef:
        return CaseRef(id=str(ticket), url=f"https://{self.settings.domain}/a/tickets/{ticket}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield from self._set(case, OUTCOMES[outcome], "closed")

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield from self._set(case, OPEN, "open")

    def _set(self, case: CaseRef, native: int, status: Status) -> Flow[None]:
        """Status and who has set it in one call; what is so already is left alone."""
        answer = yield self._request("GET", path_of(case))
        ticket = answer.json()
        if ticket.get("deleted"):
            raise Unreachable("the ticket was deleted", code="deleted")
        if status_of(ticket) != status:
            ours = stamped(key_of(ticket, self.settings.field), status, answered_at(answer))
            fields = {"status": native, "custom_fields": {self.settings.field: ours}}
            yield self._request("PUT", path_of(case), json=fields)

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        told: dict[str, Any] = {"subject": fields.subject} if fields.subject is not None else {}
        if fields.assignee is not None:
            told["responder_id"] = int(number(fields.assignee)) if fields.assignee else None
        if told:
            yield self._request("PUT", path_of(case), json=told)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        ticket = (yield self._request("GET", path_of(case))).json()
        if ticket.get("deleted"):
            raise Unreachable("the ticket was deleted", code="deleted")
        agent = ticket.get("responder_id")
        return CaseState(
            status=status_of(ticket),
            assignee="" if agent is None else str(agent),
            subject=ticket["subject"],
            at=moment(ticket["updated_at"]),
        )

    def erase_case(self, case: str) -> Flow[None]:
        """Into Freshdesk's trash: there is no call that empties it."""
        yield from self._gone(path_of(CaseRef(id=case)))

    def _gone(self, path: str, **query: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", path, params=query), "405")

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """A private note: a public one would be mailed."""
        return (yield from self._note(case, key, {"body": html_of(interaction, key), "private": True}))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        path = f"conversations/{number(record.id)}"
        yield self._request("PUT", path, json={"body": html_of(interaction, key)})
        return record

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield from self._gone(f"conversations/{number(record.id)}")

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        if len(blob.content) > LARGEST:
            raise ContentRejected(f"a file of {len(blob.content)} bytes; Freshdesk takes {LARGEST} in a ticket")
        name = blob.name or "attachment"
        told = {"body": f"<p>File {escape(name)}</p>{reference(key)}", "private": "true"}
        return (yield from self._note(case, key, told, {"attachments[]": (name, blob.content, blob.media_type)}))

    def _note(
        self, case: CaseRef, key: str, told: dict[str, Any], files: dict[str, tuple[str, bytes, str]] | None = None
    ) -> Flow[Ref]:
        for one in (yield from polling.conversations(self._request, case.id)):
            if mark(key) in (one.get("body_text") or ""):
                return Ref(id=str(one["id"]))
        content: dict[str, Any] = {"json": told} if files is None else {"data": told, "files": files}
        made = yield self._request("POST", f"{path_of(case)}/notes", **content)
        return Ref(id=str(made.json()["id"]))

    # about the world

    def probe(self) -> Flow[Facts]:
        me = (yield self._request("GET", "agents/me")).json()
        fields = (yield self._request("GET", "ticket_fields", params={"type": "custom_text"})).json()
        if self.settings.field not in {one["name"] for one in fields}:
            raise ContentRejected(
                f"there is no ticket field {self.settings.field!r} for a single line of text; make one"
            )
        return Facts(own_account=str(me["id"]), name=me["contact"]["name"])

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        host = urlsplit(attachment.url or "").hostname or ""
        if not (host.endswith(".freshdesk.com") or host in self.settings.file_hosts):
            raise ContentRejected("a file that is not of Freshdesk; name its host in file_hosts if it is")
        answer = yield httpx.Request("GET", attachment.url or "")
        return downloaded(answer, attachment)

    # inbound

    def starting(self, since: datetime) -> str:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._request, cursor, self.facts.own_account, self.settings.field)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload, self.facts.own_account, self.settings.field)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """405: deleted, or spam (https://developers.freshdesk.com/api/#changelog, 2026-11)."""
        if response.status_code == 405:
            return Unreachable("it was deleted in Freshdesk, or marked as spam", code="405")
        return from_response(response)

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        """Only to the API: files lie elsewhere."""
        if request.url.host == self.settings.domain and request.url.path.startswith("/api/"):
            pair = f"{self.settings.api_key.get_secret_value()}:X"
            request.headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return request

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"https://{self.settings.domain}/api/v2/{path}", **content)
