"""HTML in pieces: text and tags in turn. Our own, because it must be linear on anything that a stranger sends."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_ATTRIBUTES = 8 * 1024  # characters of one tag's attributes that are read

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*+)((?:[^<>\"']++|\"[^\"<]*+\"|'[^'<]*+')*+)>")
_ATTRIBUTE = re.compile(r"([^\s=\"'/>]++)\s*+(?:=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|([^\s\"']++)))?")
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all", re.IGNORECASE)

RAW = frozenset(
    {"script", "style", "title", "textarea", "noscript", "template", "iframe", "object", "svg", "math", "select"}
)
"""Elements whose content is not text of the page; it is skipped up to their closing tag."""


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    closing: bool
    attributes: dict[str, str]

    @property
    def is_hidden(self) -> bool:
        return "hidden" in self.attributes or bool(_HIDDEN.search(self.attributes.get("style", "")))


def pieces(source: str) -> Iterator[str | Tag]:
    """Text is unescaped. No search is repeated that has found nothing."""
    at = 0
    lower = source.lower() if len(source.lower()) == len(source) else source
    missing: set[str] = set()
    while (opening := source.find("<", at)) >= 0:
        if opening > at:
            yield html.unescape(source[at:opening])
        match = _TAG.match(source, opening)
        at = _after_markup(source, opening, missing)
        if match:
            tag = Tag(match[2].lower(), bool(match[1]), {} if match[1] else _attributes(match[3]))
            yield tag
            is_raw = tag.name in RAW and not tag.closing
            at = _find(lower, f"</{tag.name}", match.end(), missing, len(source)) if is_raw else match.end()
        elif at == opening:
            yield "<"
            at += 1
    if at < len(source):
        yield html.unescape(source[at:])


def _attributes(written: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, *values in _ATTRIBUTE.findall(written[:MAX_ATTRIBUTES]):
        found.setdefault(name.lower(), html.unescape(next(filter(None, values), "")))
    return found


def _after_markup(source: str, at: int, missing: set[str]) -> int:
    """Behind a comment, a declaration or an instruction that begins at `at`; `at` itself if it is only a `<`."""
    if source.startswith("<!--", at):
        return _find(source, "-->", at + 4, missing, at + 4)
    if source.startswith(("<!", "<?", "</"), at):
        return _find(source, ">", at + 2, missing, at + 2)
    return at


def _find(source: str, what: str, at: int, missing: set[str], otherwise: int) -> int:
    """Behind `what`, or at it if it is a closing tag; `otherwise` if it does not come."""
    found = -1 if what in missing else source.find(what, at)
    if found < 0:
        missing.add(what)
        return otherwise
    return found if what.startswith("</") else found + len(what)
