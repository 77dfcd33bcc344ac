import random
from functools import partial

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from socialsupport_core.text import Unit, count, fits, plain, split, to_spans
from socialsupport_core.text.units import _COUNTERS

UNITS: list[Unit] = sorted(_COUNTERS)
PROSE = (
    "hello **bold** *it* `code` [link](https://a.example/b) https://a.example/long/path?x=y @name"
    " kerry@a.example 👨‍👩‍👧 e\u0301 日本語。 end. 5*3 [@Kim](mention:7) ~~no~~"
)
BLOCKS = ["\n", "\n\n", "\n- item\n", "\n\n```py\nx = 1\n    y = 2\n```\n\n", "\n\n> said\n\n"]
WORDS = st.sampled_from([*PROSE.split(), "`co de`", "[a link](https://a.example/b)", *BLOCKS])
TEXTS = st.lists(WORDS, max_size=40).map(" ".join)


def words(text: str) -> str:
    return "".join(text.split())


@settings(deadline=None)
@given(TEXTS, st.sampled_from(UNITS), st.integers(60, 200))
def test_parts_fit_and_lose_nothing(text: str, unit: Unit, limit: int) -> None:
    measure = partial(count, unit=unit)
    limit = limit if unit != "sms_segments" else 1 + limit % 3
    parts = split(text, limit, measure)
    assert all(fits(part, limit, measure) for part in parts)
    assert words("".join(map(plain, parts))) == words(plain(text))


@settings(deadline=None)
@given(TEXTS, st.integers(60, 120))
def test_nothing_whole_is_cut(text: str, limit: int) -> None:
    parts = split(text, limit, len)
    before, after = (
        regex.findall(r"\X", words(plain(text))),
        [cluster for part in parts for cluster in regex.findall(r"\X", words(plain(part)))],
    )
    assert before == after
    for whole in ("https://a.example/long/path?x=y", "kerry@a.example", "@name"):
        assert sum(plain(part).count(whole) for part in parts) == plain(text).count(whole)
    for style in ("link", "mention", "code"):
        assert values(parts, style) == values([text], style)


def values(parts: list[str], style: str) -> list[str]:
    found = []
    for part in parts:
        text, spans = to_spans(part)
        found += [text[span.start : span.end] + span.value for span in spans if span.style == style]
    return found


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(8, 50))
def test_any_text(text: str, limit: int) -> None:
    try:
        parts = split(text, limit, len)
    except ValueError:
        assert any(len(cluster) * 2 > limit for cluster in regex.findall(r"\X", text))
        return
    assert all(len(part) <= limit for part in parts)
    assert words("".join(map(plain, parts))) == words(plain(text))


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("fits", 4, ["fits"]),
        ("", 0, [""]),
        ("one two three", 8, ["one two", "three"]),
        ("One is here.\nTwo. Three is", 20, ["One is here.", "Two. Three is"]),
        ("First one.\n\nSecond\none is here", 20, ["First one.", "Second\none is here"]),
        ("It is so. And then more", 16, ["It is so.", "And then more"]),
        ("日本語です。次の文章です。", 8, ["日本語です。", "次の文章です。"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("見てhttps://a.example/bを", 19, ["見て", "https://a.example/b", "を"]),
        ("https://a.example/b/c", 10, ["https://a.", "example/b/", "c"]),
        ("a **b c d e f** g", 11, ["a **b c d**", "**e f** g"]),
        ("```py\na\n  b\nc\n```", 14, ["```py\na\n```", "```py\n  b\n```", "```py\nc\n```"]),
        ("say *this* now", 11, ["say *this*", "now"]),
        ("aa bb [cc dd](u) ee", 12, ["aa bb", "[cc dd](u)", "ee"]),
        ("🇨🇭🇨🇭🇨🇭", 4, ["🇨🇭🇨🇭", "🇨🇭"]),
        ("     ", 3, []),
    ],
)
def test_where_it_is_cut(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit, len) == parts


def test_style_is_given_up_where_it_does_not_fit() -> None:
    assert split("**ab** c", 3, len) == ["ab", "c"]


@pytest.mark.parametrize(("text", "limit"), [("ab", 0), ("👨‍👩‍👧", 4), ("[x](https://a.example)", 10)])
def test_what_cannot_be_cut_is_an_error(text: str, limit: int) -> None:
    with pytest.raises(ValueError, match="alone exceeds"):
        split(text, limit, len)


def test_a_greeting_is_no_part_of_its_own() -> None:
    text = "Hi\n\n" + "word " * 20
    assert split(text, 50, len)[0].startswith("Hi\n\nword")


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("limit", [3, 10, 280, 4096])
def test_the_measure_is_called_seldom(unit: Unit, limit: int) -> None:
    called = 0

    def measure(text: str) -> int:
        nonlocal called
        called += 1
        return count(text, unit)

    chance = random.Random(1)
    text = " ".join("x" * chance.randint(1, 9) for _ in range(4000))
    parts = split(text, limit, measure)
    assert words("".join(parts)) == words(text)
    assert called < 1 + len(parts) * 30
