"""What Chatwoot's webhooks say, and what it means to us. What is missing or strange is passed over where it can be.

https://www.chatwoot.com/docs/product/others/webhook-events and
https://github.com/chatwoot/chatwoot/blob/develop/app/listeners/webhook_listener.rb (read 2026-11).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    Contact,
    ContactChanged,
    CRMEvent,
    MalformedPayload,
    mark,
)
from socialsupport_core.contract.lax import (
    Json,
    Unreadable,
    needed,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from socialsupport_core.contract.typed import digits
from socialsupport_core.model import Attachment, Identifier, Payload

OURS = "socialsupport"
"""The custom attribute of a conversation that holds our key; what we write ourselves begins with it."""
RECENT = 60.0
"""Seconds within which a change is the one that we have announced: webhooks do not say who changed something."""
MEDIA: Mapping[str, str] = {"image": "image/*", "audio": "audio/*", "video": "video/*"}
"""By Chatwoot's `file_type`; the exact type is known when the file is fetched."""

Status = Literal["open", "closed"]


def status_of(written: object) -> Status | None:
    """`pending` and `snoozed` wait, they are not done."""
    return None if not isinstance(written, str) else "closed" if written == "resolved" else "open"


def moment(written: object) -> datetime | None:
    """Seconds since 1970, or `2026-03-01T10:00:00.000Z`, or as old versions have it `2026-03-01 10:00:00 UTC`."""
    try:
        if isinstance(written, int | float) and not isinstance(written, bool):
            return datetime.fromtimestamp(written, UTC)
        read = datetime.fromisoformat(str(written).replace(" UTC", "+00:00"))
    except (ValueError, OverflowError, OSError):
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def contact_of(native: Json) -> Contact:
    """Chatwoot verifies neither addresses nor numbers. Its `identifier` is the operator's own, of no kind we know."""
    told = [_identifier("email", one) for one in (*texts_of(native, "emails"), text_of(native, "email"))]
    told.append(_identifier("phone", text_of(native, "phone_number")))
    shown = {"identifier": text_of(native, "identifier")}
    return Contact(
        id=needed(native, "id"),
        identifiers=tuple(dict.fromkeys(one for one in told if one is not None)),
        name=text_of(native, "name"),
        fields={name: value for name, value in shown.items() if value},
    )


def _identifier(kind: str, value: str | None) -> Identifier | None:
    written = (value or "").strip().lower()
    fits = "@" in written if kind == "email" else re.fullmatch(r"\+[0-9]{6,15}", written)
    return Identifier(kind=kind, value=written) if fits else None


def events(payload: Payload, inbox: str) -> list[CRMEvent]:
    """Of one webhook; what happens in other inboxes is not for us. Raises MalformedPayload."""
    try:
        native = from_json(payload.body, allow_inf_nan=False)
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from error
    if not isinstance(native, dict) or not isinstance(native.get("event"), str):
        raise MalformedPayload("the body is not an object with its event")
    reader = READERS.get(native["event"])
    try:
        return list(reader(_Told(native, payload, inbox))) if reader else []
    except Unreadable as error:
        raise MalformedPayload(f"{native['event']}: {error}") from error


@dataclass(frozen=True)
class _Told:
    native: Json
    payload: Payload
    inbox: str

    @property
    def changed_at(self) -> datetime | None:
        """`changed_attributes` tells when exactly; what stands beside it may be newer."""
        _, changed = _change(self.native, "updated_at")
        return moment(changed) or moment(number_of(self.native, "updated_at", "timestamp"))


# messages


def _message(told: _Told) -> Iterator[CRMEvent]:
    """What a customer says, and Chatwoot by itself (`incoming`, `template`, `activity`), is no agent's reply."""
    native, case = told.native, object_of(told.native, "conversation")
    inbox = text_of(object_of(native, "inbox"), "id") or text_of(case, "inbox_id")
    if inbox != told.inbox or native.get("message_type") not in ("outgoing", 1) or is_ours(native):
        return
    sender, number = object_of(native, "sender"), needed(native, "id")
    kind = AgentNoted if native.get("private") is True else AgentReplied
    yield kind(
        id=f"message.{number}",
        case=needed(case, "id", "display_id"),
        agent=text_of(sender, "id") or "automation",
        agent_name=text_of(sender, "name"),
        text=text_of(native, "content") or "",
        attachments=tuple(_file(one) for one in objects_of(native, "attachments") if text_of(one, "data_url")),
        record=number,
        at=moment(native.get("created_at")) or told.payload.received_at,
    )


def is_ours(native: Json) -> bool:
    return (text_of(native, "source_id") or "").startswith(f"{OURS}:")


def _file(native: Json) -> Attachment:
    return Attachment(
        native_id=text_of(native, "id"),
        url=text_of(native, "data_url"),
        media_type=MEDIA.get(text_of(native, "file_type") or "", "application/octet-stream"),
    )


# conversations


def _status_changed(told: _Told) -> Iterator[CRMEvent]:
    before, after = _change(told.native, "status")
    status = status_of(after if after is not None else told.native.get("status"))
    if status is not None and status != status_of(before):
        yield from _changed(told, CaseFields(status=status), status)


def _updated(told: _Told) -> Iterator[CRMEvent]:
    before, after = _change(told.native, "assignee_id")
    if before != after:
        agent = "" if after is None else str(after)
        yield from _changed(told, CaseFields(assignee=agent), f"assigned {agent}")


def _changed(told: _Told, fields: CaseFields, what: str) -> Iterator[CRMEvent]:
    native = told.native
    if (text_of(native, "inbox_id") or text_of(object_of(native, "contact_inbox"), "inbox_id")) != told.inbox:
        return
    at, case = told.changed_at or told.payload.received_at, needed(native, "id")
    name, _, value = what.partition(" ")
    if not _announced(object_of(native, "custom_attributes"), name, value, at):
        yield CaseChanged(id=f"conversation.{case}.{at.isoformat()}.{name}", case=case, fields=fields, at=at)


def stamp(name: str, value: str, at: datetime) -> dict[str, str]:
    """The custom attribute that announces what we are about to change."""
    return {f"{OURS}_{name}": f"{at.isoformat()} {value}".strip()}


def _announced(attributes: Json, name: str, value: str, at: datetime) -> bool:
    written, _, told = (text_of(attributes, f"{OURS}_{name}") or "").partition(" ")
    announced = moment(written) if written else None
    return announced is not None and told == value and abs((at - announced).total_seconds()) <= RECENT


def _change(native: Json, name: str) -> tuple[Any, Any]:
    """`changed_attributes` is a list of objects with one member each."""
    for one in objects_of(native, "changed_attributes"):
        if isinstance(change := one.get(name), dict):
            return change.get("previous_value"), change.get("current_value")
    return None, None


# people


def _contact(told: _Told) -> Iterator[CRMEvent]:
    contact, at = contact_of(told.native), told.changed_at
    name = at.isoformat() if at else mark(contact.to_json())
    yield ContactChanged(id=f"contact.{contact.id}.{name}", contact=contact, at=at or told.payload.received_at)


READERS: Mapping[str, Callable[[_Told], Iterator[CRMEvent]]] = {
    "message_created": _message,
    "conversation_status_changed": _status_changed,
    "conversation_updated": _updated,
    "contact_created": _contact,
    "contact_updated": _contact,
}
EVENTS = tuple(READERS)
"""What our webhook subscribes to."""


def number(written: str) -> str:
    """Raises ContentRejected."""
    return digits(written, "Chatwoot")
