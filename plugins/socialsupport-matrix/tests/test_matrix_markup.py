"""CommonMark to HTML and back: nothing is lost, nothing is smuggled in."""

import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.text import Span, escape, from_spans, plain, to_spans
from socialsupport_matrix import markup

WORDS = st.text(st.sampled_from("ab <>&*_~`@#!:/|[](){}\"'=\\\n>-1.é👍"), min_size=1, max_size=12)
STYLES = ("bold", "italic", "strike", "code", "link", "quote", "pre")
KNOWN = {*markup.TAGS.values(), "a", "br", "p", "pre"}


@st.composite
def documents(draw: Any) -> str:
    """CommonMark with styles anywhere."""
    text = draw(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
    ends = st.integers(0, len(text))
    spans = []
    for style in draw(st.lists(st.sampled_from(STYLES), max_size=4)):
        start, end = sorted((draw(ends), draw(ends)))
        if start < end:
            spans.append(Span(start, end, style, "https://acme.example/?a=1&b=2" if style == "link" else ""))
    return from_spans(text, spans)


def back(markdown: str) -> str:
    return markup.to_markdown(markup.to_content(markdown)) or ""


def letters(markdown: str) -> str:
    return re.sub(r"\s", "", plain(markdown))


class Tags(HTMLParser):
    def __init__(self, written: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(written)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@given(documents())
def test_there_and_back_keeps_every_letter(markdown: str) -> None:
    assert letters(back(markdown)) == letters(markdown)


@given(documents())
def test_what_came_back_comes_back_the_same(markdown: str) -> None:
    once = back(back(markdown))
    assert back(once) == back(back(once))


@given(st.lists(st.sampled_from(["plain", "**bold**", "*italic*", "~~gone~~", "`code`", "[l](https://a.example)"])))
def test_inline_styles_come_back_exactly(words: list[str]) -> None:
    markdown = " ".join(words)
    assert to_spans(back(markdown)) == to_spans(markdown)


@given(st.text(st.sampled_from("ab <>&;*_~`@#!|^/\"'=[]()\\\n"), max_size=60))
def test_what_people_wrote_as_signs_comes_back_as_signs(text: str) -> None:
    assert letters(back(escape(text) + " **end**")) == letters(escape(text) + " **end**")


@given(documents() | WORDS)
def test_no_tag_is_smuggled_in(markdown: str) -> None:
    hostile = (
        markdown + ' **x** <script>alert(1)</script> <img src=x onerror=y> [x](javascript:alert(1)) "><b onclick=z>'
    )
    written = markup.to_content(hostile)["formatted_body"]
    for tag, attributes in Tags(written).found:
        assert tag in KNOWN
        assert attributes.keys() <= {"href", "class"}
        assert re.match(r"(https?|mailto):", attributes.get("href") or "https:", re.IGNORECASE)
