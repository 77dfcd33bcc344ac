"""The customer comes: what a hand-off has waited for."""

from socialsupport_core.conversation.handoff import home, publish_handed_off
from socialsupport_core.store import Tx, conversations, handoffs
from socialsupport_core.store.conversations import Leg
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node

BEGUN = "begun:"
"""Begins the name of a thread that we have begun, until the network has given it one."""


def arrive(tx: Tx, leg: Leg, author: Node, at: int) -> None:
    """Somebody speaks in the private half of a conversation that was handed off there."""
    if leg.visibility != "private" or not handoffs.any_waiting(tx, leg.tenant):
        return
    fresh = conversations.leg(tx, leg.id) or leg
    for given in handoffs.waiting(tx, leg.tenant, fresh.conversation):
        if given.target == leg.channel and given.leg != leg.id:
            _arrived(tx, given, fresh, author, at)


def _arrived(tx: Tx, given: Handoff, leg: Leg, author: Node, at: int) -> None:
    found = home(tx, given)
    if found is None or not handoffs.arrive(tx, given, author.number, at, leg.id):
        return
    handoffs.consent(tx, given.tenant, author.number, leg.channel, "in", at, "went on there after a hand-off", None)
    publish_handed_off(tx, found, given.channel, leg.channel, given.agent, at, "arrived", handoff=given.id)


def name_thread(tx: Tx, leg: int, provisional: str, thread: str) -> None:
    """What we have begun has got its name from the network, and answers come in there."""
    if provisional.startswith(BEGUN) and thread != provisional:
        handoffs.name_thread(tx, leg, provisional, thread)
