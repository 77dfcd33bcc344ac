"""What somebody brings along in a text tells nobody who should not be told."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from socialsupport_core.model import SendMessage
from socialsupport_core.testing.cases import Outbound
from socialsupport_core.testing.conformance.base import OfConnector, fail
from socialsupport_core.testing.mentions import Mentions
from socialsupport_core.text import escape

EVERYWHERE = (
    "@everyone",
    "@here",
    "@channel",
    "@room",
    "<!channel>",
    "<!here>",
    "<@U061F7AUR>",
    "<!subteam^S0614TZR7>",
    "<@80351110224678912>",
    "<@&165511591545143296>",
    "@[123:456:Robin]",
    "@robin@elsewhere.example",
    "[Robin](tg://user?id=42)",
    "{robin}",
)
"""Signs by which one network or another names people: they come along from anywhere."""


class Named(OfConnector):
    def test_texts_ping_nobody(self) -> None:
        """A customer's signs and a quoted mention are sent so that the network tells nobody."""
        told = self.cases.mentions or pytest.skip("cases/mentions.json does not say how people are named there")
        for case in self.first_messages:
            for text, alive in brought(told):
                self._tells_nobody(case, told, text, alive)

    def _tells_nobody(self, case: Outbound, told: Mentions, text: str, alive: tuple[str, ...]) -> None:
        assert isinstance(case.intent, SendMessage)
        intent = case.intent.model_copy(update={"text": text, "attachments": ()})
        asks: list[Any] = self.improvise(self.make(), intent).asks
        for request in (ask for ask in asks if isinstance(ask, httpx.Request)):
            if found := told.named_in(request, alive):
                call = f"{request.method} {request.url.path.rpartition('/')[2]}"
                fail(f"{case}: the text {text!r} is sent so that it names somebody: {found} of {call}; "
                     "nobody who brings a text along may tell others. "
                     "Escape it, break it, or say in the call that nobody is to be told")  # fmt: skip


def brought(told: Mentions) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Texts, and what must not stand in them alive: signs by themselves, the same and names in a quotation."""
    for sign in dict.fromkeys((*EVERYWHERE, *told.spellings)):
        yield f"see {escape(sign)} please", told.spellings
        yield f"> see {escape(sign)} please\n\nWe do.", (*told.spellings, *told.handles)
    for name in told.handles:
        yield f"> see {escape(name)} please\n\nWe do.", (*told.spellings, *told.handles)
    if told.account:
        yield f"> see [@Robin](mention:{told.account}) please\n\nWe do.", (*told.spellings, *told.handles)
