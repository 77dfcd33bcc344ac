"""What Intercom writes, and what it means to us. Unknown topics and parts of conversations are passed over.

Webhooks: https://developers.intercom.com/docs/references/2.16/webhooks/webhook-models (2026-11); conversations:
https://developers.intercom.com/docs/references/2.16/rest-api/api.intercom.io/conversations (2026-11).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseGone,
    Contact,
    ContactChanged,
    ContactGone,
    CRMEvent,
    MalformedPayload,
)
from socialsupport_core.contract.lax import Json, Unreadable, needed, object_of, objects_of, text_of, whole_of
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.contract.typed import contacts
from socialsupport_core.model import Attachment, Identifier, Payload
from socialsupport_core.text import escape

MARK = re.compile(r"\bsocialsupport [a-z2-7]{26}\b")
"""The last line of what we have written: it names the record, and tells it from what a teammate has typed."""
SPOKEN = frozenset({"comment", "open", "close"})
"""Parts whose body the customer reads."""
NOTED = frozenset({"note", "note_and_reopen", "assignment", "assign_and_reopen"})
STATUS: Mapping[str, Literal["open", "closed"]] = {
    "open": "open",
    "note_and_reopen": "open",
    "assign_and_reopen": "open",
    "close": "closed",
}
ASSIGNED = frozenset({"assignment", "assign_and_reopen"})
REPLIED = "conversation.admin.replied"
"""Who answers a conversation of nobody's is given it: one part, an assignment, whose words the customer reads. Only the
topic tells them from words to whom it is given to."""


def marked(key: str) -> str:
    return f"socialsupport {key}"


def events(payload: Payload, us: str | None) -> list[CRMEvent]:
    """Of a webhook's notification, or of a conversation that was polled; `us` is our own teammate's number.

    Raises MalformedPayload.
    """
    try:
        content = payload.json()
    except ValueError as error:
        raise MalformedPayload(f"the body is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise MalformedPayload("the body is neither a notification nor a conversation")
    try:
        if content.get("type") == "conversation":
            return list(_parts(content, us))
        return list(_notified(content, us))
    except ValidationError as error:
        raise MalformedPayload(misfit(error)) from None
    except Unreadable as error:
        raise MalformedPayload(str(error)) from None


def _notified(content: Json, us: str | None) -> Iterator[CRMEvent]:
    topic, item = needed(content, "topic"), object_of(object_of(content, "data"), "item")
    if topic == "conversation.deleted":
        id = needed(item, "id", "conversation_id")
        yield CaseGone(id=f"conversation.{id}.deleted", case=id, at=_at(content))
    elif topic.startswith("contact.") and topic.endswith("deleted"):
        id = needed(item, "id")
        yield ContactGone(id=f"contact.{id}.deleted", contact=id, at=_at(content))
    elif topic.startswith("conversation.") and item.get("type") == "conversation":
        yield from _parts(item, us, is_reply=topic == REPLIED)
    elif topic.startswith("contact.") and item.get("type") == "contact":
        known = contact(item)
        at = _at(item, "updated_at")
        yield ContactChanged(id=f"contact.{known.id}.{int(at.timestamp())}", contact=known, at=at)


# conversations


def _parts(conversation: Json, us: str | None, *, is_reply: bool = False) -> Iterator[CRMEvent]:
    case = needed(conversation, "id")
    for part in parts_of(conversation):
        if text_of(object_of(part, "author"), "type") == "admin":
            yield from _part(case, part, us, is_reply)


def parts_of(conversation: Json) -> list[Json]:
    return list(objects_of(object_of(conversation, "conversation_parts"), "conversation_parts"))


def _part(case: str, part: Json, us: str | None, is_reply: bool) -> Iterator[CRMEvent]:
    """What it says, then what it does. Our own words are marked; a teammate's are told, even if we act as them."""
    id, kind, author, at = needed(part, "id"), text_of(part, "part_type") or "", object_of(part, "author"), _at(part)
    agent = needed(author, "id")
    is_ours = us in (None, agent) and MARK.search(text_of(part, "body") or "") is not None
    if not is_ours and (speech := _speech(case, part, agent, at, is_reply)):
        yield speech
    if agent == us:
        return
    if kind in STATUS:
        fields = CaseFields(status=STATUS[kind])
        yield CaseChanged(id=f"part.{id}.status", case=case, fields=fields, agent=agent, at=at)
    if kind in ASSIGNED:
        assigned = object_of(part, "assigned_to")
        assignee = text_of(assigned, "id") if text_of(assigned, "type") != "team" else None
        fields = CaseFields(assignee="" if assignee in (None, "0") else assignee)
        yield CaseChanged(id=f"part.{id}.assignee", case=case, fields=fields, agent=agent, at=at)


def _speech(case: str, part: Json, agent: str, at: datetime, is_reply: bool) -> CRMEvent | None:
    """A reply that assigns has a name of its own: the same part is told as an assignment too, by another topic."""
    kind = text_of(part, "part_type") or ""
    text, files = text_of(part, "body"), tuple(_file(one) for one in objects_of(part, "attachments"))
    if part.get("redacted") is True or kind not in SPOKEN | NOTED or not (text or files):
        return None
    assigns = is_reply and kind in ASSIGNED
    told = AgentReplied if kind in SPOKEN or assigns else AgentNoted
    id = needed(part, "id")
    return told(
        id=f"part.{id}.reply" if assigns else f"part.{id}",
        case=case,
        agent=agent,
        agent_name=text_of(object_of(part, "author"), "name"),
        text=escape(text) if text else "",
        attachments=files,
        record=id,
        at=at,
    )


def _file(one: Json) -> Attachment:
    return Attachment(
        url=text_of(one, "url"),
        name=text_of(one, "name"),
        media_type=text_of(one, "content_type") or "application/octet-stream",
        size=whole_of(one, "filesize"),
    )


# people


def contact(native: Json) -> Contact:
    """Nothing of it is verified: Intercom takes addresses as they are typed."""
    shown = {name: text_of(native, name) for name in ("external_id", "role")}
    return Contact(
        id=needed(native, "id"),
        identifiers=contacts(text_of(native, "email"), text_of(native, "phone")),
        name=text_of(native, "name"),
        fields={name: value for name, value in shown.items() if value},
    )


def is_about(one: Contact, wanted: tuple[Identifier, ...]) -> bool:
    return bool({str(known).casefold() for known in one.identifiers} & {str(asked).casefold() for asked in wanted})


def _at(source: Json, name: str = "created_at") -> datetime:
    seconds = whole_of(source, name)
    if seconds is None or seconds > 253_402_300_799:
        raise Unreadable(f"{name} is no time")
    return datetime.fromtimestamp(seconds, UTC)
