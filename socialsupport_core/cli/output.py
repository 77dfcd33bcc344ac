"""What the verbs print: JSON lines and tables on stdout, remarks and progress on stderr."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice, zip_longest
from typing import Any, TypeVar

T = TypeVar("T")
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False)
PATIENCE = 2.0
"""Seconds after which something that is still going on shows its progress."""


def json_line(value: Any) -> None:
    """One JSON value on one line of stdout."""
    _write(written(value) + "\n")


def json_lines(values: Iterable[Any]) -> None:
    """The same for very many, a thousand at a time."""
    waiting = iter(values)
    while some := list(islice(waiting, 1_000)):
        _write("".join(f"{written(value)}\n" for value in some))


def json_document(value: Any) -> None:
    """One JSON value over several lines of stdout, for people and files."""
    _write(written(value, indent=2) + "\n")


def written(value: Any, indent: int | None = None) -> str:
    """JSON in UTF-8; half a surrogate pair, which UTF-8 has no form for, stays an escape."""
    text = _AS_IT_IS.encode(value) if indent is None else json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def line(text: str) -> None:
    """At once, also into a pipe: a supervisor reads what is said at the start of something that lasts."""
    _write(text + "\n")
    sys.stdout.flush()


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    flat = "; ".join(part for part in map(str.strip, message.splitlines()) if part)
    print(f"socialsupport: {flat}", file=sys.stderr)


remark = complain
"""For what is no error but must be known."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table on stdout. Cells are shown as they are: what customers write is never markup."""
    _print_table([[name, *cells] for name, cells in zip(columns, _turned(columns, rows), strict=True)], title, ())


def folded_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """The same for many columns: where a word would be broken, another table goes on, with the first column again."""
    first, *others = [[name, *cells] for name, cells in zip(columns, _turned(columns, rows), strict=True)]
    room = _console().width
    while others:
        fitting = [n for n in range(1, len(others) + 1) if _narrowest([first, *others[:n]]) <= room]
        taken = max(fitting, default=1)
        chosen, others = [first, *others[:taken]], others[taken:]
        _print_table(chosen, title, _widths(chosen, room))
        title = ""


def _turned(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[list[str]]:
    """The cells of each column."""
    listed = [[str(cell) for cell in row] for row in rows]
    return [[row[at] for row in listed] for at in range(len(columns))]


def _narrowest(columns: Sequence[Sequence[str]]) -> int:
    """The width of a table that breaks no word: two spaces and a divider for each column, and the last edge."""
    return sum(map(_longest_word, columns)) + 3 * len(columns) + 1


def _widths(columns: Sequence[Sequence[str]], room: int) -> list[int]:
    """Each column as wide as its longest word, or wider as long as there is room."""
    left, widths = max(0, room - _narrowest(columns)), []
    for column in columns:
        word = _longest_word(column)
        more = min(left, max(map(len, column)) - word)
        widths.append(word + more)
        left -= more
    return widths


def _longest_word(column: Sequence[str]) -> int:
    return max((len(word) for cell in column for word in cell.split()), default=1)


def _print_table(columns: Sequence[Sequence[str]], title: str, widths: Sequence[int]) -> None:
    """Columns begin with their name; without widths rich finds them."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for (name, *_), width in zip_longest(columns, widths):
        grid.add_column(name, overflow="fold", width=width)
    for row in zip(*(cells for _, *cells in columns), strict=True):
        grid.add_row(*map(Text, row))
    _console().print(grid)


def progress(items: Iterable[T], total: int | None = None, *, doing: str) -> Iterator[T]:
    """Passes the items through; a bar appears on a terminal's stderr once it takes longer than `PATIENCE`."""
    with moving(doing) as moved:
        for number, item in enumerate(items, 1):
            yield item
            moved(number, total)


@contextmanager
def moving(doing: str) -> Iterator[Callable[[int, int | None], None]]:
    """The same for what is no loop: it is called with how many of how many are done."""
    if not sys.stderr.isatty():
        yield _unseen
        return
    from rich.progress import Progress

    began = time.monotonic()
    with Progress(console=_console(stderr=True), transient=True, redirect_stdout=False) as bars:
        task = bars.add_task(doing, total=None, visible=False)

        def moved(done: int, total: int | None) -> None:
            bars.update(task, completed=done, total=total, visible=time.monotonic() - began > PATIENCE)

        yield moved


def _unseen(done: int, total: int | None) -> None:
    """Nobody sits in front of it."""


def _console(*, stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False)


def _write(text: str) -> None:
    """Always UTF-8: a pipe in the C locale must not lose anything."""
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    stream.write(text.encode(errors="backslashreplace"))
