"""Charts draw what they are given: lengths, places and words, measured in the picture."""

from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

from socialsupport_core.insight.page.charts import columns, heat, sankey, waits
from socialsupport_core.insight.page.formats import brief, edge, span
from socialsupport_core.insight.page.markup import Html, h

EVIL = '"><script>alert(1)</script>'
EDGES = (300, 900, 3_600, 14_400, 28_800, 86_400, 259_200)
HIGH = 190.0


def drawn(chart: Html) -> Any:
    return Xml.fromstring(chart)


def shapes(picture: Any, tag: str, kind: str) -> list[Any]:
    return [one for one in picture.iter(tag) if kind in (one.get("class") or "").split()]


def size(one: Any, name: str = "height") -> float:
    return float(one.get(name))


def part(count: int, of: int = 10) -> dict[str, Any]:
    return {"share": count / of if of else None, "count": count, "of": of}


def distribution(*reached: int, target: float | None = 14_400.0) -> dict[str, Any]:
    return {
        "contacts": 10,
        "target_seconds": target,
        "bins": [{"within_seconds": e, "count": 0, "by_then": part(n)} for e, n in zip(EDGES, reached, strict=True)],
        "answered": part(reached[-1]),
        "unanswered": part(10 - reached[-1]),
    }


def published(share: float, measure: str = "answered", within: float | None = None) -> dict[str, Any]:
    return {"share": share, "wording": "in their words", "measure": measure, "within_seconds": within}


# how soon


def test_bars_are_as_high_as_their_shares() -> None:
    picture = drawn(waits("Waits", distribution(0, 1, 2, 5, 5, 8, 8)))
    bars = shapes(picture, "rect", "bar")
    assert [round(size(one) / HIGH, 2) for one in bars] == [0, 0.1, 0.2, 0.5, 0.5, 0.8, 0.8, 0.8, 0.2]
    assert [one.find("title").text for one in bars][3] == "4 h: 50.0% (5 of 10)"
    assert [one.get("class") for one in bars][-1] == "bar bad"


@pytest.mark.parametrize(
    ("target", "column"), [(300.0, 1), (14_400.0, 4), (60.0, 1), (864_000.0, 7), (1_800.0, 2.5), (20_364.675, 4.5)]
)
def test_the_target_stands_at_the_end_of_its_time(target: float, column: float) -> None:
    """Half way between 15 minutes and an hour is 30 minutes, for the axis doubles."""
    picture = drawn(waits("Waits", distribution(0, 0, 0, 0, 0, 0, 0, target=target)))
    (line,) = shapes(picture, "line", "target")
    step = (720 - 56) / 9
    assert (size(line, "x1") - 44) / step == pytest.approx(column, abs=0.01)


def test_without_one_target_there_is_no_line() -> None:
    assert not shapes(drawn(waits("Waits", distribution(*[0] * 7, target=None))), "line", "target")


@pytest.mark.parametrize(
    ("given", "column"),
    [(published(0.66, within=14_400.0), 3), (published(0.13), 7), (published(0.23, "unanswered"), 8)],
)
def test_what_is_published_crosses_the_column_that_it_speaks_of(given: dict[str, Any], column: int) -> None:
    picture = drawn(waits("Waits", distribution(0, 1, 2, 5, 5, 8, 8), [given]))
    (line,) = shapes(picture, "line", "published")
    bar = shapes(picture, "rect", "bar")[column]
    assert size(line, "x1") < size(bar, "x") < size(bar, "x") + size(bar, "width") < size(line, "x2")
    assert size(line, "y1") == pytest.approx(36 + HIGH * (1 - given["share"]), abs=0.1)


def test_what_speaks_of_no_column_is_not_drawn() -> None:
    assert not shapes(drawn(waits("W", distribution(*[1] * 7), [published(0.5, within=7_200.0)])), "line", "published")


# week by week


def test_columns_are_as_high_as_their_values() -> None:
    picture = drawn(columns("Weeks", [("2 Nov", 60.0), ("9 Nov", None), ("16 Nov", 30.0)], span, brief))
    bars = shapes(picture, "rect", "bar")
    assert [size(one) for one in bars] == [120.0, 0.0, 60.0]
    assert [one.find("title").text for one in bars] == [
        "2 Nov: 60 seconds",
        "9 Nov: nothing",
        "16 Nov: 30 seconds",
    ]
    assert sorted(one.text for one in picture.iter("text")) == ["16 Nov", "2 Nov", "30 s", "60 s", "9 Nov"]


