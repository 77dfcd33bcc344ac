"""Draws what was measured last: benchmarks/identity/results.json becomes docs/images/identity.svg.

uv run --group benchmarks python -m benchmarks.identity.plot
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOUSE = Path(__file__).resolve().parents[2]
RESULTS = HOUSE / "benchmarks/identity/results.json"
PICTURE = HOUSE / "docs/images/identity.svg"
COLOURS = {
    "socialsupport": "#00796b",
    "union-find": "#9e9e9e",
    "Segment's rules": "#b4873a",
    "Chatwoot's rules": "#b4473a",
}
SHAPES = {"socialsupport": "o", "union-find": "s", "Segment's rules": "^", "Chatwoot's rules": "v"}
COLUMNS = 4
Row = dict[str, Any]


def draw(results: dict[str, Any], picture: Path) -> None:
    """A panel a world: F1 over the share of messages that prove something, with the ceiling above."""
    import matplotlib as mpl  # noqa: PLC0415 - in the dependency group of the benchmarks only
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.rcParams["svg.hashsalt"] = "identity"  # the same figures make the same file
    mpl.rcParams["svg.fonttype"] = "none"
    rows: list[Row] = results["pieces"]["worlds"]["rows"]
    worlds = list(dict.fromkeys(row["world"] for row in rows))
    columns = min(len(worlds), COLUMNS)
    lines = -(-len(worlds) // columns)
    figure = Figure(figsize=(3.2 * columns, 0.4 + 3.2 * lines), layout="constrained")
    panels = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for axes, world in zip(panels.flat, worlds, strict=False):
        _panel(axes, world, [row for row in rows if row["world"] == world])
    for left in panels[:, 0]:
        left.set_ylabel("F1 of pairs of accounts")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False, fontsize=9)
    figure.savefig(picture, metadata={"Date": None, "Creator": None})


def _panel(axes: Any, world: str, rows: Sequence[Row]) -> None:
    ours = [row for row in rows if row["method"] == "socialsupport"]
    proofs = [100 * row["proofs"] for row in ours]
    axes.plot(proofs, [row["ceiling"] for row in ours], "--", color="black", linewidth=1, label="ceiling")
    for method, colour in COLOURS.items():
        values = [row["f1"] for row in rows if row["method"] == method]
        axes.plot(proofs, values, SHAPES[method] + "-", color=colour, label=method, linewidth=1.4, markersize=4)
    axes.set_title(world, fontsize=10)
    axes.set_xlabel("messages with a proof, %")
    axes.set_ylim(0, 1)
    axes.set_xticks(proofs)
    axes.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    draw(json.loads(RESULTS.read_text("utf-8")), PICTURE)
