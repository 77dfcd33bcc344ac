"""X's weighted length, by the configurations of twitter-text.

Source of all numbers: twitter-text's config/v1.json, v2.json and v3.json, checked 2026-11. X counts by v3.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from .entities import urls
from .patterns import pattern


@dataclass(frozen=True, slots=True)
class Weights:
    limit: int
    scale: int
    default: int
    ranges: tuple[tuple[int, int, int], ...] = ()  # first and last code point, weight
    url: int = 23
    emoji: bool = False

    def of(self, char: str) -> int:
        code = ord(char)
        for first, last, weight in self.ranges:
            if first <= code <= last:
                return weight
        return self.default


_RANGES = ((0, 4351, 100), (8192, 8205, 100), (8208, 8223, 100), (8242, 8247, 100))

V1 = Weights(limit=140, scale=1, default=1)
V2 = Weights(limit=280, scale=100, default=200, ranges=_RANGES)
V3 = Weights(limit=280, scale=100, default=200, ranges=_RANGES, emoji=True)


@dataclass(frozen=True, slots=True)
class Weighed:
    """`display_end` and `valid_end` are the last UTF-16 code units of the text and of what may be posted."""

    length: int
    valid: bool
    permillage: int
    display_end: int
    valid_end: int


# X refuses a post with one of these: twitter-text 3.1, 2026-11.
_REFUSED = frozenset("\ufffe\ufeff\uffff")

# What may follow a zero-width joiner. Other sequences are several emoji to X: Unicode's
# emoji-zwj-sequences.txt 16.0, checked 2026-11.
_JOINED = (
    r"[♀♂⚕⚖✈❤⚧☠❄⬛⛓➡↔↕🌈🔥🩹💋🗨💨💫🦺🌾🍳🍼🎄🎓🎤🎨🏫🏭💻💼🔧🔬🚀🚒🦯🦰🦱🦲🦳🦼🦽🤝"
    r"🧑👨👩👦👧🧒🐛🟩🟫💥🐦🍄🍋🫯🩰]"
)
_PICTURE = r"(?![©®™](?!\ufe0f))\p{Extended_Pictographic}(?:\ufe0f?\p{Emoji_Modifier}|\ufe0f)?+(?!\ufe0e)"
_EMOJI = pattern(
    r"[0-9#*]\ufe0f?\u20e3"
    r"|[\U0001f1e6-\U0001f1ff]{2}"
    r"|\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"
    rf"|{_PICTURE}(?:\u200d(?={_JOINED}){_PICTURE})*+"
)


def weigh(text: str, weights: Weights = V3) -> Weighed:
    """Links weigh the same whatever their length; an emoji sequence weighs as one character."""
    normal = unicodedata.normalize("NFC", text)
    limit = weights.limit * weights.scale
    total = end = valid_end = 0
    refused = False
    for piece, weight in _pieces(normal, weights):
        total += weight
        end += _utf16(piece)
        refused = refused or piece in _REFUSED
        if not refused and total <= limit:
            valid_end = end
    length = total // weights.scale
    # The ends are meant in the text as it was given.
    moved = _utf16(text) - end - 1
    valid = bool(text) and not refused and length <= weights.limit
    return Weighed(length, valid, length * 1000 // weights.limit, end + moved, valid_end + moved)


def _pieces(text: str, weights: Weights) -> Iterator[tuple[str, int]]:
    start = 0
    for url in urls(text):
        yield from _characters(text[start : url.start], weights)
        yield url.text, weights.url * weights.scale
        start = url.end
    yield from _characters(text[start:], weights)


def _characters(text: str, weights: Weights) -> Iterator[tuple[str, int]]:
    start = 0
    for match in _EMOJI.finditer(text) if weights.emoji and not text.isascii() else ():
        yield from ((char, weights.of(char)) for char in text[start : match.start()])
        yield match[0], weights.default
        start = match.end()
    yield from ((char, weights.of(char)) for char in text[start:])


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)
