"""HTML that people wrote as text with styles, in time that grows with its length."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.text import from_spans, html


def markdown(source: str) -> str:
    return from_spans(*html.read(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain words", "plain words"),
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("<div>one</div><div><br></div><div>two</div>", "one\n\ntwo"),
        ("one<br>two<br/>three", "one\ntwo\nthree"),
        ("  spaces \n and\tbreaks  ", "spaces and breaks"),
        ("<b>bold</b> and <em>italic</em>", "**bold** and *italic*"),
        ("<b>bold <i>both</i></b>", "**bold *both***"),
        ('<a href="https://a.example/?x=1">here</a>', "[here](https://a.example/?x=1)"),
        ('<a href="https://a.example">https://a.example</a>', "https://a.example"),
        ('<a href="javascript:alert(1)">here</a>', "here"),
        ('<a href="data:text/html,x">here</a>', "here"),
        ('<a href="cid:1">here</a>', "here"),
        ("<ul><li>one<li>two</ul>", "• one\n• two"),
        ("<ol><li>one</li><li>two</li></ol>", "1\\. one\n2. two"),
        ("<ul><li>one<ul><li>inner</ul><li>two</ul>", "• one\n  • inner\n• two"),
        ("<table><tr><td>Item<td>Price<tr><td>Shirt<td>9</table>", "Item Price\nShirt 9"),
        ("a<blockquote>b<br>c</blockquote>d", "a\n\n> b\n> c\n\nd"),
        ("<pre>x = 1\n  y</pre>", "```\nx = 1\n  y\n```"),
        ("<h2>Title</h2>text", "**Title**\n\ntext"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2 &nbsp;&euro;", "1 < 2 && 3 > 2 \xa0€"),
        ("1 < 2", "1 < 2"),
        ("a <3 b", "a <3 b"),
        ("<!-- <p>no</p> -->yes", "yes"),
        ("<!doctype html><?xml version='1.0'?>yes", "yes"),
        ("<!--[if mso]><p>no</p><![endif]-->yes", "yes"),
        ("<head><title>no</title><style>p{}</style></head>yes", "yes"),
        ("<script>if (a < b) { document.write('<p>no</p>') }</script>yes", "yes"),
        ("yes<script>no", "yes"),
        ('<div style="Display : None">no</div>yes', "yes"),
        ('<span style="mso-hide:all">no</span>yes', "yes"),
        ("<p hidden>no</p>yes", "yes"),
        ('<img src="https://t.example/p.gif">yes<img alt="a cat" src="x">', "yes[a cat]"),
        ("a\u200b\u200b\u00adb", "ab"),
        ('<p title="a>b">yes</p>', "yes"),
        ("<o:p>yes</o:p>", "yes"),
        ("</p></div>yes", "yes"),
        ("<b>un<p>closed", "**un**\n\n**closed**"),
        ("<svg><text>no</text></svg>yes", "yes"),
    ],
)
def test_elements(source: str, expected: str) -> None:
    assert markdown(source) == expected


def test_entities_in_addresses() -> None:
    _plain, [span] = html.read('<a href="https://a.example/?x=1&amp;y=2">here</a>')
    assert span.value == "https://a.example/?x=1&y=2"


def test_markup_that_people_type_stays_text() -> None:
    assert html.read("*a* _b_ [c](d)")[0] == "*a* _b_ [c](d)"
    assert markdown("<p>*a* [c](d)</p>") == "\\*a\\* [c\\](d)"


@given(st.text(alphabet="<>/\"'= abdivscriptyle!-&;#\n\\`*", max_size=300))
def test_anything_is_read(source: str) -> None:
    plain, spans = html.read(source)
    assert all(0 <= span.start <= span.end <= len(plain) for span in spans)
    from_spans(plain, spans)


BOMBS = ["<", "<!--", "<a ", '<a href="', "</", "<div>", "<b>x", "<script>", "&amp;", "<li>x", "<br>", "<!", "<?",
         "<blockquote>x", "<a b='", "<b><i>x</b>", "<table><tr><td>x", "<ul><li>x"]  # fmt: skip


@pytest.mark.parametrize("unit", BOMBS)
def test_time_is_bounded(unit: str) -> None:
    """Eight times the source takes about eight times the time."""

    def seconds(size: int) -> float:
        source = unit * (size // len(unit))
        times = []
        for _ in range(2):
            begun = time.process_time()
            markdown(source)
            times.append(time.process_time() - begun)
        return min(times)

    assert seconds(120_000) < 24 * seconds(15_000) + 0.3  # quadratic would be 64 times


def test_no_more_than_so_much_is_read() -> None:
    plain, spans = html.read("<b>x</b> " * html.MAX_HTML)
    assert len(plain) <= html.MAX_TEXT + 10
    assert len(spans) <= html.MAX_SPANS


def test_deep_nesting_is_read_as_text() -> None:
    plain, _spans = html.read("<div>" * 5000 + "deep" + "</div>" * 5000)
    assert plain == "deep"
