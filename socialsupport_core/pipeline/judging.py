"""What objects to something that is about to be said: the tenant's rules, its plugins' policies, and the guard."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from socialsupport_core.contract import Draft, Policy, Refusal
from socialsupport_core.contract.policy import Verdict
from socialsupport_core.conversation import guard, secrecy
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.policy import Situation, judge
from socialsupport_core.guidance.policy.words import texts_of
from socialsupport_core.model import Intent, Interaction, SendMessage
from socialsupport_core.store import Tx, approvals, conversations, interactions
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.conversations import Leg

RECENT = 20
"""Interactions of the conversation that are looked at."""
UNPROVEN = "tell nothing that only the customer may know, and change nothing; ask for a code first"
UNPROVEN_SOURCE = "which came from an account that nothing proves to be the same person's"
PROVE = "ask for a code first, or link the accounts if you know that they are one person"
NOBODY = "; nobody may approve it, so it is only a hint: give a colleague's token the scope approve"


def objections(
    tx: Tx,
    policies: Sequence[Policy],
    conduct: Conduct,
    intent: Intent,
    leg: Leg,
    agent: Agent,
    now: datetime,
    *,
    written: bool = True,
) -> tuple[Refusal, ...]:
    """All of them, whatever their verdict. What needs approval where nobody may give it is a warning."""
    found = _guarded(tx, conduct, intent, leg) + _doubted(intent) + _unproven(tx, conduct, intent, leg, agent)
    if texts_of(intent) is None:
        recent: tuple[Interaction, ...] = ()
    else:
        situation = _situation(tx, intent, leg, agent, now, written=written)
        recent = situation.recent
        found += judge(conduct.guidance.policy, situation)
    draft = Draft(intent=intent, agent=agent.id, tenant=leg.tenant, network=leg.network, recent=recent[:10])
    found += tuple(one for policy in policies if (one := _ask(policy, draft)))
    return _that_can_be_met(tx, found, conduct, leg.tenant, agent)


def forbidding(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in found if one.verdict == "refuse")


def holding(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    return tuple(one for one in found if one.verdict == "approval")


def stopping(found: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """Where nobody can be asked to approve it, as with the words of a hand-off."""
    return tuple(one for one in found if one.verdict != "warn")


def _guarded(tx: Tx, conduct: Conduct, intent: Intent, leg: Leg) -> tuple[Refusal, ...]:
    """What must not be read in public; nothing is looked up for what is not."""
    if not guard.is_public(intent):
        return ()
    return guard.check(intent, conduct, secrecy.read(tx, leg.tenant, leg.node, intent, conduct))


def _doubted(intent: Intent) -> tuple[Refusal, ...]:
    """It answers somebody who may be somebody else."""
    doubt = intent.target.doubt if isinstance(intent, SendMessage) and intent.target else None
    if doubt is None:
        return ()
    return (Refusal(rule="unproven_author", reason=doubt, remedy=UNPROVEN, verdict="warn"),)


def _unproven(tx: Tx, conduct: Conduct, intent: Intent, leg: Leg, agent: Agent) -> tuple[Refusal, ...]:
    """Linking is not disclosing: a person is told, and decides; a machine, which may be led, is refused."""
    text = getattr(intent, "text", None)
    if not text or guard.is_public(intent):
        return ()
    found = secrecy.seen_in_private(text, secrecy.unproven(tx, leg.tenant, leg.node, conduct), conduct)
    if not found:
        return ()
    reason = f"this tells {', '.join(sorted({name for name, _, _ in found}))}, {UNPROVEN_SOURCE}"
    spans = tuple((start, end) for _, start, end in found)
    verdict: Verdict = "refuse" if agent.is_bot else "warn"
    return (Refusal(rule="nothing_unproven", reason=reason, remedy=PROVE, spans=spans, verdict=verdict),)


def _situation(tx: Tx, intent: Intent, leg: Leg, agent: Agent, now: datetime, *, written: bool) -> Situation:
    conversation = conversations.get(tx, leg.tenant, leg.conversation)
    legs = conversations.legs(tx, leg.tenant, leg.conversation) or [leg]
    nodes = sorted({one.node for one in legs})
    told = [
        one.interaction
        for one in interactions.newest_of_all(tx, leg.tenant, nodes, None, RECENT, {one.id for one in legs})
        if one.deleted_at is None and one.interaction.direction != "internal"
    ]
    heard = max(legs, key=lambda one: one.last_inbound or 0)
    return Situation(
        intent,
        leg.channel,
        leg.network,
        agent.id,
        now,
        written=written,
        first=conversation is None or conversation.answered_at is None,
        spoken_on=heard.channel if heard.last_inbound else None,
        recent=tuple(sorted(told, key=lambda one: one.sent_at, reverse=True)),
    )


def _ask(policy: Policy, draft: Draft) -> Refusal | None:
    """A policy that fails objects too: what cannot be checked is not said."""
    try:
        found = policy(draft)
        return None if found is None else Refusal.model_validate(found)
    except (Exception, SystemExit) as error:
        name = getattr(policy, "__name__", type(policy).__name__)
        return Refusal(rule=name, reason=f"the rule failed: {error}", remedy="have the operator mend the rule")


def _that_can_be_met(
    tx: Tx, found: tuple[Refusal, ...], conduct: Conduct, tenant: str, agent: Agent
) -> tuple[Refusal, ...]:
    if not holding(found):
        return found
    held = conduct.guidance.policy.approvals
    if approvals.may_approve(tx, tenant, agent.id) if held is None else held:
        return found
    hint = NOBODY if held is None else ""
    return tuple(
        one.model_copy(update={"verdict": "warn", "reason": one.reason + hint}) if one.verdict == "approval" else one
        for one in found
    )
