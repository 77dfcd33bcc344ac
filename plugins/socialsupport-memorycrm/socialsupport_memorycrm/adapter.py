"""The adapter: our verbs as calls to the CRM's HTTP interface, its changes as our events."""

import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, ClassVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import Field, SecretStr, StringConstraints

from socialsupport_core.contract import (
    CRM,
    CaseRef,
    CaseSummary,
    Contact,
    ContentRejected,
    CRMEvent,
    DeliveryError,
    Flow,
    Outcome,
    Ref,
    Settings,
    SignatureError,
    Unreachable,
    answered_at,
    from_response,
)
from socialsupport_core.model import Blob, Facts, Interaction, Page, Party, Payload
from socialsupport_memorycrm.native import NativeContact, contact, error_code, events

TOLERANCE = 300.0
"""Seconds between signing and arrival."""
PAGES = 10
"""So many pages of contacts are read for one party; who matches more is nobody in particular."""

_SIGNATURE = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})")


class MemorySettings(Settings):
    base_url: Annotated[str, StringConstraints(pattern=r"^https://[^/?#]+(/[^?#]*[^/?#])?$")] = "https://crm.example"
    """Without a slash at the end."""
    token: SecretStr
    webhook_secret: Annotated[SecretStr, Field(min_length=16)]
    previous_webhook_secret: Annotated[SecretStr, Field(min_length=16)] | None = None
    """Accepted too while secrets rotate."""


class MemoryCRM(CRM[MemorySettings]):
    name: ClassVar[str] = "memory"
    settings_model: ClassVar[type[Settings]] = MemorySettings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset({urlsplit(self.settings.base_url).hostname or ""})

    # verbs

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """By identifiers only: names are no evidence."""
        wanted = [str(identifier) for identifier in party.identifiers]
        contacts: list[Contact] = []
        cursor: str | None = None
        for _ in range(PAGES if wanted else 0):
            query = {"identifier": wanted} | ({"cursor": cursor} if cursor else {})
            page = (yield self._request("GET", "contacts", params=query)).json()
            contacts += [contact(NativeContact.model_validate(native)) for native in page["contacts"]]
            cursor = page.get("next")
            if cursor is None:
                break
        return tuple(contacts)

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        """The CRM keeps our id as the case's external id, and answers with the case that has it already."""
        case = {
            "external_id": conversation.key,
            "customer": conversation.customer,
            "contact": conversation.contact,
            "subject": conversation.subject,
            "opened_at": conversation.opened_at.isoformat(),
        }
        answer = (yield self._request("PUT", "cases", json=case)).json()
        return CaseRef(id=answer["id"], url=answer.get("url"))

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """The key is the entry's external id: the newest content stands, so an edit is saved again."""
        request = self._request("PUT", f"cases/{segment(case.id)}/entries", json=_entry(interaction, key))
        return Ref(id=(yield request).json()["id"])

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        request = self._request(
            "POST",
            f"cases/{segment(case.id)}/attachments",
            files={"file": (blob.name or "attachment", blob.content, blob.media_type)},
            headers={"idempotency-key": quote(key, safe="")},
        )
        return Ref(id=(yield request).json()["id"])

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        yield self._request("PATCH", f"cases/{segment(case.id)}", json={"status": "closed", "outcome": outcome})

    def erase(self, contact: str) -> Flow[None]:
        """Done as well when the CRM has erased the contact before."""
        try:
            yield self._request("DELETE", f"contacts/{segment(contact)}")
        except Unreachable as error:
            if error.code not in ("contact_erased", "contact_unknown"):
                raise

    def probe(self) -> Flow[Facts]:
        """Whether the token is good, and whose it is."""
        account = (yield self._request("GET", "account")).json()
        return Facts(own_account=account["id"], name=account["name"])

    # inbound

    def poll(self, cursor: str | None) -> Flow[Page]:
        request = self._request("GET", "changes", params={"after": cursor} if cursor else None)
        response = yield request
        page = response.json()
        payload = Payload(
            source="poll",
            method="GET",
            url=str(request.url),
            body=response.content,
            received_at=answered_at(response),
        )
        return Page(payloads=(payload,) if page["changes"] else (), cursor=page["cursor"], more=page["more"])

    def verify(self, payload: Payload) -> None:
        """What we have fetched ourselves needs no signature."""
        if payload.source == "poll":
            return
        match = _SIGNATURE.fullmatch(payload.header("x-crm-signature") or "")
        if match is None:
            raise SignatureError("X-CRM-Signature is missing or not t=UNIX,v1=HEX")
        signed_at, given = match.groups()
        if abs(payload.received_at.timestamp() - int(signed_at)) > TOLERANCE:
            raise SignatureError("the signature is older or newer than five minutes")
        secrets = (self.settings.webhook_secret, self.settings.previous_webhook_secret)
        good = [sign(secret, signed_at, payload.body) for secret in secrets if secret]
        if True not in [hmac.compare_digest(one, given) for one in good]:  # always all of them
            raise SignatureError("X-CRM-Signature does not fit the body and the webhook secret")

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        return events(payload.body)

    # calls

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        """As the status says, with the CRM's own code."""
        error = from_response(response)
        if error is not None:
            error.code = error_code(response.content) or error.code
        return error

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        request.headers["authorization"] = f"Bearer {self.settings.token.get_secret_value()}"
        return request

    def _request(self, method: str, path: str, **content: Any) -> httpx.Request:
        return httpx.Request(method, f"{self.settings.base_url}/v1/{path}", **content)


def segment(written: str) -> str:
    """An id as one segment of a path. Raises ContentRejected for those that would leave it."""
    if written in ("", ".", ".."):
        raise ContentRejected(f"{written!r} is not an id of the CRM")
    return quote(written, safe="")


def sign(secret: SecretStr, signed_at: str, body: bytes) -> str:
    """The v1 of a signature: HMAC-SHA256 over `t.body`, in lower-case hex."""
    return hmac.new(secret.get_secret_value().encode(), signed_at.encode() + b"." + body, "sha256").hexdigest()


def _entry(interaction: Interaction, key: str) -> dict[str, Any]:
    author = interaction.author
    return {
        "external_id": key,
        "network": interaction.network,
        "kind": interaction.kind,
        "direction": interaction.direction,
        "visibility": interaction.thread.visibility,
        "author": {"name": author.name, "identifiers": [str(one) for one in author.identifiers]},
        "subject": interaction.subject,
        "text": interaction.text,
        "sent_at": interaction.sent_at.isoformat(),
    }
