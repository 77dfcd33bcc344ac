"""What a polled page says: the parts of one composite answer, each a page of records that have changed.

https://developer.salesforce.com/docs/platform/object-reference/references/standard-objects/object-casecomment.html and
…object-case.html, …object-contact.html; https://developer.salesforce.com/docs/platform/api-rest/guide/dome-queryall.html
(2026-11)
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
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
from socialsupport_core.model import Instant
from socialsupport_core.text import escape
from socialsupport_salesforce import people
from socialsupport_salesforce.api import moment


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True)

    Id: str
    SystemModstamp: Instant
    IsDeleted: bool = False


class Person(BaseModel):
    Name: str | None = None


class Comment(_Native):
    ParentId: str
    CommentBody: str | None = None
    IsPublished: bool
    CreatedById: str
    CreatedBy: Person | None = None
    CreatedDate: Instant


class Case(_Native):
    Subject: str | None = None
    IsClosed: bool = False
    ClosedDate: Instant | None = None
    OwnerId: str | None = None
    LastModifiedById: str | None = None
    MasterRecordId: str | None = None


class Somebody(_Native):
    MasterRecordId: str | None = None


Reader = Callable[[dict[str, Any], "Own"], Iterator[CRMEvent]]


class Own(BaseModel):
    """What tells our own doing from that of people."""

    model_config = ConfigDict(frozen=True)

    user: str | None
    region: str | None

    def is_ours(self, user: str | None) -> bool:
        return user is not None and self.user is not None and user[:15] == self.user[:15]


def events(body: bytes, own: Own) -> list[CRMEvent]:
    """Raises MalformedPayload."""
    return [event for kind, native in records(_content(body)) for event in READERS[kind](native, own)]


def records(content: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The records of each part with their type."""
    parts = content.get("compositeResponse") if isinstance(content, dict) else None
    if not isinstance(parts, list):
        raise MalformedPayload("compositeResponse: not a list")
    for part in parts:
        body = part.get("body") if isinstance(part, dict) else None
        found = body.get("records") if isinstance(body, dict) else None
        if not isinstance(found, list):
            raise MalformedPayload("body.records: not a list")
        for native in found:
            yield _type(native), native


def _type(native: Any) -> str:
    attributes = native.get("attributes") if isinstance(native, dict) else None
    kind = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(kind, str) or kind not in READERS:
        raise MalformedPayload("attributes.type: not one that was asked for")
    return kind


def _content(body: bytes) -> Any:
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error


def _comment(native: dict[str, Any], own: Own) -> Iterator[CRMEvent]:
    """A public comment answers the customer, an internal one is a note; each once, however often it is edited."""
    comment = Comment.model_validate(native)
    text = escape((comment.CommentBody or "").strip())
    if comment.IsDeleted or own.is_ours(comment.CreatedById) or not text:
        return
    kind: type[AgentReplied] | type[AgentNoted] = AgentReplied if comment.IsPublished else AgentNoted
    yield kind(
        id=f"{'comment' if comment.IsPublished else 'note'}:{comment.Id}",
        case=comment.ParentId,
        agent=comment.CreatedById,
        agent_name=comment.CreatedBy.Name if comment.CreatedBy else None,
        text=text,
        record=f"CaseComment/{comment.Id}",
        at=comment.CreatedDate,
    )


def _case(native: dict[str, Any], own: Own) -> Iterator[CRMEvent]:
    case = Case.model_validate(native)
    at = case.SystemModstamp
    if case.IsDeleted and case.MasterRecordId:
        yield CaseMerged(id=f"case:{case.Id}:merged", case=case.Id, into=case.MasterRecordId, at=at)
    elif case.IsDeleted:
        yield CaseGone(id=f"case:{case.Id}:gone", case=case.Id, at=at)
    elif not own.is_ours(case.LastModifiedById):
        yield _changed(case, at)


def _changed(case: Case, at: datetime) -> CRMEvent:
    """How it stands: Salesforce says who changed it last, but not what."""
    if case.IsClosed:
        closed = case.ClosedDate or at
        return CaseClosed(id=f"case:{case.Id}:closed:{moment(closed)}", case=case.Id, at=closed)
    fields = CaseFields(status="open", assignee=case.OwnerId, subject=case.Subject)
    return CaseChanged(
        id=f"case:{case.Id}:{moment(at)}", case=case.Id, fields=fields, agent=case.LastModifiedById, at=at
    )


def _contact(native: dict[str, Any], own: Own) -> Iterator[CRMEvent]:
    somebody = Somebody.model_validate(native)
    at = somebody.SystemModstamp
    if somebody.IsDeleted:
        into = somebody.MasterRecordId
        yield ContactGone(id=f"contact:{somebody.Id}:gone", contact=somebody.Id, into=into, at=at)
    else:
        known = people.contact(native, own.region)
        yield ContactChanged(id=f"contact:{somebody.Id}:{moment(at)}", contact=known, at=at)


def _reading(reader: Reader) -> Reader:
    def read(native: dict[str, Any], own: Own) -> Iterator[CRMEvent]:
        try:
            yield from reader(native, own)
        except ValidationError as error:
            raise MalformedPayload(f"a record cannot be read: {misfit(error)}") from None

    return read


READERS: Mapping[str, Reader] = {
    "CaseComment": _reading(_comment),
    "Case": _reading(_case),
    "Contact": _reading(_contact),
}
