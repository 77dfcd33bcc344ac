"""The same question to Splink: learnt without labels, the same on DuckDB and Spark, whatever the order."""

import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.identity.suggestions import Profile, name_of, profile, splinking, suggest
from socialsupport_core.identity.suggestions.blocking import CROWD
from socialsupport_core.identity.suggestions.rows import COLUMNS, KEYS, VARIANTS, place_of, rows
from socialsupport_core.identity.suggestions.splinking import Model, NothingToLearn, SplinkMissing, scorer, train
from socialsupport_core.model import Identifier

pytestmark = pytest.mark.filterwarnings("default")  # of the libraries, which warn of what they themselves will drop

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def record(number: int, **known: str | list[str]) -> Profile:
    values = {key: [value] if isinstance(value, str) else value for key, value in known.items()}
    return profile(Identifier(kind="raven.ring", value=f"{number:04}"), values)


def slip(chance: random.Random, word: str) -> str:
    place = chance.randrange(len(word))
    return word[:place] + chance.choice(LETTERS) + word[place + 1 :]


def town(people: int = 150) -> list[Profile]:
    """Everybody twice, the second time with slips; numbers 2n and 2n + 1 are one person."""
    chance = random.Random(5)
    names = ["".join(chance.choices(LETTERS, k=7)) for _ in range(people // 3)]
    found = []
    for number in range(people):
        given, family = chance.choice(names), chance.choice(names)
        born = f"19{chance.randrange(50, 99)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        mail = f"{given}.{family}{number}@mail.example"
        city = chance.choice(names[:20])
        found.append(record(2 * number, name=name_of(given, family), birth_date=born, email=mail, city=city))
        given = slip(chance, given) if chance.random() < 0.4 else given
        known = {"name": name_of(given, family), "birth_date": born, "city": city}
        if chance.random() < 0.7:
            known["email"] = slip(chance, mail) if chance.random() < 0.3 else mail
        found.append(record(2 * number + 1, **known))
    return found


TOWN = town()


@pytest.fixture(scope="module")
def model() -> Model:
    pytest.importorskip("splink")
    return train(TOWN)


# rows


def test_rows_have_all_columns_and_one_key_for_each_recipe() -> None:
    (row,) = rows([record(1, name="kerry ann fisher", email="kerry.f+x@mail.example", birth_date="1984-05-23")])
    assert tuple(row) == ("unique_id", *[name for name in row if name != "unique_id"])
    assert set(row) == set(COLUMNS)
    assert (row["first_word"], row["last_word"], row["local"]) == ("kerry", "fisher", "kerry.f")
    keys = {" ".join(recipe): row[f"key_{number}"] for number, recipe in enumerate(KEYS)}
    assert keys["words"] == "fisher kerry"
    assert keys["first_word birth_month"] == "kerry 198405"
    assert keys["first_sound birth_year"] == "kr 1984"
    assert keys["phone"] is None


def test_a_name_of_one_word_has_no_last() -> None:
    (row,) = rows([record(1, name="kerry")])
    assert (row["first_word"], row["last_word"]) == ("kerry", None)


def test_several_values_are_several_rows() -> None:
    many = record(1, name="kerry fisher", email=[f"k{number}@mail.example" for number in range(9)])
    made = rows([record(0, name="zora"), many])
    assert [row["unique_id"] for row in made] == ["000000000000.0", *(f"000000000001.{n}" for n in range(VARIANTS))]
    assert len({row["email"] for row in made[1:]}) == VARIANTS
    assert {row["first_word"] for row in made[1:]} == {"kerry"}
    assert place_of("000000000001.3") == 1
    assert len(rows([many], variants=1)) == 1


def test_a_key_that_a_crowd_shares_is_left_empty() -> None:
    handle = KEYS.index(("handle",))
    crowd = [record(number, handle="admin") for number in range(CROWD + 1)]
    assert {row[f"key_{handle}"] for row in rows(crowd)} == {None}
    assert {row[f"key_{handle}"] for row in rows(crowd[:CROWD])} == {"admin"}
    assert {row["handle"] for row in rows(crowd)} == {"admin"}


# training


def test_what_is_learnt_tells_people_apart(model: Model) -> None:
    found = suggest(TOWN, at_least=0.99, scorer=scorer(model))
    pairs = {tuple(int(one.value) // 2 for one in each.pair) for each in found}
    assert len(pairs) == len(found) > 140
    assert {(number, number) for number in range(150)} >= pairs


def test_a_waterfall_adds_up_and_gives_its_reasons(model: Model) -> None:
    first = suggest(TOWN, at_least=0.99, scorer=scorer(model))[0]
    assert first.waterfall[0].attribute == "prior"
    assert first.waterfall[0].bits == pytest.approx(-9.965, abs=0.01)
    assert sum(step.bits for step in first.waterfall) == pytest.approx(first.weight)
    assert {step.attribute for step in first.waterfall} == {
        "prior",
        "first_word",
        "last_word",
        "email",
        "birth_date",
        "city",
    }
    assert any(reason.startswith("birth date same: 19") for reason in first.reasons)


def test_weights_are_what_splink_says(model: Model) -> None:
    """Nothing is lost between its columns and our waterfall."""
    ordered = sorted(TOWN, key=lambda one: str(one.subject))
    linker = splinking._linker(rows(ordered), dict(model.settings))
    theirs = {
        (place_of(one["unique_id_l"]), place_of(one["unique_id_r"])): one["match_weight"]
        for one in linker.inference.predict(threshold_match_probability=0.9).as_record_list()
    }
    ours = {tuple(int(one.value) for one in each.pair): each.weight for each in suggest(TOWN, scorer=scorer(model))}
    assert ours == pytest.approx(theirs, abs=1e-5)
    assert ours


def test_any_order_gives_the_same_model_and_the_same_suggestions(model: Model) -> None:
    mixed = list(TOWN)
    random.Random(3).shuffle(mixed)
    assert train(mixed).settings == model.settings
    assert suggest(mixed, scorer=scorer(model)) == suggest(TOWN, scorer=scorer(model))


def test_a_model_is_kept_as_json(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path / "model.json")
    assert json.loads((tmp_path / "model.json").read_text("utf-8"))["comparisons"]
    again = Model.load(tmp_path / "model.json")
    assert suggest(TOWN, scorer=scorer(again)) == suggest(TOWN, scorer=scorer(model))


def test_every_level_has_a_chance(model: Model) -> None:
    levels = [level for one in model.settings["comparisons"] for level in one["comparison_levels"]]
    for level in levels:
        if not level.get("is_null_level"):
            assert 0 < level["m_probability"] <= 1
            assert 0 < level["u_probability"] <= 1


def test_two_records_of_one_crm_and_whom_a_person_has_split_are_left_out(model: Model) -> None:
    all_of_them = suggest(TOWN, scorer=scorer(model))
    apart = {frozenset(all_of_them[0].pair)}
    assert suggest(TOWN, scorer=scorer(model), apart=apart) == all_of_them[1:]
    books = [Profile(Identifier(kind="crm.acme", value=one.subject.value), one.values, (
        Identifier(kind="crm.acme", value=one.subject.value),)) for one in TOWN]  # fmt: skip
    assert suggest(books, scorer=scorer(model)) == []


def test_the_best_of_several_values_counts(model: Model) -> None:
    several = list(TOWN)
    first, second = suggest(TOWN, at_least=0.99, scorer=scorer(model))[0].pair
    place = next(number for number, one in enumerate(several) if one.subject == first)
    known = several[place].values
    more = {key: [*values, "zzzz"] if key == "city" else list(values) for key, values in known.items()}
    several[place] = profile(first, more)
    found = suggest(several, at_least=0.99, scorer=scorer(model))
    assert [one for one in found if one.pair == (first, second)]
    assert all(one.pair[0] != one.pair[1] for one in found)


def test_too_little_to_learn_from_is_said() -> None:
    with pytest.raises(NothingToLearn, match="2 profiles have too little in common"):
        train([record(1, name="kerry fisher"), record(2, name="zora neale")])
    with pytest.raises(NothingToLearn, match="0 profiles"):
        train([])


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(splinking.importlib, "import_module", missing)
    with pytest.raises(SplinkMissing, match=r"pyarrow is not installed: pip install 'socialsupport\[suggestions\]'"):
        train(TOWN)


# Spark


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    session = pytest.importorskip("pyspark.sql").SparkSession
    if shutil.which("java") is None:
        pytest.skip("no Java here; on Debian: apt install openjdk-17-jre-headless")
    made = (
        session.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.adaptive.enabled", "false")
        # a few hundred rows: to compile the queries would take far longer than to run them as they are
        .config("spark.sql.codegen.wholeStage", "false")
        .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
        .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -Xshare:auto")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    yield made
    made.stop()


@pytest.mark.server
@pytest.mark.timeout(300)
def test_a_saved_model_says_the_same_on_spark(model: Model, tmp_path: Path, spark: Any) -> None:
    model.save(tmp_path / "model.json")
    on_spark = suggest(TOWN, at_least=0.5, scorer=scorer(Model.load(tmp_path / "model.json"), spark))
    assert on_spark == suggest(TOWN, at_least=0.5, scorer=scorer(model))
    assert len(on_spark) > 140
