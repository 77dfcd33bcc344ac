"""Marks in titles, for helpdesks that have no other place for our keys."""

import pytest

from socialsupport_core.contract import label, mark, unlabelled


def test_a_label_is_the_beginning_of_the_mark() -> None:
    assert label("con_1") == f"[{mark('con_1')[:12]}]"
    assert label("con_1") != label("con_2")


@pytest.mark.parametrize("subject", ["Where is it?", "", "an [aside]", "[first]"])
def test_a_label_is_taken_off_again(subject: str) -> None:
    assert unlabelled(f"{subject} {label('con_1')}".strip()) == (subject, label("con_1"))


@pytest.mark.parametrize("title", ["Where is it?", "[short]", f"{label('con_1')} in front", "[ABCDEFGHIJKL]", ""])
def test_what_is_no_label_stays(title: str) -> None:
    assert unlabelled(title) == (title, "")
