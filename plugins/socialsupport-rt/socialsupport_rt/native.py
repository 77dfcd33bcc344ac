"""What RT writes, and what it means to us.

Types and fields of transactions: https://docs.bestpractical.com/rt/5.0.3/RT/Transaction.html and RT/REST2.html
(2026-11), and what a server of version 5.0.3 answered.
"""

import base64
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
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
from socialsupport_core.model import Attachment, Identifier, Instant

FIELDS = ("Name", "RealName", "EmailAddress", "MobilePhone", "WorkPhone", "HomePhone", "Organization", "Disabled")
PHONES = ("MobilePhone", "WorkPhone", "HomePhone")
NOBODY = "Nobody"
SYSTEM = "RT_System"
CLOSED = frozenset({"resolved", "rejected"})
ASKED = ("Correspond", "Comment", "Status", "Set", "AddLink")
TYPES = frozenset({"Correspond", "Comment", "Status"})
MERGED = re.compile(r"/ticket/([0-9]+)$")


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class Creator(_Native):
    name: str = Field(alias="Name")
    real_name: str = Field(default="", alias="RealName")


class Part(_Native):
    id: str
    content_type: str = Field(default="text/plain", alias="ContentType")
    file_name: str = Field(default="", alias="Filename")
    content: str | None = Field(default=None, alias="Content")
    """In base64; only of texts that are no files."""


class Transaction(_Native):
    id: str
    type: str = Field(alias="Type")
    field: str = Field(default="", alias="Field")
    old: str = Field(default="", alias="OldValue")
    new: str = Field(default="", alias="NewValue")
    creator: Creator = Field(alias="Creator")
    created: Instant = Field(alias="Created")
    ticket: str = Field(alias="ObjectId")
    owner: str | None = Field(default=None, alias="Owner")
    parts: tuple[Part, ...] = ()


class _Page(_Native):
    transactions: tuple[Transaction, ...]


def closed(status: str) -> bool:
    return status in CLOSED


def wanted(one: dict[str, Any], user: str) -> bool:
    """Whether a transaction tells us something: not what we did ourselves, nor what is only kept."""
    if one["Creator"]["Name"] == user:
        return False
    kind, field = one["Type"], one.get("Field")
    return kind in TYPES or (kind == "Set" and field in ("Owner", "Subject")) or _merges(one)


def _merges(one: dict[str, Any]) -> bool:
    """A merge is told twice: of the ticket that is gone, and of the one into which it went."""
    if (one["Type"], one.get("Field")) != ("AddLink", "MergedInto"):
        return False
    into = MERGED.search(one.get("NewValue") or "")
    return into is not None and into[1] != str(one["ObjectId"])


def contact(user: dict[str, Any]) -> Contact:
    """RT marks nothing as proven. Its fields hold what people have typed."""
    mail = (user.get("EmailAddress") or "").strip().lower()
    identifiers = [Identifier(kind="email", value=mail)] if "@" in mail else []
    for field in PHONES:
        number = re.sub(r"[\s()./-]", "", user.get(field) or "")
        if re.fullmatch(r"\+[0-9]{6,15}", number):
            identifiers.append(Identifier(kind="phone", value=number))
    known = {"organization": user.get("Organization"), "rt_user": user.get("Name")}
    return Contact(
        id=str(user["id"]),
        identifiers=tuple(dict.fromkeys(identifiers)),
        name=user.get("RealName") or None,
        fields={name: value for name, value in known.items() if value},
    )


def events(content: bytes, user: str) -> Iterator[CRMEvent]:
    """Of one polled page. Raises MalformedPayload."""
    try:
        page = _Page.model_validate(from_json(content, allow_inf_nan=False))
    except ValidationError as error:
        raise MalformedPayload(f"transactions: {misfit(error)}") from None
    except ValueError as error:
        raise MalformedPayload(f"the page is not JSON: {error}") from None
    return (event for one in page.transactions if one.creator.name != user for event in _event(one))


def _event(one: Transaction) -> Iterator[CRMEvent]:
    if one.type in ("Correspond", "Comment"):
        yield _spoken(one)
    elif one.type == "Status" and one.new == "deleted":
        yield CaseGone(id=one.id, case=one.ticket, at=one.created)
    elif one.type == "Status" and closed(one.old) != closed(one.new):
        yield _changed(one, CaseFields(status="closed" if closed(one.new) else "open"))
    elif one.field == "Owner" and one.owner is not None:
        yield _changed(one, CaseFields(assignee="" if one.owner == NOBODY else one.owner))
    elif one.field == "Subject":
        yield _changed(one, CaseFields(subject=one.new))
    elif one.field == "MergedInto" and (into := MERGED.search(one.new)):
        yield CaseMerged(id=one.id, case=one.ticket, into=into[1], at=one.created)


def _changed(one: Transaction, fields: CaseFields) -> CRMEvent:
    return CaseChanged(id=one.id, case=one.ticket, fields=fields, agent=one.creator.name, at=one.created)


def _spoken(one: Transaction) -> CRMEvent:
    """A reply is what RT calls correspondence; a comment is for agents only."""
    kind = AgentReplied if one.type == "Correspond" else AgentNoted
    return kind(
        id=one.id,
        case=one.ticket,
        agent=one.creator.name,
        agent_name=one.creator.real_name or None,
        text=_text(one.parts),
        attachments=tuple(_file(part) for part in one.parts if part.file_name),
        record=one.id,
        at=one.created,
    )


def _file(part: Part) -> Attachment:
    return Attachment(native_id=part.id, media_type=part.content_type, name=part.file_name)


def _text(parts: tuple[Part, ...]) -> str:
    """The plain text, else the HTML without its markup."""
    texts = [(part.content_type, _decoded(part)) for part in parts if part.content is not None]
    plain = next((text for kind, text in texts if kind == "text/plain" and text.strip()), None)
    if plain is not None:
        return plain.strip()
    return next((_bare(text) for kind, text in texts if kind == "text/html"), "")


def _decoded(part: Part) -> str:
    try:
        return base64.b64decode(part.content or "").decode("utf-8", "replace")
    except ValueError:
        raise MalformedPayload(f"attachment {part.id}: its content is not base64") from None


class _Bare(HTMLParser):
    """Text only; blocks are lines."""

    BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote", "pre"})
    HIDDEN = frozenset({"style", "script", "head", "title"})

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in self.HIDDEN
        if tag in self.BLOCKS:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in self.HIDDEN and self.hidden > 0
        if tag in self.BLOCKS and tag != "br":
            self.said.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.said.append(re.sub(r"\s+", " ", data))


def _bare(html: str) -> str:
    parser = _Bare()
    parser.feed(html)
    parser.close()
    lines = [" ".join(line.split()) for line in "".join(parser.said).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
