"""What each leg and each matter came to, of all at once: the rules of `journey.py` as columns."""

from typing import Any

import ibis
from ibis import _

from socialsupport_core.insight.history import RATING
from socialsupport_core.insight.scaled.matters import sorted_by, tally, turns_to_us, where
from socialsupport_core.insight.scaled.place import Place, Table
from socialsupport_core.insight.settings import Settings

LEG = (
    "leg",
    "matter",
    "position",
    "at",
    "channel",
    "network",
    "visibility",
    "contacts",
    "outcome",
    "reason",
    "next_leg",
)


def legs(
    place: Place, said: Table, contacts: Table, deeds: Table, matters: Table, settings: Settings, until: int
) -> Table:
    """One row a leg: its first touch's place, how many contacts, `outcome`, `reason`, and `next_leg`, the next one on
    which the customer spoke. `deeds` are the turns and hand-offs of these `matters`."""
    firsts = place.keep("firsts", said.filter(_.number == _.leg).drop("number"))
    spoken = place.keep("spoken_legs", _spoken(firsts, contacts, until))
    told = spoken
    for number, fact in enumerate(
        (_failures(spoken, said), _handed(spoken, deeds), _called(spoken, deeds), _asked_again(said))
    ):
        known = place.keep(f"fact_{number}", fact)
        told = told.left_join(known, told.leg == known[f"fact_{number}"])
    state = matters.select("last", "resolved_at", of_matter="matter")
    told = told.join(state, told.matter == state.of_matter)
    told = told.mutate(target=target(place, firsts, settings))
    judged = place.keep("judged", _judged(told, settings, until).select(*LEG))
    ours = firsts.anti_join(judged, "leg").mutate(
        contacts=ibis.literal(0, "int64"),
        outcome=ibis.literal("ours"),
        reason=ibis.null("string"),
        next_leg=ibis.null("int64"),
    )
    return judged.union(ours.select(*LEG))


def target(place: Place, rows: Table, settings: Settings) -> Any:
    """The target of a row's channel in microseconds."""
    cases = [
        (
            (_.channel == one["channel"]) & (_.network == one["network"]),
            ibis.literal(settings.target_of(one["channel"], one["network"]), "int64"),
        )
        for one in place.rows(rows.select("channel", "network").distinct())
    ]
    return ibis.cases(*cases) if cases else ibis.null("int64")


def matters(said: Table, deeds: Table) -> Table:
    """One row a matter: `matter`, `customer`, `at`, the `last` word's time, when it was `resolved_at` for good, and how
    often it was `reopened`."""
    whole = said.group_by("matter").agg(customer=_.customer.min(), at=_.at.min(), last=_.at.max())
    state = _state(said, deeds)
    known = whole.left_join(state, whole.matter == state.of_matter).drop("of_matter")
    return known.mutate(reopened=_.reopened.fill_null(0))


def _state(said: Table, deeds: Table) -> Table:
    words = said.filter(turns_to_us(_)).select(of_matter="matter", at="at", rank=ibis.literal(0, "int8"))
    turns = deeds.filter(_.type.isin(["resolved", "reopened"]))
    rank = (turns.type == "resolved").ifelse(ibis.literal(2, "int8"), ibis.literal(1, "int8"))
    turns = turns.select(of_matter="matter", at="at", rank=rank)
    events = words.semi_join(turns, "of_matter").union(turns)
    events = events.mutate(rank_1=_.rank.lag(1).over(sorted_by("of_matter", ("at", "rank"))))
    found = events.group_by("of_matter").agg(
        resolved_at=where(_.rank == 2, _.at).max(),
        other_at=where(_.rank < 2, _.at).max(),
        reopened=tally((_.rank < 2) & (_.rank_1 == 2)).sum().cast("int64"),
    )
    stands = _.resolved_at >= ibis.coalesce(_.other_at, _.resolved_at)
    return found.mutate(resolved_at=where(stands, _.resolved_at)).drop("other_at")


