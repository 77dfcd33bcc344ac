import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from socialsupport_core.text import Span, Style, escape, from_spans, plain, to_spans, writing
from socialsupport_core.text.dialect import MAX_DEPTH, MAX_PARSED
from socialsupport_core.text.escaping import positions
from socialsupport_core.text.reading import read

# Pieces that meet in unlucky ways more often than random text does.
MARKS = "** * _ __ ~~ ~ ` `` ``` > - 1. 2) # [ ] ( ) ]( ](http://a) ]: <b> <a@b> &amp; & \\ --- === ! a word é 😀"
PIECES = [*MARKS.split(), "\n", "\n\n", "```\n", " ", "    ", "\t", "\r\n", "\r", "\u3000", "\x1c", "\0"]
MARKUP = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
ANY = MARKUP | st.text(max_size=40) | st.text(alphabet=st.characters(codec=None), max_size=10)
STYLES = ("bold", "italic", "strike", "underline", "code", "pre", "link", "quote", "mention", "spoiler")
VALUES = st.sampled_from(["", "http://a.example/x_(y)", "py", "1 2", "javascript:x", "(", "\\", "`"]) | st.text(
    max_size=6
)
SPANS = st.lists(st.builds(Span, st.integers(-2, 45), st.integers(-2, 45), st.sampled_from(STYLES), VALUES), max_size=5)


def as_kept(text: str) -> str:
    """What CommonMark can hold of `text`."""
    text = "".join("\ufffd" if "\ud800" <= char <= "\udfff" or char == "\0" else char for char in text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def words(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize(
    "text",
    [
        "Hello World",
        "it's 3 * 4 = 12",
        "snake_case and kebab-case",
        "mail a@b.example",
        "#1 in the list, order #4711",
        "https://x.example/a_b_c?d=e&f=g",
        "I <3 you, a < b > c",
        "5* hotel",
        "f(*args, **kwargs)",
        "call me at 12:30. Or 1.5 hours later.",
        "-5 °C, +41 44 668 18 00",
        "R&D & AT&T; 100%",
        "C:\\path\\file",
        "what?! (really) [yes] {no} | ok ~ fine = good",
        "on\n12. March",
        "two  spaces  \n   and\n\n\n\nlines\n",
        "  \n leading",
        "\tindented\n        more",
        "“quoted” — ’tis",
        "a_ and b_",
        "2^10 `tis",
    ],
)
def test_prose_stays_as_it_is(text: str) -> None:
    assert escape(text) == text
    assert to_spans(text) == (text, ())
    assert read(text) == (text, ())


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("*x*", "\\*x\\*"),
        ("__init__", "\\_\\_init\\_\\_"),
        ("~~x~~", "\\~\\~x\\~\\~"),
        ("`x`", "\\`x\\`"),
        ("``` ` x `", "\\`\\`\\` \\` x \\`"),
        ("# x", "\\# x"),
        ("- x", "\\- x"),
        ("> x", "\\> x"),
        ("1. x\n2. y", "1\\. x\n2. y"),
        ("x\n--", "x\n\\--"),
        ("x\n===", "x\n\\==="),
        ("* * *", "\\* * *"),
        ("___", "\\_\\_\\_"),
        ("~~~\nx", "\\~\\~\\~\nx"),
        ("[a](b)", "[a\\](b)"),
        ("[a]: b", "[a\\]: b"),
        ("<b>", "\\<b>"),
        ("<a@b.example>", "\\<a@b.example>"),
        ("&amp;", "\\&amp;"),
        ("&#65;", "\\&#65;"),
        ("\\*", "\\\\*"),
        ("a\\\nb", "a\\\\\nb"),
    ],
)
def test_what_commonmark_would_read_gets_a_backslash(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert from_spans(text, ()) == escaped
    assert to_spans(escaped) == (text, ())


@settings(deadline=None)
@given(ANY)
def test_any_text_survives(text: str) -> None:
    written = from_spans(text, ())
    assert to_spans(written) == (as_kept(text), ())


@settings(deadline=None)
@given(ANY)
def test_text_without_positions_is_read_as_it_is(text: str) -> None:
    text = as_kept(text)
    if not positions(text):
        assert read(text) == (text, ())


@settings(deadline=None)
@given(ANY)
def test_strict_commonmark_sees_no_markup_either(text: str) -> None:
    if "\t" in text or "   " in text:
        return  # indented code is the one thing that a backslash cannot prevent
    blocks = MarkdownIt("commonmark").parse(escape(text))
    kinds = {token.type for block in blocks for token in (block, *(block.children or ()))}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak"}


@settings(deadline=None)
@given(ANY, SPANS)
def test_any_spans_keep_the_text(text: str, spans: list[Span]) -> None:
    found = plain(from_spans(text, spans))
    if any(span.style == "quote" for span in spans):
        assert words(found) == words(as_kept(text))
    else:
        assert found == as_kept(text)


APART = st.lists(
    st.tuples(
        st.sampled_from(["word", "two words", "a\n\nb", "é1", "*a", *"_![]&`\\<", "amp;", "- x", ""]),
        st.sampled_from([*STYLES, None]),
        st.integers(0, 3),
    ),
    max_size=5,
)
"""Pieces, their styles, and how far these reach into the next."""


@settings(deadline=None, max_examples=400)
@given(APART, st.sampled_from([" ", ", ", "", "\n", "\n\n", " *"]))
def test_the_short_way_writes_what_the_long_way_writes(
    pieces: list[tuple[str, Style | None, int]], between: str
) -> None:
    text, spans = between, []
    for word, style, further in pieces:
        if style:
            value = "http://a.example" if style == "link" else ""
            spans.append(Span(len(text), len(text) + len(word) + further, style, value))
        text += f"{word}{between}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "_easy", lambda text, spans: [])
        long = from_spans(text, spans)
    assert from_spans(text, spans) == long


@settings(deadline=None)
@given(MARKUP)
def test_any_markup_is_read_the_same_again(markdown: str) -> None:
    text, spans = to_spans(markdown)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert words(plain(from_spans(text, spans))) == words(text)


def emphasised(texts: list[str], styles: list[str | None]) -> tuple[str, list[Span]]:
    text, spans = "", []
    for word, style in zip(texts, styles, strict=False):
        if style:
            value = {"link": "https://a.example/b_c", "mention": "U123"}.get(style, "")
            spans.append(Span(len(text), len(text) + len(word), style, value))  # type: ignore[arg-type]
        text += f"{word} "
    return text, spans


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet="ab*_`~[]<&\\é", min_size=1, max_size=5).map("x{}x".format), min_size=1, max_size=6),
    st.lists(st.sampled_from([None, "bold", "italic", "strike", "code", "link", "mention"]), min_size=6, max_size=6),
)
def test_styled_words_come_back(texts: list[str], styles: list[str | None]) -> None:
    text, spans = emphasised(texts, styles)
    assert to_spans(from_spans(text, spans)) == (text, tuple(spans))


