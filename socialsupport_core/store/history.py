"""The store as a history, page by page: everything that measures are made of, in event time."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # as the tables beside this, it knows the database only by its verbs
    from socialsupport_core.store.database import Row, Tx

PAGE = 2_000
START = (0, 0, 0)
"""Before everything: node, time, number."""
_INTERACTIONS = (
    "SELECT i.node, i.seq, i.at, i.data, i.agent, i.state, i.edited_at, i.triage, i.part, c.id AS customer, l.channel,"
    " l.conversation"
    " FROM interactions i JOIN nodes n ON n.node = i.node JOIN nodes c ON c.node = n.customer"
    " JOIN legs l ON l.leg = i.leg WHERE i.tenant = ? AND i.at >= ? AND i.at < ? AND i.deleted_at IS NULL"
    f" AND (i.node, i.at, i.seq) > (?, ?, ?) ORDER BY i.node, i.at, i.seq LIMIT {PAGE}"
)
"""In the order in which they are stored, that is by account. Customers by who they are now: two that turned out to be
one were one all along."""
_TURNS = (
    "SELECT cursor, type, at, conversation, data FROM log WHERE tenant = ? AND cursor > ? AND at >= ? AND at < ?"
    f" AND type IN ('conversation.resolved', 'conversation.reopened') ORDER BY cursor LIMIT {PAGE}"
)


def interactions(tx: "Tx", tenant: str, since: int, until: int, after: Sequence[int] = START) -> "list[Row]":
    """At most `PAGE`; `after` is node, time and number of the last one read."""
    return tx.all(_INTERACTIONS, tenant, since, until, *after)


def told(tx: "Tx", tenant: str, numbers: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """By interaction: kind and value, as agents have put them right."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    sql = (
        "SELECT seq, kind, coalesce(corrected, value) AS value FROM context WHERE tenant = ? AND state <> 'removed'"
        f" AND seq IN ({_marks(numbers)})"
    )
    for row in tx.all(sql, tenant, *numbers) if numbers else ():
        found[row["seq"]].append((row["kind"], row["value"]))
    return found


def answered(tx: "Tx", tenant: str, asked: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """By channel, thread and native id: the number of that interaction, in that thread if there is one; ids of
    messages are often those of their thread alone."""
    by_channel: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for channel, thread, native in asked:
        by_channel[channel].add((thread, native))
    found: dict[tuple[str, str, str], int] = {}
    for channel, pairs in by_channel.items():
        known = _keys(tx, tenant, channel, sorted({native for _, native in pairs}))
        for thread, native in pairs:
            if of_native := known.get(native):
                found[channel, thread, native] = of_native.get(thread, max(of_native.values()))
    return found


def _keys(tx: "Tx", tenant: str, channel: str, natives: Sequence[str]) -> dict[str, dict[str, int]]:
    """By native id and thread."""
    sql = (
        "SELECT thread, native_id, seq FROM interaction_keys WHERE tenant = ? AND channel = ?"
        f" AND native_id IN ({_marks(natives)})"
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in tx.all(sql, tenant, channel, *natives):
        found[row["native_id"]][row["thread"]] = row["seq"]
    return found


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))


def turns(
    tx: "Tx", tenant: str, since: int, until: int, cursor: int, living: dict[str, str]
) -> tuple[list[tuple[int, str, str, str | None]], int | None]:
    """When agents resolved and reopened conversations, under the ids that these have now: at most `PAGE`, and the
    cursor after which there may be more."""
    rows = tx.all(_TURNS, tenant, cursor, since, until)
    found = [
        (
            row["at"],
            row["type"].removeprefix("conversation."),
            living.get(row["conversation"], row["conversation"]),
            json.loads(row["data"]).get("agent"),
        )
        for row in rows
    ]
    return found, rows[-1]["cursor"] if len(rows) == PAGE else None


def living(tx: "Tx", tenant: str) -> dict[str, str]:
    """By superseded conversation: where it goes on."""
    sql = "SELECT conversation, superseded_by FROM conversations WHERE tenant = ? AND superseded_by IS NOT NULL"
    into = {row["conversation"]: row["superseded_by"] for row in tx.all(sql, tenant)}
    ends: dict[str, str] = {}
    for one in into:
        end, seen = one, set[str]()
        while end in into and end not in seen:
            seen.add(end)
            end = into[end]
        ends[one] = end
    return ends


def hand_offs(
    tx: "Tx", tenant: str, since: int, until: int, living: dict[str, str]
) -> Iterator[tuple[int, str, str, str, str | None]]:
    """When, in which conversation, from which channel, how far it came, and where the customer arrived."""
    sql = (
        "SELECT h.created_at, h.conversation, h.channel, h.state, a.channel AS arrived FROM handoffs h"
        " LEFT JOIN legs a ON a.leg = h.arrived_leg WHERE h.tenant = ? AND h.created_at >= ? AND h.created_at < ?"
    )
    for row in tx.all(sql, tenant, since, until):
        conversation = living.get(row["conversation"], row["conversation"])
        yield row["created_at"], conversation, row["channel"], row["state"], row["arrived"]
