"""What SQLite's planner is to believe of the tables.

Knowing nothing, it takes all that a tenant has for ten rows, and reads all of them in place of an index that names the
one. What `ANALYZE` finds at one moment is wrong the next: a queue that was empty holds a hundred thousand. So every
index gets the same figures for good, those of a large store, and plans change only with the statements.
"""

import sqlite3

ROWS, PARTLY = 1_000_000, 100_000
"""In a table; in an index of some of its rows."""
COARSE = frozenset(
    {"channel", "crm", "holder", "kind", "name", "ready", "state", "status", "tenant", "type", "visibility"}
)
"""Columns of few values: each leaves a tenth of the rows."""
FEW = 5  # rows that any other column leaves
INDEXES = """
SELECT m.name, l.name, l."unique", l.partial FROM sqlite_master m JOIN pragma_index_list(m.name) l
 WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY m.name, l.name
"""


def instruct(connection: sqlite3.Connection) -> None:
    """Once for each file and each set of indexes; raises what `sqlite3` raises."""
    wanted = _figures(connection)
    has = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'").fetchone()[0]
    if has and connection.execute("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx").fetchall() == wanted:
        return
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("ANALYZE sqlite_schema")  # makes the table
    connection.execute("DELETE FROM sqlite_stat1")
    connection.executemany("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)", wanted)
    connection.execute("COMMIT")
    connection.execute("ANALYZE sqlite_schema")  # reads it


def _figures(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """By table and index: its rows, and how many of them each further column leaves."""
    found = []
    for table, index, unique, partial in connection.execute(INDEXES).fetchall():
        left = PARTLY if partial else ROWS
        stat = [left]
        for (column,) in connection.execute("SELECT name FROM pragma_index_info(?)", (index,)):
            left = max(1, left // 10) if column in COARSE else min(left, FEW)
            stat.append(left)
        if unique:
            stat[-1] = 1
        found.append((table, index, " ".join(map(str, stat))))
    return found
