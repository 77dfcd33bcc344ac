"""A tenant's rules for what goes out: those that are shipped, tuned key by key, and its own."""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Any, Literal

import regex  # type: ignore[import-untyped]
from pydantic import AfterValidator, Field, model_validator

from socialsupport_core.guidance.service import Section

Verdict = Literal["refuse", "approval", "warn", "off"]
LONGEST = 4000  # characters of a pattern
MOST = 100  # rules of a tenant


def _pattern(written: str) -> str:
    try:
        compiled(written)
    except regex.error as error:
        raise ValueError(f"is no regular expression: {error}") from None
    return written


@cache
def compiled(written: str) -> Any:
    """Line breaks before a `|` are for whoever reads the file."""
    return regex.compile(written.replace("\n|", "|"), regex.IGNORECASE)


Pattern = Annotated[str, Field(max_length=LONGEST), AfterValidator(_pattern)]
Names = tuple[Annotated[str, Field(min_length=1, max_length=100)], ...]


class Rule(Section):
    """What is left out says nothing. A rule applies where all that it says holds."""

    verdict: Verdict | None = None
    """`refuse`, `approval` (a second person), `warn`, or `off`."""
    reason: str | None = Field(default=None, min_length=1, max_length=300)
    remedy: str | None = Field(default=None, min_length=1, max_length=300)

    channels: Names | None = None
    networks: Names | None = None
    visibility: Literal["public", "private"] | None = None
    agents: Names | None = None
    new_agents: bool | None = None
    """Only of those whom `new_agents` of the policy names."""
    written: bool | None = None
    """Only what an agent has written, not the words of a hand-off."""

    pattern: Pattern | None = None
    """A regular expression. Only `unless` another one is found in the same sentence."""
    unless: Pattern | None = None
    words: Names | None = None
    """Whole words or phrases, any of them."""
    amount_above: float | None = Field(default=None, ge=0)
    """An amount of money above this one, in the same sentence as the pattern."""
    lacks: Pattern | None = None
    """It is not found anywhere in the text."""
    shouting: int | None = Field(default=None, ge=0)
    """So many words in capitals in a row."""
    longer_than: int | None = Field(default=None, ge=1)
    """Characters."""
    first: bool | None = None
    """Nobody has answered in this conversation yet."""
    other_channel: bool | None = None
    """It goes to another channel than the one on which the customer spoke last."""
    heated: int | None = Field(default=None, ge=0)
    """So many angry messages of the customer `within` so many minutes."""
    within: int = Field(default=30, ge=1, le=10_000)
    reach: int | None = Field(default=None, ge=0)
    """So many people may have read the customer's public message, and nobody has answered it there."""
    complains: bool | None = None
    """The customer's newest message complains."""

    def tuned(self, by: "Rule") -> "Rule":
        """What a tenant says about it takes the place of what is shipped; an empty text or 0 takes a condition away."""
        given = {name: getattr(by, name) for name in by.model_fields_set if getattr(by, name) is not None}
        return self.model_copy(update={name: None if value in ("", 0, ()) else value for name, value in given.items()})


CONDITIONS = (
    "pattern",
    "words",
    "amount_above",
    "lacks",
    "shouting",
    "longer_than",
    "first",
    "other_channel",
    "heated",
    "reach",
    "complains",
    "agents",
    "new_agents",
    "channels",
    "networks",
)
"""One of these at least a rule of a tenant's own must have: else it would apply to all that is ever said."""


@cache
def shipped() -> Mapping[str, Rule]:
    written = (resources.files(__package__) / "rules.toml").read_text("utf-8")
    return {name: Rule.model_validate(one) for name, one in tomllib.loads(written).items()}


RuleName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,50}$")]


class Rules(Section):
    """`[tenants.TENANT.guidance.policy]`"""

    rules: dict[RuleName, Rule] = Field(default_factory=dict, max_length=MOST)
    """Yours, and those that are shipped with what you change in them."""
    new_agents: dict[str, date] = Field(default_factory=dict)
    """By agent, until when a colleague reads along."""
    approvals: bool | None = None
    """Whether what needs approval is held until a second person has approved it; else it is a warning. Left out, it is
    held if somebody else's token has the scope `approve`."""
    expires: timedelta = Field(default=timedelta(days=1), gt=timedelta(0), le=timedelta(days=30))
    """After so long nobody approves it any more, and it does not go out."""

    @model_validator(mode="after")
    def _whole(self) -> "Rules":
        for name, one in self.rules.items():
            if name in shipped() or one.verdict == "off":
                continue
            for needed in ("verdict", "reason"):
                if getattr(one, needed) is None:
                    raise ValueError(f"rules.{name} is a rule of your own and needs a {needed}")
            if all(getattr(one, condition) in (None, "", ()) for condition in CONDITIONS):
                raise ValueError(f"rules.{name} applies to everything; give it a condition, such as words")
        return self

    @cached_property
    def effective(self) -> Mapping[str, Rule]:
        """All that apply to this tenant, by name."""
        mine = {
            name: shipped()[name].tuned(one) if name in shipped() else Rule().tuned(one)
            for name, one in self.rules.items()
        }
        return {name: one for name, one in (dict(shipped()) | mine).items() if one.verdict != "off"}
