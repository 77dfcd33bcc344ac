"""Reading: strange values are missing ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from socialsupport_meta.reading import CONTEXT, context, legible, milliseconds, moment

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


def test_context_holds_what_there_is_or_nothing() -> None:
    assert context(a=None, b="", c={}) is None
    assert context(a="ä", b={"c": 1}) == '{"a":"ä","b":{"c":1}}'
    assert context(a="x" * CONTEXT) is None


def test_half_a_pair_becomes_legible() -> None:
    assert legible("a\ud800b") == "a?b"
