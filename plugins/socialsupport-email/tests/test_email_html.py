"""HTML mail without its quotations, and wrapped lines joined again."""

import pytest

from socialsupport_core.text import html
from socialsupport_email.body import Text
from socialsupport_email.flowed import unflowed

GMAIL = """<div dir="ltr">Yes, please.</div><br><div class="gmail_quote"><div class="gmail_attr">On Thu, Oct 1, 2026
at 9:20 AM Acme &lt;<a href="mailto:support@acme.example">support@acme.example</a>&gt; wrote:<br></div>
<blockquote><div>Shall we?</div></blockquote></div>"""

OUTLOOK = """<p>Please cancel it.</p>
<div><div style="border-top:solid"><p><b>From:</b> Acme &lt;support@acme.example&gt;
<br><b>Sent:</b> Thursday, 1 October 2026<br><b>To:</b> Kerry<br><b>Subject:</b> Your order</p></div></div>
<p>Shall we cancel it?</p>"""

INLINE = (
    "<p>On 1 Oct 2026 9:20, Acme wrote:</p><blockquote>Which?</blockquote><p>Blue.</p><blockquote>Size?</blockquote>M"
)


@pytest.mark.parametrize(("source", "own"), [(GMAIL, "Yes, please."), (OUTLOOK, "Please cancel it.")])
def test_the_quotation_is_left_out(source: str, own: str) -> None:
    plain, spans = html.read(source)
    assert Text(plain, tuple(spans)).without_quotation(None).commonmark == own


def test_answers_between_quotations_stay() -> None:
    plain, spans = html.read(INLINE)
    text = Text(plain, tuple(spans))
    assert text.without_quotation(None) == text
    assert "> Which?\n\nBlue." in text.commonmark


@pytest.mark.parametrize(
    ("flowed", "expected"),
    [
        ("one \ntwo\nthree", "one two\nthree"),
        (" From stuffed", "From stuffed"),
        ("> quoted \n> text\nmine", "> quoted text\nmine"),
        ("> quoted \nmine", "> quoted \nmine"),
        (">> deeper \n> one", ">> deeper \n> one"),
        ("text \n-- \nsignature", "text \n-- \nsignature"),
        ("one \n\ntwo", "one \ntwo"),
        ("", ""),
    ],
)
def test_format_flowed(flowed: str, expected: str) -> None:
    assert unflowed(flowed) == expected


def test_format_flowed_without_the_spaces() -> None:
    assert unflowed("日本 \n語", delete_space=True) == "日本語"
