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
            _read_threads(tx, tenant, channel, told)
            _read_customers(tx, tenant, channel, told)
    tx.reserve("seq", sum(isinstance(event, InteractionReceived) for event, _ in events))


def _accounts(told: Iterable[Interaction]) -> set[Identifier]:
    parties = [one.counterpart if one.direction == "outbound" else one.author for one in told]
    return {canonical(identifier) for party in parties if party for identifier in party.identifiers}


def _read_threads(tx: Tx, tenant: str, channel: str, told: Iterable[Interaction]) -> None:
    """In private all who take part, in public only those who speak now."""
    if private := {one.thread.id for one in told if one.thread.visibility == "private"}:
        conversations.read_threads(tx, tenant, channel, private)
    parts = {(one.thread.id, node) for one in told if one.thread.id not in private for node in _nodes(tx, tenant, one)}
    if parts:
        conversations.read_parts(tx, tenant, channel, parts)


def _speakers(one: Interaction) -> Iterable[Identifier]:
    """Whose part of the thread it is."""
    return sorted(_accounts([one]), key=str) if one.thread.visibility == "public" else ()


def _nodes(tx: Tx, tenant: str, one: Interaction) -> list[int]:
    found = [identity.find(tx, tenant, account) for account in _accounts([one])]
    return [node.number for node in found if node]


def _begins(tx: Tx, tenant: str, channel: str, one: Interaction) -> bool:
    """Nothing is known of its author there, or in private of anybody."""
    where = tenant, channel, one.thread.id
    if where in tx.memo("threads"):
        return not tx.memo("threads")[where]
    return not any(tx.memo("parts").get((*where, node)) for node in _nodes(tx, tenant, one))


def _read_customers(tx: Tx, tenant: str, channel: str, told: Iterable[Interaction]) -> None:
    """Whoever begins a thread may go on with a conversation that he has elsewhere."""
    beginners = [one for one in told if _begins(tx, tenant, channel, one)]
    found = [identity.find(tx, tenant, account) for account in _accounts(beginners)]
    tx.reserve("node", sum(node is None for node in found))
    tx.reserve("leg", len({(one.thread.id, *_speakers(one)) for one in beginners}))
    if customers := sorted({node.customer for node in found if node}):
        conversations.read_customers(tx, tenant, customers)
        identity.by_numbers(tx, {one.node for one in tx.memo("conversations").values() if one})
