"""Whom a text names that somebody brings along: a network of criers, and how to get it wrong."""

from collections.abc import Sequence
from typing import Any

import httpx
from killing import killed_by
from pigeon.connector import Pigeon

from socialsupport_core.model import SendMessage
from socialsupport_core.text import Span, plain, quiet, to_spans


class Crier(Pigeon):
    """Criers call whom a text names: all by `<!loft>`, one by `@name`, or by a ring in `named` beside the text."""

    name = "crier"

    def quieted(self, text: str) -> str:
        return quiet(text)

    def escaped(self, text: str) -> str:
        return text.replace("<!", "< !")

    def written(self, intent: SendMessage) -> str:
        return self.escaped(plain(self.quieted(intent.text or "")))


@killed_by("texts_ping_nobody")
class SignsCall(Crier):
    def escaped(self, text: str) -> str:
        return text


@killed_by("texts_ping_nobody")
class QuotedNamesCall(Crier):
    def quieted(self, text: str) -> str:
        return text


@killed_by("texts_ping_nobody")
class QuotedMentionsCall(Crier):
    """It breaks what is spelled, and forgets the mentions that came along as such."""

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        if path == "/letters":
            content["json"] = {**content["json"], "named": self.named()}
        return super().ask(method, path, **content)

    def written(self, intent: SendMessage) -> str:
        self.spans: Sequence[Span] = to_spans(intent.text or "")[1]
        return super().written(intent)

    def named(self) -> list[str]:
        return [span.value for span in self.spans if span.style == "mention"]


class Whispering(SignsCall):
    """Nobody hears a whisper, whatever it says."""

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        if path == "/letters":
            content["json"] = {**content["json"], "whisper": True}
        return super().ask(method, path, **content)
