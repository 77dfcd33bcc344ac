"""The adapter: our verbs as calls of Zendesk's ticketing API, its webhooks and its export as our events.

A conversation's key is the ticket's external id. A record's key is custom metadata of the update that made it, and is
looked for among the ticket's audits before anything is written.
"""

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
    Unavailable,
    Unreachable,
    body,
    from_response,
    headline,
    mark,
)
from socialsupport_core.contract.answered import downloaded, if_there
from socialsupport_core.model import Attachment, Blob, Credentials, Facts, Interaction, Page, Party, Payload, RateLimit
from socialsupport_zendesk import oauth, people, polling, recording, signing
from socialsupport_zendesk.native import CLOSED, EVENT_TYPES, events, moment, number
from socialsupport_zendesk.recording import TAG
from socialsupport_zendesk.settings import ZendeskSettings


class Zendesk(CRM[ZendeskSettings]):
    name: ClassVar[str] = "zendesk"
    settings_model: ClassVar[type[Settings]] = ZendeskSettings
    pause: ClassVar[float] = 60.0
    # https://developer.zendesk.com/api-reference/introduction/rate-limits/ (2026-11): 10 exports a minute. One agent
    # updates one ticket 30 times in ten minutes, which only the answer 429 tells; the rest depends on the plan.
    rate_limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(calls=10, seconds=60, of=r"GET /api/v2/incremental/.*"),)

    @property
    def hosts(self) -> frozenset[str]:
        """Files lie on a host of their own."""
        return frozenset({f"{self.settings.subdomain}.zendesk.com", "*.zdusercontent.com"})

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        return people.find(self._request, party)

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        listed = yield self._request("GET", "tickets", params={"external_id": conversation.key})
        for ticket in listed.json()["tickets"]:
            return self._case(ticket["id"])
        after = f"Follows ticket #{conversation.follows}. " if conversation.follows else ""
        ticket = {
            "subject": conversation.subject,
            "external_id": conversation.key,
            "tags": [TAG],
            "comment": {"body": f"{after}A conversation of socialsupport.", "public": False},
        } | people.requester_of(conversation)
        headers = {"idempotency-key": mark(conversation.key)}
        made = yield self._request("POST", "tickets", json={"ticket": ticket}, headers=headers)
        return self._case(made.json()["ticket"]["id"])

    def _case(self, ticket: int | str) -> CaseRef:
        return CaseRef(id=str(ticket), url=f"{self.settings.address}/agent/tickets/{ticket}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        """What is closed for good is closed."""
        try:
            yield self._change(case, {"status": "solved"})
        except Unreachable as error:
            if error.code != "closed":
                raise

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield self._change(case, {"status": "open"})

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        told: dict[str, Any] = {"subject": fields.subject} if fields.subject is not None else {}
        if fields.assignee is not None:
            told["assignee_id"] = int(number(fields.assignee)) if fields.assignee else None
        yield self._change(case, told)

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        ticket = (yield self._request("GET", f"tickets/{number(case.id)}")).json()["ticket"]
        assignee = ticket.get("assignee_id")
        return CaseState(
            status="closed" if ticket["status"] in CLOSED else "open",
            assignee="" if assignee is None else str(assignee),
            subject=ticket["subject"],
            version=ticket["updated_at"],
            at=moment(ticket["updated_at"]),
        )

    def _change(self, case: CaseRef, fields: dict[str, Any]) -> httpx.Request:
        """With a version, only if nobody has changed the ticket since (`safe_update`): 409 if somebody has."""
        safe = {"safe_update": True, "updated_stamp": case.version} if case.version else {}
        return self._request("PUT", f"tickets/{number(case.id)}", json={"ticket": fields | safe})

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """An internal comment: a public one would be mailed."""
        told = f"{headline(interaction)}\n\n{body(interaction)}"
        return (yield from recording.comment(self._request, case, told, key))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A comment of its own, once for each content: comments cannot be changed."""
        said = body(interaction)
        told = f"Edited: {headline(interaction)}\n\n{said}"
        return (yield from recording.comment(self._request, case, told, f"{key}~{mark(said)}"))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        if (known := (yield from recording.record(self._request, case, key))) is not None:
            return known
        name = blob.name or "attachment"
        uploaded = yield self._request(
            "POST",
            "uploads",
            params={"filename": name},
            content=blob.content,
            headers={"content-type": blob.media_type},
        )
        uploads = [uploaded.json()["upload"]["token"]]
        return (yield from recording.written(self._request, case, {"body": f"File {name}", "uploads": uploads}, key))

    # erasing

    def erase(self, contact: str) -> Flow[None]:
        """First as an agent would, then for good. Zendesk deletes nobody who has open tickets: those go first."""
        yield from if_there(self._request("DELETE", f"users/{number(contact)}"))
        yield from if_there(self._request("DELETE", f"deleted_users/{number(contact)}"))

    def erase_case(self, case: str) -> Flow[None]:
        yield from if_there(self._request("DELETE", f"tickets/{number(case)}"))
        yield from if_there(self._request("DELETE", f"deleted_tickets/{number(case)}"))

    # about the world

    def probe(self) -> Flow[Facts]:
        user = (yield self._request("GET", "users/me")).json()["user"]
        if user.get("id") is None:
            raise ContentRejected("Zendesk takes us for nobody in particular; check email and api_token")
        return Facts(own_account=str(user["id"]), name=user["name"], extra={"role": str(user["role"])})

    def subscribe(self, public_url: str) -> Flow[None]:
        """Makes the webhook, unless there is one with this address. Its signing secret then goes into the settings."""
        listed = yield self._request("GET", "webhooks", params={"filter[name_contains]": TAG})
        if any(one["endpoint"] == public_url for one in listed.json()["webhooks"]):
            return
        webhook = {
            "name": TAG,
            "endpoint": public_url,
            "http_method": "POST",
            "request_format": "json",
            "status": "active",
            "subscriptions": sorted(EVENT_TYPES),
        }
        yield self._request("POST", "webhooks", json={"webhook": webhook})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """From the address that Zendesk gives; it may send us on to where files lie."""
        home = urlsplit(self.settings.address).hostname
        if attachment.url is None or urlsplit(attachment.url).hostname != home:
            raise ContentRejected("a file that is not of this Zendesk")
        answer = yield httpx.Request("GET", attachment.url)
        return downloaded(answer, attachment)

    # inbound

    def starting(self, since: datetime) -> str:
        return polling.starting(since)

    def poll(self, cursor: str | None) -> Flow[Page]:
        return polling.poll(self._request, cursor, self.facts.own_account)

    def verify(self, payload: Payload) -> None:
        if payload.source == "webhook":
            signing.verify(payload, self.settings.webhook_secret, self.settings.previous_webhook_secret)

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body, self.facts.own_account)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """409: a stale `updated_stamp`; 422: perhaps a ticket closed for good; 400: an export asked for too early."""
        error = from_response(response)
        if response.status_code == 409:
            return Conflict("the ticket was changed in Zendesk meanwhile", code="409")
        if response.status_code == 422 and "closed prevents ticket update" in response.text:
            return Unreachable("the ticket is closed for good", code="closed")
        if response.status_code == 400 and "StartTimeTooRecent" in response.text:
            return Unavailable("the export is not there yet", code="StartTimeTooRecent", retry_after=60)
        return error

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """Only to Zendesk itself, and not where the credentials themselves are asked for."""
        if request.url.host != urlsplit(self.settings.address).hostname or request.url.path == "/oauth/tokens":
            return request
        return signing.authorize(request, self.settings.email, self.settings.api_token, credentials)

    def connect_with(self, sign_in: SignIn) -> str:
        return oauth.address(self.settings, sign_in)

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        return oauth.exchange(self.settings, code, sign_in)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        return oauth.refresh(self.settings, credentials)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.settings.address}/api/v2/{path}.json", **content)