def test_of_many_weeks_some_are_named() -> None:
    picture = drawn(columns("Weeks", [(f"W{n:02}", 1.0) for n in range(1, 53)], span, brief))
    assert 10 <= len([one for one in picture.iter("text") if one.text.startswith("W")]) <= 14


@pytest.mark.parametrize("values", [[], [("2026-W45", None)], [("2026-W45", 0.0)]])
def test_nothing_has_columns_too(values: list[tuple[str, float | None]]) -> None:
    assert all(size(one) == 0 for one in shapes(drawn(columns("Weeks", values, span, brief)), "rect", "bar"))


# by two sides


def test_the_more_the_darker_with_the_number_in_it() -> None:
    picture = drawn(heat("Heat", ["Mon", "Tue"], ["0", "1"], [[10, 0], [5, 1]], lambda r, c: (r, c) == (1, 1)))
    warm = shapes(picture, "rect", "warm")
    assert [float(one.get("fill-opacity")) for one in warm] == [1.0, 0.57, 0.23]  # 0.15 and 0.85 by tenths
    assert [one.get("class") for one in warm] == ["warm", "warm", "warm away"]
    tips = [one.find("title").text for one in shapes(picture, "rect", "cell")]
    assert tips == ["Mon 0: 10", "Mon 1: 0", "Tue 0: 5", "Tue 1: 1, outside the hours"]
    numbers = [one.text for one in picture.iter("text") if one.get("class") in {"on", "off"}]
    assert numbers == ["10", "5", "1"]


def test_nothing_is_cold() -> None:
    assert not shapes(drawn(heat("Heat", ["Mon"], ["0"], [[0]])), "rect", "warm")


# from where to where


def flow(source: str, target: str, count: int, kept: int) -> dict[str, Any]:
    return {
        "from": {"channel": source, "visibility": "public"},
        "to": {"channel": target, "visibility": "private"},
        "count": count,
        "handed_off": 0,
        "with_context": part(kept, count),
    }


def test_nodes_are_as_high_as_what_passes_through_them() -> None:
    picture = drawn(
        sankey("Flows", [flow("x", "phone", 30, 10), flow("x", "email", 10, 10), flow("fb", "phone", 20, 0)])
    )
    nodes = {one.find("title").text: size(one) for one in shapes(picture, "rect", "node")}
    assert set(nodes) == {"x (public): 40", "fb (public): 20", "phone (private): 50", "email (private): 10"}
    assert nodes["x (public): 40"] == pytest.approx(2 * nodes["fb (public): 20"], abs=0.2)
    assert nodes["phone (private): 50"] == pytest.approx(5 * nodes["email (private): 10"], abs=0.5)
    assert len(shapes(picture, "path", "kept")) == 2
    assert len(shapes(picture, "path", "lost")) == 2, "what is nothing has no ribbon"


@pytest.mark.parametrize(("sources", "targets"), [(5, 4), (9, 1), (1, 9), (1, 1)])
def test_nodes_stay_within_the_picture_and_apart(sources: int, targets: int) -> None:
    flows = [flow(f"from{n % sources}", f"to{n % targets}", n + 1, n // 2) for n in range(12)]
    picture = drawn(sankey("Flows", flows))
    box = float(picture.find("svg").get("viewBox").split()[3])
    for side in {one.get("x") for one in shapes(picture, "rect", "node")}:
        places = sorted((size(one, "y"), size(one)) for one in shapes(picture, "rect", "node") if one.get("x") == side)
        assert all(y + high <= box for y, high in places)
        assert all(y + high < below for (y, high), (below, _) in pairwise(places))


# names are text


def test_hostile_names_are_text() -> None:
    charts = (
        sankey(EVIL, [flow(EVIL, "phone", 1, 1)]),
        heat(EVIL, [EVIL], [EVIL], [[1]]),
        columns(EVIL, [(EVIL, 1.0)], span, brief),
        waits(EVIL, distribution(*[1] * 7), [published(0.1) | {"wording": EVIL}]),
    )
    for chart in charts:
        assert "<script" not in chart
        assert drawn(chart).find("svg").get("aria-label") == EVIL


def test_markup_is_made_of_text() -> None:
    assert h("p", EVIL, None, h("b", 1), class_="a", aria_label='"', id=None) == (
        '<p class="a" aria-label="&quot;">&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;<b>1</b></p>'
    )


@pytest.mark.parametrize(("seconds", "words"), [(30, "30 s"), (300, "5 min"), (5_400, "1.5 h"), (259_200, "3 d")])
def test_an_axis_is_short(seconds: float, words: str) -> None:
    assert edge(seconds) == words
