"""What Zammad writes, and what it means to us.

Tickets and articles with `expand=true`: https://docs.zammad.org/en/latest/api/ticket/index.html and
api/ticket/articles.html; webhooks: https://admin-docs.zammad.org/en/latest/manage/webhook/payload.html (2026-11).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import from_json

from socialsupport_core.contract import (
    AgentNoted,
    AgentReplied,
    CaseChanged,
    CaseFields,
    CaseGone,
    Contact,
    CRMEvent,
    MalformedPayload,
    unlabelled,
)
from socialsupport_core.contract.misfit import misfit
from socialsupport_core.model import Attachment, Identifier, Instant, Unrecognised
from socialsupport_core.text import from_spans, html

STATES: Mapping[str, Literal["open", "closed"]] = {
    "new": "open",
    "open": "open",
    "pending reminder": "open",
    "pending close": "open",
    "closed": "closed",
    "merged": "closed",
    "removed": "closed",
}
"""https://docs.zammad.org/en/latest/api/ticket/states.html (2026-11). What an administrator has added says nothing."""
GONE = frozenset({"merged", "removed"})
NOBODY, NOBODY_ID = "-", 1
REPLIES = frozenset({"note", "web"})
"""Types of public articles that Zammad itself sends to nobody. E-mail, SMS and the like have reached the customer
already, a phone note was said (https://docs.zammad.org/en/latest/api/ticket/articles.html, 2026-11)."""
PHONES = ("phone", "mobile")


def _login(value: Any) -> Any:
    """A webhook has the whole person, an answer with `expand=true` the login."""
    return value.get("login") if isinstance(value, dict) else value


Login = Annotated[str | None, BeforeValidator(_login)]


class _Native(BaseModel):
    model_config = ConfigDict(frozen=True, coerce_numbers_to_str=True)


class File(_Native):
    id: str
    filename: str = ""
    size: Annotated[int, Field(ge=0)] | None = None
    preferences: dict[str, Any] = Field(default_factory=dict)


class Article(_Native):
    id: str
    ticket_id: str
    type: str = "note"
    sender: str = "Agent"
    internal: bool = False
    origin: str | None = Field(default=None, alias="from")
    body: str | None = None
    content_type: str | None = "text/plain"
    attachments: tuple[File, ...] = ()
    created_by: Login = None
    created_by_id: str
    created_at: Instant


class Ticket(_Native):
    id: str
    title: str | None = None
    state: Annotated[str | None, BeforeValidator(lambda value: value.get("name") if isinstance(value, dict) else value)]
    owner: Login = None
    updated_by: Login = None
    updated_by_id: str
    updated_at: Instant


class _Page(_Native):
    tickets: tuple[Ticket, ...]
    articles: tuple[Article, ...]


class _Told(_Native):
    """A webhook: the ticket as it is now, and the article that was written, if one was."""

    ticket: Ticket
    article: Article | None = None


def contact(user: dict[str, Any]) -> Contact:
    """Its documentation does not say what `verified` proves, so nothing is taken as proven."""
    mail = (user.get("email") or "").strip().lower()
    identifiers = [Identifier(kind="email", value=mail)] if "@" in mail else []
    for field in PHONES:
        number = re.sub(r"[\s()./-]", "", user.get(field) or "")
        if re.fullmatch(r"\+[0-9]{6,15}", number):
            identifiers.append(Identifier(kind="phone", value=number))
    name = " ".join(part for part in (user.get("firstname"), user.get("lastname")) if part)
    return Contact(
        id=str(user["id"]),
        identifiers=tuple(dict.fromkeys(identifiers)),
        name=name or None,
        fields={"zammad_login": user["login"]} if user.get("login") else {},
    )


def events(content: bytes, us: str | None) -> Iterator[CRMEvent]:
    """Of a polled page or a webhook, without what we have done ourselves. Raises MalformedPayload."""
    try:
        given: Any = from_json(content, allow_inf_nan=False)
        if isinstance(given, dict) and "tickets" in given:
            page = _Page.model_validate(given)
        else:
            told = _Told.model_validate(_without_empty(given))
            page = _Page(tickets=(told.ticket,), articles=(told.article,) if told.article else ())
    except ValidationError as error:
        raise MalformedPayload(f"tickets and articles: {misfit(error)}") from None
    except ValueError as error:
        raise MalformedPayload(f"the payload is not JSON: {error}") from None
    yield from (_spoken(one) for one in page.articles if one.created_by_id != us)
    yield from (_changed(one) for one in page.tickets if one.updated_by_id != us)


def _without_empty(given: Any) -> Any:
    """A webhook about a ticket alone has an article without anything in it."""
    article = given.get("article") if isinstance(given, dict) else None
    is_empty = isinstance(article, dict) and not article.keys() & {"id", "body"}
    return {**given, "article": None} if is_empty else given


def _changed(one: Ticket) -> CRMEvent:
    """Zammad tells how a ticket stands, not what was changed."""
    if one.state in GONE:
        return CaseGone(id=f"ticket:{one.id}:gone", case=one.id, at=one.updated_at)
    fields = CaseFields(
        status=STATES.get(one.state or ""),
        assignee="" if one.owner == NOBODY else one.owner,
        subject=None if one.title is None else unlabelled(one.title)[0],
    )
    version = int(one.updated_at.timestamp() * 1000)
    return CaseChanged(
        id=f"ticket:{one.id}:{version}", case=one.id, fields=fields, agent=one.updated_by, at=one.updated_at
    )


def _spoken(one: Article) -> CRMEvent:
    if one.sender != "Agent" or not one.created_by:
        return Unrecognised(id=f"article:{one.id}", native_type="article", reason="written by nobody of the agents")
    kind = AgentReplied if one.type in REPLIES and not one.internal else AgentNoted
    return kind(
        id=f"article:{one.id}",
        case=one.ticket_id,
        agent=one.created_by,
        agent_name=(one.origin or "").partition(" via ")[0].partition("<")[0].strip() or None,
        text=_text(one),
        attachments=tuple(_attachment(one, file) for file in one.attachments),
        record=one.id,
        at=one.created_at,
    )


def _text(one: Article) -> str:
    said = one.body or ""
    is_html = (one.content_type or "").startswith("text/html")
    return from_spans(*html.read(said)).strip() if is_html else said.strip()


def _attachment(one: Article, file: File) -> Attachment:
    """Fetched by the numbers of ticket, article and file."""
    kind = file.preferences.get("Mime-Type") or file.preferences.get("Content-Type")
    return Attachment(
        native_id=f"{one.ticket_id}/{one.id}/{file.id}",
        name=file.filename or None,
        size=file.size,
        **({"media_type": kind} if isinstance(kind, str) else {}),
    )
