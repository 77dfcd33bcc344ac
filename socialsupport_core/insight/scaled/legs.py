"""Legs and contacts of all matters at once, by window functions. Each is known by the number of its first touch."""

from typing import Any

import ibis
from ibis import _

from socialsupport_core.insight.history import RATING
from socialsupport_core.insight.matters import PATIENCE
from socialsupport_core.insight.scaled.matters import Found, since, sorted_by, tally, turns_to_us, upto, where
from socialsupport_core.insight.scaled.place import Place, Table


def of_customers(found: Found) -> Table:
    """The touches of matters in which the customer spoke: what only we began is none."""
    spoken = found.said.filter(turns_to_us(_)).select("matter").distinct()
    return found.said.semi_join(spoken, "matter")


def on_legs(place: Place, said: Table) -> Table:
    """The touches, each with its `leg` and the leg's `position`, counted from 1.

    The customer begins another leg by turning up elsewhere, and we do so by turning up where nothing has been said;
    whatever else we say belongs to the last leg there.
    """
    there = ["matter", "channel", "visibility"]
    first = ibis.row_number().over(sorted_by(there, "number")) == 0
    said = place.keep("turning_up", said.mutate(moves=turns_to_us(_) | first))
    movers = said.filter(_.moves)
    in_time = sorted_by("matter", "number")
    movers = movers.mutate(channel_1=_.channel.lag(1).over(in_time), visibility_1=_.visibility.lag(1).over(in_time))
    begins = (movers.channel_1.isnull() | (movers.channel != movers.channel_1)) | (
        movers.visibility != movers.visibility_1
    )
    movers = movers.select("matter", mover="number", begins=begins.fill_null(True))
    movers = movers.mutate(
        first=where(_.begins, _.mover).max().over(upto("matter", "mover")),
        position=tally(_.begins).sum().over(upto("matter", "mover")).cast("int64"),
    ).select("mover", "first", "position")
    known = said.left_join(movers, said.number == movers.mover)
    known = known.mutate(leg=_.first.max().over(upto(there)), position=_.position.max().over(upto(there)))
    return known.drop("moves", "mover", "first")


def contacts(place: Place, said: Table) -> Table:
    """One row a contact: `contact` (its number), `leg`, `matter`, `at`, `attended`, `reach`, `answered_at` (by a
    person, null if attended), `agent` and `edited` of that answer, `bot_at`, and whether it is the `latest` of its
    leg."""
    waiting = said.select(
        "number", "matter", "leg", "at", "thread", "by", "attended", "reach",
        asks=turns_to_us(_),
        person=(_.by == "agent") & ~_.failed & (_.kind != RATING), bot=(_.by == "bot") & ~_.failed & (_.kind != RATING),
    ).mutate(
        answered=where(_.person, _.number).max().over(upto(("leg", "thread"))),
        answer=where(_.person, _.number).min().over(since(("leg", "thread"))),
        bot_at=where(_.bot, _.at).min().over(since(("leg", "thread"))),
    )  # fmt: skip
    asked = place.keep("asked", waiting.filter(_.asks))
    found = place.keep("turned_to_us", _contacts(_begun(asked)))
    answers = said.filter(_.by == "agent").select(
        answer_number="number", answered_at="at", agent="agent", edited="edited"
    )
    known = found.left_join(answers, found.answer == answers.answer_number).drop("answer_number", "answer")
    return known.mutate(latest=_.contact == _.contact.max().over(ibis.window(group_by="leg")))


def _begun(asked: Table) -> Table:
    """With the `contact` of each word of the customer's."""
    before = sorted_by("leg", "number")
    known = asked.mutate(
        number_1=_.number.lag(1).over(before),
        at_1=_.at.lag(1).over(before),
        thread_1=_.thread.lag(1).over(before),
        attended_1=_.attended.lag(1).over(before),
    )
    begins: Any = (
        known.number_1.isnull()
        | known.attended
        | known.attended_1
        | (known.thread != known.thread_1)
        | (known.at - known.at_1 > PATIENCE)
        | (known.answered > known.number_1)
    )
    known = known.mutate(begins=begins.fill_null(False))
    return known.mutate(contact=where(_.begins, _.number).max().over(upto("leg")))


def _contacts(asked: Table) -> Table:
    found = asked.group_by("contact", "leg", "matter").agg(
        at=_.at.min(), attended=_.attended.any(), reach=_.reach.max(), answer=_.answer.min(), bot_at=_.bot_at.min()
    )
    return found.mutate(answer=where(~_.attended, _.answer), bot_at=where(~_.attended, _.bot_at))
