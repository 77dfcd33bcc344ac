"""The report as one HTML page that asks for nothing: its style and its charts are in it, and it has no script.

Charts are drawn by hand as SVG: a chart library would bring megabytes, and a policy that lets scripts run. Each figure
comes from the report as it is; nothing is computed here but lengths and places on paper.
"""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight.page import breaking, costing, first, many, quick, well
from socialsupport_core.insight.page.figures import View
from socialsupport_core.insight.page.formats import day, share, span
from socialsupport_core.insight.page.markup import Html, h, raw

SECTIONS = (quick, many, well, costing, breaking, first)
"""In the order in which a manager asks; each has ID, QUESTION, `headline` and `section`."""


def page(report: Mapping[str, Any], *, name: str = "", inbox: str | None = None) -> str:
    """`name`: whose report it is; `inbox`: where the inbox page is, to which figures lead. Raises ConfigError."""
    view = View(report, _checked(inbox))
    title = f"Support report{f' of {name}' if name else ''}, {day(report['period']['from'])} to {_last(report)}"
    body = h(
        "body",
        h("a", "Skip to the answers", href="#quick", class_="skip"),
        h("header", h("h1", f"Support report{f' of {name}' if name else ''}"), _period(report), _nav(view)),
        h("main", *[_section(one, view) for one in SECTIONS], _assumed(view)),
    )
    head = h(
        "head",
        raw('<meta charset="utf-8">'),
        raw(f'<meta http-equiv="Content-Security-Policy" content="{policy()}">'),
        raw('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        raw('<meta name="color-scheme" content="light dark"><meta name="referrer" content="no-referrer">'),
        raw('<link rel="icon" href="data:,">'),
        h("title", title),
        raw(f"<style>{_style()}</style>"),
    )
    return f"<!doctype html>\n{h('html', head, body, lang='en')}\n"


@cache
def policy() -> str:
    """The Content-Security-Policy: this style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text("utf-8")


def _checked(inbox: str | None) -> str | None:
    """What every link begins with; a path of the same origin may be relative."""
    if inbox is None:
        return None
    parts = urlsplit(inbox)
    relative = not parts.scheme and not parts.netloc and inbox.startswith((".", "/"))
    if not relative and not (parts.scheme in {"http", "https"} and parts.netloc):
        raise ConfigError(f"{inbox!r} is no address of an inbox page; give one such as https://support.example/")
    return inbox.partition("#")[0]


def _section(one: Any, view: View) -> Html:
    return h(
        "section",
        h("h2", one.QUESTION, id=f"{one.ID}-title"),
        *one.section(view),
        id=one.ID,
        aria_labelledby=f"{one.ID}-title",
    )


def _nav(view: View) -> Html:
    """The questions, each with its answer in a word."""
    items = [
        h("li", h("a", h("span", one.QUESTION), h("b", one.headline(view)), href=f"#{one.ID}")) for one in SECTIONS
    ]
    return h("nav", h("ol", *items, class_="answers"), aria_label="Six questions")


def _last(report: Mapping[str, Any]) -> str:
    return day(report["period"]["until"])


def _period(report: Mapping[str, Any]) -> Html:
    given = [f"{name} {value}" for name, value in report["filters"].items() if value]
    filtered = f" Only matters with {', '.join(given)} in them, whole." if given else ""
    period = report["period"]
    return h(
        "div",
        h(
            "p",
            f"Matters that began from {_moment(period['from'])} to {_moment(period['until'])} UTC",
            f"{_before(report['previous'])}.{filtered}",
        ),
        h("p", WORDS),
        class_="period",
    )


WORDS = (
    "A matter is one thing that one customer wants, on however many channels; a contact is each time they turn to us"
    " for it; a leg is what of it was on one channel. It breaks down where a leg first fails them."
)


def _before(previous: Mapping[str, Any] | None) -> str:
    if not previous:
        return "; there is no period before to compare with"
    period = previous["period"]
    told = f"; before: from {_moment(period['from'])}"
    if not (known := period.get("known_from")):
        return told
    if known[:19] >= period["until"][:19]:
        return f"{told}, of which nothing is known"
    return f"{told}, of which nothing is known until {_moment(known)}: compare its shares, and not its counts"


def _moment(at: str) -> str:
    return at[:16].replace("T", " ")


def _assumed(view: View) -> Html:
    found = view.report["assumptions"]
    hours = found["hours"]
    week = "; ".join(f"{day} {', '.join(spans)}" for day, spans in hours["week"].items() if spans) or "always"
    targets = ", ".join(f"{name} {span(value)}" for name, value in found["targets_seconds"].items())
    return h(
        "footer",
        h("h2", "What all of this assumes"),
        h("p", f"A matter goes on until it is silent for {found['window_days']:g} days, or resolved."),
        h("p", f"Targets: {span(found['target_seconds'])}{f'; {targets}' if targets else ''}."),
        h("p", f"Hours ({hours['zone']}): {week}."),
        h("p", f"Contacts outside the hours: {share(view.report['arrivals']['outside_hours'])}."),
    )
