"""Blocks: what people type comes as rich text, and so do we write, since in it nothing can be taken for markup.

https://docs.slack.dev/reference/block-kit/blocks and
https://docs.slack.dev/reference/block-kit/blocks/rich-text-block (2026-11)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.text import Sheet, Span, Style, to_spans
from socialsupport_slack import mrkdwn

STYLES: tuple[Style, ...] = ("bold", "italic", "strike", "code")
"""Slack calls them by the same names."""
MOST_ROWS = 100

# reading


def read(blocks: Sequence[Json], sheet: Sheet) -> None:
    for block in blocks:
        reader = _BLOCKS.get(text_of(block, "type") or "")
        if reader is None:
            continue
        if sheet.ends_in_line():
            sheet.write("\n")
        reader(block, sheet)


def _rich_text(block: Json, sheet: Sheet) -> None:
    after_block = False
    for element in objects_of(block, "elements"):
        kind = text_of(element, "type")
        if after_block or (kind != "rich_text_section" and sheet.ends_in_line()):
            sheet.write("\n")
        after_block = kind != "rich_text_section"
        if kind == "rich_text_list":
            _list(element, sheet)
        else:
            start = sheet.length
            _inline(objects_of(element, "elements"), sheet)
            if style := _AROUND.get(kind or ""):
                sheet.mark(start, style)


_AROUND: Mapping[str, Style] = {"rich_text_preformatted": "pre", "rich_text_quote": "quote"}


def _list(element: Json, sheet: Sheet) -> None:
    """Its items with "• " or "1. ", as plain text has them."""
    indent = "  " * min(whole_of(element, "indent") or 0, 8)
    first = (whole_of(element, "offset") or 0) + 1
    for number, item in enumerate(objects_of(element, "elements")):
        sheet.write("\n" if number else "")
        sheet.write(indent + (f"{first + number}. " if text_of(element, "style") == "ordered" else "• "))
        _inline(objects_of(item, "elements"), sheet)


def _inline(elements: Iterable[Json], sheet: Sheet) -> None:
    for element in elements:
        reader = _INLINE.get(text_of(element, "type") or "")
        if reader is None:
            continue
        start = sheet.length
        reader(element, sheet)
        if given := object_of(element, "style"):
            for style in STYLES:
                if given.get(style) is True:
                    sheet.mark(start, style)


def _link(element: Json, sheet: Sheet) -> None:
    start, url = sheet.length, text_of(element, "url") or ""
    sheet.write(text_of(element, "text") or url.removeprefix("mailto:"))
    sheet.mark(start, "link", url)


def _user(element: Json, sheet: Sheet) -> None:
    start, user = sheet.length, text_of(element, "user_id") or ""
    sheet.write(f"@{user}")
    sheet.mark(start, "mention", user)


def _emoji(element: Json, sheet: Sheet) -> None:
    sheet.write(unicode_of(text_of(element, "unicode")) or f":{text_of(element, 'name') or 'emoji'}:")


def unicode_of(points: str | None) -> str:
    """`1f44d-1f3fb`"""
    try:
        found = "".join(chr(int(point, 16)) for point in (points or "").split("-"))
    except (ValueError, OverflowError):
        return ""
    return found if found.isprintable() else ""


_INLINE: Mapping[str, Callable[[Json, Sheet], None]] = {
    "text": lambda element, sheet: sheet.write(text_of(element, "text") or ""),
    "link": _link,
    "user": _user,
    "emoji": _emoji,
    "channel": lambda element, sheet: sheet.write(f"#{text_of(element, 'channel_id') or ''}"),
    "usergroup": lambda element, sheet: sheet.write(f"@{text_of(element, 'usergroup_id') or ''}"),
    "broadcast": lambda element, sheet: sheet.write(f"@{text_of(element, 'range') or ''}"),
    "date": lambda element, sheet: sheet.write(text_of(element, "fallback") or text_of(element, "timestamp") or ""),
    "color": lambda element, sheet: sheet.write(text_of(element, "value") or ""),
}


def _text_object(given: Json, sheet: Sheet) -> None:
    text = text_of(given, "text") or ""
    if text_of(given, "type") == "mrkdwn":
        mrkdwn.read(text, sheet)
    else:
        sheet.write(text)


def _section(block: Json, sheet: Sheet) -> None:
    for given in (object_of(block, "text"), *objects_of(block, "fields")):
        if given:
            sheet.write("\n" if sheet.ends_in_line() else "")
            _text_object(given, sheet)


def _header(block: Json, sheet: Sheet) -> None:
    start = sheet.length
    _text_object(object_of(block, "text"), sheet)
    sheet.mark(start, "bold")


def _context(block: Json, sheet: Sheet) -> None:
    for number, element in enumerate(objects_of(block, "elements")):
        sheet.write(" " if number else "")
        _text_object({"text": text_of(element, "alt_text")} if "alt_text" in element else element, sheet)


def _picture(block: Json, sheet: Sheet) -> None:
    start, url = sheet.length, text_of(block, "image_url")
    sheet.write(text_of(block, "alt_text") or url or "")
    sheet.mark(start, "link", url or "")


def _markdown(block: Json, sheet: Sheet) -> None:
    start, (text, spans) = sheet.length, to_spans(text_of(block, "text") or "")
    sheet.write(text)
    sheet.spans += [Span(one.start + start, one.end + start, one.style, one.value) for one in spans]


def _video(block: Json, sheet: Sheet) -> None:
    start, url = sheet.length, text_of(block, "title_url", "video_url")
    sheet.write(text_of(object_of(block, "title"), "text") or text_of(block, "alt_text") or url or "")
    sheet.mark(start, "link", url or "")


def _table(block: Json, sheet: Sheet) -> None:
    """https://docs.slack.dev/reference/block-kit/blocks/table-block (2026-11)"""
    rows = block.get("rows")
    for number, row in enumerate(rows[:MOST_ROWS] if isinstance(rows, list) else ()):
        sheet.write("\n" if number else "")
        for column, cell in enumerate(objects_of({"cells": row}, "cells")):
            sheet.write(" | " if column else "")
            (_rich_text if text_of(cell, "type") == "rich_text" else _text_object)(cell, sheet)


