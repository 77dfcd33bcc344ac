"""What Freshdesk shows, and what it means to us. https://developers.freshdesk.com/api/ (read 2026-11).

`parse` reads what `poll` has put together: `{"tickets": […], "conversations": […], "agents": {"number": "name"}}`.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    Contact,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.lax import (
    Json,
    Unreadable,
    needed,
    object_of,
    objects_of,
    text_of,
    texts_of,
    whole_of,
)
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Identifier, Payload
from socialsupport_core.text import escape

OPEN, RESOLVED, CLOSED = 2, 4, 5
"""Of tickets; pending is 3, and an account may have others of its own, which are open to us."""
SOURCES = frozenset({0, 2})
"""Of conversations: replies and notes. Tweets, forwards and what came by telephone are no answers of an agent."""
RECENT = 60.0
"""Seconds within which a status is the one that we have set: Freshdesk does not tell who changed it."""

Status = Literal["open", "closed"]


def status_of(ticket: Json) -> Status:
    return "closed" if whole_of(ticket, "status") in (RESOLVED, CLOSED) else "open"


def moment(written: object) -> datetime | None:
    try:
        read = datetime.fromisoformat(str(written))
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def key_of(ticket: Json, field: str) -> str:
    """Our key; what we have set last may stand behind it. Empty for tickets that are not ours."""
    return (text_of(object_of(ticket, "custom_fields"), field) or "").partition(" ")[0]


def stamped(key: str, status: Status, at: datetime) -> str:
    return f"{key} {status} {at.isoformat()}"


def contact_of(native: Json) -> Contact:
    """`active` says that the first address was verified; numbers never are."""
    first = _identifier("email", text_of(native, "email"))
    told = [first, *(_identifier("email", one) for one in texts_of(native, "other_emails"))]
    told += [_identifier("phone", text_of(native, name)) for name in ("phone", "mobile")]
    external = text_of(native, "unique_external_id")
    return Contact(
        id=needed(native, "id"),
        identifiers=tuple(dict.fromkeys(one for one in told if one is not None)),
        verified=frozenset({first} if first is not None and native.get("active") is True else ()),
        name=text_of(native, "name"),
        fields={"unique_external_id": external} if external else {},
    )


def _identifier(kind: str, value: str | None) -> Identifier | None:
    written = (value or "").strip().lower() if kind == "email" else re.sub(r"[\s()./-]", "", value or "")
    fits = "@" in written if kind == "email" else re.fullmatch(r"\+[0-9]{6,15}", written)
    return Identifier(kind=kind, value=written) if fits else None


def events(payload: Payload, us: str | None, field: str) -> list[CRMEvent]:
    """`us` is our own agent. Raises MalformedPayload."""
    try:
        native = from_json(payload.body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    if not isinstance(native, dict) or not isinstance(native.get("tickets"), list):
        raise MalformedPayload("the body is no page of tickets")
    try:
        told = [event for ticket in objects_of(native, "tickets") for event in _ticket(ticket, field)]
        names = object_of(native, "agents")
        return told + [event for one in objects_of(native, "conversations") for event in _said(one, names, us)]
    except Unreadable as error:
        raise MalformedPayload(str(error)) from error


def _ticket(ticket: Json, field: str) -> Iterator[CRMEvent]:
    """One event for each time that it was closed or opened again, however often the ticket is seen."""
    status, number = status_of(ticket), needed(ticket, "id")
    written = (text_of(object_of(ticket, "custom_fields"), field) or "").split(" ")
    before, set_at = (written[1], moment(written[2])) if len(written) == 3 else ("open", None)
    at = _changed_at(object_of(ticket, "stats"), status, before)
    ours = before == status and (set_at is None or (at is not None and abs((at - set_at).total_seconds()) <= RECENT))
    if at is not None and not ours:
        yield CaseChanged(id=f"ticket.{number}.{at.isoformat()}", case=number, fields=CaseFields(status=status), at=at)


def _changed_at(stats: Json, status: Status, before: str) -> datetime | None:
    """`reopened_at` and `status_updated_at` come with the others, though the page does not name them
    (https://github.com/jjanuszczak/freshdeskr, 2026-11)."""
    if status == "closed":
        return moment(stats.get("resolved_at")) or moment(stats.get("closed_at"))
    again = moment(stats.get("reopened_at"))
    return again or (moment(stats.get("status_updated_at")) if before == "closed" else None)


def _said(native: Json, names: Mapping[str, Any], us: str | None) -> Iterator[CRMEvent]:
    """What a customer has written there (`incoming`) is no reply."""
    number, author = needed(native, "id"), text_of(native, "user_id") or "automation"
    if native.get("incoming") is not False or whole_of(native, "source") not in SOURCES or author == us:
        return
    at = moment(native.get("created_at"))
    if at is None:
        raise Unreadable("created_at is missing")
    kind = AgentNoted if native.get("private") is not False else AgentReplied
    yield kind(
        id=f"conversation.{number}",
        case=needed(native, "ticket_id"),
        agent=author,
        agent_name=text_of(names, author),
        text=escape((text_of(native, "body_text") or "").strip()),
        attachments=tuple(_file(one) for one in objects_of(native, "attachments") if text_of(one, "attachment_url")),
        record=number,
        at=at,
    )


def _file(native: Json) -> Attachment:
    return Attachment(
        native_id=text_of(native, "id"),
        url=text_of(native, "attachment_url"),
        media_type=text_of(native, "content_type") or "application/octet-stream",
        name=text_of(native, "name"),
        size=whole_of(native, "size", "file_size"),
    )


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "Freshdesk")
