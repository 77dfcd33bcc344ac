"""The measures of `measures.py` and `report.py`, asked of the tables of all matters, for both periods at once.

What a place answers are small tables of counts; the shares and sums are made here by the same functions.
"""

from dataclasses import dataclass
from typing import Any

import ibis
from ibis import _

from socialsupport_core.insight.history import RATING
from socialsupport_core.insight.measures import Shown
from socialsupport_core.insight.scaled.clock import Clock
from socialsupport_core.insight.scaled.journeys import target
from socialsupport_core.insight.scaled.matters import sorted_by, tally, turns_to_us, upto, where
from socialsupport_core.insight.scaled.place import Place, Row, Table
from socialsupport_core.insight.settings import Settings

RANKS = (50, 75, 90)
WEEK = 7 * 86_400_000_000
MONDAY = 3 * 86_400_000_000
"""1 January 1970 was a Thursday."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The tables, each with the `period` of its matter: 1, or 0 for the one before."""

    place: Place
    matters: Table
    legs: Table
    contacts: Table
    said: Table
    deeds: Table
    clock: Clock


def count(condition: Any) -> Any:
    """How many rows it holds for; null is no."""
    return tally(condition).sum().cast("int64")


def spreads(place: Place, rows: Table, *by: str) -> dict[tuple[Any, ...], Shown]:
    """By period and the like: the mean and the nearest ranks of `value`, as `measures.spread` gives them."""
    keys = ["period", *by]
    ranked = rows.select(*keys, "value").mutate(
        rank=ibis.row_number().over(sorted_by(keys, "value")) + 1, rows=_.count().over(ibis.window(group_by=keys))
    )
    found = ranked.group_by(keys).agg(
        rows=_.rows.max(),
        whole=(_.value // 1_000_000).sum().cast("int64"),
        rest=(_.value % 1_000_000).sum().cast("int64"),
        **{f"p{part}": where(_.rank == (_.rows * part + 99) // 100, _.value).max() for part in RANKS},
    )
    return {tuple(row[key] for key in keys): _spread(row) for row in place.rows(found)}


def _seconds(micros: float) -> float:
    return round(micros / 1_000_000, 3)


def _spread(row: Row) -> Shown:
    mean = (int(row["whole"]) * 1_000_000 + int(row["rest"])) / row["rows"]
    return {"count": row["rows"], "mean": _seconds(mean)} | {f"p{part}": _seconds(row[f"p{part}"]) for part in RANKS}


def waits(ground: Ground) -> dict[str, dict[tuple[Any, ...], Shown]]:
    """Every spread, by name; by period, and by channel or agent where the name says so."""
    place = ground.place
    people = ground.contacts.filter(~_.attended & _.answered_at.notnull())
    asked = ground.contacts.filter(~_.attended).group_by("period", "matter")
    first = asked.agg(begins=_.at.min(), ends=_.answered_at.min()).filter(_.ends.notnull())
    ended = ground.matters.filter(_.resolved_at.notnull()).mutate(begins=_.at, ends=_.resolved_at)
    bots = ground.contacts.filter(~_.attended & _.bot_at.notnull())
    named = people.filter(_.agent.notnull() & (_.agent != ""))
    plain = {
        "first": first.mutate(value=_.ends - _.begins),
        "first_in_hours": ground.clock.within(first),
        "people": people.mutate(value=_.answered_at - _.at),
        "people_in_hours": ground.clock.within(people.mutate(begins=_.at, ends=_.answered_at)),
        "bots": bots.mutate(value=_.bot_at - _.at),
        "time": ended.mutate(value=_.ends - _.begins),
        "time_in_hours": ground.clock.within(ended),
    }
    return {name: spreads(place, rows) for name, rows in plain.items()} | {
        "channels": spreads(place, people.mutate(value=_.answered_at - _.at), "channel"),
        "agents": spreads(place, named.mutate(value=_.answered_at - _.at), "agent"),
    }


def contacts(ground: Ground, settings: Settings, until: int) -> list[Row]:
    """Counts of contacts, by period and channel."""
    place = ground.place
    every = ground.contacts.mutate(ends=where(_.attended, _.at))
    every = every.mutate(ends=ibis.coalesce(_.ends, _.answered_at), begins=_.at)
    every = every.mutate(target=target(place, every, settings))
    taken = ground.clock.within(every.filter(_.ends.notnull()))
    never = every.filter(_.ends.isnull()).mutate(value=ibis.null("int64"))
    every = taken.union(never.select(*taken.columns))
    late = until - _.begins > _.target
    public = _.visibility == "public"
    found = every.group_by("period", "channel").agg(
        contacts=_.count(),
        due=count(_.ends.notnull() | late),
        answered=count(_.ends.notnull()),
        in_target=count(_.value <= _.target),
        replies=count(_.answered_at.notnull()),
        edited=count(_.answered_at.notnull() & _.edited),
        public=count(public),
        public_answered=count(public & _.ends.notnull()),
        people=where(public, _.reach).sum().cast("int64"),
    )
    return place.rows(found)


def matters(ground: Ground) -> list[Row]:
    """Counts of matters, by period and outcome."""
    found = ground.matters.group_by("period", "ended").agg(
        matters=_.count(),
        broke=count(_.broke.notnull()),
        reopened=count(_.reopened > 0),
        at_first=count((_.contacts == 1) & (_.reopened == 0)),
        twice=count((_.agents > 1) | _.apart),
        by_machines=count(_.bot & ~_.person),
        handed_off=where(_.broke.isnull(), _.handed_off).sum().cast("int64"),
    )
    return ground.place.rows(found)


def breakdowns(ground: Ground) -> list[Row]:
    """In the order in which the first of each began."""
    broken = ground.matters.filter(_.broke.notnull()).group_by(
        "period", "broke_reason", "broke_channel", "broke_position"
    )
    return ground.place.rows(broken.agg(matters=_.count(), first=_.at.min()).order_by("first"))


def failed_legs(ground: Ground) -> list[Row]:
    failed = ground.legs.filter(_.outcome == "failed").group_by("period", "channel", "network")
    return ground.place.rows(failed.agg(legs=_.count()))


def followed(ground: Ground) -> list[Row]:
    """The legs after each breakdown: how many, by what was blamed, the week in which they began, and their contacts."""
    blamed = ground.matters.filter(_.broke.notnull()).select(
        "broke", "broke_reason", "broke_channel", of_matter="matter"
    )
    later = ground.legs.join(blamed, ground.legs.matter == blamed.of_matter).filter(_.leg > _.broke)
    later = later.mutate(week=(_.at + MONDAY) // WEEK)
    each = later.group_by("period", "broke_channel", "broke_reason", "week", "network", "contacts")
    return ground.place.rows(each.agg(legs=_.count()))


def switches(ground: Ground) -> list[Row]:
    """How often customers went on elsewhere, and how often the conversation was the same there."""
    before = ground.legs.filter(_.next_leg.notnull()).select("period", "leg", "next_leg")
    known = ground.said.select("leg", "conversation").distinct()
    after = known.select(after="leg", their="conversation")
    kept = before.join(known, "leg").join(after, (_.next_leg == after.after) & (_.conversation == after.their))
    kept = kept.select(kept="leg").distinct()
    both = before.left_join(kept, before.leg == kept.kept).group_by("period")
    return ground.place.rows(both.agg(switches=_.count(), kept=count(_.kept.notnull())))


def hand_offs(ground: Ground) -> list[Row]:
    handed = ground.deeds.filter(_.type == "handed").group_by("period", "state")
    return ground.place.rows(handed.agg(count=_.count()))


def ratings(ground: Ground) -> list[Row]:
    rated = ground.said.filter(_.rating.notnull()).group_by("period", "rating")
    return ground.place.rows(rated.agg(count=_.count()))


def verdicts(ground: Ground) -> list[Row]:
    """How often customers were asked how it went, and what they said, by period and value."""
    asked = (_.by == "bot") & (_.kind == RATING) & ~_.failed
    told = ground.said.filter(_.verdict.notnull() | asked).group_by("period", "verdict")
    return ground.place.rows(told.agg(count=count(_.verdict.notnull()), asked=count(asked)))


def praise(ground: Ground) -> list[Row]:
    """Messages of customers, how many of them praise, and the agent whose answer came last before, by both."""
    spoke = (_.by == "agent") & (_.agent != "") & ~_.failed
    so_far = upto("matter")
    known = ground.said.mutate(last=where(spoke.fill_null(False), _.number).max().over(so_far))
    agents = ground.said.select(named="number", name="agent")
    mine = known.filter(turns_to_us(_)).left_join(agents, _.last == agents.named)
    by = mine.group_by("period", name=ibis.coalesce(mine.name, ""))
    return ground.place.rows(by.agg(messages=_.count(), praised=count(_.contact == "praise")))


def agents(ground: Ground) -> list[Row]:
    named = ground.contacts.filter(_.agent.notnull() & (_.agent != "")).group_by("period", "agent")
    return ground.place.rows(named.agg(contacts=_.count(), matters=_.matter.nunique()))


def channels(ground: Ground) -> list[Row]:
    """Where customers have spoken."""
    spoken = ground.legs.filter(_.contacts > 0)
    return ground.place.rows(spoken.select("period", "channel", "network").distinct())
