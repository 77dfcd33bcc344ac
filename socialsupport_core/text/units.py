"""How long a text is, in the unit in which a network counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from .patterns import GRAPHEME
from .weight import weigh

Unit = Literal["characters", "utf16", "graphemes", "utf8_bytes", "x_weighted", "sms_segments"]

# GSM 7-bit default alphabet and its extension table: 3GPP TS 23.038 release 17, sections 6.2.1 and
# 6.2.1.1, checked 2026-11. An extension character takes two septets.
_GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

# Septets in a single message and in a part of a longer one, whose header takes 6 octets; likewise
# UTF-16 code units: 3GPP TS 23.040 release 17, section 9.2.3.24.1, checked 2026-11.
_SEPTETS, _SEPTETS_OF_PART = 160, 153
_UCS2, _UCS2_OF_PART = 70, 67


def count(text: str, unit: Unit) -> int:
    """The length of `text` in `unit`; never fails, lone surrogates count like any other character."""
    return _COUNTERS[unit](text)


def is_gsm7(text: str) -> bool:
    """Whether a text message can carry `text` in the 7-bit alphabet."""
    return _GSM_BASIC.union(_GSM_EXTENSION).issuperset(text)


def _utf16(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text) if not text.isascii() else len(text)


def _graphemes(text: str) -> int:
    if text.isascii():
        return len(text) - text.count("\r\n")
    return sum(1 for _ in GRAPHEME.finditer(text))


def _utf8_bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _x_weighted(text: str) -> int:
    return weigh(text).length


def _sms_segments(text: str) -> int:
    if is_gsm7(text):
        return _segments([2 if char in _GSM_EXTENSION else 1 for char in text], _SEPTETS, _SEPTETS_OF_PART)
    return _segments([2 if char > "\uffff" else 1 for char in text], _UCS2, _UCS2_OF_PART)


def _segments(sizes: list[int], single: int, part: int) -> int:
    """A character of two units is never divided between two parts."""
    if sum(sizes) <= single:
        return 1 if sizes else 0
    parts, used = 1, 0
    for size in sizes:
        if used + size > part:
            parts, used = parts + 1, 0
        used += size
    return parts


_COUNTERS: dict[Unit, Callable[[str], int]] = {
    "characters": len,
    "utf16": _utf16,
    "graphemes": _graphemes,
    "utf8_bytes": _utf8_bytes,
    "x_weighted": _x_weighted,
    "sms_segments": _sms_segments,
}
