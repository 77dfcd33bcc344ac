"""Words that find an answer, blanks that are filled, variants, and the score."""

import pytest
from pydantic import ValidationError

from socialsupport_core.guidance.answers import Answer, Blanks, Outcome, fill, matching, tokens
from socialsupport_core.guidance.answers.outcome import changed, match


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("my parcels are late", "the parcel is late"),
        ("Rechnungen", "rechnung"),
        ("remboursements", "remboursement"),
        ("contraseñas", "contraseña"),
        ("Bestellung verspätet", "BESTELLUNGEN VERSPÄTET"),
        ("livraisons retardées", "livraison retardée"),
    ],
)
def test_forms_of_a_word_are_one(one: str, other: str) -> None:
    assert set(tokens(one)) == set(tokens(other)) != set()


def test_neither_numbers_nor_words_of_every_sentence_find_anything() -> None:
    assert tokens("the order is 4711-AB, and my mail is k4@x.io") == ("order", "mail")
    assert tokens("und die ist nicht für Sie") == ()


def test_it_says_by_which_words() -> None:
    assert matching(tokens("parcel late"), "Late parcels, lost parcel") == ["late", "parcels", "parcel"]


KERRY = Blanks(agent="Dana", customer="Kerry Fisher", handle="kerry", private={"order": "4711"}, open={"shop": "Leeds"})


def test_blanks_are_filled_in_private() -> None:
    filled = fill("{greeting}, {order} from {shop}: {agent} for {handle}", KERRY)
    assert filled.text == "Hi Kerry Fisher, 4711 from Leeds: Dana for @kerry"
    assert filled.missing == ()


def test_in_public_neither_name_nor_order_is_said() -> None:
    public = Blanks(**{name: getattr(KERRY, name) for name in ("agent", "customer", "handle", "private")}, public=True)
    filled = fill("{greeting}, {order} {order} {weather}", public)
    assert filled.text == "Hi @kerry, {order} {order} {weather}"
    assert filled.missing == ("order", "weather")


@pytest.mark.parametrize(
    ("language", "network", "greeting"),
    [
        ("de", "email", "Guten Tag Kerry"),
        ("de", "x", "Hallo Kerry"),
        (None, "email", "Hello Kerry"),
        ("xx", "x", "Hi Kerry"),
    ],
)
def test_greetings(language: str | None, network: str, greeting: str) -> None:
    assert fill("{greeting}", Blanks("Dana", "Kerry", language=language, network=network)).text == greeting


def test_the_variant_of_a_place() -> None:
    one = Answer(title="t", text="long " * 100, short="short", on={"x": "for x", "shop": "for the shop"})
    assert one.said_on("bot", "telegram", 4096) == one.text
    assert one.said_on("bot", "telegram", 300) == "short"
    assert one.said_on("bot", "bluesky", 500) == "short"
    assert one.said_on("acme", "x", 280) == "for x"
    assert one.said_on("shop", "x", 280) == "for the shop"
    assert one.said_on("mail", "email", None) == one.text


def test_a_misspelt_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="txt"):
        Answer.model_validate({"title": "t", "txt": "x"})


def test_good_answers_rise_and_the_words_tell_why() -> None:
    new, good, bad = Outcome(), Outcome(10, 0.0, 9, 1), Outcome(10, 0.0, 1, 9)
    assert bad.score < new.score == 0.5 < good.score
    assert Outcome(10, 0.8, 9, 1).score < good.score
    assert good.words == "sent 10 times, 9 stayed resolved, 1 came back, 0% changed on average"
    assert new.words == "not used yet"


@pytest.mark.parametrize(
    ("sent", "share"), [("one two three four", 0.0), ("one two", 0.5), ("five six seven eight", 1.0), ("", 1.0)]
)
def test_how_much_was_changed(sent: str, share: float) -> None:
    assert changed("one two three four", sent) == share


def test_a_word_of_the_title_counts_twice() -> None:
    asked = tokens("my parcel is late again today")
    assert match(asked, tokens("parcel late"), "parcel") > match(asked, tokens("parcel late"), "other")
    assert match((), ("parcel",), "x") == 0
