"""WhatsApp's markup and CommonMark, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.text import Span, Style, from_spans, plain, to_spans
from socialsupport_whatsapp.markup import read, written


@pytest.mark.parametrize(
    ("markdown", "native"),
    [
        ("plain", "plain"),
        ("a **bold** word", "a *bold* word"),
        ("_so_ *so*", "_so_ _so_"),
        ("~~gone~~", "~gone~"),
        ("**bold _and_ more**", "*bold _and_ more*"),
        ("***both***", "*_both_*"),
        ("`code *no*`", "`code *no*`"),
        ("```\na\nb\n```", "```a\nb```"),
        ("> said\n> twice", "> said\n> twice"),
        ("[page](https://acme.example/p)", "page (https://acme.example/p)"),
        ("<https://acme.example/p>", "https://acme.example/p"),
        ("**[page](https://acme.example/p)**", "*page (https://acme.example/p)*"),
        ("- one\n- two", "• one\n• two"),
        ("1. one\n2. two", "1. one\n2. two"),
        ("  edges **too**  ", "edges *too*"),
        ("**two\nlines**", "*two*\n*lines*"),
        ("", ""),
    ],
)
def test_written(markdown: str, native: str) -> None:
    assert written(markdown) == native


@pytest.mark.parametrize(
    ("native", "markdown"),
    [
        ("plain", "plain"),
        ("a *bold* word", "a **bold** word"),
        ("_so_", "*so*"),
        ("~gone~", "~~gone~~"),
        ("*bold _and_ more*", "**bold *and* more**"),
        ("*bold*.", "**bold**."),
        ("(*bold*)", "(**bold**)"),
        ("`code *no*`", "`code *no*`"),
        ("```a\nb```", "```\na\nb\n```"),
        ("> said", "> said"),
        ("- one\n- two", "\\- one\n\\- two"),
        ("", ""),
    ],
)
def test_read(native: str, markdown: str) -> None:
    assert to_spans(read(native)) == to_spans(markdown)


@pytest.mark.parametrize(
    "native",
    ["5*3*2", "a_b_c", "snake_case_name", "* no *", "*no\nline*", "**", "*", "_ _", "~", "2 * 3 * 4", "`", "``", "```",
     "*open", "open*", "# no heading", "[no](link)", "<b>no</b>", "*a", "> "],
)  # fmt: skip
def test_a_sign_that_is_no_markup_is_text(native: str) -> None:
    assert plain(read(native)) == native.removeprefix("> ")
    assert [span.style for span in to_spans(read(native))[1] if span.style != "quote"] == []


WORDS = st.text(alphabet=st.characters(whitelist_categories=("Lu", "Ll", "Nd")), min_size=1, max_size=8)
STYLES: st.SearchStrategy[Style] = st.sampled_from(["bold", "italic", "strike", "code"])


@given(st.lists(st.tuples(WORDS, st.none() | STYLES), min_size=1, max_size=8))
def test_what_is_written_reads_the_same(words: list[tuple[str, Style | None]]) -> None:
    text, spans, at = " ".join(word for word, _ in words), [], 0
    for word, style in words:
        spans += [Span(at, at + len(word), style)] if style else []
        at += len(word) + 1
    markdown = from_spans(text, spans)
    assert to_spans(read(written(markdown))) == to_spans(markdown)


@given(st.text(max_size=200))
def test_nothing_that_people_write_gets_lost(native: str) -> None:
    kept = "".join(sign for sign in plain(read(native)) if sign.isalnum())
    assert kept == "".join(sign for sign in native if sign.isalnum())


@given(st.text(max_size=200))
def test_nothing_that_agents_write_gets_lost(markdown: str) -> None:
    kept = "".join(sign for sign in written(markdown) if sign.isalnum())
    for word in plain(markdown).split():
        assert "".join(sign for sign in word if sign.isalnum()) in kept


def test_reading_takes_time_in_proportion() -> None:
    """A message of 4,096 signs has the same few passes, whatever they are."""
    for sign in ("*", "`", "*a ", "_*~", "> "):
        assert plain(read(sign * (4096 // len(sign)))) is not None
