"""The kit sees whether a text names somebody who should not be told, and says where."""

import json
from typing import Any

import httpx
import pytest
from mutants_of_mentions import Crier, QuotedMentionsCall, QuotedNamesCall, SignsCall, Whispering
from pigeon.connector import Pigeon

from socialsupport_core.testing.check import Result, check
from socialsupport_core.testing.mentions import Mentions

SOURCE = "https://crier.example/docs (2026-11)"


def checked(connector: type[Pigeon]) -> Result:
    (result,) = check(connector, only=["texts_ping_nobody"]).results
    return result


@pytest.mark.parametrize("connector", [Crier, Whispering])
def test_texts_that_name_nobody_pass(connector: type[Pigeon]) -> None:
    assert (checked(connector).outcome, checked(connector).message) == ("passed", "")


@pytest.mark.parametrize(
    ("connector", "text", "found"),
    [
        (SignsCall, "see \\<!loft> please", "'<!loft>' in text"),
        (QuotedNamesCall, "> see @robin@elsewhere.example please", "'@robin' in text"),
        (QuotedMentionsCall, "> see [@Robin](mention:ring-7) please", "'ring-7' in named"),
    ],
)
def test_who_is_named_is_told_with_its_place(connector: type[Pigeon], text: str, found: str) -> None:
    failed = checked(connector)
    assert failed.outcome == "failed"
    assert repr(text)[:-1] in failed.message
    assert f"names somebody: {found} of POST letters; nobody who brings a text along may tell others" in failed.message


def test_a_network_that_does_not_say_how_it_names_people_is_passed_over() -> None:
    assert checked(Pigeon).message == "cases/mentions.json does not say how people are named there"


def request(content: Any) -> httpx.Request:
    return httpx.Request("POST", "https://crier.example/letters", json=content)


def form(**content: str) -> httpx.Request:
    return httpx.Request("POST", "https://crier.example/letters", data=content)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (request({"text": "see <!loft>"}), "'<!loft>' in text"),
        (request({"title": "see <!loft>"}), None),
        (request({"blocks": [{"kind": "ring"}, [{"kind": "all"}]]}), "'all' in blocks/kind"),
        (request({"text": "<!loft>", "hush": {"all": []}}), None),
        (request({"text": "<!loft>", "hush": {"all": ["x"]}}), "'<!loft>' in text"),
        (form(text="<!loft>"), "'<!loft>' in text"),
        (form(blocks=json.dumps([{"kind": "all"}])), "'all' in blocks/kind"),
        (form(text="{not JSON <!loft>"), "'<!loft>' in text"),
        (httpx.Request("GET", "https://crier.example/<!loft>"), None),
        (httpx.Request("POST", "https://crier.example", content=b"\xff\x00"), None),
    ],
)
def test_a_call_is_read_field_by_field(asked: httpx.Request, found: str | None) -> None:
    told = Mentions(source=SOURCE, fields=("text",), marks={"blocks/kind": ("all",)}, unless={"hush/all": []})
    assert told.named_in(asked, ("<!loft>",)) == found


def test_without_fields_all_of_them_are_read() -> None:
    assert Mentions(source=SOURCE).named_in(request({"a": [{"b": "@x"}]}), ("@x",)) == "'@x' in a/b"
