"""Bronze, silver and gold, by hand; and the truth that they are computed from."""

import json
from dataclasses import replace
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pigeon.connector import Pigeon
from pigeon.ledger import Ledger
from signing import golden, write_package

from socialsupport_core.contract import ConfigError, FanOut, Settings
from socialsupport_core.testing.tiers import SECTIONS, Standing, Tier, sections_of, standing_of, verdict
from socialsupport_core.testing.truth import LAYERS, limits, strongest, surfaces, truth_of

BEST = Standing(
    kit="green",
    sections=frozenset(SECTIONS),
    limits={"text": True, "rate_limits": True},
    probe=True,
    renewal=True,
    surfaces={"webhook": "real", "sending": "real"},
)
TABLE: dict[str, tuple[dict[str, Any], Tier, str]] = {
    "everything": ({}, "gold", ""),
    "one surface by a specification": (
        {"surfaces": {"webhook": "real", "sending": "specification"}}, "silver", "sending (specification)",
    ),
    "one surface by an emulator": ({"surfaces": {"webhook": "emulator"}}, "silver", "webhook (emulator)"),
    "a surface of which a part is proven": (
        {"lacking": {"webhook": "", "sending": "direct messages"}}, "silver", "sending (not direct messages)",
    ),
    "no surface at all": ({"surfaces": {}}, "silver", "no real counterpart was tried: nothing is told"),
    "a surface that nobody tells of": ({"surfaces": {"webhook": "real", "sending": None}}, "bronze", "behind sending"),
    "a limit without a source": ({"limits": {"text": True, "rate_limits": False}}, "bronze", "the limits rate_limits"),
    "nothing that it can limit": ({"limits": {}}, "gold", ""),
    "no probe": ({"probe": False}, "bronze", "probe is not written"),
    "credentials that run out": ({"renewal": False}, "bronze", "refresh is not written"),
    "a red kit": ({"kit": "red"}, "none", "the conformance kit is not green"),
    "no kit for its kind": ({"kit": "none"}, "gold", ""),
    "a page without a section": (
        {"sections": frozenset(SECTIONS) - {"What it cannot"}}, "none", "the README has no section What it cannot",
    ),
    "no page": ({"sections": frozenset()}, "none", "no section Set up, What it does"),
    "a truth that cannot be read": ({"wrong": "cases/truth.json: no"}, "none", "cases/truth.json: no"),
    "the lowest counts": ({"kit": "red", "probe": False, "surfaces": {"webhook": "simulator"}}, "none", "kit"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_tiers(name: str) -> None:
    change, tier, missing = TABLE[name]
    found = verdict(replace(BEST, **change))
    assert found.tier == tier
    assert missing in "; ".join(found.missing)
    assert bool(found.missing) == (tier != "gold")
    assert not found.assumed


def test_what_is_missing_is_that_of_the_next_tier_only() -> None:
    poor = verdict(replace(BEST, probe=False, surfaces={"webhook": "simulator"}))
    assert (poor.tier, poor.following, len(poor.missing)) == ("bronze", "silver", 1)
    assert str(poor).startswith("bronze; for silver: probe is not written")
    assert str(verdict(replace(BEST, kit="red"))).startswith("no tier yet; for bronze: the conformance kit")


def test_where_the_kit_was_not_run_the_tier_says_so() -> None:
    assert str(verdict(replace(BEST, kit="not run"))) == "gold, if check is green"
    assert verdict(replace(BEST, kit="not run")).assumed


def test_sections_of_a_page() -> None:
    page = (
        "# Parrot\n\n## Set up\n\n## What comes in\n\n### Limits\n\n## Limits and prices\n\n## what stands behind it\n"
    )
    assert sections_of(page) == frozenset(SECTIONS)
    assert sections_of("## What it can and cannot\n## Setting up\n") == {"What it does", "What it cannot"}
    assert sections_of("# Set up\n### Limits\n") == frozenset()


def test_the_strongest_layer_counts() -> None:
    made = truth(*({"layer": layer, "what": "w", "address": "https://x.example", **SEEN} for layer in reversed(LAYERS)))
    assert strongest(made) == "real"
    assert strongest(made[:2]) == "documentation"
    assert strongest(()) is None


# what is told


SEEN = {"read": "2026-11", "test": "tests/test_parrot.py::TestParrot"}
PROOF = {"layer": "simulator", "what": "ours", **SEEN}
PACKAGES = (f"told{number}" for number in count())


def truth(*proofs: Any) -> Any:
    from socialsupport_core.testing.truth import Truth

    return Truth.model_validate({"surfaces": {"webhook": proofs}}).surfaces["webhook"]


@pytest.fixture
def telling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A pigeon that ships this truth."""

    def make(told: Any) -> Any:
        name = next(PACKAGES)
        source = "from pigeon.connector import Pigeon\n\nclass Told(Pigeon):\n    name = 'pigeon'\n"
        write_package(tmp_path / name, source, {"settings.json": golden("settings.json"), "truth.json": told})
        monkeypatch.syspath_prepend(tmp_path)
        return import_module(name).Told

    return make


def test_surfaces_follow_from_what_is_claimed_and_written() -> None:
    assert surfaces(Pigeon) == ("webhook", "poll", "verification", "sending")
    assert limits(Pigeon) == ("text", "media", "rate_limits")
    assert surfaces(Ledger) == ("verbs",)
    assert limits(Ledger) == ("rate_limits",)
    fanout: Any = type("Crier", (FanOut,), {"name": "crier", "settings_model": Settings})
    assert (surfaces(fanout), limits(fanout)) == (("publishing",), ())
    assert standing_of(fanout).kit == "none"


def test_a_plugin_that_does_not_tell_may_be_bronze() -> None:
    assert truth_of(Pigeon) is None
    page = "\n".join(f"## {name}" for name in SECTIONS)
    found = verdict(standing_of(Pigeon, "green", page))
    assert found.tier == "bronze"
    assert len(found.missing) == 3  # it can be probed
    assert "webhook, poll, verification, sending" in found.missing[-1]


def test_what_is_told_counts(telling: Any) -> None:
    source = {"address": "https://pigeon.example/limits", "read": "2026-11"}
    without = {"rate_limits": "pigeons queue by themselves", "renewal": "a ring is for life"}
    every = {name: [PROOF] for name in surfaces(Pigeon)}
    told = {"surfaces": every, "limits": {"text": source, "media": source}, "without": without}
    page = "\n".join(f"## {name}" for name in SECTIONS)
    found = verdict(standing_of(telling(told), "green", page))
    assert str(found).startswith("silver; for gold: no real counterpart was tried: webhook (simulator), poll")
    real = [{**PROOF, "layer": "real", "address": "https://pigeon.example"}]
    gold = {**told, "surfaces": dict.fromkeys(surfaces(Pigeon), real)}
    assert str(verdict(standing_of(telling(gold), "green", page))) == "gold"


WRONG = {
    "an unknown layer": ({"surfaces": {"webhook": [{**PROOF, "layer": "hearsay"}]}}, "layer"),
    "no address of somebody else": ({"surfaces": {"webhook": [{**PROOF, "layer": "vectors"}]}}, "give its address"),
    "no date": ({"surfaces": {"webhook": [{**PROOF, "read": "lately"}]}}, "read"),
    "a test without a file": ({"surfaces": {"webhook": [{**PROOF, "test": "test_it"}]}}, "test"),
    "a surface that it has not": ({"surfaces": {"stream": [PROOF]}}, "surfaces has 'stream'"),
    "a limit that it has not": ({"limits": {"choices": {"address": "https://x", "read": "2026-11"}}}, "limits has"),
    "a reason for nothing": ({"without": {"prob": "none"}}, "did you mean probe"),
    "a key that nobody knows": ({"tier": "gold"}, "tier"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_told_wrongly_is_named_and_costs_the_tier(telling: Any, name: str) -> None:
    told, said = WRONG[name]
    kind = telling(told)
    with pytest.raises(ConfigError, match=r"cases/truth.json: ") as caught:
        truth_of(kind)
    assert said in str(caught.value)
    found = verdict(standing_of(kind, "green", "\n".join(f"## {one}" for one in SECTIONS)))
    assert found.tier == "none"
    assert found.missing == (str(caught.value),)


def test_the_page_is_found_in_the_folder_of_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from socialsupport_core.testing.tiers import readme_of

    source = "from pigeon.connector import Pigeon\n\nclass Told(Pigeon):\n    pass\n"
    write_package(tmp_path / "nest" / "roosted", source, {"settings.json": golden("settings.json")})
    monkeypatch.syspath_prepend(tmp_path / "nest")
    kind = import_module("roosted").Told
    (tmp_path / "README.md").write_text("## Set up\n")
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'somebody-else'\n")
    assert readme_of(kind) == ""
    (tmp_path / "nest" / "pyproject.toml").write_text('[project.entry-points.socialsupport]\nroost = "roosted"\n')
    assert readme_of(kind) == ""
    (tmp_path / "nest" / "README.md").write_text(json.dumps("## Limits\n"))
    assert "Limits" in readme_of(kind)
