"""The adapter: our verbs as calls of Zammad's REST interface, its tickets, articles and webhooks as our events.

There is no field for our keys: a ticket's stands in its title, an article's in its subject. Tickets are looked for by a
condition, not by a query: conditions are answered by the database, queries by a search index that lags behind.
"""

import base64
from collections.abc import Iterable
from datetime import datetime
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
    Flow,
    Forbidden,
    Outcome,
    Ref,
    Settings,
    Unreachable,
    Unsupported,
    body,
    headline,
    label,
    mark,
    unlabelled,
)
from socialsupport_core.contract.answered import downloaded, if_there
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Blob, Facts, Identifier, Interaction, Page, Party, Payload
from socialsupport_zammad import hooks, polling
from socialsupport_zammad.native import GONE, NOBODY, NOBODY_ID, STATES, contact, events
from socialsupport_zammad.settings import ZammadSettings, verify

TAG = "socialsupport"
"""Every ticket of ours bears it, so that triggers which mail customers can leave these out."""
FOUND = 10
"""So many people are looked at for one address."""


class Zammad(CRM[ZammadSettings]):
    name: ClassVar[str] = "zammad"
    settings_model: ClassVar[type[Settings]] = ZammadSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """By e-mail address and telephone number. The search finds more than was asked for, so it is looked again."""
        found: dict[str, Contact] = {}
        for identifier in party.identifiers:
            if identifier.kind not in ("email", "phone"):
                continue
            params = {"query": identifier.value, "limit": FOUND}
            users = (yield self._request("GET", "users/search", params=params)).json()
            known = [contact(user) for user in users if user.get("active", True)]
            found |= {one.id: one for one in known if _names(one, identifier)}
        return tuple(found.values())

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        name = label(conversation.key)
        params = polling.condition("ticket.title", "contains", name) | {"expand": "true", "sort_by": "id"}
        for ticket in (yield self._request("GET", "tickets/search", params=params)).json():
            if unlabelled(ticket["title"])[1] == name:
                return self._case(ticket["id"])
        after = f" Follows ticket {conversation.follows}." if conversation.follows else ""
        content = {
            "title": f"{conversation.subject[:180]} {name}".strip(),
            "group": self.settings.group,
            "customer_id": self._customer(conversation),
            "tags": TAG,
            "article": _note("", f"A conversation of socialsupport.{after}"),
        }
        made = yield self._request("POST", "tickets", json=content)
        return self._case(made.json()["id"])

    def _customer(self, conversation: CaseSummary) -> int | str | None:
        """Whom Zammad knows, else the owner of the address, whom it then knows; a ticket without either is our own."""
        if conversation.contact:
            return number(conversation.contact)
        known = conversation.party.identifiers if conversation.party else ()
        mail = next((one.value for one in known if one.kind == "email"), None)
        return f"guess:{mail}" if mail else self.facts.own_account and int(self.facts.own_account)

    def _case(self, ticket: int) -> CaseRef:
        return CaseRef(id=str(ticket), url=f"{self.settings.base_url}/#ticket/zoom/{ticket}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        ticket = yield from self._ticket(case)
        if STATES.get(ticket["state"]) != "closed":
            yield self._request("PUT", f"tickets/{number(case.id)}", json={"state": "closed"})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        ticket = yield from self._ticket(case, takes_more=True)
        if STATES.get(ticket["state"]) == "closed":
            yield self._request("PUT", f"tickets/{number(case.id)}", json={"state": "open"})

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        ticket = yield from self._ticket(case)
        return CaseState(
            status=STATES.get(ticket["state"]),
            assignee="" if ticket["owner"] == NOBODY else ticket["owner"],
            subject=unlabelled(ticket["title"])[0],
            at=datetime.fromisoformat(ticket["updated_at"]),
        )

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """The title keeps its mark."""
        told: dict[str, Any] = {}
        if fields.subject is not None:
            title = (yield from self._ticket(case))["title"]
            told["title"] = f"{fields.subject[:180]} {unlabelled(title)[1]}".strip()
        if fields.assignee is not None:
            told |= {"owner": fields.assignee} if fields.assignee else {"owner_id": NOBODY_ID}
        yield self._request("PUT", f"tickets/{number(case.id)}", json=told)

    def _ticket(self, case: CaseRef, takes_more: bool = False) -> Flow[dict[str, Any]]:
        answer = yield self._request("GET", f"tickets/{number(case.id)}", params={"expand": "true"})
        ticket: dict[str, Any] = answer.json()
        if takes_more and ticket["state"] in GONE:
            raise Unreachable(f"ticket {case.id} is {ticket['state']}", code=ticket["state"])
        return ticket

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """Always an internal note: nobody is mailed."""
        return (yield from self._once(case, headline(interaction), body(interaction), key))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A note of its own, once for each content: Zammad changes nothing that was written."""
        said = body(interaction)
        return (yield from self._once(case, f"Edited: {headline(interaction)}", said, f"{key}~{mark(said)}"))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        """Own notes only, and only for ten minutes unless Zammad is told otherwise."""
        try:
            yield from if_there(self._request("DELETE", f"ticket_articles/{number(record.id)}"))
        except Forbidden:
            raise Unsupported("Zammad lets go of a note for ten minutes only; delete the ticket there") from None

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        name = blob.name or "attachment"
        data = base64.b64encode(blob.content).decode()
        files = [{"filename": name, "data": data, "mime-type": blob.media_type}]
        return (yield from self._once(case, f"File {name}", f"File {name}", key, attachments=files))

    def _once(self, case: CaseRef, subject: str, text: str, key: str, **more: Any) -> Flow[Ref]:
        name = f"[{mark(key)}]"
        for one in (yield self._request("GET", f"ticket_articles/by_ticket/{number(case.id)}")).json():
            if name in (one["subject"] or ""):
                return Ref(id=str(one["id"]))
        yield from self._ticket(case, takes_more=True)
        content = {"ticket_id": number(case.id), **_note(f"{subject[:120]} {name}", text), **more}
        made = yield self._request("POST", "ticket_articles", json=content)
        return Ref(id=str(made.json()["id"]))

    # erasing

    def erase(self, contact: str) -> Flow[None]:
        """As a task, which Zammad does within minutes, with all tickets of the person."""
        try:
            yield self._request("GET", f"users/{number(contact)}")
        except Unreachable:
            return
        tasks = (yield self._request("GET", "data_privacy_tasks")).json()
        if any((one["deletable_type"], one["deletable_id"]) == ("User", number(contact)) for one in tasks):
            return
        content = {"deletable_type": "User", "deletable_id": number(contact)}
        yield self._request("POST", "data_privacy_tasks", json=content)

    def erase_case(self, case: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"tickets/{number(case)}"))

    # about the world

    def probe(self) -> Flow[Facts]:
        user = (yield self._request("GET", "users/me")).json()
        name = " ".join(part for part in (user["firstname"], user["lastname"]) if part)
        return Facts(own_account=str(user["id"]), name=name or user["login"], handle=user["login"])

    def subscribe(self, public_url: str) -> Flow[None]:
        yield from hooks.subscribe(self._request, public_url, self.settings.webhook_secret, TAG)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        numbers = [str(number(part)) for part in (attachment.native_id or "").split("/")]
        if len(numbers) != len(("ticket", "article", "file")):
            raise ContentRejected(f"{attachment.native_id!r} is not ticket, article and file")
        answer = yield self._request("GET", f"ticket_attachment/{'/'.join(numbers)}")
        return downloaded(answer, attachment)

    # inbound

    def starting(self, since: datetime) -> str:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return (yield from polling.poll(self._request, cursor, self.facts.own_account, TAG))

    def verify(self, payload: Payload) -> None:
        if payload.source == "webhook":
            verify(payload, self.settings.webhook_secret, self.settings.previous_webhook_secret)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body, self.facts.own_account)

    # calls

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        request.headers["authorization"] = f"Token token={self.settings.token.get_secret_value()}"
        return request

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.settings.base_url}/api/v1/{path}", **content)


def number(written: str) -> int:
    """Raises ContentRejected."""
    return int(digits(written, "Zammad"))


def _names(one: Contact, identifier: Identifier) -> bool:
    return str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}


def _note(subject: str, text: str) -> dict[str, Any]:
    """https://docs.zammad.org/en/latest/api/ticket/articles.html (2026-11)"""
    return {"subject": subject, "body": text, "content_type": "text/plain", "type": "note", "internal": True}
