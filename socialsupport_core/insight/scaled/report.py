"""The figures of the report over tables of any size: those of `report.report`, to the microsecond."""

from typing import Any

import ibis
from ibis import _

from socialsupport_core.insight.filters import Filters
from socialsupport_core.insight.history import Handed, History, Touch, Turn
from socialsupport_core.insight.measures import Shown
from socialsupport_core.insight.report import SHOWN, period_before
from socialsupport_core.insight.report import report as in_memory
from socialsupport_core.insight.scaled import figures, journeys, legs, matters
from socialsupport_core.insight.scaled.clock import Clock
from socialsupport_core.insight.scaled.figures import Ground
from socialsupport_core.insight.scaled.place import Moved, Place, Table, unseen
from socialsupport_core.insight.scaled.shown import shown
from socialsupport_core.insight.scaled.tables import Tables
from socialsupport_core.insight.settings import Settings

LEFT_OUT = frozenset(
    {
        "benchmarks", "distributions", "weeks", "arrivals", "flows", "failures", "worst", "changes", "evidence",
        "themes",
    }
)  # fmt: skip
"""What is told of a store only: most of it is what the page draws."""
PARTS = 5
KEPT = (
    "said", "spoken", "mine", "legged", "deeds_of", "matters", "contacts", "legs", "whole", "told", "placed", "rated",
    "turning_up", "asked", "turned_to_us", "firsts", "spoken_legs", "fact_0", "fact_1", "fact_2", "fact_3", "judged",
    "pieces", "periods",
)  # fmt: skip


def without(told: Shown) -> Shown:
    """A report of a store, as an export tells it."""
    before = told.get("previous")
    kept = {name: one for name, one in told.items() if name not in LEFT_OUT}
    return kept | ({"previous": without(before)} if before else {})


def report(
    place: Place,
    tables: Tables,
    settings: Settings,
    until: int,
    since: int | None = None,
    moved: Moved = unseen,
    filters: Filters | None = None,
) -> Shown:
    """As `report.report` gives it, without `LEFT_OUT`. What is in the tables at `until` or later does not count."""
    try:
        return _report(place, tables, settings, until, since, moved, filters or Filters())
    finally:
        place.drop(*KEPT)


def _report(
    place: Place, tables: Tables, settings: Settings, until: int, since: int | None, moved: Moved, filters: Filters
) -> Shown:
    ground, start, begun = _grounded(place, before(tables, until), settings, until, since, moved, filters)
    shell = in_memory(History(until=until), settings, start)
    figure = shown(ground, settings, until)
    moved(PARTS, PARTS)
    period = period_before(start - (until - start), start, begun)
    earlier = None if since is None else {"period": period, **figure(0)}
    told = _newest(place, ground, tables, settings, until, start, filters)
    return {
        "period": shell["period"],
        "filters": filters.shown(),
        "assumptions": shell["assumptions"],
        **figure(1),
        "previous": earlier,
        "journeys": told,
    }


def before(tables: Tables, until: int) -> Tables:
    return Tables(*(one.filter(_.at < until) for one in (tables.touches, tables.turns, tables.handed)))


def _grounded(
    place: Place, tables: Tables, settings: Settings, until: int, since: int | None, moved: Moved, filters: Filters
) -> tuple[Ground, int, int]:
    """The tables of both periods, the moment at which the later of them begins, and that at which everything does."""
    found = matters.matters(place, tables.touches, tables.turns, tables.handed, settings.gap)
    moved(1, PARTS)
    mine = place.keep("mine", legs.of_customers(found))
    deeds = place.keep("deeds_of", found.deeds.semi_join(mine, "matter"))
    place.drop("said", "spoken")
    said = place.keep("legged", legs.on_legs(place, mine))
    place.drop("mine", "turning_up")
    moved(2, PARTS)
    whole = place.keep("matters", journeys.matters(said, deeds))
    turned = place.keep("contacts", legs.contacts(place, said))
    place.drop("asked", "turned_to_us")
    judged = place.keep("legs", journeys.legs(place, said, turned, deeds, whole, settings, until))
    moved(3, PARTS)
    (known,) = place.rows(whole.agg(began=_.at.min(), ended=_.last.max()))
    begun = known["began"] if known["began"] is not None else until
    start = begun if since is None else since
    periods = place.keep("periods", _periods(_chosen(whole, said, judged, filters), start, until))
    clock = Clock(place, settings.hours, known["began"] or start, max(until, known["ended"] or until))
    ended = place.keep("whole", _ended(whole, judged, turned, said).join(periods, "matter"))
    ground = Ground(
        place,
        ended,
        place.keep("told", judged.join(periods, "matter")),
        place.keep("placed", _placed(turned, judged).join(periods, "matter")),
        said.semi_join(periods, "matter").join(periods, "matter"),
        deeds.join(periods, "matter"),
        clock,
    )
    place.drop("matters", "contacts", "legs")
    moved(4, PARTS)
    return ground, start, begun


