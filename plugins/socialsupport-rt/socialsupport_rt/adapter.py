"""The adapter: our verbs as REST2 calls, RT's transactions as our events.

RT has no field for our keys. A conversation's is a link of its ticket (`RefersTo socialsupport:…`), a record's stands
in the subject of its comment; both are looked for before anything is made.
"""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import SecretStr, StringConstraints, model_validator

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
    Forbidden,
    Outcome,
    Ref,
    Settings,
    Unreachable,
    answered_at,
    body,
    from_response,
    headline,
    mark,
)
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Blob, Facts, Identifier, Interaction, Page, Party, Payload
from socialsupport_rt.native import ASKED, FIELDS, NOBODY, closed, contact, events, wanted

PAGE = 50
"""Transactions in one poll, of at most 100 (https://docs.bestpractical.com/rt/5.0.3/RT/REST2.html, 2026-11)."""
OUTCOMES: dict[Outcome, str] = {"resolved": "resolved", "superseded": "resolved", "abandoned": "rejected"}
"""Statuses of RT's default lifecycle (https://docs.bestpractical.com/rt/5.0.3/customizing/lifecycles.html, 2026-11)."""


class RTSettings(Settings):
    base_url: Annotated[str, StringConstraints(pattern=r"^https://[^/?#]+(/[^?#]*[^/?#])?$")]
    """Where RT is, without a slash at the end and without `/REST/2.0`."""
    user: Annotated[str, StringConstraints(min_length=1)]
    """The name of RT's user that is ours alone: what it writes is never read back."""
    token: SecretStr | None = None
    password: SecretStr | None = None
    queue: str = "General"
    requestors: bool = False
    """Makes the person whom RT knows the ticket's requestor. RT's scrips then mail them what agents answer, beside what
    they get on their own channel."""

    @model_validator(mode="after")
    def _has_one_secret(self) -> "RTSettings":
        if (self.token is None) == (self.password is None):
            raise ValueError("give either token (RT's Auth Tokens) or password")
        return self


