"""Where does it break?"""

from socialsupport_core.insight.page.charts import heat
from socialsupport_core.insight.page.figures import Row, View, behind, figures, more_of, pointer
from socialsupport_core.insight.page.first import when
from socialsupport_core.insight.page.formats import answer, share
from socialsupport_core.insight.page.markup import Html, h

ID, QUESTION = "breaks", "Where does it break?"
TOLD = 20
"""Journeys, the newest first."""


def headline(view: View) -> str:
    return answer(view.at("breakdowns"), "matters broke down")


def section(view: View) -> list[Html]:
    if not view.report["failures"]:
        return [figures(view, "Matters that broke down", ROWS), h("p", "Nothing has broken down.")]
    is_first = list(view.at("breakdowns.by_leg")) == ["1"]
    legs = h("p", "All of them where the customer had come first.") if is_first else _by("leg", view)
    table = figures(view, "Matters that broke down", ROWS)
    return [table, _worst(view), legs, _by("channel", view), _journeys(view)]


def _worst(view: View) -> Html:
    found = view.report["worst"]
    told = f"Worst {when(found, '')}." if found else "No week and no hours are worse than chance would have it."
    return h("p", told, class_="do" if found else None)


def _by(side: str, view: View) -> Html:
    """Reasons against legs or channels: where the matter broke down first."""
    reasons = list(view.at("breakdowns.by_reason"))
    heads = list(view.at(f"breakdowns.by_{side}"))
    cells = [[_sum(view, side, reason, one) for one in heads] for reason in reasons]
    caption = f"Why, and on which {side}"
    shown = [f"leg {one}" for one in heads] if side == "leg" else heads
    chart = heat(caption, reasons, [one[:14] for one in shown], cells, left=300)
    return behind(chart, caption, ("reason", *shown), [(reasons[n], *row) for n, row in enumerate(cells)])


def _sum(view: View, side: str, reason: str, one: str) -> int:
    return sum(row["matters"] for row in view.report["failures"] if row["reason"] == reason and str(row[side]) == one)


def _journeys(view: View) -> Html:
    found = view.report["journeys"][:TOLD]
    items = [
        h(
            "li",
            *pointer(view, one),
            h("ol", *[h("li", f"{leg['channel']} ({leg['visibility']}): {leg['explanation']}") for leg in one["legs"]]),
        )
        for one in found
    ]
    summary = f"The newest {len(found)} of {view.at('breakdowns.count'):,} journeys that broke down, leg by leg"
    return more_of(summary, h("ul", *items, class_="journeys"))


ROWS = (Row("Broke down", "breakdowns", share),)
