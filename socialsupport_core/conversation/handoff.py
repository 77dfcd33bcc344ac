"""Hand-off: a conversation moves from public to private, or between channels, without starting over.

A token is random, kept only as a digest, works once, for a week, and only for its tenant. One that was shown in
public may be used by anybody who read it, so it proves nothing and is not spent by it: it suggests, and an agent or a
code decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from socialsupport_core.identity.proofs import HandoffLink, Proven
from socialsupport_core.model import IdentityClaimed, Thread
from socialsupport_core.store import Tx, conversations, handoffs, identity, log
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node

LIFETIME = timedelta(days=7) // timedelta(microseconds=1)
LINK = HandoffLink()


def new_token(random: Callable[[int], bytes]) -> str:
    return LINK.make(random)


def offer(tx: Tx, leg: Leg, token: str, *, id: str, agent: str, at: int, **more: Any) -> Handoff:
    """Keeps the token for whoever is on this leg. `more` are further fields of `Handoff`."""
    place = (leg.tenant, id, leg.conversation, leg.node, leg.id, leg.visibility, leg.channel)
    given = Handoff(*place, agent, at, more.pop("expires_at", at + LIFETIME), **more)
    handoffs.put(tx, token, given)
    return given


@dataclass(frozen=True, slots=True)
class Redemption:
    """What came of a token: `refused` says why it was not accepted."""

    conversation: str | None
    refused: str | None = None


def home(tx: Tx, given: Handoff) -> Conversation | None:
    """The conversation that is handed off: where the leg stands on which it was made."""
    leg = conversations.leg(tx, given.leg)
    return conversations.current(tx, given.tenant, leg.conversation if leg else given.conversation)


def redeem(
    tx: Tx,
    tenant: str,
    event: IdentityClaimed,
    where: ThreadOf,
    subject: Node,
    at: int,
    *,
    is_authentic: bool = True,
) -> Redemption:
    """Brings the bearer's thread into the token's conversation; every refusal is published too."""
    assert event.token is not None
    given = handoffs.by_token(tx, event.token)
    owner = identity.by_numbers(tx, [given.node]).get(given.node) if given else None
    outcome = LINK.judge(
        given,
        tenant,
        owner.identifier if owner else None,
        subject,
        where,
        source=event.id,
        at=at,
        is_authentic=is_authentic,
    )
    if isinstance(outcome, Proven):
        assert given is not None
        if _take(tx, given, outcome, owner, subject, event.token, at):
            return _continue(tx, given, outcome, where, subject, event.token, at)
        outcome = LINK.refused("at this moment the token was used, or the hand-off withdrawn")
    known = given.conversation if given is not None and given.tenant == tenant else None
    account, thread = subject.identifier, where.id
    outcome.publish(tx, tenant, account, at, channel=where.channel, thread=thread, conversation=known)
    return Redemption(None, outcome.reason)


def _take(tx: Tx, given: Handoff, outcome: Proven, owner: Node | None, subject: Node, token: str, at: int) -> bool:
    """False if another process was first. Whoever still has to prove himself is looked after at once."""
    is_known = owner is not None and owner.customer == subject.customer
    waits = given.due_at is not None and outcome.tier != "verified" and not is_known
    return handoffs.redeem(tx, token, subject.number, at, at if waits else None)


def _continue(
    tx: Tx, given: Handoff, outcome: Proven, where: ThreadOf, subject: Node, token: str, at: int
) -> Redemption:
    """Both ends stand in the timeline."""
    found = home(tx, given)
    outcome.establish(tx, given.tenant)
    is_private = given.visibility == "private"
    leg = None
    if is_private and found is not None:
        reason = f"came with the hand-off link that {given.agent} gave on {given.channel}"
        leg = conversations.add_leg(tx, found, where, subject.number, at, "handoff_token", reason).id
        handoffs.arrived_on(tx, token, leg)
    handoffs.consent(tx, given.tenant, subject.number, where.channel, "in", at, "came with a hand-off link", None)
    if found is not None:
        publish_handed_off(
            tx, found, given.channel, where.channel, given.agent, at, "arrived", handoff=given.id, tier=outcome.tier
        )
    if leg is None:
        return Redemption(None, "the token was shown in public; an agent must link the accounts, or a code be said")
    return Redemption(found.id if found else given.conversation)


def publish_handed_off(
    tx: Tx, conversation: Conversation, origin: str, target: str, agent: str, at: int, step: str, **more: str
) -> None:
    """`step` is `planned`, `offered`, `reminded`, `opened`, `arrived`, `confirmed`, `expired` or `withdrawn`."""
    log.publish(
        tx,
        conversation.tenant,
        "conversation.handed_off",
        at,
        {"from": origin, "to": target, "agent": agent, "step": step, **more},
        conversation=conversation.id,
        channel=target,
    )


def thread_of(event_thread: Thread, channel: str, network: str, own_account: str) -> ThreadOf:
    return ThreadOf(channel, network, own_account, event_thread.id, event_thread.visibility)
