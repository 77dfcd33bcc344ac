"""A message in parts that fit."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count

from .patterns import GRAPHEME
from .reading import to_spans
from .spans import EMPHASIS, LINKS, Span, clipped
from .writing import from_spans

Measure = Callable[[str], int]

Interval = tuple[int, int]

# An address ends at white space or where a script without spaces begins.
_UNBROKEN = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\bmailto:|\btel:)[^\s<>\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]+"
    r"|\b[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"
    r"|[@#$]\w+(?:[.-]\w+)*",
    re.IGNORECASE | re.ASCII,
)
# Where a part may end, from the best place to the worst.
_PLACES = (
    re.compile(r"(?<=\S)(?=[ \t]*\n[ \t]*\n)"),
    re.compile(r"(?<=\S)(?=[ \t]*\n)"),
    re.compile(r"[.!?…][\"'”’»)\]]*(?=\s)|[。！？][”’」』）]*"),
    re.compile(r"(?<=\S)(?=\s)"),
)
_SPACE = re.compile(r"\s*")
_LOOK_AHEAD = 16
# A better place counts only beyond this share of the room, lest a short greeting makes a part of its own.
_WORTHWHILE = 0.25

_WHOLE = LINKS | {"code"}
_BETTER_WHOLE = EMPHASIS | {"pre"}


def fits(text: str, limit: int, measure: Measure) -> bool:
    return measure(text) <= limit


def split(text: str, limit: int, measure: Measure) -> list[str]:
    """`text` (CommonMark) in parts with `measure(part) <= limit` each.

    Cuts between paragraphs, else lines, sentences, words; never inside a grapheme cluster. Links, mentions,
    addresses and inline code are cut only if they alone exceed the limit; code blocks and emphasis that have
    to be cut are closed and reopened. Only white space at the cuts is dropped; a text of nothing else that
    does not fit makes no part. `measure` should grow with the text; it is called O(log n) times a part.

    Raises `ValueError` if a single grapheme cluster, with the link it carries, exceeds the limit.
    """
    if measure(text) <= limit:
        return [text]
    return list(_Splitter(*to_spans(text), limit, measure).parts())


def _clusters(text: str) -> list[Interval]:
    """The grapheme clusters of more than one code point; all other code points stand alone."""
    if text.isascii():
        return []
    spans = (match.span() for match in GRAPHEME.finditer(text))
    return [(start, end) for start, end in spans if end - start > 1]


class _Unbroken:
    """Intervals inside which there is no cut."""

    def __init__(self, intervals: Iterable[Interval]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for start, end in sorted(intervals):
            if self.ends and start < self.ends[-1]:
                self.ends[-1] = max(end, self.ends[-1])
            else:
                self.starts.append(start)
                self.ends.append(end)

    def around(self, at: int) -> Interval | None:
        index = bisect_left(self.starts, at) - 1
        return (self.starts[index], self.ends[index]) if index >= 0 and at < self.ends[index] else None

    def last(self, at: int) -> int:
        """The last cut at or before `at`."""
        around = self.around(at)
        return around[0] if around else at

    def following(self, at: int) -> int:
        """The first cut after `at`."""
        around = self.around(at + 1)
        return around[1] if around else at + 1


class _Splitter:
    def __init__(self, text: str, spans: Sequence[Span], limit: int, measure: Measure) -> None:
        self.text, self.spans, self.limit, self.measure = text, spans, limit, measure
        clusters = _clusters(text)
        whole = [(span.start, span.end) for span in spans if span.style in _WHOLE]
        addresses = [match.span() for match in _UNBROKEN.finditer(text)]
        self.clusters = _Unbroken(clusters)
        self.atoms = _Unbroken([*clusters, *whole, *addresses])
        self.styled = _Unbroken((span.start, span.end) for span in spans if span.style in _BETTER_WHOLE)
        self.code = _Unbroken((span.start, span.end) for span in spans if span.style == "pre")
        self.starts = [span.start for span in spans]
        self.live: list[Span] = []  # spans that began before this part and reach into it
        self.seen = 0
        self.bare = False

    def parts(self) -> Iterator[str]:
        start, room = 0, max(self.limit, 1)
        while start < len(self.text):
            end = self._end(start, room)
            if part := self._part(start, end):
                yield part
            room = max(end - start, 1)
            start = self._next_start(end)
            self.bare = False

    def _end(self, start: int, room: int) -> int:
        self._look_from(start)
        for unbroken, bare in ((self.atoms, False), (self.clusters, False), (self.clusters, True)):
            self.bare = bare
            end = self._furthest(start, room, unbroken)
            if end > start:
                return self._best(start, end, unbroken)
        raise ValueError(f"{self._part(start, self.clusters.following(start))!r} alone exceeds {self.limit}")

    def _look_from(self, start: int) -> None:
        seen = bisect_right(self.starts, start)
        self.live = [span for span in (*self.live, *self.spans[self.seen : seen]) if span.end > start]
        self.seen = seen

    def _part(self, start: int, end: int) -> str:
        text = self.text[start:end]
        if end < len(self.text):
            text = text.rstrip()
        spans = [*self.live, *self.spans[self.seen : bisect_left(self.starts, end)]]
        if self.bare:
            spans = [span for span in spans if span.style in LINKS]
        return from_spans(text, clipped(spans, start, start + len(text))) if text.strip() else ""

    def _size(self, start: int, end: int) -> int:
        return self.measure(self._part(start, end))

    def _furthest(self, start: int, room: int, unbroken: _Unbroken) -> int:
        """The furthest cut that fits, or `start`. The room of the last part is the first guess."""
        good, good_size, bad, bad_size = start, 0, len(self.text) + 1, 0
        for step in count(1):
            if good == len(self.text):
                break
            if bad > len(self.text):
                probe = start + room
            elif step % 3:
                # Lengths mostly grow evenly: guess where the limit is reached. Every third step halves.
                probe = good + (bad - good) * (self.limit - good_size) // max(bad_size - good_size, 1)
            else:
                probe = (good + bad) // 2
            end = unbroken.last(min(probe, len(self.text), bad - 1))
            end = end if end > good else unbroken.following(good)
            if end >= bad:
                break
            size = self._size(start, end)
            if size <= self.limit:
                good, good_size, room = end, size, 2 * max(room, end - start)
            else:
                bad, bad_size = end, size
        return good

    def _best(self, start: int, end: int, unbroken: _Unbroken) -> int:
        if end == len(self.text):
            return end
        worthwhile = start + 1 + int((end - start) * _WORTHWHILE)
        for keep_styled in (True, False):
            for place in _PLACES:
                first = worthwhile if keep_styled or place is not _PLACES[-1] else start + 1
                cut = self._last_place(place, first, end, unbroken, keep_styled)
                if cut and self._size(start, cut) <= self.limit:
                    return cut
        return end

    def _last_place(
        self, place: re.Pattern[str], first: int, end: int, unbroken: _Unbroken, keep_styled: bool
    ) -> int | None:
        found = None
        for match in place.finditer(self.text, first - 1, min(end + _LOOK_AHEAD, len(self.text))):
            cut = match.end()
            if cut > end:
                break
            if cut >= first and not unbroken.around(cut) and not (keep_styled and self.styled.around(cut)):
                found = cut
        return found

    def _next_start(self, end: int) -> int:
        if self.code.around(end):  # indentation is part of the code
            return end + self.text.startswith("\n", end)
        space = _SPACE.match(self.text, end)
        return space.end() if space else end
