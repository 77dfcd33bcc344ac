"""Golden cases: what a plugin proves about itself. They ship inside its package, in the folder `cases/`.

`settings.json` holds the fake settings. Optional beside it: `facts.json` (what `probe` learnt),
`credentials.json` (given to `authorize`), `exempt.json` (a property of the kit → why this network cannot
have it) and `truth.json` (what stands behind it). Every other `*.json` holds one case or a list of cases; its key says
which kind it is: `payload`, `intent`, `poll`, `stream` or `call`.
"""

import base64
import json
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from socialsupport_core.contract import (
    CaseFields,
    CaseRef,
    CaseState,
    CaseSummary,
    Closed,
    Contact,
    CRMEvent,
    Frame,
    Happening,
    Opened,
    Outcome,
    Ref,
    SignIn,
    Tick,
    errors,
)
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
from socialsupport_core.testing.problems import near, problems

AnyEvent = Annotated[Event, Field(discriminator="type")]
AnyCRMEvent = Annotated[CRMEvent, Field(discriminator="type")]
AnyIntent = Annotated[Intent, Field(discriminator="type")]


class Binary(Value):
    """Bytes that are no UTF-8."""

    base64: str


DELIVERY_ERRORS: Mapping[str, type[errors.DeliveryError]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.DeliveryError)
}
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
    """What a door answers: `body` byte for byte, or `json`, however spaced. Headers are checked where given."""

    status: int = 200
    headers: dict[str, str] = Field(default_factory=dict)
    body: Content = ""
    json_: Any = Field(default=None, alias="json")

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if {"body", "json_"} <= self.model_fields_set:
            raise ValueError("a reply has one content: body or json")
        return self

    @property
    def wanted(self) -> dict[str, Any]:
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = {"json": self.json_} if self._is_json else {"body": content_of(self.body)}
        return {"status": self.status, "headers": headers, **content}

    def said(self, reply: Reply) -> dict[str, Any]:
        """The reply in the form of `wanted`, with no more than is compared."""
        headers = {name.lower(): value for name, value in reply.headers}
        compared = {name.lower(): headers.get(name.lower()) for name in self.headers}
        return {"status": reply.status, "headers": compared, **self._content(reply)}

    def _content(self, reply: Reply) -> dict[str, Any]:
        try:
            return {"json": json.loads(reply.body)} if self._is_json else {"body": reply.body}
        except ValueError:
            return {"body": reply.body}

    @property
    def _is_json(self) -> bool:
        return "json_" in self.model_fields_set


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
        if self.raises is not None and self.raises not in DELIVERY_ERRORS:
            raise ValueError(f"{self.raises!r} is not a DeliveryError; {near(self.raises, DELIVERY_ERRORS)}")
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


class GivenState(Value):
    state: dict[str, Any] = Field(default_factory=dict)
    """The fields of the connector's `stream_state` that are not as its defaults have them."""


class ExpectedDial(Value):
    url: str
    protocol: Literal["websocket", "sse"] = "websocket"
    headers: dict[str, str] = Field(default_factory=dict)


Uttered = str | dict[str, Any]
"""A text that is said or kept, or the JSON that it must be, however spaced."""


class GivenFrame(Value):
    """A frame: a text, or JSON; of server-sent events also the name and the id."""

    frame: Binary | str | dict[str, Any] | list[Any]
    event: str = ""
    id: str = ""

    @property
    def happening(self) -> Frame:
        given = self.frame
        data = content_of(given) if isinstance(given, Binary) else given
        return Frame(data if isinstance(data, str | bytes) else json.dumps(data), self.event, self.id)


class GivenEnd(Value):
    closed: int | None
    reason: str = ""

    @property
    def happening(self) -> Closed:
        return Closed(self.closed, self.reason)


class GivenOpening(Value):
    opened: float = Field(ge=0, lt=1)
    """The chance that the host draws."""

    @property
    def happening(self) -> Opened:
        return Opened(self.opened)


class StreamStep(Value):
    """What happens, and what must follow. What is left out must not follow, but for `state`: of it the given fields
    are compared."""

    on: Literal["opened", "tick"] | GivenFrame | GivenEnd | GivenOpening
    keep: tuple[Uttered, ...] = ()
    say: tuple[Uttered, ...] = ()
    after: tuple[Uttered, ...] = ()
    tick_in: float | None = None
    redial: float | None = None
    stop: str | None = None
    gap: bool = False
    state: dict[str, Any] = Field(default_factory=dict)
    events: tuple[AnyEvent, ...] | None = None
    """What the kept payloads say, where given."""

    @property
    def happening(self) -> Happening:
        if isinstance(self.on, str):
            return Opened() if self.on == "opened" else Tick()
        return self.on.happening


