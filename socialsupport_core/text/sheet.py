"""A sheet on which a text is written piece by piece, with its styles."""

from dataclasses import dataclass, field

from .spans import Span, Style
from .writing import from_spans


@dataclass(slots=True)
class Sheet:
    """Plain text with styles, written from left to right."""

    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    length: int = 0

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.length += len(text)

    def mark(self, start: int, style: Style, value: str = "") -> None:
        """What was written since `start`."""
        if start < self.length:
            self.spans.append(Span(start, self.length, style, value))

    def ends_in_line(self) -> bool:
        """Whether something new would begin in the midst of a line."""
        last = next((part for part in reversed(self.parts) if part), "")
        return bool(last) and not last.endswith("\n")

    def markdown(self) -> str:
        return from_spans("".join(self.parts), self.spans)
