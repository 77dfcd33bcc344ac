"""The kit sees whether a plain sign is sent as markup, and says which."""

import json
from typing import Any

import httpx
import pytest
from mutants_of_signs import MARKED, Gaudy, NothingIsEscaped, OneSignIsForgotten, PlainWhereMarkupIsRead
from pigeon.connector import Pigeon

from socialsupport_core.model import SendMessage
from socialsupport_core.testing.check import Result, check
from socialsupport_core.testing.conformance.signs import boundaries, spellings
from socialsupport_core.text import to_spans


class RawMarkdown(Pigeon):
    """It hands CommonMark on to a network that reads something else, escapes and all: what is escaped stays so."""

    capabilities = MARKED

    def written(self, intent: SendMessage) -> str:
        return intent.text or ""


class Offsets(Pigeon):
    """Spans beside the words: no sign is ever read."""

    capabilities = MARKED

    def ask(self, method: str, path: str, **content: Any) -> httpx.Request:
        if path == "/letters":
            text, spans = to_spans(content["json"]["text"])
            marks = [[span.start, span.end, span.style] for span in spans]
            content["json"] = {**content["json"], "text": text, "marks": marks}
        return super().ask(method, path, **content)

    def written(self, intent: SendMessage) -> str:
        return intent.text or ""


def checked(connector: type[Pigeon]) -> Result:
    (result,) = check(connector, only=["signs_are_not_markup"]).results
    return result


@pytest.mark.parametrize("connector", [Gaudy, Offsets, RawMarkdown])
def test_signs_that_are_told_apart_pass(connector: type[Pigeon]) -> None:
    assert (checked(connector).outcome, checked(connector).message) == ("passed", "")


@pytest.mark.parametrize(
    ("connector", "native", "styled"),
    [
        (NothingIsEscaped, "*sesame1*", "**sesame1**"),
        (OneSignIsForgotten, "/sesame1/", "*sesame1*"),
        (PlainWhereMarkupIsRead, "**sesame1**", "**sesame1**"),
    ],
)
def test_a_sign_that_becomes_markup_is_told(connector: type[Pigeon], native: str, styled: str) -> None:
    failed = checked(connector)
    assert failed.outcome == "failed"
    assert f"plain signs {native!r} are sent exactly as the markup {styled!r}; escape" in failed.message


def test_without_markup_there_is_nothing_to_escape() -> None:
    assert checked(Pigeon).message == "it sends no markup"


def test_spellings_are_short_lines_with_more_than_the_word() -> None:
    long = json.dumps({"text": "sesame1", "more": "x" * 400})
    assert spellings(f"sesame1\n  *sesame1* \nother\n*sesame1*\n{long}") == ["*sesame1*"]


def test_the_boundary_of_a_form_says_nothing() -> None:
    forms = [httpx.Request("POST", "https://x.example", files={"a": ("b", b"c")}) for _ in range(2)]
    first, second = (boundaries([one]) for one in forms)
    assert first
    assert first != second
    assert boundaries([httpx.Request("GET", "https://x.example"), object()]) == set()
