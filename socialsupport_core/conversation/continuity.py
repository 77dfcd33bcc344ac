"""Continuity: to which conversation a touch belongs. The first rule that applies decides, and its reason is kept.

Before any of these, a redeemed hand-off token has put the bearer's thread into its conversation: see `handoff`.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import NamedTuple

from socialsupport_core.conversation import context, topic
from socialsupport_core.conversation.conduct import DEFAULT, Conduct, RuleName
from socialsupport_core.conversation.context import Fact
from socialsupport_core.conversation.kinds import same
from socialsupport_core.conversation.reuniting import reunite as reunite  # noqa: PLC0414 - part of continuity
from socialsupport_core.model import Interaction
from socialsupport_core.store import Tx, conversations, identity, interactions, log
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.identity import Node

_DAY = timedelta(days=1) // timedelta(microseconds=1)


class Touch(NamedTuple):
    """What the rules look at."""

    tenant: str
    thread: ThreadOf
    node: Node
    interaction: Interaction
    at: int
    conduct: Conduct = DEFAULT
    facts: tuple[Fact, ...] = ()
    """What its text tells."""

    @property
    def window(self) -> int:
        return self.conduct.window


class Decision(NamedTuple):
    conversation: Conversation
    reason: str
    leg: Leg | None = None
    """The leg on which it goes on; None begins a new one."""


Rule = Callable[[Tx, Touch], Decision | str | None]
"""A text is why it nearly applied, and is kept as the reason why a new conversation began."""


def native_thread(tx: Tx, touch: Touch) -> Decision | str | None:
    """The network's own thread goes on: a private one for all in it, a public one for each account apart."""
    private = touch.thread.visibility == "private"
    node = None if private else touch.node.number
    ended = None
    for leg in conversations.legs_of_thread(tx, touch.tenant, touch.thread.channel, touch.thread.id, node):
        found = conversations.get(tx, touch.tenant, leg.conversation)
        if found is None or not _same_customer(tx, leg, touch.node):
            continue
        if _live(found, touch):
            mine = leg if leg.node == touch.node.number else None
            return Decision(found, "the same thread on the same network", mine)
        ended = f"the thread's last conversation was resolved, and silent for more than {spoken(touch.window)}"
    return ended


def answers_us(tx: Tx, touch: Touch) -> Decision | str | None:
    """It answers something that we wrote to the same customer."""
    if touch.interaction.in_reply_to is None:
        return None
    key = interactions.key_of(tx, touch.tenant, touch.thread.channel, touch.interaction.in_reply_to)
    original = interactions.get(tx, touch.tenant, key) if key else None
    leg = conversations.leg(tx, original.leg) if original else None
    if original is None or leg is None or original.interaction.direction != "outbound":
        return None
    found = conversations.get(tx, touch.tenant, leg.conversation)
    if found and _live(found, touch) and _same_customer(tx, leg, touch.node):
        return Decision(found, "it answers a message of ours")
    return None


def same_topic(tx: Tx, touch: Touch) -> Decision | str | None:
    """Of several conversations one is about the same: the same order, ticket or invoice, or the subject's words."""
    candidates = {one.id: one for one in _of_customer(tx, touch) if _live(one, touch)}
    decided = [one for one in candidates.values() if one.status == "open" and _recent(one, touch)]
    if not candidates or len(candidates) == len(decided) == 1:
        return None  # nothing to choose from: no table is read for that
    kinds = _named_alike(tx, touch, candidates)
    if len(kinds) == 1:
        ((found, kind),) = kinds.items()
        return Decision(candidates[found], f"it names the same {kind.lower()} as this conversation")
    alike = [one for one in candidates.values() if topic.is_same(one.subject, touch.interaction.subject)]
    if len(alike) == 1 and not kinds:
        return Decision(alike[0], "its subject has the same words")
    return None


