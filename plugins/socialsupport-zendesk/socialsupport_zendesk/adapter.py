"""The adapter: our verbs as calls of Zendesk's ticketing API, its webhooks and its export as our events.

A conversation's key is the ticket's external id. A record's key is custom metadata of the update that made it, and is
looked for among the ticket's audits before anything is written.
"""

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
from socialsupport_core.contract.answered import downloaded, gathered
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import (
    Attachment,
    Blob,
    Credentials,
    Facts,
    Interaction,
    Page,
    Party,
    Payload,
    RateLimit,
)
from socialsupport_zendesk import signing
from socialsupport_zendesk.native import CLOSED, EVENT_TYPES, contact, events, is_about, moment
from socialsupport_zendesk.settings import ZendeskSettings
from socialsupport_zendesk.signing import credentials_of

TAG = "socialsupport"
"""Every ticket of ours bears it, so that triggers which mail customers can leave these out."""
PAGES = 50
"""A ticket takes at most 5,000 comments (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_comments/,
2026-11), a page of audits holds 100."""
LAG = timedelta(seconds=60)
"""The export leaves out the newest minute (https://developer.zendesk.com/documentation/ticketing/managing-tickets/
using-the-incremental-export-api, 2026-11)."""
REMEMBERED = 50
"""So many audits of the export's last second are known to the cursor: a page begins with that second again."""
SEARCHED = {"email": "email", "phone": "phone"}


