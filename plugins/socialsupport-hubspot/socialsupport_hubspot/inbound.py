"""What HubSpot tells: webhooks of an app, webhooks of our own channel, polled records.

https://developers.hubspot.com/docs/api/webhooks, https://developers.hubspot.com/custom-channels-api,
https://developers.hubspot.com/changelog/new-subscription-types-for-webhooks (2026-11)

Who changed a property stands beside it, as `changeSource` and `sourceId` in a webhook, as `sourceType` and `sourceId`
in a record's history: what our own app did is left out.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentReplied,
    CaseChanged,
    CaseClosed,
    CaseFields,
    CaseGone,
    CaseMerged,
    ContactChanged,
    ContactGone,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Attachment, Instant, Payload, Unrecognised
from socialsupport_core.text import escape
from socialsupport_hubspot import people
from socialsupport_hubspot.settings import HubSpotSettings

TYPES: Mapping[str, str] = {"0-1": "contact", "0-5": "ticket"}
"""`objectTypeId` of the subscription types that begin with `object.`."""
OUTGOING = "OUTGOING_CHANNEL_MESSAGE_CREATED"
INTEGRATION = "INTEGRATION"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = 253_402_300_799_999
"""Milliseconds until the end of the year 9999."""


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Change(_Native):
    """One of a webhook's list. `eventId` is documented as not unique, so it names nothing here."""

    subscriptionType: str
    objectId: str
    objectTypeId: str | None = None
    occurredAt: int = Field(ge=0, le=LATEST)
    propertyName: str | None = None
    propertyValue: str | None = None
    changeSource: str | None = None
    sourceId: str | None = None
    primaryObjectId: str | None = None
    newObjectId: str | None = None
    mergedObjectIds: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return _kind(self.subscriptionType, self.objectTypeId)

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(milliseconds=self.occurredAt)

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.objectId}:{self.occurredAt}"

    @property
    def merged(self) -> tuple[list[str], str]:
        """Those that are gone, and the record that is left, which may have a number of its own."""
        left = self.newObjectId or self.primaryObjectId or self.objectId
        gone = dict.fromkeys([*self.mergedObjectIds, self.primaryObjectId or left])
        return [one for one in gone if one != left], left


class Client(_Native):
    clientType: str = "UNKNOWN"


class Sender(_Native):
    actorId: str | None = None
    name: str | None = None


class File(_Native):
    fileId: str | None = None
    name: str | None = None


class Message(_Native):
    id: str
    createdAt: Instant
    createdBy: str | None = None
    client: Client | None = None
    senders: tuple[Sender, ...] = ()
    text: str | None = None
    attachments: tuple[File, ...] = ()


class Outgoing(_Native):
    message: Message
    channelIntegrationThreadIds: tuple[str, ...] = ()


def events(payload: Payload, settings: HubSpotSettings) -> list[CRMEvent]:
    """Raises MalformedPayload."""
    content = _content(payload.body)
    if payload.source == "poll":
        return list(_polled(payload.url, content, settings))
    return [event for native in _list(content) for event in _pushed(native, settings)]


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


def _pushed(native: dict[str, Any], settings: HubSpotSettings) -> list[CRMEvent]:
    kind = native.get("type", native.get("subscriptionType"))
    if not isinstance(kind, str):
        raise MalformedPayload("subscriptionType: a change without its type")
    if settings.portal_id and str(native.get("portalId", settings.portal_id)) != settings.portal_id:
        return []  # the app is installed in other accounts too
    try:
        if "subscriptionType" not in native:
            return _answered(Outgoing.model_validate(native)) if kind == OUTGOING else []
        reader = READERS.get(_kind(kind, native.get("objectTypeId")))  # others may have no object: associations
        return reader(Change.model_validate(native), settings) if reader else []
    except ValidationError as error:
        raise MalformedPayload(f"{kind[:64]}: {misfit(error)}") from None


def _kind(subscription: str, object_type: object) -> str:
    subject, _, what = subscription.partition(".")
    return f"{TYPES.get(str(object_type), subject) if subject == 'object' else subject}.{what}"


def _answered(outgoing: Outgoing) -> list[CRMEvent]:
    message = outgoing.message
    name = f"message:{message.id}"
    text = escape((message.text or "").strip())
    files = [Attachment(native_id=one.fileId, name=one.name) for one in message.attachments if one.fileId]
    if message.client and message.client.clientType == INTEGRATION:
        return []  # we have published it ourselves
    if not outgoing.channelIntegrationThreadIds:
        return [Unrecognised(id=name, native_type=OUTGOING, reason="the thread is not one of ours")]
    if not text and not files:
        return [Unrecognised(id=name, native_type=OUTGOING, reason="the message has neither text nor files")]
    sender = message.senders[0] if message.senders else Sender()
    reply = AgentReplied(
        id=name,
        case=outgoing.channelIntegrationThreadIds[0],
        agent=sender.actorId or message.createdBy or sender.name or "unknown",
        agent_name=sender.name,
        text=text,
        attachments=tuple(files),
        record=message.id,
        at=message.createdAt,
    )
    return [reply]


