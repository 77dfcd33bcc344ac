"""What are they about? Themes, the steepest rise first, each with its weeks and some of its matters."""

from datetime import datetime

from socialsupport_core.insight.page.figures import Shown, View, more_of, pointers, table
from socialsupport_core.insight.page.formats import share
from socialsupport_core.insight.page.markup import Html, h
from socialsupport_core.insight.words import counted


def section(view: View) -> Html:
    found = view.report.get("themes")
    if found is None:
        return h("p", "What they are about an export cannot tell: it holds no texts, and no words of them.")
    if not found:
        return h("p", "No theme has risen: nothing is said by more customers than in other weeks.")
    heads = ("what they are about", "matters", "customers", "rises in")
    rows = [(one["name"], share(one["matters"]), f"{one['customers']:,}", risen(one)) for one in found]
    return h("div", table("What they are about", heads, rows), *[_weeks(view, one) for one in found])


def risen(one: Shown) -> str:
    """`week of 2026-11-09 (6 of 26)`."""
    if one["rise"] is None:
        return "one week only: nothing to compare with"
    week = next(week["matters"] for week in one["weeks"] if week["week"] == one["rise"]["week"])
    first = datetime.strptime(f"{one['rise']['week']}-1", "%G-W%V-%u").date()  # noqa: DTZ007 - a day, not a moment
    return f"week of {first} ({week['count']:,} of {week['of']:,})"


def _weeks(view: View, one: Shown) -> Html:
    by_week = [(week["week"], share(week["matters"])) for week in one["weeks"]]
    inside = h("div", pointers(view, one["examples"]), table("By week", ("week", "of the matters that began"), by_week))
    return more_of(f"{one['name']}: week by week, and {counted(len(one['examples']), 'matter')}", inside, "evidence")
