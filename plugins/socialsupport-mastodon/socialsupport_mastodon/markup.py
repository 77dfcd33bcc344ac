"""Posts are HTML, cleaned by the instance: https://docs.joinmastodon.org/spec/activitypub/#sanitization (2026-11)."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from socialsupport_core.text import Sheet, Style

LONGEST, DEEPEST, LONGEST_TAG = 1 << 17, 50, 4096
"""Characters of a post, tags within tags, characters of a tag; what is beyond is not read as markup."""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})\b([^<>]*)>|<[^<>]*>")
_ATTRIBUTE = re.compile(r"\b(href|class)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_BLANK_LINES = re.compile(r"\n{3,}")
STYLES: Mapping[str, Style] = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "del": "strike",
    "s": "strike",
    "code": "code",
    "pre": "pre",
    "blockquote": "quote",
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "bold"),
}
BLOCKS: Mapping[str, int] = {
    **dict.fromkeys(("p", "blockquote", "pre", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6"), 2),
    "li": 1,
    "div": 1,
}
"""How many line ends set them off."""


@dataclass(slots=True)
class _Open:
    tag: str
    start: int
    href: str = ""
    classes: frozenset[str] = frozenset()
    number: int = 0
    """Of the last item of a list."""


def markdown(content: str, people: Mapping[str, str]) -> str:
    """CommonMark. `people` are the ids of those mentioned, by the address of their page."""
    page = _Page(people)
    at, content = 0, content[:LONGEST]
    for found in _TAG.finditer(content):
        page.text(content[at : found.start()])
        at = found.end()
        if len(found[0]) <= LONGEST_TAG and found[2]:
            page.tag(found[2].lower(), found[3], is_end=bool(found[1]))
    page.text(content[at:])
    page.end()
    return _BLANK_LINES.sub("\n\n", page.sheet.markdown()).strip("\n")


class _Page:
    def __init__(self, people: Mapping[str, str]) -> None:
        self.sheet = Sheet()
        self.open: list[_Open] = []
        self._people = people
        self._owed = 0
        """Line ends."""

    def text(self, written: str) -> None:
        if not written:
            return
        told = html.unescape(written)
        if not self._is("pre"):
            told = re.sub(r"\s+", " ", told)
            told = told.lstrip() if self._owed or not self.sheet.length else told
        if told:
            self._pay()
            self.sheet.write(told)

    def tag(self, name: str, attributes: str, *, is_end: bool) -> None:
        if name == "br":
            self._pay()
            self.sheet.write("\n")
        elif is_end:
            self._close(name)
        elif len(self.open) < DEEPEST:
            self._begin(name, attributes)

    def end(self) -> None:
        while self.open:
            self._end(self.open.pop())

    def _begin(self, name: str, attributes: str) -> None:
        self._set_off(name)
        if name == "li":
            self._item()
        elif name in STYLES or name == "a":
            self._pay()
        given = {key: html.unescape(double or single) for key, double, single in _ATTRIBUTE.findall(attributes)}
        classes = frozenset(given.get("class", "").split())
        self.open.append(_Open(name, self.sheet.length, given.get("href", ""), classes))

    def _item(self) -> None:
        self._pay()
        around = next((one for one in reversed(self.open) if one.tag in {"ul", "ol"}), None)
        if around is None or around.tag == "ul":
            self.sheet.write("• ")
        else:
            around.number += 1
            self.sheet.write(f"{around.number}. ")

    def _close(self, name: str) -> None:
        if not self._is(name):
            return
        while self.open:
            one = self.open.pop()
            self._end(one)
            if one.tag == name:
                return

    def _end(self, one: _Open) -> None:
        if one.tag == "a":
            self._link(one)
        elif one.tag in STYLES:
            self.sheet.mark(one.start, STYLES[one.tag])
        self._set_off(one.tag)

    def _link(self, one: _Open) -> None:
        """Mastodon shows a part of a long address, but writes the whole; other servers link words."""
        if "hashtag" in one.classes:
            return
        if one.href in self._people:
            self.sheet.mark(one.start, "mention", self._people[one.href])
            return
        self.sheet.mark(one.start, "link", one.href)

    def _is(self, name: str) -> bool:
        return any(one.tag == name for one in self.open)

    def _set_off(self, name: str) -> None:
        """Line ends are written before the next words only, so that none is left over at the end."""
        if self.sheet.length:
            self._owed = max(self._owed, BLOCKS.get(name, 0))

    def _pay(self) -> None:
        self.sheet.write("\n" * self._owed)
        self._owed = 0
