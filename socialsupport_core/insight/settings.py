"""What the measures assume, each editable by the tenant: targets, hours, costs, and how long a matter stays one."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from socialsupport_core.contract import ConfigError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MICRO = timedelta(microseconds=1)


class _Section(BaseModel):
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


class Hours(_Section):
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
            for opens, closes in self._openings(first.date() + timedelta(days=n))
        )

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    def _openings(self, day: date) -> list[tuple[int, int]]:
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


class Costs(_Section):
    """What a contact costs, and where customers turn to after a social contact has failed.

    The figures are those of "How to make social customer care pay", a survey of 2011 in US dollars; they are old, and
    yours are better. Of a hundred failed contacts one goes nowhere.
    """

    currency: str = "USD"
    source: str = "2011 survey, USD"
    contact: dict[str, float] = Field(
        default_factory=lambda: {"phone": 15.0, "web": 0.25, "email": 3.0, "chat": 5.0, "shop": 20.0}
    )
    """Of one contact, by the kind of the channel."""
    after_failure: dict[str, float] = Field(
        default_factory=lambda: {"phone": 0.40, "web": 0.25, "email": 0.17, "chat": 0.15, "shop": 0.02}
    )
    """The share that goes on there."""
    handled_twice: tuple[float, float] = (7.0, 9.0)
    """What it costs when two answer the same, from and to."""
    kinds: dict[str, str] = Field(
        default_factory=lambda: {
            "phone": "phone",
            "twilio": "phone",
            "email": "email",
            "webchat": "chat",
            "form": "web",
            "visit": "shop",
        }
    )
    """The kind of a network; one that is not named here has no cost of its own."""

    @property
    def failed_contact(self) -> float:
        """What a failed social contact is expected to cost."""
        return sum(share * self.contact[kind] for kind, share in self.after_failure.items())


HOUR = 3600.0


class Settings(_Section):
    """All of it."""

    window: timedelta = Field(default=timedelta(days=7), gt=timedelta(0))
    """How long a matter may be silent and still be the same."""
    targets: dict[str, float] = Field(
        default_factory=lambda: {"webchat": 300.0, "email": 24 * HOUR, "phone": 60.0, "twilio": 4 * HOUR}
    )
    """Seconds within which a contact is to be answered, by channel or network."""
    target: float = Field(default=4 * HOUR, gt=0)
    """The same for any other."""
    hours: Hours = Hours()
    costs: Costs = Costs()

    def target_of(self, channel: str, network: str) -> int:
        """Microseconds."""
        return int(self.targets.get(channel, self.targets.get(network, self.target)) * 1_000_000)

    @property
    def gap(self) -> int:
        """The window in microseconds."""
        return self.window // MICRO


def settings_of(given: Mapping[str, Any] | Path | None) -> Settings:
    """From a mapping or a TOML file. Raises ConfigError."""
    try:
        found = tomllib.loads(given.read_text("utf-8")) if isinstance(given, Path) else dict(given or {})
        return Settings.model_validate(found)
    except OSError as error:
        raise ConfigError(f"{given} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{given} is no TOML file: {error}") from error
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"the settings of the report: {said}") from error
