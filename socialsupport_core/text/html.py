"""HTML of mails and messages as plain text with spans, from which `from_spans` writes CommonMark.

Text, line breaks, bold, italic, links, lists, quotations and code come over. What a reader would not see (head,
style, script, hidden elements) does not, and of an image only its alternative text.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from .spans import Span, Style
from .tags import RAW, Tag, pieces

MAX_HTML = 400_000  # characters; what people write is at the top
MAX_TEXT = 100_000  # characters of result
MAX_SPANS = 500
MAX_OPEN = 200  # elements open at once; deeper ones are read as text

_SPACE = re.compile(r"[ \t\r\n\f]+")
_INVISIBLE = re.compile("[\u00ad\u034f\u200b\u2060\ufeff]")  # what mailings pad their previews with

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
BLOCKS = frozenset(
    {"address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "figure", "footer", "form", "header",
     "li", "main", "nav", "section", "tr"}
)  # fmt: skip
PARAGRAPHS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"})
"""Blocks with an empty line around them."""
CELLS = frozenset({"td", "th"})
STYLES: dict[str, Style] = {
    "b": "bold", "strong": "bold", "h1": "bold", "h2": "bold", "h3": "bold", "h4": "bold", "h5": "bold", "h6": "bold",
    "i": "italic", "em": "italic", "s": "strike", "del": "strike", "strike": "strike", "code": "code", "tt": "code",
    "pre": "pre", "blockquote": "quote", "a": "link",
}  # fmt: skip
LINKS = frozenset({"http", "https", "mailto", "tel"})


def read(source: str) -> tuple[str, list[Span]]:
    """The text and its styles; cut off at MAX_TEXT characters."""
    reader = _Reader()
    for piece in pieces(source[:MAX_HTML]):
        if isinstance(piece, str):
            reader.text(piece)
        elif piece.closing:
            reader.end(piece.name)
        else:
            reader.start(piece)
        if reader.length > MAX_TEXT:
            break
    return reader.finish()


@dataclass(slots=True)
class _Element:
    name: str
    hides: bool = False
    style: Style | None = None
    value: str = ""
    start: int = -1
    """Where its text begins; -1 before there is any."""
    number: int = 0
    """Of the last item, in an ordered list."""


class _Reader:
    """`_gap` line ends and perhaps a space are owed before the next text, so that none stand at an edge."""

    def __init__(self) -> None:
        self.length = 0
        self._text: list[str] = []
        self._spans: list[Span] = []
        self._open: list[_Element] = []
        self._unstarted: list[_Element] = []
        self._hidden = 0
        self._verbatim = 0
        self._gap = 0
        self._space = False
        self._bullet = ""

    def text(self, text: str) -> None:
        if self._hidden:
            return
        text = _INVISIBLE.sub("", text)
        if self._verbatim:
            self._lines(text.replace("\r\n", "\n"))
            return
        text = _SPACE.sub(" ", text)
        self._space |= text.startswith(" ")
        if bare := text.strip(" "):
            self._write(bare)
            self._space = text.endswith(" ")

    def start(self, tag: Tag) -> None:
        if tag.name in VOID:
            self._void(tag)
            return
        if len(self._open) >= MAX_OPEN:
            return
        self._block(tag.name)
        self._space |= tag.name in CELLS
        element = _Element(tag.name, hides=tag.is_hidden or tag.name in RAW or tag.name == "head")
        element.style = STYLES.get(tag.name)
        if tag.name == "a":
            element.value = _target(tag.attributes.get("href", ""))
        if tag.name == "li":
            self._bullet = self._item()
        self._hidden += element.hides
        self._verbatim += tag.name == "pre"
        self._open.append(element)
        if element.style:
            self._unstarted.append(element)

    def end(self, name: str) -> None:
        at = next((at for at in range(len(self._open) - 1, -1, -1) if self._open[at].name == name), None)
        if at is not None:
            while len(self._open) > at:
                self._close(self._open.pop())
        self._block(name)
        self._space |= name in CELLS

    def finish(self) -> tuple[str, list[Span]]:
        while self._open:
            self._close(self._open.pop())
        return "".join(self._text), self._spans

    def _close(self, element: _Element) -> None:
        self._hidden -= element.hides
        self._verbatim -= element.name == "pre"
        if element.style and element.start < 0:
            self._unstarted.remove(element)
        elif element.style and len(self._spans) < MAX_SPANS and (element.style != "link" or element.value):
            self._spans.append(Span(element.start, self.length, element.style, element.value))

    def _item(self) -> str:
        lists = [element for element in self._open if element.name in ("ul", "ol")]
        indent = "  " * (len(lists) - 1)
        if lists and lists[-1].name == "ol":
            lists[-1].number += 1
            return f"{indent}{lists[-1].number}. "
        return f"{indent}• "

    def _void(self, tag: Tag) -> None:
        if self._hidden:
            return
        if tag.name == "br":
            self._gap = min(self._gap + 1, 3)
        elif tag.name == "hr":
            self._block("p")
        elif tag.name == "img" and (alternative := tag.attributes.get("alt", "").strip()):
            self.text(f"[{alternative[:200]}]")

    def _block(self, name: str) -> None:
        if name in PARAGRAPHS and not (name in ("ul", "ol") and any(one.name == "li" for one in self._open)):
            self._gap = max(self._gap, 2)
        elif name in BLOCKS or name in PARAGRAPHS:
            self._gap = max(self._gap, 1)

    def _lines(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            self._gap += number > 0
            if line.strip():
                self._space = False
                self._write(line.rstrip())
                self._space = line.endswith(" ")

    def _write(self, text: str) -> None:
        """Pays what is owed, then lets the elements begin that were waiting for text."""
        if not self._text:
            self._gap = 0
            self._space = False
        owed = "\n" * self._gap or (" " if self._space else "")
        self._put(owed + self._bullet)
        self._gap, self._space, self._bullet = 0, False, ""
        for element in self._unstarted:
            element.start = self.length
        self._unstarted.clear()
        self._put(text)

    def _put(self, text: str) -> None:
        if text:
            self._text.append(text)
            self.length += len(text)


def _target(href: str) -> str:
    """The address that a link may have; empty for scripts and for what only works inside the mail."""
    href = href.strip()
    try:
        scheme = urlsplit(href).scheme
    except ValueError:
        return ""
    return href if scheme in LINKS and len(href) <= 2048 else ""
