"""Lax reading: strange values are missing ones, and what is needed raises."""

from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_meta.reading import (
    CONTEXT,
    Unreadable,
    context,
    legible,
    milliseconds,
    moment,
    needed,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)

AT = datetime(2026, 3, 2, 10, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1772445600, AT),
        ("1772445600", AT),
        (1772445600123, AT.replace(microsecond=123_000)),
        ("2026-03-02T10:00:00+0000", AT),
        ("2026-03-02T12:00:00+02:00", AT),
        ("2026-03-02T10:00:00", None),
        (0, None),
        (-1, None),
        (True, None),
        (None, None),
        ("", None),
        ("soon", None),
        (10**30, None),
        ("9" * 5000, None),
        ([1], None),
    ],
)
def test_moments(written: Any, read: datetime | None) -> None:
    assert moment(written) == read


def test_milliseconds_go_back_and_forth() -> None:
    assert moment(milliseconds(AT)) == AT


def test_texts_and_numbers() -> None:
    source = {"a": "", "b": 7, "c": True, "d": ["x"], "e": "text"}
    assert text_of(source, "a", "c", "d", "b") == "7"
    assert needed(source, "a", "e") == "text"
    with pytest.raises(Unreadable, match="a is missing"):
        needed(source, "a", "c")
    assert texts_of({"mids": ["m1", 2, None, "", {}]}, "mids") == ["m1", "2"]
    assert number_of({"lat": 1e308, "b": True, "c": float("inf"), "d": 10**400}, "b", "c", "d", "lat") == 1e308


def test_objects() -> None:
    source = {"a": [], "b": {"c": 1}, "d": [{"e": 2}, 3]}
    assert object_of(source, "a", "b") == {"c": 1}
    assert object_of(source, "missing") == {}
    assert list(objects_of(source, "b", "d")) == [{"e": 2}]


def test_context_holds_what_there_is_or_nothing() -> None:
    assert context(a=None, b="", c={}) is None
    assert context(a="ä", b={"c": 1}) == '{"a":"ä","b":{"c":1}}'
    assert context(a="x" * CONTEXT) is None


def test_half_a_pair_becomes_legible() -> None:
    assert legible("a\ud800b") == "a?b"
