"""The timeline: all interactions of one customer in order, merged from the newest of each account."""

import json
import re
from typing import Any

from socialsupport_core.store import Tx, attachments, conversations, identity, interactions, moment
from socialsupport_core.store.attachments import Kept
from socialsupport_core.store.conversations import Leg
from socialsupport_core.store.identity import Node
from socialsupport_core.store.interactions import Order, Stored
from socialsupport_core.text import to_html

PAGE = 50
PLACE = r"^-?[0-9]{1,18}\.[0-9]{1,18}\.[0-9]{1,18}$"
"""In a timeline, as `cursor` and `before` say it."""


def timeline(
    tx: Tx, tenant: str, customer: int, *, before: Order | None = None, limit: int = PAGE
) -> list[dict[str, Any]]:
    """The newest `limit` before that place, oldest first, as the API shows them."""
    nodes = [node.number for node in identity.members(tx, tenant, customer)]
    return show(tx, tenant, interactions.newest_of_all(tx, tenant, nodes, before, limit)[::-1])


def place_of(cursor: str) -> Order:
    """What a timeline's `before` says. Raises ValueError."""
    if not re.fullmatch(PLACE, cursor):
        raise ValueError(f"{cursor[:40]!r} is no place in a timeline; give the `before` of the page so far")
    at, tie, number = map(int, cursor.split("."))
    return at, tie, number


def of_conversation(tx: Tx, tenant: str, conversation: str, limit: int = 200) -> list[dict[str, Any]]:
    """The newest of one conversation, oldest first."""
    legs = conversations.legs(tx, tenant, conversation)
    nodes = sorted({leg.node for leg in legs})
    found = interactions.newest_of_all(tx, tenant, nodes, None, limit, sorted(leg.id for leg in legs))
    return show(tx, tenant, found[::-1])


def show(tx: Tx, tenant: str, found: list[Stored]) -> list[dict[str, Any]]:
    seqs = [stored.seq for stored in found]
    reactions = interactions.reactions(tx, tenant, seqs)
    kept = attachments.of(tx, tenant, seqs)
    legs = {stored.leg: conversations.leg(tx, stored.leg) for stored in found}
    names = _names(tx, tenant, {stored.node for stored in found})
    return [
        _entry(s, legs[s.leg], reactions.get(s.seq, []), kept.get(s.seq, [])) | {"by": _speaker(s, names)}
        for s in found
    ]


def _names(tx: Tx, tenant: str, numbers: set[int]) -> dict[int, str]:
    """What to call whoever is behind a node: its own name, else the customer's."""
    nodes = identity.by_numbers(tx, numbers)
    customers = {node.customer for node in nodes.values()}
    known = {customer: name_of(members) for customer, members in identity.members_of(tx, tenant, customers).items()}
    return {number: node.name or known[node.customer] for number, node in nodes.items()}


def name_of(members: list[Node]) -> str:
    """The first name that anybody told, else a handle, else the first identifier."""
    names = [node.name for node in members if node.name] + [node.handle for node in members if node.handle]
    return names[0] if names else members[0].identifier.value


def _speaker(stored: Stored, names: dict[int, str]) -> str:
    author = stored.interaction.author
    if stored.interaction.direction == "inbound":
        return author.name or names[stored.node]
    return author.name or stored.agent or "us"


def _entry(stored: Stored, leg: Leg | None, reactions: list[str], kept: list[Kept]) -> dict[str, Any]:
    gone = stored.deleted_at is not None
    interaction = stored.interaction.model_dump(mode="json", exclude_none=True, exclude={"context"})
    if gone:
        for private in ("text", "attachments", "subject", "choice", "location"):
            interaction.pop(private, None)
    entry: dict[str, Any] = {
        "id": str(stored.seq),
        "cursor": ".".join(map(str, stored.order)),
        "at": _time(stored.at),
        "received_at": _time(stored.received_at),
        "conversation": leg.conversation if leg else None,
        "leg": stored.leg,
        "channel": leg.channel if leg else None,
        "rule": leg.joined[0] if leg else None,
        "reason": leg.joined[1] if leg else None,
        "interaction": interaction,
        "html": "" if gone else to_html(stored.interaction.text or ""),
        "state": stored.state,
        "agent": stored.agent,
        "triage": json.loads(stored.triage) if stored.triage and not gone else None,
        "edited_at": _time(stored.edited_at) if stored.edited_at else None,
        "deleted_at": _time(stored.deleted_at) if stored.deleted_at else None,
        "reactions": reactions or None,
        "attachments": [] if gone else [_attachment(one) for one in kept],
    }
    return {name: value for name, value in entry.items() if value not in (None, [])}


def _attachment(kept: Kept) -> dict[str, Any]:
    shown = {
        "id": f"{kept.seq}.{kept.position}",
        "state": kept.state,
        "media_type": kept.media_type,
        "name": kept.name,
        "size": kept.size,
        "reason": kept.reason,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _time(at: int) -> str:
    return moment(at).isoformat().replace("+00:00", "Z")
