"""What Outlook packs into one file comes out as the files and the words that were sent."""

import base64
import struct
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from socialsupport_core.model import Interaction, InteractionReceived, Payload
from socialsupport_email import Email, EmailSettings, tnef

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)
EMAIL = Email(EmailSettings(address="support@acme.example", token_secret=SecretStr("secret-of-sixteen")))


def attribute(number: int, value: bytes, level: int = 2) -> bytes:
    return struct.pack("<BII", level, number, len(value)) + value + struct.pack("<H", sum(value) & 0xFFFF)


def long_value(value: bytes) -> bytes:
    return struct.pack("<I", len(value)) + value + b"\0" * (-len(value) % 4)


def properties(*written: bytes) -> bytes:
    return struct.pack("<I", len(written)) + b"".join(written)


def text_property(tag: int, text: str, kind: int = tnef.UNICODE) -> bytes:
    value = f"{text}\0".encode("utf-16-le" if kind == tnef.UNICODE else "cp1250")
    return struct.pack("<HHI", kind, tag, 1) + long_value(value)


def named_property(name: str) -> bytes:
    return (
        struct.pack("<HH", 3, 0x8001)
        + b"g" * 16
        + struct.pack("<I", 1)
        + long_value(name.encode("utf-16-le"))
        + b"\1\0\0\0"
    )


def packed(*attributes: bytes) -> bytes:
    codepage = attribute(tnef.CODEPAGE, struct.pack("<II", 1250, 0), 1)
    return struct.pack("<IH", tnef.SIGNATURE, 7) + codepage + b"".join(attributes)


LABEL = (
    attribute(tnef.RENDERED, b"\0" * 14)
    + attribute(tnef.TITLE, "ŠTÍTEK~1.PNG\0".encode("cp1250"))
    + attribute(tnef.DATA, b"\x89PNG")
    + attribute(
        tnef.PROPERTIES,
        properties(
            named_property("seen"), struct.pack("<HHI", 3, 0x3705, 1), text_property(tnef.LONG_NAME, "Štítek 2026.png")
        ),
    )
)
NOTE = attribute(tnef.RENDERED, b"\0" * 14) + attribute(tnef.TITLE, b"note.txt\0") + attribute(tnef.DATA, b"as agreed")
WORDS = attribute(
    tnef.MESSAGE,
    properties(struct.pack("<HHII", 0x1002, 1, 1, 1), text_property(tnef.PLAIN, "Where is it?")),
    1,
)


def read(winmail: bytes, *, alone: bool = False) -> Interaction:
    part = b"Content-Type: application/ms-tnef; name=winmail.dat\nContent-Transfer-Encoding: base64\n\n"
    part += base64.encodebytes(winmail)
    mixed = b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nSee the label.\n--b\n%s\n--b--\n"
    head = b"From: Kerry <kerry@mail.example>\nMessage-ID: <1@mail.example>\n"
    raw = head + (part if alone else mixed % part)
    (event,) = EMAIL.parse(Payload(source="poll", method="", body=raw, received_at=NOW))
    assert isinstance(event, InteractionReceived)
    return event.interaction


def test_the_files_come_out_with_their_long_names_in_any_language() -> None:
    found = read(packed(LABEL, NOTE))
    assert found.text == "See the label."
    assert [(one.name, one.media_type, one.size) for one in found.attachments] == [
        ("Štítek 2026.png", "image/png", 4),
        ("note.txt", "text/plain", 9),
    ]


def test_a_mail_that_is_only_that_has_its_words_from_there() -> None:
    found = read(packed(WORDS, NOTE), alone=True)
    assert (found.text, [one.name for one in found.attachments]) == ("Where is it?", ["note.txt"])


def test_words_that_another_part_says_are_not_said_twice() -> None:
    assert read(packed(WORDS, NOTE)).text == "See the label."


def test_words_of_a_codepage_and_as_a_page() -> None:
    page = struct.pack("<HHI", tnef.BINARY, tnef.HTML, 1) + long_value("<b>Štítek</b>".encode("cp1250"))
    body = attribute(tnef.BODY, "Štítek\0".encode("cp1250"), 1)
    message = tnef.unpacked(packed(body, attribute(tnef.MESSAGE, properties(page), 1)))
    assert message
    assert (message.text, message.html) == ("Štítek", "<b>Štítek</b>")


@pytest.mark.parametrize("cut", [0, 3, 6, 20, len(packed(LABEL)) + 30])
def test_what_breaks_off_keeps_what_came_before(cut: int) -> None:
    names = [one.name for one in read(packed(LABEL, NOTE)[:cut]).attachments]
    assert names == (["Štítek 2026.png"] if cut > len(packed(LABEL)) else ["winmail.dat"])


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=200))
def test_anything_is_read_without_a_fault(rest: bytes) -> None:
    tnef.unpacked(packed()[:6] + rest)
    tnef.unpacked(packed(attribute(tnef.MESSAGE, rest, 1)))


def test_a_huge_count_costs_nothing() -> None:
    many = struct.pack("<I", 0xFFFFFFFF) + struct.pack("<HHI", 0x1002, 1, 0xFFFFFFFF) * 1_000
    began = time.process_time()
    tnef.unpacked(packed(*[attribute(tnef.MESSAGE, many, 1)] * 50, *[NOTE] * 500))
    assert time.process_time() - began < 1
