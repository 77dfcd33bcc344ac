"""Rich messages: nested blocks of nested texts, as CommonMark.

A rich text is a string, a list of rich texts, or an object with a `type` and mostly a `text` inside. Forty
kinds of blocks and texts share a handful of fields, so the fields are read, whatever the kind.
https://core.telegram.org/bots/api#richmessage (Bot API 10.1, 2026-06)
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.text import Span, Style, from_spans
from socialsupport_telegram.native import File

Block = Mapping[str, Any]
Files = File | tuple[File, ...]

STYLES: dict[str, Style] = {
    "bold": "bold",
    "italic": "italic",
    "underline": "underline",
    "strikethrough": "strike",
    "spoiler": "spoiler",
    "code": "code",
    "mathematical_expression": "code",
    "url": "link",
    "text_mention": "mention",
    "heading": "bold",
    "pre": "pre",
    "blockquote": "quote",
    "pullquote": "quote",
}
TEXTS = ("summary", "text", "alternative_text", "expression", "caption", "credit")
"""Fields that hold a rich text, in reading order."""
NESTED = ("blocks", "items")
"""Fields that hold blocks."""
LONGEST = 32_768  # characters; https://core.telegram.org/bots/api#rich-message-limits (2026-06)
FILES: dict[str, str] = {
    "animation": "animation",
    "audio": "audio",
    "photo": "photo",
    "video": "video",
    "voice_note": "voice",
}
"""Fields that hold a file, and the field of a plain message that holds such a file."""


def rich_text(blocks: Sequence[Block]) -> str:
    """Raises MalformedPayload when it is longer than Telegram allows."""
    writer = _Writer()
    writer.blocks(blocks, "\n\n")
    return from_spans("".join(writer.parts), writer.spans)


def rich_files(blocks: Sequence[Block]) -> Iterator[tuple[str, Files]]:
    """Raises ValidationError."""
    for block in blocks:
        for field, kind in FILES.items():
            if field in block:
                yield kind, _file(block[field])
        for field in NESTED:
            yield from rich_files(_blocks(block.get(field)))


class _Writer:
    """Writes plain text with spans; gaps and labels are only written before more text."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.spans: list[Span] = []
        self.length = 0
        self.gap = ""
        self.label = ""

    def write(self, text: str) -> None:
        if text:
            before = (self.gap if self.length else "") + self.label
            self.gap = self.label = ""
            self.parts.append(before + text)
            self.length += len(before) + len(text)
            if self.length > LONGEST:
                raise MalformedPayload(f"this rich message has more than {LONGEST} characters")

    def blocks(self, blocks: Sequence[Block], gap: str) -> None:
        for block in blocks:
            self.gap = self.gap or gap
            self.block(block)

    def block(self, block: Block) -> None:
        if isinstance(block.get("label"), str):
            self.label = f"{block['label']} "
        self.text(block)
        for row in block["cells"] if isinstance(block.get("cells"), list) else ():
            self.gap = self.gap or "\n"
            self.row(row)

    def row(self, cells: Any) -> None:
        for number, cell in enumerate(_blocks(cells)):
            self.write(" | " if number else "")
            self.text(cell)

    def text(self, rich: Any) -> None:
        if isinstance(rich, str):
            self.write(rich)
        elif isinstance(rich, list):
            for part in rich:
                self.text(part)
        elif isinstance(rich, Mapping):
            self.styled(rich)

    def styled(self, rich: Block) -> None:
        start = self.length + ((len(self.gap) if self.length else 0) + len(self.label))
        for field in TEXTS:
            self.text(rich.get(field))
        self.blocks(_blocks(rich.get("blocks")), "\n")
        self.blocks(_blocks(rich.get("items")), "\n")
        style = STYLES.get(str(rich.get("type")))
        if style and start < self.length:
            self.spans.append(Span(start, self.length, style, _value(rich)))


def _value(rich: Block) -> str:
    user = rich.get("user")
    value = rich.get("url") or rich.get("language") or (user.get("id") if isinstance(user, Mapping) else None)
    return str(value or "")


def _blocks(value: Any) -> list[Block]:
    return [block for block in value if isinstance(block, Mapping)] if isinstance(value, list) else []


def _file(value: Any) -> Files:
    if isinstance(value, list):
        return tuple(File.model_validate(size) for size in value)
    return File.model_validate(value)
