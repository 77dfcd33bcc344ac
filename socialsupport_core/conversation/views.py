"""Customers and conversations as the API shows them. Absent fields are left out."""

from typing import Any

from socialsupport_core.conversation.timeline import of_conversation, timeline
from socialsupport_core.store import Tx, conversations, identity, moment
from socialsupport_core.store.accounts import Channel
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.identity import Node


def present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def time(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat().replace("+00:00", "Z")


def customer(tx: Tx, tenant: str, number: int) -> dict[str, Any]:
    members = identity.members(tx, tenant, number)
    canonical = next(node for node in members if node.number == number)
    return present(
        id=canonical.id,
        name=name_of(members),
        aliases=sorted(node.id for node in members if node.number != number),
        accounts=[account(node) for node in members],
        conversations=[summary(tx, one) for one in conversations.of_customer(tx, tenant, number)],
    )


def name_of(members: list[Node]) -> str:
    """The first name that anybody told, else a handle, else the first identifier."""
    names = [node.name for node in members if node.name] + [node.handle for node in members if node.handle]
    return names[0] if names else members[0].identifier.value


def account(node: Node) -> dict[str, Any]:
    identifier = node.identifier
    return present(
        identifier=str(identifier),
        kind=identifier.kind,
        value=identifier.value,
        id=node.id,
        name=node.name,
        handle=node.handle,
        since=time(node.first_seen),
    )


def summary(tx: Tx, one: Conversation) -> dict[str, Any]:
    """One conversation as the queue shows it."""
    legs = conversations.legs(tx, one.tenant, one.id)
    owner = identity.by_numbers(tx, [one.node])[one.node].customer
    members = identity.members(tx, one.tenant, owner)
    last = of_conversation(tx, one.tenant, one.id, limit=1)
    return present(
        id=one.id,
        customer={"id": next(n.id for n in members if n.number == owner), "name": name_of(members)},
        subject=one.subject,
        status=one.status,
        assignee=one.assignee,
        opened_at=time(one.opened_at),
        updated_at=time(one.updated_at),
        waiting_since=time(one.waiting_since),
        channels=list(dict.fromkeys(leg.channel for leg in legs)),
        networks=list(dict.fromkeys(leg.network for leg in legs)),
        case=one.case,
        last=_excerpt(last[0]) if last else None,
    )


def conversation(tx: Tx, one: Conversation) -> dict[str, Any]:
    """One conversation with its legs, and everything the customer has said and heard."""
    legs = conversations.legs(tx, one.tenant, one.id)
    nodes = identity.by_numbers(tx, [leg.node for leg in legs])
    owner = identity.by_numbers(tx, [one.node])[one.node].customer
    return summary(tx, one) | {
        "legs": [shown_leg(leg, nodes[leg.node]) for leg in legs],
        "entries": of_conversation(tx, one.tenant, one.id),
        "timeline": timeline(tx, one.tenant, owner),
    }


def shown_leg(leg: Leg, node: Node) -> dict[str, Any]:
    return present(
        id=leg.id,
        channel=leg.channel,
        network=leg.network,
        thread=leg.thread,
        visibility=leg.visibility,
        account=str(node.identifier),
        opened_at=time(leg.opened_at),
        last_inbound=time(leg.last_inbound),
        rule=leg.rule,
        reason=leg.reason,
    )


def channel(one: Channel, public_url: str, broken: str | None) -> dict[str, Any]:
    """A channel without its settings: secrets go in, they never come out."""
    return present(
        id=one.id,
        connector=one.connector,
        app=one.app,
        own_account=one.own_account,
        name=one.facts.name,
        handle=one.facts.handle,
        state="broken" if broken else one.state,
        reason=broken or one.reason,
        mode=one.mode,
        door=f"{public_url}/hooks/{one.door}",
        chat=f"{public_url}/chat/{one.door}/",
    )


def _excerpt(entry: dict[str, Any]) -> dict[str, Any]:
    interaction = entry["interaction"]
    return present(
        text=(interaction.get("text") or interaction.get("subject") or interaction["kind"])[:140],
        direction=interaction["direction"],
        network=interaction["network"],
        visibility=interaction["thread"]["visibility"],
        at=entry["at"],
        state=entry.get("state"),
    )
