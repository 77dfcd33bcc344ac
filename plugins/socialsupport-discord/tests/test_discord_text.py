"""Discord's markup: nothing that an agent writes mentions anybody, and what people write is read."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.text import escape, plain, to_spans
from socialsupport_discord import markup

LIVE = re.compile(r"(?<!\\)<(?:@[!&]?\d|#\d|a?:\w+:\d|t:\d|/\w)")
PIECES = st.sampled_from(
    [
        "<@1>",
        "<@!2>",
        "<@&3>",
        "<#4>",
        "<:a:5>",
        "<a:b:6>",
        "<t:7:R>",
        "</c:8>",
        "**b**",
        "*i*",
        "`<@9>`",
        "||s||",
        "@everyone",
        "plain",
        "\\",
        "_",
        "__x__",
        "~~g~~",
        "[l](https://a.example)",
        "[m](mention:1)",
        "\n",
        "> q",
        "|",
    ]
)


def outside_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]+`", "", text, flags=re.DOTALL)


@given(st.lists(PIECES, max_size=12).map(" ".join) | st.text(max_size=80))
def test_nothing_that_is_written_is_alive(markdown: str) -> None:
    assert not LIVE.search(outside_code(markup.write(markdown)))


@given(st.lists(PIECES, max_size=12).map(" ".join))
def test_every_letter_is_still_there(markdown: str) -> None:
    assert re.sub(r"[\s\\]", "", plain(markup.write(markdown))) == re.sub(r"[\s\\]", "", plain(markdown))


@given(st.lists(st.sampled_from(["plain", "**bold**", "*italic*", "~~gone~~", "`code`", "[l](https://a.example)"])))
def test_styles_come_back_as_they_went(words: list[str]) -> None:
    markdown = " ".join(words)
    assert to_spans(markup.read(markup.write(markdown), {})) == to_spans(markdown)


@given(st.text(st.sampled_from("ab<@!&#:/t1>|_*~`\n-"), max_size=80))
def test_anything_can_be_read(text: str) -> None:
    assert isinstance(markup.read(text, {"1": "[kerry](x)\\"}), str)


def test_much_markup_is_read_and_written_in_time() -> None:
    for hostile in ("__" * 2_000, "||" * 2_000, "<@" * 2_000, "`" * 4_000, "```" * 1_300, "__a" * 1_300):
        markup.read(hostile, {})
        markup.write(hostile)


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("<@1> and <@!2>", "[@Kerry](mention:1) and [@2](mention:2)"),
        ("<@&3> <#4> <:parrot:5> <a:dance:6> </help:7> <t:8:R>", "@3 #4 :parrot: :dance: /help 8"),
        ("__under__ ||secret|| **bold**", "under secret **bold**"),
        ("`<@1> __x__`", "`<@1> __x__`"),
        ("```\n<@1>\n```", "```\n<@1>\n```"),
        ("-# small\nlarge", "small\nlarge"),
        ("<@12345678901234567890123>", "<@12345678901234567890123>"),
    ],
)
def test_what_people_write_is_read(said: str, read: str) -> None:
    assert markup.read(said, {"1": "Kerry"}) == read


def test_a_name_is_no_markup() -> None:
    assert markup.read("<@1>", {"1": "a](https://evil.example)["}) == "[@a(https://evil.example)](mention:1)"


@pytest.mark.parametrize(
    ("markdown", "written"),
    [
        ("<@1> @everyone", "\\<@1> @everyone"),
        ("[kerry](mention:1)", "kerry"),
        ("`<@1>`", "`<@1>`"),
        (escape("*literal*"), "\\*literal\\*"),
        ("a < b", "a < b"),
        ("||x||", "\\|\\|x\\|\\|"),
    ],
)
def test_what_agents_write_is_written(markdown: str, written: str) -> None:
    assert markup.write(markdown) == written
