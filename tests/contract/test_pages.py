"""What pages of surfaces share: tokens, forms as browsers send them, bounded bodies, readable colours."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.contract.pages import (
    MAX_PARTS,
    TooMuch,
    Uploaded,
    make_token,
    page_headers,
    read_body,
    read_form,
    read_token,
    readable_on,
)
from socialsupport_core.contract.typed import contacts, is_email, is_phone

NEW, OLD = b"the new key of these tests", b"the old key of these tests"


def test_a_token_tells_who_and_when() -> None:
    token = make_token(NEW, "form", "abc", 1772355600.9)
    assert read_token((NEW,), "form", token) == ("abc", 1772355600)
    assert read_token((OLD, NEW), "form", token) == ("abc", 1772355600)


@pytest.mark.parametrize(
    "forge", ["another key", "another purpose", "another name", "later", "cut", "empty", "strange"]
)
def test_other_tokens_tell_nothing(forge: str) -> None:
    token = make_token(NEW, "form", "abc", 1772355600)
    forged = {
        "another key": make_token(OLD, "form", "abc", 1772355600),
        "another purpose": make_token(NEW, "sign-in", "abc", 1772355600),
        "another name": token.replace("abc", "abd"),
        "later": token.replace("1772355600", "1872355600"),
        "cut": token[:-1],
        "empty": "",
        "strange": "abc.é.\udcff",
    }[forge]
    assert read_token((NEW,), "form", forged) is None
    assert read_token((), "form", token) is None


def multipart(*parts: tuple[str, bytes], boundary: str = "b0undary") -> tuple[str, bytes]:
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + content + b"\r\n"
        for head, content in parts
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def test_fields_and_files_of_a_browser() -> None:
    filled = read_form(
        *multipart(
            ('name="text"', "  Größe?\r\nSoon\x00 ".encode()),
            ('name="files"; filename="bill \u00fc%22.pdf"\r\nContent-Type: application/pdf', b"%PDF\r\n\r\n--b0undar"),
            ('name="files"; filename=""\r\nContent-Type: application/octet-stream', b""),
        )
    )
    assert filled.text("text") == "Größe?\nSoon"
    assert filled.files == (Uploaded('bill ü".pdf', b"%PDF\r\n\r\n--b0undar"),)
    assert filled.text("gone") == ""


def test_files_arrive_byte_for_byte() -> None:
    draw = random.Random(7)
    for _ in range(50):
        content = bytes(draw.choice(b"\r\n-\x00\xffab") for _ in range(draw.randrange(60)))
        filled = read_form(*multipart(('name="f"; filename="x"', content)))
        assert filled.files == (Uploaded("x", content),)


def test_the_form_without_files() -> None:
    filled = read_form("application/x-www-form-urlencoded; charset=utf-8", b"text=Gr%C3%B6%C3%9Fe+1&email=&a=1&a=2")
    assert dict(filled.fields) == {"text": "Größe 1", "email": "", "a": "2"}


@pytest.mark.parametrize(
    ("kind", "body", "told"),
    [
        ("text/plain", b"", "is no form"),
        ("multipart/form-data", b"", "is no form"),
        ("multipart/form-data; boundary=", b"", "is no form"),
        ("multipart/form-data; boundary=b", b"", "cut short"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\nx", "cut short"),
        ("multipart/form-data; boundary=other", multipart(('name="a"', b"1"))[1], "cut short"),
        (*multipart(*[('name="a"', b"1")] * (MAX_PARTS + 1)), f"more than {MAX_PARTS} parts"),
        ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * (MAX_PARTS + 1)), f"more than {MAX_PARTS} fields"),
    ],
)
def test_what_is_no_form(kind: str, body: bytes, told: str) -> None:
    with pytest.raises(MalformedPayload, match=told):
        read_form(kind, body)


async def _chunks(*chunks: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for chunk in chunks:
        await asyncio.sleep(pause)
        yield chunk


def test_bodies_are_bounded_in_length_and_time() -> None:
    assert asyncio.run(read_body(_chunks(b"ab", b"c"), 3, 5)) == b"abc"
    with pytest.raises(TooMuch, match="at most 3 bytes"):
        asyncio.run(read_body(_chunks(b"ab", b"cd"), 3, 5))
    with pytest.raises(TimeoutError):
        asyncio.run(read_body(_chunks(b"a", pause=30), 3, 0.01))


@pytest.mark.parametrize(
    ("colour", "text"), [("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#3f51b5", "#ffffff"), ("#ffd500", "#000000")]
)
def test_text_on_a_colour_can_be_read(colour: str, text: str) -> None:
    assert readable_on(colour) == text


def test_who_may_frame_a_page_is_named() -> None:
    policy = page_headers("'self' https://www.acme.example")["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://www.acme.example")
    assert "unsafe" not in policy


@pytest.mark.parametrize("written", ["kerry@acme.example", " k@a ", "kérry@acme.example"])
def test_addresses(written: str) -> None:
    assert is_email(written)


@pytest.mark.parametrize("written", ["", "kerry", "@acme.example", "k@", "a b@c", "k@a, l@a", "<k@a>", "k@a\x00"])
def test_what_is_no_address(written: str) -> None:
    assert not is_email(written)


def test_numbers_and_both_together() -> None:
    assert is_phone("+44 20 7946-0000")
    assert is_phone("(030) 123456")
    assert not any(map(is_phone, ("", "12", "call me", "+1" * 20)))
    assert [str(one) for one in contacts(" k@acme.example ", "none")] == ["email:k@acme.example"]
    assert contacts(None, None) == ()
