"""Text from bytes and headers, whatever their sender says they are."""

import base64
import binascii
import codecs
import re
import unicodedata
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime

FIRST_MAIL = datetime(1982, 8, 13, tzinfo=UTC)  # the date of RFC 822: an older mail comes from a broken clock

_LINE_END = re.compile(r"\r\n?")
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_NO_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_NO_TEXT = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf-7"})
"""Codecs that are slow, not meant for mail, or hide what they say."""


def decoded(content: bytes, charset: str | None = None) -> str:
    """As said, else as UTF-8, else as Windows-1252; what cannot be read becomes U+FFFD."""
    for name in (charset, "utf-8"):
        if name and (text := _strictly(content, name)) is not None:
            return text
    return content.decode("cp1252", "replace")


def _strictly(content: bytes, charset: str) -> str | None:
    try:
        found = codecs.lookup(charset.strip("'\" ")).name
        return None if found in _NO_TEXT else content.decode(found)
    except (LookupError, ValueError):
        return None


def clean(text: str) -> str:
    """Without control characters and lone surrogates; line ends as newlines, composed (NFC)."""
    return unicodedata.normalize("NFC", _UNWANTED.sub("", _LINE_END.sub("\n", text)))


def shown(value: str) -> str:
    """A header's text with its encoded words decoded (RFC 2047), as one clean line."""
    if "=?" in value:
        value = _without_encoded_words(value)
    return _SPACE.sub(" ", clean(value)).strip()


def _without_encoded_words(value: str) -> str:
    try:
        pieces = decode_header(value)
    except (ValueError, binascii.Error, HeaderParseError):
        return value
    return "".join(
        piece if isinstance(piece, str) else _escaped_back(piece) if charset is None else decoded(piece, charset)
        for piece, charset in pieces
    )


def _escaped_back(piece: bytes) -> str:
    """`decode_header` gives what stands between encoded words as bytes in this form."""
    return piece.decode("raw-unicode-escape", "replace")


def moment(written: str | None) -> datetime | None:
    """A Date header's moment; None if it makes no sense."""
    try:
        found = parsedate_to_datetime((written or "")[:200])
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if found >= FIRST_MAIL else None


def transferred(content: bytes, encoding: str) -> bytes:
    """Without its transfer encoding (RFC 2045 6); as it is if that is unknown. Damaged base64 gives what it can."""
    if encoding == "quoted-printable":
        return binascii.a2b_qp(content)
    if encoding != "base64":
        return content
    digits = _NO_BASE64.sub(b"", content)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return base64.b64decode(digits + b"=" * (-len(digits) % 4))
