"""Offsets in UTF-16 there, code points here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import socialsupport_telegram.entities as entities_module
from socialsupport_core.text import plain
from socialsupport_telegram.entities import STYLES, offsets, to_entities, to_markdown
from socialsupport_telegram.native import Entity

WORDS = st.lists(st.sampled_from(["parcel", "Grüße", "👋", "👨‍👩‍👧", "𝒳", "late"]), min_size=1, max_size=6)
INLINE = ("bold", "italic", "strikethrough")


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def cut(text: str, entity: dict[str, object]) -> str:
    """What an entity covers, taken from the bytes as Telegram counts them."""
    start, length = entity["offset"], entity["length"]
    assert isinstance(start, int)
    assert isinstance(length, int)
    return text.encode("utf-16-le")[2 * start : 2 * (start + length)].decode("utf-16-le")


@given(st.text())
def test_offsets_count_code_units(text: str) -> None:
    assert offsets(text)[-1] == utf16(text)
    assert len(offsets(text)) == len(text) + 1


@pytest.mark.parametrize(
    ("markdown", "styled"),
    [
        ("👋 **bold**", {"bold": "bold"}),
        ("*italic* 👋", {"italic": "italic"}),
        ("👨‍👩‍👧 `code` after", {"code": "code"}),
        ("~~gone~~", {"strikethrough": "gone"}),
        ("> said\n\nanswered", {"blockquote": "said"}),
        ("```py\nx = 1\n```", {"pre": "x = 1"}),
        ("[here](https://acme.example)", {"text_link": "here"}),
        ("[Kerry](mention:42)", {"text_mention": "Kerry"}),
        ("# Title", {"bold": "Title"}),
    ],
)
def test_markup_becomes_entities(markdown: str, styled: dict[str, str]) -> None:
    text, entities = to_entities(markdown)
    assert {entity["type"]: cut(text, entity) for entity in entities} == styled


def test_white_space_around_a_text_is_gone_and_the_entities_still_fit() -> None:
    text, entities = to_entities("\n\n  \n**bold** and more  \n\n")
    assert text == "bold and more"
    assert [cut(text, entity) for entity in entities] == ["bold"]


def test_a_mention_of_another_network_stays_text() -> None:
    assert to_entities("[Kerry](mention:U0123)") == ("Kerry", [])


@pytest.mark.parametrize("native", STYLES)
def test_every_native_style_keeps_its_text(native: str) -> None:
    entity = Entity(type=native, offset=3, length=6, url="https://acme.example", language="py")
    assert plain(to_markdown("👋 parcel late", (entity,))).split() == ["👋", "parcel", "late"]


@pytest.mark.parametrize("native", ["mention", "hashtag", "url", "email", "custom_emoji", "something_new"])
def test_what_the_text_says_by_itself_needs_no_markup(native: str) -> None:
    assert to_markdown("@acme late", (Entity(type=native, offset=0, length=5),)) == "@acme late"


@given(WORDS, st.data())
def test_entities_survive_the_way_to_markdown_and_back(words: list[str], data: st.DataObject) -> None:
    """Whole words, each with at most one style: CommonMark can express those."""
    text, entities, here = " ".join(words), [], 0
    for word in words:
        if style := data.draw(st.sampled_from((None, *INLINE))):
            entities.append({"type": style, "offset": here, "length": utf16(word)})
        here += utf16(word) + 1
    back, found = to_entities(to_markdown(text, tuple(Entity(**entity) for entity in entities)))
    assert back == text
    assert {(one["type"], cut(back, one)) for one in found} == {(one["type"], cut(text, one)) for one in entities}


@given(st.text(), st.lists(st.tuples(st.sampled_from(sorted(STYLES)), st.integers(0, 40), st.integers(0, 40))))
def test_strange_entities_break_nothing(text: str, raw: list[tuple[str, int, int]]) -> None:
    entities = tuple(Entity(type=kind, offset=offset, length=length) for kind, offset, length in raw)
    assert isinstance(to_markdown(text, entities), str)


@given(st.text())
def test_entities_always_lie_inside_the_text(markdown: str) -> None:
    text, entities = to_entities(markdown)
    assert text == text.strip()
    for entity in entities:
        assert entity["length"] > 0
        assert entity["offset"] >= 0
        assert entity["offset"] + entity["length"] <= utf16(text)


def test_a_text_that_is_measured_again_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    known = entities_module.to_spans
    monkeypatch.setattr(entities_module, "to_spans", lambda markdown: read.append(markdown) or known(markdown))
    markdown = "measured **again** and again"
    _, first = to_entities(markdown)
    first[0]["type"] = "changed"
    assert to_entities(markdown)[1][0]["type"] == "bold"
    assert read == [markdown]
