"""What belongs to one matter, of all customers at once.

A customer's touches fall into *episodes*, between which he was silent for longer than the window: no matter outlives
one. An episode falls into *runs*: words that follow each other in one thread and name the same orders or none belong to
whatever their first belongs to, whichever rule decides about that. Only the first of a run must be decided, and only
in episodes in which something was resolved or in which two orders were named; everywhere else there is one matter.

These decisions depend on each other: where a run goes depends on where the runs before it went. So they are taken step
by step, the second runs of all such episodes at once, then the third: as many steps as the longest of them has runs.
"""

from dataclasses import dataclass
from typing import Any

import ibis
from ibis import _

from socialsupport_core.insight.history import RATING
from socialsupport_core.insight.scaled.place import Place, Table

ANSWER, ORDER, THREAD, OPEN, NONE = 1, 2, 3, 4, 5
"""The rules by which a word continues a matter, the strongest first: an answer to a word of it, the same order, the
same thread, and that it is still open."""


@dataclass(frozen=True, slots=True)
class Found:
    said: Table
    """The touches, each with its `matter`: the number of the matter's first touch."""
    deeds: Table
    """Turns and hand-offs, each with the `matter` of which it speaks."""
    steps: int
    """How many were needed."""


def upto(by: Any, order: Any = "number") -> Any:
    """Everything so far, this row included."""
    return ibis.window(group_by=by, order_by=order, rows=(None, 0))


def since(by: Any, order: Any = "number") -> Any:
    return ibis.window(group_by=by, order_by=order, rows=(0, None))


def sorted_by(by: Any, order: Any = "number") -> Any:
    return ibis.window(group_by=by, order_by=order)


def where(condition: Any, value: Any) -> Any:
    """Null elsewhere."""
    return condition.ifelse(value, ibis.null(value.type()))


def tally(condition: Any) -> Any:
    """1 where it holds, to be summed; null is no."""
    return condition.fill_null(False).ifelse(ibis.literal(1, "int64"), ibis.literal(0, "int64"))


def turns_to_us(row: Any) -> Any:
    """The customer wants something: more than to say how it went."""
    return (row.by == "customer") & (row.kind != RATING)


def matters(place: Place, touches: Table, turns: Table, handed: Table, gap: int) -> Found:
    """The tables are those of `tables.py`, of one tenant; `gap` is the window in microseconds."""
    numbered = place.keep("numbered", _numbered(touches))
    split = place.keep("split", _episodes(numbered, gap))
    words = place.keep("words", _runs(split))
    deeds = place.keep("deeds", _placed(words, _deeds(words, turns, handed)))
    contended = place.keep("contended", _contended(words, deeds))
    runs = place.keep("runs", _to_decide(words, contended))
    decided, steps = _decided(place, runs, deeds, gap)
    spoken = place.keep("spoken", _spoken_of(deeds, decided))
    said = place.keep("said", _said(words, decided))
    place.drop("numbered", "split", "words", "deeds", "contended", "runs", "decided", "called", "alike")
    return Found(said, spoken, steps)


def _numbered(touches: Table) -> Table:
    """In the order of customers, and of time within each: one number says both who and when."""
    each = touches.group_by("customer").agg(touches=touches.count())
    whole = ibis.window(order_by="customer", rows=(None, 0))
    each = each.select("customer", who=each.touches.sum().over(whole).cast("int64") - each.touches)
    placed = touches.join(each, "customer")
    return placed.mutate(number=_.who + ibis.row_number().over(sorted_by("who", ("at", "id"))) + 1)


def _episodes(numbered: Table, gap: int) -> Table:
    """`episode` is the number of its first touch. `turned`: whatever the rules say of the touch before does not say
    anything of this one."""
    before = sorted_by("who")
    known = numbered.mutate(
        at_1=_.at.lag(1).over(before),
        at_2=_.at.lag(2).over(before),
        channel_1=_.channel.lag(1).over(before),
        thread_1=_.thread.lag(1).over(before),
        conversation_1=_.conversation.lag(1).over(before),
        topics_1=_.topics.lag(1).over(before),
    )
    begins = known.at_1.isnull() | (known.at - known.at_1 > gap)
    elsewhere = (known.channel != known.channel_1) | (known.thread != known.thread_1)
    moved = known.conversation != known.conversation_1
    named = (known.topics.length() > 0) & (known.topics != known.topics_1)
    at_once = known.at_2.notnull() & (known.at_1 == known.at_2)  # another matter may have been spoken of at that moment
    known = known.mutate(begins=begins, turned=begins | elsewhere | moved | named | at_once)
    known = known.mutate(episode=where(_.begins, _.number).max().over(upto("who")))
    return known.drop("at_1", "at_2", "channel_1", "thread_1", "conversation_1", "topics_1", "begins")