@pytest.mark.parametrize(
    ("text", "spans", "markdown"),
    [
        ("bold text", [Span(0, 4, "bold")], "**bold** text"),
        ("all three", [Span(0, 9, "bold"), Span(4, 9, "italic")], "**all *three***"),
        ("abc def ghi", [Span(0, 7, "bold"), Span(4, 11, "italic")], "**abc *def*** *ghi*"),
        ("bold  x", [Span(0, 6, "bold")], "**bold**  x"),
        ("a\n\nb", [Span(0, 4, "bold")], "**a**\n\n**b**"),
        ("Price:5", [Span(0, 6, "bold")], "**Price**:5"),
        ("x", [Span(0, 1, "code")], "`x`"),
        ("a`b", [Span(0, 3, "code")], "``a`b``"),
        ("`", [Span(0, 1, "code")], "`` ` ``"),
        ("@Kerry hi", [Span(0, 6, "mention", "42")], "[@Kerry](mention:42) hi"),
        ("here!", [Span(0, 4, "link", "https://a.example/x_(y)")], "[here](https://a.example/x_(y))!"),
        ("here", [Span(0, 4, "link", "https://a.example/)")], "[here](https://a.example/\\))"),
        ("here", [Span(0, 4, "link", "javascript:alert(1)")], "here"),
        ("see https://a.example", [Span(4, 21, "link", "https://a.example")], "see https://a.example"),
        ("wow!x", [Span(4, 5, "link", "u")], "wow\\![x](u)"),
        ("one two six", [Span(0, 7, "link", "u"), Span(4, 11, "bold")], "[one **two**](u) **six**"),
        ("a\nx = 1\nb", [Span(2, 7, "pre", "py")], "a\n```py\nx = 1\n```\nb"),
        ("```", [Span(0, 3, "pre")], "````\n```\n````"),
        ("a x b", [Span(2, 3, "pre", "py")], "a `x` b"),
        ("said\nreply", [Span(0, 4, "quote")], "> said\n\nreply"),
        ("a\nb", [Span(0, 3, "quote"), Span(2, 3, "bold")], "> a\n> **b**"),
        ("psst", [Span(0, 4, "spoiler")], "psst"),
        ("a\r\nb", [Span(3, 4, "bold")], "a\n**b**"),
        ("1. x", [Span(3, 4, "bold")], "1\\. **x**"),
    ],
)
def test_spans_to_markdown(text: str, spans: list[Span], markdown: str) -> None:
    assert from_spans(text, spans) == markdown


