"""The journey: what each leg of a matter came to, why, and at which it broke down.

A matter breaks down at its earliest failed leg: without that one the customer would not have had to go on, so what
follows is its consequence, however well or badly it went.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from socialsupport_core.insight.history import Handed, Touch
from socialsupport_core.insight.matters import Contact, Leg, Matter
from socialsupport_core.insight.settings import Settings
from socialsupport_core.insight.words import counted, listed, span

Outcome = Literal["resolved", "handed_off", "answered", "waiting", "failed", "ours"]
Reason = Literal["no_answer", "send_failed", "asked_again", "bounced", "reopened", "not_resolved", "gave_up"]
REASONS: Mapping[Reason, str] = {
    "no_answer": "no answer in time",
    "send_failed": "our answer could not be delivered",
    "asked_again": "asked again for what was known",
    "bounced": "sent to another channel, and did not arrive there",
    "reopened": "called resolved, and was not",
    "not_resolved": "answered without resolving",
    "gave_up": "sent to another channel, and gave up",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One leg and what it came to."""

    leg: Leg
    outcome: Outcome
    reason: Reason | None
    words: str
    because_of: int | None = None
    """The number of the leg that had failed before, counted from 0."""


@dataclass(frozen=True, slots=True)
class Journey:
    matter: Matter
    steps: tuple[Step, ...]

    @property
    def broke(self) -> int | None:
        """The number of the leg at which it broke down, counted from 0; None if none failed."""
        return next((number for number, step in enumerate(self.steps) if step.outcome == "failed"), None)

    @property
    def ended(self) -> Outcome:
        """How the last leg on which the customer spoke came out."""
        spoken = [step for step in self.steps if step.outcome != "ours"]
        return spoken[-1].outcome if spoken else "ours"

    @property
    def words(self) -> str:
        """Where it broke down and what followed."""
        if self.broke is None:
            return "it did not break down"
        blamed, later = self.steps[self.broke], self.steps[self.broke + 1 :]
        where = f"it broke down on {blamed.leg.channel}: {REASONS[blamed.reason or 'no_answer']}"
        followed = [step.leg.channel for step in later if step.outcome != "ours"]
        if not followed:
            return where
        return f"{where}; without that the customer would not have gone on to {listed(dict.fromkeys(followed))}"


def journey(matter: Matter, settings: Settings, until: int) -> Journey:
    """Pure: of one matter as it stood at `until`, in microseconds."""
    judged = [_judged(matter, number, settings, until) for number in range(len(matter.legs))]
    broke = next((number for number, one in enumerate(judged) if one[0] == "failed"), None)
    steps = (
        Step(leg, *one, None if broke is None or number <= broke else broke)
        for number, (leg, one) in enumerate(zip(matter.legs, judged, strict=True))
    )
    return Journey(matter, tuple(steps))


_Judged = tuple[Outcome, Reason | None, str]


def _judged(matter: Matter, number: int, settings: Settings, until: int) -> _Judged:
    leg = matter.legs[number]
    if not leg.contacts:
        return "ours", None, "only we spoke"
    after = next((one for one in matter.legs[number + 1 :] if one.contacts), None)
    handed = [one for one in matter.handed if one.channel == leg.channel and (after is None or one.at <= after.at)]
    if after is None:
        return _last(matter, leg, handed, settings, until)
    if any(one.state == "arrived" and one.arrived_channel == after.channel for one in handed):
        return "handed_off", None, f"handed off to {after.channel}, where the customer arrived"
    return _left(matter, leg, after, handed)


def _left(matter: Matter, leg: Leg, after: Leg, handed: Sequence[Handed]) -> _Judged:
    """The customer went on elsewhere by himself."""
    turned = f"the customer turned to {after.channel}"
    if not _is_answered(leg.contacts[-1], after.at):
        reason: Reason = "send_failed" if _has_failed(leg, leg.contacts[-1].at, after.at) else "no_answer"
        waited = span(after.at - leg.contacts[-1].at)
        return "failed", reason, f"{_unanswered(leg, after.at)}; {waited} after the last, {turned}"
    if kinds := _asked_again(matter, leg, after.at):
        return "failed", "asked_again", f"asked for {listed(kinds)}, which was known; {turned}"
    if any(turn.type == "resolved" and leg.at <= turn.at < after.at for turn in matter.turns):
        return "failed", "reopened", f"called resolved; {turned} all the same"
    if handed:
        return "failed", "bounced", f"sent elsewhere, without arriving there; {turned}"
    return "failed", "not_resolved", f"answered, but {turned} all the same"


def _last(matter: Matter, leg: Leg, handed: Sequence[Handed], settings: Settings, until: int) -> _Judged:
    """Nothing of the customer's came after."""
    last = leg.contacts[-1]
    if matter.resolved_at is not None:
        return "resolved", None, "resolved by an agent"
    if _is_answered(last, until):
        return _quiet(matter, handed, settings, until)
    if _has_failed(leg, last.at, until):
        return "failed", "send_failed", "our answer could not be delivered"
    if until - last.at > settings.target_of(leg.channel, leg.network):
        return "failed", "no_answer", f"{_unanswered(leg, until)}, the last for {span(until - last.at)}"
    return "waiting", None, f"has waited for {span(until - last.at)}"


def _quiet(matter: Matter, handed: Sequence[Handed], settings: Settings, until: int) -> _Judged:
    """We have had the last word."""
    if any(one.state == "expired" for one in handed):
        return "failed", "gave_up", "sent elsewhere; the customer did not come"
    silent = until - matter.last
    if silent > settings.gap:
        return "resolved", None, f"answered, and silent for {span(silent)} since"
    return "answered", None, "answered; the customer may come back"


def _is_answered(contact: Contact, until: int) -> bool:
    if contact.answered_at is not None:
        return contact.answered_at < until or contact.attended
    return contact.bot is not None and contact.bot.at < until


def _unanswered(leg: Leg, until: int) -> str:
    missing = sum(not _is_answered(one, until) for one in leg.contacts)
    if missing == len(leg.contacts):
        return f"{counted(missing, 'contact')}, {'none answered' if missing > 1 else 'not answered'}"
    return f"{missing} of {counted(len(leg.contacts), 'contact')} not answered"


def _has_failed(leg: Leg, since: int, until: int) -> bool:
    return any(touch.failed and since <= touch.at < until and not touch.is_rating for touch in leg.touches)


def _asked_again(matter: Matter, leg: Leg, until: int) -> list[str]:
    """Kinds that we asked for on this leg although the customer had told them, wherever that was."""
    known: set[str] = set()
    asked: dict[str, None] = {}
    mine = {id(touch) for touch in leg.touches}
    for touch in matter.touches:
        if touch.at < until and touch.by != "customer" and id(touch) in mine:
            asked |= dict.fromkeys(sorted(touch.asks & known))
        known |= _told(touch)
    return list(asked)


def _told(touch: Touch) -> frozenset[str]:
    return touch.told if touch.by == "customer" else frozenset()
