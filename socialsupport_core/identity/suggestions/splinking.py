"""The same question to Splink: weights learnt from the profiles themselves, without labels. The extra `suggestions`.

Training runs on DuckDB: `u` from all pairs of a sample, `m` by expectation maximisation. The model is JSON, and scores
on DuckDB or on Spark with the same result. Its SQL has only what both count alike: equality, `substr`, `levenshtein`.
"""

import importlib
import json
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from socialsupport_core.contract.errors import SocialSupportError
from socialsupport_core.identity.suggestions.light import FEW, Together
from socialsupport_core.identity.suggestions.profiles import Profile
from socialsupport_core.identity.suggestions.result import Step, Suggestion
from socialsupport_core.identity.suggestions.rows import COLUMNS, KEYS, Row, place_of, rows
from socialsupport_core.identity.suggestions.weights import COMPARISONS, Comparison

SAMPLE = 3_000
"""Profiles whose pairs tell how often strangers agree: four and a half million pairs."""
TRAINING = 100_000
"""Profiles whose likely pairs tell how often the same person agrees. Both are chosen by a digest, not by chance."""
ENOUGH = 20
"""Pairs without which nothing is learnt from a rule."""
LEAST = 1e-4
"""The least chance that a model knows of one person: what was never seen may still be."""
COMMON = frozenset({"first_word", "last_word", "street", "street_number", "district", "city", "postcode", "region"})
"""Columns in which a rare value tells more than a common one. In the others, many who share it are mostly one."""
DECIMALS = 9
"""Of a learnt chance: fewer than in what the order of an addition can change."""


class SplinkMissing(SocialSupportError, ImportError):
    """The extra `suggestions` is not installed."""


class NothingToLearn(SocialSupportError, ValueError):
    """The profiles have too little in common to train a model on."""


