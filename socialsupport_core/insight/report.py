"""The report: a period's measures as one JSON document, with the period before it beside them."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from socialsupport_core.insight import measures, series
from socialsupport_core.insight.changes import changes, worst
from socialsupport_core.insight.costs import cost
from socialsupport_core.insight.evidence import evidence, moment
from socialsupport_core.insight.filters import Filters, chosen
from socialsupport_core.insight.history import History
from socialsupport_core.insight.journey import REASONS, Journey, journey
from socialsupport_core.insight.matters import matters
from socialsupport_core.insight.settings import Settings
from socialsupport_core.insight.themes import themes

Shown = dict[str, Any]
EARLIEST = -62_135_596_800_000_000
"""The first microsecond that a date can name: 0001-01-01."""
SHOWN = 100
"""Journeys that broke down are told one by one up to so many, the newest first."""


def report(history: History, settings: Settings, since: int | None = None, filters: Filters | None = None) -> Shown:
    """Of the matters that began between `since` (the beginning) and the history's end, in microseconds, and that the
    filters choose."""
    wanted = filters or Filters()
    every = [journey(one, settings, history.until) for one in matters(history, settings)]
    begun = every[0].matter.at if every else history.until
    start = begun if since is None else max(since, EARLIEST)
    before = max(start - (history.until - start), EARLIEST)
    mine = chosen((one for one in every if start <= one.matter.at < history.until), wanted)
    earlier = chosen((one for one in every if before <= one.matter.at < start), wanted)
    figures = _figures(mine, settings, history.until)
    return {
        "period": {"from": moment(start), "until": moment(history.until)},
        "filters": wanted.shown(),
        "assumptions": {
            "window_days": settings.window.total_seconds() / 86_400,
            "target_seconds": settings.target,
            "targets_seconds": settings.targets,
            "hours": settings.hours.model_dump(mode="json"),
        },
        **figures,
        "benchmarks": series.benchmarks(mine, settings, history.until),
        "distributions": series.distributions(mine, settings, history.until),
        "weeks": series.weeks(mine, settings, history.until, figures["cost"]["incurred"]["by_week"]),
        "arrivals": series.arrivals(mine, settings.hours),
        "flows": series.flows(mine),
        "failures": series.failures(mine),
        "worst": worst(mine, settings.hours),
        "changes": changes(mine, settings),
        "themes": themes(mine, every),
        "evidence": evidence(mine, settings, history.until),
        "previous": None
        if since is None
        else {
            "period": period_before(before, start, begun),
            **_figures(earlier, settings, history.until),
        },
        "journeys": [_told(one) for one in mine[::-1] if one.broke is not None][:SHOWN],
    }


def period_before(before: int, start: int, begun: int) -> Shown:
    """With `known_from`, where the history begins later than it: its counts are then no measure for a whole period."""
    told = {"from": moment(before), "until": moment(start)}
    return told | ({"known_from": moment(begun)} if begun > before else {})


def _figures(found: Sequence[Journey], settings: Settings, until: int) -> Shown:
    contacts = len(measures.contacts_of(found))
    return {
        "matters": {
            "count": len(found),
            "by_outcome": dict(sorted(Counter(one.ended for one in found).items())),
            "contacts": contacts,
            "contacts_per_matter": round(contacts / len(found), 2) if found else None,
        },
        "response": measures.response(found, settings),
        "resolution": measures.resolution(found, settings),
        "coverage": measures.coverage(found, settings, until),
        "first_contact_resolution": measures.first_contact(found),
        "handled_twice": measures.handled_twice(found),
        "channel_switches": measures.switches(found),
        "hand_offs": measures.hand_offs(found),
        "deflection": measures.deflection(found),
        "accuracy": measures.accuracy(found),
        "reach": measures.reach(found),
        "praise": measures.praise(found),
        "agents": measures.load(found),
        "channels": measures.by_channel(found, settings, until),
        "breakdowns": _breakdowns(found),
        "cost": cost(found, settings.costs),
    }


def _breakdowns(found: Sequence[Journey]) -> Shown:
    """How many matters broke down: why, on which channel, and at which leg, counted from 1."""
    broken = [(one.broke, one.steps[one.broke]) for one in found if one.broke is not None]
    return {
        **measures.share(len(broken), len(found)),
        "by_reason": dict(Counter(REASONS[step.reason or "no_answer"] for _, step in broken).most_common()),
        "by_channel": dict(Counter(step.leg.channel for _, step in broken).most_common()),
        "by_leg": dict(sorted(Counter(str(number + 1) for number, _ in broken).items())),
    }


def _told(one: Journey) -> Shown:
    """A journey leg by leg."""
    matter = one.matter
    return {
        "customer": matter.customer,
        "conversations": sorted(matter.conversations - {""}),
        "began": moment(matter.at),
        "outcome": one.ended,
        "broke_at": (one.broke or 0) + 1,
        "explanation": one.words,
        "legs": [
            {
                "channel": step.leg.channel,
                "network": step.leg.network,
                "visibility": step.leg.visibility,
                "began": moment(step.leg.at),
                "contacts": len(step.leg.contacts),
                "outcome": step.outcome,
                "reason": REASONS[step.reason] if step.reason else None,
                "explanation": step.words,
                "because_of": None if step.because_of is None else step.because_of + 1,
            }
            for step in one.steps
        ],
    }
