"""Hand-offs carried out: what is said at both ends, and what follows when the customer comes, or does not.

Everything that is still to be done is due at a moment in its row, and moves on in the transaction that says it: whoever
looks next, after a crash too, does it once.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from socialsupport_core.contract import ConfigError, Policy, Refusal, Registry, Unreachable
from socialsupport_core.conversation import handoff
from socialsupport_core.conversation.answering import is_answer
from socialsupport_core.conversation.handing import ending
from socialsupport_core.conversation.handing.arrival import BEGUN
from socialsupport_core.conversation.handing.targets import MICRO, Reach, Target, plan
from socialsupport_core.conversation.handing.words import Words
from socialsupport_core.identity import may_disclose
from socialsupport_core.identity.proofs import FORGEABLE, ProofRefused
from socialsupport_core.model import Choice
from socialsupport_core.pipeline import asking, judging, outbound, replying
from socialsupport_core.pipeline.asking import Asking, language_of
from socialsupport_core.pipeline.channels import Channels, Live, said_by
from socialsupport_core.pipeline.phrasing import Phrase, day, phrases
from socialsupport_core.pipeline.plan import Plan
from socialsupport_core.pipeline.replying import ReplyRefused, Saying
from socialsupport_core.store import (
    Database,
    StoreError,
    Tx,
    conversations,
    handoffs,
    identity,
    log,
    micros,
    outbox,
    proofs,
    waiting,
)
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.handoffs import Handoff
from socialsupport_core.store.identity import Node

logger = logging.getLogger("socialsupport")
LIFETIME = timedelta(days=3) // MICRO
"""How long somebody is waited for; then the conversation is back in the queue."""
AGAIN = timedelta(minutes=1) // MICRO
"""Within which nobody hands off to the same channel twice: a second click is none."""
REMIND = timedelta(days=1) // MICRO
PAUSE = timedelta(seconds=5) // MICRO  # between looks, while nothing is due
LATER = timedelta(hours=1) // MICRO
PROBE = "a" * 26
ELLIPSIS = "…"
"""Stands for a token that is not made yet."""


@dataclass(frozen=True, slots=True)
class Half:
    """What is said at one end, planned and weighed."""

    leg: Leg
    plan: Plan
    refusals: tuple[Refusal, ...]
    key: str

    @property
    def is_possible(self) -> bool:
        return self.plan.possible and not self.refusals

    @property
    def reasons(self) -> list[str]:
        return [one.reason for one in self.refusals] + [one.reason for one in self.plan.obstacles]

    def say(self, tx: Tx, agent: Agent, now: datetime) -> None:
        """Into the outbox and the timeline. What is no answer leaves the customer waiting as before."""
        before = conversations.get(tx, self.leg.tenant, self.leg.conversation)
        outbound.enqueue(tx, self.plan, self.leg, agent, self.key, now)
        if before is not None and not is_answer(self.key):
            waiting.wait_as(tx, before)


class Desk:
    """What hand-offs are made with."""

    def __init__(
        self,
        database: Database,
        channels: Channels,
        registry: Registry,
        policies: Sequence[Policy],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        public_url: str,
    ) -> None:
        self.database = database
        self.channels = channels
        self.clock = clock
        self.random = random
        self._registry = registry
        self._policies = tuple(policies)
        self.public_url = public_url

    @property
    def now(self) -> int:
        return micros(self.clock())

    def of_tenant(self, tenant: str) -> list[Live]:
        return [one for one in self.channels.all().values() if one.channel.tenant == tenant]

    def address(self, live: Live, token: str) -> str | None:
        """Where somebody comes to this channel with a token. A page on which nobody could be answered leads nowhere."""
        address = said_by(live.connector, lambda: live.connector.invitation(token), str, None)
        answers = "private" in live.connector.capabilities.sends
        if address is None and answers and live.channel.connector in self._registry.surfaces:
            return f"{self.public_url}/chat/{live.channel.door}/?handoff={token}"
        return address

    def half(
        self,
        tx: Tx,
        leg: Leg,
        text: str,
        agent: Agent,
        key: str,
        *,
        private: bool = False,
        choices: tuple[Choice, ...] = (),
    ) -> Half:
        live = self.channels.get(leg.tenant, leg.channel)
        saying = Saying(text=text, key=key, private=private, choices=choices)
        intent = replying.compose(tx, leg, saying, by_person=not agent.is_bot)
        planned = replying.plan_for(live.connector, intent, leg, self.clock())
        conduct = self.channels.conducting.of(tx, leg.tenant)
        found = judging.objections(tx, self._policies, conduct, intent, leg, agent, self.clock(), written=False)
        return Half(leg, planned, judging.stopping(found), key)


# which channels there are


def targets(tx: Tx, desk: Desk, found: Conversation, origin: Leg) -> list[Target]:
    owner = identity.by_numbers(tx, [origin.node])[origin.node]
    members = identity.members(tx, found.tenant, owner.customer)
    proven = _proven(tx, found.tenant, origin, members)
    legs = handoffs.newest_private_legs(tx, found.tenant, [one.number for one in members])
    consents = handoffs.consents(tx, found.tenant, [one.number for one in members])
    return plan(
        [_reach(tx, desk, live, origin, members, proven, legs, consents) for live in desk.of_tenant(found.tenant)],
        desk.now,
    )


def _reach(
    tx: Tx,
    desk: Desk,
    live: Live,
    origin: Leg,
    members: Sequence[Node],
    proven: frozenset[int],
    legs: Mapping[str, int],
    consents: Mapping[str, tuple[str, int, str]],
) -> Reach:
    channel, network = live.channel.id, live.connector.name
    leg = conversations.leg(tx, legs[channel]) if channel in legs else None
    begins = live.connector.capabilities.begins
    reached = next((one for one in members if one.number == leg.node), None) if leg else _known(begins, members)
    return Reach(
        channel,
        network,
        live.connector.capabilities,
        state=live.channel.state,
        is_origin=channel == origin.channel,
        origin_is_public=origin.visibility == "public",
        invites=desk.address(live, PROBE) is not None,
        begins=reached is not None and reached.identifier.kind in begins,
        leg=leg.id if leg else None,
        heard_at=leg.last_inbound if leg else None,
        account=str(reached.identifier) if reached else None,
        proven=reached is not None and reached.number in proven,
        consent=consents.get(channel),
    )


def _known(begins: frozenset[str], members: Sequence[Node]) -> Node | None:
    return next((one for one in members if one.identifier.kind in begins), None)


def _proven(tx: Tx, tenant: str, origin: Leg, members: Sequence[Node]) -> frozenset[int]:
    """The accounts to which what is known here may be told."""
    return frozenset(one.number for one in members if may_disclose(tx, tenant, one.number, origin.node))


# carrying one out


@dataclass(frozen=True, slots=True)
class Order:
    """What an agent wants."""

    tenant: str
    conversation: str
    agent: Agent
    channel: str
    id: str
    leg: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: the way, the link if there is one, and what was said at which end."""

    target: Target
    origin: Leg
    token: str | None
    expires_at: int
    said: tuple[str, ...]
    unsaid: tuple[str, ...]


