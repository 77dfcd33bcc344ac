"""Where the trace of a journal entry or of a part began, so that whoever goes on with it can link back."""

from collections.abc import Sequence
from typing import Literal

from socialsupport_core.store.database import Tx

Of = Literal["entry", "part"]

TABLES = """
CREATE TABLE traces (
  kind TEXT NOT NULL, tenant TEXT NOT NULL, item TEXT NOT NULL, context TEXT NOT NULL,
  PRIMARY KEY (kind, tenant, item)) WITHOUT ROWID;
"""


def put(tx: Tx, kind: Of, tenant: str, item: str, context: str) -> None:
    """`context` is a W3C traceparent: https://www.w3.org/TR/trace-context/#traceparent-header (2026-11)."""
    tx.run(
        "INSERT INTO traces VALUES (?, ?, ?, ?) ON CONFLICT (kind, tenant, item) DO NOTHING",
        kind,
        tenant,
        item,
        context,
    )


def get(tx: Tx, kind: Of, tenant: str, item: str) -> str | None:
    row = tx.one("SELECT context FROM traces WHERE kind = ? AND tenant = ? AND item = ?", kind, tenant, item)
    return str(row["context"]) if row else None


def forget(tx: Tx, kind: Of, tenant: str, items: Sequence[str]) -> None:
    """Nothing will link to these any more."""
    marks = ", ".join("?" * len(items))
    tx.run(f"DELETE FROM traces WHERE kind = ? AND tenant = ? AND item IN ({marks})", kind, tenant, *items)


def states(tx: Tx, numbers: Sequence[int]) -> dict[int, str]:
    """What became of these journal entries, as far as they are there."""
    marks = ", ".join("?" * len(numbers))
    return {
        row["entry"]: row["state"]
        for row in tx.all(f"SELECT entry, state FROM journal WHERE entry IN ({marks})", *numbers)
    }