def _is_ours(source: str | None, name: str | None, settings: HubSpotSettings) -> bool:
    return source == INTEGRATION and (settings.app_id is None or name == settings.app_id)


def _ticket(change: Change, settings: HubSpotSettings) -> list[CRMEvent]:
    if _is_ours(change.changeSource, change.sourceId, settings):
        return []
    return _told(change.objectId, change.propertyName, change.propertyValue or "", change.at, settings)


def _told(ticket: str, name: str | None, value: str, at: datetime, settings: HubSpotSettings) -> list[CRMEvent]:
    """One property of a ticket, as it reads since then."""
    event = f"ticket:{ticket}:{name}:{(at - EPOCH) // timedelta(milliseconds=1)}"
    if name == "hs_pipeline_stage" and settings.is_closed(value):
        return [CaseClosed(id=event, case=ticket, at=at)]
    fields = {
        "hs_pipeline_stage": CaseFields(status="open"),
        "hubspot_owner_id": CaseFields(assignee=value),
        "subject": CaseFields(subject=value),
    }
    return [CaseChanged(id=event, case=ticket, fields=fields[name], at=at)] if name in fields else []


def _ticket_gone(change: Change, _: HubSpotSettings) -> list[CRMEvent]:
    return [CaseGone(id=change.id, case=change.objectId, at=change.at)]


def _ticket_merged(change: Change, _: HubSpotSettings) -> list[CRMEvent]:
    gone, left = change.merged
    return [CaseMerged(id=f"{change.id}:{one}", case=one, into=left, at=change.at) for one in gone]


def _contact_gone(change: Change, _: HubSpotSettings) -> list[CRMEvent]:
    return [ContactGone(id=change.id, contact=change.objectId, at=change.at)]


def _contact_merged(change: Change, _: HubSpotSettings) -> list[CRMEvent]:
    gone, left = change.merged
    return [ContactGone(id=f"{change.id}:{one}", contact=one, into=left, at=change.at) for one in gone]


READERS: Mapping[str, Callable[[Change, HubSpotSettings], list[CRMEvent]]] = {
    "ticket.propertyChange": _ticket,
    "ticket.deletion": _ticket_gone,
    "ticket.merge": _ticket_merged,
    "contact.deletion": _contact_gone,
    "contact.privacyDeletion": _contact_gone,
    "contact.merge": _contact_merged,
}
"""Other subscriptions are passed over: the change of one property of a contact does not say what else is known."""


class Past(_Native):
    """One value of a property, the newest first."""

    value: str | None = None
    timestamp: Instant
    sourceType: str | None = None
    sourceId: str | None = None


class Record(_Native):
    id: str
    properties: dict[str, Any] = Field(default_factory=dict)
    propertiesWithHistory: dict[str, tuple[Past, ...]] = Field(default_factory=dict)
    updatedAt: Instant


def _polled(url: str, content: Any, settings: HubSpotSettings) -> Iterator[CRMEvent]:
    results = content.get("results", []) if isinstance(content, dict) else None
    if not isinstance(results, list):
        raise MalformedPayload("results: not a list")
    for native in results:
        try:
            record = Record.model_validate(native)
        except ValidationError as error:
            raise MalformedPayload(f"results: {misfit(error)}") from None
        yield from _ticket_found(record, settings) if "/tickets/" in url else _contact_found(record)


def _ticket_found(record: Record, settings: HubSpotSettings) -> Iterator[CRMEvent]:
    """How it stands. What it was meanwhile, and how it was opened, is no news."""
    for name, past in record.propertiesWithHistory.items():
        if len(past) > 1 and past[0].timestamp >= EPOCH:
            newest = past[0]
            if not _is_ours(newest.sourceType, newest.sourceId, settings):
                yield from _told(record.id, name, newest.value or "", newest.timestamp, settings)


def _contact_found(record: Record) -> Iterator[CRMEvent]:
    known = people.contact({"id": record.id, "properties": record.properties})
    moment = (record.updatedAt - EPOCH) // timedelta(milliseconds=1)
    yield ContactChanged(id=f"contact:{record.id}:{moment}", contact=known, at=record.updatedAt)
