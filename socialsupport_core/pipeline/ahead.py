"""Reading at once, for a batch of events, what recording them will ask for one by one."""

from collections.abc import Iterable, Sequence

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.model import Event, Identifier, Interaction, InteractionReceived
from socialsupport_core.pipeline import subjects
from socialsupport_core.pipeline.record import Place, marker
from socialsupport_core.store import Tx, conversations, identity, interactions


def read_ahead(tx: Tx, events: Sequence[tuple[Event, Place]]) -> None:
    by_channel: dict[tuple[str, str], list[Event]] = {}
    for event, place in events:
        by_channel.setdefault((place.tenant, place.channel), []).append(event)
    for (tenant, channel), mine in by_channel.items():
        told = [event.interaction for event in mine if isinstance(event, InteractionReceived)]
        natives = [one.native_id for one in told] + [one.in_reply_to for one in told if one.in_reply_to]
        interactions.read_ahead(tx, tenant, channel, [marker(event) for event in mine], natives)
        subjects.read_ahead(tx, tenant, channel, mine)
        if told:
            accounts = _accounts(told)
            identity.read_ahead(tx, tenant, accounts)
            conversations.read_threads(tx, tenant, channel, [one.thread.id for one in told])
            _read_customers(tx, tenant, channel, told)
    tx.reserve("seq", sum(isinstance(event, InteractionReceived) for event, _ in events))


def _accounts(told: Iterable[Interaction]) -> set[Identifier]:
    parties = [one.counterpart if one.direction == "outbound" else one.author for one in told]
    return {canonical(identifier) for party in parties if party for identifier in party.identifiers}


def _read_customers(tx: Tx, tenant: str, channel: str, told: Iterable[Interaction]) -> None:
    """Whoever begins a thread may go on with a conversation that he has elsewhere."""
    threads = tx.memo("threads")
    beginners = [one for one in told if not threads.get((tenant, channel, one.thread.id))]
    found = [identity.find(tx, tenant, account) for account in _accounts(beginners)]
    tx.reserve("node", sum(node is None for node in found))
    tx.reserve("leg", len({one.thread.id for one in beginners}))
    if customers := sorted({node.customer for node in found if node}):
        conversations.read_customers(tx, tenant, customers)
        identity.by_numbers(tx, {one.node for one in tx.memo("conversations").values() if one})
