"""What should we change first?"""

from collections.abc import Sequence

from socialsupport_core.insight.page.figures import Shown, View, more_of, pointers
from socialsupport_core.insight.page.formats import money, share
from socialsupport_core.insight.page.markup import Html, h
from socialsupport_core.insight.words import counted

ID, QUESTION = "first", "What should we change first?"
SHOWN = 10


def headline(view: View) -> str:
    found = view.report["changes"]
    return f"{found[0]['channel']}: {found[0]['reason']}" if found else "nothing: nothing broke down"


def section(view: View) -> list[Html]:
    found, source = view.report["changes"], view.at("cost.failed_contact.source")
    if not found:
        return [h("p", "Nothing has broken down in this period.")]
    how = h(
        "p",
        "By reason and channel, the dearest first. A matter counts once: with what its later contacts cost, or, where"
        f" none of them has a price, with what a failed social contact is expected to cost. Prices: {source}.",
        class_="period",
    )
    rest = f"And {len(found) - SHOWN} more, of less weight: see why, and on which channel, above."
    more = h("p", rest) if len(found) > SHOWN else h("span")
    return [how, h("ol", *[_change(view, one) for one in found[:SHOWN]], class_="changes"), more]


def _change(view: View, one: Shown) -> Html:
    return h(
        "li",
        h("h3", f"{one['channel']}: {one['reason']}"),
        h("p", one["do"], class_="do"),
        h("p", f"Worst {when(one['when'])}.") if one["when"] else None,
        h("p", f"{share(one['matters'])} matters. ", h("span", _sum(view, one), data_figure=f"changes.{one['rank']}")),
        more_of(f"The newest {len(one['evidence'])} of these", pointers(view, one["evidence"]), "evidence"),
    )


def when(found: Sequence[Shown], where: str = " there") -> str:
    """`in the week of 2026-09-21 (21 of the 60 that began there then)`."""
    told = (
        f"{'in ' if one['by'] == 'week' else 'on '}{one['name']} ({one['matters']['count']:,} of the"
        f" {one['matters']['of']:,} that began{where} then)"
        for one in found
    )
    return " and ".join(told)


def _sum(view: View, one: Shown) -> str:
    """And what it is made of."""
    parts = [
        f"{one[name]['amount']:,.2f} {words} {counted(one[name]['matters'], 'matter')}"
        for name, words in (("incurred", "for what followed"), ("expected", "expected of"))
        if one[name]["matters"]
    ]
    if one["without_a_price"]:
        parts.append(f"{counted(one['without_a_price'], 'matter')} without a price")
    return f"{money(one['amount'], view.currency)}: {', '.join(parts)}"
