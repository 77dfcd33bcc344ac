"""What came with an answer: a file, or what a poll has put together."""

from datetime import UTC, datetime

import httpx
import pytest

from socialsupport_core.contract import Unreachable
from socialsupport_core.contract.answered import downloaded, gathered, if_there
from socialsupport_core.model import Attachment

LABEL = Attachment(media_type="image/*", name="label.png")


@pytest.mark.parametrize(
    ("headers", "media_type"),
    [
        ({"content-type": "image/png; charset=binary"}, "image/png"),
        ({"content-type": "image/png"}, "image/png"),
        ({}, "image/*"),
    ],
)
def test_a_file_is_of_the_type_that_the_answer_tells(headers: dict[str, str], media_type: str) -> None:
    blob = downloaded(httpx.Response(200, content=b"x", headers=headers), LABEL)
    assert (blob.content, blob.media_type, blob.name) == (b"x", media_type, "label.png")


def test_a_file_without_a_name_gets_one() -> None:
    answer = httpx.Response(200, content=b"x")
    assert downloaded(answer, Attachment(media_type="image/png"), "a.png").name == "a.png"
    assert downloaded(answer, LABEL, "a.png").name == "label.png"


def test_what_is_gathered_has_the_address_and_the_time_of_its_answer() -> None:
    request = httpx.Request("GET", "https://crm.example/tickets?page=2")
    answer = httpx.Response(200, headers={"date": "Sun, 01 Mar 2026 10:00:00 GMT"}, request=request)
    payload = gathered(answer, {"b": 1, "a": ["ö"]})
    assert (payload.source, payload.method, payload.url) == ("poll", "GET", "https://crm.example/tickets?page=2")
    assert payload.received_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert payload.body == b'{"a": ["\\u00f6"], "b": 1}'


def test_what_is_not_there_is_no_error() -> None:
    """Of the codes that say so; any other is what it was."""
    assert told(None) is True
    assert told("404") is told("410") is False
    with pytest.raises(Unreachable):
        told("405")


def told(code: str | None) -> bool | None:
    asking = if_there(httpx.Request("DELETE", "https://desk.example/9"), "410")
    assert next(asking).method == "DELETE"
    try:
        asking.throw(Unreachable("gone", code=code)) if code else asking.send(httpx.Response(204))
    except StopIteration as ended:
        found: bool = ended.value
        return found
    return None
