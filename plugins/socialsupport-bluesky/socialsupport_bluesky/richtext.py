"""Text and facets, whose offsets are bytes of UTF-8:
https://docs.bsky.app/docs/advanced-guides/post-richtext (2026-11)."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from socialsupport_bluesky.records import DID
from socialsupport_core.contract.lax import Json, object_of, objects_of, text_of, whole_of
from socialsupport_core.text import Span, count, from_spans, plain, quiet, to_spans

FACET = "app.bsky.richtext.facet"
MOST_FACETS = 200
BYTES_A_GRAPHEME = 10
"""A post has 300 graphemes and 3,000 bytes, a message 1,000 and 10,000:
https://docs.bsky.app/docs/advanced-guides/posts (2026-11)"""
MOST_HANDLES = 5
_HANDLE = re.compile(r"(?<![\w@/.])@((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z]{2,63})\b", re.ASCII)
_TAG = re.compile(r"(?<!\S)#([^\W\d_]\w{0,62})")
_LINK = re.compile(r"(?<![\w@])https?://\w[^\s<>\"]*")
_NO_LINK_END = ".,;:!?'*_"


def markdown(text: str, facets: Sequence[Json]) -> str:
    return from_spans(text, list(_spans(text, facets[:MOST_FACETS])))


def _spans(text: str, facets: Sequence[Json]) -> Iterator[Span]:
    if not facets:
        return
    at = _characters(text)
    for facet in facets:
        index = object_of(facet, "index")
        start, end = at.get(whole_of(index, "byteStart") or 0), at.get(whole_of(index, "byteEnd") or 0)
        if start is None or end is None or start >= end:
            continue  # it would cut a character in two, or lies outside
        for feature in objects_of(facet, "features")[:5]:
            if link := text_of(feature, "uri"):
                yield Span(start, end, "link", link)
            elif did := text_of(feature, "did"):
                yield Span(start, end, "mention", did)


def _characters(text: str) -> dict[int, int]:
    """The character that begins at a byte."""
    found, byte = {}, 0
    for number, char in enumerate(text):
        found[byte] = number
        byte += len(char.encode("utf-8", "replace"))
    return found | {byte: len(text)}


def counted(text: str) -> str:
    """As many graphemes as count: where bytes are what runs out first, as many as those stand for."""
    shown = plain(quiet(text))
    by_bytes = -(-len(shown.encode("utf-8", "replace")) // BYTES_A_GRAPHEME)
    return shown if by_bytes <= count(shown, "graphemes") else "x" * by_bytes


def handles(markdown: str) -> list[str]:
    """Those that are to be resolved, each once."""
    found = [one.lower() for one in _HANDLE.findall(plain(quiet(markdown)))]
    return list(dict.fromkeys(found))[:MOST_HANDLES]


def written(markdown: str, dids: Mapping[str, str]) -> dict[str, Any]:
    """`text` and `facets`. `dids` are the accounts behind the handles in it."""
    text, spans = to_spans(quiet(markdown))
    found = [*_given(spans), *_found(text, dids)]
    facets: list[dict[str, Any]] = []
    last = 0
    for start, end, feature in sorted(found, key=lambda one: (one[0], -one[1])):
        if start < last:
            continue  # of two that overlap, the first
        last = end
        index = {"byteStart": _bytes(text[:start]), "byteEnd": _bytes(text[:end])}
        facets.append({"index": index, "features": [feature]})
    return {"text": text} | ({"facets": facets} if facets else {})


Found = tuple[int, int, dict[str, str]]


def _given(spans: Sequence[Span]) -> Iterator[Found]:
    for span in spans:
        if span.style == "link" and span.value.startswith(("https://", "http://")):
            yield span.start, span.end, {"$type": f"{FACET}#link", "uri": span.value}
        elif span.style == "mention" and DID.fullmatch(span.value):
            yield span.start, span.end, {"$type": f"{FACET}#mention", "did": span.value}


def _found(text: str, dids: Mapping[str, str]) -> Iterator[Found]:
    for match in _LINK.finditer(text):
        address = _link(match[0])
        yield match.start(), match.start() + len(address), {"$type": f"{FACET}#link", "uri": address}
    for match in _HANDLE.finditer(text):
        if did := dids.get(match[1].lower()):
            yield match.start(), match.end(), {"$type": f"{FACET}#mention", "did": did}
    for match in _TAG.finditer(text):
        yield match.start(), match.end(), {"$type": f"{FACET}#tag", "tag": match[1]}


def _link(written: str) -> str:
    """Without what ends the sentence, or closes a bracket that was opened before it."""
    address = written.rstrip(_NO_LINK_END)
    if address.endswith(")") and "(" not in address:
        address = address.rstrip(")" + _NO_LINK_END)
    return address


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
