"""Ids that go into an address of somebody else's."""

import pytest

from socialsupport_core.contract import ContentRejected
from socialsupport_core.contract.typed import digits


def test_digits_are_taken_as_they_are() -> None:
    assert digits("0042", "Zammad") == "0042"


@pytest.mark.parametrize("written", ["", "42/../7", "4 2", "-1", "٤٢", "²", "42\n"])
def test_nothing_else_gets_into_an_address(written: str) -> None:
    with pytest.raises(ContentRejected, match="is not a number of Zammad"):
        digits(written, "Zammad")