def carry_out(tx: Tx, desk: Desk, order: Order, found: Conversation, origin: Leg) -> Done:
    """Raises ReplyRefused if the channel is closed, or nothing may be said where it must be."""
    target = _open(targets(tx, desk, found, origin), order.channel)
    earlier = [one for one in handoffs.waiting(tx, order.tenant, found.id) if one.target == order.channel]
    _not_at_once(tx, desk, order, found)
    token = handoff.new_token(desk.random)
    needed, also = _halves(tx, desk, order, found, origin, target, token)
    if not needed.is_possible:
        raise ReplyRefused("; ".join(needed.reasons), refusals=needed.refusals, plan=needed.plan)
    now = desk.clock()
    given = handoff.offer(
        tx,
        origin,
        token,
        id=order.id,
        agent=order.agent.id,
        at=micros(now),
        expires_at=micros(now) + LIFETIME,
        how=str(target.how),
        target=target.channel,
        language=order.language or language_of(tx, origin),
        due_at=micros(now) + REMIND,
    )
    for one in earlier:
        handoffs.move(tx, one, "replaced", None)
    about = (tx, found, origin.channel, target.channel, order.agent.id, micros(now))
    handoff.publish_handed_off(
        *about, "planned", handoff=order.id, how=str(target.how), reasons="; ".join(target.reasons)
    )
    said, unsaid = [needed.leg.channel], list[str]()
    needed.say(tx, order.agent, now)
    if also is not None and also.is_possible:
        also.say(tx, order.agent, now)
        said.append(also.leg.channel)
    elif also is not None:
        unsaid += also.reasons
    handoff.publish_handed_off(*about, "offered", handoff=order.id, how=str(target.how))
    return Done(target, origin, token if target.how == "link" else None, given.expires_at, tuple(said), tuple(unsaid))


def _not_at_once(tx: Tx, desk: Desk, order: Order, found: Conversation) -> None:
    """A second click is none; and two who act at the same moment would send the customer to two places."""
    for one in handoffs.waiting(tx, order.tenant, found.id):
        if desk.now - one.created_at < AGAIN and (one.target == order.channel or one.agent != order.agent.id):
            raise ReplyRefused(f"it has just been handed off to {one.target} by {one.agent}; wait, or withdraw that")


