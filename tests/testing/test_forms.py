"""What httpx sends as JSON and as a form comes out again."""

import httpx

from socialsupport_core.testing.forms import content_of


def test_json() -> None:
    assert content_of(httpx.Request("POST", "https://desk.example", json={"a": [1], "b": True})) == (
        {"a": [1], "b": True},
        [],
    )


def test_a_form_with_files() -> None:
    """Also what looks like the form's own lines, and what is not ASCII."""
    content = b"\r\n--boundary\r\n\x00\xff\r\n"
    files = {
        "attachments[]": ("brief über.txt", content, "application/octet-stream"),
        "other": ("b", b"", "text/plain"),
    }
    request = httpx.Request(
        "POST", "https://desk.example", data={"body": "Grüße\r\n\r\nzwei", "private": "true"}, files=files
    )
    assert content_of(request) == (
        {"body": "Grüße\r\n\r\nzwei", "private": "true"},
        [("brief über.txt", content), ("b", b"")],
    )
