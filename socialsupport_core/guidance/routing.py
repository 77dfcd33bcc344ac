"""Who is to have which conversation. Pure functions: the same state gives the same choice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from socialsupport_core.contract.routing import Candidate, RoutingCase
from socialsupport_core.guidance.service import Hours, Section

Name = Annotated[str, Field(min_length=1, max_length=64)]
Language = Annotated[str, Field(pattern="^[a-z]{2,3}$")]
AnyCase = Annotated[str, Field(min_length=2, max_length=80)]


class AgentAtWork(Section):
    """What an agent can do, and when. Whatever is left out sets no limit."""

    skills: frozenset[Name] = frozenset()
    languages: frozenset[Language] = frozenset()
    """Those in which the agent writes; any if none is named."""
    channels: frozenset[Name] = frozenset()
    """Channels, or networks; all if none is named."""
    capacity: int = Field(default=5, ge=0, le=1000)
    """Open conversations at once."""
    groups: frozenset[Name] = frozenset()
    hours: Hours | None = None
    """The tenant's own unless named."""
    on_call: Hours | None = None
    """Beside the hours: asked only while nobody else is there."""


class Need(Section):
    """What needs a skill: any of the words, or something of a kind that was told, on any of the channels."""

    skill: Name
    words: tuple[AnyCase, ...] = ()
    told: frozenset[Name] = frozenset()
    """Kinds of what customers tell, such as `invoice`."""
    channels: frozenset[Name] = frozenset()

    @model_validator(mode="after")
    def _says_when(self) -> "Need":
        if not (self.words or self.told or self.channels):
            raise ValueError("says of nothing that it needs the skill; give words, told or channels")
        return self


class Escalation(Section):
    """After so long without an answer another group has it."""

    after: float = Field(gt=0)
    """Seconds within the tenant's hours."""
    to: Name


class Routing(Section):
    """Off unless it is switched on: then what waits and is nobody's is given to somebody."""

    enabled: bool = False
    agents: dict[Name, AgentAtWork] = Field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    fallback: Name | None = None
    """The group that takes what nobody with the skill can take. Without one it stays in the queue."""
    sticky: bool = True
    """Whoever knows the customer comes first, if there is room."""
    sticky_days: int = Field(default=30, ge=1, le=3650)
    seen_within: float | None = Field(default=None, ge=60)
    """Seconds: only who has had the page open as lately gets anything. Left out, all who did not sign off."""
    reassign: bool = True
    """What routing has given, and waits, goes to somebody else when its agent's hours end or the agent is away."""
    away_after: float = Field(default=1800, ge=0)
    """Seconds for which an agent may be away before that."""
    escalation: tuple[Escalation, ...] = ()
    """Step by step, each later than the one before."""

    @model_validator(mode="after")
    def _agrees(self) -> "Routing":
        groups = {group for one in self.agents.values() for group in one.groups}
        for named in [self.fallback, *(one.to for one in self.escalation)]:
            if named is not None and named not in groups:
                raise ValueError(f"nobody is in the group {named!r}; name it in the groups of an agent")
        steps = [one.after for one in self.escalation]
        if steps != sorted(set(steps)):
            raise ValueError("each step of the escalation must come later than the one before")
        return self