def withdraw(tx: Tx, given: Handoff, agent: Agent, now: datetime) -> None:
    """What has not been tried yet is not said any more. Raises ReplyRefused."""
    if not ending.withdraw(tx, given, agent.id, micros(now)):
        raise ReplyRefused(f"the hand-off is {given.state}; {_TOO_LATE.get(given.state, _OVER)}")
    unsaid = [part for half in _HALVES for part in outbox.parts_of(tx, given.tenant, f"{given.id}~{half}")]
    for part in unsaid:
        if part.state == "queued":
            outbound.finish(
                tx, part, outbound.Outcome("failed", error=Unreachable(_UNSAID, code="withdrawn")), micros(now)
            )


_HALVES = ("link", "open", "go", "said", "reminder")
_UNSAID = "the hand-off was withdrawn before this was sent"
_OVER = "there is nothing to withdraw"
_TOO_LATE = {
    "arrived": "somebody has come; split the conversation if it is not the customer",
    "confirmed": "the customer has come and has proven it",
}


def _open(found: Sequence[Target], channel: str) -> Target:
    target = next((one for one in found if one.channel == channel), None)
    if target is None:
        raise ReplyRefused(f"there is no channel {channel!r}; there is {', '.join(one.channel for one in found)}")
    if not target.is_open:
        closed = target.obstacles[0]
        raise ReplyRefused(f"{channel} is closed: {closed.reason}; {closed.remedy}")
    return target


def _halves(
    tx: Tx, desk: Desk, order: Order, found: Conversation, origin: Leg, target: Target, token: str
) -> tuple[Half, Half | None]:
    """The half that must be said, and the other."""
    agent, id = order.agent, order.id
    must, also = spoken(tx, desk, origin, target, order.language, token)
    leg = origin if target.how in ("link", "open") else _target_leg(tx, desk, order, found, origin, target)
    needed = desk.half(tx, leg, must.text, agent, f"{id}~{_NEEDED[target.how]}", private=target.how == "open")
    return needed, desk.half(tx, origin, also.text, agent, f"{id}~said") if also else None


_NEEDED: Mapping[str | None, str] = {"link": "link", "open": "open", "leg": "go", "begin": "go"}


def spoken(
    tx: Tx, desk: Desk, origin: Leg, target: Target, language: str | None = None, token: str | None = None
) -> tuple[Phrase, Phrase | None]:
    """The words of a hand-off to this target."""
    return phrases(tx, origin, target, language, f"{desk.public_url}/h/{token or ELLIPSIS}", desk.now + LIFETIME)


def _target_leg(tx: Tx, desk: Desk, order: Order, found: Conversation, origin: Leg, target: Target) -> Leg:
    """The private half of the conversation: what is said there from now on belongs to it."""
    reason = f"{order.agent.id} handed it off from {origin.channel}"
    known = conversations.leg(tx, target.leg) if target.leg else None
    if known is not None:
        if known.conversation == found.id:
            return known
        where = ThreadOf(known.channel, known.network, known.own_account, known.thread, "private")
        made = conversations.add_leg(tx, found, where, known.node, desk.now, "handed_off", reason)
        waiting.heard_before(tx, made, known.last_inbound)
        return made._replace(last_inbound=known.last_inbound)
    live = desk.channels.get(order.tenant, target.channel)
    node = _account(tx, order.tenant, origin, target)
    own = live.channel.own_account or live.connector.facts.own_account or target.channel
    thread = said_by(live.connector, lambda: live.connector.thread_with(node.identifier), str, None)
    where = ThreadOf(target.channel, target.network, own, thread or f"{BEGUN}{order.id}", "private")
    return conversations.add_leg(tx, found, where, node.number, desk.now, "handed_off", reason)


def _account(tx: Tx, tenant: str, origin: Leg, target: Target) -> Node:
    owner = identity.by_numbers(tx, [origin.node])[origin.node]
    members = identity.members(tx, tenant, owner.customer)
    return next(one for one in members if str(one.identifier) == target.account)


# the customer does not come, or has come and is to prove who it is


