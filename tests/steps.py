"""Work that is counted, not timed: the steps of SQLite's machine, PostgreSQL's pages."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from socialsupport_core.store import Tx
from socialsupport_core.store.sqlite import SQLiteTx

STEPS = 50  # of SQLite's machine between two looks


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


def work(tx: Tx, call: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """What the call costs: fifties of steps, or pages."""
    if isinstance(tx, SQLiteTx):
        with stepping(tx, STEPS) as steps:
            call()
        return steps() // STEPS
    pages = 0
    ask = tx._all

    def explained(sql: str, values: Any) -> Any:
        nonlocal pages
        (row,) = ask(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", values)
        told = row["QUERY PLAN"]
        plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
        pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] + plan["Temp Written Blocks"]
        return ask(sql, values)

    with monkeypatch.context() as patch:
        patch.setattr(tx, "_all", explained)
        call()
    return pages
