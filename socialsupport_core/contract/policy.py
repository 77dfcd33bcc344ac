"""Policies: may this be said here? Asked before anything is planned or sent."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from socialsupport_core.model import Intent, Interaction, Value

Verdict = Literal["refuse", "approval", "warn"]


class Refusal(Value):
    """Which rule objects, why, and what to do instead. `spans` marks the places in the text.

    It forbids it, unless `verdict` is `approval` (a second person looks at it first) or `warn` (the agent is told).
    """

    rule: str
    reason: str
    remedy: str
    spans: tuple[tuple[int, int], ...] = Field(default=())
    verdict: Verdict = "refuse"


class Draft(Value):
    """What is about to be said, and by whom."""

    intent: Annotated[Intent, Field(discriminator="type")]
    agent: str
    tenant: str
    network: str
    recent: tuple[Interaction, ...] = ()
    """The conversation's newest interactions."""


Policy = Callable[[Draft], Refusal | None]
