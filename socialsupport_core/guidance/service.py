"""When somebody is there, and how soon a contact is to be answered."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from socialsupport_core.contract import Urgency

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = 3600.0
MICRO = timedelta(microseconds=1)
LONGEST = 800  # days that a target is looked for
SHARES: Mapping[Urgency, float] = {"high": 0.5}
YEAR = 366 + 7  # days; whoever is closed on all of them opens no more
TARGETS: Mapping[str, float] = {"webchat": 300.0, "email": 24 * HOUR, "phone": 60.0, "twilio": 4 * HOUR}


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; give one such as Europe/Berlin") from None
    return name


def _opening(written: str) -> str:
    begin, _, end = written.partition("-")
    try:
        opens, closes = time.fromisoformat(begin), time.fromisoformat("23:59:59.999999" if end == "24:00" else end)
    except ValueError:
        raise ValueError(f"{written!r} is no time of day; give one such as 09:00-17:30") from None
    if not opens < closes:
        raise ValueError(f"{written!r} ends before it begins; a night is two openings, 22:00-24:00 and 00:00-06:00")
    return written


class Hours(Section):
    """When somebody is there. Without any day it is always."""

    zone: Annotated[str, AfterValidator(_zone)] = "UTC"
    week: dict[str, tuple[Annotated[str, AfterValidator(_opening)], ...]] = Field(default_factory=dict)
    """By `mon` to `sun`, such as `["09:00-12:00", "13:00-17:30"]`."""
    holidays: tuple[date, ...] = ()

    def within(self, begin: int, end: int) -> int:
        """How many of the microseconds between two moments fall into the hours."""
        if not self.week or end <= begin:
            return max(0, end - begin)
        first, last = (datetime.fromtimestamp(at / 1_000_000, self._zone) for at in (begin, end))
        days = (last.date() - first.date()).days
        return sum(
            max(0, min(closes, end) - max(opens, begin))
            for n in range(days + 1)
            for opens, closes in self.openings(first.date() + timedelta(days=n))
        )

    def after(self, begin: int, micros: int) -> int | None:
        """When so many microseconds of the hours have gone by since then; None if that is years away, or never."""
        if not self.week:
            return begin + micros
        first, left = datetime.fromtimestamp(begin / 1_000_000, self._zone).date(), micros
        if not any(self.week.values()):
            return None
        for n in range(LONGEST):
            for opens, closes in sorted(self.openings(first + timedelta(days=n))):
                opens = max(opens, begin)  # noqa: PLW2901
                if closes - opens >= left:
                    return opens + left
                left -= max(0, closes - opens)
        return None

    def local(self, at: int) -> datetime:
        """A moment, in microseconds since 1970, as a clock on the wall shows it there."""
        return datetime.fromtimestamp(at / 1_000_000, self._zone)

    def open_at(self, at: int) -> bool:
        return self.within(at, at + 1) == 1

    def opens_after(self, at: int) -> int | None:
        """The first moment from then on at which somebody is there; None if nobody will be for a year."""
        if not self.week or self.open_at(at):
            return at
        first = datetime.fromtimestamp(at / 1_000_000, self._zone).date()
        for n in range(YEAR):
            openings = self.openings(first + timedelta(days=n))
            if later := [opens for opens, closes in openings if closes > opens >= at]:
                return min(later)
        return None

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _known(self) -> dict[date, list[tuple[int, int]]]:
        """Days whose openings were asked for: a report asks for the same ones again and again."""
        return {}

    def openings(self, day: date) -> list[tuple[int, int]]:
        if (known := self._known.get(day)) is not None:
            return known
        found = self._known[day] = self._opened(day)
        return found

    def _opened(self, day: date) -> list[tuple[int, int]]:
        if day in self.holidays:
            return []
        return [
            (self._at(day, written.partition("-")[0]), self._at(day, written.partition("-")[2]))
            for written in self.week.get(DAYS[day.weekday()], ())
        ]

    def _at(self, day: date, written: str) -> int:
        if written == "24:00":
            return self._at(day + timedelta(days=1), "00:00")
        local = datetime.combine(day, time.fromisoformat(written), self._zone)
        return (local - datetime(1970, 1, 1, tzinfo=UTC)) // MICRO


class Service(Section):
    """What customers may expect. The report and the queue go by the same."""

    target: float = Field(default=4 * HOUR, gt=0)
    """Seconds within which a contact is to be answered, on any channel that `targets` does not name."""
    targets: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=lambda: dict(TARGETS))
    """The same by channel or network."""
    hours: Hours = Hours()
    urgencies: dict[Urgency, Annotated[float, Field(gt=0, le=10)]] = Field(default_factory=lambda: dict(SHARES))
    """The share of the target within which a contact of this urgency is to be answered; 1 unless it is named."""
    warn: float = Field(default=0.75, gt=0, lt=1)
    """The share of the target after which a warning comes."""

    def target_of(self, channel: str, network: str, urgency: str | None = None) -> int:
        """Microseconds."""
        seconds = self.targets.get(channel, self.targets.get(network, self.target))
        return int(seconds * self.urgencies.get(urgency or "normal", 1.0) * 1_000_000)  # type: ignore[call-overload]

    def due(self, since: int, channel: str, network: str, urgency: str | None = None) -> int | None:
        """When the target of a contact that began then runs out."""
        return self.hours.after(since, self.target_of(channel, network, urgency))

    def warned(self, since: int, due_at: int) -> int:
        """When a warning comes, if the target runs out then: by the hours, too."""
        if not self.hours.week:
            return since + int((due_at - since) * self.warn)
        share = int(self.hours.within(since, due_at) * self.warn)
        return min(due_at, self.hours.after(since, share) or due_at)
