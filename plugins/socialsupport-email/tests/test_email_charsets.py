"""What a mail says about its charset, and what it means."""

import pytest

from socialsupport_email import mime
from socialsupport_email.words import decoded


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("镕".encode("gbk"), "gb2312", "镕"),  # not in GB 2312
        ("①".encode("cp932"), "shift_jis", "①"),
        ("“so”".encode("cp1252"), "iso-8859-1", "“so”"),
        (b"\x81 caf\xe9", "iso-8859-1", "\x81 café"),  # cp1252 has no such sign
        ("✿".encode(), "iso-8859-1", "✿"),
        ("café".encode("latin-1"), "utf-8", "café"),
        ("Привет, мир, привет".encode() + b"\xd0", "utf-8", "Привет, мир, привет\ufffd"),
        (b"abc", "rot13", "abc"),
    ],
)
def test_a_charset_is_taken_as_programs_mean_it(content: bytes, charset: str, text: str) -> None:
    assert decoded(content, charset) == text


def test_a_header_in_bare_bytes_is_in_the_charset_of_its_text() -> None:
    subject, body = "邮件传输失败".encode("gbk"), "你好".encode("gbk")
    raw = b"Subject: " + subject + b"\nContent-Type: text/plain; charset=gb2312\n\n" + body
    mail = mime.read(raw)
    assert (mail.shown("subject"), mail.body.text) == ("邮件传输失败", "你好")


def test_a_header_in_utf_8_stays_so() -> None:
    mail = mime.read("Subject: Grüße\nContent-Type: text/plain; charset=gb2312\n\nx".encode())
    assert mail.shown("subject") == "Grüße"


@pytest.mark.parametrize("tag", ['<meta charset="iso-8859-2">', "<META content='text/html; charset=ISO-8859-2'>"])
def test_a_page_may_say_its_charset_itself(tag: str) -> None:
    page = f"<html><head>{tag}</head>zażółć</html>".encode("iso-8859-2")
    assert "zażółć" in mime.read(b"Content-Type: text/html\n\n" + page).body.text
    assert "zażółć" not in mime.read(b"Content-Type: text/html; charset=cp1251\n\n" + page).body.text