@dataclass(frozen=True, slots=True)
class AtWork:
    """An agent as things stand."""

    agent: str
    at: AgentAtWork
    load: int
    on: Literal["hours", "call"] | None
    """Within hours, on call, or not there."""
    away: str | None = None
    """Why the agent is away."""
    idle_since: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation that is nobody's, or is to be somebody else's."""

    conversation: str
    waiting_since: int
    channels: frozenset[str] = frozenset()
    """On which it can be answered: channels and their networks."""
    language: str | None = None
    skills: frozenset[str] = frozenset()
    known_by: tuple[str, ...] = ()
    """Who has answered the customer, the last one first."""
    group: str | None = None
    without: frozenset[str] = frozenset()
    """Agents who are not to have it: who had it and is not there."""


@dataclass(frozen=True, slots=True)
class Choice:
    agent: str | None
    reason: str
    candidates: tuple[Candidate, ...] = field(default=(), compare=False)


def choose(case: Case, team: Sequence[AtWork], routing: Routing) -> Choice:
    """Hard limits first: skill, language, channel, group, time, room. Then who knows the customer, then who has the
    smallest share of capacity in use, then who has been given nothing for the longest, then by name."""
    against = {one.agent: _against(one, case) for one in team}
    free = [one for one in team if against[one.agent] is None]
    regular = [one for one in free if one.on == "hours"]
    found = regular or free
    if found:
        best = min(found, key=lambda one: _order(one, case, routing))
        return Choice(best.agent, _reason(best, case, routing), tuple(_candidate(one, case) for one in found))
    if fallback := _fallback(case, team, routing):
        return fallback
    return Choice(None, _nobody(against))


def choose_all(cases: Iterable[Case], team: Sequence[AtWork], routing: Routing, now: int) -> list[tuple[Case, Choice]]:
    """Whoever has waited longest first; each choice counts for the next."""
    here = {one.agent: one for one in team}
    chosen = []
    for turn, case in enumerate(sorted(cases, key=lambda one: (one.waiting_since, one.conversation))):
        choice = choose(case, list(here.values()), routing)
        if choice.agent is not None:
            here[choice.agent] = taken(here[choice.agent], now + turn)
        chosen.append((case, choice))
    return chosen


def taken(one: AtWork, at: int) -> AtWork:
    return replace(one, load=one.load + 1, idle_since=at)


def case_for(tenant: str, case: Case, choice: Choice) -> RoutingCase:
    """As a plugin is asked."""
    return RoutingCase(
        tenant=tenant,
        conversation=case.conversation,
        channels=tuple(sorted(case.channels)),
        language=case.language,
        skills=case.skills,
        waiting_since=case.waiting_since,
        group=case.group,
        candidates=choice.candidates,
    )


def skills_needed(routing: Routing, text: str, told: frozenset[str], channels: frozenset[str]) -> frozenset[str]:
    """By the words that the customer used, the kinds of what was told, and the channels."""
    said = text.casefold()
    return frozenset(
        one.skill
        for one in routing.needs
        if any(word.casefold() in said for word in one.words) or one.told & told or one.channels & channels
    )


def _against(one: AtWork, case: Case, *, skills: bool = True) -> str | None:
    """Why this agent cannot have it now; None if nothing is against it."""
    at, missing = one.at, case.skills - one.at.skills
    spoken = not case.language or not at.languages or case.language in at.languages
    hindrances = (
        (one.agent in case.without, "had it and is not there"),
        (case.group is not None and case.group not in at.groups, f"is not in {case.group}"),
        (skills and bool(missing), f"lacks {', '.join(sorted(missing))}"),
        (not spoken, f"does not write {case.language}"),
        (bool(at.channels) and not at.channels & case.channels, "does not answer there"),
        (one.on is None, "is off duty"),
        (one.away is not None, one.away),
        (one.load >= at.capacity, "has no room"),
    )
    return next((why for is_so, why in hindrances if is_so), None)


def _order(one: AtWork, case: Case, routing: Routing) -> tuple[int, Fraction, int, str]:
    known = case.known_by.index(one.agent) if routing.sticky and one.agent in case.known_by else len(case.known_by)
    return known, Fraction(one.load, max(1, one.at.capacity)), one.idle_since, one.agent


def _reason(one: AtWork, case: Case, routing: Routing) -> str:
    facts = [f"needs {', '.join(sorted(case.skills))}"] if case.skills else []
    if case.language and one.at.languages:
        facts.append(f"writes {case.language}")
    if case.group:
        facts.append(f"escalated to {case.group}")
    if one.on == "call":
        facts.append("on call, nobody else is there")
    if routing.sticky and one.agent in case.known_by:
        facts.append("knows this customer")
    return "; ".join([*facts, f"{one.load} of {one.at.capacity} open"])


def _fallback(case: Case, team: Sequence[AtWork], routing: Routing) -> Choice | None:
    """Those of the group for the rest may lack the skill, but neither language, channel, time nor room."""
    if routing.fallback is None or case.group not in (None, routing.fallback):
        return None
    found = [one for one in team if routing.fallback in one.at.groups and _against(one, case, skills=False) is None]
    if not found:
        return None
    best = min(found, key=lambda one: _order(one, case, routing))
    lacking = f" with {', '.join(sorted(case.skills))}" if case.skills else ""
    why = f"nobody{lacking} is free; {routing.fallback} takes the rest; {best.load} of {best.at.capacity} open"
    return Choice(best.agent, why, tuple(_candidate(one, case) for one in found))


def _nobody(against: Mapping[str, str | None]) -> str:
    """What stands in the way, the most frequent first."""
    if not against:
        return "no agent is named in the settings of routing"
    counted: dict[str, int] = {}
    for why in against.values():
        counted[why or ""] = counted.get(why or "", 0) + 1
    told = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    return "nobody can have it: " + ", ".join(f"{why} ({count})" for why, count in told)


def _candidate(one: AtWork, case: Case) -> Candidate:
    return Candidate(
        agent=one.agent,
        load=one.load,
        capacity=one.at.capacity,
        skills=one.at.skills,
        languages=one.at.languages,
        groups=one.at.groups,
        knows=case.known_by.index(one.agent) if one.agent in case.known_by else None,
        idle_since=one.idle_since,
    )
