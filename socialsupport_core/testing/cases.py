"""Golden cases: what a plugin proves about itself. They ship inside its package, in the folder `cases/`.

`settings.json` holds the fake settings. Optional beside it: `facts.json` (what `probe` learnt),
`credentials.json` (given to `authorize`) and `exempt.json` (a property of the kit → why this network cannot
have it). Every other `*.json` holds one case or a list of cases; its key says which kind it is: `payload`,
`intent`, `poll` or `call`.
"""

import base64
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from socialsupport_core.contract import CaseRef, CaseSummary, Contact, CRMEvent, Outcome, Ref
from socialsupport_core.model import (
    Attachment,
    Blob,
    Credentials,
    Event,
    Facts,
    Identifier,
    Instant,
    Intent,
    Interaction,
    Party,
    Payload,
    Receipt,
    Reply,
    Value,
)

AnyEvent = Annotated[Event, Field(discriminator="type")]
AnyCRMEvent = Annotated[CRMEvent, Field(discriminator="type")]
AnyIntent = Annotated[Intent, Field(discriminator="type")]


class Binary(Value):
    """Bytes that are no UTF-8."""

    base64: str


Content = str | Binary
"""Bytes in JSON: a string stands for its UTF-8."""


def content_of(content: Content) -> bytes:
    return base64.b64decode(content.base64) if isinstance(content, Binary) else content.encode()


class ExpectedError(Value):
    """An error by the name of its class; `code` and `retry_after` are checked where they are given."""

    type: str
    code: str | None = None
    retry_after: float | None = None


class GivenPayload(Value):
    """A payload as a case writes it. Headers hold real signatures under the fake settings."""

    source: Literal["webhook", "poll", "stream", "file"] = "webhook"
    method: str = "POST"
    url: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    body: str = ""
    body_base64: str | None = None
    received_at: Instant

    @cached_property
    def payload(self) -> Payload:
        return Payload(
            source=self.source,
            method=self.method,
            url=self.url,
            headers=tuple(self.headers.items()),
            body=self.body.encode() if self.body_base64 is None else base64.b64decode(self.body_base64),
            received_at=self.received_at,
        )


class ExpectedReply(Value):
    """What a door answers. Headers are checked where they are given."""

    status: int = 200
    headers: dict[str, str] = Field(default_factory=dict)
    body: Content = ""

    def matches(self, reply: Reply) -> bool:
        said = {name.lower(): value for name, value in reply.headers}
        wanted = {name.lower(): value for name, value in self.headers.items()}
        exact = (reply.status, reply.body) == (self.status, content_of(self.body))
        return exact and wanted.items() <= said.items()


class ExpectedRequest(Value):
    """What we must ask. Its content is one of `json`, `form`, `multipart` (the field names) and `text`."""

    method: str
    url: str
    headers: dict[str, str] = Field(default_factory=dict)
    """Checked where they are given; the request may have more."""
    json_: Any = Field(default=None, alias="json")
    form: dict[str, str | list[str]] | None = None
    multipart: list[str] | None = None
    text: str | None = None

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        given = self.model_fields_set & {"json_", "form", "multipart", "text"}
        if len(given) > 1:
            raise ValueError("a request has one content: json, form, multipart or text")
        return self


class GivenResponse(Value):
    """What the network answers; `dropped` cuts the connection after the request instead."""

    status: int = 200
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Any = Field(default=None, alias="json")
    text: str | None = None
    base64: str | None = None
    dropped: bool = False


class Step(Value):
    """A question and its answer: over HTTP `request` and `response`, otherwise `ask` and `answer` or `raises`."""

    request: ExpectedRequest | None = None
    response: GivenResponse | None = None
    ask: dict[str, Any] | None = None
    answer: Any = None
    raises: str | None = None

    @model_validator(mode="after")
    def _is_one_of_two(self) -> Self:
        if (self.request is None) == (self.ask is None):
            raise ValueError("a step of an exchange has either a request and its response, or an ask")
        if self.request and self.response is None:
            raise ValueError('this request has no response; write "response": {"status": 200, "json": …}')
        if self.ask is not None and "type" not in self.ask:
            raise ValueError('an ask names its class: {"type": "ReadBlob", …}')
        return self


class Case(Value):
    name: str = Field(min_length=1)
    source: str = Field(min_length=1)
    """Where the network documents it, and when that was read."""
    file: str = ""
    """Filled in by the loader."""

    def __str__(self) -> str:
        return f"{self.file}, case {self.name!r}"


class Inbound(Case):
    """Payload → events, or an error; `reply` is what the door answers."""

    payload: GivenPayload
    events: tuple[AnyEvent, ...] | None = None
    error: ExpectedError | None = None
    reply: ExpectedReply | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if self.is_handshake and (self.reply is None) == (self.error is None):
            raise ValueError("a GET case ends in a reply or in an error")
        if not self.is_handshake and (self.events is None) == (self.error is None):
            raise ValueError("an inbound case ends in events (perhaps []) or in an error")
        return self

    @property
    def is_handshake(self) -> bool:
        return self.payload.source == "webhook" and self.payload.method == "GET" and self.events is None

    @property
    def is_genuine(self) -> bool:
        """The network has sent it, readable or not."""
        return self.error is None or self.error.type != "SignatureError"