class Zendesk(CRM[ZendeskSettings]):
    name: ClassVar[str] = "zendesk"
    settings_model: ClassVar[type[Settings]] = ZendeskSettings
    pause: ClassVar[float] = 60.0
    # https://developer.zendesk.com/api-reference/introduction/rate-limits/ (2026-11): 10 exports a minute. One agent
    # updates one ticket 30 times in ten minutes, which only the answer 429 tells; the rest depends on the plan.
    rate_limits: ClassVar[tuple[RateLimit, ...]] = (RateLimit(calls=10, seconds=60, of=r"GET /api/v2/incremental/.*"),)

    @property
    def address(self) -> str:
        return f"https://{self.settings.subdomain}.zendesk.com"

    @property
    def hosts(self) -> frozenset[str]:
        """Files lie on a host of their own."""
        return frozenset({f"{self.settings.subdomain}.zendesk.com", "*.zdusercontent.com"})

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """By e-mail address and telephone number, with what Zendesk has verified of them."""
        found: dict[str, Contact] = {}
        for identifier in party.identifiers:
            if identifier.kind not in SEARCHED:
                continue
            query = {"query": f'{SEARCHED[identifier.kind]}:"{identifier.value}"'}
            users = (yield self._request("GET", "users/search", params=query)).json()["users"]
            for user in users:
                if user["role"] != "end-user" or str(user["id"]) in found:
                    continue
                listed = yield self._request("GET", f"users/{number(str(user['id']))}/identities")
                one = contact(user, listed.json()["identities"])
                if is_about(one, identifier):
                    found[one.id] = one
        return tuple(found.values())

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
        } | _requester(conversation)
        headers = {"idempotency-key": mark(conversation.key)}
        made = yield self._request("POST", "tickets", json={"ticket": ticket}, headers=headers)
        return self._case(made.json()["ticket"]["id"])

    def _case(self, ticket: int | str) -> CaseRef:
        return CaseRef(id=str(ticket), url=f"{self.address}/agent/tickets/{ticket}")

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
        return (yield from self._comment(case, f"{headline(interaction)}\n\n{body(interaction)}", key))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A comment of its own, once for each content: comments cannot be changed."""
        said = body(interaction)
        return (yield from self._comment(case, f"Edited: {headline(interaction)}\n\n{said}", f"{key}~{mark(said)}"))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        if (known := (yield from self._record(case, key))) is not None:
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
        return (yield from self._written(case, {"body": f"File {name}", "uploads": uploads}, key))

    def _comment(self, case: CaseRef, text: str, key: str) -> Flow[Ref]:
        if (known := (yield from self._record(case, key))) is not None:
            return known
        return (yield from self._written(case, {"body": text}, key))

    def _written(self, case: CaseRef, comment: dict[str, Any], key: str) -> Flow[Ref]:
        told = {"comment": {**comment, "public": False}, "metadata": {"custom": {TAG: mark(key)}}}
        answer = yield self._request("PUT", f"tickets/{number(case.id)}", json={"ticket": told})
        return _commented(answer.json()["audit"])

    def _record(self, case: CaseRef, key: str) -> Flow[Ref | None]:
        """The comment that was written under this key."""
        params: dict[str, Any] = {"page[size]": 100}
        for _ in range(PAGES):
            page = (yield self._request("GET", f"tickets/{number(case.id)}/audits", params=params)).json()
            for audit in page["audits"]:
                if ((audit.get("metadata") or {}).get("custom") or {}).get(TAG) == mark(key):
                    return _commented(audit)
            if not page["meta"]["has_more"]:
                break
            params["page[after]"] = page["meta"]["after_cursor"]
        return None

    # erasing

    def erase(self, contact: str) -> Flow[None]:
        """First as an agent would, then for good. Zendesk deletes nobody who has open tickets: those go first."""
        yield from self._deleted(f"users/{number(contact)}")
        yield from self._deleted(f"deleted_users/{number(contact)}")

    def erase_case(self, case: str) -> Flow[None]:
        yield from self._deleted(f"tickets/{number(case)}")
        yield from self._deleted(f"deleted_tickets/{number(case)}")

    def _deleted(self, path: str) -> Flow[None]:
        try:
            yield self._request("DELETE", path)
        except Unreachable as error:
            if error.code != "404":
                raise

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
        if attachment.url is None or urlsplit(attachment.url).hostname not in {urlsplit(self.address).hostname}:
            raise ContentRejected("a file that is not of this Zendesk")
        answer = yield httpx.Request("GET", attachment.url)
        return downloaded(answer, attachment)

    # inbound

    def starting(self, since: datetime) -> str:
        return str(int((since - LAG).timestamp()))

    def poll(self, cursor: str | None) -> Flow[Page]:
        """A page of the time-based export, with who wrote what; one payload.

        A page begins with the second in which the last one ended: what we have of that second is in the cursor.
        """
        start, _, seen = (cursor or "0").partition(" ")
        params = {"start_time": number(start), "include": "comment_events"}
        answer = yield self._request("GET", "incremental/ticket_events", params=params)
        page = answer.json()
        told = [one for one in page["ticket_events"] if str(one["id"]) not in seen.split(",")]
        end = page.get("end_time") or int(start)
        newest = [str(one["id"]) for one in page["ticket_events"] if one["timestamp"] == end][-REMEMBERED:]
        ours = [one for one in told if str(one.get("updater_id")) != self.facts.own_account]
        content = {"ticket_events": ours, "users": (yield from self._users(ours))}
        payload = gathered(answer, content)
        more = not page.get("end_of_stream", True) and bool(told)
        return Page(payloads=(payload,) if ours else (), cursor=f"{end} {','.join(newest)}".strip(), more=more)

    def _users(self, told: list[dict[str, Any]]) -> Flow[list[dict[str, Any]]]:
        """Who wrote: the export names only numbers."""
        children = [child for one in told for child in one.get("child_events", ())]
        numbers = sorted({str(child["author_id"]) for child in children if child.get("event_type") == "Comment"})
        users: list[dict[str, Any]] = []
        for first in range(0, len(numbers), 100):
            ids = ",".join(numbers[first : first + 100])
            found = (yield self._request("GET", "users/show_many", params={"ids": ids})).json()["users"]
            users += [{name: user[name] for name in ("id", "name", "role")} for user in found]
        return users

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
        if request.url.host != urlsplit(self.address).hostname or request.url.path == "/oauth/tokens":
            return request
        return signing.authorize(request, self.settings.email, self.settings.api_token, credentials)

    def connect_with(self, sign_in: SignIn) -> str:
        query = {
            "response_type": "code",
            "client_id": self._client_id(),
            "redirect_uri": sign_in.redirect,
            "scope": "read write",
            "state": sign_in.state,
            "code_challenge": sign_in.challenge,
            "code_challenge_method": "S256",
        }
        return str(httpx.URL(f"{self.address}/oauth/authorizations/new", params=query))

    def exchange_with(self, code: str, sign_in: SignIn) -> Flow[Credentials]:
        more = {"code": code, "redirect_uri": sign_in.redirect, "code_verifier": sign_in.verifier.get_secret_value()}
        answer = yield self._token("authorization_code", {**more, "scope": "read write"})
        return credentials_of(answer)

    def refresh(self, credentials: Credentials) -> Flow[Credentials]:
        if credentials.refresh_token is None:
            return credentials
        more = {"refresh_token": credentials.refresh_token.get_secret_value()}
        return credentials_of((yield self._token("refresh_token", more)), credentials)

    def _client_id(self) -> str:
        if self.settings.client_id is None:
            raise ContentRejected("there is no OAuth client; give client_id and client_secret")
        return self.settings.client_id

    def _token(self, grant: str, more: dict[str, str]) -> httpx.Request:
        client = self._client_id()
        secret = self.settings.client_secret.get_secret_value() if self.settings.client_secret else ""
        content = {"grant_type": grant, "client_id": client, "client_secret": secret, **more}
        return httpx.Request("POST", f"{self.address}/oauth/tokens", json=content)

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.address}/api/v2/{path}.json", **content)


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "Zendesk")


def _commented(audit: dict[str, Any]) -> Ref:
    """The comment within an update; the update itself if it has none."""
    comments = (event["id"] for event in audit["events"] if event["type"] == "Comment")
    return Ref(id=str(next(comments, audit["id"])))


def _requester(conversation: CaseSummary) -> dict[str, Any]:
    """Whom Zendesk knows, or who has an e-mail address to be known by; else the ticket is our own agent's."""
    if conversation.contact:
        return {"requester_id": int(number(conversation.contact))}
    party = conversation.party
    mail = next((one.value for one in party.identifiers if one.kind == "email"), None) if party else None
    if party is None or mail is None:
        return {}
    return {"requester": {"name": party.name or mail, "email": mail}}
