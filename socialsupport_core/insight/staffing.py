"""How many agents the targets take, hour by hour of the week, from what the log holds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

from socialsupport_core.guidance.service import DAYS, Hours, Service
from socialsupport_core.guidance.staffing import agents_needed, rostered
from socialsupport_core.insight.evidence import moment
from socialsupport_core.insight.history import History
from socialsupport_core.insight.matters import Contact, Leg, matters
from socialsupport_core.insight.settings import Settings

SECOND = 1_000_000
HOUR = 3600 * SECOND
AT_IT = 1800 * SECOND
"""Two answers of an agent further apart than this have a pause between them."""
ENOUGH = 20  # answers one after the other, from which on their distance is taken as what handling takes
ASSUMED = 300.0  # seconds of handling, where nothing was given or measured
Shown = dict[str, Any]


def staffing(
    history: History,
    settings: Settings,
    since: int,
    *,
    share: float = 0.8,
    handling: float | None = None,
    target: float | None = None,
    shrinkage: float = 0.3,
) -> Shown:
    """Of the contacts between `since` and the history's end, in microseconds. `handling` and `target` in seconds; as
    measured, and as the settings say, unless given. Who comes out of hours is there when the hours begin.
    """
    found = [
        (leg, one)
        for matter in matters(history, settings)
        for leg in matter.legs
        for one in leg.contacts
        if since <= one.at < history.until
    ]
    seconds, source = (handling, "given") if handling else measured([one for _, one in found])
    queues: dict[float, list[tuple[Leg, Contact]]] = {}
    for leg, one in found:
        goal = target or settings.target_of(leg.channel, leg.network) / SECOND
        queues.setdefault(goal, []).append((leg, one))
    shown = [
        _queue(goal, mine, settings, since, history.until, seconds, share) for goal, mine in sorted(queues.items())
    ]
    return {
        "period": {"from": moment(since), "until": moment(history.until)},
        "assumptions": {
            "share": share,
            "handling_seconds": round(seconds, 1),
            "handling": source,
            "shrinkage": shrinkage,
            "zone": settings.hours.zone,
        },
        "queues": shown,
        "hours": _together(shown, shrinkage),
    }


def measured(contacts: Iterable[Contact]) -> tuple[float, str]:
    """The mean distance of two answers of one agent, where whom the second answers was waiting at the first already:
    then nothing but the handling lies between them."""
    by_agent: dict[str, list[Contact]] = {}
    for one in contacts:
        if one.answer and one.answer.agent and not one.attended:
            by_agent.setdefault(one.answer.agent, []).append(one)
    spans = [span for mine in by_agent.values() for span in _busy(mine)]
    if len(spans) < ENOUGH:
        return ASSUMED, f"assumed: only {len(spans)} answers were given one after the other, {ENOUGH} would tell"
    return mean(spans) / SECOND, f"measured from {len(spans)} answers given one after the other"


def _busy(mine: Sequence[Contact]) -> Iterable[int]:
    ordered = sorted((one.answer.at, one.at) for one in mine if one.answer)
    for (first, _), (second, came) in pairwise(ordered):
        if came <= first and 0 < second - first <= AT_IT:
            yield second - first


def _queue(
    goal: float,
    mine: Sequence[tuple[Leg, Contact]],
    service: Service,
    since: int,
    until: int,
    handling: float,
    share: float,
) -> Shown:
    """The contacts with one target."""
    came: Counter[tuple[int, int]] = Counter()
    for _, one in mine:
        at = service.hours.opens_after(one.at)
        if at is not None and at < until:
            came[_slot(at, service.hours.zone)] += 1
    times = occurrences(service.hours, since, until)
    rows = []
    for slot, count in sorted(came.items()):
        arrivals = count / max(1, times[slot])
        needed = agents_needed(arrivals, handling, goal, share)
        rows.append(
            {
                "day": DAYS[slot[0]],
                "hour": slot[1],
                "arrivals": round(arrivals, 2),
                "agents": needed.agents,
                "within_target": round(needed.within, 4),
                "occupancy": round(needed.occupancy, 4),
                "mean_wait_seconds": round(needed.mean_wait, 1),
            }
        )
    channels = sorted({leg.channel for leg, _ in mine})
    return {"target_seconds": goal, "channels": channels, "contacts": len(mine), "hours": rows}


def occurrences(hours: Hours, since: int, until: int) -> Counter[tuple[int, int]]:
    """How often each hour of the week was there, within the hours, begun ones too."""
    found: Counter[tuple[int, int]] = Counter()
    zone = ZoneInfo(hours.zone)
    at = datetime.fromtimestamp(since / SECOND, zone).replace(minute=0, second=0, microsecond=0)
    while (begin := round(at.timestamp() * SECOND)) < until:
        if hours.within(begin, begin + HOUR) > 0:
            found[at.weekday(), at.hour] += 1
        at = (at.astimezone(ZoneInfo("UTC")) + timedelta(hours=1)).astimezone(zone)
    return found


def _slot(at: int, zone: str) -> tuple[int, int]:
    local = datetime.fromtimestamp(at / SECOND, ZoneInfo(zone))
    return local.weekday(), local.hour


def _together(queues: Sequence[Shown], shrinkage: float) -> list[Shown]:
    """Each queue with agents of its own: whoever answers several makes that a little more than it takes."""
    agents: Counter[tuple[str, int]] = Counter()
    for queue in queues:
        for row in queue["hours"]:
            agents[row["day"], row["hour"]] += row["agents"]
    ordered = sorted(agents.items(), key=lambda one: (DAYS.index(one[0][0]), one[0][1]))
    return [
        {"day": day, "hour": hour, "agents": count, "rostered": rostered(count, shrinkage)}
        for (day, hour), count in ordered
    ]
