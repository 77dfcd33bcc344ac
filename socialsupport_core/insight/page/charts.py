"""Charts as SVG: pure functions of numbers. Each is an image with a name; its table stands behind it."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from socialsupport_core.insight.page.formats import edge, percent, share, touch
from socialsupport_core.insight.page.markup import Html, h

Shown = Mapping[str, Any]
WIDTH = 720
NEAR = 18
"""So far above a bar a line would go through the bar's number, which is then within the bar."""


def _svg(name: str, height: float, *parts: object, width: float = WIDTH) -> Html:
    picture = h("svg", *parts, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=name, class_="chart")
    return h("div", picture, class_="scroll", tabindex="0", role="group", aria_label=f"{name} (chart)")


def _text(x: float, y: float, words: object, anchor: str = "middle", class_: str | None = None) -> Html:
    return h("text", words, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)


def _rect(x: float, y: float, width: float, height: float, tip: str, **more: object) -> Html:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{max(width, 0):.1f}", "height": f"{max(height, 0):.1f}"}
    return h("rect", h("title", tip), **place, **more)


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Html:
    return h("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=class_)


# how soon


def waits(name: str, one: Shown, published: Sequence[Shown] = ()) -> Html:
    """How many contacts were answered by then, at all, and never; the target, and what is published of others."""
    left, top, high, step = 44, 36, 190, (WIDTH - 56) / (len(one["bins"]) + 2)
    shown = [(edge(b["within_seconds"]), b["by_then"], "bar") for b in one["bins"]]
    shown += [("at all", one["answered"], "bar"), ("never", one["unanswered"], "bar bad")]
    lines = {at: b for b in published if (at := _column(b, one)) is not None}
    parts = [_grid(left, top, high)]
    for number, (label, part, kind) in enumerate(shown):
        x, tall = left + number * step, (part["share"] or 0) * high
        parts.append(_rect(x + 4, top + high - tall, step - 8, tall, f"{label}: {share(part)}", class_=kind))
        parts.append(_text(x + step / 2, top + high + 16, label))
        crossed = number in lines and 0 <= lines[number]["share"] * high - tall < NEAR and tall > NEAR
        y = top + high - tall + (13 if crossed else -5)
        parts.append(_text(x + step / 2, y, percent(part["share"]), class_="value on" if crossed else "value"))
    for at, b in lines.items():
        tall = (shown[at][1]["share"] or 0) * high
        is_beside = 0 <= tall - b["share"] * high < NEAR
        parts.append(_published(b, left + at * step, top + high * (1 - b["share"]), step, under=is_beside))
    if one["target_seconds"]:
        x = left + step * _place([b["within_seconds"] for b in one["bins"]], one["target_seconds"])
        parts += [_line(x, top - 18, x, top + high, "target")]
        parts += [_text(x + 4, top - 20, f"target {edge(one['target_seconds'])}", "start", "target-name")]
    return _svg(name, top + high + 26, *parts)


def _grid(left: float, top: float, high: float) -> Html:
    marks = [(part, top + high * (1 - part / 100)) for part in (0, 25, 50, 75, 100)]
    lines = [_line(left, y, WIDTH - 12, y, "grid") for _, y in marks]
    return h("g", *lines, *[_text(left - 6, y + 4, f"{part} %", "end", "axis") for part, y in marks])


def _place(edges: Sequence[float], target: float) -> float:
    """Of the right end of its column, in columns; between two edges by the logarithm."""
    before = 0.0
    for number, here in enumerate(edges):
        if target <= here:
            if not before or target == here:
                return number + 1
            return number + math.log(target / before) / math.log(here / before)
        before = here
    return len(edges)


def _column(b: Shown, one: Shown) -> int | None:
    """Of what it speaks; what speaks of none of the columns is in the table alone."""
    edges = [x["within_seconds"] for x in one["bins"]]
    if b["measure"] == "unanswered":
        return len(edges) + 1
    if b["within_seconds"] is None:
        return len(edges)
    return edges.index(b["within_seconds"]) if b["within_seconds"] in edges else None


def _published(b: Shown, x: float, y: float, step: float, *, under: bool) -> Html:
    """`under` the line stands its number where the bar's own is just above."""
    tip = h("title", f"published: {b['wording']}")
    line = _line(x - 2, y, x + step + 2, y, "published")
    place = y + 13 if under else y - 4
    return h("g", tip, line, _text(x + step / 2, place, f"{b['share']:.0%}", class_="published-name"))


# week by week


def columns(
    name: str,
    values: Sequence[tuple[str, float | None]],
    told: Callable[[float], str],
    brief: Callable[[float], str],
    kind: str = "bar",
) -> Html:
    """One column each with its value in `brief`; of more than 14 the highest alone carries it."""
    high, top, left = 120.0, 20, 12
    most = max((value for _, value in values if value is not None), default=0) or 1
    step = (WIDTH - 24) / max(len(values), 1)
    every = math.ceil(len(values) / 14)
    parts: list[Html] = [_line(left, top + high, WIDTH - 12, top + high, "grid")]
    marked = next((number for number, (_, value) in enumerate(values) if value == most), -1)
    for number, (label, value) in enumerate(values):
        x, tall = left + number * step, (value or 0) / most * high
        wide = min(step * 0.8, 56)
        begin = x + (step - wide) / 2
        tip = f"{label}: {'nothing' if value is None else told(value)}"
        parts.append(_rect(begin, top + high - tall, wide, tall, tip, class_=kind))
        if number % every == 0:
            parts.append(_text(x + step / 2, top + high + 16, label))
        if value is not None and (every == 1 or number == marked):
            middle = min(max(x + step / 2, 30), WIDTH - 30)
            parts.append(_text(middle, top + high - tall - 5, brief(value), class_="value"))
    return _svg(name, top + high + 24, *parts)


# by two sides


def heat(
    name: str,
    rows: Sequence[str],
    heads: Sequence[str],
    cells: Sequence[Sequence[int]],
    closed: Any = None,
    left: int = 40,
) -> Html:
    """The more, the darker, with the number in it. `closed(row, column)`: nobody is meant to be there."""
    top, tall = 20, 24
    step = (WIDTH - left - 4) / max(len(heads), 1)
    most = max((value for row in cells for value in row), default=0) or 1
    parts: list[Html] = [_text(left + (n + 0.5) * step, 14, head, class_="axis") for n, head in enumerate(heads)]
    for r, row in enumerate(cells):
        y = top + r * tall
        parts.append(_text(left - 6, y + 16, rows[r], "end", "axis"))
        for c, value in enumerate(row):
            shut = closed is not None and closed(r, c)
            tip = f"{rows[r]} {heads[c]}: {value:,}{', outside the hours' if shut else ''}"
            x, strong = left + c * step, value / most
            parts.append(_rect(x + 1, y + 1, step - 2, tall - 2, tip, class_="cell"))
            if value:
                place = {"x": f"{x + 1:.1f}", "y": f"{y + 1}", "width": f"{step - 2:.1f}", "height": f"{tall - 2}"}
                parts.append(
                    h(
                        "rect",
                        **place,
                        class_="warm away" if shut else "warm",
                        fill_opacity=f"{0.15 + 0.85 * strong:.2f}",
                    )
                )
                parts.append(_text(x + step / 2, y + 16, _short(value), class_="on" if strong > 0.5 else "off"))
    return _svg(name, top + len(cells) * tall + 4, *parts)


def _short(value: int) -> str:
    return f"{value:,}" if value < 10_000 else f"{value / 1000:.0f}k"


# from where to where


def sankey(name: str, flows: Sequence[Shown]) -> Html:
    """On the left where customers were, on the right where they went on; dark where they were known there."""
    high, gap, wide = 40 + 26.0 * max(4, len({touch(one["to"]) for one in flows})), 10, 12
    left = _stack([(touch(one["from"]), one["count"]) for one in flows], high, gap)
    right = _stack([(touch(one["to"]), one["count"]) for one in flows], high, gap)
    scale = min(left.scale, right.scale)
    begin, end = 190, WIDTH - 190
    parts = [_ribbon(one, left, right, scale, begin + wide, end) for one in flows]
    for side, x, anchor, at in ((left, begin, "end", begin - 6), (right, end, "start", end + wide + 6)):
        for label, (y, total) in side.nodes.items():
            parts.append(_rect(x, y, wide, max(total * scale, 1), f"{label}: {total:,}", class_="node"))
            parts.append(_text(at, y + total * scale / 2 + 4, f"{label}  {total:,}", anchor))
    return _svg(name, high + 8, *parts)


class _stack:
    """Nodes above each other, the largest first, in the order in which they are first named."""

    def __init__(self, counts: Iterable[tuple[str, int]], high: float, gap: float) -> None:
        totals: dict[str, int] = {}
        for label, count in counts:
            totals[label] = totals.get(label, 0) + count
        self.scale = (high - gap * (len(totals) - 1)) / max(sum(totals.values()), 1)
        self.nodes: dict[str, tuple[float, int]] = {}
        self.used = dict.fromkeys(totals, 0.0)
        y = 4.0
        for label, total in sorted(totals.items(), key=lambda item: -item[1]):
            self.nodes[label] = y, total
            y += total * self.scale + gap

    def take(self, label: str, size: float) -> float:
        """Where the next ribbon of this size begins."""
        y = self.nodes[label][0] + self.used[label]
        self.used[label] += size
        return y


def _ribbon(one: Shown, left: _stack, right: _stack, scale: float, begin: float, end: float) -> Html:
    source, target, kept = touch(one["from"]), touch(one["to"]), one["with_context"]["count"]
    tip = f"{source} to {target}: {one['count']:,}, of these {kept:,} known there, {one['handed_off']:,} handed off"
    parts = [h("title", tip)]
    for count, kind in ((kept, "kept"), (one["count"] - kept, "lost")):
        size, middle = count * scale, (begin + end) / 2
        a, b = left.take(source, size), right.take(target, size)
        curve = (
            f"M{begin:.1f} {a:.1f}C{middle:.1f} {a:.1f} {middle:.1f} {b:.1f} {end:.1f} {b:.1f}V{b + size:.1f}"
            f"C{middle:.1f} {b + size:.1f} {middle:.1f} {a + size:.1f} {begin:.1f} {a + size:.1f}Z"
        )
        if count:
            parts.append(h("path", d=curve, class_=f"flow {kind}"))
    return h("g", *parts)
