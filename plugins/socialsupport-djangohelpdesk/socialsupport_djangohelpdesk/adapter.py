"""The adapter: our verbs as calls of django-helpdesk's REST interface, its follow-ups as our events.

There is no field for our keys, and nothing can be searched. A ticket is opened under our own user's e-mail address, so
that it stands in that user's own list, newest first, with a mark in its title. A record's mark is in its comment.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta
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
    Forbidden,
    Outcome,
    Ref,
    Settings,
    SignatureError,
    Unreachable,
    answered_at,
    body,
    from_response,
    headline,
    label,
    mark,
    unlabelled,
)
from socialsupport_core.contract.answered import if_there
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Blob, Facts, Interaction, Page, Party, Payload
from socialsupport_djangohelpdesk import polling
from socialsupport_djangohelpdesk.native import CLOSED, CLOSED_STATUS, REOPENED, RESOLVED, events, literal
from socialsupport_djangohelpdesk.settings import DOOR_USER, DjangoHelpdeskSettings, basic

EARLY = timedelta(days=1)
"""Their clock may be so much behind ours."""
OPENING = "A conversation of socialsupport."
MERGES = 5
"""A ticket that was merged may be merged again; longer chains are circles."""
OUTCOMES: dict[Outcome, int] = {"resolved": RESOLVED, "superseded": CLOSED_STATUS, "abandoned": CLOSED_STATUS}


class DjangoHelpdesk(CRM[DjangoHelpdeskSettings]):
    name: ClassVar[str] = "djangohelpdesk"
    settings_model: ClassVar[type[Settings]] = DjangoHelpdeskSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """Nobody: there are no customers here, only addresses on tickets, and these cannot be searched."""
        yield from ()
        return ()

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        name = label(conversation.key)
        known, listed = yield from self._opened(name, conversation.opened_at)
        if known is not None:
            return self._case(known)
        after = f" Follows ticket {conversation.follows}." if conversation.follows else ""
        content = {
            "queue": self.settings.queue,
            "title": f"{conversation.subject[:180]} {name}".strip(),
            "description": f"{OPENING}{after}",
            "submitter_email": self.settings.email,
            "priority": self.settings.priority,
        }
        made = (yield self._request("POST", "tickets/", json=content)).json()
        mistake = self._mistake(made)
        if not listed and (yield from self._opened(name, conversation.opened_at))[0] is None:
            mistake = self._another_address("another or none")
        if mistake is not None:
            yield from if_there(self._request("DELETE", f"tickets/{made['id']}/"))
            raise mistake
        return self._case(made["id"])

    def _opened(self, name: str, since: datetime) -> Flow[tuple[int | None, int]]:
        """Our ticket with this mark, of those made since the conversation began; and how many are ours at all."""
        page = 1
        while True:
            params = {"page_size": polling.PAGE, "page": page}
            answer = yield self._request("GET", "user_tickets/", params=params)
            listed, began = answer.json(), min(since, answered_at(answer)) - EARLY
            for ticket in listed["results"]:
                if ticket["submitter"] != self.settings.email:
                    raise self._another_address(ticket["submitter"])
                if datetime.fromisoformat(ticket["created"]) < began:
                    return None, listed["count"]
                if unlabelled(ticket["title"])[1] == name:
                    return ticket["id"], listed["count"]
            if page * polling.PAGE >= listed["count"]:
                return None, listed["count"]
            page += 1

    def _mistake(self, ticket: dict[str, Any]) -> Forbidden | None:
        """The follow-up with which we have opened a ticket is ours. With a wrong number we would hear ourselves."""
        first = (one["user"] for one in ticket["followup_set"] if (one["comment"] or "").startswith(OPENING))
        user = next(first, self.settings.user_id)
        told = f"the number of {self.settings.user} is {user}; set user_id = {user}"
        return None if user == self.settings.user_id else Forbidden(told)

    def _another_address(self, address: str) -> Forbidden:
        return Forbidden(f"{self.settings.user} has in Django the e-mail address {address}; email has to be the same")

    def _case(self, ticket: int) -> CaseRef:
        return CaseRef(id=str(ticket), url=f"{self.settings.base_url}/tickets/{ticket}/")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        ticket = yield from self._ticket(case)
        if ticket["status"] not in CLOSED:
            yield self._noted(ticket, f"Closed in socialsupport: {outcome}.", new_status=OUTCOMES[outcome])

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        ticket = yield from self._ticket(case)
        if ticket["status"] in CLOSED:
            yield self._noted(ticket, "Opened again in socialsupport.", new_status=REOPENED)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        ticket = yield from self._ticket(case)
        owner, moments = ticket["assigned_to"], [one["date"] for one in ticket["followup_set"]]
        return CaseState(
            status="closed" if ticket["status"] in CLOSED else "open",
            assignee="" if owner is None else str(owner),
            subject=unlabelled(ticket["title"])[0],
            at=max(map(datetime.fromisoformat, moments)) if moments else None,
        )

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """The title keeps its mark."""
        ticket, told = (yield from self._ticket(case)), dict[str, Any]()
        if fields.subject is not None:
            told["title"] = f"{fields.subject[:180]} {unlabelled(ticket['title'])[1]}".strip()
        if fields.assignee is not None:
            told["assigned_to"] = number(fields.assignee) if fields.assignee else None
        yield self._request("PATCH", f"tickets/{ticket['id']}/", json=told)

    def erase_case(self, case: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"tickets/{number(case)}/"))

    def _ticket(self, case: CaseRef) -> Flow[dict[str, Any]]:
        """With its follow-ups. A ticket that was merged goes on as another."""
        wanted = number(case.id)
        for _ in range(MERGES):
            ticket: dict[str, Any] = (yield self._request("GET", f"tickets/{wanted}/")).json()
            if ticket["merged_to"] is None:
                return ticket
            wanted = ticket["merged_to"]
        raise Unreachable(f"ticket {case.id} is merged in a circle", code="merged")

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """Never public: that would be mailed."""
        made = yield from self._once(case, _said(interaction), key)
        return Ref(id=str(made["id"]))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """In its place; what was removed meanwhile is saved anew. A change is not rendered as a template."""
        comment = f"{_said(interaction)}\n\n{_label(key)}"
        try:
            yield self._request("PATCH", f"followups/{number(record.id)}/", json={"comment": comment})
        except Unreachable:
            return (yield from self.save_interaction(case, interaction, key))
        return record

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"followups/{number(record.id)}/"))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        """First the follow-up, then its file: sent together, a refused file would leave the follow-up and a 500."""
        name = blob.name or "attachment"
        made = yield from self._once(case, f"File {name}", key)
        if made["followupattachment_set"]:
            return Ref(id=str(made["id"]))
        told = {"followup": str(made["id"]), "filename": name, "mime_type": blob.media_type}
        files = {"file": (name, blob.content, blob.media_type)}
        try:
            yield self._request("POST", "followups-attachments/", data=told, files=files)
        except ContentRejected:
            yield from if_there(self._request("DELETE", f"followups/{made['id']}/"))
            raise
        return Ref(id=str(made["id"]))

    def _once(self, case: CaseRef, text: str, key: str) -> Flow[dict[str, Any]]:
        """A comment on a resolved ticket becomes its resolution, so that is put back."""
        ticket = yield from self._ticket(case)
        for one in ticket["followup_set"]:
            if one["user"] == self.settings.user_id and _label(key) in (one["comment"] or ""):
                return dict(one)
        made: dict[str, Any] = (yield self._noted(ticket, f"{text}\n\n{_label(key)}")).json()
        if ticket["status"] in CLOSED:
            told = {"resolution": ticket["resolution"]}
            yield self._request("PATCH", f"tickets/{ticket['id']}/", json=told)
        return made

    def _noted(self, ticket: dict[str, Any], text: str, **more: int) -> httpx.Request:
        """Without a title: that would become the ticket's (`update_ticket`, 2.6.1, 2026-11)."""
        content = {"ticket": ticket["id"], "comment": literal(text), "public": False, **more}
        return self._request("POST", "followups/", json=content)

    # about the world

    def probe(self) -> Flow[Facts]:
        """Nothing tells who we are; only the staff may list follow-ups, and a ticket of ours names its author."""
        yield self._request("GET", "followups/", params={"page_size": 1})
        newest = (yield self._request("GET", "user_tickets/", params={"page_size": 1})).json()["results"]
        if newest:
            ticket = (yield self._request("GET", f"tickets/{newest[0]['id']}/")).json()
            if (mistake := self._mistake(ticket)) is not None:
                raise mistake
        return Facts(own_account=str(self.settings.user_id), name=self.settings.user)

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.native_id is None:
            raise ContentRejected("an attachment without its number")
        told = (yield self._request("GET", f"followups-attachments/{number(attachment.native_id)}/")).json()
        if urlsplit(told["file"]).hostname not in self.hosts:
            raise ContentRejected("the file does not lie on the helpdesk's own host")
        content = (yield httpx.Request("GET", told["file"])).content
        return Blob(content=content, media_type=told["mime_type"], name=attachment.name or told["filename"])

    # inbound

    def starting(self, since: datetime) -> str:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return (yield from polling.poll(self._request, cursor, self.settings.user_id))

    def verify(self, payload: Payload) -> None:
        """django-helpdesk signs nothing; the address that it posts to has a name and a password."""
        if payload.source != "webhook":
            return
        known = (self.settings.webhook_secret, self.settings.previous_webhook_secret)
        accepted = [basic(DOOR_USER, secret).encode() for secret in known if secret]
        given = (payload.header("authorization") or "").encode("utf-8", "replace")
        if True not in [hmac.compare_digest(given, one) for one in accepted]:
            raise SignatureError("the webhook's address has not our name and password, or webhook_secret is not set")

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body, self.settings.user_id, self.settings.agents)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """400 names the fields; a ticket that is not there is one of them."""
        error = from_response(response)
        if response.status_code == 400 and b'"ticket"' in response.content[:200]:
            return Unreachable("the ticket is not there", code="404")
        return error

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        """Files are served by the web server to everybody who knows their address."""
        if self.settings.token is not None:
            request.headers["authorization"] = f"Token {self.settings.token.get_secret_value()}"
        elif self.settings.password is not None:
            request.headers["authorization"] = basic(self.settings.user, self.settings.password)
        return request

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.settings.base_url}/api/{path}", **content)


def number(written: str) -> int:
    """Raises ContentRejected."""
    return int(digits(written, "django-helpdesk"))


def _said(interaction: Interaction) -> str:
    return f"{headline(interaction)}\n\n{body(interaction)}"


def _label(key: str) -> str:
    return f"[{mark(key)}]"
