"""Hand-off: a conversation moves from public to private, or between channels, without starting over.

A token is random, kept only as a digest, works once, for a week, and only for its tenant. One that was shown in
public may be used by anybody who read it, so it proves nothing: it suggests, and an agent decides.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from socialsupport_core.identity import attest
from socialsupport_core.model import IdentityClaimed, Thread
from socialsupport_core.store import Tx, conversations, identity, log
from socialsupport_core.store.conversations import Conversation, Handoff, Leg, ThreadOf
from socialsupport_core.store.identity import Node

LIFETIME = timedelta(days=7) // timedelta(microseconds=1)


def new_token(random: Callable[[int], bytes]) -> str:
    """128 random bits as 26 characters that survive an e-mail address: `[a-z2-7]{26}`."""
    return base64.b32encode(random(16)).decode().rstrip("=").lower()


def offer(tx: Tx, leg: Leg, token: str, *, agent: str, at: int) -> None:
    """Keeps the token for whoever is on this leg."""
    given = Handoff(
        leg.tenant,
        leg.conversation,
        leg.node,
        leg.visibility,
        leg.channel,
        agent,
        at + LIFETIME,
        None,
        None,
    )
    conversations.put_handoff(tx, token, given, at)


@dataclass(frozen=True, slots=True)
class Redemption:
    """What came of a token: `refused` says why it was not accepted."""

    conversation: str | None
    refused: str | None = None


def redeem(tx: Tx, tenant: str, event: IdentityClaimed, where: ThreadOf, subject: Node, at: int) -> Redemption:
    """Brings the bearer's thread into the token's conversation; every refusal is published too."""
    assert event.token is not None
    given = conversations.handoff(tx, event.token)
    refused = _refusal(given, tenant, subject, at)
    if refused or given is None:
        log.publish(
            tx,
            tenant,
            "handoff.refused",
            at,
            {"account": str(subject.identifier), "reason": refused or ""},
            channel=where.channel,
        )
        return Redemption(None, refused)
    conversations.redeem(tx, event.token, subject.number, at)
    return _continue(tx, tenant, given, where, subject, at, event.id)


def _refusal(given: Handoff | None, tenant: str, subject: Node, at: int) -> str | None:
    if given is None or given.tenant != tenant:
        return "the token is unknown"
    if given.node == subject.number:
        return "the account to which it was given has shown it again"
    if given.redeemed_at is not None:
        return "the token was used already" if given.redeemed_by != subject.number else "the token was used before"
    return "the token has expired" if at > given.expires_at else None


def _continue(tx: Tx, tenant: str, given: Handoff, where: ThreadOf, subject: Node, at: int, source: str) -> Redemption:
    owner = identity.by_numbers(tx, [given.node])[given.node]
    private = given.visibility == "private"
    attest(
        tx,
        tenant,
        subject.identifier,
        [owner.identifier],
        tier="verified" if private else "claimed",
        proof="handoff_token",
        source=source,
        at=at,
        agent=given.agent,
    )
    found = conversations.get(tx, tenant, given.conversation)
    if not private or found is None:
        return Redemption(None, "the token was shown in public; an agent must link the accounts")
    reason = f"came with the hand-off link that {given.agent} gave on {given.channel}"
    conversations.add_leg(tx, found, where, subject.number, at, "handoff_token", reason)
    publish_handed_off(tx, found, given.channel, where.channel, given.agent, at, "arrived")
    return Redemption(found.id)


def publish_handed_off(
    tx: Tx, conversation: Conversation, origin: str, target: str, agent: str, at: int, step: str
) -> None:
    """`step` is `offered` or `arrived`."""
    log.publish(
        tx,
        conversation.tenant,
        "conversation.handed_off",
        at,
        {"from": origin, "to": target, "agent": agent, "step": step},
        conversation=conversation.id,
        channel=target,
    )


def thread_of(event_thread: Thread, channel: str, network: str, own_account: str) -> ThreadOf:
    return ThreadOf(channel, network, own_account, event_thread.id, event_thread.visibility)
