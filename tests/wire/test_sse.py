"""Server-sent events come out of any pieces as the specification reads them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.contract import Frame
from socialsupport_core.contract.stream import MAX_FRAME
from socialsupport_core.wire.sse import Events, TooLarge


def events(*pieces: bytes) -> list[Frame]:
    reader = Events()
    return [frame for piece in pieces for frame in reader.feed(piece)]


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (b"data: one\n\n", [Frame("one")]),
        (b"data:one\ndata:  two\n\n", [Frame("one\n two")]),
        (b"event: update\ndata: {}\n\n", [Frame("{}", "update")]),
        (b"\xef\xbb\xbfdata: first\n\n", [Frame("first")]),
        (b": a comment keeps the line alive\n\n", []),
        (b":thump\n\ndata: x\n\n", [Frame("x")]),
        (b"event: empty\n\ndata: x\n\n", [Frame("x")]),
        (b"data: never ended", []),
        (b"data\n\n", [Frame("")]),
        (b"id: 7\ndata: a\n\ndata: b\n\n", [Frame("a", "", "7"), Frame("b", "", "7")]),
        (b"id: 7\ndata: a\n\nid\ndata: b\n\n", [Frame("a", "", "7"), Frame("b")]),
        (b"id: 7\x00\ndata: a\n\n", [Frame("a")]),
        (b"retry: 10\nunknown: x\ndata: a\n\n", [Frame("a")]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [Frame("a"), Frame("b"), Frame("c")]),
        ("data: für 👩‍👧\n\n".encode(), [Frame("für 👩‍👧")]),
        (b"data: \xff\n\n", [Frame("\ufffd")]),
    ],
)
def test_what_is_said_is_read(said: bytes, read: list[Frame]) -> None:
    assert events(said) == read
    assert events(*(said[at : at + 1] for at in range(len(said)))) == read


LINES = st.lists(
    st.sampled_from(["data: a", "data: bä", "event: e", "id: 1", ":", "", "", "data", "nonsense"]), max_size=12
)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(st.integers(0, 200), max_size=5))
def test_how_it_is_cut_changes_nothing(lines: list[str], end: str, cuts: list[int]) -> None:
    whole = "".join(f"{line}{end}" for line in lines).encode() + b"x\n"  # so that no line end waits for its second half
    marks = sorted({0, len(whole), *(min(cut, len(whole)) for cut in cuts)})
    pieces = [whole[a:b] for a, b in pairwise(marks)]
    assert events(*pieces) == events(whole)


@pytest.mark.parametrize("said", [b"data: " + b"x" * MAX_FRAME, b"data: x\n" * (MAX_FRAME // 2 + 1)])
def test_what_is_too_large_is_cut_off(said: bytes) -> None:
    with pytest.raises(TooLarge):
        events(said)
