"""When it is worse than usual: the week, and the hours of the week."""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

from socialsupport_core.guidance.service import Hours
from socialsupport_core.insight.measures import share

Shown = dict[str, Any]
FEWEST = 5
UNLIKELY = 3.0
"""Standard deviations above all others: there are 56 stretches in a week, and one of them is always the worst."""
STRETCH = 3  # hours
DAYS = ("Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays", "Sundays")


def peaks(bad: Sequence[int], all_of_them: Sequence[int], hours: Hours) -> list[Shown]:
    """The worst week (in UTC, as all weeks of the report) and the worst hours (in the zone of the hours), if chance is
    no likely reason: of moments in microseconds. Each is told with how many of all that began then were bad."""

    def week(at: int) -> str:
        day = datetime.fromtimestamp(at / 1_000_000, UTC)
        return f"the week of {(day - timedelta(days=day.weekday())).date()}"

    def stretch(at: int) -> str:
        local = hours.local(at)
        first = local.hour // STRETCH * STRETCH
        return f"{DAYS[local.weekday()]}, {first:02}:00 to {first + STRETCH:02}:00"

    told = [(name, _worst(bad, all_of_them, of)) for name, of in (("week", week), ("hours", stretch))]
    return [{"by": name, **one} for name, one in told if one is not None]


def _worst(bad: Sequence[int], all_of_them: Sequence[int], of: Callable[[int], str]) -> Shown | None:
    here, there = Counter(map(of, bad)), Counter(map(of, all_of_them))
    scores = {name: _score(count, there[name], len(bad), len(all_of_them)) for name, count in here.items()}
    name = max(scores, key=lambda one: (scores[one], here[one], one), default=None)
    if name is None or here[name] < FEWEST or scores[name] < UNLIKELY:
        return None
    return {"name": name, "matters": share(here[name], there[name])}


def _score(bad: int, of: int, all_bad: int, of_all: int) -> float:
    """Of the difference between the share here and that of all others, in standard deviations."""
    others = of_all - of
    if not others or all_bad == of_all:
        return 0.0
    rate = all_bad / of_all
    return (bad / of - (all_bad - bad) / others) / sqrt(rate * (1 - rate) * (1 / of + 1 / others))
