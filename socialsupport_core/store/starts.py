"""Cursors that the log will never give: at each start of the workers it goes on at a number that grows with time.

So a store that was restored from a backup gives no cursor twice, and a reader who is ahead of it is known by holding
one that was never given here, however much has happened since.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the table below is part of the schema, on which the database depends
    from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE log_starts (before INTEGER PRIMARY KEY, first INTEGER NOT NULL) WITHOUT ROWID;
"""

TICK = 100  # microseconds: 10,000 entries a second, without a pause from one start to the next, are not overtaken


def begin(tx: "Tx", now: int) -> None:
    """From here on cursors begin above what any process could have given until now. An empty log begins with 1."""
    tx.lock("log starts")
    row = tx.one(tx.last_cursor)
    last, first = int(row["n"]) if row else 0, now // TICK
    if not last or first <= last + 1:
        return
    if not tx.run("UPDATE log_starts SET first = ? WHERE first = ?", first, last + 1):  # nothing came since the last
        tx.run("INSERT INTO log_starts (before, first) VALUES (?, ?)", last, first)
    tx.change(tx.skip_cursors, first - 1)


def never_given(tx: "Tx", cursor: int) -> bool:
    """Whether it lies between two starts. What another process gave while one began stands in the log."""
    sql = (
        "SELECT 1 AS one FROM log_starts WHERE before < ? AND first > ?"
        " AND NOT EXISTS (SELECT 1 FROM log WHERE cursor = ?)"
    )
    return tx.one(sql, cursor, cursor, cursor) is not None
