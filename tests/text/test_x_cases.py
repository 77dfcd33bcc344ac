"""X's rules by example; `test_conformance.py` runs X's own files where they lie beside the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.text import (
    V1,
    V2,
    V3,
    cashtags,
    count,
    entities,
    hashtags,
    is_hashtag,
    is_list,
    is_post,
    is_url,
    is_username,
    mentions,
    reply_to,
    urls,
    weigh,
)

CASES: dict[str, list[list[Any]]] = json.loads(Path(__file__).with_name("x_cases.json").read_text(encoding="utf-8"))
WEIGHTS = {"v1": V1, "v2": V2, "v3": V3}


@pytest.mark.parametrize(
    ("find", "text", "expected"),
    [
        (find, *case)
        for find, name in (
            (mentions, "mentions"),
            (hashtags, "hashtags"),
            (cashtags, "cashtags"),
            (urls, "urls"),
        )
        for case in CASES[name]
    ],
)
def test_entities(find: Any, text: str, expected: list[str]) -> None:
    found = find(text)
    assert [entity.text for entity in found] == expected
    for entity in found:
        assert entity.text in text[entity.start : entity.end]


@pytest.mark.parametrize(("text", "expected"), CASES["slugs"])
def test_lists(text: str, expected: list[str]) -> None:
    assert [entity.list_slug for entity in mentions(text)] == expected


@pytest.mark.parametrize(("text", "expected"), CASES["replies"])
def test_reply_to(text: str, expected: str | None) -> None:
    assert reply_to(text) == expected


@pytest.mark.parametrize(("version", "text", "length", "valid", "display_end", "valid_end"), CASES["weights"])
def test_weights(version: str, text: str, length: int, valid: bool, display_end: int, valid_end: int) -> None:
    weighed = weigh(text, WEIGHTS[version])
    found = (weighed.length, weighed.valid, weighed.display_end, weighed.valid_end)
    assert found == (length, valid, display_end, valid_end)


@pytest.mark.parametrize(("text", "expected"), CASES["valid_urls"])
def test_valid_urls(text: str, expected: bool) -> None:
    assert is_url(text) is expected


def test_a_url_may_do_without_protocol_where_that_is_asked() -> None:
    assert is_url("acme.com/x", require_protocol=False)
    assert not is_url("acme", require_protocol=False)
    assert not is_url("https://acme.com/" + "x" * 4096)


def test_whole_names_only() -> None:
    assert is_username("@acme")
    assert is_list("@acme/team")
    assert is_hashtag("#tag")
    assert not is_username("@acme-x")
    assert not is_username("acme")
    assert not is_list("@acme")
    assert not is_hashtag("#12")


def test_entities_do_not_overlap() -> None:
    text = "@acme see https://acme.com/@kerry#x #help $ACME"
    assert [(entity.kind, entity.text) for entity in entities(text)] == [
        ("mention", "acme"),
        ("url", "https://acme.com/@kerry#x"),
        ("hashtag", "help"),
        ("cashtag", "ACME"),
    ]


def test_the_limit_is_280() -> None:
    assert is_post("x" * 280)
    assert not is_post("x" * 281)
    assert is_post("字" * 140)
    assert not is_post("字" * 141)
    assert weigh("x" * 281).valid_end == 279
    assert weigh("x" * 140).permillage == 500


def test_a_sequence_that_is_no_emoji_counts_in_pieces() -> None:
    assert count("👍\u200d👍", "x_weighted") == 5
    assert count("☺\ufe0e", "x_weighted") == 4


@pytest.mark.parametrize("piece", ["a.", "com.", "é.", "https://", "https://a.co/((", "@a", "#1", "$A.", "-.a"])
def test_searching_ends(piece: str) -> None:
    text = piece * (50_000 // len(piece))
    assert isinstance(entities(text), list)
    assert weigh(text).length > 0


@pytest.mark.parametrize("labels", [127, 128, 129, 300])
def test_a_host_name_has_a_longest(labels: int) -> None:
    assert urls("https://" + "a." * (labels - 1) + "com") == []
