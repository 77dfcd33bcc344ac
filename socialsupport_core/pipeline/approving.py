"""Replies that wait for a second person: kept with their key, sent as they were written, once, or not at all."""

import asyncio
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import Refusal, SocialSupportError
from socialsupport_core.model import Intent, SendMessage
from socialsupport_core.pipeline.replying import KeyReused, ReplyRefused
from socialsupport_core.store import Database, Tx, accounts, approvals, conversations, log, micros, moment
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.approvals import Approval, State
from socialsupport_core.store.conversations import Leg

PAUSE = timedelta(seconds=30) // timedelta(microseconds=1)  # between looks, while nothing has expired
DAY = timedelta(days=1) // timedelta(microseconds=1)
KEPT = timedelta(days=30) // timedelta(microseconds=1)  # what was decided; the audit stays
NOBODY = "hub"
"""Who decides that something has expired."""
_BACK = {
    "refused": "{by} has refused it: {word}",
    "withdrawn": "it was withdrawn",
    "expired": "nobody approved it in time; write it again under a key of its own",
}


class NoSuchApproval(SocialSupportError, LookupError):
    """The tenant has no reply that waits under this id."""


class ApprovalRefused(SocialSupportError):
    """It cannot be approved, refused or withdrawn like that, and why."""


def ask(
    tx: Tx, leg: Leg, agent: Agent, intent: Intent, found: tuple[Refusal, ...], id: str, at: int, expires_at: int
) -> Approval:
    """Keeps a reply until somebody has approved it, once for each key. Raises ReplyRefused."""
    rules = tuple(one.model_dump(mode="json", exclude={"verdict"}) for one in found)
    one = Approval(
        leg.tenant,
        id,
        intent.key,
        leg.id,
        leg.node,
        agent.id,
        intent,
        rules,
        "waiting",
        _heard(tx, leg),
        at,
        expires_at,
    )
    if not approvals.add(tx, one):
        return known(tx, leg.tenant, intent) or one
    accounts.audit(tx, leg.tenant, agent.id, at, "ask for approval", f"{id} {leg.conversation}")
    _publish(tx, one, leg, "waiting", agent.id, at)
    return one


def known(tx: Tx, tenant: str, intent: Intent) -> Approval | None:
    """The reply that waits, or waited, under this key; None for one that was never held. Raises ReplyRefused if it
    will never go out, or is another one."""
    found = approvals.by_key(tx, tenant, intent.key)
    if found is None:
        return None
    if not found.edited and _said(found.intent) != _said(intent):
        raise KeyReused(intent.key)
    if found.state in _BACK:
        raise ReplyRefused(_BACK[found.state].format(by=found.decided_by, word=found.word))
    return found


def _said(intent: Intent) -> dict[str, Any]:
    return intent.model_dump(mode="json", exclude={"target", "recipient", "key"})


def changed(intent: Intent, text: str | None) -> Intent | None:
    """What the approver has made of it; None if it goes out as it was written."""
    if text is None or text == getattr(intent, "text", None):
        return None
    if isinstance(intent, SendMessage) and intent.template is not None:
        raise ApprovalRefused("a template is sent as the network has approved it; refuse it, or approve it as it is")
    if not text.strip():
        raise ApprovalRefused("there is no text left; refuse it, or say what is to be sent")
    return intent.model_copy(update={"text": text})


def of(tx: Tx, tenant: str, id: str) -> Approval:
    """One that waits. Raises NoSuchApproval, ApprovalRefused."""
    found = approvals.get(tx, tenant, id)
    if found is None:
        raise NoSuchApproval(f"no reply {id[:60]!r} waits for approval")
    if found.state != "waiting":
        raise ApprovalRefused(f"it is {found.state} already, by {found.decided_by}")
    return found


def check_person(one: Approval, agent: Agent) -> None:
    """Not one's own, and not by a bot."""
    if agent.id == one.agent:
        raise ApprovalRefused("nobody approves or refuses a reply of their own; withdraw it, or ask a colleague")
    if agent.is_bot:
        raise ApprovalRefused("a person has to decide it, and this agent is a bot")