class FollowUps:
    """Reminds once, gives up in the end, and asks for a code where one is needed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._next_look = 0

    async def turn(self, *, at_once: bool = False) -> int:
        """How many were looked after. Looks every few seconds unless it is asked to look `at_once`."""
        now = self._desk.now
        if now < self._next_look and not at_once:
            return 0
        due = self._desk.database.read(lambda tx: handoffs.due(tx, now))
        for given in due:
            await asyncio.to_thread(self._look_after, given, now)
        self._next_look = now if due else now + PAUSE
        return len(due)

    def _look_after(self, given: Handoff, now: int) -> None:
        """In one transaction: who looks at the same time finds that it has moved."""
        has_come = given.state == "arrived" and (given.visibility == "private" or now < given.expires_at)
        step = self._confirm if has_come else self._expire if now >= given.expires_at else self._remind
        try:
            self._desk.database.do(lambda tx: step(tx, given, now), given.tenant)
        except StoreError:
            raise
        except Exception as error:  # a channel that is gone, a mistake of ours: the others go on, and this one later
            logger.warning("the hand-off %s waits: %s", given.id, error, exc_info=not isinstance(error, ConfigError))
            self._desk.database.do(lambda tx: handoffs.move(tx, given, given.state, now + LATER))

    def _remind(self, tx: Tx, given: Handoff, now: int) -> None:
        """Once, and never in public."""
        if not handoffs.move(tx, given, "reminded", given.expires_at, reminded_at=now):
            return
        found, leg = _both(tx, given)
        if found is None or leg is None or given.visibility == "public" or found.status != "open":
            return
        words = Words(handoffs.templates(tx, given.tenant))
        text = words.say("reminder", given.language, until=day(given.expires_at))
        half = self._desk.half(tx, leg, text, self._speaker(tx, given), f"{given.id}~reminder")
        if given.how == "link" and half.is_possible:
            half.say(tx, self._speaker(tx, given), self._desk.clock())
            _publish(tx, found, given, now, "reminded")

    def _expire(self, tx: Tx, given: Handoff, now: int) -> None:
        """Back to the queue, for nobody has heard from the customer: whoever came was somebody else, or never said."""
        if given.redeemed_by is not None and _is_one(tx, given.redeemed_by, given.node):
            handoffs.move(tx, given, given.state, None)  # an agent has said so
            return
        ending.expire(tx, given, now)

    def _confirm(self, tx: Tx, given: Handoff, now: int) -> None:
        """Whoever has come is asked for a code that only the other end reads. In public it may have been anybody, so
        the customer is waited for all the same."""
        until = given.expires_at if given.visibility == "public" else None
        if not handoffs.move(tx, given, "arrived", until) or given.redeemed_by is None:
            return
        found, origin = _both(tx, given)
        arrived = _arrival(tx, given)
        if found is None or origin is None or arrived is None:
            return
        for told, asked in _directions(tx, origin, arrived):
            if self._ask(tx, given, found, told, asked):
                return
        data = {"proof": "one_time_code", "account": _written(tx, arrived), "reason": UNSAID}
        log.publish(tx, given.tenant, "proof.refused", now, data, conversation=found.id)

    def _ask(self, tx: Tx, given: Handoff, found: Conversation, told: Leg, asked: Leg) -> bool:
        """False if the code cannot be told there."""
        before = len(proofs.of_handoff(tx, given.tenant, given.id))
        key = f"{given.id}n{before}" if before else given.id  # somebody came before
        id, expected = f"chl_{key.removeprefix('ho_')}", identity.by_numbers(tx, [asked.node])[asked.node]
        speaker = self._speaker(tx, given)
        wanted = Asking(id, speaker, told, expected, asked, given.language, key, given, "code_asked")
        try:
            asking.carry_out(tx, self._desk, found, wanted)
        except (ProofRefused, ReplyRefused):
            return False
        return True

    def _speaker(self, tx: Tx, given: Handoff) -> Agent:
        return asking.speaker(tx, given.tenant, given.agent)


UNSAID = "no code could be told at either end; ask for one by hand, or link the accounts"


def _directions(tx: Tx, origin: Leg, arrived: Leg) -> list[tuple[Leg, Leg]]:
    """(told, asked): what is told in public is no secret, and what anybody could have written is no answer."""
    both = [(origin, arrived), (arrived, origin)]
    return [(told, asked) for told, asked in both if told.visibility == "private" and not _is_forgeable(tx, asked)]


def _is_forgeable(tx: Tx, leg: Leg) -> bool:
    node = identity.by_numbers(tx, [leg.node])[leg.node]
    return node.identifier.kind.partition(".")[0] in FORGEABLE


def _both(tx: Tx, given: Handoff) -> tuple[Conversation | None, Leg | None]:
    return handoff.home(tx, given), conversations.leg(tx, given.leg)


def _is_one(tx: Tx, one: int, other: int) -> bool:
    found = identity.by_numbers(tx, [one, other])
    return found[one].customer == found[other].customer


def _arrival(tx: Tx, given: Handoff) -> Leg | None:
    if given.arrived_leg is not None:
        return conversations.leg(tx, given.arrived_leg)
    assert given.redeemed_by is not None
    legs = handoffs.newest_private_legs(tx, given.tenant, [given.redeemed_by])
    number = legs.get(given.target) if given.target else max(legs.values(), default=None)
    return conversations.leg(tx, number) if number is not None else None


def _written(tx: Tx, leg: Leg) -> str:
    return str(identity.by_numbers(tx, [leg.node])[leg.node].identifier)


def _publish(tx: Tx, found: Conversation, given: Handoff, now: int, step: str) -> None:
    handoff.publish_handed_off(
        tx, found, given.channel, given.target or "any", given.agent, now, step, handoff=given.id
    )
