"""What charts are drawn from: how long contacts waited, when they came, week by week, and from where to where."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from socialsupport_core.guidance.service import DAYS, Hours
from socialsupport_core.insight import measures
from socialsupport_core.insight.costs import week_of
from socialsupport_core.insight.journey import REASONS, Journey
from socialsupport_core.insight.matters import Contact, Leg
from socialsupport_core.insight.settings import Benchmark, Settings

Shown = dict[str, Any]
EDGES = (300, 900, 3_600, 14_400, 28_800, 86_400, 259_200)
"""Seconds: five and fifteen minutes, an hour, four, eight, a day, three days."""
SECOND = 1_000_000
DAY_HOURS = 24


def distributions(found: Sequence[Journey], settings: Settings, until: int) -> list[Shown]:
    """How long customers waited for people: of all contacts, then channel by channel, the busiest first. A call that
    was taken waits for nothing and is left out; so is what may still be answered in time."""
    by_channel: dict[tuple[str, str], list[Contact]] = defaultdict(list)
    for leg, one in _waited(found, settings, until):
        by_channel[leg.channel, leg.network].append(one)
    targets = {settings.target_of(*key) / SECOND for key in by_channel}
    every = [one for contacts in by_channel.values() for one in contacts]
    told = [_distribution(None, None, every, targets.pop() if len(targets) == 1 else None)]
    for (channel, network), mine in sorted(by_channel.items(), key=lambda item: (-len(item[1]), item[0])):
        told.append(_distribution(channel, network, mine, settings.target_of(channel, network) / SECOND))
    return told


def _waited(found: Iterable[Journey], settings: Settings, until: int) -> list[tuple[Leg, Contact]]:
    return [(leg, one) for leg, one in measures.due(found, settings, until) if not one.attended]


def _distribution(channel: str | None, network: str | None, contacts: Sequence[Contact], target: float | None) -> Shown:
    waits = [(one.answer.at - one.at) / SECOND for one in contacts if one.answer]
    reached = [sum(wait <= edge for wait in waits) for edge in EDGES]
    bins = [
        {"within_seconds": edge, "count": here - before, "by_then": measures.share(here, len(contacts))}
        for edge, here, before in zip(EDGES, reached, [0, *reached], strict=False)
    ]
    return {
        "channel": channel,
        "network": network,
        "contacts": len(contacts),
        "target_seconds": target,
        "bins": bins,
        "later": len(waits) - reached[-1],
        "answered": measures.share(len(waits), len(contacts)),
        "unanswered": measures.share(len(contacts) - len(waits), len(contacts)),
    }


def benchmarks(found: Sequence[Journey], settings: Settings, until: int) -> list[Shown]:
    """What is published, and the nearest of our own: of the same contacts as the distributions."""
    contacts = [one for _, one in _waited(found, settings, until)]
    return [
        one.model_dump(include={"share", "wording", "source", "measure"})
        | {"within_seconds": one.within, "ours": measures.share(sum(_fits(c, one) for c in contacts), len(contacts))}
        for one in settings.benchmarks
    ]


def _fits(contact: Contact, one: Benchmark) -> bool:
    if one.measure == "unanswered":
        return contact.answer is None
    return contact.answer is not None and (one.within is None or contact.answer.at - contact.at <= one.within * SECOND)


def weeks(found: Sequence[Journey], settings: Settings, until: int, cost: dict[str, float]) -> list[Shown]:
    """By the week in which a matter began (ISO 8601, UTC), without a gap; `cost` by the week of the breakdown."""
    by_week: dict[str, list[Journey]] = defaultdict(list)
    for one in found:
        by_week[week_of(one.matter.at)].append(one)
    return [_week(name, by_week.get(name, []), settings, until, cost) for name in _between([*by_week, *cost])]


def _week(name: str, mine: Sequence[Journey], settings: Settings, until: int, cost: dict[str, float]) -> Shown:
    contacts = [one for _, one in measures.contacts_of(mine)]
    waits = measures.spread(one.answer.at - one.at for one in contacts if one.answer and not one.attended)
    return {
        "week": name,
        "from": f"{datetime.strptime(f'{name}-1', '%G-W%V-%u').date()}",  # noqa: DTZ007 - a day, not a moment
        "matters": len(mine),
        "contacts": len(contacts),
        "response_p50": waits["p50"],
        "coverage": measures.coverage(mine, settings, until),
        "broke": measures.share(sum(one.broke is not None for one in mine), len(mine)),
        "incurred": cost.get(name, 0.0),
    }


def _between(names: Iterable[str]) -> Iterator[str]:
    days = sorted(datetime.strptime(f"{name}-1", "%G-W%V-%u").replace(tzinfo=UTC) for name in names)
    if days:
        for number in range((days[-1] - days[0]).days // 7 + 1):
            year, week, _ = (days[0] + timedelta(weeks=number)).isocalendar()
            yield f"{year}-W{week:02}"


def arrivals(found: Sequence[Journey], hours: Hours) -> Shown:
    """When customers turn to us, when people answer, and when somebody is meant to be there: seven rows from Monday,
    24 hours each, in the zone of the hours. `open` is the share of the hour."""
    contacts, answers = _grid(), _grid()
    outside = 0
    every = [one for _, one in measures.contacts_of(found)]
    for one in every:
        _count(contacts, one.at, hours)
        outside += hours.within(one.at, one.at + SECOND) == 0
    for journey in found:
        for leg in journey.matter.legs:
            for touch in leg.touches:
                if touch.by == "agent" and not touch.failed:
                    _count(answers, touch.at, hours)
    return {
        "zone": hours.zone,
        "contacts": contacts,
        "answers": answers,
        "open": [[_open(hours, day, hour) for hour in range(DAY_HOURS)] for day in DAYS],
        "outside_hours": measures.share(outside, len(every)),
    }


def _grid() -> list[list[int]]:
    return [[0] * DAY_HOURS for _ in DAYS]


def _count(grid: list[list[int]], at: int, hours: Hours) -> None:
    moment = hours.local(at)
    grid[moment.weekday()][moment.hour] += 1


def _open(hours: Hours, day: str, hour: int) -> float:
    if not hours.week:
        return 1.0
    spans = [
        (_minutes(begin), _minutes(end)) for begin, _, end in (one.partition("-") for one in hours.week.get(day, ()))
    ]
    return round(sum(max(0, min(end, (hour + 1) * 60) - max(begin, hour * 60)) for begin, end in spans) / 60, 2)


def _minutes(written: str) -> int:
    if written == "24:00":
        return 24 * 60
    moment = time.fromisoformat(written)
    return moment.hour * 60 + moment.minute


def flows(found: Sequence[Journey]) -> list[Shown]:
    """From where to where customers went on, most often first; of these how many by a hand-off, and how many were
    known there."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    handed: Counter[tuple[str, str, str, str]] = Counter()
    kept: Counter[tuple[str, str, str, str]] = Counter()
    for one in found:
        for before, after in measures.turns(one):
            key = before.leg.channel, before.leg.visibility, after.leg.channel, after.leg.visibility
            counts[key] += 1
            handed[key] += before.outcome == "handed_off"
            kept[key] += measures.keeps_context(before.leg, after.leg)
    return [
        {
            "from": {"channel": key[0], "visibility": key[1]},
            "to": {"channel": key[2], "visibility": key[3]},
            "count": count,
            "handed_off": handed[key],
            "with_context": measures.share(kept[key], count),
        }
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def failures(found: Sequence[Journey]) -> list[Shown]:
    """Matters that broke down, by reason, channel and leg (from 1), most often first."""
    counts: Counter[tuple[str, str, int]] = Counter()
    for one in found:
        if one.broke is not None:
            step = one.steps[one.broke]
            counts[REASONS[step.reason or "no_answer"], step.leg.channel, one.broke + 1] += 1
    return [
        {"reason": reason, "channel": channel, "leg": leg, "matters": count}
        for (reason, channel, leg), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
