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
    Attachment,
    Blob,
    Credentials,
    Facts,
    Identifier,
    Instant,
    Interaction,
    Page,
    Party,
    Payload,
    RateLimit,
    Reply,
    Unrecognised,
    Value,
)
from socialsupport_core.model.base import is_empty

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
    version: str | None = None
    """As `read_case` gave it. A change with a version is refused with Conflict if the case has another by now."""


class Ref(Value):
    """Any record in the CRM."""

    id: str


class CaseSummary(Value):
    """What a new case is opened with."""

    conversation: str
    """Our id; opening the same conversation twice gives the same case."""
    customer: str
    contact: str | None = None
    """The CRM's own id of the person, if it knows exactly one."""
    party: Party | None = None
    """The person as the network knows them, for a CRM that wants a name or an address with every case."""
    subject: str
    opened_at: Instant
    follows: str | None = None
    """The case that can take nothing more (closed for good, deleted), after which this conversation needs another."""

    @property
    def key(self) -> str:
        """What a case is found by: the conversation, or the conversation after the case that it follows."""
        return f"{self.conversation}~{self.follows}" if self.follows else self.conversation


class CaseFields(Value):
    """What both sides may change about a case. None: not said, or the CRM has no such field."""

    status: Literal["open", "closed"] | None = None
    assignee: str | None = None
    """The agent as the CRM writes them; empty for nobody."""
    subject: str | None = None


class CaseState(CaseFields):
    """A case as it stands there now."""

    version: str | None = None
    at: Instant | None = None
    """When it was changed last."""


class _CRMEvent(Value):
    id: str
    """Stable over redelivery and over every way in: webhook and poll give the same id."""
    at: Instant


class _AgentSpoke(_CRMEvent):
    case: str
    agent: str
    """Stable: an id or a login. `agent_name` is what people read, if that is another."""
    agent_name: str | None = None
    text: str
    attachments: tuple[Attachment, ...] = Field(default=(), exclude_if=is_empty)
    """Brought in by `fetch`."""
    record: str | None = None
    """The record that it is in the CRM, as `Ref.id` names it: what we have saved ourselves is no reply."""


class AgentReplied(_AgentSpoke):
    """An agent answered in the CRM: it becomes an intent on the customer's channel."""

    type: Literal["agent.replied"] = "agent.replied"


class AgentNoted(_AgentSpoke):
    """An agent wrote something that the customer must not see: it becomes an internal note."""

    type: Literal["agent.noted"] = "agent.noted"


class CaseClosed(_CRMEvent):
    type: Literal["case.closed"] = "case.closed"
    case: str


class CaseChanged(_CRMEvent):
    """Somebody there has changed fields of the case; those that are None have not changed."""

    type: Literal["case.changed"] = "case.changed"
    case: str
    fields: CaseFields
    agent: str | None = None


class CaseMerged(_CRMEvent):
    """The case goes on as another one."""

    type: Literal["case.merged"] = "case.merged"
    case: str
    into: str


class CaseGone(_CRMEvent):
    """The case was deleted there; what comes next needs another."""

    type: Literal["case.gone"] = "case.gone"
    case: str


class ContactChanged(_CRMEvent):
    """What the CRM knows of somebody now: it takes the place of what it knew before."""

    type: Literal["contact.changed"] = "contact.changed"
    contact: Contact


class ContactGone(_CRMEvent):
    """The person was deleted there, or merged `into` another: what was known of them is evidence no more."""

    type: Literal["contact.gone"] = "contact.gone"
    contact: str
    into: str | None = None


CRMEvent = (
    AgentReplied
    | AgentNoted
    | CaseClosed
    | CaseChanged
    | CaseMerged
    | CaseGone
    | ContactChanged
    | ContactGone
    | Unrecognised
)


