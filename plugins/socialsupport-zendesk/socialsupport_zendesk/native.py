"""What Zendesk writes, and what it means to us. Unknown fields are ignored, unknown types passed over.

Webhooks: https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events (2026-11); the export:
https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/ (2026-11).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseGone,
    CaseMerged,
    Contact,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Identifier, Instant

CLOSED = frozenset({"solved", "closed", "archived", "scrubbed"})
"""Closed tickets are archived in the course of time, and scrubbed of whom they name, without anybody opening them.
https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events (2026-11)"""
DELETED = "deleted"
"""No state to be in: the deletion is told by itself."""
STAFF = frozenset({"agent", "admin"})
KINDS: Mapping[str, str] = {"email": "email", "phone_number": "phone"}
"""Types of identities that are identifiers (https://developer.zendesk.com/api-reference/ticketing/users/
user_identities/, 2026-11). A handle of X or Facebook is none: it can change hands."""


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class File(_Native):
    id: str
    file_name: str | None = None
    content_type: str = "application/octet-stream"
    content_url: str

    def attachment(self) -> Attachment:
        return Attachment(native_id=self.id, url=self.content_url, media_type=self.content_type, name=self.file_name)


class Author(_Native):
    id: str
    name: str | None = None
    is_staff: bool = False


class Comment(_Native):
    id: str
    author: Author | None = None
    body: str = ""
    is_public: bool = False


class Change(_Native):
    current: str | None = None
    previous: str | None = None
    comment: Comment | None = None
    target_ticket_id: str | None = None


class Detail(_Native):
    id: str
    actor_id: str | None = None


class Webhook(_Native):
    id: str
    type: str
    time: Instant
    detail: Detail
    event: Change = Change()


class Child(_Native):
    id: str
    event_type: str
    author_id: str | None = None
    body: str = ""
    public: bool = False
    attachments: tuple[File, ...] = ()
    status: str | None = None
    assignee_id: str | None = None
    previous_value: Any = None


class Audit(_Native):
    id: str
    ticket_id: str
    timestamp: int
    updater_id: str | None = None
    child_events: tuple[dict[str, Any], ...] = ()


class User(_Native):
    id: str
    name: str | None = None
    role: str = "end-user"


class Export(_Native):
    ticket_events: tuple[Audit, ...]
    users: tuple[User, ...] = ()


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


def contact(user: dict[str, Any], identities: list[dict[str, Any]]) -> Contact:
    """What Zendesk has verified is verified; its `phone` field is what somebody has typed."""
    told = [(_identifier(str(one.get("type")), one.get("value")), bool(one.get("verified"))) for one in identities]
    told += [(_identifier("email", user.get("email")), False), (_identifier("phone_number", user.get("phone")), False)]
    known = [(identifier, proven) for identifier, proven in told if identifier is not None]
    shown = {"plan": (user.get("user_fields") or {}).get("plan"), "external_id": user.get("external_id")}
    return Contact(
        id=str(user["id"]),
        identifiers=tuple(dict.fromkeys(identifier for identifier, _ in known)),
        verified=frozenset(identifier for identifier, proven in known if proven),
        name=user.get("name"),
        fields={name: str(value) for name, value in shown.items() if value},
    )


def _identifier(kind: str, value: str | None) -> Identifier | None:
    if kind not in KINDS or not value:
        return None
    written = value.strip().lower() if kind == "email" else re.sub(r"[\s()./-]", "", value)
    fits = "@" in written if kind == "email" else re.fullmatch(r"\+[0-9]{6,15}", written)
    return Identifier(kind=KINDS[kind], value=written) if fits else None


def is_about(one: Contact, identifier: Identifier) -> bool:
    """Zendesk's search is not exact."""
    return str(identifier).casefold() in {str(known).casefold() for known in one.identifiers}


def events(content: bytes, us: str | None) -> list[CRMEvent]:
    """Of a webhook, or of a page of the export; `us` is our own agent. Raises MalformedPayload."""
    try:
        native = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    if not isinstance(native, dict):
        raise MalformedPayload("the body is neither an event nor a page of the export")
    try:
        if "ticket_events" in native:
            return list(_exported(Export.model_validate(native), us))
        if not isinstance(native.get("type"), str):
            raise MalformedPayload("type: an event without its type")
        if native["type"] not in READERS:
            return []
        return list(_told(Webhook.model_validate(native), us))
    except ValidationError as error:
        raise MalformedPayload(misfit(error)) from None


# webhooks


def _told(one: Webhook, us: str | None) -> Iterator[CRMEvent]:
    if us is None or one.detail.actor_id != us:
        yield from READERS[one.type](one, us)


