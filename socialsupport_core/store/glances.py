"""What a list of conversations shows of each, read for all of them in a few statements."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from socialsupport_core.store import outbox
from socialsupport_core.store.conversations import Leg
from socialsupport_core.store.database import Row, Tx
from socialsupport_core.store.erasures import chunks, marks_for
from socialsupport_core.store.interactions import Stored, order_of, stored_of

AT_ONCE = 50
"""Parts of one statement; SQLite takes at most 500."""
_LAST = (
    "SELECT * FROM interactions WHERE tenant = ? AND node = ? AND leg IN ({})"
    " ORDER BY at DESC, tie DESC, seq DESC LIMIT 1"
)


def last_of(tx: Tx, tenant: str, legs: Mapping[str, Sequence[Leg]]) -> dict[str, Stored]:
    """By conversation its newest interaction, where it has one."""
    asked = [(node, [leg.id for leg in own]) for own in legs.values() for node in sorted({leg.node for leg in own})]
    conversation = {leg.id: name for name, own in legs.items() for leg in own}
    found: dict[str, Row] = {}
    for part in chunks(asked, AT_ONCE):
        each = (f"SELECT * FROM ({_LAST.format(marks_for(own))}) AS last_{n}" for n, (_, own) in enumerate(part))
        values = [value for node, own in part for value in (tenant, node, *own)]
        for row in tx.all(" UNION ALL ".join(each), *values):
            before = found.get(name := conversation[row["leg"]])
            if before is None or order_of(row) > order_of(before):
                found[name] = row
    return {name: stored_of(row) for name, row in found.items()}


def cases_of(tx: Tx, tenant: str, conversations: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """By conversation its case in each CRM: `crm`, `case` and, where it is known, `url`."""
    found: dict[str, list[dict[str, str]]] = {name: [] for name in conversations}
    sql = (
        "SELECT conversation, crm, case_ref, url FROM crm_cases WHERE tenant = ? AND conversation IN ({}) ORDER BY crm"
    )
    for row in _among(tx, sql, tenant, found):
        case = {"crm": row["crm"], "case": row["case_ref"], "url": row["url"]}
        found[row["conversation"]].append({name: value for name, value in case.items() if value})
    return found


def failed_in(tx: Tx, tenant: str, conversations: Iterable[str]) -> list[outbox.Part]:
    """Of them all, the parts that failed, the newest first."""
    sql = "SELECT * FROM outbox WHERE tenant = ? AND state = 'failed' AND conversation IN ({}) ORDER BY number DESC"
    rows = _among(tx, sql, tenant, dict.fromkeys(conversations))
    return [outbox.part_of(row) for row in sorted(rows, key=lambda row: -int(row["number"]))]


def _among(tx: Tx, sql: str, tenant: str, wanted: Iterable[Any]) -> list[Row]:
    return [row for part in chunks(list(wanted)) for row in tx.all(sql.format(marks_for(part)), tenant, *part)]
