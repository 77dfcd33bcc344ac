"""What a text is about."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.guidance.terms import LONGEST, MOST, terms_of


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("My router shows a red light!", ("light", "red", "red light", "router", "router shows", "shows")),
        ("The red, light", ("light", "red")),  # a comma parts them
        ("Das rote Licht am Router blinkt", ("blinkt", "licht", "rote", "rote licht", "router", "router blinkt")),
        ("El router no funciona", ("funciona", "router")),
        ("Le colis n’est pas arrivé", ("arrivé", "colis")),
        ("see https://acme.example/red kerry@acme.example @acme #red A17 4711", ()),
        ("please help me, thank you", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_words_and_pairs_without_those_that_any_text_has(text: str | None, terms: tuple[str, ...]) -> None:
    assert terms_of(text) == terms


def test_the_language_that_is_known_decides_what_is_common() -> None:
    assert "die" not in terms_of("die Lampe", "de")
    assert terms_of("die lamp", "en") == ("die", "die lamp", "lamp")


@settings(max_examples=30)
@given(st.text(max_size=300))
def test_any_text_has_a_bounded_number_of_terms_in_order(text: str) -> None:
    found = terms_of(text)
    assert len(found) <= MOST
    assert list(found) == sorted(set(found))


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert "zebra" not in terms_of("lamp " * LONGEST + "zebra")
    assert len(terms_of(" ".join(f"{chr(97 + n // 26)}{chr(97 + n % 26)}x" for n in range(600)))) == MOST
