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


_WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "cp950",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "tis-620": "cp874",
}
"""What mail programs mean by a name: the charset that has more (https://encoding.spec.whatwg.org, 2026-11)."""
_TORN = 10
"""One character in so many that are not ASCII may be torn: the others still show which charset it is."""


def decoded(content: bytes, charset: str | None = None, otherwise: str | None = None) -> str:
    """As said, else as UTF-8, as `otherwise`, as Windows-1252; what cannot be read becomes U+FFFD."""
    for name in ("utf-8" if _is_latin(charset) else None, charset, "utf-8", otherwise):
        if name and (text := _strictly(content, name)) is not None:
            return text
    mended = content.decode("utf-8", "replace")
    if 0 < mended.count("\ufffd") * _TORN <= sum(not one.isascii() for one in mended):
        return mended
    return content.decode("cp1252", "replace")


def _is_latin(charset: str | None) -> bool:
    """What many programs say whatever they write; what happens to be UTF-8 is meant as such."""
    return (charset or "").strip("'\" ").lower() in ("iso-8859-1", "us-ascii", "windows-1252")


def _strictly(content: bytes, charset: str) -> str | None:
    try:
        found = codecs.lookup(charset.strip("'\" ")).name
    except (LookupError, ValueError):
        return None
    for name in (_WIDER.get(found, found), found):
        try:
            return None if name in _NO_TEXT else content.decode(name)
        except (LookupError, ValueError):
            continue
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