@pytest.mark.parametrize(
    ("markdown", "text", "spans"),
    [
        ("# Title\ntext", "Title\ntext", (Span(0, 5, "bold"),)),
        ("Title\n===\ntext", "Title\ntext", (Span(0, 5, "bold"),)),
        ("- a\n- b\n  - c", "• a\n• b\n  • c", ()),
        ("3. a\n4. b", "3. a\n4. b", ()),
        ("1) a\n1) b", "1) a\n2) b", ()),
        ("a\n\n\n\nb", "a\n\n\n\nb", ()),
        ("**a**\nb  \nc\\\nd", "a\nb  \nc\nd", (Span(0, 1, "bold"),)),
        ("![pic](http://a/x.png)", "pic", (Span(0, 3, "link", "http://a/x.png"),)),
        ("![](http://a/x.png)", "http://a/x.png", (Span(0, 14, "link", "http://a/x.png"),)),
        ("[](http://a)", "http://a", (Span(0, 8, "link", "http://a"),)),
        ("<https://a.example>", "https://a.example", (Span(0, 17, "link", "https://a.example"),)),
        ("<b>x</b> *y*", "<b>x</b> y", (Span(9, 10, "italic"),)),
        ("[x](javascript:y)", "[x](javascript:y)", ()),
        ("> a\n> b\n\nc", "a\nb\n\nc", (Span(0, 3, "quote"),)),
        ("> a\n```\nb\n```", "a\n\nb", (Span(0, 1, "quote"), Span(3, 4, "pre"))),
        ("```py title\nx\n```", "x", (Span(0, 1, "pre", "py"),)),
        ("```\nx", "x", (Span(0, 1, "pre"),)),
        ("    *a*", "    a", (Span(4, 5, "italic"),)),
        ("&lt; &copy; \\*", "< © *", ()),
        ("---", "---", ()),
        ("[a]\n\n[a]: http://b", "a\n", (Span(0, 1, "link", "http://b"),)),
        ("\r\n*a*\r\n", "\na\n", (Span(1, 2, "italic"),)),
        ("~~gone~~", "gone", (Span(0, 4, "strike"),)),
    ],
)
def test_markdown_to_spans(markdown: str, text: str, spans: tuple[Span, ...]) -> None:
    assert to_spans(markdown) == (text, spans)
    assert plain(markdown) == text


@pytest.mark.parametrize("mark", ["> ", "- ", ">", "1. "])
def test_nesting_too_deep_stays_text(mark: str) -> None:
    assert plain(mark * (MAX_DEPTH // 4) + "text").endswith("text")
    assert to_spans(mark * 5000 + "text") == (mark * 5000 + "text", ())


def test_text_too_large_to_be_markup_stays_text() -> None:
    large = "*x* " * MAX_PARSED
    assert to_spans(large) == (large, ())
    assert to_spans(escape(large)) == (large, ())
    assert plain(from_spans(large, [Span(0, 3, "bold")])) == large


def seconds(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def test_a_mebibyte_of_prose_is_cheap() -> None:
    prose = "Hello World, it's fine; the order #4711 (of 3 * 4) is at https://a.example/b_c.\n\n" * 13_000
    assert to_spans(prose) == (prose, ())
    assert seconds(lambda: to_spans(prose)) < 2  # measured: 0.05 to 0.2


@pytest.mark.parametrize("piece", ["*a", "_a_ ", "[", "[a](", "`a``b```c", "<a", "&#", "> a\n", "- a\n", "\\", "~~a"])
def test_twice_the_text_takes_twice_the_time(piece: str) -> None:
    def once(length: int) -> float:
        text = (piece * length)[:length]
        return seconds(lambda: (to_spans(text), escape(text)))

    assert once(16_000) < 6 * once(8_000) + 0.1
