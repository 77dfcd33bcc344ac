"""The table of figures: this period, the one before, what is aimed at, what it is made of, and where to look."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from socialsupport_core.insight.page.markup import Html, h
from socialsupport_core.insight.words import counted

Shown = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """A report, and where its conversations are to be seen."""

    report: Shown
    inbox: str | None = None

    def at(self, path: str) -> Any:
        return at(self.report, path)

    def before(self, path: str) -> Any:
        """None without a period before."""
        return at(self.report["previous"], path) if self.report["previous"] else None

    @property
    def currency(self) -> str:
        return str(self.report["cost"]["currency"])


def at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found[name]
    return found


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    path: str
    told: Callable[[Any], str]
    evidence: str | None = None
    """A path of the report's `evidence`; the row's own unless it says otherwise."""
    note: str = ""
    aim: Callable[[View], str] | None = None


HEADS = ("measure", "this period", "before", "target or published")


def figures(view: View, caption: str, rows: Sequence[Row]) -> Html:
    head = h("thead", h("tr", *[h("th", one, scope="col") for one in HEADS]))
    body = h("tbody", *[_row(view, one) for one in rows])
    return h("div", h("table", h("caption", caption), head, body, class_="figures"), class_="scroll")


def _row(view: View, one: Row) -> Html:
    before = one.told(view.before(one.path)) if view.report["previous"] else "–"
    name = h(
        "th", one.label, h("small", one.note) if one.note else None, look(view, one.evidence or one.path), scope="row"
    )
    now = h("td", one.told(view.at(one.path)), data_figure=one.path)
    return h("tr", name, now, h("td", before), h("td", one.aim(view) if one.aim else "–"))


def look(view: View, path: str) -> Html | None:
    """The matters behind a figure."""
    found = view.report["evidence"].get(path)
    if not found or not found["count"]:
        return None
    some = found["newest"]
    more = "" if len(some) == found["count"] else f", the newest {len(some)}"
    return more_of(f"{counted(found['count'], 'matter')} {found['matters']}{more}", pointers(view, some), "evidence")


def pointers(view: View, found: Iterable[Shown]) -> Html:
    return h("ul", *[h("li", *pointer(view, one)) for one in found])


def pointer(view: View, one: Shown) -> list[object]:
    """Who and when, with each conversation; what led there if it broke down."""
    links: list[object] = []
    for name in one["conversations"]:
        links += [" ", h("a", name, href=f"{view.inbox}#/{name}") if view.inbox else h("code", name)]
    told = f": {one['explanation']}" if one.get("explanation") else ""
    return [
        f"{one['began'][:16].replace('T', ' ')} {one['customer']} ({one['outcome'].replace('_', ' ')})",
        *links,
        told,
    ]


def more_of(summary: str, inside: Html, kind: str = "more") -> Html:
    return h("details", h("summary", summary), inside, class_=kind)


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Html:
    """The first cell of each row is its name."""
    body = [h("tr", h("th", row[0], scope="row"), *[h("td", one) for one in row[1:]]) for row in rows]
    head = h("thead", h("tr", *[h("th", one, scope="col") for one in heads]))
    return h("div", h("table", h("caption", caption), head, h("tbody", *body)), class_="scroll")


def behind(chart: Html, caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> Html:
    """A chart with its numbers."""
    words = h("figcaption", h("b", caption), f" {note}" if note else "")
    return h("figure", words, chart, more_of("The same as a table", table(caption, heads, rows)))
