"""What is written as plain signs and arrives as markup: a network with a spelling of its own, and how to get it wrong."""

from killing import killed_by
from pigeon.connector import Pigeon

from socialsupport_core.model import SendMessage
from socialsupport_core.text import plain, to_spans

MARKED = Pigeon.capabilities.model_copy(update={"markup": True})
SIGNS = {"bold": "*", "italic": "/", "code": "`"}


class Gaudy(Pigeon):
    """Pigeons write bold words between stars, slanted ones between strokes, and take a backslash as it is meant."""

    capabilities = MARKED

    def written(self, intent: SendMessage) -> str:
        text, spans = to_spans(intent.text or "")
        shown = self.spelt(text)
        for span in spans:
            if span.style in SIGNS:
                inner = self.spelt(text[span.start : span.end])
                shown = shown.replace(inner, f"{SIGNS[span.style]}{inner}{SIGNS[span.style]}")
        return shown

    def spelt(self, text: str) -> str:
        for sign in ("\\", *SIGNS.values()):
            text = text.replace(sign, "\\" + sign)
        return text


@killed_by("signs_are_not_markup")
class NothingIsEscaped(Gaudy):
    def spelt(self, text: str) -> str:
        return text


@killed_by("signs_are_not_markup")
class OneSignIsForgotten(Gaudy):
    def spelt(self, text: str) -> str:
        return super().spelt(text).replace("\\/", "/")


@killed_by("signs_are_not_markup")
class PlainWhereMarkupIsRead(Pigeon):
    """It takes the escapes away and hands the rest on."""

    capabilities = MARKED

    def written(self, intent: SendMessage) -> str:
        text = intent.text or ""
        return plain(text) if "\\" in text else text
