"""Work that is counted, not timed: the steps of SQLite's machine."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from socialsupport_core.store.sqlite import SQLiteTx


@contextmanager
def stepping(tx: SQLiteTx, every: int) -> Iterator[Callable[[], int]]:
    """How many steps were taken meanwhile, looked at after every so many."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += every
        return 0

    tx._connection.set_progress_handler(step, every)
    try:
        yield lambda: steps
    finally:
        tx._connection.set_progress_handler(None, 0)
