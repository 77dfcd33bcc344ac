"""More customers than usual, and what they have in common. Pure functions over counts and texts."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from pydantic import Field

from socialsupport_core.guidance.service import Section
from socialsupport_core.guidance.terms import terms_of

SIGMA = 1.4826
"""Times the median absolute deviation: the standard deviation of a normal distribution (Rousseeuw and Croux, 1993,
"Alternatives to the Median Absolute Deviation")."""
FEWEST_WEEKS = 3
TOGETHER = 0.5
"""Words whose messages overlap by so much speak of one cause."""


class Spikes(Section):
    """Off unless it is switched on: many customers at once are told of as one event."""

    enabled: bool = False
    weeks: int = Field(default=8, ge=FEWEST_WEEKS, le=52)
    """So many weeks back the same hour of the same weekday is looked at."""
    least: int = Field(default=10, ge=3)
    """New conversations of an hour, below which nothing is a spike."""
    factor: float = Field(default=2.0, gt=1)
    """Times the usual that it must be at least."""
    customers: int = Field(default=5, ge=3)
    """So many must use a word before it is named: what fewer say could tell who they are."""


@dataclass(frozen=True, slots=True)
class Unusual:
    count: int
    usual: float
    limit: float

    @property
    def reason(self) -> str:
        return f"{self.count} new conversations this hour; at this hour of the week it is usually {self.usual:g}"


@dataclass(frozen=True, slots=True)
class Cause:
    """What many of them say, and some of them."""

    words: tuple[str, ...]
    count: int
    conversations: tuple[str, ...]


def unusual(count: int, before: Sequence[int], settings: Spikes) -> Unusual | None:
    """`before`: what the same hour had in the weeks before. With fewer than three nothing is known to be usual."""
    if len(before) < FEWEST_WEEKS:
        return None
    usual = median(before)
    spread = SIGMA * median(abs(one - usual) for one in before)
    limit = max(settings.least, usual * settings.factor, usual + 3 * spread)
    return Unusual(count, usual, limit) if count >= limit and count > usual else None


def causes(
    now: Mapping[str, str], before: Collection[str], customers: Mapping[str, str], settings: Spikes
) -> list[Cause]:
    """`now`: texts by conversation; `before`: those of an ordinary time; `customers`: whose conversation it is.

    A word counts that three times as large a share uses as before, and a fifth at least. The most frequent first.
    """
    by_word: dict[str, set[str]] = {}
    for conversation, text in now.items():
        for word in words(text):
            by_word.setdefault(word, set()).add(conversation)
    ordinary = Counter(word for text in before for word in words(text))
    telling = {
        word: mine
        for word, mine in by_word.items()
        if len({customers.get(one, one) for one in mine}) >= settings.customers
        and _tells(len(mine) / len(now), (ordinary[word] + 0.5) / (len(before) + 10))
    }
    found: list[tuple[list[str], set[str]]] = []
    for word, mine in sorted(telling.items(), key=lambda one: (-len(one[1]), one[0])):
        group = next((one for one in found if len(mine & one[1]) >= TOGETHER * len(mine | one[1])), None)
        if group is None:
            found.append(([word], mine))
        elif len(group[0]) < 5:
            group[0].append(word)
    return [Cause(tuple(names), len(mine), tuple(sorted(mine)[:5])) for names, mine in found[:3]]


def words(text: str) -> set[str]:
    """Those of which themes are made: without what any text has."""
    return {term for term in terms_of(text) if " " not in term}


def _tells(share: float, usual: float) -> bool:
    return share >= max(0.2, 3 * usual)
