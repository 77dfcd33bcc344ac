"""Words in both directions: HTML to CommonMark, and answers in which nobody is mentioned who should not be."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.model import Facts, Thread
from socialsupport_core.text import count, plain
from socialsupport_mastodon import Mastodon, MastodonSettings
from socialsupport_mastodon.markup import markdown
from socialsupport_mastodon.wording import addressed, body, read_back

PEOPLE = {"https://social.example/@kerry": "7"}


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<p>one<br />two<br>three</p>", "one\ntwo\nthree"),
        ("<p>a &lt;b&gt; &amp; *c*</p>", "a \\<b> & \\*c\\*"),
        ("<p><strong>bold</strong> <em>and <del>gone</del></em></p>", "**bold** *and ~~gone~~*"),
        (
            '<p><a href="https://social.example/@kerry" class="u-url mention">@<span>kerry</span></a> hi</p>',
            "[@kerry](mention:7) hi",
        ),
        (
            '<p><a href="https://other.example/@kerry" class="mention">@kerry</a></p>',
            "[@kerry](https://other.example/@kerry)",
        ),
        ('<p><a href="https://a.example/tags/x" class="mention hashtag">#<span>x</span></a></p>', "#x"),
        (
            '<a href="https://a.example/b?c=1&amp;d=2">https://a.example/b?c=1&amp;d=2</a>',
            "https://a.example/b?c=1&d=2",
        ),
        ('<a href="javascript:alert(1)">click</a>', "click"),
        ("<ol><li>one</li><li>two</li></ol>", "1. one\n2. two"),
        ("<h2>Title</h2><p>words</p>", "**Title**\n\nwords"),
        ("<script>alert(1)</script>", "alert(1)"),
        ("no tags at all", "no tags at all"),
        ("<p>unclosed <b>bold", "unclosed **bold**"),
        ("</p></b>stray", "stray"),
        ("<!-- comment -->shown", "shown"),
        ("", ""),
    ],
)
def test_html_reads_as_it_looks(html: str, text: str) -> None:
    assert plain(markdown(html, PEOPLE)) == plain(text)
    assert markdown(html, PEOPLE).replace("1\\.", "1.").replace("2\\.", "2.") == text


@given(st.text(st.sampled_from("ab <>/\"'=&;\n@pliuo"), max_size=80))
def test_any_html_is_bearable(html: str) -> None:
    assert isinstance(markdown(html, PEOPLE), str)


@pytest.mark.parametrize("piece", ["<", "<a ", "<b>", "</b>", "<p>x</p>", '<a href="', "&", "<li>", "a=", "<br>"])
def test_much_html_takes_little_time(piece: str) -> None:
    html, start = piece * (1_000_000 // len(piece)), time.perf_counter()
    markdown(html, PEOPLE)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("ask @sam", "ask @\u200bsam"),
        ("@sam@social.example", "@\u200bsam@social.example"),
        ("(@sam)", "(@\u200bsam)"),
        ("sam@shop.example", "sam@shop.example"),
        ("https://social.example/@sam", "https://social.example/@sam"),
        ("at @ noon", "at @ noon"),
    ],
)
def test_nobody_is_mentioned_by_the_way(written: str, sent: str) -> None:
    assert body(written) == sent
    assert read_back(sent) == written


def test_whoever_is_answered_is_mentioned() -> None:
    assert addressed("kerry@social.example", "hello") == "@kerry@social.example hello"
    assert addressed("kerry", "") == "@kerry"


def connector(**limits: int) -> Mastodon:
    settings = MastodonSettings(instance="https://Mastodon.example/", access_token="a-token")
    return Mastodon(settings, Facts(own_account="1", limits=limits))


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("hello", 5),
        ("**hello**", 5),
        ("see https://example.com/" + "x" * 100, 27),
        ("see http://a.co", 27),
        ("example.com/" + "x" * 10, 22),
        ("👩‍👩‍👧", 1),
        ("ask @sam", 9),
    ],
)
def test_length_is_counted_as_mastodon_does(text: str, length: int) -> None:
    assert count(connector().measured(text), "graphemes") == length


def test_an_instance_sets_its_own_limits() -> None:
    thread = Thread(id="1", visibility="public")
    roomy = connector(
        max_characters=5000, characters_reserved_per_url=10, image_size_limit=1000, max_media_attachments=2
    )
    claims = roomy.capabilities_in(thread)
    assert claims.text
    assert (claims.text.limit, claims.attachments) == (5000 - 32, 2)
    assert claims.media[0].max_bytes == 1000
    assert count(roomy.measured("http://example.com/long/path"), "graphemes") == 10
    usual = connector().capabilities_in(thread).text
    assert usual
    assert usual.limit == 500 - 32


@pytest.mark.parametrize("instance", ["", "mastodon", "https://a.example/path", "a.example:3000", "a b.example"])
def test_an_instance_is_a_host(instance: str) -> None:
    with pytest.raises(ValueError, match="instance"):
        MastodonSettings(instance=instance)