def _chosen(whole: Table, said: Table, judged: Table, filters: Filters) -> Table:
    """As `filters.chosen` does: matters with one leg, on which the customer spoke, that meets all of them."""
    if not filters.given:
        return whole
    legs = judged.filter(_.contacts > 0)
    for name in ("channel", "network", "visibility"):
        if (value := getattr(filters, name)) is not None:
            legs = legs.filter(legs[name] == value)
    if filters.agent is not None:
        legs = legs.semi_join(said.filter(_.agent == filters.agent).select("leg").distinct(), "leg")
    return whole.semi_join(legs.select("matter").distinct(), "matter")


def names(place: Place, tables: Tables) -> dict[str, set[str]]:
    """By which it can be filtered."""
    told = ("channel", "network", "visibility", "agent")
    return {
        name: {row[name] for row in place.rows(tables.touches.select(name).distinct()) if row[name]} for name in told
    }


def _periods(whole: Table, start: int, until: int) -> Table:
    inside = whole.filter((_.at >= start - (until - start)) & (_.at < until))
    period = (inside.at >= start).ifelse(ibis.literal(1, "int8"), ibis.literal(0, "int8"))
    return inside.select("matter", period=period)


def _placed(contacts: Table, judged: Table) -> Table:
    """The contacts with where they were."""
    where_to = judged.select("leg", "channel", "network", "visibility")
    return contacts.join(where_to, "leg")


def _ended(whole: Table, judged: Table, contacts: Table, said: Table) -> Table:
    """The matters with what they came to and, if they broke down, where and why."""
    spoken = judged.filter(_.contacts > 0)
    last = spoken.filter(_.next_leg.isnull()).select(ended_of="matter", ended="outcome")
    failed = judged.filter(_.outcome == "failed").group_by("matter").agg(first=_.leg.min()).select("first")
    broke = judged.semi_join(failed, judged.leg == failed.first).select(
        broke_of="matter", broke="leg", broke_reason="reason", broke_channel="channel", broke_position="position"
    )
    known = whole.join(last, whole.matter == last.ended_of).left_join(broke, _.matter == broke.broke_of)
    totals = _totals(judged, contacts, said)
    return known.join(totals, known.matter == totals.total_of).drop("ended_of", "broke_of", "total_of")


def _totals(judged: Table, contacts: Table, said: Table) -> Table:
    """Of each matter: contacts, agents who spoke since the first, whether a person or a machine answered, whether a
    hand-off held, and whether it was answered `apart`, on two channels without a hand-off between them."""
    contacts = contacts.mutate(person=contacts.attended | contacts.answered_at.notnull())
    answered = contacts.filter(_.person).select(answered="leg").distinct()
    on_legs = judged.left_join(answered, judged.leg == answered.answered)
    on_legs = on_legs.mutate(latest=_.answered.max().over(ibis.window(group_by="matter")))
    by_leg = on_legs.group_by(leg_of="matter").agg(
        apart=((_.answered < _.latest) & (_.outcome != "handed_off")).fill_null(False).any(),
        handed_off=figures.count(_.outcome == "handed_off"),
    )
    by_contact = contacts.group_by(total_of="matter").agg(
        contacts=_.count(), since=_.contact.min(), person=_.person.any(), bot=_.bot_at.notnull().any()
    )
    answers = said.filter((_.by == "agent") & ~_.failed & (_.agent != "").fill_null(False))
    answers = answers.select("number", "agent", spoken_of="matter")
    answers = answers.join(by_contact, (answers.spoken_of == by_contact.total_of) & (answers.number > by_contact.since))
    agents = answers.group_by("spoken_of").agg(agents=_.agent.nunique())
    by_contact = by_contact.left_join(agents, by_contact.total_of == agents.spoken_of)
    by_contact = by_contact.mutate(agents=_.agents.fill_null(0)).drop("spoken_of", "since")
    return by_contact.join(by_leg, by_contact.total_of == by_leg.leg_of).drop("leg_of")


def _newest(
    place: Place, ground: Ground, tables: Tables, settings: Settings, until: int, start: int, filters: Filters
) -> list[Shown]:
    """The journeys that broke down last, told as ever: of their customers alone the history is read."""
    broken = ground.matters.filter(_.broke.notnull() & (_.period == 1))
    newest = place.rows(broken.order_by(_.at.desc()).limit(SHOWN).select("at"))
    if not newest:
        return []
    those = broken.filter(_.at >= min(row["at"] for row in newest)).select("customer").distinct()
    history = _history(place, before(tables, until), those, until)
    told: list[Shown] = in_memory(history, settings, start, filters)["journeys"]
    return told


def _history(place: Place, tables: Tables, customers: Table, until: int) -> History:
    touches = tables.touches.semi_join(customers, "customer")
    conversations = touches.select("conversation").distinct()
    turns, handed = (one.semi_join(conversations, "conversation") for one in (tables.turns, tables.handed))
    return whole(place, Tables(touches, turns, handed), until)


def whole(place: Place, tables: Tables, until: int) -> History:
    """All rows in memory."""
    return History(
        tuple(_touch(row) for row in place.rows(tables.touches)),
        tuple(Turn(**row) for row in place.rows(tables.turns)),
        tuple(Handed(**row) for row in place.rows(tables.handed)),
        until,
    )


def _touch(row: dict[str, Any]) -> Touch:
    return Touch(**row | {name: frozenset(row[name]) for name in ("topics", "told", "asks")})
