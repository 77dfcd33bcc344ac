"""Bronze, silver, gold: how far a plugin has come. Computed from what can be seen, never claimed."""

import importlib.util
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from socialsupport_core.contract import ConfigError, FanOut
from socialsupport_core.contract.registry import GROUP
from socialsupport_core.testing.truth import Layer, Plugin, lacking, limits, strongest, surfaces, truth_of, written

Tier = Literal["none", "bronze", "silver", "gold"]
Kit = Literal["green", "red", "not run", "none"]
"""`none`: there is no kit for plugins of this kind."""
SECTIONS: Mapping[str, re.Pattern[str]] = {
    "Set up": re.compile(r"set up"),
    "What it does": re.compile(r"what (it does|it can and cannot|comes in|goes out)"),
    "What it cannot": re.compile(r"limits( and .+)?|what it cannot|what it can and cannot"),
    "What stands behind it": re.compile(r"what stands behind it"),
}
"""Of the docs page, with the headings that will do."""


@dataclass(frozen=True)
class Standing:
    """All that a tier depends on."""

    kit: Kit = "not run"
    sections: frozenset[str] = frozenset()
    """Of `SECTIONS`, those that the docs page has."""
    wrong: str = ""
    """What is wrong with `truth.json`."""
    limits: Mapping[str, bool] = field(default_factory=dict)
    """Those that the plugin may meet, and whether it gives the source of each, or says why there is none."""
    probe: bool = False
    """It can ask the network whether all is well, or says why there is nothing to ask."""
    renewal: bool = False
    """Credentials that run out are renewed, or it says why they do not."""
    surfaces: Mapping[str, Layer | None] = field(default_factory=dict)
    """The strongest layer behind each; None: it does not tell."""
    lacking: Mapping[str, str] = field(default_factory=dict)
    """What of a surface that layer does not reach."""


@dataclass(frozen=True)
class Verdict:
    tier: Tier
    missing: tuple[str, ...]
    """For the next tier."""
    assumed: bool
    """The kit was not run; the tier holds if it is green."""

    @property
    def following(self) -> Tier | None:
        after: Mapping[Tier, Tier] = {"none": "bronze", "bronze": "silver", "silver": "gold"}
        return after.get(self.tier)

    def __str__(self) -> str:
        name = "no tier yet" if self.tier == "none" else self.tier
        held = f"{name}, if check is green" if self.assumed and self.tier != "none" else name
        return f"{held}; for {self.following}: {'; '.join(self.missing)}" if self.missing else held


def _bronze(standing: Standing) -> Iterator[str]:
    if standing.kit == "red":
        yield "the conformance kit is not green"
    absent = [name for name in SECTIONS if name not in standing.sections]
    if absent:
        yield f"the README has no section {', '.join(absent)}"
    if standing.wrong:
        yield standing.wrong


def _silver(standing: Standing) -> Iterator[str]:
    untold = [name for name, is_told in standing.limits.items() if not is_told]
    if untold:
        yield f"cases/truth.json gives no source for the limits {', '.join(untold)}"
    if not standing.probe:
        yield "probe is not written, and cases/truth.json does not say why"
    if not standing.renewal:
        yield "refresh is not written, and cases/truth.json does not say why there is no renewal"
    silent = [name for name, layer in standing.surfaces.items() if layer is None]
    if silent:
        yield f"cases/truth.json does not say what stands behind {', '.join(silent)}"


def _gold(standing: Standing) -> Iterator[str]:
    unproven: dict[str, str | None] = {name: layer for name, layer in standing.surfaces.items() if layer != "real"}
    unproven |= {name: f"not {lack}" for name, lack in standing.lacking.items() if lack and name not in unproven}
    if unproven or not standing.surfaces:
        told = ", ".join(f"{name} ({layer})" for name, layer in unproven.items()) or "nothing is told"
        yield f"no real counterpart was tried: {told}"


_DEMANDS: tuple[tuple[Tier, Callable[[Standing], Iterator[str]]], ...] = (
    ("bronze", _bronze),
    ("silver", _silver),
    ("gold", _gold),
)


def verdict(standing: Standing) -> Verdict:
    """The highest tier of which, and of all below it, nothing is missing."""
    reached: Tier = "none"
    for tier, demands in _DEMANDS:
        missing = tuple(demands(standing))
        if missing:
            return Verdict(reached, missing, standing.kit == "not run")
        reached = tier
    return Verdict(reached, (), standing.kit == "not run")


def standing_of(kind: Plugin, kit: Kit = "not run", page: str | None = None) -> Standing:
    """What can be seen of an installed plugin, or of one in a folder. `page` is its README, if it is at hand."""
    seen = sections_of(page if page is not None else readme_of(kind))
    try:
        truth, wrong = truth_of(kind), ""
    except ConfigError as error:
        truth, wrong = None, str(error)
    told = {*truth.limits, *truth.without} if truth else set()
    proofs = truth.surfaces if truth else {}
    asks = not issubclass(kind, FanOut)
    return Standing(
        kit=kit if asks else "none",
        sections=seen,
        wrong=wrong,
        limits={name: name in told for name in limits(kind)},
        probe=not asks or written(kind, "probe") or "probe" in told,
        renewal=not asks or written(kind, "refresh") or "renewal" in told,
        surfaces={name: strongest(proofs.get(name, ())) for name in surfaces(kind)},
        lacking={name: lacking(proofs.get(name, ())) for name in surfaces(kind)},
    )


def sections_of(page: str) -> frozenset[str]:
    headings = [found.strip().lower() for found in re.findall(r"^## +(.+)$", page, re.MULTILINE)]
    return frozenset(name for name, good in SECTIONS.items() if any(good.fullmatch(one) for one in headings))


def readme_of(kind: type[Any]) -> str:
    """From the folder of the plugin, else from what was installed; nothing if there is none."""
    package = kind.__module__.partition(".")[0]
    folder = _folder(package)
    if folder is not None and (folder / "README.md").is_file():
        return (folder / "README.md").read_text("utf-8")
    for one in metadata.entry_points(group=GROUP):
        if one.module.partition(".")[0] == package and one.dist is not None:
            held: Any = one.dist.metadata
            return str(held.get_payload() or held.get("Description") or "")
    return ""


def _folder(package: str) -> Path | None:
    """That of the pyproject.toml which registers the package, above its source."""
    spec = importlib.util.find_spec(package) if package else None
    for folder in Path(spec.origin).parents if spec and spec.origin else ():
        file = folder / "pyproject.toml"
        if file.is_file():
            named = tomllib.loads(file.read_text("utf-8")).get("project", {}).get("entry-points", {}).get(GROUP, {})
            return folder if any(str(value).partition(".")[0] == package for value in named.values()) else None
    return None
