"""Address lists in headers (RFC 5322 3.4): our own reader, for it must be total and linear."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from socialsupport_email.address import canonical
from socialsupport_email.words import shown

MAX_ADDRESSES = 200  # of one header; the rest is not shown
_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*+)"|<([^<>]*+)>|([()])|([,;:])|([^"<>(),;:]++)|(.)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Mailbox:
    address: str
    """Canonical."""
    name: str | None = None


def read(header: str) -> list[Mailbox]:
    """Those that are addresses; groups are taken apart, routes dropped, the unreadable left out."""
    found: list[Mailbox] = []
    for name, address in _entries(header):
        if (known := canonical(address)) and len(found) < MAX_ADDRESSES:
            found.append(Mailbox(known, shown(name) or None))
    return found


def _entries(header: str) -> Iterator[tuple[str, str]]:
    """(name, address) as written."""
    words: list[str] = []
    notes: list[str] = []
    angle: str | None = None
    depth = 0
    for quoted, angled, paren, mark, text, _other in _TOKEN.findall(header):
        if paren:
            depth = max(0, depth + (1 if paren == "(" else -1))
        elif depth:
            notes.append(quoted or angled or mark or text)
        elif mark:
            if mark != ":":  # a group's name before its colon is nobody
                yield _entry(words, notes, angle)
            words, notes, angle = [], [], None
        elif angled:
            angle = angled
        elif quoted or text.strip():
            words.append(_ESCAPE.sub(r"\1", quoted) if quoted else text.strip())
    yield _entry(words, notes, angle)


def _entry(words: list[str], notes: list[str], angle: str | None) -> tuple[str, str]:
    if angle is None:  # the old form: kerry@example.com (Kerry Fisher)
        return " ".join(notes), "".join(words)
    return " ".join(words) or " ".join(notes), angle.rpartition(":")[2].strip()
