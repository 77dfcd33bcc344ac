"""What X finds in a text: mentions, lists, hashtags, cashtags and links.

The rules are those of twitter-text 3.1 (its conformance files, 2026-11, are the proof), the expressions are
ours. Each search is linear: a failed start is not tried again from its middle.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from .patterns import pattern
from .tlds import leading_domain

Kind = Literal["mention", "list", "hashtag", "cashtag", "url"]

# Latin letters with marks, as in é; not × (D7) and ÷ (F7).
_LATIN = (
    r"\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272"
    r"\u0289\u028b\u02bb\u0300-\u036f\u1e00-\u1eff"
)
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVALID = r"\ufffe\ufeff\uffff"
_CYRILLIC = r"\u0400-\u04ff"


@dataclass(frozen=True, slots=True)
class Entity:
    """`text` is what X calls it: the name, tag or address without its sign; offsets are code points."""

    kind: Kind
    start: int
    end: int
    text: str
    list_slug: str = ""


def entities(text: str) -> list[Entity]:
    """All entities in order; of two that overlap, the first."""
    found = [*urls(text), *mentions(text), *hashtags(text), *cashtags(text)]
    kept: list[Entity] = []
    for entity in sorted(found, key=lambda entity: (entity.start, -entity.end)):
        if not kept or entity.start >= kept[-1].end:
            kept.append(entity)
    return kept


# Mentions and lists

_AT_NAME = r"[@＠](?P<name>[A-Za-z0-9_]{1,20}+)"
_SLUG = r"(?P<slug>/[A-Za-z][A-Za-z0-9_-]{0,24}+)?+"
_NAME_ENDS = rf"(?![@＠{_LATIN}]|://)"
_MENTION = pattern(rf"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<=(?<![A-Za-z0-9_+~.-])[Rr][Tt]:?)){_AT_NAME}{_SLUG}{_NAME_ENDS}")
_REPLY = pattern(rf"\s*{_AT_NAME}{_NAME_ENDS}")


def mentions(text: str) -> list[Entity]:
    """Users and lists; the slug of a list starts with its slash."""
    return [
        Entity(
            "list" if match["slug"] else "mention",
            match.start(),
            match.end(),
            match["name"],
            match["slug"] or "",
        )
        for match in _MENTION.finditer(text)
    ]


def reply_to(text: str) -> str | None:
    """The user whom a post answers, that is the name with which it starts."""
    match = _REPLY.match(text)
    return match["name"] if match else None


# Hashtags and cashtags

_TAG_LETTER = r"\p{L}\p{M}"
_TAG_OTHER = r"\p{Nd}_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
_TAG = rf"[{_TAG_OTHER}]*+[{_TAG_LETTER}][{_TAG_LETTER}{_TAG_OTHER}]*+"
_HASHTAG = pattern(
    # A variation selector is a mark, yet it ends an emoji.
    rf"(?:(?<=[\ufe0e\ufe0f])|(?<![&{_TAG_LETTER}{_TAG_OTHER}]))[#＃](?![\ufe0f\u20e3])(?P<tag>{_TAG})(?![#＃]|://)"
)
_CASHTAG = pattern(
    rf"(?<![^\s{_DIRECTION}])\$(?P<tag>[A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)(?=$|[\s!-/:-@\[-^_{{-~])"
)


def hashtags(text: str) -> list[Entity]:
    """Hashtags outside links."""
    found = [Entity("hashtag", match.start(), match.end(), match["tag"]) for match in _HASHTAG.finditer(text)]
    links = urls(text) if found else []
    starts = [link.start for link in links]
    return [tag for tag in found if not _is_within(tag.start, starts, links)]


def _is_within(at: int, starts: list[int], links: list[Entity]) -> bool:
    index = bisect_right(starts, at) - 1
    return index >= 0 and at < links[index].end


def cashtags(text: str) -> list[Entity]:
    return [Entity("cashtag", match.start(), match.end(), match["tag"]) for match in _CASHTAG.finditer(text)]


# Links

_LABEL = rf"[^\s\x00-\x20\x7f!-,./:-@\[-^`{{-~{_DIRECTION}{_INVALID}]"
_ASCII_LABEL = rf"[A-Za-z0-9{_LATIN}-]"
_HOST = pattern(
    rf"(?<![A-Za-z0-9@＠$#＃{_INVALID}])"
    rf"(?:(?P<protocol>[Hh][Tt][Tt][Pp][Ss]?://)(?P<host>{_LABEL}++(?:\.{_LABEL}++)*+)"
    # Without a protocol only the last label may leave Latin script, and nothing may stand glued before it.
    rf"|(?<![_./{_LATIN}-])(?={_ASCII_LABEL}++\.{_LABEL})"
    rf"(?P<bare>{_ASCII_LABEL}++(?:\.{_ASCII_LABEL}++)*+)(?P<tail>\.?+{_LABEL}{{1,64}}+)?+)"
)
_PORT = pattern(r":[0-9]++")
_PATH_CHAR = rf"[A-Za-z0-9{_CYRILLIC}{_LATIN}!*';:=+,.$/%#\[\]_~@|&\u2013-]"
_PATH = pattern(rf"/(?:{_PATH_CHAR}++|\((?:{_PATH_CHAR}++|\({_PATH_CHAR}++\))*+\))*+")
_NO_PATH_END = "!*';:,.$%[]~@|&\u2013"
_QUERY = pattern(r"\?[A-Za-z0-9!?*'@();:&=+$/%#\[\]_.,~|-]*+")
_NO_QUERY_END = "!?*'@();:+$%[].,~|"
_SHORT = pattern(r"https?://t\.co/(?P<slug>[a-z0-9]++)", ignore_case=True)

# A slug of t.co longer than this is none: twitter-text 3.1, 2026-11.
_MAX_SLUG = 40
# RFC 1035 section 2.3.4: octets of a label and of a name, hence at most so many labels.
_MAX_LABEL, _MAX_HOST, _MAX_LABELS = 63, 253, 127


def urls(text: str) -> list[Entity]:
    """Links with and without protocol."""
    return list(_urls(text))


def _urls(text: str) -> Iterator[Entity]:
    at = 0
    while match := _HOST.search(text, at):
        start = match.start("host") if match["host"] else match.start()
        labels = (match["host"] or match["bare"] + (match["tail"] or "")).split(".", _MAX_LABELS + 1)
        host = _host(labels, text[match.end() : match.end() + 1])
        if host is None:
            at = start if match["host"] else match.end("bare")
            continue
        at = end = _end(text, start + len(host))
        if match["host"] and (short := _SHORT.match(text, match.start(), end)):
            at = end = _short_end(text, short)
            if len(short["slug"]) > _MAX_SLUG:
                continue
        yield Entity("url", match.start(), end, text[match.start() : end])


def _host(labels: list[str], following: str) -> str | None:
    """The longest host name at the start of `labels`, after which comes `following`."""
    for index in range(min(len(labels), _MAX_LABELS) - 1, 0, -1):
        top = leading_domain(labels[index] + (following if index == len(labels) - 1 else "."))
        if top and _is_name(labels[:index]):
            host = ".".join((*labels[:index], top))
            return host if len(host) <= _MAX_HOST else None
    return None


def _is_name(labels: list[str]) -> bool:
    return "_" not in labels[-1] and all(_is_label(label) for label in labels)


def _is_label(label: str) -> bool:
    if not label or len(label) > _MAX_LABEL or label[0] in "-_" or label[-1] in "-_":
        return False
    if label.isascii():
        return True
    return not label.lower().startswith("xn--") and len(label.encode("punycode")) + 4 <= _MAX_LABEL


def _end(text: str, end: int) -> int:
    """Where port, path and query end that follow the host at `end`."""
    if port := _PORT.match(text, end):
        end = port.end()
    if path := _PATH.match(text, end):
        end += len(path[0].rstrip(_NO_PATH_END))
    if query := _QUERY.match(text, end):
        length = len(query[0].rstrip(_NO_QUERY_END))
        end += length
    return end


def _short_end(text: str, short: re.Match[str]) -> int:
    query = _QUERY.match(text, short.end())
    return short.end() + (len(query[0].rstrip(_NO_QUERY_END)) if query else 0)
