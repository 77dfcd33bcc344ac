"""The page: what it says is what the report says, in the order in which a manager asks, and it asks for nothing."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from busy import HOSTILE, history
from past import at, past, said

from socialsupport_core.contract import ConfigError
from socialsupport_core.insight import History, Settings, report, settings_of
from socialsupport_core.insight.page import page, policy
from socialsupport_core.insight.page.formats import share

VOID = {"meta", "link"}
QUESTIONS = ["How fast?", "How many?", "How well?", "What did it cost?", "Where does it break?"]
SIZE = 1_000_000


class Parsed(HTMLParser):
    """Tags with their attributes, texts, and figures by what they show."""

    def __init__(self, written: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.figures: dict[str, str] = {}
        self.open: list[tuple[str, str | None]] = []
        self.feed(written)
        assert self.open == [], "each element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append((tag, dict(attrs).get("data-figure")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if any(tag == "style" for tag, _ in self.open):
            return
        self.texts.append(data)
        for _, figure in self.open:
            if figure:
                self.figures[figure] = self.figures.get(figure, "") + data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def busy() -> dict[str, Any]:
    return report(history(400), Settings(), at(-40 * 24))


@pytest.fixture(scope="module")
def parsed(busy: dict[str, Any]) -> Parsed:
    return Parsed(page(busy, name="Acme", inbox="https://support.example/"))


def test_the_questions_come_in_the_order_in_which_a_manager_asks(busy: dict[str, Any]) -> None:
    headings = re.findall(r"<h2 id=[^>]*>([^<]*)</h2>", page(busy))
    assert headings == [*QUESTIONS, "What should we change first?"]


def test_each_figure_is_the_reports(busy: dict[str, Any], parsed: Parsed) -> None:
    """Shares with what they are shares of; times with how many they are of; sums as they are."""
    shares = [path for path in parsed.figures if isinstance(_at(busy, path), dict) and "share" in _at(busy, path)]
    assert len(shares) == 15
    for path in shares:
        assert parsed.figures[path] == share(_at(busy, path))
    spreads = [path for path in parsed.figures if path.startswith("response.") or path == "resolution.time"]
    assert len(spreads) == 6
    for path in spreads:
        assert parsed.figures[path].endswith(f"(of {_at(busy, path)['count']:,})")
    for name in ("expected", "incurred", "avoided"):
        assert parsed.figures[f"cost.{name}"].startswith(f"{busy['cost'][name]['amount']:,.2f} USD")
    for one in busy["changes"][:10]:
        assert parsed.figures[f"changes.{one['rank']}"].startswith(f"{one['amount']:,.2f} USD")


def _at(found: Any, path: str) -> Any:
    for name in path.split("."):
        found = found[int(name) - 1] if isinstance(found, list) else found[name]
    return found


def test_it_says_what_its_words_mean_and_when_it_is_worst(busy: dict[str, Any], parsed: Parsed) -> None:
    text = " ".join(parsed.texts)
    assert "A matter is one thing that one customer wants" in text
    assert "do not add them" in text
    assert f"Of the {busy['distributions'][0]['contacts']:,} contacts that wait for an answer" in text
    worst = {"by": "hours", "name": "Thursdays, 18:00 to 21:00", "matters": {"share": 0.5, "count": 20, "of": 40}}
    told = page(busy | {"worst": [worst], "changes": [busy["changes"][0] | {"when": [worst]}]})
    assert "Worst on Thursdays, 18:00 to 21:00 (20 of the 40 that began then)." in told
    assert "Worst on Thursdays, 18:00 to 21:00 (20 of the 40 that began there then)." in told
    assert "No week and no hours are worse than chance would have it." in page(busy | {"worst": []})


def test_the_period_before_and_the_assumptions_stand_beside(busy: dict[str, Any], parsed: Parsed) -> None:
    text = " ".join(parsed.texts)
    assert share(busy["previous"]["coverage"]["answered"]) in text
    assert text.count("2011 survey, USD") >= 6
    assert "7.7225" in text
    for published in busy["benchmarks"]:
        assert published["wording"] in text
        assert published["source"] in text


def test_each_sum_says_what_it_assumes(busy: dict[str, Any]) -> None:
    rows = re.findall(r"<tr>.*?</tr>", page(busy))
    sums = [row for row in rows if 'data-figure="cost.' in row]
    assert len(sums) == 4
    assert all("2011 survey, USD" in row for row in sums)


def test_another_tenants_costs_are_named_as_such() -> None:
    own = {"costs": {"currency": "EUR", "source": "our own books, 2026"}}
    text = page(report(past(said(1, "x")), settings_of(own)))
    assert "our own books, 2026" in text
    assert "2011 survey" not in text
    assert "USD" not in text


def test_figures_open_their_conversations(busy: dict[str, Any], parsed: Parsed) -> None:
    links = [one["href"] for one in parsed.of("a") if str(one["href"]).startswith("https://support.example/#/")]
    newest = busy["evidence"]["coverage.answered"]["newest"][0]["conversations"][0]
    assert f"https://support.example/#/{newest}" in links
    assert len(links) > 100
    alone = Parsed(page(busy))
    assert not [one for one in alone.of("a") if not str(one["href"]).startswith("#")]
    assert newest in alone.texts


def test_every_chart_has_a_name_and_its_table(parsed: Parsed) -> None:
    charts = [one for one in parsed.of("svg") if one["role"] == "img" and one["aria-label"]]
    assert len(charts) == len(parsed.of("svg")) == len(parsed.of("figure")) >= 12
    assert parsed.texts.count("The same as a table") == len(charts)
    assert all(one.get("scope") in {"row", "col"} for one in parsed.of("th"))
    assert parsed.of("html")[0]["lang"] == "en"


def test_every_anchor_has_its_place(parsed: Parsed) -> None:
    there = {one["id"] for _, one in parsed.tags if one.get("id")}
    within = {str(one["href"])[1:] for one in parsed.of("a") if str(one["href"]).startswith("#")}
    assert within == {"quick", "many", "well", "cost", "breaks", "first"}
    assert within <= there


def test_it_asks_for_nothing_and_runs_nothing(parsed: Parsed) -> None:
    assert {tag for tag, _ in parsed.tags} & {"script", "img", "iframe", "object", "embed", "form", "base"} == set()
    assert [one["href"] for one in parsed.of("link")] == ["data:,"]
    for _, attributes in parsed.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in {"src", "style", "srcset", "xlink:href"}
        ]
    assert "script-src" not in policy()
    assert "default-src 'none'" in policy()
    style = re.search(r"<style>(.*?)</style>", page(report(past(), Settings())), re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


def test_hostile_names_are_text() -> None:
    told = report(history(200, hostile=True), Settings())
    evil = {"filters": {**told["filters"], "channel": HOSTILE}, "journeys": told["journeys"]}
    written = page({**told, **evil}, name=f'{HOSTILE}" onload="x', inbox='https://support.example/"><script>')
    parsed = Parsed(written)
    assert not parsed.of("script")
    assert any(HOSTILE in text for text in parsed.texts)
    assert not [one for _, one in parsed.tags if "onload" in one]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "support.example", "//evil.example", "https:"]
)
def test_an_inbox_that_is_none_is_told(address: str) -> None:
    with pytest.raises(ConfigError, match=r"no address of an inbox page; give one such as https://"):
        page(report(past(), Settings()), inbox=address)


@pytest.mark.parametrize("address", ["../", "/support/", "https://support.example/inbox#/con_1"])
def test_an_inbox_may_be_anywhere_that_is_http(address: str) -> None:
    told = page(report(past(said(1, "x")), Settings()), inbox=address)
    assert f'href="{address.partition("#")[0]}#/con-cus_kerry"' in told


@pytest.mark.parametrize(
    "found",
    [
        past(),
        past(said(1, "x")),
        past(said(1, "x"), said(2, "x", "agent")),
        past(said(1, "phone")),
        past(said(1, "x", "agent")),
    ],
)
@pytest.mark.parametrize("since", [None, at(0)])
def test_little_and_nothing_have_a_page_too(found: History, since: int | None) -> None:
    parsed = Parsed(page(report(found, Settings(), since)))
    assert len(parsed.of("section")) == 6


def test_the_same_report_gives_the_same_page(busy: dict[str, Any]) -> None:
    assert page(busy) == page(busy)


def test_it_stays_small() -> None:
    """However much there is to tell: lists end, and say that they do."""
    told = report(history(4_000), Settings(), at(-45 * 24))
    assert len(page(told, inbox="https://support.example/").encode()) < SIZE / 2