def _runs(split: Table) -> Table:
    """`run` is the number of its first touch. An answer to a word from before the run begins another."""
    theirs = split.select(answered=split.number, its_who=split.who, its_id=split.id)
    known = split.left_join(theirs, (split.who == theirs.its_who) & (split.answers == theirs.its_id))
    known = known.drop("its_who", "its_id", "id", "answers")
    back = (known.answered < known.number - 1).fill_null(False)
    known = known.mutate(back=back)
    sure = ibis.window(group_by="who", order_by="number", rows=(None, -1))
    known = known.mutate(surely=where(_.turned | _.back, _.number).max().over(sure))
    known = known.mutate(heads=_.turned | (_.back & (_.answered < _.surely)))
    known = known.mutate(run=where(_.heads, _.number).max().over(upto("who")))
    return known.drop("turned", "back", "surely", "heads")


def _deeds(words: Table, turns: Table, handed: Table) -> Table:
    """Of every customer who has spoken in that conversation."""
    nothing = ibis.null("string")
    both = turns.select("at", "type", "conversation", channel=nothing, state=nothing, arrived_channel=nothing).union(
        handed.select("at", "conversation", "channel", "state", "arrived_channel", type=ibis.literal("handed")).select(
            "at", "type", "conversation", "channel", "state", "arrived_channel"
        )
    )
    return both.join(words.select("who", "conversation").distinct(), "conversation")


def _placed(words: Table, deeds: Table) -> Table:
    """With what had been said by then: `episode` is the last one in which that conversation was spoken of, `current`
    the customer's last, `seen_run` and `seen_at` his last word. Of one moment, what was said comes first."""
    spoken = words.semi_join(deeds, "who")
    nothing = ibis.null("string")
    events = spoken.select(
        "who", "at", "conversation", "episode", "run", deed=False, seen_at=spoken.at,
        type=nothing, channel=nothing, state=nothing, arrived_channel=nothing,
    )  # fmt: skip
    number = ibis.null("int64")
    done = deeds.select(
        "who", "at", "conversation", episode=number, run=number, deed=True, seen_at=number,
        type=deeds.type, channel=deeds.channel, state=deeds.state, arrived_channel=deeds.arrived_channel,
    )  # fmt: skip
    by_time, in_it = upto("who", ("at", "deed")), upto(("who", "conversation"), ("at", "deed"))
    seen = events.union(done).mutate(
        current=_.episode.max().over(by_time),
        seen_run=_.run.max().over(by_time),
        seen_at=_.seen_at.max().over(by_time),
        episode=_.episode.max().over(in_it),
    )
    told = seen.filter(_.deed & _.episode.notnull()).drop("run", "deed")
    return told.mutate(deed=ibis.row_number().over(ibis.window(order_by=("who", "at", "type"))))


def _contended(words: Table, deeds: Table) -> Table:
    """Episodes of which more than one matter may come: something was resolved before the last run, or two orders were
    named."""
    heads = words.filter(_.number == _.run)
    last = heads.group_by("episode").agg(last=_.run.max())
    ended = deeds.filter((_.type == "resolved") & (_.episode == _.current)).join(last, "episode")
    ended = ended.filter(_.seen_run < _.last).select("episode")
    named = _topics(heads).group_by("episode").agg(names=_.topic.nunique()).filter(_.names > 1).select("episode")
    return ended.union(named).distinct()


def _topics(heads: Table) -> Table:
    return heads.filter(_.topics.length() > 0).select("episode", "run", topic=heads.topics.unnest())


def _to_decide(words: Table, contended: Table) -> Table:
    """Their runs, each with its `step`, counted from 1."""
    mine = words.semi_join(contended, "episode")
    ends = mine.group_by("episode", "run").agg(
        at=_.at.min(), last=_.at.max(), customer_last=where(turns_to_us(_), _.at).max(),
        channel=_.channel.min(), thread=_.thread.min(), conversation=_.conversation.min(),
    )  # fmt: skip
    heads = mine.filter(_.number == _.run).select("run", "answered", topical=_.topics.length() > 0, topics=_.topics)
    ends = ends.join(heads, "run")
    theirs = mine.select(answered_number=mine.number, answered_run=mine.run, its_episode=mine.episode)
    same = (ends.answered == theirs.answered_number) & (ends.episode == theirs.its_episode)
    told = ends.left_join(theirs, same).drop("answered_number", "its_episode", "answered")
    return told.mutate(step=ibis.row_number().over(sorted_by("episode", "run")) + 1)


def _decided(place: Place, runs: Table, deeds: Table, gap: int) -> tuple[Table, int]:
    turns = deeds.filter(_.type.isin(["resolved", "reopened"]) & (_.episode == _.current)).semi_join(runs, "episode")
    turns = place.keep("turning", turns)
    topics = place.keep("topical", _topics(runs))
    alike = place.keep("alike", _alike(topics))
    decided = place.keep("decided", _with_matter(runs.filter(_.step == 1), runs.run))
    called = place.keep("called", _attached(turns.semi_join(decided, turns.seen_run == decided.run), decided))
    (found,) = place.rows(runs.agg(steps=runs.step.max()))
    steps: int = found["steps"] or 0
    current = ibis.table(runs.schema(), name="current")
    chosen = _chosen(current, decided, called, alike, gap)
    calls = _attached(turns.semi_join(current, turns.seen_run == current.run), decided)
    for step in range(2, steps + 1):
        place.keep("current", runs.filter(_.step == step))
        place.add("decided", chosen)
        place.add("called", calls)
    place.drop("turning", "topical", "current")
    return decided, steps


