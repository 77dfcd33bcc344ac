"""Other record linkage on the same tables: exact rules, recordlinkage (ECM), Splink. All closed over by union-find.

To their favour: where one of them gives probabilities, the threshold is the best of several, chosen with the labels.
Ours is fixed at 0.99 beforehand.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Any

from benchmarks.identity.accuracy import Accuracy, measure
from benchmarks.identity.datasets import Table
from benchmarks.identity.peers import Forest

Pair = tuple[str, str]
THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)


def closed(table: Table, pairs: Iterable[Pair]) -> Accuracy:
    forest = Forest()
    for a, b in pairs:
        forest.join(("record", None, a), ("record", None, b))
    return measure(table.truth, {record: forest.root(("record", None, record)) for record in table.records})


EXACT: tuple[tuple[str, ...], ...] = (
    ("email",),
    ("soc_sec_id",),
    ("first_name", "dob"),
    ("surname", "dob"),
    ("given_name", "surname", "date_of_birth"),
    ("given_name", "surname", "postcode"),
    ("given_name", "date_of_birth", "suburb"),
    ("surname", "date_of_birth", "postcode"),
)
"""Records that agree in all of one of these are one person."""


def exact_rules(table: Table) -> Accuracy:
    pairs = set()
    for rule in EXACT:
        if set(rule) <= set(table.columns):
            pairs |= _agreeing(table, rule)
    return closed(table, pairs)


def _agreeing(table: Table, rule: Sequence[str]) -> set[Pair]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for record, fields in table.records.items():
        values = tuple(fields[column] for column in rule)
        if all(values):
            groups.setdefault(values, []).append(record)
    return {
        pair
        for group in groups.values()
        for pair in combinations(sorted(group), 2)
        if not table.linked or table.side[pair[0]] != table.side[pair[1]]
    }


BLOCKS = ("first_name", "given_name", "surname", "dob", "date_of_birth", "email", "postcode", "soc_sec_id", "suburb")


def ecm(table: Table) -> Accuracy:
    """recordlinkage: names by Jaro-Winkler, all else exactly; expectation conditional maximisation without labels."""
    import pandas as pd  # noqa: PLC0415 - in the dependency group of the benchmarks only
    import recordlinkage as rl  # noqa: PLC0415

    frame = pd.DataFrame.from_dict(table.records, orient="index").replace("", None)
    sides = [frame[[table.side[one] == side for one in frame.index]] for side in sorted(set(table.side.values()))]
    indexer, compare = rl.Index(), rl.Compare()
    for column in BLOCKS:
        if column in table.columns:
            indexer.block(column)
    for column in table.columns:
        if column.endswith("name") or column.startswith("address") or column in {"suburb", "city", "email"}:
            compare.string(column, column, method="jarowinkler", threshold=0.85)
        else:
            compare.exact(column, column)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = compare.compute(indexer.index(*sides), *sides)
        found = rl.ECMClassifier(binarize=0.5).fit_predict(features)
    return closed(table, found.tolist())


NAMES = (("first_name", "surname"), ("given_name", "surname"))
SURE = (("email",), ("soc_sec_id",), *NAMES)
"""Rules by which Splink guesses how many pairs there are to be found."""
LEARN = (("dob",), ("date_of_birth",), *NAMES)
"""Rules among whose pairs it learns."""


def splink(table: Table) -> Accuracy:
    """As its documentation proposes for such columns: the ready-made comparisons, `u` by sampling, `m` by EM."""
    from splink import Linker, SettingsCreator, block_on  # noqa: PLC0415
    from splink.backends.duckdb import DuckDBAPI  # noqa: PLC0415

    logging.getLogger("splink").setLevel(logging.ERROR)
    blocks = [block_on(column) for column in BLOCKS if column in table.columns]
    settings = SettingsCreator(
        link_type="link_only" if table.linked else "dedupe_only",
        comparisons=[_comparison(column) for column in table.columns],
        blocking_rules_to_generate_predictions=blocks,
    )
    api = DuckDBAPI()
    sides = [
        api.register(_rows(table, side), dataset_display_name=f"table_{side}")
        for side in sorted(set(table.side.values()))
    ]
    linker = Linker(sides if table.linked else sides[0], settings, log_level=None)
    sure, learn = ([block_on(*rule) for rule in rules if set(rule) <= set(table.columns)] for rules in (SURE, LEARN))
    linker.training.estimate_probability_two_random_records_match(sure, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=2e6, seed=1)
    for block in learn:
        linker.training.estimate_parameters_using_expectation_maximisation(block)
    found = linker.inference.predict(threshold_match_probability=THRESHOLDS[0]).as_record_list()
    return _best(table, [(one["match_probability"], one["unique_id_l"], one["unique_id_r"]) for one in found])


def _rows(table: Table, side: str) -> list[dict[str, str | None]]:
    return [
        {"unique_id": record, **{name: value or None for name, value in fields.items()}}
        for record, fields in table.records.items()
        if table.side[record] == side
    ]


def _comparison(column: str) -> Any:
    import splink.comparison_library as cl  # noqa: PLC0415

    if column in {"first_name", "given_name", "surname"}:
        return cl.NameComparison(column)
    if column == "dob":
        return cl.DateOfBirthComparison(column, input_is_string=True)
    if column == "email":
        return cl.EmailComparison(column)
    if column in {"city", "state", "street_number"}:
        return cl.ExactMatch(column).configure(term_frequency_adjustments=True)
    return cl.LevenshteinAtThresholds(column, [1, 2])


def _best(table: Table, scored: Sequence[tuple[float, str, str]]) -> Accuracy:
    tried = [closed(table, [(a, b) for chance, a, b in scored if chance >= least]) for least in THRESHOLDS]
    return max(tried, key=lambda one: one.f1)


LINKERS: dict[str, Callable[[Table], Accuracy]] = {
    "exact rules": exact_rules,
    "recordlinkage (ECM)": ecm,
    "Splink": splink,
}
