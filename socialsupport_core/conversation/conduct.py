"""How a tenant's conversations are conducted: what continues what, what customers tell, what stays private."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

import regex  # type: ignore[import-untyped]
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from socialsupport_core.conversation.kinds import SHIPPED, Kind
from socialsupport_core.conversation.personal import phones
from socialsupport_core.guidance import Guidance

RuleName = Literal["native_thread", "answers_us", "topic", "open_conversation"]
RULES: tuple[RuleName, ...] = ("native_thread", "answers_us", "topic", "open_conversation")
"""In the order in which they are asked, unless the tenant says otherwise."""
_MICRO = timedelta(microseconds=1)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _pattern(written: str) -> str:
    try:
        compiled = regex.compile(written)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    if written and compiled.match(""):
        raise ValueError("would find nothing everywhere; it must need at least one character")
    return written


def _rules(names: tuple[RuleName, ...]) -> tuple[RuleName, ...]:
    if "native_thread" not in names:
        raise ValueError("needs native_thread: without it every message would begin a conversation")
    if len(set(names)) < len(names):
        raise ValueError("names a rule twice")
    return names


def _kind_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name, re.ASCII):
        raise ValueError("may have up to 31 characters of a-z, 0-9 and _, and begins with a letter")
    return name


def _country(code: str) -> str:
    if not phones.is_country(code):
        raise ValueError("is no country; write its two capitals, such as ES (ISO 3166)")
    return code


KindName = Annotated[str, AfterValidator(_kind_name)]


class ContinuitySection(_Section):
    window: timedelta = Field(default=timedelta(days=7), gt=timedelta(0), le=timedelta(days=3650))
    """How long a conversation stays the place where its customer goes on, in seconds or such as `P7D`."""
    rules: Annotated[tuple[RuleName, ...], AfterValidator(_rules)] = RULES
    """Which rules are asked, in this order; the first that applies decides."""


class ToldSection(_Section):
    pattern: Annotated[str, Field(max_length=500), AfterValidator(_pattern)]
    """A regular expression; its first group is the value, else all of it. Empty switches off the shipped kind."""
    label: str | None = Field(default=None, min_length=1, max_length=40)
    """What it is called on the page; its name unless you say otherwise."""
    topic: bool = False
    """Two messages with the same value speak of the same matter."""
    lasting: bool = False
    """It belongs to the person and not to one matter, as an account number does."""
    public: bool = False
    """It may be said in public."""


class GuardSection(_Section):
    allowed: tuple[Annotated[str, Field(min_length=3, max_length=200)], ...] = ()
    """What may always be said in public: your own address, your hotline."""
    countries: tuple[Annotated[str, AfterValidator(_country)], ...] = Field(default=(), max_length=10)
    """Whose phone numbers are known as they are written at home, such as `ES`; needs `phonenumberslite`."""


class ConductSection(_Section):
    """All of it, as it is kept."""

    continuity: ContinuitySection = ContinuitySection()
    context: dict[KindName, ToldSection] = Field(default_factory=dict)
    guard: GuardSection = GuardSection()
    guidance: Guidance = Guidance()

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if len(self.context) > 50:
            raise ValueError("context has more than 50 kinds; join some patterns with |")
        return self


@dataclass(frozen=True, slots=True)
class Conduct:
    """The same, ready for use."""

    window: int = ContinuitySection().window // _MICRO
    """Microseconds."""
    rules: tuple[RuleName, ...] = RULES
    kinds: tuple[Kind, ...] = SHIPPED
    """What is looked for in texts, in this order; of two that overlap the first stays."""
    allowed: frozenset[str] = frozenset()
    countries: tuple[str, ...] = ()
    by_name: Mapping[str, Kind] = field(default_factory=lambda: {one.name: one for one in SHIPPED})
    guidance: Guidance = field(default_factory=Guidance)


DEFAULT = Conduct()


def conduct_of(value: Mapping[str, Any]) -> Conduct:
    """What was kept, ready for use."""
    if not value:
        return DEFAULT
    given = ConductSection.model_validate(value)
    own = [_kind(name, one) for name, one in given.context.items() if one.pattern]
    kinds = (*own, *(one for one in SHIPPED if one.name not in given.context))
    return Conduct(
        given.continuity.window // _MICRO,
        given.continuity.rules,
        kinds,
        frozenset(given.guard.allowed),
        given.guard.countries,
        {one.name: one for one in kinds},
        given.guidance,
    )


def _kind(name: str, given: ToldSection) -> Kind:
    label = given.label or name.replace("_", " ").capitalize()
    compiled = regex.compile(given.pattern, regex.IGNORECASE)
    return Kind(name, label, (compiled,), given.topic, given.lasting, given.public, own=True)
