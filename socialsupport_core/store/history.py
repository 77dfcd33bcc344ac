"""The store as a history: everything that measures are made of, in the order of event time."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # as the tables beside this, it knows the database only by its verbs
    from socialsupport_core.store.database import Row, Tx

_INTERACTIONS = (
    "SELECT i.seq, i.at, i.data, i.agent, i.state, i.edited_at, i.triage, c.id AS customer, l.channel, l.conversation"
    " FROM interactions i JOIN nodes n ON n.node = i.node JOIN nodes c ON c.node = n.customer"
    " JOIN legs l ON l.leg = i.leg WHERE i.tenant = ? AND i.at < ? AND i.deleted_at IS NULL ORDER BY i.at, i.seq"
)
"""Customers by who they are now: two that turned out to be one were one all along."""


def interactions(tx: "Tx", tenant: str, until: int) -> "Iterable[Row]":
    return tx.all(_INTERACTIONS, tenant, until)


def told(tx: "Tx", tenant: str) -> dict[int, list[tuple[str, str]]]:
    """By interaction: kind and value, as agents have put them right."""
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    sql = "SELECT seq, kind, coalesce(corrected, value) AS value FROM context WHERE tenant = ? AND state <> 'removed'"
    for row in tx.all(sql, tenant):
        found[row["seq"]].append((row["kind"], row["value"]))
    return found


def turns(tx: "Tx", tenant: str, until: int) -> list[tuple[int, str, str, str | None]]:
    """When agents resolved and reopened conversations, under the ids that these have now."""
    now = _living(tx, tenant)
    found: list[tuple[int, str, str, str | None]] = []
    for row in tx.all(
        "SELECT type, at, conversation, data FROM log WHERE tenant = ? AND at < ?"
        " AND type IN ('conversation.resolved', 'conversation.reopened')",
        tenant,
        until,
    ):
        data = json.loads(row["data"])
        name = row["type"].removeprefix("conversation.")
        found.append((row["at"], name, now.get(row["conversation"], row["conversation"]), data.get("agent")))
    return found


def _living(tx: "Tx", tenant: str) -> dict[str, str]:
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


def hand_offs(tx: "Tx", tenant: str, until: int) -> list[tuple[int, str, str, str, str | None]]:
    """When, in which conversation, from which channel, how far it came, and where the customer arrived."""
    now = _living(tx, tenant)
    sql = (
        "SELECT h.created_at, h.conversation, h.channel, h.state, a.channel AS arrived FROM handoffs h"
        " LEFT JOIN legs a ON a.leg = h.arrived_leg WHERE h.tenant = ? AND h.created_at < ?"
    )
    return [
        (
            row["created_at"],
            now.get(row["conversation"], row["conversation"]),
            row["channel"],
            row["state"],
            row["arrived"],
        )
        for row in tx.all(sql, tenant, until)
    ]