def _with_matter(runs: Table, matter: Any) -> Table:
    return runs.select(
        "episode", "run", "last", "customer_last", "channel", "thread", "conversation", "topical", matter=matter
    )


def _alike(topics: Table) -> Table:
    """Pairs of runs that name the same."""
    theirs = topics.select(its_episode=topics.episode, its_topic=topics.topic, earlier=topics.run)
    same = (topics.episode == theirs.its_episode) & (topics.topic == theirs.its_topic) & (theirs.earlier < topics.run)
    return topics.join(theirs, same).select(later="run", earlier="earlier").distinct()


def _chosen(current: Table, decided: Table, called: Table, alike: Table, gap: int) -> Table:
    """The matter of each of these runs, of all those that were decided before; its own number if it begins one."""
    theirs = decided.rename({f"its_{name}": name for name in decided.columns})
    pairs = current.join(theirs, current.episode == theirs.its_episode)
    pairs = pairs.left_join(alike, (pairs.run == alike.later) & (pairs.its_run == alike.earlier))
    pairs = pairs.mutate(
        alike=_.later.notnull(),
        thread_too=(_.channel == _.its_channel) & (_.thread == _.its_thread),
        answers_it=(_.its_run == _.answered_run).fill_null(False),
    )
    offered = pairs.group_by("episode", "run", "at", "topical", matter=pairs.its_matter).agg(
        last=_.its_last.max(),
        customer_last=_.its_customer_last.max(),
        alike=_.alike.any(),
        thread_too=_.thread_too.any(),
        answers_it=_.answers_it.any(),
        its_topical=_.its_topical.any(),
    )
    state = called.group_by(state_of=called.matter).agg(
        resolved=where(_.type == "resolved", _.at).max(), reopened=where(_.type == "reopened", _.at).max()
    )
    offered = offered.left_join(state, offered.matter == state.state_of).filter(_.at - _.last <= gap)
    offered = offered.mutate(
        agrees=_.alike | ~(_.topical & _.its_topical),
        over=((_.resolved >= ibis.coalesce(_.customer_last, _.resolved))
              & (_.resolved >= ibis.coalesce(_.reopened, _.resolved))).fill_null(False),
    )  # fmt: skip
    rule = ibis.cases(
        (_.answers_it & _.agrees, ANSWER),
        (_.alike, ORDER),
        (_.thread_too & _.agrees, THREAD),
        (_.agrees & ~_.over, OPEN),
        else_=NONE,
    )
    offered = offered.mutate(rule=rule).filter(_.rule < NONE)
    offered = offered.mutate(place=ibis.row_number().over(sorted_by("run", (_.rule, _.last.desc(), _.matter))))
    best = offered.filter(_.place == 0).select(of_run="run", best="matter")
    known = current.left_join(best, current.run == best.of_run)
    return _with_matter(known, ibis.coalesce(known.best, known.run))


def _attached(deeds: Table, decided: Table) -> Table:
    """With the matter of each: the one spoken of last by then of those in that conversation."""
    theirs = decided.select(
        "matter", its_episode="episode", its_run="run", last="last", its_conversation="conversation"
    )
    pairs = deeds.join(theirs, (deeds.episode == theirs.its_episode) & (theirs.its_run <= deeds.seen_run))
    pairs = pairs.mutate(
        last=(_.its_run == _.seen_run).ifelse(_.seen_at, _.last), in_it=_.conversation == _.its_conversation
    )
    offered = pairs.group_by("deed", "matter").agg(last=_.last.max(), in_it=_.in_it.any()).filter(_.in_it)
    offered = offered.mutate(place=ibis.row_number().over(sorted_by("deed", (_.last.desc(), _.matter))))
    best = offered.filter(_.place == 0).select(of_deed="deed", matter="matter")
    return deeds.join(best, deeds.deed == best.of_deed).drop("of_deed")


def _spoken_of(deeds: Table, decided: Table) -> Table:
    """The same of all. In an episode with nothing to decide, all of it is one matter."""
    episodes = decided.select("episode").distinct()
    alone = deeds.anti_join(episodes, "episode")
    several = _attached(deeds.semi_join(episodes, "episode"), decided)
    columns = ("matter", "at", "type", "channel", "state", "arrived_channel")
    return alone.mutate(matter=alone.episode).select(*columns).union(several.select(*columns))


def _said(words: Table, decided: Table) -> Table:
    theirs = decided.select(of_run="run", its_matter="matter")
    known = words.left_join(theirs, words.run == theirs.of_run)
    known = known.mutate(matter=ibis.coalesce(known.its_matter, known.episode))
    return known.drop("of_run", "its_matter", "run", "episode", "who", "answered", "topics")
