"""The ask of the adapter, and the wire that answers it: some statements in one transaction."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import Any, ClassVar

from socialsupport_core.contract import Unavailable
from socialsupport_sqlcrm.schema import SCHEMA

Value = str | int | bytes | None
Rows = list[dict[str, Any]]
PATIENCE = 5.0
"""Seconds for which another writer is waited for."""


@dataclass(frozen=True, slots=True)
class Sql:
    """Statements that are done together or not at all; the answer is what the last of them finds."""

    database: str
    statements: tuple[tuple[str, tuple[Value, ...]], ...]


class SqliteWire:
    asks: ClassVar[tuple[type, ...]] = (Sql,)

    async def answer(self, ask: Sql) -> Rows:
        return await asyncio.to_thread(execute, ask)

    async def aclose(self) -> None:
        """Nothing is held open."""


def execute(ask: Sql) -> Rows:
    """Raises Unavailable: what was begun is undone."""
    try:
        with closing(connect(ask.database)) as database, database:
            found: list[sqlite3.Row] = []
            for statement, values in ask.statements:
                found = database.execute(statement, values).fetchall()
            return [dict(row) for row in found]
    except sqlite3.Error as error:
        raise Unavailable(f"the helpdesk's database: {error}", code=type(error).__name__) from error


def connect(path: str) -> sqlite3.Connection:
    """With the helpdesk's tables, made if they are not there."""
    database = sqlite3.connect(path, timeout=PATIENCE)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'news'").fetchone() is None:
        database.executescript(SCHEMA)
    return database
