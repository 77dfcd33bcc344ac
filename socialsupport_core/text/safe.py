"""What strangers wrote, made safe to show and to save."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from markdown_it.token import Token

from . import dialect, escaping
from .reading import MENTION

_SCHEMES = re.compile(r"(?:https?|mailto|tel):", re.IGNORECASE)
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"
_ADDRESS = re.compile(r"https?://[^\s<>\"`\u3000-\u9fff]+", re.IGNORECASE)
_NOT_AT_END = ".,;:!?'*_~)]}"
_TAGS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "em", "strong", "s"])

# Cc; soft hyphen; zero-width and invisible characters; overrides, embeddings and isolates, which make a text
# look other than it is (Unicode TR 36, 2026-11); tags. Left-to-right and right-to-left marks stay: they
# cannot reach beyond their neighbours and honest Arabic and Hebrew needs them.
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u115f\u1160\u180e\u200b-\u200d\u2028-\u202e\u2060-\u206f\u3164"
    r"\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{2,8}\U000e007f")
_JOINERS = frozenset("\u200c\u200d")

# Names that Windows keeps for devices:
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file, checked 2026-11.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_PROSE = re.compile(r"[^\W\d_](?:[^\W_]|[ .,:;!?'()-])*(?<! )")
"""One line in which nothing is markup or an address, as most are; the parser would take 20 times as long."""
_NOT_IN_NAMES = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f]')
# Common file systems take 255 bytes; some room is left for " (1)" and for what a browser appends.
_MAX_NAME, _MAX_EXTENSION = 180, 20


def to_html(markdown: str) -> str:
    """`markdown` as HTML for a page of ours.

    No HTML of the author's, no picture and no style gets through; links go to http, https, mailto and tel
    only, images become links. Bare http addresses become links, since agents want to follow them.
    """
    if _PROSE.fullmatch(markdown):
        return f"<p>{markdown}</p>\n"
    markdown = dialect.scrub(dialect.one_line_end(markdown)).replace("\0", "\ufffd")
    tokens = dialect.parse(markdown)
    if tokens is None:
        return f"<p>{_text(escaping.unescape(markdown)).replace(chr(10), '<br>')}</p>"
    return "".join(_blocks(tokens))


def visible(text: str) -> str:
    """`text` with what cannot be seen, or changes how the rest is seen, written out: "[U+202E]".

    Newlines and tabs stay, and so do joiners between letters or emoji that are not ASCII.
    """
    return _HIDDEN.sub(_shown, dialect.scrub(text))


def file_name(name: str) -> str:
    """`name` as one that can be saved anywhere: no path, nothing hidden, at most 180 bytes, never empty."""
    name = unicodedata.normalize("NFC", dialect.scrub(name)).rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    name = _NOT_IN_NAMES.sub("_", _HIDDEN.sub("", name))
    name = " ".join(name.split()).strip(". ")
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _MAX_EXTENSION:
        stem, dot, extension = name, "", ""
    room = _MAX_NAME - len(extension.encode()) - len(dot)
    stem = stem.encode()[:room].decode(errors="ignore").rstrip(". ") or "file"
    return f"{'_' if _DEVICE.match(stem) else ''}{stem}{dot}{extension}"


def _shown(match: re.Match[str]) -> str:
    char, at, text = match[0], match.start(), match.string
    if char in _JOINERS and _is_foreign(text[at - 1 : at]) and _is_foreign(text[at + 1 : at + 2]):
        return char
    if char >= "\U000e0000" and _is_in_flag(text, at):
        return char
    if char < " ":
        return chr(0x2400 + ord(char))
    return f"[U+{ord(char):04X}]"


def _is_foreign(char: str) -> bool:
    return bool(char) and not char.isascii() and not _HIDDEN.match(char)


def _is_in_flag(text: str, at: int) -> bool:
    start = text.rfind("\U0001f3f4", max(at - 9, 0), at)
    flag = _FLAG.match(text, start) if start >= 0 else None
    return bool(flag and flag.end() > at)


def _text(text: str) -> str:
    return escape(visible(text))


def _blocks(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "inline":
            yield from _inlines(token.children or ())
        elif token.type == "fence":
            yield f"<pre><code>{_text(token.content)}</code></pre>\n"
        elif token.type == "hr":
            yield "<hr>\n"
        elif token.tag in _TAGS and not token.hidden:
            yield _tag(token)


def _tag(token: Token) -> str:
    if token.nesting < 0:
        return f"</{token.tag}>\n"
    start = token.attrs.get("start")
    return f'<{token.tag} start="{int(start)}">' if start is not None else f"<{token.tag}>"


def _inlines(tokens: Sequence[Token]) -> Iterator[str]:
    links: list[str] = []
    for token in tokens:
        if token.type == "link_open":
            opening, closing = _link(str(token.attrs.get("href", "")))
            links.append(closing)
            yield opening
        elif token.type == "link_close":
            yield links.pop()
        else:
            yield _inline(token, bool(links))


def _inline(token: Token, in_link: bool) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return "<br>\n"
    if token.type == "code_inline":
        return f"<code>{_text(token.content)}</code>"
    if token.type == "image":
        return _image(token, in_link)
    if token.tag in _TAGS:
        return f"<{'/' if token.nesting < 0 else ''}{token.tag}>"
    return _text(token.content) if in_link else _with_links(token.content)


def _image(token: Token, in_link: bool) -> str:
    target = str(token.attrs.get("src", ""))
    opening, closing = ("", "") if in_link else _link(target)
    return f"{opening}{_text(token.content or target)}{closing}"


def _link(target: str) -> tuple[str, str]:
    """What goes before and after the text; where a link would be unsafe, its target can be read."""
    if target.startswith(MENTION):
        return '<span class="mention">', "</span>"
    if not _SCHEMES.match(target):
        return "", f" ({_text(target)})" if target else ""
    address = escape(quote(target, safe=_URL_SAFE))
    return f'<a href="{address}" rel="noopener noreferrer nofollow" target="_blank">', "</a>"


def _with_links(text: str) -> str:
    parts: list[str] = []
    start = 0
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(_NOT_AT_END)
        opening, closing = _link(address)
        parts += (_text(text[start : match.start()]), opening, _text(address), closing)
        start = match.start() + len(address)
    return "".join([*parts, _text(text[start:])])
