"""What a network says became of a message of ours, once it is known which message that is."""

from typing import TYPE_CHECKING, Any

from socialsupport_core.conversation.answering import weigh
from socialsupport_core.identity import close
from socialsupport_core.model import DeliveryUpdated, Interaction
from socialsupport_core.store import Tx, conversations, interactions, log, micros, nodes, outbox
from socialsupport_core.store.interactions import Key, Stored

if TYPE_CHECKING:
    from socialsupport_core.pipeline.record import Place


def named(tx: Tx, place: "Place", event: DeliveryUpdated) -> Key | None:
    thread = event.thread.id if event.thread else None
    return interactions.key_of(tx, place.tenant, place.channel, event.native_id, thread) if event.native_id else None


def further(tx: Tx, place: "Place", event: DeliveryUpdated, key: Key) -> bool:
    """What a network has taken it may still fail to deliver, and says so later; only a delivery disproves that."""
    before = interactions.get(tx, place.tenant, key)
    if before is None:
        return False
    taken, turn = event.native_id == before.interaction.native_id, (before.state, event.state)
    if taken and turn == ("failed", "sent"):
        return False
    if not interactions.set_state(tx, place.tenant, key, event.state, judged=taken and turn == ("sent", "failed")):
        return False
    _judge(tx, place, event, before.part)
    if event.state == "failed" and event.gone:
        account = nodes.by_numbers(tx, [before.node])[before.node].identifier
        close(tx, place.tenant, account, proof="bounce", source=event.id, at=micros(event.at))
    data = {"id": str(key.seq), "state": event.state, "code": event.code, "reason": event.reason}
    publish(tx, place, event, before, {name: value for name, value in data.items() if value})
    return True


def _judge(tx: Tx, place: "Place", event: DeliveryUpdated, key: str | None) -> None:
    """The outbox learns of it, and whoever waits for an answer waits again or no longer."""
    part = outbox.get(tx, place.tenant, key) if key else None
    if part is None:
        return
    failed = event.state == "failed"
    if outbox.refuse(tx, part, event.reason, event.code) if failed else outbox.move(tx, part, "sent"):
        weigh(tx, part, micros(event.at))


def publish(tx: Tx, place: "Place", event: Any, stored: Stored, data: dict[str, Any]) -> None:
    leg = conversations.leg(tx, stored.leg)
    log.publish(
        tx,
        place.tenant,
        event.type,
        micros(event.at),
        data | {"native_id": stored.interaction.native_id},
        channel=place.channel,
        thread=stored.interaction.thread.id,
        conversation=leg.conversation if leg else None,
    )


def part_of(tx: Tx, place: "Place", interaction: Interaction) -> outbox.Part | None:
    """The part whose echo this is: by our key, else the oldest unsettled one of the thread with this text."""
    if interaction.client_key:
        part = outbox.get(tx, place.tenant, interaction.client_key)
        return None if part is None or part.state == "sent" else part
    for part in outbox.unsettled(tx, place.tenant, place.channel, interaction.thread.id):
        if (getattr(part.intent, "text", None) or "").strip() == (interaction.text or "").strip():
            return part
    return None
