"""Places in somebody else's JSON: what is found, and what is said where nothing is."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ValidationError

from socialsupport_core.contract import MalformedPayload
from socialsupport_generic.where import Native, Place, Where


class Holder(BaseModel):
    where: Where


def place(written: Any) -> Place:
    return Holder.model_validate({"where": written}).where


EVENT = {
    "id": 42,
    "open": False,
    "half": 1.5,
    "nothing": None,
    "empty": "",
    "zero": 0,
    "user": {"name": "Kerry", "e.mail": "kerry@acme.example", "phones": ["+1", "+2"]},
    "inner": {"7": "seven"},
}
NATIVE = Native(EVENT, {"account": {"id": "a-1"}, "happenings": [EVENT]}, "happenings[0]")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("id", "42"),
        ("open", "false"),
        ("half", "1.5"),
        ("zero", "0"),
        ("user.name", "Kerry"),
        (r"user.e\.mail", "kerry@acme.example"),
        ("user.phones.1", "+2"),
        ("inner.7", "seven"),
        ("$.account.id", "a-1"),
        ("$.happenings.0.user.name", "Kerry"),
        (["nothing", "empty", "user.name"], "Kerry"),
        ({"path": ["gone", "id"]}, "42"),
        ({"value": "public"}, "public"),
        ({"path": "open", "values": {"false": "private"}}, "private"),
        ({"path": "id", "values": {"7": "seven"}}, "42"),
        ({"path": "id", "values": {"7": "seven"}, "default": "other"}, "other"),
        ({"path": "gone", "default": "other"}, "other"),
        ({"path": "id", "default": "other"}, "42"),
        ({"path": "user.name", "present": "edit", "default": "message"}, "edit"),
        ({"path": "gone", "present": "edit", "default": "message"}, "message"),
        ("nothing", None),
        ("empty", None),
        ("gone", None),
        ("user.gone.name", None),
        ("user.phones.2", None),
        ("user.phones.first", None),
        ("user.name.0", None),  # a text is no list
        ("account.id", None),
    ],
)
def test_what_is_found(written: Any, found: str | None) -> None:
    assert NATIVE.text(place(written), "it") == found


def test_without_a_place_there_is_nothing() -> None:
    assert NATIVE.text(None, "it") is None


def test_what_is_missing_is_named_by_its_path() -> None:
    with pytest.raises(MalformedPayload, match=r"^happenings\[0\]\.user\.id is missing; the mapping reads author\.id"):
        NATIVE.needed(place("user.id"), "author.id")
    with pytest.raises(MalformedPayload, match=r"none of happenings\[0\]\.a, b is there; the mapping reads it there"):
        NATIVE.needed(place(["a", "$.b"]), "it")


def test_objects_are_no_texts_and_their_content_is_not_told() -> None:
    with pytest.raises(MalformedPayload, match=r"^happenings\[0\]\.user is no text; the mapping reads text") as raised:
        NATIVE.text(place("user"), "text")
    assert "Kerry" not in str(raised.value)


def test_nul_is_left_out() -> None:
    assert Native({"a": "x\x00y", "b": "\x00"}, {}).text(place("a"), "it") == "xy"
    assert Native({"b": "\x00"}, {}).text(place("b"), "it") is None


NINE = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [1772355600, 1772355600.0, 1772355600000, "1772355600", "2026-03-01T09:00:00Z", "2026-03-01T10:00:00+01:00",
     " 2026-03-01 09:00:00+00:00 "],
)  # fmt: skip
def test_moments(written: object) -> None:
    assert Native({"at": written}, {}).moment(place("at"), "sent_at", None) == NINE


def test_moments_without_an_offset_need_the_time_zone() -> None:
    native = Native({"at": "2026-03-01T10:00:00"}, {})
    assert native.moment(place("at"), "sent_at", ZoneInfo("Europe/Berlin")) == NINE
    with pytest.raises(MalformedPayload, match=r"^at has no offset from UTC: write one, or set the mapping's timezone"):
        native.moment(place("at"), "sent_at", None)


@pytest.mark.parametrize("written", ["yesterday", "nan", "inf", 1e300, -(10**300), "0001-01-01T00:00:00+14:00", True])
def test_what_is_no_moment(written: object) -> None:
    with pytest.raises(MalformedPayload, match=r"^at is no time: write ISO 8601"):
        Native({"at": written}, {}).moment(place("at"), "sent_at", None)


@pytest.mark.parametrize(
    "written",
    ["", ".a", "a.", "a..b", "a\\", "x" * 301, [], {}, {"path": "a", "value": "b"}, {"paht": "a"}, ["a"] * 11, 7],
)
def test_what_is_no_place(written: object) -> None:
    with pytest.raises(ValidationError):
        place(written)
