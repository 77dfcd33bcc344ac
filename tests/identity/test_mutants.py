"""The list of rules that are broken by hand, in `mutants.py`, speaks of what stands there."""

import pytest
from mutants import MUTANTS, ROOT


@pytest.mark.parametrize(("file", "right", "wrong"), MUTANTS)
def test_what_is_to_be_broken_is_there(file: str, right: str, wrong: str) -> None:
    assert right in (ROOT / file).read_text("utf-8")
    assert right != wrong
