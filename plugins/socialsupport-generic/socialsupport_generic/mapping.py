"""The mapping: where in their JSON stands what we want to know. Data, so that a channel needs no program."""

from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from socialsupport_core.model.event import DeliveryState
from socialsupport_core.model.interaction import Direction, InteractionKind, Visibility
from socialsupport_generic.where import OneOf, Path, Place, Where

Happening = Literal["message", "edit", "delete", "receipt", "ignore"]
DIRECTIONS = get_args(Direction)[:2]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Table):
    """Who somebody is. Without `id` the e-mail address is the account, else the telephone number."""

    id: Where | None = None
    name: Where | None = None
    handle: Where | None = None
    email: Where | None = None
    phone: Where | None = None
    contacts: Literal["claimed", "asserted"] = "claimed"
    """What e-mail address and number beside the `id` are worth: `claimed` is what people typed and joins nobody,
    `asserted` is what your system knows."""

    @model_validator(mode="after")
    def _is_somebody(self) -> Self:
        if not (self.id or self.email or self.phone):
            raise ValueError("name where an id, email or phone stands, or nobody can be told apart")
        return self


class Files(_Table):
    """`each` leads to the list, the others from each of its objects."""

    each: Path
    url: Where | None = None
    id: Where | None = None
    name: Where | None = None
    media_type: Where | None = None
    size: Where | None = None

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not (self.url or self.id):
            raise ValueError("name where the url of a file stands, or its id")
        return self


class Report(_Table):
    """What became of something that we sent: known by their own id of it, or by the `key` that we sent along."""

    state: Annotated[Where, AfterValidator(OneOf(get_args(DeliveryState)))]
    """`sent`, `delivered`, `read` or `failed`."""
    message: Where | None = None
    key: Where | None = None
    code: Where | None = None
    reason: Where | None = None
    at: Where | None = None

    @model_validator(mode="after")
    def _is_about_something(self) -> Self:
        if not (self.message or self.key):
            raise ValueError("name where the message's own id stands, or our key")
        return self


class Mapping(_Table):
    """All places but `events` are looked for in each event."""

    events: Path | None = None
    """The list of events in one body; left out, the body is one."""
    type: Annotated[Where, AfterValidator(OneOf(get_args(Happening)))] = Place(value="message")
    """`message`, `edit`, `delete`, `receipt` or `ignore`; anything else that they send is kept as unrecognised."""
    id: Where
    thread: Where
    author: Person
    visibility: Annotated[Where, AfterValidator(OneOf(get_args(Visibility)))] = Place(value="private")
    direction: Annotated[Where, AfterValidator(OneOf(DIRECTIONS))] = Place(value="inbound")
    kind: Annotated[Where, AfterValidator(OneOf(get_args(InteractionKind)))] = Place(value="message")
    recipient: Person | None = None
    """Of what was said on our behalf (`outbound`): the customer."""
    text: Where | None = None
    subject: Where | None = None
    sent_at: Where | None = None
    edited_at: Where | None = None
    in_reply_to: Where | None = None
    choice: Where | None = None
    rating: Where | None = None
    language: Where | None = None
    key: Where | None = None
    """Our own key, where they hand it back with a message of ours."""
    handoff: Where | None = None
    attachments: Files | None = None
    receipt: Report | None = None
    timezone: Annotated[str, Field(max_length=64)] | None = None
    """IANA, of times that are written without an offset."""

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, name: str | None) -> str | None:
        try:
            _ = name and ZoneInfo(name)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin") from None
        return name
