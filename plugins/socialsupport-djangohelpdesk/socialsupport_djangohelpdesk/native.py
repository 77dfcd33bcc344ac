"""What django-helpdesk writes, and what it means to us.

Fields: `FollowUpSerializer` and `TicketSerializer` in `helpdesk/serializers.py` of
https://github.com/django-helpdesk/django-helpdesk, and what 2.6.1 answered (2026-11).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Attachment, Instant, Unrecognised

RESOLVED, REOPENED, CLOSED_STATUS = 3, 2, 4
CLOSED = frozenset({3, 4, 5})
"""Resolved, Closed, Duplicate: `helpdesk/settings.py` of
https://github.com/django-helpdesk/django-helpdesk (2.6.1, 2026-11). A project may number otherwise; ours may not."""

_TEMPLATE = re.compile(r"\{(?=[{%#])|(?<=%)\}|X(?=-HELPDESK-COMMENT-)")
"""Where Django's template language begins and ends, and the words by which django-helpdesk protects itself from it."""


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class File(_Native):
    id: str
    filename: str = ""
    mime_type: str = ""
    size: int | None = Field(default=None, ge=0)


class FollowUp(_Native):
    id: str
    ticket: str
    user: str | None = None
    comment: str | None = None
    public: bool = False
    new_status: int | None = None
    date: Instant
    files: tuple[File, ...] = Field(default=(), alias="followupattachment_set")


class _Page(_Native):
    results: tuple[FollowUp, ...]


class _Ticket(_Native):
    followup_set: tuple[FollowUp, ...]


class _Told(_Native):
    """A webhook: the whole ticket, and which of its follow-ups is new."""

    ticket: _Ticket
    followup_id: str


def literal(text: str) -> str:
    """So that the text comes out as it is: django-helpdesk renders each new comment as a template."""
    return _TEMPLATE.sub(lambda found: f'{{{{ "{found[0]}" }}}}', text)


def events(content: bytes, user: int, agents: Mapping[str, str]) -> Iterator[CRMEvent]:
    """Of a polled page or a webhook, without what `user` has written. Raises MalformedPayload."""
    told = [one for one in _followups(content) if one.user != str(user)]
    return (event for one in told for event in _events(one, agents))


def _followups(content: bytes) -> tuple[FollowUp, ...]:
    try:
        given: Any = from_json(content, allow_inf_nan=False)
        if not (isinstance(given, dict) and "followup_id" in given):
            return _Page.model_validate(given).results
        told = _Told.model_validate(given)
    except ValidationError as error:
        raise MalformedPayload(f"follow-ups: {misfit(error)}") from None
    except ValueError as error:
        raise MalformedPayload(f"the payload is not JSON: {error}") from None
    found = tuple(one for one in told.ticket.followup_set if one.id == told.followup_id)
    if len(found) != 1:
        raise MalformedPayload(f"followup_id {told.followup_id} names {len(found)} of the ticket's follow-ups")
    return found


def _events(one: FollowUp, agents: Mapping[str, str]) -> Iterator[CRMEvent]:
    if (one.comment or "").strip() or one.files:
        yield _spoken(one, agents)
    if one.new_status is not None:
        fields = CaseFields(status="closed" if one.new_status in CLOSED else "open")
        yield CaseChanged(id=f"{one.id}:status", case=one.ticket, fields=fields, agent=one.user, at=one.date)


def _spoken(one: FollowUp, agents: Mapping[str, str]) -> CRMEvent:
    """Public is what the submitter may read. What nobody of the staff wrote is not for the customer."""
    if one.user is None:
        return Unrecognised(id=one.id, native_type="followup", reason="written by nobody of the staff")
    kind = AgentReplied if one.public else AgentNoted
    return kind(
        id=one.id,
        case=one.ticket,
        agent=one.user,
        agent_name=agents.get(one.user),
        text=(one.comment or "").strip(),
        attachments=tuple(_attachment(file) for file in one.files),
        record=one.id,
        at=one.date,
    )


def _attachment(file: File) -> Attachment:
    kind = {"media_type": file.mime_type} if file.mime_type else {}
    return Attachment(native_id=file.id, name=file.filename or None, size=file.size, **kind)
