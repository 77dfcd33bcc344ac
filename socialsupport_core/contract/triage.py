"""Triage: what kind of contact a message is. The rules of the core judge first; a plugin may know better."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from socialsupport_core.model import Value

ContactKind = Literal["complaint", "request", "question", "opinion", "praise", "promotion", "spam"]
"""`promotion`: somebody who is after a coupon, a freebie or a collaboration."""
Urgency = Literal["low", "normal", "high"]
NOISE: frozenset[ContactKind] = frozenset({"promotion", "spam"})
"""What is kept out of the queue of support."""


class Heard(Value):
    """A message of a customer as triage sees it."""

    tenant: str
    network: str
    channel: str
    visibility: Literal["public", "private"]
    text: str
    """At most 2,000 characters of it; the subject comes before it."""
    language: str | None = None
    """As the network tells it."""
    followers: int = 0
    told: tuple[str, ...] = ()
    """Kinds of what the customer tells in it, such as `order`."""


class Verdict(Value):
    kind: ContactKind
    urgency: Urgency = "normal"
    language: str | None = None
    """ISO 639-1, if it is clear."""
    sentiment: float | None = Field(default=None, ge=-1, le=1)
    """From -1 to 1. The rules tell none: a plugin may."""
    reasons: tuple[str, ...] = ()
    """In plain words, for agents: which words, and by which rule."""
    by: str = "rules"
    """Who says so: `rules`, a plugin, or an agent."""

    @property
    def is_noise(self) -> bool:
        return self.kind in NOISE


class Triage(Protocol):
    """Judges after the rules. What it raises is logged, and the rules' verdict stands."""

    name: str

    def judge(self, heard: Heard, verdict: Verdict) -> Verdict | None:
        """None leaves the verdict as it is. Called for each message of a customer: it may not take its time."""
        ...


@runtime_checkable
class LearningTriage(Triage, Protocol):
    """One that learns from what a tenant's agents have put right."""

    def learn(self, tenant: str, labels: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """From kinds and texts; how good it is then, as JSON. Raises ConfigError if it cannot."""
        ...


TriageFactory = Callable[[Path | None], Triage]
"""Given the folder beside the store in which it finds what it has learnt, a file for each tenant; None without one."""
