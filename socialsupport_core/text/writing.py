"""From plain text with spans to CommonMark."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from . import dialect, escaping
from .reading import MENTION, read
from .spans import EMPHASIS, LINKS, Span, clipped, merged, reading_order

_GAP = re.compile(r"\n(?:[ \t]*\n)+")
_BARE = re.compile(r"https?://[^\s<>]+")
_TARGET_CONTROL = re.compile(r"[\x00-\x20\x7f`]")
_TARGET_MARKUP = re.compile(r"[\\<>&]")
_LANGUAGE = re.compile(r"[^\s`~\\&]+")
_DELIMITER = {"bold": "**", "italic": "*", "strike": "~~"}
_INNERMOST = ("link", "mention", "bold", "italic", "strike", "code")


def from_spans(plain: str, spans: Iterable[Span]) -> str:
    """CommonMark for `plain` with `spans`, which may nest, overlap and lie anywhere.

    A mention becomes a link to `mention:ID`, which `to_spans` reads back.
    """
    text = dialect.scrub(plain)
    kept = [_without_idle_value(span) for span in clipped(spans, 0, len(text)) if _has_markup(span)]
    if not kept:
        return escaping.escape(text)
    text, kept = _without_returns(text, merged(kept))
    written = _in_turn(text, easy) if (easy := _easy(text, kept)) else _blocks(text, kept)
    # What is too large to be read as markup must not be written as markup.
    return written if len(written) <= dialect.MAX_PARSED else escaping.escape(text)


def escape(text: str) -> str:
    """`text` as CommonMark that reads as `text`; prose stays as it is."""
    return escaping.escape(dialect.scrub(text))


def _has_markup(span: Span) -> bool:
    if span.style == "link":
        return dialect.may_link(span.value)
    return span.style not in ("underline", "spoiler")


def _without_idle_value(span: Span) -> Span:
    is_meant = not span.value or span.style in ("link", "mention", "pre")
    return span if is_meant else Span(span.start, span.end, span.style)


def _easy(text: str, spans: list[Span]) -> list[Span]:
    """What is marked where all of it stands apart, in one paragraph, as in most messages: nothing is to be cut or tried
    out. Else nothing."""
    end = -1
    for span in spans:
        if span.start <= end or not (span.style in LINKS or span.style in EMPHASIS):
            return []
        end = span.end
    if _GAP.search(text) or not _is_plain_sailing(text, spans):
        return []
    return [span for span in spans if not _is_bare(text, span)]


def _without_returns(text: str, spans: list[Span]) -> tuple[str, list[Span]]:
    if "\r" not in text:
        return text, spans
    gone = [match.start() for match in re.finditer(r"\r(?=\n)", text)]
    moved = [
        span.between(span.start - bisect_left(gone, span.start), span.end - bisect_left(gone, span.end))
        for span in spans
    ]
    return dialect.one_line_end(text), [span for span in moved if span.start < span.end]


# Blocks


def _blocks(text: str, spans: list[Span]) -> str:
    quotes = [span for span in (_trimmed(text, span) for span in spans if span.style == "quote") if span]
    others = [span for span in spans if span.style != "quote"]
    if not quotes:
        return _fences(text, others, quoted=False)
    parts: list[str] = []
    start = 0
    for quote in _whole_lines(text, quotes):
        if start < quote.start:
            parts.append(_unquoted(text, others, start, quote.start - 1, bool(parts)))
        inside = _fences(text[quote.start : quote.end], clipped(others, quote.start, quote.end), quoted=True)
        parts.append("\n".join(f"> {line}" if line else ">" for line in inside.split("\n")))
        start = quote.end + 1
    if start <= len(text):
        parts.append(_unquoted(text, others, start, len(text), bool(parts)))
    return "\n".join(parts)


def _unquoted(text: str, spans: list[Span], start: int, end: int, after_quote: bool) -> str:
    written = _fences(text[start:end], clipped(spans, start, end), quoted=False)
    # Without a blank line the text would lazily go on with the quote.
    needs_gap = after_quote and written.split("\n", 1)[0].strip(" \t")
    return f"\n{written}" if needs_gap else written


def _whole_lines(text: str, spans: Iterable[Span]) -> list[Span]:
    """`spans` grown to the lines that they touch, those on adjacent lines as one."""
    found: list[Span] = []
    for span in spans:
        start = text.rfind("\n", 0, span.start) + 1
        end = text.find("\n", span.end)
        end = len(text) if end < 0 else end
        if found and start <= found[-1].end + 1:
            found[-1] = found[-1].between(found[-1].start, max(end, found[-1].end))
        else:
            found.append(span.between(start, end))
    return found


def _fences(text: str, spans: list[Span], *, quoted: bool) -> str:
    fences: list[Span] = []
    inline: list[Span] = []
    for span in spans:
        if span.style == "pre" and _is_whole_lines(text, span) and (not fences or fences[-1].end < span.start):
            fences.append(span)
        else:
            inline.append(Span(span.start, span.end, "code") if span.style == "pre" else span)
    inline = merged(inline)
    parts: list[str] = []
    start = 0
    for fence in fences:
        parts += _paragraphs(text, inline, start, fence.start, quoted)
        parts.append(_fence(text[fence.start : fence.end], fence.value))
        start = fence.end
    return "".join([*parts, *_paragraphs(text, inline, start, len(text), quoted)])


def _is_whole_lines(text: str, span: Span) -> bool:
    return text[span.start - 1 : span.start] in ("", "\n") and text[span.end : span.end + 1] in ("", "\n")


def _fence(code: str, language: str) -> str:
    ticks = "`" * max(3, _longest(code, "`") + 1)
    language = language if _LANGUAGE.fullmatch(language) else ""
    return f"{ticks}{language}\n{code}\n{ticks}"


def _longest(text: str, char: str) -> int:
    return max((len(run) for run in re.findall(f"{re.escape(char)}+", text)), default=0)


def _paragraphs(text: str, spans: list[Span], start: int, end: int, quoted: bool) -> list[str]:
    parts: list[str] = []
    ahead = 0
    current: list[Span] = []
    for gap in (*_GAP.finditer(text, start, end), None):
        stop = gap.start() if gap else end
        while ahead < len(spans) and spans[ahead].start < stop:
            current.append(spans[ahead])
            ahead += 1
        current = [span for span in current if span.end > start]
        parts += (_paragraph(text[start:stop], clipped(current, start, stop), quoted), gap[0] if gap else "")
        start = gap.end() if gap else end
    return parts


# Paragraphs


def _paragraph(text: str, spans: list[Span], quoted: bool) -> str:
    """The first spelling that reads back as `text`, from all styles down to none."""
    for prepare in (_all_styles, _off_punctuation, _no_emphasis):
        wanted = prepare(text, spans)
        if not wanted:
            break
        written = _inline(text, wanted, quoted)
        if _is_plain_sailing(text, wanted) or read(written)[0] == text:
            return written
    return escaping.insert(text, escaping.in_paragraph(text, quoted=quoted))


def _is_plain_sailing(text: str, spans: Sequence[Span]) -> bool:
    """Whether each emphasis surrounds words and stands apart, so that there is nothing to try out."""
    edges = [edge for span in spans for edge in (span.start, span.end)]
    if len(set(edges)) < len(edges):
        return False
    return all(
        text[span.start].isalnum()
        and text[span.end - 1].isalnum()
        and not text[span.start - 1 : span.start].isalnum()
        and not text[span.end : span.end + 1].isalnum()
        for span in spans
        if span.style in EMPHASIS
    )


def _all_styles(text: str, spans: list[Span]) -> list[Span]:
    return _nested(text, spans, _is_solid)


def _off_punctuation(text: str, spans: list[Span]) -> list[Span]:
    """Emphasis that starts or ends with punctuation glued to a word is not CommonMark."""
    return _nested(text, spans, str.isalnum)


def _no_emphasis(text: str, spans: list[Span]) -> list[Span]:
    return _nested(text, [span for span in spans if span.style not in EMPHASIS], _is_solid)


def _is_solid(char: str) -> bool:
    return not char.isspace()


def _is_bare(text: str, span: Span) -> bool:
    return span.style == "link" and text[span.start : span.end] == span.value and bool(_BARE.fullmatch(span.value))


def _trimmed(text: str, span: Span, keep: Callable[[str], bool] = _is_solid) -> Span | None:
    start, end = span.start, span.end
    while start < end and not keep(text[start]):
        start += 1
    while start < end and not keep(text[end - 1]):
        end -= 1
    return span.between(start, end) if start < end else None


def _nested(text: str, spans: list[Span], keep: Callable[[str], bool]) -> list[Span]:
    """The same styles as spans that nest, outer ones first; code stays apart since it is always innermost."""
    links = _disjoint(span for span in spans if span.style in LINKS and not _is_bare(text, span))
    emphasis = [part for span in spans if span.style in EMPHASIS for part in _cut_by_links(span, links)]
    nested = [span if span.style in LINKS else _trimmed(text, span, keep) for span in _uncrossed(links + emphasis)]
    return [span for span in nested if span] + [span for span in spans if span.style == "code"]


def _disjoint(links: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for link in sorted(links, key=reading_order):
        start = max(link.start, found[-1].end) if found else link.start
        if start < link.end:
            found.append(link.between(start, link.end))
    return found


def _cut_by_links(span: Span, links: Sequence[Span]) -> list[Span]:
    """`span` in pieces if it crosses the edge of a link, so that the link stays whole."""
    bounds = [span.start, span.end]
    for at in (span.start, span.end):
        index = bisect_left(links, at, key=lambda link: link.start) - 1
        if index >= 0 and links[index].end > at:
            bounds += [edge for edge in (links[index].start, links[index].end) if span.start < edge < span.end]
    return [span.between(start, end) for start, end in pairwise(sorted(set(bounds)))]


def _uncrossed(spans: list[Span]) -> list[Span]:
    """Where one span starts inside another and ends after it, it is cut there."""
    waiting = [(_outer_first(span), span) for span in spans]
    heapify(waiting)
    found: list[Span] = []
    around: list[Span] = []
    while waiting:
        _, span = heappop(waiting)
        while around and around[-1].end <= span.start:
            around.pop()
        if around and span.end > around[-1].end:
            rest = span.between(around[-1].end, span.end)
            heappush(waiting, (_outer_first(rest), rest))
            span = span.between(span.start, rest.start)
        around.append(span)
        found.append(span)
    return found


def _outer_first(span: Span) -> tuple[int, int, int, str]:
    return span.start, -span.end, _INNERMOST.index(span.style), span.value


def _inline(text: str, spans: list[Span], quoted: bool) -> str:
    edges = sorted({edge for span in spans for edge in (span.start, span.end)})
    opening = {span.start for span in spans if span.style in LINKS}
    slashes = sorted(escaping.in_paragraph(text, set(edges), opening, quoted))
    code = [span for span in spans if span.style == "code"]
    waiting = sorted((span for span in spans if span.style != "code"), key=_outer_first, reverse=True)
    parts: list[str] = []
    around: list[Span] = []
    for start, end in pairwise(sorted({0, *edges, len(text)})):
        while around and around[-1].end <= start:
            parts.append(_closing(around.pop()))
        while waiting and waiting[-1].start <= start:
            around.append(waiting.pop())
            parts.append(_opening(around[-1]))
        while code and code[0].end <= start:
            code.pop(0)
        if code and code[0].start <= start:
            parts.append(_code(text[start:end]))
        elif not slashes:
            parts.append(text[start:end])
        else:
            here = slashes[bisect_left(slashes, start) : bisect_left(slashes, end)]
            parts.append(escaping.insert(text[start:end], [at - start for at in here]))
    return "".join(parts) + "".join(_closing(span) for span in reversed(around))


def _in_turn(text: str, spans: list[Span]) -> str:
    """The same for what stands apart."""
    if escaping.may_need_backslash(text):
        return _inline(text, spans, quoted=False)
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], _opening(span), text[span.start : span.end], _closing(span))
        at = span.end
    return "".join((*parts, text[at:]))


def _opening(span: Span) -> str:
    return _DELIMITER.get(span.style, "[")


def _closing(span: Span) -> str:
    if span.style in LINKS:
        return f"]({_target(span.value, span.style)})"
    return _DELIMITER[span.style]


def _target(value: str, style: str) -> str:
    value = f"{MENTION}{value}" if style == "mention" else value
    value = _TARGET_MARKUP.sub(r"\\\g<0>", value)
    if ("(" in value or ")" in value) and not _is_balanced(value):
        value = re.sub(r"[()]", r"\\\g<0>", value)
    return _TARGET_CONTROL.sub(lambda char: f"&#{ord(char[0])};", value) or "<>"


def _is_balanced(value: str) -> bool:
    depth = 0
    for paren in re.findall(r"[()]", value):
        depth += 1 if paren == "(" else -1
        if not 0 <= depth < 8:
            return False
    return depth == 0


def _code(text: str) -> str:
    # A line end inside a code span would read back as a space.
    return "\n".join(_code_line(line) if line else "" for line in text.split("\n"))


def _code_line(line: str) -> str:
    runs = {len(run) for run in re.findall("`+", line)}
    ticks = "`" * next(length for length in range(1, len(line) + 2) if length not in runs)
    padded = line[0] == line[-1] == " " and line.strip(" ")
    pad = " " if padded or line[0] == "`" or line[-1] == "`" else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
