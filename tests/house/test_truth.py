"""What the plugins say of what stands behind them is true as far as a machine can tell."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from socialsupport_core.contract import Registry
from socialsupport_core.testing import ConnectorConformance, CRMConformance
from socialsupport_core.testing.tiers import readme_of, standing_of, verdict
from socialsupport_core.testing.truth import OUTSIDE, Proof, surfaces, truth_of

HOUSE = Path(__file__).parents[2]
KITS = ("ConnectorConformance", "CRMConformance", "CRMOnce")
IN_PROCESS = "https://sqlite.org"
"""A database that needs no server."""


@cache
def everything() -> dict[str, Any]:
    found = Registry.discover()
    return {**found.connectors, **found.crms, **found.fanouts}


NAMES = sorted(everything())


def plugin_folder(kind: Any) -> Path:
    package = kind.__module__.partition(".")[0]
    return HOUSE / "plugins" / package.replace("_", "-", 1)


def proofs(name: str) -> Iterator[tuple[str, Proof]]:
    told = truth_of(everything()[name])
    assert told, f"{name} ships no cases/truth.json"
    yield from ((surface, proof) for surface, every in told.surfaces.items() for proof in every)


@pytest.mark.parametrize("name", NAMES)
def test_every_surface_is_told(name: str) -> None:
    kind = everything()[name]
    assert {surface for surface, _ in proofs(name)} == set(surfaces(kind))


@pytest.mark.parametrize("name", NAMES)
def test_each_proof_is_a_test_that_exists(name: str) -> None:
    folder = plugin_folder(everything()[name])
    for surface, proof in proofs(name):
        path, _, where = proof.test.partition("::")
        assert (folder / path).is_file(), f"{name}, {surface}: there is no {path}"
        assert where in proofs_in((folder / path).resolve()), f"{name}, {surface}: {path} has no {where}"


@cache
def proofs_in(path: Path) -> set[str]:
    """`test_a`, `TestB` of the kit or with tests, `TestB::test_c`."""
    found = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if is_test(node):
            found.add(node.name)  # type: ignore[attr-defined]
        elif isinstance(node, ast.ClassDef):
            own = {one.name for one in node.body if is_test(one)}  # type: ignore[attr-defined]
            bases = {ast.unparse(one) for one in node.bases}
            if own or bases & set(KITS):
                found |= {node.name, *(f"{node.name}::{one}" for one in own)}
    return found


def is_test(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def test_a_class_is_a_proof_only_if_it_has_tests() -> None:
    assert {ConnectorConformance.__name__, CRMConformance.__name__} <= set(KITS)
    own = proofs_in(Path(__file__))
    assert "test_every_surface_is_told" in own
    assert "plugin_folder" not in own


@pytest.mark.parametrize("name", NAMES)
def test_whoever_claims_a_real_counterpart_starts_it(name: str) -> None:
    """By the mark that such tests have, in the file or on the test."""
    for surface, proof in proofs(name):
        if proof.layer in {"real", "emulator"} and proof.address != IN_PROCESS:
            file = (plugin_folder(everything()[name]) / proof.test.partition("::")[0]).read_text("utf-8")
            assert re.search(r"pytest\.mark\.(server|browser)\b", file), f"{name}, {surface}: {proof.test}"


@pytest.mark.parametrize("name", NAMES)
def test_the_page_names_the_strongest_layer(name: str) -> None:
    """What the README says under its heading is not more than what `truth.json` says."""
    page = readme_of(everything()[name])
    section = re.search(r"^## What stands behind it\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    assert section, name
    claims_real = re.search(r"(?<!no )\b[Rr]eal (homeserver|servers?|`nats-server`|Chromium)|SQLite itself", section[1])
    layers = {proof.layer for _, proof in proofs(name)}
    assert bool(claims_real) == ("real" in layers), f"{name}: {section[1][:200]}"


def test_tiers_of_the_plugins_in_this_house() -> None:
    """Written down so that a change is seen. The kit is run by each plugin's own tests."""
    found = {name: verdict(standing_of(kind, "green")).tier for name, kind in everything().items()}
    assert {name for name, tier in found.items() if tier == "gold"} == {
        "djangohelpdesk",
        "email",
        "matrix",
        "nats",
        "rt",
        "sql",
        "webchat",
        "webform",
    }
    assert set(found.values()) == {"gold", "silver"}


def test_layers_of_somebody_else_have_an_address() -> None:
    for name in NAMES:
        for _, proof in proofs(name):
            assert (proof.layer not in OUTSIDE) or proof.address.startswith("https://")
