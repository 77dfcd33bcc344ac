"""What HubSpot tells: webhooks of an app, webhooks of our own channel, polled pages.

https://developers.hubspot.com/docs/api/webhooks, https://developers.hubspot.com/custom-channels-api,
https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks (2026-11)
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentReplied,
    CaseClosed,
    Contact,
    ContactChanged,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.model import Instant, Payload, Unrecognised
from socialsupport_core.text import escape
from socialsupport_hubspot import people

TYPES: Mapping[str, str] = {"0-1": "contact", "0-5": "ticket"}
"""`objectTypeId` of the subscription types that begin with `object.`."""
OUTGOING = "OUTGOING_CHANNEL_MESSAGE_CREATED"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Change(_Native):
    """One of a webhook's list. `eventId` is documented as not unique, so it names nothing here."""

    subscriptionType: str
    objectId: str
    objectTypeId: str | None = None
    occurredAt: int = Field(ge=0, le=253_402_300_799_999)
    """Milliseconds since 1970."""
    propertyName: str | None = None
    propertyValue: str | None = None
    primaryObjectId: str | None = None
    newObjectId: str | None = None
    mergedObjectIds: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        subject, _, what = self.subscriptionType.partition(".")
        return f"{TYPES.get(self.objectTypeId or '', subject) if subject == 'object' else subject}.{what}"

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.occurredAt)

    @property
    def id(self) -> str:
        what = f":{self.propertyName}" if self.propertyName else ""
        return f"{self.kind}{what}:{self.objectId}:{self.occurredAt}"


class Client(_Native):
    clientType: str = "UNKNOWN"


class Sender(_Native):
    actorId: str | None = None
    name: str | None = None


class File(_Native):
    name: str | None = None
    url: str | None = None


class Message(_Native):
    id: str
    createdAt: Instant
    createdBy: str | None = None
    client: Client | None = None
    senders: tuple[Sender, ...] = ()
    text: str | None = None
    attachments: tuple[File, ...] = ()

    @property
    def agent(self) -> str:
        named = [name for one in self.senders for name in (one.name, one.actorId) if name]
        return named[0] if named else self.createdBy or "an agent"

    @property
    def content(self) -> str:
        """CommonMark. Files are named with HubSpot's own addresses."""
        files = [f"{escape(one.name or 'file')}: {one.url}" for one in self.attachments if one.url]
        text = escape((self.text or "").strip())
        return "\n\n".join(([text] if text else []) + files)


class Outgoing(_Native):
    message: Message
    channelIntegrationThreadIds: tuple[str, ...] = ()


def events(payload: Payload, portal: str | None) -> list[CRMEvent]:
    """Raises MalformedPayload."""
    content = _content(payload.body)
    if payload.source == "poll" and isinstance(content, dict):
        return list(_polled(payload.url, content))
    return [event for native in _list(content) if (event := _pushed(native, portal)) is not None]