class CRM(SignsIn, Generic[S]):
    """One CRM or helpdesk."""

    name: ClassVar[str]
    contract: ClassVar[int] = CONTRACT
    settings_model: ClassVar[type[Settings]]
    rate_limits: ClassVar[tuple[RateLimit, ...]] = ()
    pause: ClassVar[float] = 30.0
    """Seconds between two polls while there is nothing new."""

    def __init__(self, settings: S, facts: Facts | None = None) -> None:
        """`facts` is what `probe` learnt, stored by the host."""
        self.settings = settings
        self.facts = facts or Facts()

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset()

    # verbs

    def find_customers(self, party: Party) -> Flow[tuple[Contact, ...]]:
        """Everyone who may be this party."""
        raise NotImplementedError

    def open_case(self, conversation: CaseSummary) -> Flow[CaseRef]:
        """Opening the same conversation (`conversation.key`) twice gives the same case."""
        raise NotImplementedError

    def save_interaction(self, case: CaseRef, interaction: Interaction, key: str) -> Flow[Ref]:
        """Saving the same `key` twice makes one record. `internal` interactions are notes that no customer may see.

        What is saved is never mailed to the customer by the CRM, and never comes back as an agent's reply.
        Raises Unreachable if the case can take nothing more.
        """
        raise NotImplementedError

    def edit_interaction(self, case: CaseRef, record: Ref, interaction: Interaction, key: str) -> Flow[Ref]:
        """What was saved under `key` reads like this now. Default: saved again, for a CRM where the newest stands.

        A CRM that changes nothing gets a further record, once for each content.
        """
        return (yield from self.save_interaction(case, interaction, key))

    def remove_interaction(self, case: CaseRef, record: Ref, key: str) -> Flow[None]:
        """Its author has deleted it on the network. Done as well if it is gone already."""
        raise Unsupported(f"{self.name} removes no records; do it there by hand")

    def attach(self, case: CaseRef, blob: Blob, key: str) -> Flow[Ref]:
        """Attaching the same `key` twice makes one record."""
        raise Unsupported(f"{self.name} takes no attachments")

    def close_case(self, case: CaseRef, outcome: Outcome) -> Flow[None]:
        raise NotImplementedError

    def reopen_case(self, case: CaseRef) -> Flow[None]:
        """Raises Unreachable if it is closed for good."""
        raise Unsupported(f"{self.name} reopens no cases")

    def read_case(self, case: CaseRef) -> Flow[CaseState]:
        """How it stands there, before we change it: so a change on both sides is noticed."""
        raise Unsupported(f"{self.name} does not tell how a case stands")

    def change_case(self, case: CaseRef, fields: CaseFields) -> Flow[None]:
        """Changes those of `assignee` and `subject` that are not None; the status has verbs of its own."""
        raise Unsupported(f"{self.name} takes no changes of a case")

    def erase(self, contact: str) -> Flow[None]:
        """The person and what is theirs. Done as well if they are gone already."""
        raise Unsupported(f"{self.name} cannot erase a contact; do it there by hand")

    def erase_case(self, case: str) -> Flow[None]:
        """The case of somebody who is to be forgotten, with all that was saved in it."""
        raise Unsupported(f"{self.name} cannot erase a case; do it there by hand")

    # about the world

    def probe(self) -> Flow[Facts]:
        """Who are we there, and what are its limits: the connection test."""
        raise Unsupported(f"{self.name} has no connection test")

    def subscribe(self, public_url: str) -> Flow[None]:
        """Tells the CRM where our door is."""
        raise Unsupported(f"{self.name} needs no subscription by call; enter the door's address there by hand")

    def fetch(self, attachment: Attachment) -> Flow[Blob]:
        """The content of a file that an agent sends along."""
        raise Unsupported(f"{self.name} has no attachments to fetch")

    # inbound

    def starting(self, since: datetime) -> str | None:
        """The cursor with which polling begins for a CRM that was connected at `since`. Default: the beginning."""
        return None

    def poll(self, cursor: str | None) -> Flow[Page]:
        raise Unsupported(f"{self.name} cannot be polled")

    def handshake(self, payload: Payload) -> Reply | None:
        """The answer to a GET on the door; None is 404. Raises SignatureError."""
        return None

    def verify(self, payload: Payload) -> None:
        raise SignatureError(f"{self.name} takes no webhooks")

    def acknowledge(self, payload: Payload) -> Reply:
        """What the door answers after the commit."""
        return Reply()

    def parse(self, payload: Payload) -> Iterable[CRMEvent]:
        """What people did there; what we have written ourselves is left out. Raises nothing but MalformedPayload."""
        return ()

    # calls

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
