"""What the measures assume, each editable by the tenant: targets, hours, costs, and how long a matter stays one."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from socialsupport_core.contract import ConfigError
from socialsupport_core.guidance.service import MICRO, Section, Service


class Costs(Section):
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
            "webform": "web",
            "visit": "shop",
        }
    )
    """The kind of a network; one that is not named here has no cost of its own."""

    @property
    def failed_contact(self) -> float:
        """What a failed social contact is expected to cost."""
        return sum(share * self.contact[kind] for kind, share in self.after_failure.items())


class Benchmark(Section):
    """What is published of others, to stand beside our own."""

    share: float = Field(ge=0, le=1)
    wording: str = Field(min_length=1, max_length=200)
    source: str = Field(min_length=1, max_length=300)
    measure: Literal["answered", "unanswered"] = "answered"
    """Which share of our contacts stands beside it."""
    within: float | None = Field(default=None, gt=0)
    """Of what was answered, only what was within so many seconds."""


UNNAMED = "a published figure on social customer care; the study is not named to us, so check it before you quote it"
BENCHMARKS = (
    Benchmark(share=0.66, wording="66 % within four hours", source=UNNAMED, within=14_400),
    Benchmark(share=0.23, wording="23 % rarely answered", source=UNNAMED, measure="unanswered"),
    Benchmark(
        share=0.13,
        wording="only 13 % of messages to brands get any answer",
        source="the research that this project starts from; the study is not named to us",
    ),
)


class Settings(Service):
    """All of it."""

    window: timedelta = Field(default=timedelta(days=7), gt=timedelta(0))
    """How long a matter may be silent and still be the same."""
    costs: Costs = Costs()
    benchmarks: tuple[Benchmark, ...] = BENCHMARKS

    @property
    def gap(self) -> int:
        """The window in microseconds."""
        return self.window // MICRO


def assuming(given: Settings, service: Service) -> Settings:
    """What they do not say about targets and hours is as in the tenant's `service`."""
    kept = {name: getattr(service, name) for name in Service.model_fields if name not in given.model_fields_set}
    return given.model_copy(update=kept)


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
