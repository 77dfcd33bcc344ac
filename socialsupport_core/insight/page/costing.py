"""What did it cost?"""

from collections.abc import Callable
from typing import Any

from socialsupport_core.insight.page.charts import columns
from socialsupport_core.insight.page.figures import Shown, View, behind, look, table
from socialsupport_core.insight.page.formats import monday, money
from socialsupport_core.insight.page.markup import Html, h
from socialsupport_core.insight.words import counted

ID, QUESTION = "cost", "What did it cost?"
NOT_ADDED = (
    "Expected and incurred are two views of the same failures, one by a survey and one by what customers really did"
    " next: do not add them."
)


def headline(view: View) -> str:
    return f"{money(view.at('cost.incurred.amount'), view.currency)} for contacts after a breakdown"


def section(view: View) -> list[Html]:
    now, before = view.at("cost"), view.before("cost")
    return [h("p", NOT_ADDED, class_="period"), _sums(view, now, before), _each(view), _weeks(view)]


def _sums(view: View, now: Shown, before: Shown | None) -> Html:
    rows = [
        (
            h("span", label, look(view, f"cost.{name}") if name != "handled_twice" else look(view, name)),
            h("span", told(now[name], now), data_figure=f"cost.{name}"),
            told(before[name], before) if before else "–",
            assumed(now),
        )
        for name, label, told, assumed in SUMS
    ]
    heads = ("sum", "this period", "before", "how it comes about")
    return table(f"What failures cost, in {now['currency']}", heads, rows)


def _source(cost: Shown) -> str:
    return str(cost["failed_contact"]["source"])


def _one(cost: Shown) -> str:
    each = cost["failed_contact"]
    return f"× {each['amount']:.4f} {cost['currency']} for a failed social contact ({each['source']})"


SUMS: tuple[tuple[str, str, Callable[[Any, Any], str], Callable[[Any], str]], ...] = (
    (
        "expected",
        "Expected of failed social contacts",
        lambda one, cost: f"{money(one['amount'], cost['currency'])} ({counted(one['failed_legs'], 'failed leg')})",
        lambda cost: f"failed legs on social networks {_one(cost)}",
    ),
    (
        "incurred",
        "Incurred by what really followed",
        lambda one, cost: (
            f"{money(one['amount'], cost['currency'])} ({counted(one['contacts'], 'contact')},"
            f" {one['without_a_price']:,} without a price)"
        ),
        lambda cost: f"contacts after a breakdown × the price of a contact there ({_source(cost)})",
    ),
    (
        "avoided",
        "Avoided by hand-offs that held",
        lambda one, cost: f"{money(one['amount'], cost['currency'])} ({counted(one['hand_offs'], 'hand-off')})",
        lambda cost: f"hand-offs before a resolution without a failure {_one(cost)}",
    ),
    (
        "handled_twice",
        "Handled twice",
        lambda one, cost: (
            f"{one['from']:,.2f} to {money(one['to'], cost['currency'])} ({counted(one['matters'], 'matter')})"
        ),
        lambda cost: (
            f"matters × {cost['handled_twice']['each'][0]:g} to {cost['handled_twice']['each'][1]:g}"
            f" {cost['currency']} ({_source(cost)})"
        ),
    ),
)
"""By name in the report: what it is called, how it is told, and what is assumed."""


def _each(view: View) -> Html:
    each = view.at("cost.failed_contact")
    rows: list[tuple[object, ...]] = [
        (one["to"], f"{one['share']:.0%}", f"{one['cost']:.2f}", f"{one['product']:.4f}") for one in each["table"]
    ]
    rows.append((h("b", "a failed social contact"), "", "", h("b", f"{each['amount']:.4f}")))
    caption = f"What a failed social contact is expected to cost ({each['source']})"
    heads = ("the customer then turns to", "share", f"{view.currency} a contact", "makes")
    return table(caption, heads, rows)


def _weeks(view: View) -> Html:
    caption = "Incurred, by the week of the breakdown"
    if not view.report["weeks"]:
        return h("p", "There is no week to show.")
    weeks = view.report["weeks"]
    values = [(monday(one["from"]), one["incurred"]) for one in weeks]
    rows = [(one["week"], one["from"], money(one["incurred"], view.currency)) for one in weeks]
    note = f"In {view.currency}, called by its Monday. The price of a contact: {_source(view.at('cost'))}."
    chart = columns(caption, values, lambda sum_: money(sum_, view.currency), lambda sum_: f"{sum_:,.0f}", "bar bad")
    return behind(chart, caption, ("week", "from", "incurred"), rows, note)
