"""Continuity: to which conversation a touch belongs. The first rule that applies decides, and its reason is kept."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from socialsupport_core.model import Interaction
from socialsupport_core.store import Tx, conversations, identity, interactions, log
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.identity import Node

WINDOW = timedelta(days=7) // timedelta(microseconds=1)
"""How long a conversation stays the place where its customer is expected to go on, in microseconds."""


@dataclass(frozen=True, slots=True)
class Touch:
    """What the rules look at."""

    tenant: str
    thread: ThreadOf
    node: Node
    interaction: Interaction
    at: int


@dataclass(frozen=True, slots=True)
class Decision:
    conversation: Conversation
    reason: str
    leg: Leg | None = None
    """The leg on which it goes on; None begins a new one."""


Rule = Callable[[Tx, Touch], Decision | None]


def native_thread(tx: Tx, touch: Touch) -> Decision | None:
    """The network's own thread goes on: a private one for all in it, a public one for each account apart."""
    private = touch.thread.visibility == "private"
    node = None if private else touch.node.number
    for leg in conversations.legs_of_thread(tx, touch.tenant, touch.thread.channel, touch.thread.id, node):
        found = conversations.get(tx, touch.tenant, leg.conversation)
        if found and _live(found, touch.at) and _same_customer(tx, leg, touch.node):
            mine = leg if leg.node == touch.node.number else None
            return Decision(found, "the same thread on the same network", mine)
    return None


def answers_us(tx: Tx, touch: Touch) -> Decision | None:
    """It answers something that we wrote to the same customer."""
    if touch.interaction.in_reply_to is None:
        return None
    key = interactions.key_of(tx, touch.tenant, touch.thread.channel, touch.interaction.in_reply_to)
    original = interactions.get(tx, touch.tenant, key) if key else None
    leg = conversations.leg(tx, original.leg) if original else None
    if original is None or leg is None or original.interaction.direction != "outbound":
        return None
    found = conversations.get(tx, touch.tenant, leg.conversation)
    if found and _live(found, touch.at) and _same_customer(tx, leg, touch.node):
        return Decision(found, "it answers a message of ours")
    return None


def open_conversation(tx: Tx, touch: Touch) -> Decision | None:
    """The customer has exactly one open conversation, and it was active within the window."""
    candidates = [
        found
        for found in conversations.of_customer(tx, touch.tenant, touch.node.customer)
        if found.status == "open" and abs(touch.at - found.updated_at) <= WINDOW
    ]
    if len(candidates) != 1:
        return None
    return Decision(candidates[0], "the customer's only open conversation, active within seven days")


RULES: tuple[tuple[str, Rule], ...] = (
    ("native_thread", native_thread),
    ("answers_us", answers_us),
    ("open_conversation", open_conversation),
)


def attach(tx: Tx, touch: Touch, new_id: Callable[[], str]) -> Leg:
    """The leg on which the touch belongs, opened if need be. A resolved conversation that goes on is reopened."""
    for name, rule in RULES:
        if decision := rule(tx, touch):
            _reopen(tx, touch, decision.conversation)
            return decision.leg or conversations.add_leg(
                tx, decision.conversation, touch.thread, touch.node.number, touch.at, name, decision.reason
            )
    return _begin(tx, touch, new_id())


def reunite(tx: Tx, tenant: str, nodes: Iterable[int]) -> None:
    """After identities have changed: open conversations of what is now one customer become one, the oldest.

    Where a customer has been divided, each leg goes back to the conversation on which it began.
    """
    customers = sorted({_customer(tx, node) for node in nodes})
    everyone = [node.number for customer in customers for node in identity.members(tx, tenant, customer)]
    for leg in conversations.moved_legs(tx, tenant, everyone):
        home = conversations.get(tx, tenant, leg.conversation)
        if home and _customer(tx, home.node) != _customer(tx, leg.node):
            conversations.unmerge(tx, leg)
            _publish_moved(tx, tenant, leg.conversation, str(leg.moved_from), leg.opened_at)
    for customer in customers:
        _merge_open(tx, tenant, customer)


def _merge_open(tx: Tx, tenant: str, customer: int) -> None:
    found = [one for one in conversations.of_customer(tx, tenant, customer) if one.status == "open"]
    if len(found) < 2:
        return
    first, *others = sorted(found, key=lambda one: (one.opened_at, one.id))
    newest = max(one.updated_at for one in found)
    for other in others:
        if newest - first.updated_at <= WINDOW:
            conversations.merge(tx, other, first)
            _publish_moved(tx, tenant, other.id, first.id, other.updated_at)


def _publish_moved(tx: Tx, tenant: str, origin: str, target: str, at: int) -> None:
    log.publish(tx, tenant, "conversation.merged", at, {"from": origin, "to": target}, conversation=target)


def _customer(tx: Tx, node: int) -> int:
    return identity.by_numbers(tx, [node])[node].customer


def _begin(tx: Tx, touch: Touch, conversation: str) -> Leg:
    subject = touch.interaction.subject
    begun = conversations.open_conversation(tx, touch.tenant, conversation, touch.node.number, subject, touch.at)
    log.publish(
        tx,
        touch.tenant,
        "conversation.opened",
        touch.at,
        {"customer": _customer_id(tx, touch.node), "network": touch.thread.network},
        conversation=conversation,
    )
    return conversations.add_leg(
        tx, begun, touch.thread, touch.node.number, touch.at, "new", "nothing that it could continue"
    )


def _reopen(tx: Tx, touch: Touch, found: Conversation) -> None:
    if found.status == "resolved" and touch.interaction.direction == "inbound":
        conversations.set_status(tx, touch.tenant, found.id, "open", touch.at)
        log.publish(tx, touch.tenant, "conversation.reopened", touch.at, {"by": "customer"}, conversation=found.id)


def _live(found: Conversation, at: int) -> bool:
    return found.status == "open" or at - found.updated_at <= WINDOW


def _same_customer(tx: Tx, leg: Leg, node: Node) -> bool:
    """Others in a private thread are participants of it; in public everybody speaks for themselves."""
    if leg.visibility == "private" or leg.node == node.number:
        return True
    return _customer(tx, leg.node) == node.customer


def _customer_id(tx: Tx, node: Node) -> str:
    return identity.by_numbers(tx, [node.customer])[node.customer].id
