"""Quotations that name nobody: who is quoted has said it already, and whom they named there is not to be told again."""

import re
from itertools import pairwise

from .markup import Span, from_spans, to_spans

BREAK = "\u200b"
"""Nothing to be seen. Behind an @ no network takes what follows for a name."""
_NAME = re.compile(r"(?<![\w@/.+-])@(?=[\w\[])")


def quiet(markdown: str) -> str:
    """The same CommonMark, with no mention and no `@name` left alive inside quotations."""
    if ">" not in markdown or "@" not in markdown:
        return markdown
    text, spans = to_spans(markdown)
    quoted = [span for span in spans if span.style == "quote"]
    kept = [span for span in spans if span.style != "mention" or not _lies_in(span, quoted)]
    breaks = [
        found.end() for found in _NAME.finditer(text) if any(one.start <= found.start() < one.end for one in quoted)
    ]
    if not breaks and len(kept) == len(spans):
        return markdown
    return from_spans(_broken(text, breaks), [_moved(span, breaks) for span in kept])


def _lies_in(span: Span, quoted: list[Span]) -> bool:
    return any(one.start <= span.start and span.end <= one.end for one in quoted)


def _broken(text: str, breaks: list[int]) -> str:
    edges = [0, *breaks, len(text)]
    return BREAK.join(text[start:end] for start, end in pairwise(edges))


def _moved(span: Span, breaks: list[int]) -> Span:
    start, end = (place + sum(one <= place for one in breaks) for place in (span.start, span.end))
    return Span(start, end, span.style, span.value)
