"""Quotations that name nobody."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.text import BREAK, plain, quiet


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("> ask @robin", "> ask @|robin"),
        ("> ask @robin@elsewhere.example", "> ask @|robin@elsewhere.example"),
        ("> **ask @robin** now", "> **ask @|robin** now"),
        ("> ask [@Robin](mention:42)", "> ask @|Robin"),
        ("> @[1:2:R]", "> @|[1:2:R]"),
        ("> 👍 @ü", "> 👍 @|ü"),
    ],
)
def test_who_is_named_in_a_quotation_is_not_told(written: str, sent: str) -> None:
    assert plain(quiet(written)) == plain(sent).replace("|", BREAK)


@pytest.mark.parametrize(
    "written",
    [
        "ask @robin",
        "ask [@Robin](mention:42)",
        "> write to kerry@acme.example",
        "> see https://acme.example/@acme",
        "> @ noon",
        "1 > 0, says @robin",
        "",
    ],
)
def test_all_else_stays_as_it_is(written: str) -> None:
    assert quiet(written) == written


def test_outside_of_the_quotation_a_name_is_meant() -> None:
    assert plain(quiet("> ask @robin\n\nyes, @robin knows")) == f"ask @{BREAK}robin\n\nyes, @robin knows"


@settings(max_examples=30)
@given(st.text("ab@ >*\n[]().👍", max_size=60))
def test_nothing_else_changes_and_once_is_enough(markdown: str) -> None:
    once = quiet(markdown)
    assert plain(once).replace(BREAK, "") == plain(markdown)
    assert plain(quiet(once)) == plain(once)
