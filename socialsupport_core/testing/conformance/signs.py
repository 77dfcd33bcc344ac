"""A sign that is meant as a sign is never taken for markup."""

import re
from typing import Any

import httpx
import pytest

from socialsupport_core.model import SendMessage
from socialsupport_core.testing.cases import Outbound
from socialsupport_core.testing.conformance.base import OfConnector, fail
from socialsupport_core.testing.conformance.content import spoken
from socialsupport_core.text import escape

WORD = "sesame1"
STYLED = (f"**{WORD}**", f"*{WORD}*", f"`{WORD}`", f"[{WORD}](https://acme.example/open)", f"> {WORD}",
          f"# {WORD}", f"```\n{WORD}\n```")  # fmt: skip
_LONGEST = 300
"""Characters of what may be the network's spelling of a few words; what is longer holds more than them."""


class Signs(OfConnector):
    def test_signs_are_not_markup(self) -> None:
        """The network's own spelling of a markup, written as plain signs, is not sent as that markup."""
        if not self.capabilities.markup:
            pytest.skip("it sends no markup")
        for case in self.first_messages:
            for styled in STYLED:
                self._is_told_apart(case, styled)

    def _is_told_apart(self, case: Outbound, styled: str) -> None:
        meant = self._said(case, styled)
        if meant == self._said(case, WORD):
            return  # this style is not rendered here
        for native in spellings(meant):
            if self._said(case, escape(native)) == meant:
                fail(f"{case}: a customer's plain signs {native!r} are sent exactly as the markup {styled!r}; "
                     "escape what the network takes for markup")  # fmt: skip

    def _said(self, case: Outbound, text: str) -> str:
        assert isinstance(case.intent, SendMessage)
        intent = case.intent.model_copy(update={"text": text, "attachments": ()})
        asks = self.improvise(self.make(), intent).asks
        return re.sub("|".join(map(re.escape, boundaries(asks))) or r"\0", "", spoken(asks))


def spellings(said: str) -> list[str]:
    """How the network may spell it: each short line in which the word stands with something around it."""
    lines = dict.fromkeys(line.strip() for line in said.splitlines())
    return [line for line in lines if WORD in line and line != WORD and len(line) <= _LONGEST]


def boundaries(asks: list[Any]) -> set[str]:
    """Of multipart bodies: they are drawn anew for each."""
    types = [ask.headers.get("content-type", "") for ask in asks if isinstance(ask, httpx.Request)]
    return {found[1] for one in types if (found := re.search(r"boundary=([\w-]+)", one))}
