"""Which matters a report is of. A filter chooses whole matters: a journey that is cut explains nothing."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass
from typing import get_args

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight.history import History
from socialsupport_core.insight.journey import Journey
from socialsupport_core.insight.matters import Leg
from socialsupport_core.mistakes import near
from socialsupport_core.model.interaction import Visibility


@dataclass(frozen=True, slots=True)
class Filters:
    """None: whatever it is. A matter is chosen if one of its legs, on which the customer spoke, meets all of them."""

    channel: str | None = None
    network: str | None = None
    visibility: str | None = None
    agent: str | None = None
    """Who said something there."""

    def shown(self) -> dict[str, str | None]:
        return asdict(self)

    @property
    def given(self) -> bool:
        return any(self.shown().values())


@dataclass(frozen=True, slots=True)
class Known:
    """Names that there are now; a history may hold others."""

    channel: Set[str] = frozenset()
    network: Set[str] = frozenset()
    agent: Set[str] = frozenset()
    visibility: Set[str] = frozenset(get_args(Visibility))


def check(filters: Filters, history: History, known: Known) -> None:
    """A name that is nowhere would give a report of nothing. Raises ConfigError."""
    names = filters.shown()
    there = {name: {one for touch in history.touches if (one := getattr(touch, name))} for name in names}
    among(filters, {name: found | getattr(known, name) for name, found in there.items()})


def among(filters: Filters, names: Mapping[str, Set[str]]) -> None:
    """The same against the names themselves. Raises ConfigError."""
    for name, value in filters.shown().items():
        there = names[name]
        if value is not None and value not in there:
            raise ConfigError(f"there is no {name} {value[:80]!r} to report on; {near(value, sorted(there))}")


def chosen(found: Iterable[Journey], filters: Filters) -> list[Journey]:
    if not filters.given:
        return list(found)
    return [one for one in found if any(_meets(leg, filters) for leg in one.matter.legs)]


def _meets(leg: Leg, filters: Filters) -> bool:
    return (
        bool(leg.contacts)
        and filters.channel in (None, leg.channel)
        and filters.network in (None, leg.network)
        and filters.visibility in (None, leg.visibility)
        and (filters.agent is None or any(touch.agent == filters.agent for touch in leg.touches))
    )
