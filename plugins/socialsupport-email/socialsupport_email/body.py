"""Which parts of a mail are its text, and which are attachments."""

from collections.abc import Iterator
from dataclasses import dataclass

from socialsupport_core.text import Span, from_spans, html
from socialsupport_email.flowed import unflowed
from socialsupport_email.mime import Mail, Part
from socialsupport_email.quotes import kept
from socialsupport_email.words import clean

MAX_TEXT = 100_000  # characters; the core's own limit for a text


@dataclass(frozen=True, slots=True)
class Text:
    plain: str
    spans: tuple[Span, ...] = ()

    def __add__(self, other: "Text") -> "Text":
        if not (self.plain.strip() and other.plain.strip()):
            return self if self.plain.strip() else other
        shift = len(self.plain) + 2
        moved = tuple(Span(one.start + shift, one.end + shift, one.style, one.value) for one in other.spans)
        return Text(f"{self.plain}\n\n{other.plain}", self.spans + moved)

    @property
    def commonmark(self) -> str:
        return from_spans(self.plain, self.spans)

    def without_quotation(self, subject: str | None) -> "Text":
        lines = self.plain.split("\n")
        count = kept(self._marked(lines), subject)
        return self.cut(len("\n".join(lines[:count]))) if count < len(lines) else self

    def cut(self, length: int) -> "Text":
        spans = tuple(Span(one.start, min(one.end, length), one.style, one.value) for one in self.spans)
        return Text(self.plain[:length], tuple(one for one in spans if one.start < one.end))

    def _marked(self, lines: list[str]) -> list[str]:
        """The lines as plain text would show them: the quoted ones with a `>`."""
        quotes = [span for span in self.spans if span.style == "quote"]
        if not quotes:
            return lines
        edges = sorted([(one.start, 1) for one in quotes] + [(one.end, -1) for one in quotes])
        marked, at, depth, edge = [], 0, 0, 0
        for line in lines:
            while edge < len(edges) and edges[edge][0] <= at:
                depth += edges[edge][1]
                edge += 1
            marked.append(f"> {line}" if depth > 0 else line)
            at += len(line) + 1
        return marked


def text_of(mail: Mail) -> Text:
    return _text(mail.body)


def _text(part: Part) -> Text:
    if part.children:
        return _of_children(part)
    if part.is_attachment or part.media_type.startswith("multipart/"):
        return Text("")
    if part.media_type == "text/html":
        plain, spans = html.read(clean(part.text[: html.MAX_HTML]))
        return Text(plain, tuple(spans))
    text = clean(part.text[: 2 * MAX_TEXT]).replace("\xa0", " ")
    if part.params.get("format", "").lower() == "flowed":
        text = unflowed(text, part.params.get("delsp", "").lower() == "yes")
    return Text("\n".join(line.rstrip() for line in text.strip("\n").split("\n")))


def _of_children(part: Part) -> Text:
    """An alternative is the plainest version that says something; everything else is read in order."""
    texts = [_text(child) for child in part.children if not _is_report_detail(part, child)]
    if part.media_type == "multipart/alternative":
        return next((text for text in texts if text.plain.strip()), Text(""))
    together = Text("")
    for text in texts[:50]:
        together += text
    return together


def _is_report_detail(part: Part, child: Part) -> bool:
    return part.media_type == "multipart/report" and child is not part.children[0]


def attachments_of(mail: Mail) -> Iterator[tuple[int, Part]]:
    """With their number among all leaves of the mail."""
    for number, leaf in enumerate(mail.body.leaves()):
        if leaf.is_attachment and not leaf.media_type.startswith("multipart/"):
            yield number, leaf
