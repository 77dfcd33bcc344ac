"""Lax reading: what is optional may be missing or strange, what is needed raises."""

from typing import Any

import pytest

from socialsupport_core.contract.lax import (
    Unreadable,
    json_object,
    needed,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
    whole_of,
)


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), ("", None), (7, "7"), (True, None), (None, None), ([], None), (1.0, None)]
)
def test_texts(value: Any, expected: str | None) -> None:
    assert text_of({"a": value}, "a") == expected
    assert texts_of({"a": [value]}, "a") == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (7, 7), (-1, None), (True, None), ("7", None), (2**63, None), (1.0, None)]
)
def test_counts(value: Any, expected: int | None) -> None:
    assert whole_of({"a": value}, "a") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0.0), (-1.5, -1.5), (1e308, 1e308), (True, None), ("7", None), (10**400, None), (float("inf"), None)],
)
def test_numbers(value: Any, expected: float | None) -> None:
    assert number_of({"a": value}, "a") == expected


def test_the_first_of_several_names_wins() -> None:
    assert text_of({"id": 1, "id_str": "2"}, "id_str", "id") == "2"
    assert text_of({"a": "", "b": True, "c": 7}, "a", "b", "c") == "7"
    assert needed({"a": "", "b": "text"}, "a", "b") == "text"
    assert (whole_of({"a": -1, "b": 0}, "a", "b"), number_of({"a": True, "b": 0}, "a", "b")) == (0, 0.0)
    assert object_of({"a": [], "b": {"c": 1}}, "a", "b") == {"c": 1}
    assert objects_of({"a": 1, "b": [1, {"c": 1}]}, "a", "b") == [{"c": 1}]
    assert texts_of({"a": {}, "b": ["x", 1, None, True, "", {}]}, "a", "b") == ["x", "1"]


def test_of_what_is_missing_there_is_nothing() -> None:
    assert (text_of({}, "a"), whole_of({}, "a"), number_of({}, "a")) == (None, None, None)
    assert (object_of({}, "a"), list(objects_of({}, "a")), texts_of({}, "a")) == ({}, [], [])


def test_what_is_needed_and_missing_is_named() -> None:
    with pytest.raises(Unreadable, match="sender_id is missing"):
        needed({"sender_id": None}, "sender_id", "sender")


@pytest.mark.parametrize("written", [None, "", b"", "[1]", "{", "[" * 100_000, b"\xff"])
def test_what_is_no_object_is_an_empty_one(written: str | bytes | None) -> None:
    assert json_object(written) == {}
    assert json_object('{"a": 1}') == {"a": 1}
