"""A network demands that somebody's data be erased: an agent sees it in the queue, and decides.

Only where the channel's operator has said so is it done without one.
"""

from socialsupport_core.identity.canonical import canonical
from socialsupport_core.model import ErasureRequested, Interaction, Party, Thread
from socialsupport_core.store import Tx, conversations, erasures, identity, interactions, log, moment, waiting
from socialsupport_core.store.conversations import Leg
from socialsupport_core.store.digests import digest
from socialsupport_core.store.identity import Node
from socialsupport_core.store.interactions import Stored

SAID = "The network demands that everything about this customer be erased."


def take(tx: Tx, tenant: str, channel: str, event: ErasureRequested, at: int) -> str | None:
    """Puts the demand before an agent; why nothing was done if it names nobody."""
    found = [identity.find(tx, tenant, canonical(one)) for one in event.identifiers]
    customers = sorted({node.customer for node in found if node is not None})
    if not customers:
        return "it names nobody who is known"
    state = "accepted" if erasures.is_allowed(tx, tenant, channel) else "waiting"
    for customer in customers:
        request = digest(tx, tenant, "request", channel, event.id, str(customer))
        erasures.request(tx, tenant, request, customer, channel, at, state)
        if state == "waiting":
            _show(tx, tenant, customer, request, at)
    return None


def _show(tx: Tx, tenant: str, customer: int, request: str, at: int) -> None:
    """A note in the customer's newest conversation, which then waits for an agent."""
    mine = {node.number: node for node in identity.members(tx, tenant, customer)}
    for one in conversations.of_customer(tx, tenant, customer):
        legs = [leg for leg in conversations.legs(tx, tenant, one.id) if leg.node in mine]
        if legs:
            _note(tx, legs[-1], mine[legs[-1].node], request, at)
            conversations.set_status(tx, tenant, one.id, "open", at)
            waiting.customer_spoke(tx, legs[-1], at)
            return


def _note(tx: Tx, leg: Leg, node: Node, request: str, at: int) -> None:
    native = f"erasure-request-{request}"
    seq = interactions.claim_key(tx, leg.tenant, "internal", leg.conversation, native, leg.node, at)
    if seq is None:
        return
    note = Interaction(
        network="internal",
        native_id=native,
        kind="note",
        direction="internal",
        own_account=leg.tenant,
        thread=Thread(id=leg.conversation, visibility="private"),
        author=Party(name="socialsupport", is_self=True, is_bot=True),
        text=SAID,
        sent_at=moment(at),
    )
    stored = Stored(seq, leg.node, at, leg.id, None, note, at, None, None, None, None, None)
    interactions.store(tx, leg.tenant, stored)
    customer = identity.by_numbers(tx, [node.customer])[node.customer].id
    log.publish(
        tx,
        leg.tenant,
        "interaction.received",
        at,
        {"id": str(seq), "customer": customer},
        thread=leg.conversation,
        conversation=leg.conversation,
        written={"interaction": note.model_dump_json(exclude_none=True)},
    )
