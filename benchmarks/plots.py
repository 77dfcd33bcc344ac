"""Draws what was measured last: benchmarks/results.json becomes docs/images/benchmarks.svg.

uv run --group benchmarks python benchmarks/plots.py
"""

import json
import math
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[1]
RESULTS = HOUSE / "benchmarks/results.json"
PICTURE = HOUSE / "docs/images/benchmarks.svg"
WORSE, BETTER = "#b4473a", "#00796b"


def ratios(results: dict[str, Any]) -> list[tuple[str, float, str]]:
    """What is compared, how many times the other's cost ours is, and the goal; the dearest last."""
    found = [
        (f"{one['what']}\nagainst {one['than']}", float(one["ratio"]), str(one["goal"]))
        for figures in results["pieces"].values()
        for one in figures
        if "ratio" in one and one["unit"].startswith("µs")
    ]
    return sorted(found, key=lambda one: one[1])


def draw(results: dict[str, Any], picture: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - in the dependency group of the benchmarks only
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "benchmarks"  # the same figures make the same file
    rows = [row for row in ratios(results) if "p50" not in row[0]]
    figure = Figure(figsize=(9, 0.8 + 0.5 * len(rows)), layout="constrained")
    axes = figure.subplots()
    places = range(len(rows))
    axes.barh(places, [ratio for _, ratio, _ in rows], color=[WORSE if r > 1 else BETTER for _, r, _ in rows])
    axes.set_yticks(places, [what for what, _, _ in rows], fontsize=8)
    axes.set_xscale("log")
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xlim(0.2, 2 ** math.ceil(math.log2(max(ratio for _, ratio, _ in rows) * 1.6)))
    axes.set_xlabel("times the cost of the other, logarithmic; left of 1 is cheaper; | is the goal")
    for place, (_, ratio, goal) in zip(places, rows, strict=True):
        axes.text(max(ratio, 1) * 1.06, place, f"{ratio:.2g}", va="center", fontsize=8)
        if goal.startswith("at most"):
            axes.plot([float(goal.split()[-1])] * 2, [place - 0.4, place + 0.4], color="black", linewidth=2)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(picture, metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    draw(json.loads(RESULTS.read_text("utf-8")), PICTURE)