_BLOCKS: Mapping[str, Callable[[Json, Sheet], None]] = {
    "rich_text": _rich_text,
    "section": _section,
    "header": _header,
    "context": _context,
    "image": _picture,
    "markdown": _markdown,
    "video": _video,
    "table": _table,
}
"""Buttons and what else can be operated says nothing."""

# writing

Element = dict[str, Any]


def write(markdown: str) -> list[Element]:
    """One block of rich text. No element of it is a mention, whatever the text says."""
    text, spans = to_spans(markdown)
    elements: list[Element] = []
    at = 0
    for around in _apart(spans):
        if at < around.start:
            elements.append(_section_of(text, spans, at, around.start))
        inside = _elements(text, spans, around.start, around.end)
        elements.append({"type": _NAMES[around.style], "elements": inside})
        at = around.end + (text[around.end : around.end + 1] == "\n")
    if at < len(text):
        elements.append(_section_of(text, spans, at, len(text)))
    return [{"type": "rich_text", "elements": elements}]


_NAMES: Mapping[Style, str] = {"pre": "rich_text_preformatted", "quote": "rich_text_quote"}


def _apart(spans: Iterable[Span]) -> list[Span]:
    """What stands in blocks of its own, the outer where one lies in another."""
    found: list[Span] = []
    for span in spans:
        if span.style in _NAMES and (not found or found[-1].end <= span.start):
            found.append(span)
    return found


def _section_of(text: str, spans: Iterable[Span], start: int, end: int) -> Element:
    return {"type": "rich_text_section", "elements": _elements(text, spans, start, end)}


def _elements(text: str, spans: Iterable[Span], start: int, end: int) -> list[Element]:
    here = [span for span in spans if span.start < end and span.end > start and span.style in (*STYLES, "link")]
    edges = sorted({start, end, *(edge for span in here for edge in (span.start, span.end) if start < edge < end)})
    return [_element(text[a:b], [span for span in here if span.start <= a and b <= span.end]) for a, b in _pairs(edges)]


def _pairs(edges: Sequence[int]) -> Iterable[tuple[int, int]]:
    return pairwise(edges)


def _element(text: str, spans: Sequence[Span]) -> Element:
    link = next((span.value for span in spans if span.style == "link"), None)
    element: Element = {"type": "text", "text": text}
    if link:
        element = {"type": "link", "url": link, "text": text}
    if styles := {span.style: True for span in spans if span.style in STYLES}:
        element["style"] = styles
    return element
