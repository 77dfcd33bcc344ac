"""Nobody is there: what a customer is told then, and by when an answer can honestly be expected."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from socialsupport_core.guidance.service import HOUR, Hours, Section

ENOUGH = 5  # answers, from which on what they took says more than the target
PART = 0.75
"""Of recent answers that were as quick as what is told: most customers hear from us before it."""


class Acknowledge(Section):
    """Off unless it is switched on: whoever writes out of hours is told when somebody is there again."""

    enabled: bool = False
    public: bool = False
    """Also to who wrote in public, where strangers read along; then without a time."""
    channels: frozenset[str] = frozenset()
    """Channels or networks; all if none is named."""
    again_after: float = Field(default=24 * HOUR, ge=3600)
    """Seconds within which nobody is told twice, whatever they write and wherever."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Microseconds since 1970."""

    opens: int
    by: int


def expected(hours: Hours, now: int, answered_within: Sequence[int], target: int) -> Expected | None:
    """`answered_within`: what recent first answers took, in microseconds of the hours; the target while there are few.

    None if nobody will be there, or not for so long.
    """
    opens = hours.opens_after(now)
    if opens is None:
        return None
    found = sorted(answered_within)
    span = found[math.ceil(len(found) * PART) - 1] if len(found) >= ENOUGH else target
    by = hours.after(opens, span)
    return None if by is None else Expected(opens, by)
