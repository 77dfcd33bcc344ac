"""Server-sent events, read from pieces as they come (https://html.spec.whatwg.org/multipage/server-sent-events.html,
2026-11)."""

import codecs
import re
from collections.abc import Iterator

from socialsupport_core.contract.stream import MAX_FRAME, Frame

_LINE_END = re.compile(r"\r\n|\n|\r(?!$)")  # what comes after a last \r may belong to it


class TooLarge(Exception):
    """One event is larger than `MAX_FRAME`."""


class Events:
    """Feed it with bytes; it gives the events that are complete. Comments, which keep the line alive, give none."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._data: list[str] = []
        self._size = 0
        self._event = self._id = ""

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Raises TooLarge."""
        *lines, self._rest = _LINE_END.split(self._rest + self._decoder.decode(piece))
        for line in lines:
            if line:
                self._field(line)
            elif frame := self._dispatched():
                yield frame
        if self._size + len(self._rest) > MAX_FRAME:
            raise TooLarge

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value.encode("utf-8", "replace")) + 1
            if self._size > MAX_FRAME:
                raise TooLarge
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value  # it holds for later events too

    def _dispatched(self) -> Frame | None:
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        return Frame("\n".join(data), event, self._id) if data else None