@dataclass(frozen=True, slots=True)
class Model:
    """A trained model, as Splink writes it."""

    settings: Mapping[str, Any]

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(self.settings, indent=1, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def load(cls, file: Path) -> "Model":
        return cls(json.loads(file.read_text("utf-8")))


Level = tuple[str, str]
"""Its name, and the condition in SQL; `{0}` stands for the column."""
WORD: tuple[Level, ...] = (
    ("spelling", "levenshtein({0}_l, {0}_r) <= 1 OR (length({0}_l) > 5 AND levenshtein({0}_l, {0}_r) <= 2)"),
)
FIRST: tuple[Level, ...] = (("crossed", "first_word_l = last_word_r"), *WORD)
LAST: tuple[Level, ...] = (("crossed", "last_word_l = first_word_r"), *WORD)
SWAPPED = "substr({0}_l, 1, 4) = substr({0}_r, 1, 4) AND substr({0}_l, 5, 2) = substr({0}_r, 7, 2)"
DATE: tuple[Level, ...] = (
    ("swapped", SWAPPED + " AND substr({0}_l, 7, 2) = substr({0}_r, 5, 2)"),
    ("spelling", "levenshtein({0}_l, {0}_r) <= 1"),
    ("same year", "substr({0}_l, 1, 4) = substr({0}_r, 1, 4)"),
)
MAIL: tuple[Level, ...] = (
    ("same local part", "length(local_l) > 4 AND local_l = local_r"),
    ("spelling", "levenshtein({0}_l, {0}_r) <= 2"),
)
TEXT: tuple[Level, ...] = (("spelling", "levenshtein({0}_l, {0}_r) <= 2"),)
CODE: tuple[Level, ...] = (("spelling", "levenshtein({0}_l, {0}_r) <= 1"),)
LEVELS: dict[str, tuple[Level, ...]] = {
    "first_word": FIRST,
    "last_word": LAST,
    "handle": WORD,
    "email": MAIL,
    "phone": CODE,
    "birth_date": DATE,
    "national_id": CODE,
    "street": TEXT,
    "street_number": CODE,
    "district": TEXT,
    "city": TEXT,
    "postcode": CODE,
    "region": CODE,
}
BLOCKS: tuple[tuple[str, ...], ...] = (
    ("email",),
    ("phone",),
    ("national_id",),
    ("birth_date",),
    ("first_word", "last_word"),
    ("handle",),
    ("street", "street_number"),
)
"""Pairs that agree here are mostly one person: what else they agree in is learnt from them."""


def train(profiles: Sequence[Profile]) -> Model:
    """Raises NothingToLearn. The same profiles in any order give the same model."""
    chosen = _chosen(profiles, TRAINING)
    table = rows(chosen, variants=1)
    columns = [column for column in LEVELS if any(row[column] is not None for row in table)]
    blocks = [block for block in BLOCKS if _pairs(table, block) >= ENOUGH]
    if not blocks or len(columns) < 2:
        raise NothingToLearn(
            f"{len(profiles)} profiles have too little in common to learn from; the light scorer needs no training"
        )
    settings = _settings(columns, len(profiles))
    return Model(_learnt(_unlike(settings, strangers(table)), table, blocks))


def _chosen(profiles: Sequence[Profile], most: int) -> list[Profile]:
    return sorted(profiles, key=lambda one: sha256(str(one.subject).encode()).digest())[:most]


def _pairs(table: Sequence[Row], block: Sequence[str]) -> int:
    held = Counter(tuple(row[column] for column in block) for row in table)
    return sum(count * (count - 1) // 2 for values, count in held.items() if None not in values)


def _settings(columns: Sequence[str], people: int) -> dict[str, Any]:
    return {
        "link_type": "dedupe_only",
        "probability_two_random_records_match": 1 / max(FEW, people),
        "comparisons": [_comparison(column) for column in columns],
        "blocking_rules_to_generate_predictions": [
            {"blocking_rule": f"l.key_{number} = r.key_{number}"} for number in range(len(KEYS))
        ],
        "retain_intermediate_calculation_columns": True,
        "linker_uid": "suggestions",
    }


def _comparison(column: str) -> dict[str, Any]:
    missing = {"sql_condition": f"{column}_l IS NULL OR {column}_r IS NULL", "is_null_level": True}
    same = {"sql_condition": f"{column}_l = {column}_r"} | (
        {"tf_adjustment_column": column} if column in COMMON else {}
    )
    between = [{"sql_condition": sql.format(column), "label_for_charts": name} for name, sql in LEVELS[column]]
    levels = [
        missing | {"label_for_charts": "missing"},
        same | {"label_for_charts": "same"},
        *between,
        {"sql_condition": "ELSE", "label_for_charts": "apart"},
    ]
    return {"output_column_name": column, "comparison_levels": levels}


def strangers(table: Sequence[Row], most: int = SAMPLE) -> list[Row]:
    """Rows of which no two agree in two of the blocks: who does is the same person, and would spoil the chances."""
    chosen: list[Row] = []
    holders: dict[tuple[int | str | None, ...], list[int]] = {}
    for row in table:
        keys = [(number, *(row[column] for column in block)) for number, block in enumerate(BLOCKS)]
        known = [key for key in keys if None not in key]
        met = Counter(place for key in known for place in holders.get(key, ()))
        if not met or max(met.values()) < 2:
            for key in known:
                holders.setdefault(key, []).append(len(chosen))
            chosen.append(row)
        if len(chosen) == most:
            break
    return chosen


def _unlike(settings: dict[str, Any], table: Sequence[Row]) -> dict[str, Any]:
    """All pairs of the sample: Splink's own sampling would depend on the order of the rows."""
    linker = _linker(table, settings)
    pairs = len(table) * (len(table) + 1)
    linker.training.estimate_u_using_random_sampling(pairs, seed=1, min_count_per_level=None, num_chunks=1)
    return _settled(linker.misc.save_model_to_json(), "u_probability")


def _learnt(settings: dict[str, Any], table: Sequence[Row], blocks: Sequence[Sequence[str]]) -> dict[str, Any]:
    linker = _linker(table, settings)
    for block in blocks:
        rule = _part("splink").block_on(*block)
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    return _settled(_settled(linker.misc.save_model_to_json(), "u_probability"), "m_probability")


def _settled(settings: dict[str, Any], which: str) -> dict[str, Any]:
    """Every level gets a chance, and one that does not depend on the order of an addition."""
    for comparison in settings["comparisons"]:
        known = _comparison_of(comparison["output_column_name"])
        least = 1 / known.values if which == "u_probability" else LEAST
        for level in comparison["comparison_levels"]:
            if not level.get("is_null_level"):
                found = level.get(which)
                if not isinstance(found, int | float):
                    found = least if which == "u_probability" else _fixed(known, level["label_for_charts"])
                level[which] = round(max(least, float(found)), DECIMALS)
    return settings


def _comparison_of(column: str) -> Comparison:
    return COMPARISONS["name" if column.endswith("_word") else column]


def _fixed(known: Comparison, level: str) -> float:
    """What the light scorer takes, for a level that was never seen."""
    return {"same": known.same, "apart": known.apart}.get(level, 0.05)


def scorer(model: Model, spark: Any = None) -> Callable[..., Iterator[Suggestion]]:
    """For `suggest(…, scorer=)`. On DuckDB in this process, or on the given Spark session."""

    def suggest(profiles: Sequence[Profile], at_least: float, together: Together) -> Iterator[Suggestion]:
        linker = _linker(rows(profiles), dict(model.settings), spark)
        found = linker.inference.predict(threshold_match_probability=at_least).as_record_list()
        labels = _labels(model)
        prior = _prior(model)
        best: dict[tuple[int, int], Suggestion] = {}
        for record in found:
            pair = place_of(record["unique_id_l"]), place_of(record["unique_id_r"])
            a, b = profiles[pair[0]], profiles[pair[1]]
            if pair[0] != pair[1] and together(a, b):
                one = Suggestion.of(a.subject, b.subject, [prior, *_steps(record, labels)])
                best[pair] = max(best.get(pair, one), one, key=lambda each: (each.weight, each.reasons))
        yield from best.values()

    return suggest


def _prior(model: Model) -> Step:
    chance = model.settings["probability_two_random_records_match"]
    return Step("prior", "", math.log2(chance / (1 - chance)), "", "")


def _labels(model: Model) -> dict[str, list[str]]:
    """Of each column, from the lowest level up: that is how Splink numbers them."""
    return {
        comparison["output_column_name"]: [
            level["label_for_charts"]
            for level in reversed(comparison["comparison_levels"])
            if not level.get("is_null_level")
        ]
        for comparison in model.settings["comparisons"]
    }


def _steps(record: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> Iterator[Step]:
    for column, names in labels.items():
        level = record[f"gamma_{column}"]
        if level >= 0:
            bits = record[f"mw_{column}"] + (record.get(f"mw_tf_adj_{column}") or 0.0)
            yield Step(column, names[level], bits, record[f"{column}_l"], record[f"{column}_r"])


def _linker(table: Sequence[Row], settings: dict[str, Any], spark: Any = None) -> Any:
    arrow = _part("pyarrow")
    content = arrow.table({column: arrow.array([row[column] for row in table], arrow.string()) for column in COLUMNS})
    given = _database(spark).register(content)
    logging.getLogger("splink").setLevel(logging.ERROR)
    return _part("splink").Linker(given, settings, log_level=None, validate_settings=False)


def _database(spark: Any) -> Any:
    if spark is None:
        return _part("splink.backends.duckdb").DuckDBAPI()
    backend = _part("splink.backends.spark")
    return backend.SparkAPI(spark_session=spark, break_lineage_method="persist", register_udfs_automatically=False)


def _part(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise SplinkMissing(
            f"{error.name} is not installed: pip install 'socialsupport[suggestions]', or use the light scorer"
        ) from None
