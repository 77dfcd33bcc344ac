"""How often the rules speak against what support says all day long, and how much they catch."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from corpus import Line, lines

PARTS = ("tuning", "heldout")


@pytest.mark.parametrize("part", [*PARTS, "fresh"])
def test_at_most_one_in_a_hundred_ordinary_replies_is_objected_to(part: str) -> None:
    ordinary = list(lines(f"ordinary_{part}"))
    false = [(one.text, [found.rule for found in one.judged()]) for one in ordinary if one.judged()]
    assert len(false) <= len(ordinary) / 100, false


@pytest.mark.parametrize("part", PARTS)
def test_what_must_be_caught_is_caught_by_its_rule(part: str) -> None:
    missed = [one for one in lines(f"caught_{part}") if one.rule not in {found.rule for found in one.judged()}]
    assert missed == []


def test_the_corpus_is_large_and_nothing_stands_in_it_twice() -> None:
    ordinary = [one for part in PARTS for one in lines(f"ordinary_{part}")]
    caught = [one for part in PARTS for one in lines(f"caught_{part}")]
    assert len(ordinary) >= 300
    assert len(caught) >= 100
    for corpus in (ordinary, caught):
        assert {one.language for one in corpus} == {"en", "de", "fr", "es"}
        texts = [(one.network, one.text) for one in corpus]
        assert len(set(texts)) == len(texts)


def test_every_place_that_is_marked_lies_in_the_text() -> None:
    for one in lines("caught_heldout"):
        for found in one.judged():
            assert all(0 <= start < end <= len(one.text) for start, end in found.spans)


def test_what_the_guards_own_corpus_lets_pass_passes_here_too() -> None:
    sys.path.insert(0, str(Path(__file__).parents[2] / "hub"))
    sys.path.insert(0, str(Path(__file__).parents[2] / "conversation"))
    from test_guard import PASSED

    said = [Line("en", "x", "public", None, text) for text in PASSED]
    assert len(said) > 100
    assert [one.text for one in said if one.judged()] == []
