"""What counts as a verdict: worked out by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.guidance.rating import VALUES, WORDS, Verdict, verdict_in

ALONE = {
    "5": 5,
    " 4 ": 4,
    "3.": 3,
    "5!": 5,
    "5/5": 5,
    "4 out of 5": 4,
    "5 stars": 5,
    "1 star": 1,
    "4 Sterne, danke!": 4,
    "3 étoiles": 3,
    "5 estrellas, muchas gracias": 5,
    "⭐⭐⭐⭐": 4,
    "★ ★": 2,
    "5 ⭐": 5,
    "5\ufe0f\u20e3": 5,
    "5, thank you!": 5,
    "5 thanks": 5,
    "Great": 5,
    "great, thanks!": 5,
    "That was really good": 4,
    "Sehr gut, vielen Dank": 4,
    "Très bien, merci beaucoup": 4,
    "ok": 3,
    "terrible": 1,
}
MORE = {
    "1, still broken": 1,
    "1! It is still broken": 1,
    "2 - nobody called me": 2,
    "5 stars, but one more thing": 5,
    "1/5 it broke again": 1,
    "⭐ still broken": 1,
    "1\nIt broke again": None,  # nothing parts the digit from what may be counted
}
NONE = (
    "", "0", "6", "10", "55", "5.5", "3:30 pm", "4-5 days", "5,99", "1-800-555", "2 days and nothing has come",
    "1. the bill 2. the refund", "1) the bill", "not great", "great, but it is broken again", "it is good that you ask",
    "thanks", "hello", "is it 5?x", "order 5", "1st", "3 items are missing", "good morning", "2, 3 or 4", "⭐⭐⭐⭐⭐⭐",
    "1 of the 3 lamps", "5 minutes ago",
)  # fmt: skip


@pytest.mark.parametrize(("said", "value"), ALONE.items())
def test_nothing_but_a_verdict(said: str, value: int) -> None:
    assert verdict_in(said) == Verdict(value, alone=True)


@pytest.mark.parametrize(("said", "value"), MORE.items())
def test_a_verdict_with_further_words(said: str, value: int | None) -> None:
    assert verdict_in(said) == (None if value is None else Verdict(value, alone=False))


@pytest.mark.parametrize("said", NONE)
def test_what_is_none(said: str) -> None:
    assert verdict_in(said) is None


def test_a_button_says_it_whatever_stands_on_it() -> None:
    assert verdict_in("Pressed 5", "rating~2") == Verdict(2, alone=True)
    assert verdict_in("5", "rating~7") is None
    assert verdict_in("5", "something~else") == Verdict(5, alone=True)


def test_each_word_says_one_value_in_every_language() -> None:
    said: dict[str, int] = {}
    for spoken in WORDS.values():
        assert set(spoken) == set(VALUES)
        for value, words in spoken.items():
            for word in words:
                assert said.setdefault(word, value) == value, word
                assert verdict_in(word.upper()) == Verdict(value, alone=True)


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_any_text_is_read(said: str) -> None:
    found = verdict_in(said)
    assert found is None or found.value in VALUES
