"""Where plain text needs a backslash so that CommonMark leaves it alone.

Prose keeps its looks: a backslash is set only where CommonMark would see markup. Whatever cannot be
decided locally is decided per paragraph (an opening `*` without a closing one is text), and when in doubt
for the backslash.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator
from html.entities import html5

_PUNCTUATION = r"!-/:-@\[-`{-~"
_ESCAPED = re.compile(rf"\\([{_PUNCTUATION}])")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_BACKSLASH = re.compile(rf"\\(?=[{_PUNCTUATION}]| ?\n)")  # a space may stand for a carriage return
_ENTITY = re.compile(r"&(?:#(?:[xX][0-9a-fA-F]{1,6}|[0-9]{1,7})|([A-Za-z][A-Za-z0-9]{1,31}));")
_ANGLE = re.compile(r"<(?=[A-Za-z/!?]|[^\s<>@]+@)")  # tags and automatic links
_RUN = re.compile(r"\*+|_+|~+")
_EMPHATIC = re.compile("[*_~]")
_BRACKET = re.compile(r"[\[\]]")
_BACKTICKS = re.compile(r"`+")

# What the first characters of a line may mean. The group `at` gets the backslash.
_BLOCK = re.compile(
    r"""
    (?P<heading>\#{1,6}(?=[ \t]|$))
  | (?P<quote>>)
  | (?P<fence>`{3,}|~{3,})
  | (?P<rule>[-*_])(?=(?:[ \t]*(?P=rule)){2,}[ \t]*$)
  | (?P<bullet>[-+*](?=[ \t]|$))
  | (?P<number>[0-9]{1,9})(?P<dot>[.)](?=[ \t]|$))
  | (?P<underline>=+[ \t]*$|-+[ \t]*$)
    """,
    re.VERBOSE,
)
_SUSPECT = re.compile(r"[*_`~\]<\\]|&(?=[#A-Za-z])|^[ \t]*(?:[#>=+-]|[0-9]{1,9}[.)](?:[ \t]|$))", re.MULTILINE)

_SUSPECT_BESIDE_MARKUP = re.compile(rf"[!\[]|{_SUSPECT.pattern}", re.MULTILINE)


def escape(text: str) -> str:
    """`text` as CommonMark that reads as `text`."""
    return insert(text, positions(text))


def unescape(text: str) -> str:
    """The opposite of `escape`, without a parser: for text too large to be read as markup."""
    return _ESCAPED.sub(r"\1", text)


def insert(text: str, at: Collection[int]) -> str:
    """`text` with a backslash before each offset in `at`."""
    if not at:
        return text
    parts: list[str] = []
    last = 0
    for position in sorted(at):
        parts += (text[last:position], "\\")
        last = position
    return "".join((*parts, text[last:]))


def positions(text: str) -> set[int]:
    """The offsets in `text` that need a backslash before them."""
    text = same_length_line_ends(text)
    found: set[int] = set()
    start = 0
    if not _SUSPECT.search(text):
        return found
    for gap in (*_BLANK_LINES.finditer(text), None):
        end = gap.start() if gap else len(text)
        if _SUSPECT.search(text, start, end):
            found.update(start + at for at in in_paragraph(text[start:end]))
        start = gap.end() if gap else end
    return found


def may_need_backslash(text: str) -> bool:
    """Whether anything in a paragraph does, beside markup or not; a quick look."""
    return _SUSPECT_BESIDE_MARKUP.search(text) is not None


def same_length_line_ends(text: str) -> str:
    """Line ends as newlines, so that lines are found but no offset moves."""
    return text.replace("\r\n", " \n").replace("\r", "\n") if "\r" in text else text


def in_paragraph(
    text: str, edges: Collection[int] | None = None, links: Collection[int] = (), quoted: bool = False
) -> set[int]:
    """The offsets in one paragraph, that is text without a blank line inside.

    `edges` are the offsets where markup will be inserted: beside markup nothing may be left to chance.
    `links` are those among them where a link opens.
    """
    found = set(_anywhere(text, edges))
    found |= _line_starts(text, quoted)
    if _EMPHATIC.search(text):
        found |= _emphasis(text, edges)
    found |= _brackets(text, edges, links)
    backticks = list(_BACKTICKS.finditer(text)) if "`" in text else []
    lengths = [len(run[0]) for run in backticks]
    in_fence = any(run.start() in found for run in backticks)
    if edges or in_fence or len(set(lengths)) < len(lengths):
        # All or none: an escaped backtick still closes a run that was left alone.
        found.update(at for run in backticks for at in range(*run.span()))
    return found


def _anywhere(text: str, edges: Collection[int] | None) -> Iterator[int]:
    if "\\" in text:
        for match in _BACKSLASH.finditer(text):
            yield match.start()
        yield from (edge - 1 for edge in edges or () if text[edge - 1 : edge] == "\\")
    if "&" in text:
        for match in _ENTITY.finditer(text):
            if match[1] is None or f"{match[1]};" in html5:
                yield match.start()
    if "<" not in text:
        return
    last_closing = text.rfind(">")
    for match in _ANGLE.finditer(text):
        if match.start() < last_closing or _opens_line(text, match.start()):
            yield match.start()


def _opens_line(text: str, at: int) -> bool:
    return not text[text.rfind("\n", 0, at) + 1 : at].strip(" \t")


def _line_starts(text: str, quoted: bool) -> set[int]:
    found: set[int] = set()
    start, previous = 0, ""
    for line in text.split("\n"):
        content = line.lstrip(" \t") if quoted else line.lstrip(" ")
        indent = len(line) - len(content)
        match = _BLOCK.match(content) if indent < 4 or quoted else None
        if match and not _continues(match, previous):
            found.update(start + indent + at for at in _block_positions(match))
        start += len(line) + 1
        previous = line
    return found


def _continues(match: re.Match[str], previous: str) -> bool:
    """Whether the line can only go on with the paragraph of the line before."""
    text = previous.lstrip(" \t")
    if match.lastgroup == "underline":
        return not text
    if match.lastgroup != "dot" or int(match["number"]) == 1:
        return False
    indent = previous[: len(previous) - len(text)].expandtabs(4)
    return bool(text) and len(indent) < 4  # elsewhere, four columns make a code block, which ends here


def _block_positions(match: re.Match[str]) -> range:
    kind = match.lastgroup or ""
    if kind == "rule" and match["rule"] != "-":
        length = len(match.string) - len(match.string.lstrip(match["rule"]))
        return range(match.start(), match.start() + length)
    if kind == "fence":
        return range(*match.span())
    return range(match.start(kind), match.start(kind) + 1)


def _is_space(char: str) -> bool:
    return not char or char in "\t\n\v\f\r" or unicodedata.category(char) == "Zs"


def _is_word(char: str) -> bool:
    return not _is_space(char) and unicodedata.category(char)[0] not in "PS"


def _emphasis(text: str, edges: Collection[int] | None) -> set[int]:
    runs: defaultdict[str, list[tuple[range, bool, bool]]] = defaultdict(list)
    for match in _RUN.finditer(text):
        start, end = match.span()
        opens, closes = _flanks(match[0][0], text[start - 1 : start], text[end : end + 1])
        if edges and (start in edges or end in edges):
            opens = closes = True
        elif match[0] == "~":
            continue
        if opens or closes:
            runs[match[0][0]].append((range(start, end), opens, closes))
    return {at for found in runs.values() if edges or _pairs(found) for run in found for at in run[0]}


def _flanks(mark: str, before: str, after: str) -> tuple[bool, bool]:
    """Whether the run may open and close emphasis; wider than any version of CommonMark."""
    opens, closes = not _is_space(after), not _is_space(before)
    if mark == "_":
        return opens and not _is_word(before), closes and not _is_word(after)
    return opens, closes


def _pairs(runs: list[tuple[range, bool, bool]]) -> bool:
    first_opening = next((index for index, run in enumerate(runs) if run[1]), len(runs))
    last_closing = max((index for index, run in enumerate(runs) if run[2]), default=-1)
    return first_opening < last_closing


def _brackets(text: str, edges: Collection[int] | None, links: Collection[int]) -> set[int]:
    if edges:
        found = {match.start() for match in _BRACKET.finditer(text)}
        return found | {at - 1 for at in links if text[at - 1 : at] == "!"}
    opening = text.find("[")
    if opening < 0:
        return set()
    ends = r"\](?=[(:])" if re.search(r"^[ \t]*\[", text, re.MULTILINE) else r"\](?=\()"
    return {match.start() for match in re.finditer(ends, text) if match.start() > opening}
