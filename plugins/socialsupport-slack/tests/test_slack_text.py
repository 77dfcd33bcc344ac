"""Slack's markup and blocks: there and back, and nothing that anybody writes becomes a mention."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.text import Sheet, Span, escape, from_spans, plain, to_spans
from socialsupport_slack import blocks, mrkdwn

WORDS = st.text(st.sampled_from("ab <>&*_~`@#!:|[](){}\\\n>-1.é👍"), min_size=1, max_size=12)
STYLES = ("bold", "italic", "strike", "code", "link", "quote", "pre")


@st.composite
def documents(draw: Any) -> str:
    """CommonMark with styles anywhere."""
    text = draw(st.lists(WORDS, min_size=1, max_size=6).map(" ".join))
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        style = draw(st.sampled_from(STYLES))
        spans.append(Span(start, end, style, "https://shop.example/a?b=c&d=<e>" if style == "link" else ""))
    return from_spans(text, spans)


def back(written: list[dict[str, Any]]) -> str:
    sheet = Sheet()
    blocks.read(json.loads(json.dumps(written)), sheet)
    return sheet.markdown()


def elements(written: Any) -> list[dict[str, Any]]:
    found = []
    for one in written:
        found += [one, *elements(one.get("elements", ()))]
    return found


@given(documents())
def test_there_and_back_keeps_every_letter(markdown: str) -> None:
    assert re.sub(r"\s", "", plain(back(blocks.write(markdown)))) == re.sub(r"\s", "", plain(markdown))


@given(documents())
def test_what_came_back_comes_back_the_same(markdown: str) -> None:
    once = back(blocks.write(markdown))
    assert back(blocks.write(once)) == back(blocks.write(back(blocks.write(once))))


@given(st.lists(st.sampled_from(["plain", "**bold**", "*italic*", "~~gone~~", "`code`", "[l](https://a.example)"])))
def test_inline_styles_come_back_exactly(words: list[str]) -> None:
    markdown = " ".join(words)
    assert to_spans(back(blocks.write(markdown))) == to_spans(markdown)


@given(documents() | WORDS)
def test_nothing_that_is_written_mentions_anybody(markdown: str) -> None:
    written = blocks.write(markdown + " <!channel> <@U061F7AUR> [x](mention:U061F7AUR) @here")
    assert {one["type"] for one in elements(written)} <= {
        "rich_text",
        "rich_text_section",
        "rich_text_preformatted",
        "rich_text_quote",
        "text",
        "link",
    }


@given(st.text())
def test_escaped_text_is_read_as_it_was(text: str) -> None:
    written = mrkdwn.escape(text)
    assert mrkdwn.unescape(written) == text
    assert "<" not in written
    assert ">" not in written


@given(st.text(st.sampled_from("ab <>&;*_~`@#!|^\n"), max_size=60))
def test_any_markup_can_be_read(text: str) -> None:
    sheet = Sheet()
    mrkdwn.read(text, sheet)
    assert all(0 <= span.start < span.end <= sheet.length for span in sheet.spans)
    assert isinstance(sheet.markdown(), str)


def test_much_markup_is_read_in_time() -> None:
    for hostile in ("*" * 40_000, "*a" * 20_000, "<" * 40_000, "`" * 40_000, "_*~" * 10_000, "```" * 10_000):
        mrkdwn.markdown(hostile)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("*bold* _italic_ ~gone~ `x*y*`", "**bold** *italic* ~~gone~~ `x*y*`"),
        ("*bold _and italic_*", "**bold *and italic***"),
        ("snake_case_name 2*3*4 a~b~c", escape("snake_case_name 2*3*4 a~b~c")),
        ("* not bold *", escape("* not bold *")),
        ("a &lt;b&gt; &amp;amp; &quot;", escape("a <b> &amp; &quot;")),
        ("<https://a.example/?x=1&amp;y=2|a &amp; b>", "[a & b](https://a.example/?x=1\\&y=2)"),
        ("<https://a.example>", "https://a.example"),
        ("<mailto:k@mail.example|k@mail.example>", "[k@mail.example](mailto:k@mail.example)"),
        ("<@U1> <@U1|kerry>", "[@U1](mention:U1) [@kerry](mention:U1)"),
        ("<#C1|general> <#C1>", "#general #C1"),
        ("<!here> <!subteam^S1|@team> <!date^1^{date}|today>", "@here @team today"),
        ("&gt; one\n&gt; two\nthree", "> one\n> two\n\nthree"),
        ("look:\n```a *b*\nc &lt;```", "look:\n```\na *b*\nc <\n```"),
        ("<javascript:alert(1)|x>", "x"),
    ],
)
def test_slacks_markup_is_read(said: str, read: str) -> None:
    assert mrkdwn.markdown(said) == read


def test_rich_text_that_is_not_known_leaves_the_rest() -> None:
    section = {"type": "rich_text_section", "elements": [{"type": "hologram"}, {"type": "text", "text": "a"}, 7]}
    assert back([{"type": "rich_text", "elements": [section, None]}, {"type": "projection"}]) == "a"


@pytest.mark.parametrize(
    ("points", "shown"),
    [("1f44b", "👋"), ("1f44d-1f3fb", "👍🏻"), ("", ""), ("zz", ""), ("110000", ""), ("0", ""), (None, "")],
)
def test_emoji_are_shown(points: str | None, shown: str) -> None:
    assert blocks.unicode_of(points) == shown


def test_a_list_keeps_its_order_and_depth() -> None:
    item = {"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]}
    lists = [
        {"type": "rich_text_list", "style": "ordered", "offset": 2, "elements": [item, item]},
        {"type": "rich_text_list", "style": "bullet", "indent": 1, "elements": [item]},
    ]
    assert plain(back([{"type": "rich_text", "elements": lists}])) == "3. x\n4. x\n  • x"
