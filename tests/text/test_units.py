import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.text import Unit, count, is_gsm7
from socialsupport_core.text.units import _COUNTERS

FAMILY = "👨‍👩‍👧"
ANY = st.text() | st.text(alphabet=st.characters(codec=None))


@pytest.mark.parametrize(
    ("text", "characters", "utf16", "graphemes", "utf8", "x"),
    [
        ("", 0, 0, 0, 0, 0),
        ("abc", 3, 3, 3, 3, 3),
        ("a\r\nb", 4, 4, 3, 4, 4),
        ("é", 1, 1, 1, 2, 1),
        ("e\u0301", 2, 2, 1, 3, 1),
        ("小", 1, 1, 1, 3, 2),
        (FAMILY, 5, 8, 1, 18, 2),
        ("\ud800", 1, 1, 1, 3, 2),
    ],
)
def test_counts(text: str, characters: int, utf16: int, graphemes: int, utf8: int, x: int) -> None:
    assert count(text, "characters") == characters
    assert count(text, "utf16") == utf16
    assert count(text, "graphemes") == graphemes
    assert count(text, "utf8_bytes") == utf8
    assert count(text, "x_weighted") == x


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two septets each
        ("€" * 81, 2),
        ("a" * 152 + "€" + "a" * 152, 3),  # the euro sign does not fit in the 153rd septet
        ("a" * 151 + "€" + "a" * 153, 2),
        ("ł" * 70, 1),
        ("ł" * 71, 2),
        ("ł" * 134, 2),
        ("ł" * 135, 3),
        ("ł" * 66 + "👍" + "ł" * 66, 3),  # nor does half an emoji
        ("ł" * 65 + "👍" + "ł" * 67, 2),
        ("👍" * 35, 1),
        ("👍" * 36, 2),
    ],
)
def test_segments(text: str, segments: int) -> None:
    assert count(text, "sms_segments") == segments


def test_the_seven_bit_alphabet() -> None:
    assert is_gsm7("Grüße à Ωmega 5€ [ok]\n")
    assert not is_gsm7("ç")  # only its capital is in the table
    assert is_gsm7("Ç")
    assert not is_gsm7("`")


@settings(deadline=None)
@given(ANY)
def test_any_text_has_a_length(text: str) -> None:
    for unit in _COUNTERS:
        assert 0 <= count(text, unit) <= max(4 * len(text), 0) + 23 * text.count(".")


@settings(deadline=None)
@given(ANY)
def test_units_are_ordered(text: str) -> None:
    counts = {unit: count(text, unit) for unit in _COUNTERS}
    assert counts["graphemes"] <= counts["characters"] <= counts["utf16"] <= counts["utf8_bytes"]


def test_every_unit_has_a_counter() -> None:
    assert set(_COUNTERS) == set(Unit.__args__)  # type: ignore[attr-defined]
