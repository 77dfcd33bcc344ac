"""Styled stretches of plain text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Style = Literal[
    "bold", "italic", "strike", "underline", "code", "pre", "link", "quote", "mention", "spoiler"
]  # fmt: skip

EMPHASIS: frozenset[Style] = frozenset({"bold", "italic", "strike"})
LINKS: frozenset[Style] = frozenset({"link", "mention"})


class Span(NamedTuple):
    """A styled stretch of plain text; offsets are code points.

    `value` is the target of a `link`, the language of `pre`, the native id of a `mention`.
    """

    start: int
    end: int
    style: Style
    value: str = ""

    def between(self, start: int, end: int) -> Span:
        """The same elsewhere."""
        return self if start == self.start and end == self.end else Span(start, end, self.style, self.value)


def reading_order(span: Span) -> tuple[int, int, str, str]:
    """Sorts outer spans before inner ones."""
    return span.start, -span.end, span.style, span.value


def merged(spans: Iterable[Span]) -> list[Span]:
    """Spans of one style and value that touch or overlap become one; sorted."""
    found: list[Span] = []
    latest: dict[tuple[str, str], int] = {}
    for span in sorted(spans, key=reading_order):
        index = latest.get((span.style, span.value))
        if index is not None and found[index].end >= span.start:
            found[index] = found[index].between(found[index].start, max(found[index].end, span.end))
        else:
            latest[span.style, span.value] = len(found)
            found.append(span)
    return found


def clipped(spans: Iterable[Span], start: int, end: int) -> list[Span]:
    """What of `spans` lies in `start:end`, counted from there."""
    found: list[Span] = []
    for span in spans:
        first, last = max(span.start, start), min(span.end, end)
        if first < last:
            found.append(span.between(first - start, last - start))
    return found
