"""What comes in and proves something: a connector's word about an account, and a code in a message."""

import re
from collections.abc import Callable
from typing import Literal

from socialsupport_core.conversation.handoff import home, publish_handed_off
from socialsupport_core.identity.proofs import (
    Bringing,
    Outcome,
    Proven,
    Refused,
    code_for,
    codes_in,
    doubt,
    fits,
    is_authentic,
    judge,
)
from socialsupport_core.identity.proofs.code import READ
from socialsupport_core.model import InteractionReceived
from socialsupport_core.store import Tx, conversations, handoffs, identity, log, proofs
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node
from socialsupport_core.store.journal import Entry
from socialsupport_core.store.proofs import Challenge

BYSTANDERS = 100
"""Open challenges of others, against which a message with a code in it is held."""


def claim(tx: Tx, tenant: str, channel: str, bringing: Bringing, node: Node, entry: Entry | None) -> None:
    """Keeps what a connector brings along as evidence, or tells why it is none."""
    outcome, event, at = judge(bringing), bringing.event, bringing.at
    if isinstance(outcome, Refused):
        thread = event.thread.id if event.thread else None
        outcome.publish(tx, tenant, event.subject, at, channel=channel, thread=thread)
        return
    outcome.establish(tx, tenant)
    if outcome.tier == "verified" and not outcome.claims and entry is not None:
        proofs.note_control(tx, tenant, node.number, outcome.proof, entry.number, at)


def marked(tx: Tx, tenant: str, author: Node, event: InteractionReceived, entry: Entry | None) -> InteractionReceived:
    """With the reason why its author may be somebody else, if there is one."""
    said = event.interaction
    reason = doubt(tx, tenant, author, said, entry.number if entry else None)
    if reason == said.doubt:
        return event
    return event.model_copy(update={"interaction": said.model_copy(update={"doubt": reason})})


Word = Literal["right", "wrong", "over", "elsewhere"]
Heard = tuple[Challenge, Word]
"""A code that the account which was asked has said, or the one which was told, and what came of it: worth a word."""
_AROUND = re.compile(r"@\w+|[^\w@]+")
"""What may stand around a code that is all there is to a message."""


def is_mere_code(tx: Tx, tenant: str, author: Node, text: str) -> bool:
    """A message that is nothing but a code we wait for: the hub tells whether it is right, and nobody has to."""
    if not proofs.any_open(tx, tenant) or not (codes := codes_in(text)):
        return False
    if [_AROUND.sub("", text[:READ])] != codes:
        return False
    mine = proofs.open_of(tx, tenant, author.number)
    return bool(mine) or any(fits(tx, one, codes[0]) for one in proofs.all_open(tx, tenant, BYSTANDERS))


def hear(tx: Tx, leg: Leg, author: Node, source: str, text: str, entry: Entry | None, at: int) -> Heard | None:
    """Redeems a code that a message holds. `at` is our clock, for the network's may be the author's to choose."""
    if not proofs.any_open(tx, leg.tenant) or not codes_in(text):
        return None
    genuine = is_authentic(tx, leg.tenant, author, entry.number if entry else None)
    mine = proofs.open_of(tx, leg.tenant, author.number)
    refused: tuple[Challenge, Outcome] | None = None
    for one in mine or proofs.all_open(tx, leg.tenant, BYSTANDERS):  # a wrong code is a try at each of one's own
        told = identity.by_numbers(tx, [one.told])[one.told]
        proof = code_for(told)
        outcome = proof.hear(tx, one, told, author, text, source=source, at=at, is_authentic=genuine)
        if isinstance(outcome, Proven):
            settle(tx, one, outcome, author, at, leg)
            return one, "right"
        if outcome is not None and refused is None:
            refused = one, outcome
    if refused is None:
        return None
    settle(tx, *refused, author, at, leg)
    came_back = refused[0].told == author.number
    word = _word(tx, refused[0], came_back)
    is_known = word == "elsewhere" or (genuine and (mine or came_back))  # who knows the code reads what we send there
    return (refused[0], word) if is_known else None


def _word(tx: Tx, one: Challenge, came_back: bool) -> Word:
    now = proofs.get(tx, one.tenant, one.id)
    if now is None or now.state != "open":
        return "over"
    return "elsewhere" if came_back else "wrong"


def begin(
    tx: Tx,
    found: Conversation,
    told: Node,
    expected: Node,
    *,
    id: str,
    agent: str,
    at: int,
    random: Callable[[int], bytes],
    handoff: Handoff | None = None,
) -> tuple[Challenge, str]:
    """Asks for a code, and says so in the log; the code itself is told by nobody but the caller."""
    proof = code_for(told)
    one, code = proof.begin(
        tx,
        found.tenant,
        told,
        expected,
        id=id,
        conversation=found.id,
        agent=agent,
        at=at,
        random=random,
        handoff=handoff,
    )
    data = {
        "challenge": id,
        "proof": one.proof,
        "told": str(told.identifier),
        "account": str(expected.identifier),
        "agent": agent,
    }
    log.publish(tx, found.tenant, "challenge.started", at, data, conversation=found.id)
    return one, code


def settle(tx: Tx, one: Challenge, outcome: Outcome, author: Node, at: int, leg: Leg | None = None) -> None:
    """What follows from a code that was said: one customer, or a refusal that everybody sees."""
    if isinstance(outcome, Refused):
        where = {"channel": leg.channel, "thread": leg.thread} if leg else {}
        told = {"challenge": one.id, **where}
        homes = [_home(tx, one)]
        if leg is not None and leg.visibility == "public":  # a stranger's own; a private thread shows it anyway
            homes.append(leg.conversation)
        for conversation in dict.fromkeys(homes):
            outcome.publish(tx, one.tenant, author.identifier, at, conversation=conversation, **told)
        return
    outcome.establish(tx, one.tenant)
    _publish_proven(tx, one, outcome, at)
    _confirm(tx, one, at)


def _publish_proven(tx: Tx, one: Challenge, outcome: Proven, at: int) -> None:
    told = outcome.claims[0] if outcome.claims else outcome.subject
    data = {"challenge": one.id, "proof": outcome.proof, "account": str(outcome.subject), "told": str(told)}
    log.publish(tx, one.tenant, "challenge.proven", at, data, conversation=_home(tx, one))


def _home(tx: Tx, one: Challenge) -> str:
    """Where the conversation goes on in which it was asked for."""
    found = conversations.current(tx, one.tenant, one.conversation)
    return found.id if found else one.conversation


def _confirm(tx: Tx, one: Challenge, at: int) -> None:
    """The hand-off that asked for the code is complete."""
    given = handoffs.get(tx, one.tenant, one.handoff) if one.handoff else None
    found = home(tx, given) if given else None
    if given is None or found is None or not handoffs.move(tx, given, "confirmed", None):
        return
    arrived = conversations.leg(tx, given.arrived_leg) if given.arrived_leg else None
    target = arrived.channel if arrived else given.target or "any"
    publish_handed_off(tx, found, given.channel, target, given.agent, at, "confirmed", handoff=given.id)
