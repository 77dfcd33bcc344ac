"""From CommonMark to plain text with spans."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token

from . import dialect, escaping
from .spans import Span, Style, reading_order

MENTION = "mention:"

_QUOTE_MARKS = re.compile(r"^(?:[ \t]*>[ \t]?)+")
_INLINE: dict[str, Style] = {"strong": "bold", "em": "italic", "s": "strike"}


def to_spans(markdown: str) -> tuple[str, tuple[Span, ...]]:
    """The plain text of `markdown` and its styles, outer spans first. Never fails.

    Markup that is too large or nested too deeply stays text (`dialect.MAX_PARSED`, `dialect.MAX_DEPTH`).
    """
    markdown = dialect.one_line_end(dialect.scrub(markdown)).replace("\0", "\ufffd")
    if not escaping.positions(markdown):
        return markdown, ()
    return read(markdown)


def plain(markdown: str) -> str:
    """The text of `markdown` without its markup."""
    return to_spans(markdown)[0]


def read(markdown: str) -> tuple[str, tuple[Span, ...]]:
    tokens = dialect.parse(markdown)
    if tokens is None:
        return escaping.unescape(markdown), ()
    return _Reader(markdown.split("\n")).read(tokens)


def link_span(start: int, end: int, target: str) -> Span:
    if target.startswith(MENTION):
        return Span(start, end, "mention", target.removeprefix(MENTION))
    return Span(start, end, "link", target)


@dataclass(slots=True)
class _List:
    marker: str
    number: int | None = None

    def next_marker(self) -> str:
        if self.number is None:
            return "• "
        self.number += 1
        return f"{self.number - 1}{self.marker} "


@dataclass(slots=True)
class _Reader:
    """Writes the text of one document; `line` is the source line that it has reached."""

    source: Sequence[str]
    line: int = -1
    length: int = 0
    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    opened: list[tuple[int, str]] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    quoted_until: int = -1

    def read(self, tokens: Sequence[Token]) -> tuple[str, tuple[Span, ...]]:
        for token in tokens:
            if handler := _BLOCKS.get(token.type):
                handler(self, token)
        self.go_to(len(self.source))
        return "".join(self.parts), tuple(sorted(self.spans, key=reading_order))

    def write(self, text: str) -> None:
        if text:
            self.parts.append(text)
            self.length += len(text)

    def mark(self, start: int, style: Style, value: str = "") -> None:
        if start < self.length:
            self.spans.append(Span(start, self.length, style, value))

    def go_to(self, line: int) -> None:
        """Copies the blank lines on the way, since they were typed."""
        if line == self.line + 1 < len(self.source) and self.quoted_until == self.length:
            self.write("\n")  # a quote is always set off
        for number in range(self.line + 1, min(line + 1, len(self.source))):
            blank = _QUOTE_MARKS.sub("", self.source[number]) if self.opened else self.source[number]
            if number < line and blank.strip(" \t"):
                continue  # a link reference definition
            self.write("\n" if number else "")
            self.write(blank if number < line else "")
        self.line = max(self.line, line)

    def start_block(self, token: Token) -> None:
        first, after_last = token.map or (self.line, self.line + 1)
        self.go_to(first)
        self.line = max(self.line, after_last - 1)

    def inline(self, token: Token) -> None:
        self.start_block(token)
        for child in token.children or ():
            _INLINES.get(child.type, _Reader.text)(self, child)

    def text(self, token: Token) -> None:
        self.write(token.content)

    def newline(self, token: Token) -> None:
        self.write("\n")

    def code(self, token: Token) -> None:
        start = self.length
        self.write(token.content)
        self.mark(start, "code")

    def image(self, token: Token) -> None:
        start, target = self.length, str(token.attrs.get("src", ""))
        self.write(token.content or target)
        self.mark(start, "link", target)

    def open(self, token: Token) -> None:
        self.opened.append((self.length, str(token.attrs.get("href", ""))))

    def close_inline(self, token: Token) -> None:
        start, _ = self.opened.pop()
        self.mark(start, _INLINE[token.tag])

    def close_link(self, token: Token) -> None:
        start, target = self.opened.pop()
        if start == self.length:
            self.write(target)
        if start < self.length:
            self.spans.append(link_span(start, self.length, target))

    def fence(self, token: Token) -> None:
        self.start_block(token)
        start = self.length
        self.write(token.content.removesuffix("\n"))
        language, *_ = (*token.info.split(), "")
        self.mark(start, "pre", language)

    def heading(self, token: Token) -> None:
        self.go_to((token.map or [self.line])[0])
        self.opened.append((self.length, ""))

    def close_heading(self, token: Token) -> None:
        start, _ = self.opened.pop()
        self.mark(start, "bold")

    def rule(self, token: Token) -> None:
        self.start_block(token)
        self.write("---")

    def quote(self, token: Token) -> None:
        self.go_to((token.map or [self.line])[0])
        self.opened.append((self.length, ""))

    def close_quote(self, token: Token) -> None:
        start, _ = self.opened.pop()
        self.mark(start, "quote")
        self.quoted_until = self.length if start < self.length else -1

    def open_list(self, token: Token) -> None:
        ordered = token.type == "ordered_list_open"
        self.lists.append(_List(token.markup, int(token.attrs.get("start", 1)) if ordered else None))

    def close_list(self, token: Token) -> None:
        self.lists.pop()

    def item(self, token: Token) -> None:
        before = self.length
        self.go_to((token.map or [self.line])[0])
        if before < self.length or not self.length:
            self.write("  " * (len(self.lists) - 1))
        self.write(self.lists[-1].next_marker())


_Handler = Callable[[_Reader, Token], None]

_BLOCKS: dict[str, _Handler] = {
    "inline": _Reader.inline,
    "fence": _Reader.fence,
    "hr": _Reader.rule,
    "heading_open": _Reader.heading,
    "heading_close": _Reader.close_heading,
    "blockquote_open": _Reader.quote,
    "blockquote_close": _Reader.close_quote,
    "bullet_list_open": _Reader.open_list,
    "bullet_list_close": _Reader.close_list,
    "ordered_list_open": _Reader.open_list,
    "ordered_list_close": _Reader.close_list,
    "list_item_open": _Reader.item,
}

_INLINES: dict[str, _Handler] = {
    "softbreak": _Reader.newline,
    "hardbreak": _Reader.newline,
    "code_inline": _Reader.code,
    "image": _Reader.image,
    "strong_open": _Reader.open,
    "strong_close": _Reader.close_inline,
    "em_open": _Reader.open,
    "em_close": _Reader.close_inline,
    "s_open": _Reader.open,
    "s_close": _Reader.close_inline,
    "link_open": _Reader.open,
    "link_close": _Reader.close_link,
}