def _comment_added(one: Webhook, us: str | None) -> Iterator[CRMEvent]:
    """A customer's own comment is no reply; what a customer writes elsewhere comes from there.

    Files are told apart, and without saying whether their comment is public: so they come with the export only.
    """
    said = one.event.comment
    if said is None or said.author is None:
        raise MalformedPayload("event.comment: a comment without its author")
    if said.author.is_staff and said.author.id != us:
        kind = AgentReplied if said.is_public else AgentNoted
        author = said.author
        yield _spoken(kind, one.detail.id, said.id, author.id, author.name, said.body, one.time)


def _status_changed(one: Webhook, _: str | None) -> Iterator[CRMEvent]:
    before, after = (_state(each) for each in (one.event.previous, one.event.current))
    if after is not None and before != after:
        yield _changed(one, CaseFields.model_validate({"status": after}))


def _assigned(one: Webhook, _: str | None) -> Iterator[CRMEvent]:
    current = one.event.current
    yield _changed(one, CaseFields(assignee="" if current in (None, "", "0") else current))


def _subject_changed(one: Webhook, _: str | None) -> Iterator[CRMEvent]:
    yield _changed(one, CaseFields(subject=one.event.current or ""))


def _gone(one: Webhook, _: str | None) -> Iterator[CRMEvent]:
    yield CaseGone(id=one.id, case=one.detail.id, at=one.time)


def _merged(one: Webhook, _: str | None) -> Iterator[CRMEvent]:
    if one.event.target_ticket_id:
        yield CaseMerged(id=one.id, case=one.detail.id, into=one.event.target_ticket_id, at=one.time)


READERS: Mapping[str, Callable[[Webhook, str | None], Iterator[CRMEvent]]] = {
    "zen:event-type:ticket.comment_added": _comment_added,
    "zen:event-type:ticket.status_changed": _status_changed,
    "zen:event-type:ticket.agent_assignment_changed": _assigned,
    "zen:event-type:ticket.subject_changed": _subject_changed,
    "zen:event-type:ticket.soft_deleted": _gone,
    "zen:event-type:ticket.permanently_deleted": _gone,
    "zen:event-type:ticket.merged": _merged,
}
EVENT_TYPES = frozenset(READERS)
"""What our webhook subscribes to; other types are not for us."""


def _changed(one: Webhook, fields: CaseFields) -> CaseChanged:
    return CaseChanged(id=one.id, case=one.detail.id, fields=fields, agent=one.detail.actor_id, at=one.time)


def _state(status: str | None) -> str | None:
    """Webhooks write them large, the export small."""
    written = (status or DELETED).lower()
    return None if written == DELETED else "closed" if written in CLOSED else "open"


# the export


def _exported(page: Export, us: str | None) -> Iterator[CRMEvent]:
    users = {user.id: user for user in page.users}
    for audit in page.ticket_events:
        if us is not None and audit.updater_id == us:
            continue
        for native in audit.child_events:
            yield from _child(audit, Child.model_validate(native), native, users, us)


def _child(
    audit: Audit, child: Child, native: Mapping[str, Any], users: Mapping[str, User], us: str | None
) -> Iterator[CRMEvent]:
    at = datetime.fromtimestamp(audit.timestamp, UTC)
    if child.event_type == "Comment" and child.author_id not in (None, us):
        author = users.get(child.author_id or "")
        if author is None or author.role not in STAFF:
            return
        kind = AgentReplied if child.public else AgentNoted
        if child.body or not child.attachments:
            yield _spoken(kind, audit.ticket_id, child.id, author.id, author.name, child.body, at)
        for file in child.attachments if child.public else ():
            yield _file(audit.ticket_id, author.id, author.name, file, at)
    elif child.event_type == "Change":
        fields = _fields(child, native)
        if fields is not None:
            name = f"event.{child.id}"
            yield CaseChanged(id=name, case=audit.ticket_id, fields=fields, agent=audit.updater_id, at=at)


def _fields(child: Child, native: Mapping[str, Any]) -> CaseFields | None:
    """A change names its field as a member: `{"status": "solved", "previous_value": "open"}`."""
    if child.status is not None:
        after = _state(child.status)
        before = _state(child.previous_value if isinstance(child.previous_value, str) else None)
        return CaseFields.model_validate({"status": after}) if after is not None and before != after else None
    if "assignee_id" in native:
        return CaseFields(assignee=child.assignee_id or "")
    return CaseFields(subject=str(native["subject"])) if isinstance(native.get("subject"), str) else None


def _spoken(
    kind: type[AgentReplied] | type[AgentNoted],
    ticket: str,
    comment: str,
    agent: str,
    name: str | None,
    text: str,
    at: datetime,
) -> CRMEvent:
    """The same by webhook and by export: the comment's number is its name."""
    return kind(id=f"comment.{comment}", case=ticket, agent=agent, agent_name=name, text=text, record=comment, at=at)


def _file(ticket: str, agent: str, name: str | None, file: File, at: datetime) -> AgentReplied:
    return AgentReplied(
        id=f"attachment.{file.id}",
        case=ticket,
        agent=agent,
        agent_name=name,
        text="",
        attachments=(file.attachment(),),
        at=at,
    )


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "Zendesk")
