"""How fast are we?"""

from collections.abc import Sequence

from socialsupport_core.insight.page.charts import columns, waits
from socialsupport_core.insight.page.figures import Row, Shown, View, behind, figures, more_of, table
from socialsupport_core.insight.page.formats import brief, edge, monday, percent, share, span, spread
from socialsupport_core.insight.page.markup import Html, h

ID, QUESTION = "quick", "How fast?"
BY_WEEK = "By the week in which a matter began, called by its Monday."
CHANNELS = 6
"""Of the busiest channels a chart each; all are in the table."""


def headline(view: View) -> str:
    found = view.at("response.first")
    return f"half get a first answer within {span(found['p50'])}" if found["count"] else "nobody has answered yet"


def section(view: View) -> list[Html]:
    every, *channels = view.report["distributions"]
    return [
        figures(view, "How long customers wait: half of them at most, and nine of ten", ROWS),
        _waits(view, "All channels", every),
        *_by_channel(view, channels),
        _benchmarks(view),
        _weeks(view),
    ]


def _by_channel(view: View, channels: Sequence[Shown]) -> list[Html]:
    if not channels:
        return []
    return [
        more_of(
            f"Channel by channel, the busiest {min(CHANNELS, len(channels))} of {len(channels)}",
            h("div", *[_waits(view, one["channel"], one) for one in channels[:CHANNELS]]),
            "more channels",
        )
    ]


def _waits(view: View, name: str, one: Shown) -> Html:
    if not one["contacts"]:
        return h("p", "No contact has been answered, or should have been by now.")
    rows = [(f"within {edge(b['within_seconds'])}", b["count"], share(b["by_then"])) for b in one["bins"]]
    rows += [
        ("later", one["later"], share(one["answered"])),
        ("never", one["unanswered"]["count"], share(one["unanswered"])),
    ]
    published = view.report["benchmarks"] if one["channel"] is None else ()
    caption = f"Answered by a person, by then: {name}"
    note = f"Of the {one['contacts']:,} contacts that wait for an answer: taken calls and visits do not."
    note += " Dashed: what is published of others." if published else ""
    if one["target_seconds"] is None and one["channel"] is None:
        note += " Each channel has a target of its own, see below."
    heads = ("after", "contacts", "answered by then")
    return behind(waits(caption, one, published), caption, heads, rows, note)


def _benchmarks(view: View) -> Html:
    rows = [
        (b["wording"], percent(b["share"]), share(b["ours"]), f"{_nearest(b)}", b["source"])
        for b in view.report["benchmarks"]
    ]
    return table(
        "What is published of others", ("in their words", "published", "ours", "the nearest of ours", "source"), rows
    )


def _nearest(b: Shown) -> str:
    if b["measure"] == "unanswered":
        return "contacts that nobody answered"
    return f"answered within {edge(b['within_seconds'])}" if b["within_seconds"] else "answered at all"


def _weeks(view: View) -> Html:
    caption = "Response week by week: half were answered within"
    if not view.report["weeks"]:
        return h("p", "There is no week to show.")
    values = [(monday(one["from"]), one["response_p50"]) for one in view.report["weeks"]]
    rows = [
        (one["week"], one["from"], one["contacts"], "–" if one["response_p50"] is None else span(one["response_p50"]))
        for one in view.report["weeks"]
    ]
    chart = columns(caption, values, span, brief)
    return behind(chart, caption, ("week", "from", "contacts", "half within"), rows, BY_WEEK)


def _targets(view: View) -> str:
    found = view.report["assumptions"]
    here = {one[name] for one in view.report["channels"] for name in ("channel", "network")}
    named = [f"{name} {edge(value)}" for name, value in found["targets_seconds"].items() if name in here]
    return "; ".join([*named, f"{'else ' if named else ''}{edge(found['target_seconds'])}"])


def _above(_: View) -> str:
    return "as above"


ROWS = (
    Row("First answer of a person", "response.first", spread, note="from a matter's first contact", aim=_targets),
    Row("The same in your hours", "response.first_in_hours", spread, evidence="-", aim=_above),
    Row("Every contact, by people", "response.people", spread, evidence="-", aim=_above),
    Row("The same in your hours", "response.people_in_hours", spread, evidence="-", aim=_above),
    Row("Every contact, by machines", "response.bots", spread),
    Row("Until resolved", "resolution.time", spread, evidence="-"),
)
