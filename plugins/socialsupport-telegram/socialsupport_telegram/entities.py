"""Telegram's entities and the spans of CommonMark, in both directions.

Telegram counts offsets in UTF-16 code units, spans count code points.
https://core.telegram.org/bots/api#messageentity (Bot API 10.1, 2026-06)
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any

from socialsupport_core.text import Span, Style, from_spans, quiet, to_spans
from socialsupport_telegram.native import Entity

STYLES: dict[str, Style] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
    "code": "code",
    "pre": "pre",
    "text_link": "link",
    "text_mention": "mention",
}
"""Other types (mention, hashtag, url, email, custom_emoji …) mark what the text says by itself."""

TYPES: dict[Style, str] = {style: native for native, style in reversed(STYLES.items())}


def offsets(text: str) -> list[int]:
    """For each code point, and for the end, where it starts in UTF-16 code units."""
    return [0, *accumulate(2 if char > "\uffff" else 1 for char in text)]


def to_markdown(text: str, entities: Sequence[Entity]) -> str:
    starts = offsets(text) if any(entity.type in STYLES for entity in entities) else []
    return from_spans(text, [_span(entity, starts) for entity in entities if entity.type in STYLES])


def to_entities(markdown: str) -> tuple[str, list[dict[str, Any]]]:
    """The text to send and its entities, as `sendMessage` takes them."""
    text, spans = _read(markdown)
    lead = len(text) - len(text.lstrip())
    text = text.strip()  # Telegram does the same and would shift the entities
    starts = offsets(text)
    return text, list(_entities(spans, starts, lead))


@lru_cache(maxsize=8)  # one text is measured several times while it is planned
def _read(markdown: str) -> tuple[str, tuple[Span, ...]]:
    text, spans = to_spans(quiet(markdown))
    return text, tuple(spans)


def _span(entity: Entity, starts: Sequence[int]) -> Span:
    last = len(starts) - 1
    start = min(bisect_left(starts, entity.offset), last)
    end = min(bisect_left(starts, entity.offset + entity.length), last)
    user = str(entity.user.id) if entity.user else ""
    return Span(start, end, STYLES[entity.type], entity.url or entity.language or user)


def _entities(spans: Iterable[Span], starts: Sequence[int], lead: int) -> Iterable[dict[str, Any]]:
    last = len(starts) - 1
    for span in spans:
        start, end = (min(max(place - lead, 0), last) for place in (span.start, span.end))
        if start < end and _is_known_here(span):
            length = starts[end] - starts[start]
            yield {"type": TYPES[span.style], "offset": starts[start], "length": length, **_target(span)}


PERSON = "tg://user"
"""A link to somebody names them: https://core.telegram.org/bots/api#formatting-options (2026-11)."""


def _is_known_here(span: Span) -> bool:
    if span.style == "link":
        return not span.value.lower().startswith(PERSON)
    return span.style != "mention" or (span.value.isascii() and span.value.isdecimal())


def _target(span: Span) -> dict[str, Any]:
    if span.style == "link":
        return {"url": span.value}
    if span.style == "mention":
        return {"user": {"id": int(span.value)}}
    return {"language": span.value} if span.style == "pre" and span.value else {}
