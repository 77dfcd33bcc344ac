"""`winmail.dat`: what Outlook packs into one file (TNEF), unpacked.

https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxtnef (2026-11); properties and their types:
https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxprops, …/ms-oxcdata (2026-11). What breaks off or
makes no sense ends the reading; what was read until then is kept.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from socialsupport_email.words import decoded

SIGNATURE = 0x223E9F78
MAX_FILES = 100
MAX_PROPERTIES = 1_000
TITLE, DATA, RENDERED, PROPERTIES, BODY, MESSAGE, CODEPAGE = (
    0x00018010, 0x0006800F, 0x00069002, 0x00069005, 0x0002800C, 0x00069003, 0x00069007,
)  # fmt: skip
"""Attributes: of an attachment its name, content, beginning and properties; of the message the others."""
LONG_NAME, MIME_TAG, CONTENT, PLAIN, HTML = 0x3707, 0x370E, 0x3701, 0x1000, 0x1013
FIXED = {2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 10: 4, 11: 4, 20: 8, 64: 8, 72: 16}
"""Bytes of a value, by the type of its property."""
STRING, UNICODE, OBJECT, BINARY = 0x1E, 0x1F, 0x0D, 0x102
LISTED = 0x1000
"""Set in the type of a property that has several values."""
NAMED = 0x8000


@dataclass(slots=True)
class File:
    name: str | None = None
    media_type: str | None = None
    content: bytes = b""


@dataclass(slots=True)
class Message:
    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, length: int) -> bytes:
        """Raises ValueError at the end."""
        found = self._content[self._at : self._at + length]
        if length < 0 or len(found) < length:
            raise ValueError("it breaks off")
        self._at += length
        return found

    def number(self, form: str) -> int:
        return int(struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0])

    def padded(self) -> bytes:
        length = self.number("I")
        found = self.take(length)
        self.take(min(-length % 4, len(self._content) - self._at))
        return found


def unpacked(content: bytes) -> Message | None:
    """None if it is no TNEF."""
    reader, message, codepage = _Reader(content), Message(), "cp1252"
    try:
        if reader.number("I") != SIGNATURE:
            return None
        reader.number("H")
        while len(message.files) <= MAX_FILES:
            reader.number("B")
            attribute, length = reader.number("I"), reader.number("I")
            value = reader.take(length)
            reader.number("H")  # a checksum that some programs get wrong
            if attribute == CODEPAGE:
                codepage = f"cp{int.from_bytes(value[:4], 'little')}"
            _put(message, attribute, value, codepage)
    except ValueError:
        pass
    return message


def _put(message: Message, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == RENDERED:
        message.files.append(File())
    elif attribute == BODY:
        message.text = message.text or _text(value, codepage)
    elif attribute == MESSAGE:
        for tag, told in _properties(value, codepage):
            if tag == PLAIN and isinstance(told, str):
                message.text = told
            elif tag == HTML:
                message.html = told if isinstance(told, str) else decoded(told, codepage)
    elif message.files:
        _put_file(message.files[-1], attribute, value, codepage)


def _put_file(file: File, attribute: int, value: bytes, codepage: str) -> None:
    if attribute == TITLE:
        file.name = file.name or _text(value, codepage) or None
    elif attribute == DATA:
        file.content = value
    elif attribute == PROPERTIES:
        for tag, told in _properties(value, codepage):
            if tag == LONG_NAME and isinstance(told, str):
                file.name = told or file.name
            elif tag == MIME_TAG and isinstance(told, str):
                file.media_type = told or None
            elif tag == CONTENT and isinstance(told, bytes):
                file.content = file.content or told


def _properties(content: bytes, codepage: str) -> Iterator[tuple[int, str | bytes]]:
    """Those that are text or bytes."""
    reader = _Reader(content)
    try:
        for _ in range(min(reader.number("I"), MAX_PROPERTIES)):
            kind, tag = reader.number("H"), reader.number("H")
            if tag >= NAMED:
                _skip_name(reader)
            for value in _values(reader, kind):
                if kind in (STRING, UNICODE):
                    yield tag, _text(value, "utf-16-le" if kind == UNICODE else codepage)
                elif kind in (BINARY, OBJECT):
                    yield tag, value[16:] if kind == OBJECT else value  # an object begins with its interface
    except ValueError:
        return


def _skip_name(reader: _Reader) -> None:
    reader.take(16)
    if reader.number("I") == 0:
        reader.number("I")
    else:
        reader.padded()


def _values(reader: _Reader, kind: int) -> list[bytes]:
    is_listed, kind = bool(kind & LISTED), kind & ~LISTED
    is_long = kind in (STRING, UNICODE, BINARY, OBJECT)
    count = reader.number("I") if is_listed or is_long else 1
    if count > MAX_PROPERTIES or not (is_long or kind in FIXED):
        raise ValueError("no property of TNEF")
    return [reader.padded() if is_long else reader.take(FIXED[kind]) for _ in range(count)]


def _text(value: bytes, codepage: str) -> str:
    return decoded(value, codepage).rstrip("\0")
