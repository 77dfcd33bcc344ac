"""All of it by one command, as tables: `python -m benchmarks.identity`."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figures import machine
from benchmarks.identity import desk, many, pieces, speed
from benchmarks.identity.pieces import SIZES, TABLES, Row, Say, Size
from benchmarks.identity.world import WORLDS, write

NAMES = (*WORLDS, *desk.WORLDS)
HELD_OUT = [name for name in NAMES if name.startswith("held out")]
LIBRARIES = ("splink", "duckdb", "recordlinkage")
PIECES = ("tables", "worlds", "suggestions", "order", "latency", "hub", "many")


def run(piece: str, size: Size, say: Say, asked: argparse.Namespace) -> list[Row]:
    wanted = asked.world or HELD_OUT
    work: dict[str, Callable[[], list[Row]]] = {
        "tables": lambda: pieces.tables(say, asked.fake_1000, asked.table or TABLES),
        "worlds": lambda: pieces.worlds(size, say, wanted),
        "suggestions": lambda: pieces.suggestions(size, say),
        "order": lambda: pieces.order(size, say),
        "latency": lambda: speed.latency(size, say),
        "hub": lambda: speed.hub(size, say),
        "many": lambda: many.many(size, say),
    }
    return work[piece]()


def table(rows: Sequence[Row]) -> str:
    """A column for whatever any row has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_cell(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def options(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", dest="size", action="store_const", const="quick", help="a minute")
    sizes.add_argument("--full", dest="size", action="store_const", const="full", help="a million identifiers")
    parser.add_argument("--only", nargs="+", choices=PIECES, help=", ".join(PIECES))
    parser.add_argument("--world", nargs="+", choices=NAMES, help="instead of those that are held out")
    parser.add_argument("--table", nargs="+", choices=TABLES, help="instead of all tables")
    parser.add_argument("--persons", type=int, help="in a world; 20,000 unless given")
    parser.add_argument("--fake-1000", type=Path, metavar="FILE", help="Splink's fake_1000.csv")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the tables")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the JSON; pieces that were not run stay in it")
    writing = parser.add_argument_group("a world in files, and nothing else")
    writing.add_argument("--write", type=Path, metavar="FILE", help="the observations of --world, one JSON a line")
    writing.add_argument("--truth", type=Path, metavar="FILE", help="to whom each identifier belongs")
    writing.add_argument("--proofs", type=float, help="share of the messages that prove something; 0.25 unless given")
    parser.set_defaults(size="normal")
    asked = parser.parse_args(given)
    if (asked.write is None) != (asked.truth is None):
        parser.error("--write and --truth belong together")
    return asked


def main(given: Sequence[str] | None = None) -> None:
    asked = options(given)
    if asked.write:
        write_world(asked)
        return
    found: dict[str, list[Row]] = {}
    size = SIZES[asked.size] if asked.persons is None else replace(SIZES[asked.size], persons=asked.persons)
    for piece in asked.only or PIECES:
        found[piece] = run(piece, size, teller(piece), asked)
        if asked.save:
            save(asked.save, found, asked.size)
    print(json.dumps(found, indent=1) if asked.json else "\n\n".join(_tables(found)))


def _tables(found: dict[str, list[Row]]) -> Iterable[str]:
    return (f"{piece}\n{table(rows)}" for piece, rows in found.items())


def teller(piece: str) -> Say:
    began = time.monotonic()

    def say(what: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {piece}: {what} …", file=sys.stderr, flush=True)

    return say


def write_world(asked: argparse.Namespace) -> None:
    (name,) = asked.world or ["tuning"]
    given = {"persons": asked.persons, "proofs": asked.proofs}
    changed = {key: value for key, value in given.items() if value is not None}
    write(pieces.made(name, **changed), asked.write, asked.truth)


def save(file: Path, found: dict[str, list[Row]], size: str) -> None:
    """What was measured before and not now is kept, of worlds and tables too."""
    kept = json.loads(file.read_text("utf-8"))["pieces"] if file.exists() else {}
    about = machine() | {name: version(name) for name in LIBRARIES if find_spec(name)}
    before = {piece: kept.get(piece, {}).get("rows", ()) for piece in found}
    fresh = {
        piece: {"size": size, "load": about.get("load"), "rows": _with_others(before[piece], rows)}
        for piece, rows in found.items()
    }
    content = {"date": f"{datetime.now(UTC):%Y-%m-%d}", "machine": about, "pieces": kept | fresh}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _with_others(kept: Iterable[Row], rows: Sequence[Row]) -> list[Row]:
    measured = {row.get("world") or row.get("table") for row in rows}
    named = [(row, row.get("world") or row.get("table")) for row in kept]
    others = [row for row, name in named if name and name not in measured]
    return sorted([*others, *rows], key=lambda row: row.get("world") or row.get("table") or "")
