"""Draws what was measured last: benchmarks/results.json becomes docs/images/benchmarks.svg.

uv run --group benchmarks python benchmarks/plots.py
"""

import json
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
RESULTS = HOUSE / "benchmarks/results.json"
PICTURE = HOUSE / "docs/images/benchmarks.svg"
WORSE, BETTER = "#b4473a", "#00796b"
TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50)


Row = tuple[str, float, str, bool]
"""What is compared with what, the ratio, its goal, and whether that is good: the goal is met, or we are cheaper."""


def ratios(results: dict[str, Any]) -> list[Row]:
    """Of everything that costs CPU time; the dearest last."""
    found = [
        (
            f"{one['what']}\nagainst {one['than']}",
            float(one["ratio"]),
            str(one["goal"]),
            one["ratio"] <= 1 if one["met"] is None else bool(one["met"]),
        )
        for figures in results["pieces"].values()
        for one in figures
        if "ratio" in one and one["unit"].startswith("µs") and "p50" not in one["what"]
    ]
    return sorted(found, key=lambda row: row[1])


def draw(results: dict[str, Any], picture: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - in the dependency group of the benchmarks only
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same figures make the same file
    mpl.rcParams["svg.fonttype"] = "none"
    rows = ratios(results)
    figure = Figure(figsize=(9, 1 + 0.42 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows))
    axes.set_xscale("log")
    axes.barh(places, [row[1] - 1 for row in rows], 0.6, 1, color=[BETTER if row[3] else WORSE for row in rows])
    axes.set_yticks(places, [row[0] for row in rows], fontsize=8)
    axes.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axes.set_xlim(TICKS[0], TICKS[-1])
    axes.minorticks_off()
    axes.axvline(1, color="black", linewidth=0.8)
    for place, row in zip(places, rows, strict=True):
        _label(axes, place, row)
    axes.set_xlabel("times the cost of the other; | is the goal, red misses it or costs more")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, metadata={"Date": None, "Creator": None} if picture.suffix == ".svg" else None)


def _label(axes: Any, place: int, row: Row) -> None:
    _, ratio, goal, _ = row
    axes.text(max(ratio, 1) * 1.06, place, f"{ratio:.2g}", va="center", fontsize=8)
    if goal.startswith("at most"):
        axes.plot([float(goal.split()[-1])] * 2, [place - 0.4, place + 0.4], color="black", linewidth=2)


if __name__ == "__main__":
    draw(json.loads(RESULTS.read_text("utf-8")), PICTURE)
