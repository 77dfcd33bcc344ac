"""The lines of a file, each with its number: JSON objects, or rows of a table whose first line names its columns."""

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from socialsupport_core.contract import ConfigError

Row = dict[str, Any]
Moved = Callable[[int, int | None], None]


def unseen(done: int, total: int | None) -> None:
    """Nobody waits for it."""


TABLES = {".csv", ".tsv", ".tab"}
DELIMITERS = ",;\t"
LISTS = "write one object a line, as in `jq -c '.[]' FILE`"


class Place(NamedTuple):
    """Where a line stands. Of two moments alike the line that stands first came first."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}"


class Mistake(NamedTuple):
    where: Place
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def rows(files: list[Path], moved: Moved) -> Iterator[tuple[Place, Row] | Mistake]:
    """Empty lines are none. `moved` is told how many bytes of how many are read. Raises ConfigError."""
    sizes = [_size(file) for file in files]
    before = 0
    for file, size in zip(files, sizes, strict=True):
        read = _of_table if file.suffix.lower() in TABLES else _of_objects
        for at, one in read(file):
            yield one
            moved(before + at, sum(sizes))
        before += size


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


Read = Iterator[tuple[int, tuple[Place, Row] | Mistake]]
"""With the bytes that are read by then."""


def _of_objects(file: Path) -> Read:
    at = 0
    with file.open("rb") as opened:
        for number, line in enumerate(opened, 1):
            at += len(line)
            if line.strip():
                place = Place(str(file), number)
                for one in _objects(line.removeprefix(b"\xef\xbb\xbf"), place):
                    yield at, one


def _objects(line: bytes, place: Place) -> Iterator[tuple[Place, Row] | Mistake]:
    """One; of a page of `GET /api/events` all that are on it."""
    try:
        found = json.loads(line)
    except UnicodeDecodeError:
        yield Mistake(place, "is no text in UTF-8; convert the file, as with `iconv`")
        return
    except (ValueError, RecursionError) as error:
        what = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
        remedy = LISTS if line.lstrip()[:1] in b"[]{}" else "write one object a line; a table needs a name in .csv"
        yield Mistake(place, f"is not JSON: {what}; {remedy}")
        return
    if isinstance(found, dict) and isinstance(found.get("events"), list):
        for one in found["events"]:
            yield (place, one) if isinstance(one, dict) else Mistake(place, "holds an event that is no object")
    elif isinstance(found, dict):
        yield place, found
    else:
        yield Mistake(place, f"is no object, {'but a list' if isinstance(found, list) else 'only a value'}; {LISTS}")


def _of_table(file: Path) -> Read:
    """Empty cells are absent. A comma, a semicolon or a tab divides them, whichever the first line has most of."""
    with file.open(encoding="utf-8-sig", newline="") as opened:
        place = Place(str(file), 1)
        try:
            first = opened.readline()
            opened.seek(0)
            reader = csv.reader(opened, delimiter=max(DELIMITERS, key=first.count), strict=True)
            names = [name.strip() for name in next(reader, [])]
            at = 0
            place = Place(str(file), reader.line_num + 1)
            for cells in reader:
                at += sum(map(len, cells)) + len(cells)
                if any(cells):
                    yield at, _row(place, names, cells)
                place = Place(str(file), reader.line_num + 1)
        except UnicodeDecodeError:
            yield 0, Mistake(place, "or one soon after it, is no text in UTF-8; convert the file, as with `iconv`")
        except csv.Error as error:
            yield 0, Mistake(place, f"is no row of a table: {error}; nothing after it was read")


def _row(place: Place, names: list[str], cells: list[str]) -> tuple[Place, Row] | Mistake:
    if len(cells) != len(names):
        what = f"has {len(cells)} cells, and the first line names {len(names)} columns"
        return Mistake(place, f"{what}; put quotation marks around a cell that holds the divider")
    return place, {name: cell.strip() for name, cell in zip(names, cells, strict=True) if cell.strip()}
