"""CommonMark and the HTML of `formatted_body`, in both directions.

https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes (v1.18, 2026-11)
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote, unquote

from socialsupport_core.text import Span, Style, from_spans, html, to_spans
from socialsupport_core.text import escape as as_markdown
from socialsupport_matrix.native import USER, Json, text_of

FORMAT = "org.matrix.custom.html"
PILL = "https://matrix.to/#/"
TAGS: dict[Style, str] = {
    "bold": "strong", "italic": "em", "strike": "del", "code": "code", "quote": "blockquote", "underline": "u",
}  # fmt: skip
"""Of those that clients are told to show. https://spec.matrix.org/latest/client-server-api/#mroommessage-msgtypes"""
BLOCKS = frozenset({"quote", "pre"})
_LINKS = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{1,40}")


def to_markdown(content: Json) -> str | None:
    """What somebody wrote, without the quotation that old clients put before an answer."""
    body, formatted = text_of(content, "body"), text_of(content, "formatted_body")
    if content.get("format") == FORMAT and formatted:
        text, spans = html.read(_without_reply(formatted))
        return from_spans(text, [_mention(span) for span in spans]) or None
    return as_markdown(_without_quotation(body) if _is_reply(content) else body) if body else None


def to_content(markdown: str) -> Json:
    """`body`, and beside it `formatted_body` where there is something to format."""
    text, spans = to_spans(markdown)
    if not spans:
        return {"body": text}
    return {"body": text, "format": FORMAT, "formatted_body": "".join(_html(text, spans, 0, len(text)))}


def _is_reply(content: Json) -> bool:
    told = content.get("m.relates_to")
    return isinstance(told, dict) and "m.in_reply_to" in told


def _without_reply(formatted: str) -> str:
    """#fallbacks-for-rich-replies, which new clients do not write any more"""
    start = formatted.lstrip()
    head, end, rest = start.partition("</mx-reply>")
    return rest if end and head.startswith("<mx-reply>") else formatted


def _without_quotation(body: str) -> str:
    lines = body.split("\n")
    if not lines[0].startswith("> <"):
        return body
    rest = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[rest:]).removeprefix("\n") or body


def _mention(span: Span) -> Span:
    if span.style != "link" or not span.value.startswith(PILL):
        return span
    user = unquote(span.value.removeprefix(PILL)).partition("?")[0]
    return Span(span.start, span.end, "mention", user) if USER.fullmatch(user) else span


def _html(text: str, spans: Sequence[Span], start: int, end: int) -> Iterator[str]:
    """Spans come outer ones first and nest; one that crosses another is closed with it."""
    at = start
    for number, span in enumerate(spans):
        first, last = max(span.start, at), min(span.end, end)
        if first >= last:
            continue
        yield _text(text[at:first])
        inner = [one for one in spans[number + 1 :] if one.start < last]
        opening, closing = _tags(span)
        yield opening
        yield escape(text[first:last]) if span.style == "pre" else "".join(_html(text, inner, first, last))
        yield closing
        at = last
        if span.style in BLOCKS and text[at : at + 1] == "\n":
            at += 1  # a block ends its line
    yield _text(text[at:end])


def _text(text: str) -> str:
    return escape(text, quote=False).replace("\n", "<br>")


def _tags(span: Span) -> tuple[str, str]:
    if span.style == "link" and _LINKS.match(span.value):
        return f'<a href="{escape(span.value)}">', "</a>"
    if span.style == "mention" and USER.fullmatch(span.value):
        return f'<a href="{PILL}{quote(span.value, safe="@:")}">', "</a>"
    if span.style == "pre":
        language = f' class="language-{span.value}"' if _LANGUAGE.fullmatch(span.value) else ""
        return f"<pre><code{language}>", "</code></pre>"
    if span.style == "spoiler":
        return "<span data-mx-spoiler>", "</span>"
    tag = TAGS.get(span.style)
    return (f"<{tag}>", f"</{tag}>") if tag else ("", "")
