"""Numbers that are counted along with each commit, so that nobody has to count rows.

A number is the sum of its slots: processes that count at the same time rarely wait for each other's commit.
"""

from collections.abc import Iterable

from socialsupport_core.store.database import Tx

TABLES = """
CREATE TABLE tallies (
  name TEXT NOT NULL, slot INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (name, slot)) WITHOUT ROWID;
"""


def of(tx: Tx, names: Iterable[str]) -> dict[str, int]:
    """What has been counted under these names; 0 where nothing was."""
    wanted = list(names)
    marks = ", ".join("?" * len(wanted))
    rows = tx.all(f"SELECT name, sum(count) AS n FROM tallies WHERE name IN ({marks}) GROUP BY name", *wanted)
    counted = {row["name"]: int(row["n"]) for row in rows}
    return {name: counted.get(name, 0) + tx.tally[name] for name in wanted}
