"""One account has one spelling."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.contract import Registry, hookimpl
from socialsupport_core.identity import Policy, canonical
from socialsupport_core.identity.addresses import account_at
from socialsupport_core.identity.canonical import FORMS, add_forms, canonical_value, email
from socialsupport_core.model import Identifier


@pytest.mark.parametrize(
    ("one", "spellings"),
    [
        ("+442079460958", ["+44 20 7946 0958", "+44 (0)20 7946-0958", "0044 20 7946 0958", "tel:+44-20-7946-0958"]),
        ("+442079460958", ["＋44 20 7946 0958", "+٤٤ ٢٠ ٧٩٤٦ ٠٩٥٨"]),
        ("+5511987654321", ["+55 11 98765-4321", "+55 11 8765-4321", "+55 (11) 8765 4321"]),  # the ninth digit
        ("+551130031234", ["+55 11 3003-1234"]),  # a landline has eight for ever
        ("+541155551234", ["+54 9 11 5555-1234", "+54 11 5555-1234", "+54 11 15 5555-1234"]),
        ("+543415551234", ["+54 9 341 555-1234", "+54 341 15 555-1234", "+54 341 555 1234"]),
        ("+525512345678", ["+52 1 55 1234 5678", "+52 55 1234 5678"]),
        ("+442079460958;ext=12", ["+44 20 7946 0958 ext. 12", "+44 20 7946 0958 x12", "+442079460958;ext=12"]),
        ("02079460958", ["020 7946 0958", "(020) 7946-0958"]),  # nobody knows of which country
        ("anonymous", ["anonymous", " anonymous "]),
    ],
)
def test_a_telephone_number_has_one_form(one: str, spellings: list[str]) -> None:
    assert {canonical_value("phone", written) for written in spellings} == {one}
    assert canonical_value("phone", one) == one


@pytest.mark.parametrize(
    "written",
    [
        "\u212aerry@mail.example",  # the sign of the Kelvin, which is a k in lower case
        "kerr\u0443@mail.example",  # Cyrillic
        "\uff4berry@mail.example",  # full width
        "ker\u200bry@mail.example",  # an invisible space
        "kerry@m\u0430il.example",
        "kerry+shop@mail.example",
        "kerry@mail.example\u202e",
    ],
)
def test_what_only_looks_like_an_address_is_another(written: str) -> None:
    assert canonical_value("email", written) != "kerry@mail.example"
    assert canonical_value("email", canonical_value("email", written)) == canonical_value("email", written)


def test_numbers_of_a_country_are_read_where_the_policy_names_it() -> None:
    british, italian = Policy(calling_code="44"), Policy(calling_code="39")
    assert canonical_value("phone", "020 7946 0958", british) == "+442079460958"
    assert canonical_value("phone", "06 1234 5678", italian) == "+390612345678"
    assert canonical_value("phone", "+1 212 555 0100", british) == "+12125550100"


@pytest.mark.parametrize("value", ["+1 212 555 0100", "+521234567890", "+5491234", "+54123456789012", "+55119876"])
def test_no_alias_rule_touches_what_only_begins_alike(value: str) -> None:
    assert canonical_value("phone", value) == "+" + "".join(filter(str.isdigit, value))


@pytest.mark.parametrize(
    ("one", "spellings"),
    [
        ("kerry@acme.example", ["Kerry@Acme.Example", " kerry@acme.example ", "mailto:KERRY@acme.example?subject=Hi"]),
        ("k@xn--bcher-kva.example", ["k@bücher.example", "K@BÜCHER.example", "k@xn--bcher-kva.example"]),
        ("k@acme.example", ["k@acme.example."]),
        ("nobody", ["Nobody"]),
    ],
)
def test_a_mailbox_has_one_form(one: str, spellings: list[str]) -> None:
    assert {canonical_value("email", written) for written in spellings} == {one}


@given(st.from_regex(r"[a-z0-9._-]{1,9}@[a-z0-9.-]{0,70}[a-z0-9]", fullmatch=True))
def test_what_is_plain_at_a_glance_is_its_own_form(address: str) -> None:
    assert canonical_value("email", address) == address == email(address)


def test_plus_tags_are_kept_or_dropped_as_the_policy_says() -> None:
    tagged = Identifier(kind="email", value="Kerry+shop@acme.example")
    assert canonical(tagged).value == "kerry+shop@acme.example"
    assert canonical(tagged, Policy(plus_tags="drop")).value == "kerry@acme.example"
    assert canonical_value("email", "+shop@acme.example", Policy(plus_tags="drop")) == "+shop@acme.example"


@pytest.mark.parametrize(
    ("address", "account"),
    [
        ("https://x.com/i/user/123", "x.user:123"),
        ("https://twitter.com/intent/user?user_id=123", "x.user:123"),
        ("https://www.facebook.com/profile.php?id=100&sk=about", "facebook.user:100"),
        ("http://m.facebook.com/profile.php?sk=about&id=100", "facebook.user:100"),
        ("https://www.youtube.com/channel/UCabcdefghijklmnopqrstuv/videos", "youtube.channel:UCabcdefghijklmnopqrstuv"),
        ("https://discord.com/users/80351110224678912", "discord.user:80351110224678912"),
        ("https://bsky.app/profile/did:plc:z72i7hdynmk6r22z27h6tvur", "bluesky.user:did:plc:z72i7hdynmk6r22z27h6tvur"),
        ("https://vk.com/id1", "vk.user:1"),
        ("https://wa.me/442079460958?text=hi", "phone:+442079460958"),
        ("https://api.whatsapp.com/send?phone=442079460958&text=hi", "phone:+442079460958"),
        ("mailto:kerry@acme.example", "email:kerry@acme.example"),
        ("https://x.com/kerry", None),  # a handle is whoever has it today
        ("https://www.facebook.com/kerry", None),
        ("https://vk.com/id1x", None),
        ("https://x.com.evil.example/i/user/123", None),
        ("https://evil.example/https://x.com/i/user/123", None),
        ("kerry", None),
    ],
)
def test_an_address_of_a_profile_names_an_account_only_by_its_id(address: str, account: str | None) -> None:
    found = account_at(address)
    assert (str(found) if found else None) == account


def test_an_address_is_read_where_an_id_of_that_kind_is_wanted() -> None:
    assert canonical_value("x.user", "https://x.com/i/user/123") == "123"
    assert canonical_value("phone", "https://wa.me/5511987654321") == "+5511987654321"
    assert canonical_value("telegram.user", "https://x.com/i/user/123") == "https://x.com/i/user/123"


@given(st.sampled_from(["email", "phone", "x.user"]), st.text(min_size=1, max_size=30))
def test_a_form_is_its_own_form_and_never_empty(kind: str, written: str) -> None:
    once = canonical_value(kind, written)
    assert once
    assert canonical_value(kind, once) == once


def test_a_plugin_spells_its_own_kinds_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    @hookimpl
    def socialsupport_canonical_forms() -> dict[str, object]:
        return {"heron.nest": str.upper, "email": str.upper}

    registry = Registry.of(
        SimpleNamespace(__name__="heron", socialsupport_canonical_forms=socialsupport_canonical_forms)
    )
    monkeypatch.setitem(FORMS, "heron.nest", str)  # taken away again afterwards
    add_forms(registry.canonical_forms)
    assert canonical_value("heron.nest", "reed-3") == "REED-3"
    assert canonical_value("email", "k@acme.example") == "k@acme.example"
