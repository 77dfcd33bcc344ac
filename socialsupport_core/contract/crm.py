"""The CRM adapter: the same idea as the connector, with a helpdesk's verbs."""

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Generic, Literal, TypeVar

import httpx
from pydantic import Field

from socialsupport_core.contract.connector import CONTRACT, Settings
from socialsupport_core.contract.credentials import SignsIn
from socialsupport_core.contract.errors import DeliveryError, SignatureError, Unsupported, from_response
from socialsupport_core.contract.flow import Flow
from socialsupport_core.model import (
    Blob,
    Credentials,
    Identifier,
    Instant,
    Interaction,
    Page,
    Party,
    Payload,
    Unrecognised,
    Value,
)

S = TypeVar("S", bound=Settings)
Outcome = Literal["resolved", "superseded", "abandoned"]


class Contact(Value):
    """A person as the CRM knows them: evidence for identity, never a merge by itself."""

    id: str
    identifiers: tuple[Identifier, ...] = ()
    verified: frozenset[Identifier] = frozenset()
    """Those of `identifiers` that the CRM marks as proven."""
    name: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)


class CaseRef(Value):
    """A case (ticket, conversation) in the CRM."""

    id: str
    url: str | None = None


class Ref(Value):
    """Any record in the CRM."""

    id: str


class CaseSummary(Value):
    """What a new case is opened with."""

    conversation: str
    """Our id; opening the same conversation twice gives the same case."""
    customer: str
    contact: str | None = None
    subject: str
    opened_at: Instant


class AgentReplied(Value):
    """An agent answered in the CRM: it becomes an intent on the customer's channel."""

    type: Literal["agent.replied"] = "agent.replied"
    id: str
    case: str
    agent: str
    text: str
    at: Instant


class CaseClosed(Value):
    type: Literal["case.closed"] = "case.closed"
    id: str
    case: str
    at: Instant


class ContactChanged(Value):
    type: Literal["contact.changed"] = "contact.changed"
    id: str
    contact: Contact
    at: Instant


CRMEvent = AgentReplied | CaseClosed | ContactChanged | Unrecognised


class CRM(SignsIn, Generic[S]):
    """One CRM or helpdesk."""

    name: ClassVar[str]
    contract: ClassVar[int] = CONTRACT
    settings_model: ClassVar[type[Settings]]

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset()

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """Everyone who may be this party."""
        raise NotImplementedError

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        """Opening the same conversation twice gives the same case."""
        raise NotImplementedError

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """Saving the same `key` twice makes one record."""
        raise NotImplementedError

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        raise Unsupported(f"{self.name} takes no attachments")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        raise NotImplementedError

    def erase(self, contact: str) -> Flow[None]:
        raise Unsupported(f"{self.name} cannot erase a contact; do it there by hand")

    def poll(self, cursor: str | None) -> Flow[Page]:
        raise Unsupported(f"{self.name} cannot be polled")

    def verify(self, payload: Payload) -> None:
        raise SignatureError(f"{self.name} takes no webhooks")

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        """What changed there. Raises nothing but MalformedPayload."""
        return ()

    def failure(self, response: httpx.Response) -> DeliveryError | None:
        return from_response(response)

    def authorize(self, request: httpx.Request, now: datetime, nonce: str) -> httpx.Request:
        """Adds what proves who we are, from the settings alone."""
        return request

    def authorize_with(
        self, request: httpx.Request, credentials: Credentials | None, now: datetime, nonce: str
    ) -> httpx.Request:
        """What the host calls. Write this one for a CRM at which an operator signs in."""
        return self.authorize(request, now, nonce)
