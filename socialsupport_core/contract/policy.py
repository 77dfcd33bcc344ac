"""Policies: may this be said here? Asked before anything is planned or sent."""

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from socialsupport_core.model import Intent, Interaction, Value


class Refusal(Value):
    """Which rule forbids it, why, and what to do instead. `spans` marks the places in the text."""

    rule: str
    reason: str
    remedy: str
    spans: tuple[tuple[int, int], ...] = Field(default=())


class Draft(Value):
    """What is about to be said, and by whom."""

    intent: Annotated[Intent, Field(discriminator="type")]
    agent: str
    tenant: str
    network: str
    recent: tuple[Interaction, ...] = ()
    """The conversation's newest interactions."""


Policy = Callable[[Draft], Refusal | None]