def wrote_since(tx: Tx, one: Approval, leg: Leg) -> bool:
    """Whether the customer has spoken in the conversation since it was written."""
    return (_heard(tx, leg) or 0) > (one.heard_at or 0)


def _heard(tx: Tx, leg: Leg) -> int | None:
    legs = conversations.legs(tx, leg.tenant, leg.conversation) or [leg]
    return max((one.last_inbound or 0 for one in legs), default=0) or None


def settle(
    tx: Tx,
    one: Approval,
    leg: Leg,
    state: State,
    by: str,
    at: int,
    word: str | None = None,
    intent: Intent | None = None,
) -> None:
    """The decision, its entry in the log and in the audit, in one commit. Raises ApprovalRefused."""
    if not approvals.decide(tx, one, state, by, at, word, intent):
        raise ApprovalRefused("somebody has decided it meanwhile")
    accounts.audit(tx, one.tenant, by, at, f"{state} a reply", f"{one.id} {leg.conversation}")
    _publish(tx, one, leg, state, by, at)


def _publish(tx: Tx, one: Approval, leg: Leg, state: str, by: str, at: int) -> None:
    data = {
        "approval": one.id,
        "state": state,
        "agent": one.agent,
        "by": by,
        "rules": ", ".join(sorted({rule["rule"] for rule in one.rules})),
    }
    kind = "approval.asked" if state == "waiting" else "approval.decided"
    log.publish(tx, one.tenant, kind, at, data, channel=leg.channel, conversation=leg.conversation)


def shown(tx: Tx, one: Approval) -> dict[str, Any]:
    """As the API shows it."""
    leg = conversations.leg(tx, one.leg)
    where = {"conversation": leg.conversation, "channel": leg.channel, "network": leg.network} if leg else {}
    found = {
        "id": one.id,
        "key": one.key,
        **where,
        "leg": one.leg,
        "visibility": one.intent.thread.visibility,
        "type": one.intent.type,
        "agent": one.agent,
        "state": one.state,
        "text": getattr(one.intent, "text", None),
        "subject": getattr(one.intent, "subject", None),
        "attachments": len(getattr(one.intent, "attachments", ())),
        "rules": list(one.rules),
        "asked_at": _time(one.asked_at),
        "expires_at": _time(one.expires_at),
        "decided_by": one.decided_by,
        "decided_at": _time(one.decided_at),
        "word": one.word,
        "edited": one.edited,
        "wrote_since": one.state == "waiting" and leg is not None and wrote_since(tx, one, leg),
    }
    return {name: value for name, value in found.items() if value is not None}


def on_legs(tx: Tx, tenant: str, legs: Collection[int], now: int) -> list[dict[str, Any]]:
    """What waits in a conversation, and what came back to its author within a day."""
    found = approvals.on_legs(tx, tenant, legs, now - DAY) if legs else []
    return [shown(tx, one) for one in found]


def _time(at: int | None) -> str | None:
    return None if at is None else moment(at).isoformat().replace("+00:00", "Z")


class Expiring:
    """What nobody has approved in time will not go out; what was decided long ago is forgotten."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._next_look = 0

    async def turn(self, *, at_once: bool = False) -> int:
        """How many have expired. Looks every half minute unless it is asked to look `at_once`."""
        now = micros(self._clock())
        if now < self._next_look and not at_once:
            return 0
        self._next_look = now + PAUSE
        late = self._database.read(lambda tx: approvals.due(tx, now))
        for one in late:
            await asyncio.to_thread(self._database.do, lambda tx, one=one: self._expire(tx, one, now), one.tenant)
        if self._database.read(lambda tx: approvals.any_before(tx, now - KEPT)):
            await asyncio.to_thread(self._database.do, lambda tx: approvals.forget(tx, now - KEPT))
        return len(late)

    def _expire(self, tx: Tx, one: Approval, now: int) -> None:
        leg = conversations.leg(tx, one.leg)
        if leg is not None and approvals.decide(tx, one, "expired", NOBODY, now):
            _publish(tx, one, leg, "expired", NOBODY, now)