class Stream(Case):
    """A state, and what happens on the connection, step by step; `dial`, where given, is where the exchange leads."""

    stream: GivenState
    exchange: tuple[Step, ...] = ()
    dial: ExpectedDial | None = None
    steps: tuple[StreamStep, ...] = ()
    error: ExpectedError | None = None
    """Of dialling."""

    @model_validator(mode="after")
    def _shows_something(self) -> Self:
        if self.dial and self.error:
            raise ValueError("dialling ends in a dial or in an error")
        if not (self.steps or self.dial or self.error):
            raise ValueError("a stream case has steps, or a dial or error in which dialling ends")
        return self

    @property
    def is_dialled(self) -> bool:
        return self.dial is not None or self.error is not None


class GivenBlob(Value):
    content: Content
    media_type: str = "application/octet-stream"
    name: str | None = None

    def blob(self) -> Blob:
        return Blob(content=content_of(self.content), media_type=self.media_type, name=self.name)


Signature = tuple[Mapping[str, Any], Any]
"""The types of a flow's arguments by name, and of its result."""

SIGNING_IN: Mapping[str, Signature] = {
    "refresh": ({"credentials": Credentials}, Credentials),
    "connect": ({"state": str, "redirect": str}, str),
    "connect_with": ({"sign_in": SignIn}, str),
    "exchange": ({"code": str}, Credentials),
    "exchange_with": ({"code": str, "sign_in": SignIn}, Credentials),
}
"""Of connectors and CRM adapters alike."""

CALLS: Mapping[str, Signature] = {
    "probe": ({}, Facts),
    "profile": ({"identifier": Identifier}, Party),
    "fetch": ({"attachment": Attachment}, GivenBlob),
    "subscribe": ({"public_url": str}, None),
    "lookup": (
        {"intent": AnyIntent, "since": Instant},
        Receipt | None,
    ),
    **SIGNING_IN,
}
"""The connector's methods that a `call` case can run."""

CRM_CALLS: Mapping[str, Signature] = {
    "find_customers": ({"party": Party}, tuple[Contact, ...]),
    "open_case": ({"conversation": CaseSummary}, CaseRef),
    "save_interaction": (
        {"case": CaseRef, "interaction": Interaction, "key": str},
        Ref,
    ),
    "attach": (
        {"case": CaseRef, "blob": GivenBlob, "key": str},
        Ref,
    ),
    "edit_interaction": (
        {"case": CaseRef, "record": Ref, "interaction": Interaction, "key": str},
        Ref,
    ),
    "remove_interaction": ({"case": CaseRef, "record": Ref, "key": str}, None),
    "close_case": ({"case": CaseRef, "outcome": Outcome}, None),
    "reopen_case": ({"case": CaseRef}, None),
    "read_case": ({"case": CaseRef}, CaseState),
    "change_case": ({"case": CaseRef, "fields": CaseFields}, None),
    "erase": ({"contact": str}, None),
    "erase_case": ({"case": str}, None),
    "probe": ({}, Facts),
    "subscribe": ({"public_url": str}, None),
    "fetch": ({"attachment": Attachment}, GivenBlob),
    **SIGNING_IN,
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
            raise ValueError(f"there is no call {self.call!r}; {near(self.call, calls)}")
        wanted = calls[self.call][0]
        if set(self.arguments) != set(wanted):
            raise ValueError(f"{self.call} takes {', '.join(wanted) or 'no arguments'}")
        return {name: _value(wanted[name], value, f"arguments.{name}") for name, value in self.arguments.items()}

    def expected(self, calls: Mapping[str, Signature] = CALLS) -> Any:
        """The result as a value. Raises ValueError."""
        return _value(calls[self.call][1], self.result, "result")


_adapter = cache(TypeAdapter)


def _value(kind: Any, given: Any, where: str) -> Any:
    try:
        value = _adapter(kind).validate_json(json.dumps(given))
    except ValidationError as error:
        raise ValueError(f"{where}.{problems(error, kind)}") from error
    return value.blob() if isinstance(value, GivenBlob) else value


FlowCase = Outbound | Poll | Call | Stream
"""Cases in which something is asked."""


class CRMInbound(Inbound):
    """A CRM's webhook → what changed there."""

    events: tuple[AnyCRMEvent, ...] | None = None  # type: ignore[assignment]


class CRMPoll(Poll):
    events: tuple[AnyCRMEvent, ...] | None = None  # type: ignore[assignment]
