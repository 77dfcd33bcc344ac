import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from socialsupport_core.text import escape, file_name, safe, to_html, visible

PLAIN_TAGS = "p h1 h2 h3 h4 h5 h6 ul li blockquote em strong s pre code br hr"
ALLOWED = {
    **dict.fromkeys(
        [
            "p",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "li",
            "blockquote",
            "em",
            "strong",
            "s",
            "pre",
            "code",
            "br",
            "hr",
        ],
        frozenset[str](),
    ),
    "ol": frozenset({"start"}),
    "a": frozenset({"href", "rel", "target"}),
    "span": frozenset({"class"}),
}

ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src=javascript:alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](&#1;javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](data:image/svg+xml,<svg/onload=alert(1)>)",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](blob:https://a.example/1)",
    '[x](http://a.example/"onmouseover="alert(1))',
    "[x](http://a.example/'onmouseover='alert(1))",
    "[x](<http://a.example/ onmouseover=alert(1)>)",
    '[x](http://a.example "t\\"onmouseover=alert(1)")',
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](http://a.example/x.png)',
    "![x](http://tracker.example/pixel.gif)",
    "<javascript:alert(1)>",
    '<http://a.example/"onclick=alert(1)>',
    'https://a.example/"onclick="alert(1)',
    "https://a.example/<script>alert(1)</script>",
    "```html\n<script>alert(1)</script>\n```",
    '```" onclick="alert(1)\nx\n```',
    "`<b onclick=alert(1)>`",
    "<!--<img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<style>*{background:url(http://evil.example)}</style>",
    "<base href=//evil.example>",
    "<form action=//evil.example><input name=password>",
    '[x](mention:"><script>alert(1)</script>)',
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[a]: javascript:alert(1)\n\n[a]",
    "[![x](javascript:a)](javascript:b)",
    "\u202e[evil](http://a.example)\u2066",
]


MARKS = ["*", "_", "`", "[", "](", ")", "\n", "\n\n", "> ", "- "]


class Checker(HTMLParser):
    """Fails at anything that is not allowed, and keeps what a reader sees."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        if tag not in ("br", "hr"):
            self.open.append(tag)
        if tag == "a":
            found = dict(attrs)
            assert (found["rel"], found["target"]) == ("noopener noreferrer nofollow", "_blank")
            self.links.append(found["href"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def check(markdown: str) -> Checker:
    checker = Checker()
    checker.feed(to_html(markdown))
    checker.close()
    assert checker.open == []
    for link in checker.links:
        assert link.lower().startswith(("http:", "https:", "mailto:", "tel:"))
        assert link.isascii()
        assert link.isprintable()
    return checker


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_become_text(attack: str) -> None:
    check(attack)
    check(f"> {attack}")
    check(f"*{attack}*")
    check(f"[x {attack}](http://a.example)")


@settings(deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS, *MARKS]) | st.text(max_size=8), max_size=6))
def test_any_mixture_is_safe(pieces: list[str]) -> None:
    check("".join(pieces))


@settings(deadline=None)
@given(st.text() | st.text(alphabet=st.characters(codec=None)))
def test_plain_text_can_be_read(text: str) -> None:
    seen = "".join(check(escape(text)).seen)
    expected = visible(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd"))
    assert "".join(seen.split()) == "".join(expected.split())


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e</code></p>\n"),
        ("a\nb", "<p>a<br>\nb</p>\n"),
        ("3. x", '<ol start="3"><li>x</li>\n</ol>\n'),
        ("[@Kim](mention:7)", '<p><span class="mention">@Kim</span></p>\n'),
        ("[x](/here)", "<p>x (/here)</p>\n"),
    ],
)
def test_html(markdown: str, html: str) -> None:
    assert to_html(markdown) == html


@given(st.text(st.sampled_from("ab Zé12.,:;!?'()-_*/@<&\n#>"), max_size=30))
@example("a. b")
@example("see www.acme.example")
@example("http: no address")
@example("fine (or not)? - yes")
def test_prose_reads_as_if_it_had_been_parsed(text: str) -> None:
    assert to_html(text) == to_html_parsed(text)


def to_html_parsed(text: str) -> str:
    prose, safe._PROSE = safe._PROSE, re.compile(r"(?!)")
    try:
        return to_html(text)
    finally:
        safe._PROSE = prose


def test_links() -> None:
    text = "see https://a.example/b_c. Or [mail](mailto:a@b.example), [call](tel:+41446681800), ![pic](http://p/x.png)"
    assert check(text).links == [
        "https://a.example/b_c",
        "mailto:a@b.example",
        "tel:+41446681800",
        "http://p/x.png",
    ]
    assert check("https://a.example/x\u202egpj").links == ["https://a.example/x%E2%80%AEgpj"]


def test_what_is_too_large_is_text() -> None:
    html = to_html("<b>*x*</b>\n" * 20_000)
    assert html.startswith("<p>&lt;b&gt;*x*&lt;/b&gt;<br>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext", "plain\n\ttext"),
        ("a\u202eb", "a[U+202E]b"),
        ("a\u2066b\u2069", "a[U+2066]b[U+2069]"),
        ("pay\u200bpal", "pay[U+200B]pal"),
        ("bell\x07", "bell␇"),
        ("\x7f\x85", "[U+007F][U+0085]"),
        ("\ufeffx", "[U+FEFF]x"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("a\u200db", "a[U+200D]b"),
        ("🏴\U000e0067\U000e0062\U000e007f", "🏴\U000e0067\U000e0062\U000e007f"),
        ("x\U000e0041", "x[U+E0041]"),
        ("\ud800", "\ufffd"),
        ("שלום\u200f!", "שלום\u200f!"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Rückgabe Beleg.pdf", "Rückgabe Beleg.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.txt", "a.txt"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("a\r\nb.txt", "a_b.txt"),
        ("a<b>:c?.txt", "a_b__c_.txt"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        (".htaccess", "htaccess"),
        ("name. ", "name"),
        ("", "file"),
        ("..", "file"),
        ("dir/", "file"),
        ("x" * 500 + ".pdf", "x" * 176 + ".pdf"),
        ("é" * 500, "é" * 90),
    ],
)
def test_file_names(name: str, safe: str) -> None:
    assert file_name(name) == safe


@settings(deadline=None)
@given(st.text() | st.text(alphabet="./\\:\0 \u202eaé😀", max_size=30) | st.text(alphabet=st.characters(codec=None)))
def test_any_file_name_is_safe(name: str) -> None:
    safe = file_name(name)
    assert 0 < len(safe.encode()) <= 181
    assert not set(safe) & set('/\\:*?"<>|\0\n\r\t')
    assert safe.strip(". ") == safe
    assert file_name(safe) == safe
