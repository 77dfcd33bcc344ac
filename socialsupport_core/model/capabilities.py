"""Capabilities: what a connector claims. Each claim is proven by a golden case, or it does not exist."""

import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator

from socialsupport_core.model.base import Value
from socialsupport_core.model.event import EventType
from socialsupport_core.model.intent import IntentType
from socialsupport_core.model.interaction import Visibility
from socialsupport_core.text import Unit

Way = Literal["webhook", "poll", "stream", "file"]
Verification = Literal["signature", "shared_secret", "none"]
Settling = Literal["native_key", "lookup", "echo", "none"]


class TextLimit(Value):
    """The longest text of one message, in the network's own unit."""

    limit: int = Field(gt=0)
    unit: Unit


class MediaLimit(Value):
    """`media_type` may end in `/*`."""

    media_type: str
    max_bytes: int = Field(gt=0)


class RateLimit(Value):
    """At most `calls` in any `seconds`, per credential or per thread. The wire makes no call beyond it."""

    calls: int = Field(gt=0)
    seconds: float = Field(gt=0)
    per: Literal["credential", "thread"] = "credential"
    """A thread is known where an intent is carried out, and only there."""
    of: str | None = None
    """Only calls that fit this regular expression as a whole: `POST /2/tweets`, or the name of an ask's class."""

    @field_validator("of")
    @classmethod
    def _is_a_pattern(cls, of: str | None) -> str | None:
        try:
            re.compile(of or "")
        except re.error as error:
            raise ValueError(f"{of!r} is not a regular expression: {error}") from None
        return of


class Capabilities(Value):
    """Everything defaults to off.

    An event or intent type that is neither claimed nor `unsupported` is *not implemented*: the network can,
    we do not yet. `unsupported` means that the network cannot.
    """

    receives: frozenset[Way] = frozenset()
    verification: Verification = "none"
    events: frozenset[EventType] = frozenset()
    """Event types that `parse` produces."""
    intents: frozenset[IntentType] = frozenset()
    """Intent types that `send` carries out."""
    unsupported: frozenset[EventType | IntentType] = frozenset()
    sends: frozenset[Visibility] = frozenset()
    text: TextLimit | None = None
    """None: no limit below the core's own of 100,000 characters."""
    caption: TextLimit | None = None
    """The longest text beside an attachment, where that is shorter; a longer one goes ahead as a message of its own."""
    markup: bool = False
    """The network shows bold, links and the like; otherwise CommonMark is sent as plain text."""
    subject: bool = False
    media: tuple[MediaLimit, ...] = ()
    """What can be sent along. Empty: no attachments."""
    attachments: int = Field(default=1, ge=1)
    """How many attachments one message carries."""
    choices: int = 0
    """How many buttons one message carries."""
    receipts: frozenset[Literal["delivered", "read", "failed"]] = frozenset()
    """Delivery states that the network reports after sending."""
    reply_window: timedelta | None = None
    """How long after the customer's last message we may write."""
    person_window: timedelta | None = None
    """How long a person may, and no bot, where that is longer."""
    begins: frozenset[str] = frozenset()
    """Kinds of accounts to which we may write first, such as `email`. To all others only once they have written: their
    private thread is opened by them."""
    templates: bool = False
    """Messages that the network has approved beforehand can be sent, at any time."""
    settles: Settling = "none"
    """How a doubtful send is settled."""
    history: timedelta | None = None
    """How far back `poll` and `history` reach."""
    sequence: timedelta | None = None
    """What it receives carries a number that grows by one each time (`numbered`), so that a hole is something lost.
    After so long without any, the network may begin to count anew."""
    secret_in_url: bool = False
    """The network insists on a credential in the address; it is redacted everywhere."""

    def support(self, what: EventType | IntentType) -> Literal["yes", "unsupported", "not_implemented"]:
        if what in self.events or what in self.intents:
            return "yes"
        return "unsupported" if what in self.unsupported else "not_implemented"