def _spoken(firsts: Table, contacts: Table, until: int) -> Table:
    each = contacts.group_by(of_leg="leg").agg(contacts=_.count())
    latest = contacts.filter(_.latest).select(
        latest_of="leg", latest_at="at", latest_attended="attended", latest_answered="answered_at", latest_bot="bot_at"
    )
    spoken = firsts.join(each, firsts.leg == each.of_leg).join(latest, _.leg == latest.latest_of)
    after = sorted_by("matter", "leg")
    spoken = spoken.mutate(
        next_leg=_.leg.lead(1).over(after), next_at=_.at.lead(1).over(after), next_channel=_.channel.lead(1).over(after)
    )
    ends = spoken.mutate(ends=ibis.coalesce(_.next_at, until))
    answered = ibis.coalesce(_.latest_answered, _.latest_bot) < ends.ends
    return ends.mutate(answered=_.latest_attended | answered.fill_null(False))


def _failures(spoken: Table, said: Table) -> Table:
    failed = said.filter(_.failed & (_.kind != RATING)).select(its_leg="leg", failed_at="at")
    pairs = spoken.join(failed, spoken.leg == failed.its_leg)
    return pairs.filter((_.failed_at >= _.latest_at) & (_.failed_at < _.ends)).select(fact_0="leg").distinct()


def _handed(spoken: Table, deeds: Table) -> Table:
    given = deeds.filter(_.type == "handed").select(
        "state", "arrived_channel", its_matter="matter", handed_at="at", its_channel="channel"
    )
    pairs = spoken.join(given, (spoken.matter == given.its_matter) & (spoken.channel == given.its_channel))
    pairs = pairs.filter(_.next_at.isnull() | (_.handed_at <= _.next_at))
    arrived = ((_.state == "arrived") & (_.arrived_channel == _.next_channel)).fill_null(False)
    return pairs.group_by(fact_1="leg").agg(arrived=arrived.any(), expired=(_.state == "expired").any())


def _called(spoken: Table, deeds: Table) -> Table:
    resolved = deeds.filter(_.type == "resolved").select(its_matter="matter", resolved_then="at")
    pairs = spoken.join(resolved, spoken.matter == resolved.its_matter)
    return pairs.filter((_.resolved_then >= _.at) & (_.resolved_then < _.next_at)).select(fact_2="leg").distinct()


def _asked_again(said: Table) -> Table:
    """When we first asked on a leg for what the customer had told before, wherever that was."""
    told = said.filter((_.by == "customer") & (_.told.length() > 0))
    told = told.select("matter", "number", kind=told.told.unnest()).group_by("matter", "kind").agg(known=_.number.min())
    asked = said.filter((_.by != "customer") & (_.asks.length() > 0))
    asked = asked.select("number", "at", "leg", its_matter=asked.matter, asked=asked.asks.unnest())
    pairs = asked.join(told, (asked.its_matter == told.matter) & (asked.asked == told.kind))
    return pairs.filter(_.known < _.number).group_by(fact_3="leg").agg(asked_at=_.at.min())


def _judged(told: Table, settings: Settings, until: int) -> Table:
    """Of the legs on which the customer spoke. The order of the cases is that of `journey.py`."""
    left = _.next_leg.notnull()
    silent = until - _.last > settings.gap
    waited = until - _.latest_at > _.target
    cases = (
        (left & _.arrived.fill_null(False), "handed_off", None),
        (left & ~_.answered & _.fact_0.notnull(), "failed", "send_failed"),
        (left & ~_.answered, "failed", "no_answer"),
        (left & (_.asked_at < _.next_at).fill_null(False), "failed", "asked_again"),
        (left & _.fact_2.notnull(), "failed", "reopened"),
        (left & _.fact_1.notnull(), "failed", "bounced"),
        (left, "failed", "not_resolved"),
        (_.resolved_at.notnull(), "resolved", None),
        (_.answered & _.expired.fill_null(False), "failed", "gave_up"),
        (_.answered & silent, "resolved", None),
        (_.answered, "answered", None),
        (_.fact_0.notnull(), "failed", "send_failed"),
        (waited, "failed", "no_answer"),
    )
    outcome = ibis.cases(*((when, then) for when, then, _why in cases), else_="waiting")
    reasons = ((when, ibis.null("string") if why is None else ibis.literal(why)) for when, _then, why in cases)
    return told.mutate(outcome=outcome, reason=ibis.cases(*reasons))