class RT(CRM[RTSettings]):
    name: ClassVar[str] = "rt"
    settings_model: ClassVar[type[Settings]] = RTSettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    # people

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """By e-mail address: telephone numbers cannot be searched, and names are no evidence.

        A condition on a field that our user may not search is passed over by RT, which then answers with everybody: so
        every answer is looked at again.
        """
        found: dict[str, Contact] = {}
        for identifier in party.identifiers:
            if identifier.kind != "email":
                continue
            conditions = [{"field": "EmailAddress", "value": identifier.value}]
            users = (yield self._search("users", conditions, ",".join(FIELDS))).json()["items"]
            known = [contact(user) for user in users if user.get("Disabled") not in ("1", 1)]
            found |= {one.id: one for one in known if _names(one, identifier)}
        return tuple(found.values())

    # cases

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        link = f"socialsupport:{conversation.key}"
        sql = {"query": f"RefersTo = '{link}'", "orderby": "id"}
        for ticket in (yield self._request("GET", "tickets", params=sql)).json()["items"]:
            return self._case(str(ticket["id"]))
        content: dict[str, Any] = {"Queue": self.settings.queue, "Subject": conversation.subject, "RefersTo": link}
        if self.settings.requestors and conversation.contact:
            content["Requestor"] = [conversation.contact]
        made = yield self._request("POST", "ticket", json=content)
        return self._case(str(made.json()["id"]))

    def _case(self, ticket: str) -> CaseRef:
        return CaseRef(id=ticket, url=f"{self.settings.base_url}/Ticket/Display.html?id={ticket}")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield self._change(case, {"Status": OUTCOMES[outcome]})

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        yield self._change(case, {"Status": "open"})

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        answer = yield self._request("GET", f"ticket/{number(case.id)}")
        ticket, owner = answer.json(), answer.json()["Owner"]["id"]
        return CaseState(
            status="closed" if closed(ticket["Status"]) else "open",
            assignee="" if owner == NOBODY else owner,
            subject=ticket["Subject"],
            version=answer.headers.get("etag"),
            at=datetime.fromisoformat(ticket["LastUpdated"]),
        )

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """RT answers 200 to an owner whom it refuses: so it is looked at afterwards."""
        told = {"Owner": fields.assignee if fields.assignee != "" else NOBODY, "Subject": fields.subject}
        yield self._change(case, {name: value for name, value in told.items() if value is not None})
        state = yield from self.read_case(case)
        if fields.assignee not in (None, state.assignee):
            raise ContentRejected(f"RT does not let {fields.assignee} own tickets of this queue")

    def _change(self, case: CaseRef, content: dict[str, Any]) -> httpx.Request:
        headers = {"if-match": case.version} if case.version else {}
        return self._request("PUT", f"ticket/{number(case.id)}", json=content, headers=headers)

    # records

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """Always a comment: correspondence would be mailed to the requestors."""
        content = {"Content": body(interaction), "ContentType": "text/plain"}
        return (yield from self._once(case, headline(interaction), key, content))

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """A comment of its own, once for each content: RT changes nothing that was said."""
        said = body(interaction)
        content = {"Content": said, "ContentType": "text/plain"}
        return (yield from self._once(case, f"Edited: {headline(interaction)}", f"{key}~{mark(said)}", content))

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        name = blob.name or "attachment"
        coded = base64.b64encode(blob.content).decode()
        file = {"FileName": name, "FileType": blob.media_type, "FileContent": coded}
        return (yield from self._once(case, f"File {name}", key, {"Attachments": [file]}))

    def _once(self, case: CaseRef, subject: str, key: str, content: dict[str, Any]) -> Flow[Ref]:
        """RT does not tell the number of what it has recorded, so it is looked for afterwards too."""
        label = f"[{mark(key)}]"
        if (known := (yield from self._record(label))) is not None:
            return known
        told = {"Subject": f"{subject[:120]} {label}", **content}
        yield self._request("POST", f"ticket/{number(case.id)}/comment", json=told)
        made = yield from self._record(label)
        if made is None:
            raise Forbidden("the user may comment but not see comments; give it ShowTicketComments")
        return made

    def _record(self, label: str) -> Flow[Ref | None]:
        conditions = [{"field": "Subject", "operator": "LIKE", "value": label}]
        answer = yield self._search("attachments", conditions, "TransactionId,Subject", orderby="id")
        found = [one for one in answer.json()["items"] if label in (one.get("Subject") or "")]
        return Ref(id=str(found[0]["TransactionId"])) if found else None

    # about the world

    def probe(self) -> Flow[Facts]:
        about = (yield self._request("GET", "rt")).json()
        user = (yield self._request("GET", f"user/{quote(self.settings.user, safe='')}")).json()
        name = user.get("RealName") or self.settings.user
        return Facts(own_account=str(user["Name"]), name=name, extra={"version": str(about["Version"])})

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        if attachment.native_id is None:
            raise ContentRejected("an attachment without its number")
        told = (yield self._request("GET", f"attachment/{number(attachment.native_id)}")).json()
        return Blob(
            content=base64.b64decode(told["Content"]),
            media_type=told["ContentType"],
            name=attachment.name or told.get("Filename") or None,
        )

    # inbound

    def starting(self, since: datetime) -> str:
        """A minute early: RT's clock may be behind ours."""
        return f"since {(since.astimezone(UTC) - timedelta(minutes=1)).strftime('%Y-%m-%d %H:%M:%S')}"

    def poll(self, cursor: str | None) -> Flow[Page]:
        """Transactions of tickets after the cursor's number, with what agents wrote in them; one payload.

        Asked for like this, RT looks at our rights before it cuts the page: a page that is not full is the last one.
        """
        after = yield from self._after(cursor)
        answer = yield self._request("GET", "transactions", params=_transactions_after(after))
        items = answer.json()["items"]
        told = [one for one in items if wanted(one, self.settings.user)]
        for one in told:
            yield from self._completed(one)
        payload = Payload(
            source="poll",
            method="GET",
            url=str(answer.request.url),
            body=json.dumps({"transactions": told}, sort_keys=True).encode(),
            received_at=answered_at(answer),
        )
        last = str(items[-1]["id"]) if items else after
        return Page(payloads=(payload,) if told else (), cursor=last, more=len(items) >= PAGE)

    def _after(self, cursor: str | None) -> Flow[str]:
        """The number of the newest transaction that is older than the moment from which on we listen."""
        moment = (cursor or "0").removeprefix("since ")
        if moment == (cursor or "0"):
            return number(moment)
        conditions = [{"field": "Created", "operator": "<", "value": moment}]
        newest = {"orderby": "id", "order": "DESC", "per_page": 100}
        found = (yield self._search("transactions", conditions, "Type", **newest)).json()["items"]
        return str(found[0]["id"]) if found else "0"

    def _completed(self, one: dict[str, Any]) -> Flow[None]:
        """With what a transaction only names: what was written, and who owns the ticket now."""
        if one["Type"] in ("Correspond", "Comment"):
            conditions = [{"field": "TransactionId", "value": str(one["id"])}]
            found = yield self._search("attachments", conditions, "ContentType,Filename", orderby="id", per_page=100)
            one["parts"] = list(found.json()["items"])
            for part in one["parts"]:
                if part["ContentType"].startswith("text/") and not part.get("Filename"):
                    part["Content"] = (yield self._request("GET", f"attachment/{part['id']}")).json()["Content"]
        elif one["Field"] == "Owner":
            owner = yield self._request("GET", f"user/{number(one['NewValue'])}")
            one["Owner"] = owner.json()["Name"]

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body, self.settings.user)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """A changed ticket is 412; a comment on a ticket that does not exist is 400."""
        error = from_response(response)
        if response.status_code == 412:
            return Conflict("the ticket was changed in RT meanwhile", code="412")
        if response.status_code == 400 and response.request.url.path.endswith("/comment"):
            return Unreachable("RT records nothing in this ticket", code="400")
        return error

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        if self.settings.token is not None:
            request.headers["authorization"] = f"token {self.settings.token.get_secret_value()}"
        elif self.settings.password is not None:
            pair = f"{self.settings.user}:{self.settings.password.get_secret_value()}"
            request.headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        return request

    def _search(self, what: str, conditions: list[dict[str, str]], fields: str, **more: Any) -> httpx.Request:
        query = json.dumps(conditions, separators=(",", ":"))
        return self._request("GET", what, params={"query": query, "fields": fields, **more})

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.settings.base_url}/REST/2.0/{path}", **content)


def _names(one: Contact, identifier: Identifier) -> bool:
    return str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}


def _transactions_after(after: str) -> dict[str, Any]:
    kinds = " OR ".join(f"Type = '{kind}'" for kind in ASKED)
    return {
        "query": f"ObjectType = 'RT::Ticket' AND id > {after} AND ({kinds})",
        "fields": "Type,Field,OldValue,NewValue,Creator,Created,ObjectId",
        "fields[Creator]": "Name,RealName",
        "orderby": "id",
        "per_page": PAGE,
    }


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "RT")
