"""WhatsApp's own markup and CommonMark, in both directions.

*bold*, _italic_, ~struck~, `code`, ```a block```, > a quote:
https://faq.whatsapp.com/539178204879377 (2026-03). A sign counts where a word begins or ends, and within one line.
Lists look the same in both. There is no way to take a sign literally, so one that is meant stays as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from socialsupport_core.text import Span, Style, from_spans, to_spans

SIGNS: dict[str, Style] = {"*": "bold", "_": "italic", "~": "strike"}
MARKS: dict[Style, str] = {"bold": "*", "italic": "_", "strike": "~", "code": "`", "pre": "```"}
QUOTE = "> "


@lru_cache(maxsize=8)  # one text is measured several times while it is planned
def written(markdown: str) -> str:
    """As WhatsApp writes it; a link's target stands behind its words."""
    text, spans = _without_edges(*to_spans(markdown))
    inserts: list[tuple[int, int, int, str]] = []
    for number, span in enumerate(sorted(spans, key=lambda one: (one.start, -one.end))):
        for start, end in _stretches(text, span):
            inserts += _marks(text, span, start, end, number)
    parts, last = [], 0
    for place, *_, sign in sorted(inserts):
        parts += [text[last:place], sign]
        last = place
    return "".join([*parts, text[last:]])


def _without_edges(text: str, spans: Iterable[Span]) -> tuple[str, list[Span]]:
    lead, text = len(text) - len(text.lstrip()), text.strip()
    moved = [(max(one.start - lead, 0), min(one.end - lead, len(text)), one) for one in spans]
    return text, [Span(start, end, one.style, one.value) for start, end, one in moved if start < end]


def _stretches(text: str, span: Span) -> Iterator[tuple[int, int]]:
    """Marks stand within a line, close to what they mark; a block keeps its lines."""
    if span.style in ("pre", "link"):
        yield span.start, span.end
        return
    at = span.start
    for line in text[span.start : span.end].split("\n"):
        bare = line.strip()
        if bare:
            start = at + len(line) - len(line.lstrip())
            yield start, start + len(bare)
        at += len(line) + 1


def _marks(text: str, span: Span, start: int, end: int, number: int) -> Iterator[tuple[int, int, int, str]]:
    """At one place inner marks close first, then outer ones; then outer ones open before inner ones."""
    if span.style == "link":
        words = text[start:end]
        if span.value not in (words, f"https://{words}", f"http://{words}", f"mailto:{words}"):
            yield end, 0, -number, f" ({span.value})"
    elif span.style == "quote":
        yield start, 2, number, QUOTE
    elif mark := MARKS.get(span.style):
        yield start, 2, number, mark
        yield end, 1, -number, mark


def read(native: str) -> str:
    """CommonMark for what somebody wrote."""
    found = _Reading(native)
    return from_spans(found.text, found.spans)


@dataclass
class _Reading:
    """One pass over the text; `gone` are the places of signs that are no text."""

    native: str
    text: str = ""
    spans: list[Span] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        raw = [*self._code(), *self._quotes()]
        hidden = {place for start, end, style, _ in raw if style in ("code", "pre") for place in range(start, end)}
        raw += self._emphasis(hidden)
        kept = [place for place in range(len(self.native)) if place not in self.gone]
        self.text = "".join(self.native[place] for place in kept)
        where, count = [], 0
        for place in range(len(self.native) + 1):
            where.append(count)
            count += place < len(self.native) and place not in self.gone
        self.spans = [Span(where[s], where[e], style, value) for s, e, style, value in raw if where[s] < where[e]]

    def _code(self) -> Iterator[tuple[int, int, Style, str]]:
        at = 0
        while (start := self.native.find("`", at)) >= 0:
            mark = "```" if self.native.startswith("```", start) else "`"
            inner = start + len(mark)
            end = self.native.find(mark, inner)
            if end <= inner or (mark == "`" and "\n" in self.native[inner:end]):
                at = inner
                continue
            self.gone.update(range(start, inner), range(end, end + len(mark)))
            at = end + len(mark)
            yield inner, end, ("pre" if mark == "```" else "code"), ""

    def _quotes(self) -> Iterator[tuple[int, int, Style, str]]:
        at = 0
        for line in self.native.split("\n"):
            if line.startswith(QUOTE) and at not in self.gone:
                self.gone.update((at, at + 1))
                yield at + 2, at + len(line), "quote", ""
            at += len(line) + 1

    def _emphasis(self, hidden: set[int]) -> Iterator[tuple[int, int, Style, str]]:
        opened: dict[str, int] = {}
        for place, sign in enumerate(self.native):
            if sign == "\n":
                opened.clear()
            if sign not in SIGNS or place in hidden or place in self.gone:
                continue
            before = self.native[place - 1] if place else " "
            after = self.native[place + 1] if place + 1 < len(self.native) else " "
            start = opened.get(sign)
            if start is not None and place > start + 1 and not before.isspace() and not after.isalnum():
                self.gone.update((start, place))
                opened = {one: at for one, at in opened.items() if at < start}
                yield start + 1, place, SIGNS[sign], ""
            elif not after.isspace() and not before.isalnum():
                opened[sign] = place
