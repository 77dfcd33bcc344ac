"""Slack's own markup, read; and what keeps a text from being read as markup.

https://docs.slack.dev/messaging/formatting-message-text (2026-11)
"""

import re
from collections.abc import Mapping

from socialsupport_core.text import Sheet, Style

_ESCAPES: Mapping[str, str] = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}
"""The three characters that are written otherwise; nothing else is."""
_ESCAPED = re.compile("|".join(_ESCAPES))
_STYLES: Mapping[str, Style] = {"bold": "bold", "italic": "italic", "strike": "strike"}


def _between(mark: str, name: str) -> str:
    """Emphasis begins and ends at the edge of a word, and does not go over a line's end."""
    sign = re.escape(mark)
    return rf"(?<![\w{sign}]){sign}(?P<{name}>[^\s{sign}](?:[^{sign}\n]*[^\s{sign}])?){sign}(?![\w{sign}])"


_INLINE = re.compile(
    r"`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>|"
    + "|".join((_between("*", "bold"), _between("_", "italic"), _between("~", "strike")))
)
_FENCE = re.compile(r"```(.+?)```", re.DOTALL)
_QUOTE = re.compile(r"(?:&gt;|>) ?")
DEEPEST = 8


def escape(text: str) -> str:
    """A text in which nothing is a mention, a link or a command."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescape(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text) if "&" in text else text


def read(text: str, sheet: Sheet) -> None:
    """Writes it onto the sheet, with its styles."""
    end = 0
    for fence in _FENCE.finditer(text):
        _lines(text[end : fence.start()], sheet)
        start = sheet.length
        sheet.write(unescape(fence[1].strip("\n")))
        sheet.mark(start, "pre")
        end = fence.end()
    _lines(text[end:], sheet)


def markdown(text: str) -> str:
    sheet = Sheet()
    read(text, sheet)
    return sheet.markdown()


def _lines(text: str, sheet: Sheet) -> None:
    for number, line in enumerate(text.split("\n")):
        if number:
            sheet.write("\n")
        start = sheet.length
        if quoted := _QUOTE.match(line):
            _inline(line[quoted.end() :], sheet, 0)
            sheet.mark(start, "quote")
        else:
            _inline(line, sheet, 0)


def _inline(text: str, sheet: Sheet, depth: int) -> None:
    end = 0
    for found in _INLINE.finditer(text) if depth < DEEPEST else ():
        sheet.write(unescape(text[end : found.start()]))
        end, start = found.end(), sheet.length
        kind = found.lastgroup or ""
        if kind == "code":
            sheet.write(unescape(found["code"]))
            sheet.mark(start, "code")
        elif kind == "angle":
            _angle(found["angle"], sheet)
        else:
            _inline(found[kind], sheet, depth + 1)
            sheet.mark(start, _STYLES[kind])
    sheet.write(unescape(text[end:]))


def _angle(content: str, sheet: Sheet) -> None:
    """`<@U1|kerry>`, `<#C1|general>`, `<!subteam^S1|@team>`, `<!here>`, `<!date^…|today>`, `<https://…|label>`"""
    target, _, label = content.partition("|")
    start, mark = sheet.length, target[:1]
    if mark == "@":
        sheet.write(f"@{unescape(label or target[1:])}")
        sheet.mark(start, "mention", target[1:])
    elif mark == "#":
        sheet.write(f"#{unescape(label or target[1:])}")
    elif mark == "!":
        name = target[1:].partition("^")[0]
        sheet.write(unescape(label) or f"@{name}")
    else:
        link = unescape(target)
        sheet.write(unescape(label) or link.removeprefix("mailto:"))
        sheet.mark(start, "link", link)
