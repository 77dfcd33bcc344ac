"""Reading a table as spreadsheets and other systems write it: row by row, so that one bad row costs no other."""

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from socialsupport_core.contract.errors import MalformedPayload

DELIMITERS = ",;\t"


@dataclass(frozen=True, slots=True)
class Row:
    """`number` is what a spreadsheet shows: the header is 1."""

    number: int
    content: dict[str, str] | list[str]
    """By column; the bare cells where there is a problem."""
    problem: str | None = None


def rows(body: bytes, what: str, needed: Sequence[str], optional: Sequence[str]) -> Iterator[Row]:
    """`what` the table is of, the columns that it must have and those that it may have. Raises MalformedPayload where
    the table as a whole cannot be read."""
    text = _text(body)
    reader = csv.reader(io.StringIO(text), delimiter=_delimiter(text), strict=True)
    header: list[str] | None = None
    for row in _numbered(reader, hashlib.sha256(body).hexdigest()):
        if header is None:
            header = _header(row.content, what, needed, optional)
        else:
            yield row if row.problem else _by_column(row, header)
    if header is None:
        raise MalformedPayload(f"the file is empty; its first row names the columns: {', '.join(needed)}")


def _text(body: bytes) -> str:
    """With one form of line break: cells keep theirs."""
    try:
        return body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise MalformedPayload(f"the file is not UTF-8 (byte {error.start}); save it as CSV UTF-8") from error


def _delimiter(text: str) -> str:
    """The one that is most frequent in the header row."""
    header = text.lstrip().partition("\n")[0]
    return max(DELIMITERS, key=header.count)


def _numbered(reader: Any, file: str) -> Iterator[Row]:
    """All rows but the empty ones. `file` names rows whose cells are unknown."""
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(number, [file, str(number)], _problem(str(error)))
        else:
            if any(cell.strip() for cell in cells):
                yield Row(number, cells)


def _problem(error: str) -> str:
    if error == "unexpected end of data":
        return "a quotation mark opened here is never closed; the rest of the file cannot be read"
    return f"cannot be read: {error}"


def _header(cells: Any, what: str, needed: Sequence[str], optional: Sequence[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if missing := [name for name in needed if name not in names]:
        raise MalformedPayload(
            f"the header row lacks the columns {', '.join(missing)}; a table of {what} has "
            f"{', '.join(needed)} and may have {_listed(optional)}"
        )
    if twice := sorted({name for name in names if name and names.count(name) > 1}):
        raise MalformedPayload(f"the header row names a column twice: {', '.join(twice)[:200]}")
    return names


def _by_column(row: Row, header: list[str]) -> Row:
    cells = list(row.content)
    if len(cells) > len(header):
        problem = f"has {len(cells)} cells, the header {len(header)}; quote a cell that holds a separator"
        return Row(row.number, cells, problem)
    return Row(row.number, dict.fromkeys(header, "") | dict(zip(header, cells, strict=False)))


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
