"""CommonMark as people type it in a chat.

The parser is markdown-it-py's CommonMark with five differences, all in favour of what was typed:

* a single newline is a newline, and blank lines, indentation and trailing spaces are kept;
* text indented by four columns is text, not code (a fence makes code);
* HTML is text;
* `~~two tildes~~` strike through;
* link targets stay as they were written, and `javascript:` and its like are never links.
"""

from __future__ import annotations

import functools
import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.paragraph import paragraph as strict_paragraph
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# A message nested deeper than this is not prose; beyond it the parser would drop text.
MAX_DEPTH = 40
# Characters. Dense markup takes markdown-it-py about 20 µs each; the longest message of the big networks has
# 40,000 (Slack's `text`, https://docs.slack.dev/reference/methods/chat.postMessage, 2026-11).
MAX_PARSED = 1 << 16

_SURROGATE = re.compile("[\ud800-\udfff]")
_LINE_END = re.compile(r"\r\n?")


def scrub(text: str) -> str:
    """`text` without lone surrogates, which no network, file or database can carry; offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def one_line_end(text: str) -> str:
    return _LINE_END.sub("\n", text) if "\r" in text else text


def parse(markdown: str) -> list[Token] | None:
    """The tokens, or `None` if `markdown` is too large or too deep to be read as markup."""
    if len(markdown) > MAX_PARSED:
        return None
    tokens = _parser().parse(markdown)
    return None if any(token.level >= MAX_DEPTH - 1 for token in tokens) else tokens


def may_link(target: str) -> bool:
    """Whether the dialect takes `target` as a link at all."""
    return bool(_parser().validateLink(target))


class _Parser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:
        return url

    def normalizeLinkText(self, link: str) -> str:
        return link


@functools.cache
def _parser() -> MarkdownIt:
    parser = _Parser("commonmark", {"html": False, "maxNesting": MAX_DEPTH})
    parser.enable("strikethrough")
    parser.block.ruler.at("paragraph", _paragraph)
    parser.block.ruler.at("code", _indented)
    parser.inline.ruler.at("newline", _newline)
    return parser


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    first = len(state.tokens)
    done = strict_paragraph(state, start, end, silent)
    # The strict rule has trimmed the content; a chat keeps the spaces.
    state.tokens[first + 1].content = state.getLines(start, state.line, state.blkIndent, False)
    return done


def _indented(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if silent or not state.is_code_block(start):
        return False
    return _paragraph(state, start, end, silent)


def _newline(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "\n":
        return False
    if not silent:
        state.push("softbreak", "br", 0)
    state.pos += 1
    return True
