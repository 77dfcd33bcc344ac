"""What may be one person: the light scorer, from spellings to the review item."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socialsupport_core.identity import attest, observe, split, undo
from socialsupport_core.identity.suggestions import Profile, Suggestion, merged, name_of, profile, suggest, suggest_for
from socialsupport_core.identity.suggestions.blocking import CROWD, candidates, keys, sound
from socialsupport_core.identity.suggestions.gathering import (
    from_observations,
    from_store,
    split_in,
    split_in_store,
)
from socialsupport_core.identity.suggestions.light import Census, score, weigh
from socialsupport_core.identity.suggestions.profiles import FORMS, fold
from socialsupport_core.identity.suggestions.similarity import edits, jaro_winkler
from socialsupport_core.identity.suggestions.weights import COMPARISONS
from socialsupport_core.model import Identifier, Party
from socialsupport_core.store import Database, Tx, open_store
from socialsupport_core.store.accounts import add_tenant

WORDS = st.text("abcde", max_size=8)


def person(number: str, kind: str = "raven.ring", /, **known: str) -> Profile:
    return profile(Identifier(kind=kind, value=number), {key: [value] for key, value in known.items()})


KERRY = person("1", name="Kerry Fisher", email="kerry.fisher@mail.example", city="Leeds", birth_date="1984-05-23")
KERRI = person("2", name="Fisher Kerri", email="kerry.fisher@post.example", city="Leeds", birth_date="1984-05-23")
JORDAN = person("3", name="Jordan Fisher", email="jo@mail.example", city="Leeds", birth_date="1991-11-02")
CHANCE = random.Random(7)
STRANGE = ["".join(CHANCE.choices("abcdefghijklmnopqrstuvwxyz", k=9)) for _ in range(200)]
CROWDED = [person(f"x{n}", name=f"{STRANGE[n]} {STRANGE[-n - 1]}", city="Leeds") for n in range(100)]


# spellings


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [("martha", "marhta", 0.961), ("dwayne", "duane", 0.84), ("dixon", "dicksonx", 0.813), ("abc", "xyz", 0.0)],
)
def test_jaro_winkler_as_its_author_has_it(a: str, b: str, alike: float) -> None:
    """Winkler, Overview of Record Linkage and Current Research Directions, 2006, table 2."""
    assert jaro_winkler(a, b) == pytest.approx(alike, abs=0.001)


@given(WORDS, WORDS)
def test_likeness_is_mutual_and_between_nothing_and_the_same(a: str, b: str) -> None:
    assert 0 <= jaro_winkler(a, b) <= 1
    assert jaro_winkler(a, b) == pytest.approx(jaro_winkler(b, a))
    assert (edits(a, b) == 0) == (a == b)
    assert edits(a, b) == edits(b, a) <= max(len(a), len(b))


@given(WORDS, st.integers(0, 7), st.sampled_from("xyz"))
def test_one_slip_is_one_edit(word: str, place: int, letter: str) -> None:
    place = min(place, len(word))
    assert edits(word, word[:place] + letter + word[place:]) == 1
    if place + 1 < len(word) and word[place] != word[place + 1]:
        assert edits(word, word[:place] + word[place + 1] + word[place] + word[place + 2 :]) == 1


# profiles


def test_values_are_brought_into_one_form() -> None:
    found = person("1", name="  Zoë   O'Brien ", birth_date="1984-05-23", email="Zoe@MAIL.example", phone="+1 555 0147")
    assert found.values == {
        "birth_date": ("19840523",),
        "email": ("zoe@mail.example",),
        "name": ("zoe o brien",),
        "phone": ("+15550147",),
    }


def test_what_is_empty_or_unknown_is_left_out() -> None:
    assert person("1", name=" ", shoe_size="43", email="").values == {}
    assert person("1", phone="none", city="?").values == {}


def test_a_part_of_a_name_loses_its_inner_spaces() -> None:
    assert name_of("Osc a", "van Gogh") == "osca vangogh"
    assert name_of(None, "Fisher") == "fisher"
    assert name_of("", None) == ""


@given(st.text(max_size=40))
def test_a_normal_form_is_its_own(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    for form in FORMS.values():
        assert form(form(text)) == form(text)


def test_a_customer_knows_what_each_of_its_accounts_does() -> None:
    joined = {KERRY.subject: "one", KERRI.subject: "one"}
    found = merged([JORDAN, KERRI, KERRY], joined.get)
    assert [str(one.subject) for one in found] == ["raven.ring:1", "raven.ring:3"]
    assert found[0].values["email"] == ("kerry.fisher@mail.example", "kerry.fisher@post.example")
    assert found[0].accounts == (KERRY.subject, KERRI.subject)


# keys


def test_whoever_shares_a_key_is_compared() -> None:
    assert "birth_date 19840523" in keys(KERRY) & keys(KERRI)
    assert "local kerry.fisher" in keys(KERRY) & keys(KERRI)
    assert list(candidates([KERRY, JORDAN, person("4", name="Nobody Else")])) == [(0, 1)]


def test_two_words_make_one_key_in_whatever_order_they_stand() -> None:
    assert "word+word fisher kerry" in keys(person("1", name="Fisher Kerry")) & keys(KERRY)


def test_a_key_that_a_crowd_shares_finds_nobody() -> None:
    alike = [person(str(number), handle="admin") for number in range(CROWD + 1)]
    assert len(list(candidates(alike[:CROWD]))) == CROWD * (CROWD - 1) // 2
    assert list(candidates(alike)) == []


def test_letters_that_changed_places_sound_the_same() -> None:
    assert sound("fisher") == sound("fihser") == sound("fishere")
    assert sound("oui") == "o"


# weights


def test_every_attribute_has_a_form_and_a_comparison() -> None:
    assert FORMS.keys() == COMPARISONS.keys()


@pytest.mark.parametrize("attribute", COMPARISONS)
def test_weights_fall_from_the_same_to_apart(attribute: str) -> None:
    """What is written down are chances: between 0 and 1, those of one person sum up to at most 1."""
    one = COMPARISONS[attribute]
    assert 0.99 <= one.same + one.apart + sum(level.m for level in one.levels) <= 1.01
    assert all(0 < level.u < 1 for level in one.levels)
    census = Census([])
    rare = weigh(attribute, "12345678", "12345678", census)[1]
    apart = weigh(attribute, "12345678", "abcdefgh", census)
    assert apart[0] == "apart"
    assert apart[1] < 0 < rare


def test_what_many_have_tells_less() -> None:
    census = Census([person(str(number), name="Kerry") for number in range(50)] + [person("a", name="Zora")])
    common, rare = (weigh("name", name, name, census)[1] for name in ("kerry", "zora"))
    assert common + 3 < rare


def test_the_best_of_many_values_tells_less_than_the_only_one() -> None:
    census = Census([])
    assert weigh("email", "a@x.example", "a@x.example", census, 8)[1] == pytest.approx(
        weigh("email", "a@x.example", "a@x.example", census)[1] - 3
    )
    many = profile(KERRY.subject, {"city": ["leeds", "york"]})
    (_, city) = score(many, person("2", city="York"), Census([])).waterfall
    assert (city.level, city.left) == ("same", "york")


@pytest.mark.parametrize(
    ("attribute", "a", "b", "level"),
    [
        ("name", "k", "kerry", "initial"),
        ("name", "kerry", "kerri", "spelling"),
        ("name", "katharina", "katherin", "spelling"),
        ("name", "kerry", "zora", "apart"),
        ("birth_date", "19840523", "19842305", "swapped"),
        ("birth_date", "19840503", "19840305", "swapped"),
        ("birth_date", "19840523", "19840528", "spelling"),
        ("birth_date", "19840523", "19840611", "within a month"),
        ("birth_date", "19840523", "19850101", "within a year"),
        ("birth_date", "19840523", "19990101", "apart"),
        ("birth_date", "unknown1", "19990101", "apart"),
        ("email", "kerry.fisher@a.example", "kerry.fisher@b.example", "same local part"),
        ("email", "kerry.fisher+shop@a.example", "kerry.fisher@b.example", "same local part"),
        ("email", "kerryf@mail.example", "keryf@mail.example", "spelling"),
        ("email", "info@mail.example", "info@completely-different.test", "apart"),
        ("phone", "+441632960147", "01632960147", "same end"),
        ("phone", "+15550147", "+15550149", "spelling"),
        ("national_id", "7137361", "7137316", "spelling"),
        ("street", "augusta court", "agusta court", "spelling"),
    ],
)
def test_levels(attribute: str, a: str, b: str, level: str) -> None:
    assert weigh(attribute, a, b, Census([]))[0] == level
    assert weigh(attribute, b, a, Census([]))[0] == level


def test_each_word_of_a_name_counts_once() -> None:
    found = score(person("1", name="Kerry Kerry"), person("2", name="Kerry Fisher"), Census([]))
    assert sorted(step.level for step in found.waterfall if step.attribute == "name") == ["apart", "same"]


def test_of_a_family_the_common_word_counts_half() -> None:
    def worth(name: str) -> float:
        steps = score(person("1", name="Kerry Fisher"), person("2", name=name), Census([])).waterfall
        return next(step.bits for step in steps if step.left == "fisher")

    assert worth("Jordan Fisher") == pytest.approx(worth("Kerry Fisher") / 2)
    assert worth("Fisher") == worth("Kerry Fisher")


def test_a_handle_made_of_the_name_is_not_believed_twice() -> None:
    def worth(handle: str) -> dict[str, float]:
        one, other = (person(n, name="Kerry Fisher", handle=handle) for n in "12")
        steps = score(one, other, Census([])).waterfall
        return {step.attribute: sum(each.bits for each in steps if each.attribute == step.attribute) for step in steps}

    made, other = worth("kerry_fisher"), worth("moonlight7")
    assert made["name"] == other["name"] > 15
    assert made["handle"] == 0
    assert other["handle"] > 14


def test_an_address_made_of_the_name_counts_when_it_is_the_very_same() -> None:
    def worth(mine: str, other: str) -> float:
        pair = person("1", name="Kerry Fisher", email=mine), person("2", name="Kerry Fisher", email=other)
        return sum(step.bits for step in score(*pair, Census([])).waterfall if step.attribute == "email")

    assert worth("kerry.fisher@mail.example", "kerry.fisher@mail.example") > 18
    assert worth("kerry.fisher@mail.example", "kerry.fisher@post.example") == 0
    assert worth("moonlight@mail.example", "moonlight@post.example") > 7


# suggestions


def test_who_may_be_one_person_is_suggested_with_reasons() -> None:
    (found,) = suggest([KERRY, KERRI, JORDAN, *CROWDED])
    assert found.pair == (KERRY.subject, KERRI.subject)
    assert found.probability > 0.99
    assert found.weight == pytest.approx(sum(step.bits for step in found.waterfall))
    assert found.waterfall[0].attribute == "prior"
    assert found.waterfall[0].bits < -6
    assert found.reasons[0].startswith("birth date same: 19840523 (+")
    assert any(reason.startswith("name spelling: kerry / kerri (+") for reason in found.reasons)


def test_less_is_suggested_where_more_is_asked() -> None:
    assert suggest([KERRY, KERRI, *CROWDED], at_least=1 - 1e-12) == []
    family = suggest([KERRY, JORDAN], at_least=0.000001)
    assert family[0].probability < 0.5


@given(st.randoms(use_true_random=False))
def test_any_order_gives_the_same(chance: random.Random) -> None:
    given_ = [KERRY, KERRI, JORDAN, *CROWDED[:10], person("9", name="Kery Fisher", city="Leeds", phone="+15550147")]
    expected = suggest(given_, at_least=0.01)
    chance.shuffle(given_)
    assert len(expected) > 2
    assert suggest(given_, at_least=0.01) == expected


def test_two_profiles_turned_round_are_the_same_suggestion() -> None:
    census = Census([KERRY, KERRI])
    assert score(KERRY, KERRI, census) == score(KERRI, KERRY, census)


def test_two_records_of_one_crm_are_never_suggested() -> None:
    twins = [person(str(number), "crm.acme", name="Kerry Fisher", email="k@mail.example") for number in range(2)]
    assert suggest(twins) == []
    assert len(suggest([twins[0], person("1", "crm.other", name="Kerry Fisher", email="k@mail.example")])) == 1


def test_whom_a_person_has_split_is_never_suggested_again() -> None:
    assert suggest([KERRY, KERRI], apart={frozenset((KERRY.subject, KERRI.subject))}) == []
    both = merged([KERRY, JORDAN], lambda _: "one")
    assert suggest([*both, KERRI], apart={frozenset((JORDAN.subject, KERRI.subject))}) == []


def test_a_suggestion_as_json_for_whoever_shows_it() -> None:
    (found,) = suggest([KERRY, KERRI])
    told: dict[str, Any] = found.as_json()
    assert told["pair"] == [{"kind": "raven.ring", "value": "1"}, {"kind": "raven.ring", "value": "2"}]
    assert told["waterfall"][0] == {"attribute": "prior", "level": "", "bits": -9.965784}
    assert {step["attribute"] for step in told["waterfall"]} == {"prior", "name", "email", "city", "birth_date"}
    assert told["reasons"] == list(found.reasons)
    assert 0.99 < told["probability"] <= 1


def test_a_very_small_weight_has_a_probability_too() -> None:
    assert Suggestion(found_pair(), -5000.0, (), ()).probability == pytest.approx(0)
    assert Suggestion(found_pair(), 0.0, (), ()).probability == 0.5


def found_pair() -> tuple[Identifier, Identifier]:
    return KERRY.subject, KERRI.subject


# where profiles come from

LINES: list[dict[str, Any]] = [
    {
        "at": "2026-01-01T00:00:00Z",
        "account": {"kind": "raven.ring", "value": "1"},
        "claims": [{"kind": "email", "value": "K@mail.example", "tier": "claimed"}],
        "profile": {"name": "Kerry Fisher", "handle": "kerry_f", "mood": "good"},
    },
    {
        "at": "2026-01-02T00:00:00Z",
        "account": {"kind": "raven.ring", "value": "1"},
        "claims": [{"kind": "address.city", "value": "Leeds", "tier": "claimed"}],
    },
    {
        "at": "2026-01-02T00:00:00Z",
        "account": {"kind": "email", "value": "k@mail.example"},
        "profile": {"given_name": "Kerry", "family_name": "Fisher"},
    },
    {
        "at": "2026-01-03T00:00:00Z",
        "split": [{"kind": "raven.ring", "value": "1"}, {"kind": "raven.ring", "value": "9"}],
    },
]


def test_observations_become_profiles() -> None:
    mail, ring = from_observations(LINES)
    assert ring.values == {
        "city": ("leeds",),
        "email": ("k@mail.example",),
        "handle": ("kerryf",),
        "name": ("kerry fisher",),
    }
    assert mail.values == {"email": ("k@mail.example",), "name": ("kerry fisher",)}
    assert from_observations(reversed(LINES)) == [mail, ring]
    assert split_in(LINES) == {
        frozenset((Identifier(kind="raven.ring", value="1"), Identifier(kind="raven.ring", value="9")))
    }


@pytest.mark.parametrize("strange", ["Kerry", ["Kerry"], {"name": 5}, None])
def test_a_profile_that_is_none_is_refused_with_an_example(strange: Any) -> None:
    with pytest.raises(ValueError, match="a profile holds texts, such as"):
        from_observations([{**LINES[0], "profile": strange}])


def test_whoever_is_one_customer_already_is_not_suggested() -> None:
    ring, mail = Identifier(kind="raven.ring", value="1"), Identifier(kind="email", value="k@mail.example")
    (found,) = suggest_for(LINES, {ring: "cus_a", mail: "cus_b"})
    assert found.pair == (mail, ring)
    assert suggest_for(LINES, {ring: "cus_a", mail: "cus_a"}) == []
    parted = [*LINES, {"at": "2026-01-03T00:00:00Z", "split": [LINES[0]["account"], LINES[2]["account"]]}]
    assert suggest_for(parted, {}) == []


@pytest.fixture
def database(store: Any) -> Iterator[Database]:
    made = open_store(store)
    yield made
    made.close()


def test_a_stores_customers_become_profiles(database: Database) -> None:
    ring, other, mail, old, said = map(
        Identifier.parse,
        ("raven.ring:1", "raven.ring:2", "email:k@mail.example", "email:old@mail.example", "address.city:Leeds"),
    )

    def fill(tx: Tx, tenant: str) -> None:
        add_tenant(tx, tenant, tenant, tenant.encode() * 8)
        observe(tx, tenant, Party(identifiers=(ring,), name="Kerry Fisher", handle="kerry"), 1)
        observe(tx, tenant, Party(identifiers=(other,), name="K. Fisher"), 2)
        attest(tx, tenant, ring, [other], tier="verified", proof="code", source="event 1", at=3)
        attest(tx, tenant, ring, [mail, said], tier="claimed", proof="form", source="event 2", at=4)
        attest(tx, tenant, ring, [old], tier="verified", proof="code", source="event 3", at=5)
        split(tx, tenant, str(ring), [str(old)], agent="dana", at=6)
        undo(tx, tenant, "event 3", agent="dana", at=7)

    database.do(lambda tx: fill(tx, "acme"))
    database.do(lambda tx: fill(tx, "rival"))
    found = {str(one.subject): one for one in database.read(lambda tx: from_store(tx, "acme"))}
    assert sorted(found) == ["address.city:Leeds", "email:k@mail.example", "email:old@mail.example", "raven.ring:1"]
    kerry = found["raven.ring:1"]
    assert kerry.values == {
        "city": ("leeds",),
        "email": ("k@mail.example",),
        "handle": ("kerry",),
        "name": ("k fisher", "kerry fisher"),
    }
    assert kerry.accounts == (ring, other)
    apart = database.read(lambda tx: split_in_store(tx, "acme"))
    assert apart == {frozenset((ring, old)), frozenset((other, old))}
    suggested = suggest(list(found.values()), at_least=0.5, apart=apart)
    assert [tuple(map(str, one.pair)) for one in suggested] == [("email:k@mail.example", "raven.ring:1")]
