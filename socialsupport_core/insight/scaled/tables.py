"""The tables that are exported: what was said, the turns and the hand-offs, one row each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from socialsupport_core.insight.history import Handed, History, Touch, Turn
from socialsupport_core.insight.scaled.place import Table

_SET = pa.list_(pa.string())
TOUCHES = pa.schema(
    [
        ("at", pa.int64()),
        ("id", pa.string()),
        ("customer", pa.string()),
        ("channel", pa.string()),
        ("network", pa.string()),
        ("thread", pa.string()),
        ("visibility", pa.string()),
        ("by", pa.string()),
        ("conversation", pa.string()),
        ("kind", pa.string()),
        ("agent", pa.string()),
        ("failed", pa.bool_()),
        ("attended", pa.bool_()),
        ("topics", _SET),
        ("told", _SET),
        ("asks", _SET),
        ("answers", pa.string()),
        ("edited", pa.bool_()),
        ("rating", pa.float64()),
        ("reach", pa.int64()),
        ("contact", pa.string()),
        ("verdict", pa.int64()),
    ]
)
TURNS = pa.schema(
    [(name, pa.int64() if name == "at" else pa.string()) for name in ("at", "type", "conversation", "agent")]
)
HANDED = pa.schema(
    [
        (name, pa.int64() if name == "at" else pa.string())
        for name in ("at", "conversation", "channel", "state", "arrived_channel")
    ]
)
SCHEMAS = {"touches": TOUCHES, "turns": TURNS, "handed": HANDED}


@dataclass(frozen=True, slots=True)
class Tables:
    """Of one tenant, as Ibis tables."""

    touches: Table
    turns: Table
    handed: Table


def arrow(kind: str, rows: Iterable[Touch | Turn | Handed]) -> pa.Table:
    """`kind` is a key of `SCHEMAS`. Sets are sorted, so that the same facts make the same file."""
    schema = SCHEMAS[kind]
    listed = list(rows)
    columns = [[_plain(getattr(row, name)) for row in listed] for name in schema.names]
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def of_history(history: History) -> dict[str, pa.Table]:
    return {name: arrow(name, getattr(history, name)) for name in SCHEMAS}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value