def _named_alike(tx: Tx, touch: Touch, candidates: Mapping[str, Conversation]) -> dict[str, str]:
    """Which conversations have told a value that the touch tells, and what it is called."""
    topics = {name: kind for name, kind in touch.conduct.by_name.items() if kind.topic}
    mine = {(one.kind, same(one.value)) for one in touch.facts if one.kind in topics}
    told = context.of_customer(tx, touch.tenant, touch.node.customer) if mine else []
    return {
        one.conversation: topics[one.kind].label
        for one in told
        if one.conversation in candidates
        and one.state != "removed"
        and (one.kind, same(one.corrected or one.value)) in mine
    }


def open_conversation(tx: Tx, touch: Touch) -> Decision | str | None:
    """The customer has exactly one open conversation, and it was active within the window."""
    found = [one for one in _of_customer(tx, touch) if one.status == "open"]
    recent = [one for one in found if _recent(one, touch)]
    if len(recent) == 1:
        reason = f"the customer's only open conversation, active within {spoken(touch.window)}"
        return Decision(recent[0], reason)
    if recent:
        return "several conversations are open, and nothing tells which of them it continues"
    return f"what is open has been silent for more than {spoken(touch.window)}" if found else None


RULES: Mapping[RuleName, tuple[Rule, str]] = {
    "native_thread": (native_thread, "the network's own thread goes on; in public, that of the same account"),
    "answers_us": (answers_us, "it answers something that we wrote to the same customer"),
    "topic": (same_topic, "of several, it names the same order, ticket or invoice as one, or its subject's words"),
    "open_conversation": (open_conversation, "the customer's only open conversation, active within the window"),
}
"""Each rule with what it asks. A tenant may leave some out, or ask them in another order."""


def attach(tx: Tx, touch: Touch, new_id: Callable[[], str]) -> Leg:
    """The leg on which the touch belongs, opened if need be. A resolved conversation that goes on is reopened."""
    nearly: list[str] = []
    for name in touch.conduct.rules:
        decision = RULES[name][0](tx, touch)
        if isinstance(decision, Decision):
            _reopen(tx, touch, decision.conversation)
            return decision.leg or conversations.add_leg(
                tx, decision.conversation, touch.thread, touch.node.number, touch.at, name, decision.reason
            )
        if decision:
            nearly.append(decision)
    return _begin(tx, touch, new_id(), "; ".join(nearly) or "nothing that it could continue")


def spoken(span: int) -> str:
    """`seven days`, `36 hours`."""
    days, rest = divmod(span, _DAY)
    number, unit = (days, "day") if days and not rest else (max(1, round(span * 24 / _DAY)), "hour")
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return f"{words[number] if number < len(words) else number} {unit}{'' if number == 1 else 's'}"


def _of_customer(tx: Tx, touch: Touch) -> list[Conversation]:
    """Those that are the customer's own, and not merely one in which an account of theirs takes part."""
    found = conversations.of_customer(tx, touch.tenant, touch.node.customer)
    return [one for one in found if _customer(tx, one.node) == touch.node.customer]


def _customer(tx: Tx, node: int) -> int:
    return identity.by_numbers(tx, [node])[node].customer


def _recent(found: Conversation, touch: Touch) -> bool:
    return abs(touch.at - found.updated_at) <= touch.window


def _begin(tx: Tx, touch: Touch, conversation: str, reason: str) -> Leg:
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
    return conversations.add_leg(tx, begun, touch.thread, touch.node.number, touch.at, "new", reason)


def _reopen(tx: Tx, touch: Touch, found: Conversation) -> None:
    if found.status == "resolved" and touch.interaction.direction == "inbound":
        conversations.set_status(tx, touch.tenant, found.id, "open", touch.at)
        log.publish(tx, touch.tenant, "conversation.reopened", touch.at, {"by": "customer"}, conversation=found.id)


def _live(found: Conversation, touch: Touch) -> bool:
    return found.status == "open" or touch.at - found.updated_at <= touch.window


def _same_customer(tx: Tx, leg: Leg, node: Node) -> bool:
    """Others in a private thread are participants of it; in public everybody speaks for themselves."""
    if leg.visibility == "private" or leg.node == node.number:
        return True
    return _customer(tx, leg.node) == node.customer


def _customer_id(tx: Tx, node: Node) -> str:
    return identity.by_numbers(tx, [node.customer])[node.customer].id
