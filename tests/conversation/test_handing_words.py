"""What hand-offs say: in four languages as shipped, in the tenant's own words where it has some."""

import pytest

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.handing.words import (
    FIELDS,
    LANGUAGES,
    NEEDED,
    VARIED,
    Words,
    _fields,
    defaults,
    merged,
    read,
)
from socialsupport_core.conversation.personal import personal_data

VALUES = {
    "url": "https://hub.example/h/abc",
    "code": "123456",
    "where": "by e-mail",
    "until": "tomorrow",
    "opens": "Monday",
    "by": "noon",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_text_with_exactly_its_fields(language: str) -> None:
    texts = {name: text for name, text in defaults(language).items() if not name.startswith("places.")}
    assert set(texts) == {*FIELDS, *(f"{name}.{n}" for name in VARIED for n in (2, 3))}
    for name, text in texts.items():
        base = name.partition(".")[0]
        assert NEEDED.get(base, frozenset()) <= _fields(name, text) <= FIELDS[base]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_the_same_places(language: str) -> None:
    assert {one for one in defaults(language) if one.startswith("places.")} == {
        f"places.{network}"
        for network in (
            "email",
            "webchat",
            "telegram",
            "x",
            "phone",
            "facebook",
            "instagram",
            "whatsapp",
            "line",
            "twilio",
            "generic",
            "webform",
            "visit",
            "other",
        )
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_everybody_reads_fits_and_tells_nothing(language: str) -> None:
    for name in FIELDS:
        text = Words().say(name, language, **{field: VALUES[field] for field in FIELDS[name]})
        assert "{" not in text
        if name.startswith("public_"):
            assert len(text) <= 200
            assert personal_data(text) == []


def test_the_four_languages_are_different() -> None:
    said = {Words().say("public_sent", language) for language in LANGUAGES}
    assert len(said) == 4


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", "Guten Tag"),
        ("de-AT", "Guten Tag"),
        ("DE", "Guten Tag"),
        ("tlh", "Hello"),
        (None, "Hello"),
        ("", "Hello"),
    ],
)
def test_whoever_speaks_another_language_is_spoken_to_in_the_tenants(language: str | None, said: str) -> None:
    assert Words().say("private_open", language).startswith(said)


def test_a_tenant_has_its_own_words_and_language() -> None:
    words = Words(
        read('language = "nl"\n[nl]\npublic_sent = "Kijk in je berichten."\n[nl.places]\nwhatsapp = "op WhatsApp"')
    )
    assert words.language == "nl"
    assert words.say("public_sent", None) == "Kijk in je berichten."
    assert words.say("public_sent", "de").startswith("Wir")
    assert words.place("whatsapp", "nl") == "op WhatsApp"
    assert words.place("whatsapp", "de") == "auf WhatsApp"
    assert words.place("threema", "de") == "auf threema"
    assert words.say("public_open", "nl").startswith("We have sent")


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("not toml at all", "no TOML"),
        ('language = "Deutsch!"', "write it like de"),
        ('de = "hello"', "as in [de]"),
        ('[de]\npublic_sent = ""', "de.public_sent: write a text"),
        ("[de]\npublic_sent = 5", "de.public_sent: write a text"),
        (f'[de]\npublic_sent = "{"x" * 1001}"', "at most 1000"),
        ('[de]\npublik = "a"', "there is no such template"),
        ('[xx1]\npublic_sent = "a"', "[xx1] is no language; write it like [de]"),
        ('[pt-br]\npublic_sent = "a"', "without a country"),
        ('[de]\npublic_sent = "Dear {name}"', "{name} cannot be filled in"),
        ('[de]\npublic_sent = "look: {url}"', "{url} cannot be filled in"),
        ('[de]\npublic_link = "come"', "{url} is missing"),
        ('[de]\ncode_told = "type it"', "{code} is missing"),
        ('[de]\npublic_link = "{url.__class__}"', "names in braces and nothing else"),
        ('[de]\npublic_link = "{url!r}"', "names in braces and nothing else"),
        ('[de]\npublic_link = "{url:>9999999}"', "names in braces and nothing else"),
        ('[de]\npublic_link = "{0}"', "names in braces and nothing else"),
        ('[de]\npublic_link = "{url"', "for a brace"),
        ('[de.places]\nx = "{url}"', "{network}"),
        ("[de]\npublic_sent = []", "de.public_sent: write one text; in up to 9 ways are said public_open, public_sent"),
        ('[de]\ngo_on = ["a", "b"]', "de.go_on: write one text"),
        ('[de]\npublic_sent = ["a", "b", "a"]', "de.public_sent: two of its texts are the same"),
        ('[de]\npublic_sent = ["a", 5]', "de.public_sent.2: write a text"),
        ('[de]\npublic_sent = ["a", "{url}"]', "{url} cannot be filled in"),
        ('[de]\n"public_sent.10" = "a"', "there is no such template"),
        ('[de]\n"public_link.2" = "{url}"', "there is no such template"),
    ],
)
def test_bad_words_are_refused_with_the_place_and_the_remedy(toml: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(toml)
    assert said in str(error.value)


def test_what_was_said_lately_is_said_in_another_way() -> None:
    """Some networks refuse the same words twice, and a person would not repeat them either."""
    words, said = Words(read('[de]\npublic_sent = ["Eins.", "Zwei.", "Drei."]')), list[str]()
    for _ in range(7):
        said.insert(0, f"@pat {words.say('public_sent', 'de', said)}")
    assert said[::-1] == [f"@pat {one}." for one in ["Eins", "Zwei", "Drei", "Eins", "Zwei", "Drei", "Eins"]]


def test_a_text_of_the_tenants_own_takes_the_place_of_all_ways() -> None:
    own = read('[en]\npublic_sent = "Look there."')
    assert {Words(own).say("public_sent", "en", said) for said in ([], ["Look there."])} == {"Look there."}
    shown = merged({name: text for (_, name), text in own.items()}, "en")
    assert [name for name in shown if name.startswith("public_sent")] == ["public_sent"]
    assert "public_open.3" in shown
    assert read('[en]\n"public_sent" = "a"\n"public_sent.2" = "b"') == read('[en]\npublic_sent = ["a", "b"]')