def _content(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error


def _list(content: Any) -> list[dict[str, Any]]:
    """A webhook brings up to a hundred changes in a list, that of a channel brings one."""
    several = content if isinstance(content, list) else [content]
    if not all(isinstance(one, dict) for one in several):
        raise MalformedPayload("the body is neither a change nor a list of changes")
    return several


def _pushed(native: dict[str, Any], portal: str | None) -> CRMEvent | None:
    kind = native.get("type", native.get("subscriptionType"))
    if not isinstance(kind, str):
        raise MalformedPayload("subscriptionType: a change without its type")
    if portal and str(native.get("portalId", portal)) != portal:
        return None  # the app is installed in other accounts too
    try:
        if "subscriptionType" not in native:
            return _answered(kind, native)
        change = Change.model_validate(native)
        return READERS[change.kind](change) if change.kind in READERS else None
    except ValidationError as error:
        raise MalformedPayload(f"{kind[:64]}: {_fields(error)}") from None


def _answered(kind: str, native: dict[str, Any]) -> CRMEvent | None:
    if kind != OUTGOING:
        return None
    outgoing = Outgoing.model_validate(native)
    message = outgoing.message
    name = f"message:{message.id}"
    if message.client and message.client.clientType == "INTEGRATION":
        return None  # we have published it ourselves
    if not outgoing.channelIntegrationThreadIds:
        return Unrecognised(id=name, native_type=kind, reason="the thread is not one of ours")
    if not message.content:
        return Unrecognised(id=name, native_type=kind, reason="the message has neither text nor files")
    case = outgoing.channelIntegrationThreadIds[0]
    return AgentReplied(id=name, case=case, agent=message.agent, text=message.content, at=message.createdAt)


def _ticket(change: Change) -> CRMEvent | None:
    """HubSpot writes `closed_date` when a ticket enters a closed stage, and empties it when it leaves."""
    value = change.propertyValue or ""
    if change.propertyName != "closed_date" or not (value.isascii() and value.isdigit() and len(value) <= 14):
        return None
    return _closed(change.objectId, EPOCH + timedelta(milliseconds=int(value)))


def _closed(ticket: str, at: datetime) -> CaseClosed:
    return CaseClosed(id=f"ticket.closed:{ticket}:{(at - EPOCH) // timedelta(milliseconds=1)}", case=ticket, at=at)


def _contact(change: Change) -> CRMEvent:
    """The change of one property, or the making of the record: what else it says is not in the webhook."""
    told = {change.propertyName: change.propertyValue} if change.propertyName and change.propertyValue else {}
    known = people.contact({"id": change.objectId, "properties": told})
    return ContactChanged(id=change.id, contact=known, at=change.at)


def _merged(change: Change) -> CRMEvent:
    """Two records were made one by people in HubSpot; the new one may have a number of its own."""
    left = change.newObjectId or change.primaryObjectId or change.objectId
    gone = dict.fromkeys([*change.mergedObjectIds, change.primaryObjectId or left])
    fields = {people.MERGED: ",".join(one for one in gone if one != left)}
    return ContactChanged(id=change.id, contact=Contact(id=left, fields=fields), at=change.at)


def _erased(change: Change) -> CRMEvent:
    reason = f"contact {change.objectId} was erased in HubSpot; erase the customer here as well"
    return Unrecognised(id=change.id, native_type=change.kind, reason=reason)


READERS: Mapping[str, Callable[[Change], CRMEvent | None]] = {
    "ticket.propertyChange": _ticket,
    "contact.propertyChange": _contact,
    "contact.creation": _contact,
    "contact.merge": _merged,
    "contact.privacyDeletion": _erased,
}
"""Other subscriptions are passed over."""


class Record(_Native):
    id: str
    properties: dict[str, Any]
    updatedAt: Instant


def _polled(url: str, content: dict[str, Any]) -> Iterator[CRMEvent]:
    """The results of a search, oldest change first."""
    results = content.get("results", [])
    if not isinstance(results, list):
        raise MalformedPayload("results: not a list")
    for native in results:
        try:
            record = Record.model_validate(native)
            event = _ticket_found(record) if "/tickets/" in url else _contact_found(record)
        except ValidationError as error:
            raise MalformedPayload(f"results: {_fields(error)}") from None
        if event is not None:
            yield event


class Closed(_Native):
    closed_date: Instant | None = None


def _ticket_found(record: Record) -> CRMEvent | None:
    at = Closed.model_validate({"closed_date": record.properties.get("closed_date") or None}).closed_date
    return _closed(record.id, at) if at is not None and at >= EPOCH else None


def _contact_found(record: Record) -> CRMEvent:
    known = people.contact({"id": record.id, "properties": record.properties})
    moment = (record.updatedAt - EPOCH) // timedelta(milliseconds=1)
    return ContactChanged(id=f"contact:{record.id}:{moment}", contact=known, at=record.updatedAt)


def _fields(error: ValidationError) -> str:
    """Which fields are wrong and how, never what was in them."""
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults[:5])
