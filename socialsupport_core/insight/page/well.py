"""How well do we do it?"""

from socialsupport_core.insight.page.charts import sankey
from socialsupport_core.insight.page.figures import Row, Shown, View, behind, figures
from socialsupport_core.insight.page.formats import answer, share, touch
from socialsupport_core.insight.page.markup import Html, h

ID, QUESTION = "well", "How well?"
FLOWS = 12
"""Drawn; all are in the table."""


def headline(view: View) -> str:
    return answer(view.at("first_contact_resolution"), "resolved at the first contact")


def section(view: View) -> list[Html]:
    return [figures(view, "How matters come out", ROWS), _flows(view)]


def _flows(view: View) -> Html:
    found = view.report["flows"]
    caption = "From where to where customers went on"
    if not found:
        return h("p", f"{caption}: nobody had to.")
    rows = [
        (f"{touch(one['from'])} to {touch(one['to'])}", one["count"], one["handed_off"], share(one["with_context"]))
        for one in found
    ]
    note = "Dark: known there as the same conversation. Light: began anew."
    if len(found) > FLOWS:
        note += f" The {FLOWS} of {len(found)} ways that were taken most."
    heads = ("way", "times", "by a hand-off", "known there")
    return behind(sankey(caption, found[:FLOWS]), caption, heads, rows, note)


def _rating(one: Shown) -> str:
    return f"{one['mean']} (of {one['count']:,})" if one["count"] else "nothing yet"


def _offered(view: View) -> str:
    return f"{view.at('hand_offs.offered'):,} offered"


def _values(view: View) -> str:
    """How often each was said."""
    found = view.at("accuracy.verdicts.by_value")
    told = ", ".join(f"{count:,} said {value}" for value, count in found.items() if count)
    return told or "–"


def _answered(one: Shown) -> str:
    return f"{one['count']:,}; how many were asked is not known" if one["count"] and not one["of"] else share(one)


ROWS = (
    Row("Resolved", "resolution.resolved", share),
    Row("Resolved at the first contact", "first_contact_resolution", share, note="of matters whose end is known"),
    Row("Taken up again", "resolution.reopened", share),
    Row("Handled twice", "handled_twice", share),
    Row("Switches of channel that kept what was told", "channel_switches.with_context", share),
    Row("Hand-offs that arrived", "hand_offs.arrived", share, aim=_offered),
    Row("Resolved by machines alone", "deflection", share),
    Row("Messages that praise", "praise.messages", share),
    Row("Answers edited after sending", "accuracy.edited", share),
    Row("Rated by customers", "accuracy.rating", _rating),
    Row("Called well done by customers", "accuracy.verdicts.good", share, note="4 or 5 of 5, when asked", aim=_values),
    Row("Customers who answered how it went", "accuracy.verdicts.answered", _answered, note="of those who were asked"),
)
