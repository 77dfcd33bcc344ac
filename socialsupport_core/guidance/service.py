"""When somebody is there, and how soon a contact is to be answered."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOUR = 3600.0
MICRO = timedelta(microseconds=1)
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

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def openings(self, day: date) -> list[tuple[int, int]]:
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

    def target_of(self, channel: str, network: str) -> int:
        """Microseconds."""
        return int(self.targets.get(channel, self.targets.get(network, self.target)) * 1_000_000)
