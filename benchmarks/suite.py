"""The pieces in their sizes, run one after the other, and the table that they make."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import analytics, composition, ingest, memory, peers, scale, sends, workers
from benchmarks.figures import Figure, Missing, machine

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much of everything."""

    messages: int
    rounds: int
    rows: tuple[int, ...]
    calls: int
    """Of the timeline, for each size of a store and each kind of customer."""
    waves: int
    """Of a hundred messages, for each size of a store."""
    in_memory: int
    """Messages over which memory is watched."""
    processes: tuple[int, ...]
    replies: int
    history: tuple[int, ...]
    """Interactions of a year that is reported."""


SIZES = {
    "quick": Size(1_000, 1, (10_000, 100_000), 40, 5, 100_000, (1, 2), 300, (100_000,)),
    "normal": Size(3_000, 3, (10_000, MILLION), 400, 10, MILLION, (1, 2, 4), 1_000, (100_000, MILLION)),
    "full": Size(
        3_000,
        3,
        (10_000, MILLION, 10 * MILLION),
        400,
        10,
        MILLION,
        (1, 2, 4),
        1_000,
        (100_000, MILLION, 10 * MILLION),
    ),
}
Found = Iterable[Figure | Missing]
PIECES: dict[str, Callable[[Size], Found]] = {
    "ingest-sqlite": lambda size: ingest.measure("SQLite", size.messages, size.rounds),
    "ingest-postgresql": lambda size: ingest.measure("PostgreSQL", size.messages, size.rounds),
    "peers": lambda size: peers.measure(size.messages, size.rounds),
    "composition": lambda size: composition.measure(size.replies),
    "sends": lambda size: sends.measure(size.replies),
    "workers": lambda size: workers.measure(size.processes, size.messages // 2),
    "scale-sqlite": lambda size: scale.measure("SQLite", list(size.rows), size.calls, size.waves),
    "scale-postgresql": lambda size: scale.measure("PostgreSQL", list(size.rows), size.calls, size.waves),
    "memory": lambda size: memory.measure(size.in_memory),
    "analytics": lambda size: analytics.measure(list(size.history)),
}


def run(piece: str, size: Size) -> list[Figure | Missing]:
    """What cannot be run here says so in its place."""
    try:
        return list(PIECES[piece](size))
    except Missing as missing:
        return [missing]


def as_json(found: dict[str, Sequence[Figure | Missing]]) -> dict[str, Any]:
    pieces = {
        piece: [one.as_json() if isinstance(one, Figure) else {"missing": str(one)} for one in figures]
        for piece, figures in found.items()
    }
    return {"date": datetime.now(UTC).date().isoformat(), "machine": machine(), "pieces": pieces}


def table(figures: Iterable[Figure | Missing]) -> str:
    rows = [("", "socialsupport", "", "", "ratio", "goal"), *(_row(one) for one in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join(_padded(row, widths)).rstrip() for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Words to the left, numbers to the right."""
    return [
        cell.rjust(width) if column in (1, 4) else cell.ljust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _row(one: Figure | Missing) -> tuple[str, ...]:
    if isinstance(one, Missing):
        return (f"not run: {one}".replace("\n", " ")[:60], "", "", "", "", "")
    verdict = {True: "met", False: "MISSED", None: ""}[one.met]
    goal = f"{one.goal}: {verdict}" if one.goal else ""
    return one.what, _number(one.ours), one.unit, f"{one.than}: {_number(one.other)}", f"{one.ratio:.2f}", goal


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def options(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="All benchmarks, as one table of ratios.")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", dest="size", action="store_const", const="quick", help="a few minutes")
    sizes.add_argument("--full", dest="size", action="store_const", const="full", help="10 million rows; an hour")
    parser.add_argument("--only", nargs="+", choices=sorted(PIECES), metavar="PIECE", help=", ".join(PIECES))
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the JSON; pieces that were not run stay in it")
    parser.set_defaults(size="normal")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> None:
    asked = options(given)
    found: dict[str, Sequence[Figure | Missing]] = {}
    wanted = [piece for piece in PIECES if piece in (asked.only or PIECES)]
    for number, piece in enumerate(wanted, 1):
        began = time.monotonic()
        print(f"{number} of {len(wanted)}: {piece} …", end=" ", file=sys.stderr, flush=True)
        found[piece] = run(piece, SIZES[asked.size])
        print(f"{time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        if asked.save:
            save(asked.save, as_json(found))
    if asked.json:
        print(json.dumps(as_json(found), indent=1, ensure_ascii=False))
        return
    print(table(one for figures in found.values() for one in figures))


def save(file: Path, fresh: dict[str, Any]) -> None:
    """What was measured before and not now is kept."""
    kept = json.loads(file.read_text("utf-8"))["pieces"] if file.exists() else {}
    content = fresh | {"pieces": kept | fresh["pieces"]}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
