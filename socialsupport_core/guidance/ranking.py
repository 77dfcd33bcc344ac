"""Which message to answer next: a sum of parts, each with its reason in plain words."""

from collections.abc import Iterator
from math import log10
from typing import NamedTuple

from pydantic import Field

from socialsupport_core.guidance.service import Section, Service

MINUTE = 60_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
CLOSING = 6 * HOUR
"""A reply window that closes later than in this presses nobody."""
FEW = 100  # followers; fewer count for nothing
MANY = 1_000_000  # followers from which on more count for no more


class QueueSection(Section):
    """How much each part counts, at most or at its usual; 0 leaves it out."""

    waiting: float = Field(default=100, ge=0, le=1000)
    """When the target runs out; it goes on growing with every further hour."""
    urgency: float = Field(default=60, ge=0, le=1000)
    """What is urgent; what has time loses a third of it."""
    complaint: float = Field(default=20, ge=0, le=1000)
    reach: float = Field(default=30, ge=0, le=1000)
    """A public contact that a million people may see."""
    returned: float = Field(default=15, ge=0, le=1000)
    """Somebody who was answered before and is back."""
    handed: float = Field(default=25, ge=0, le=1000)
    """Somebody who was sent from one place to another."""
    window: float = Field(default=80, ge=0, le=1000)
    """A reply window that closes at once."""
    candidates: int = Field(default=2000, ge=100, le=20_000)
    """So many of those whose target runs out first are weighed, and as many of the urgent ones."""


class Waiter(NamedTuple):
    """A contact that waits. Times in microseconds."""

    since: int
    due_at: int | None = None
    channel: str = ""
    network: str = ""
    kind: str | None = None
    urgency: str | None = None
    followers: int = 0
    public: bool = False
    returned: bool = False
    handed: bool = False
    closes_at: int | None = None
    """When the reply window closes."""


class Part(NamedTuple):
    name: str
    points: float
    reason: str


def parts(one: Waiter, now: int, section: QueueSection, service: Service) -> list[Part]:
    """What the score is made of, the weightiest first."""
    found = [part for part in _parts(one, now, section, service) if part.points]
    return sorted(found, key=lambda part: -abs(part.points))


def score(one: Waiter, now: int, section: QueueSection, service: Service) -> float:
    return sum(part.points for part in _parts(one, now, section, service))


def _parts(one: Waiter, now: int, section: QueueSection, service: Service) -> Iterator[Part]:
    yield _waiting(one, now, section, service)
    if one.urgency == "high":
        yield Part("urgency", section.urgency, "urgent")
    elif one.urgency == "low":
        yield Part("urgency", -section.urgency / 3, f"{one.kind or 'it'} has time")
    if one.kind == "complaint":
        yield Part("complaint", section.complaint, "a complaint")
    if one.public and one.followers >= FEW:
        share = min(1.0, log10(one.followers / FEW + 1) / log10(MANY / FEW + 1))
        yield Part("reach", section.reach * share, f"{one.followers:,} followers")
    if one.returned:
        yield Part("returned", section.returned, "is back after an answer")
    if one.handed:
        yield Part("handed", section.handed, "was handed off before")
    if one.closes_at is not None:
        yield _window(one.closes_at - now, section)


def _waiting(one: Waiter, now: int, section: QueueSection, service: Service) -> Part:
    waited = max(0, now - one.since)
    target = max(1, service.target_of(one.channel, one.network, one.urgency))
    if one.due_at is None:
        return Part("waiting", section.waiting * waited / target, f"waits {spoken(waited)} of {spoken(target)}")
    if now >= one.due_at:
        late = now - one.due_at
        return Part("waiting", section.waiting * (1 + late / (late + DAY)), f"{spoken(late)} over its target")
    share = waited / max(1, one.due_at - one.since)
    of = f", due in {spoken(one.due_at - now)}" if service.hours.week else f" of {spoken(target)}"
    return Part("waiting", section.waiting * share, f"waits {spoken(waited)}{of}")


def _window(left: int, section: QueueSection) -> Part:
    if left <= 0:
        return Part("window", 0, "the reply window is closed")
    share = max(0.0, 1 - left / CLOSING)
    return Part("window", section.window * share, f"window closes in {spoken(left)}")


def spoken(micros: int) -> str:
    """`50 min`, `3 h`, `2 days`."""
    minutes = round(micros / MINUTE)
    if minutes < 120:
        return "1 h" if minutes == 60 else f"{minutes} min"
    hours = round(micros / HOUR)
    return f"{hours} h" if hours < 48 else f"{round(micros / DAY)} days"