class Outbound(Case):
    """Intent and exchange → receipt, or an error."""

    intent: AnyIntent
    exchange: tuple[Step, ...]
    receipt: Receipt | None = None
    error: ExpectedError | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if (self.receipt is None) == (self.error is None):
            raise ValueError("an outbound case ends in a receipt or in an error")
        return self


class Start(Value):
    cursor: str | None = None


class ExpectedPage(Value):
    bodies: tuple[Content, ...] = ()
    cursor: str | None = None
    more: bool = False


class Poll(Case):
    """Cursor and exchange → page; `events`, where given, is what the page's payloads say."""

    poll: Start
    exchange: tuple[Step, ...]
    page: ExpectedPage | None = None
    events: tuple[AnyEvent, ...] | None = None
    error: ExpectedError | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if (self.page is None) == (self.error is None):
            raise ValueError("a poll case ends in a page or in an error")
        return self


class GivenBlob(Value):
    content: Content
    media_type: str = "application/octet-stream"
    name: str | None = None

    def blob(self) -> Blob:
        return Blob(content=content_of(self.content), media_type=self.media_type, name=self.name)


Signature = tuple[Mapping[str, TypeAdapter[Any]], TypeAdapter[Any]]
"""The arguments of a flow by name, and its result."""

CALLS: Mapping[str, Signature] = {
    "probe": ({}, TypeAdapter(Facts)),
    "profile": ({"identifier": TypeAdapter(Identifier)}, TypeAdapter(Party)),
    "fetch": ({"attachment": TypeAdapter(Attachment)}, TypeAdapter(GivenBlob)),
    "subscribe": ({"public_url": TypeAdapter(str)}, TypeAdapter(None)),
    "lookup": (
        {"intent": TypeAdapter(AnyIntent), "since": TypeAdapter(Instant)},
        TypeAdapter(Receipt | None),
    ),
    "refresh": ({"credentials": TypeAdapter(Credentials)}, TypeAdapter(Credentials)),
    "exchange": ({"code": TypeAdapter(str)}, TypeAdapter(Credentials)),
    "connect": ({"state": TypeAdapter(str), "redirect": TypeAdapter(str)}, TypeAdapter(str)),
}
"""The connector's methods that a `call` case can run."""

CRM_CALLS: Mapping[str, Signature] = {
    "find_customers": ({"party": TypeAdapter(Party)}, TypeAdapter(tuple[Contact, ...])),
    "open_case": ({"conversation": TypeAdapter(CaseSummary)}, TypeAdapter(CaseRef)),
    "save_interaction": (
        {"case": TypeAdapter(CaseRef), "interaction": TypeAdapter(Interaction), "key": TypeAdapter(str)},
        TypeAdapter(Ref),
    ),
    "attach": (
        {"case": TypeAdapter(CaseRef), "blob": TypeAdapter(GivenBlob), "key": TypeAdapter(str)},
        TypeAdapter(Ref),
    ),
    "close_case": ({"case": TypeAdapter(CaseRef), "outcome": TypeAdapter(Outcome)}, TypeAdapter(None)),
    "erase": ({"contact": TypeAdapter(str)}, TypeAdapter(None)),
}
"""The CRM adapter's."""


class Call(Case):
    """Any other method: arguments and exchange → result, or an error."""

    call: str
    arguments: dict[str, Any] = Field(default_factory=dict)
    exchange: tuple[Step, ...] = ()
    result: Any = None
    error: ExpectedError | None = None

    def given(self, calls: Mapping[str, Signature] = CALLS) -> dict[str, Any]:
        """The arguments as values. Raises ValueError that names what is missing or unknown."""
        if self.call not in calls:
            raise ValueError(f"there is no call {self.call!r}; there are {', '.join(calls)}")
        wanted = calls[self.call][0]
        if set(self.arguments) != set(wanted):
            raise ValueError(f"{self.call} takes {', '.join(wanted) or 'no arguments'}")
        return {name: _value(wanted[name], value) for name, value in self.arguments.items()}

    def expected(self, calls: Mapping[str, Signature] = CALLS) -> Any:
        """The result as a value. Raises ValueError."""
        return _value(calls[self.call][1], self.result)


def _value(model: TypeAdapter[Any], given: Any) -> Any:
    value = model.validate_json(json.dumps(given))
    return value.blob() if isinstance(value, GivenBlob) else value


class CRMInbound(Inbound):
    """A CRM's webhook → what changed there."""

    events: tuple[AnyCRMEvent, ...] | None = None  # type: ignore[assignment]


class CRMPoll(Poll):
    events: tuple[AnyCRMEvent, ...] | None = None  # type: ignore[assignment]
