"""The form of a line that somebody writes: a touch, what an agent did about it, or a hand-off.

{"at": "2026-11-02T09:00:00Z", "customer": "kerry", "channel": "facebook", "direction": "inbound"}
{"at": "2026-11-02T10:30:00Z", "customer": "kerry", "event": "resolved", "agent": "dana"}
{"at": "2026-11-02T10:00:00Z", "customer": "kerry", "event": "handed_off", "channel": "x", "state": "offered"}
"""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, model_validator

from socialsupport_core.contract.triage import ContactKind
from socialsupport_core.model.interaction import InteractionKind, Visibility

NETWORKS: Mapping[str, str] = {
    "call": "phone", "calls": "phone", "telephone": "phone", "voice": "phone", "hotline": "phone",
    "chat": "webchat", "live chat": "webchat", "livechat": "webchat",
    "e-mail": "email", "mail": "email", "shop": "visit", "store": "visit",
    "web": "form", "website": "form", "web form": "form",
}  # fmt: skip
"""What the network of a channel is that is called so and names none; else it is called as the channel is."""
KINDS: Mapping[str, InteractionKind] = {"phone": "call", "visit": "visit", "form": "form", "webform": "form"}
"""What a touch is on such a network that does not say; elsewhere it is a message."""


def _moment(value: Any, info: ValidationInfo) -> datetime:
    """With its zone, or in the zone of the context."""
    zone: tzinfo | None = (info.context or {}).get("zone")
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None or ":" not in value:
        raise ValueError("is no time; write 2026-11-02T09:00:00Z")
    if found.tzinfo is None and zone is None:
        raise ValueError("says no time zone; add Z or +01:00, or say --zone Europe/Berlin for all of them")
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def _listed(value: Any) -> Any:
    return [one.strip() for one in value.split(";") if one.strip()] if isinstance(value, str) else value


def _named(value: Any) -> Any:
    """A customer or a case that is called by a number is."""
    return str(value) if type(value) is int else value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Name = Annotated[str, Field(min_length=1, max_length=1024), BeforeValidator(_named)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""In a table divided by semicolons."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    at: Moment
    event: str = "said"
    conversation: Name | None = None
    """The case, ticket or conversation. Without it a touch belongs to that of its thread, anything else to that in
    which the customer has spoken last."""


class Said(_Line):
    """A touch."""

    event: Literal["said"] = "said"
    customer: Name
    channel: Name
    direction: Literal["inbound", "outbound", "internal"]
    network: Name | None = None
    kind: InteractionKind | Literal["rating"] | None = None
    """`rating` asks how it went, or says nothing else."""
    thread: Name | None = None
    visibility: Visibility = "private"
    agent: Name | None = None
    bot: bool = False
    id: Name | None = None
    in_reply_to: Name | None = None
    """The `id` of another line."""
    subject: str | None = None
    text: str | None = None
    language: str | None = None
    duration: float | None = Field(default=None, ge=0)
    """Of a call, in seconds: 0 is one that nobody took."""
    attended: bool | None = None
    failed: bool = False
    edited: bool = False
    topics: Names = ()
    told: Names = ()
    asks: Names = ()
    rating: float | None = None
    verdict: int | None = Field(default=None, ge=1, le=5)
    contact: ContactKind | None = None
    followers: int | None = Field(default=None, ge=0)

    @property
    def on(self) -> str:
        """The network."""
        return self.network or NETWORKS.get(self.channel.casefold(), self.channel)

    @property
    def called(self) -> InteractionKind:
        return self.kind if self.kind and self.kind != "rating" else KINDS.get(self.on, "message")

    @property
    def key(self) -> str:
        """Of its thread: without a name each customer has one on each channel."""
        return self.thread or f"{self.channel}/{self.customer}"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.called == "call" and self.direction == "inbound" and self.duration is None and self.attended is None:
            raise ValueError("was the call taken? add `duration` in seconds (0 is a missed one), or `attended`")
        if self.failed and self.direction != "outbound":
            raise ValueError("only what is `outbound` can have `failed`; take it out")
        if self.agent and self.direction == "inbound":
            raise ValueError("has an `agent` and is `inbound`: what agents say is `outbound`; take one of them out")
        return self


class _Deed(_Line):
    customer: Name | None = None
    thread: Name | None = None
    agent: Name | None = None

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.conversation is None and self.customer is None:
            raise ValueError(f"what was {self.event}? add the `conversation`, or the `customer`")
        return self


class Done(_Deed):
    """What an agent did with a conversation."""

    event: Literal["resolved", "reopened"]
    channel: Name | None = None


class Offered(_Deed):
    """A hand-off: where the customer was, how far it came, and where the customer arrived."""

    event: Literal["handed_off"]
    channel: Name
    state: Literal["offered", "arrived", "expired"] = "offered"
    to: Name | None = None

    @model_validator(mode="after")
    def _where(self) -> Self:
        if self.state == "arrived" and self.to is None:
            raise ValueError("says that the customer arrived, and not where; add `to`, a channel")
        return self


Line = Said | Done | Offered
FORMS: Mapping[str, type[Line]] = {"said": Said, "resolved": Done, "reopened": Done, "handed_off": Offered}
"""By `event`."""
