"""How many turn to us, and how many do we answer?"""

from socialsupport_core.insight.page import about
from socialsupport_core.insight.page.charts import heat
from socialsupport_core.insight.page.figures import Row, Shown, View, behind, figures, table
from socialsupport_core.insight.page.formats import answer, share, spread
from socialsupport_core.insight.page.markup import Html, h
from socialsupport_core.insight.words import counted

ID, QUESTION = "many", "How many?"
WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def headline(view: View) -> str:
    return f"{counted(view.at('matters.contacts'), 'contact')}, {answer(view.at('coverage.answered'), 'answered')}"


def section(view: View) -> list[Html]:
    return [
        figures(view, "How many turn to us, and how many we answer", ROWS),
        _channels(view),
        _agents(view),
        about.section(view),
        _arrivals(view, "contacts", "When customers turn to us"),
        _arrivals(view, "answers", "When people answer"),
    ]


def _channels(view: View) -> Html:
    heads = (
        "channel",
        "contacts",
        "answered",
        "within the target",
        "response: half within",
        "failed legs",
        "broke here",
    )
    rows = [
        (
            one["channel"],
            f"{one['contacts']:,}",
            share(one["coverage"]["answered"]),
            share(one["coverage"]["in_target"]),
            _response(one),
            one["failed_legs"],
            one["broke_here"],
        )
        for one in view.report["channels"]
    ]
    return table("By channel", heads, rows) if rows else h("p", "No channel has brought any contact.")


def _response(one: Shown) -> str:
    """Where nobody waits for an answer there is no time to tell."""
    is_taken = not one["response"]["count"] and one["coverage"]["answered"]["count"]
    return "taken, with nothing to wait for" if is_taken else spread(one["response"])


def _agents(view: View) -> Html:
    rows = [
        (one["agent"], f"{one['contacts']:,}", f"{one['matters']:,}", spread(one["response"]))
        for one in view.report["agents"]
    ]
    if not rows:
        return h("p", "No agent has answered yet.")
    return table("By agent", ("agent", "contacts answered", "matters", "response: half within"), rows)


def _arrivals(view: View, what: str, caption: str) -> Html:
    found = view.report["arrivals"]
    hours = [f"{hour}" for hour in range(24)]
    name = f"{caption}: {what} by weekday and hour ({found['zone']})"
    note = "" if all(map(all, found["open"])) else "Brown: outside your hours."
    chart = heat(name, WEEK, hours, found[what], lambda day, hour: not found["open"][day][hour])
    rows = [
        (WEEK[day], *[_cell(value, found["open"][day][hour]) for hour, value in enumerate(row)])
        for day, row in enumerate(found[what])
    ]
    return behind(chart, name, ("day", *hours), rows, note)


def _cell(value: int, is_open: float) -> object:
    return f"{value:,}" if is_open else h("s", f"{value:,}")


def _number(value: float | None) -> str:
    return "nothing yet" if value is None else f"{value:,}"


def _published(view: View) -> str:
    """What speaks of all that is answered, however late."""
    told = [one for one in view.report["benchmarks"] if one["measure"] == "answered" and not one["within_seconds"]]
    return "; ".join(f"published: {one['wording']}" for one in told) or "–"


ROWS = (
    Row("Matters", "matters.count", _number, evidence="matters.waiting"),
    Row("Contacts", "matters.contacts", _number),
    Row("Contacts a matter", "matters.contacts_per_matter", _number),
    Row(
        "Contacts answered",
        "coverage.answered",
        share,
        note="by a person, a taken call too; of those that are answered or should be by now",
        aim=_published,
    ),
    Row("Within the target", "coverage.in_target", share, note="in your hours", aim=lambda _: "targets: see How fast"),
    Row("Public contacts answered", "reach.answered", share),
    Row(
        "People whom these may have reached",
        "reach.people",
        _number,
        note="followers of whoever turned to us in public",
    ),
)
