"""What the verbs print: JSON lines and tables on stdout, remarks and progress on stderr."""

# ruff: noqa: PLC0415 - imported when it is needed, so that --help is quick

import json
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 2.0
"""Seconds after which something that is still going on shows its progress."""


def json_line(value: Any) -> None:
    """One JSON value on one line of stdout."""
    _write(written(value) + "\n")


def json_document(value: Any) -> None:
    """One JSON value over several lines of stdout, for people and files."""
    _write(written(value, indent=2) + "\n")


def written(value: Any, indent: int | None = None) -> str:
    """JSON in UTF-8; half a surrogate pair, which UTF-8 has no form for, stays an escape."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def line(text: str) -> None:
    _write(text + "\n")


def complain(message: str) -> None:
    """One line on stderr, whatever the message holds."""
    flat = "; ".join(part for part in map(str.strip, message.splitlines()) if part)
    print(f"socialsupport: {flat}", file=sys.stderr)


remark = complain
"""For what is no error but must be known."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """A table on stdout. Cells are shown as they are: what customers write is never markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    grid = Table(title=title or None, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(str(cell)) for cell in row))
    _console().print(grid)


def progress(items: Iterable[T], total: int | None = None, *, doing: str) -> Iterator[T]:
    """Passes the items through; a bar appears on a terminal's stderr once it takes longer than `PATIENCE`."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.progress import Progress

    began = time.monotonic()
    with Progress(console=_console(stderr=True), transient=True) as bars:
        task = bars.add_task(doing, total=total, visible=False)
        for item in items:
            yield item
            bars.update(task, advance=1, visible=time.monotonic() - began > PATIENCE)


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
