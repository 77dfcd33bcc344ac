"""Outbound: from a reply to its parts in the outbox, and from a part to one of its four ends."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from socialsupport_core import tracing
from socialsupport_core.contract import (
    AuthExpired,
    Connector,
    DeliveryError,
    RateLimited,
    Unavailable,
    Uncertain,
    Unreachable,
    Unsupported,
)
from socialsupport_core.conversation.answering import weigh
from socialsupport_core.conversation.handing import arrival
from socialsupport_core.conversation.handoff import publish_handed_off
from socialsupport_core.model import Intent, Interaction, OpenPrivate, Party, Receipt, SendMessage, Typing
from socialsupport_core.pipeline import doing
from socialsupport_core.pipeline.notes import Notes, Parked, Superseded
from socialsupport_core.pipeline.plan import Plan, window_closed
from socialsupport_core.pipeline.record import Place, catch_up, name_natively, publish_interaction
from socialsupport_core.pipeline.replying import KeyReused
from socialsupport_core.pipeline.tracks import sending
from socialsupport_core.store import (
    Database,
    StoreError,
    Tx,
    accounts,
    attachments,
    conversations,
    identity,
    interactions,
    log,
    micros,
    moment,
    outbox,
    traces,
    waiting,
)
from socialsupport_core.store.conversations import Conversation, Leg, ThreadOf
from socialsupport_core.store.interactions import Stored
from socialsupport_core.store.outbox import Part
from socialsupport_core.wire import Keeper, NetworkWire
from socialsupport_core.wire.redact import redact, secrets_in

T = TypeVar("T")
GIVE_UP = timedelta(hours=24) // timedelta(microseconds=1)  # a part that could not be sent for so long has failed
LOOKED_UP_FOR = timedelta(hours=1)  # while a network does not answer the question; then a person is asked
FIRST_DELAY, LONGEST_DELAY = 2.0, 3600.0  # seconds
_PARKED = RateLimited("the network needs some time before the next step")
_STORE = Unavailable("the store could not note what was about to be asked")


def enqueue(tx: Tx, plan: Plan, leg: Leg, agent: accounts.Agent, key: str, now: datetime) -> list[outbox.Part]:
    """Puts the parts of a plan into the outbox and the timeline, once for each key. Raises KeyReused."""
    if known := outbox.parts_of(tx, leg.tenant, key):
        if [_said(part.intent) for part in known] != [_said(part.intent) for part in plan.parts]:
            raise KeyReused(key)
        return known
    at = max(micros(now), (leg.last_inbound or 0) + 1)  # below what it answers, whatever our clock says
    parts = [_enqueue_one(tx, part.intent, leg, agent, now, at + n) for n, part in enumerate(plan.parts)]
    if any(doing.is_said(part.intent) for part in parts):
        waiting.we_spoke(tx, leg.tenant, leg.conversation, at)
    return parts


def _said(intent: Intent) -> tuple[Any, ...]:
    target = None if isinstance(intent, SendMessage) or intent.target is None else intent.target.native_id
    said = getattr(intent, "text", None), getattr(intent, "attachments", ()), getattr(intent, "reaction", None)
    return intent.type, intent.thread.id, target, *said


def _enqueue_one(tx: Tx, intent: Intent, leg: Leg, agent: accounts.Agent, now: datetime, at: int) -> Part:
    seq = _show(tx, intent, leg, agent, now, at) if isinstance(intent, SendMessage) else None
    part = Part(
        tenant=leg.tenant,
        key=intent.key,
        number=tx.number("part"),
        channel=leg.channel,
        thread=intent.thread.id,
        conversation=leg.conversation,
        seq=seq,
        intent=intent,
        agent=agent.id,
        state="queued",
        attempts=0,
        due_at=micros(now),
        error=None,
        code=None,
        created_at=at,
    )
    outbox.add(tx, part)
    return part


def _show(
    tx: Tx,
    intent: SendMessage,
    leg: Leg,
    agent: accounts.Agent,
    now: datetime,
    at: int,
    *,
    native_id: str | None = None,
    state: str = "queued",
) -> int:
    """The part in the timeline, under its own key until the network has given it an id."""
    native_id = native_id or intent.key
    interaction = Interaction(
        network=leg.network,
        native_id=native_id,
        kind="message" if leg.visibility == "private" else "comment",
        direction="outbound",
        own_account=leg.own_account,
        thread=intent.thread,
        author=Party(name=agent.name, is_self=True, is_bot=agent.is_bot),
        recipients=(intent.recipient,) if intent.recipient else (),
        in_reply_to=intent.target.native_id if intent.target else None,
        subject=intent.subject,
        text=intent.text,
        attachments=intent.attachments,
        choices=intent.choices,
        client_key=intent.key,
        sent_at=now,
    )
    seq = interactions.claim_key(tx, leg.tenant, leg.channel, intent.thread.id, native_id, leg.node, at)
    assert seq is not None
    stored = Stored(seq, leg.node, at, leg.id, None, interaction, at, None, None, agent.id, intent.key, state)
    interactions.store(tx, leg.tenant, stored)
    attachments.expect(tx, leg.tenant, seq, interaction)
    publish_interaction(tx, leg.tenant, "interaction.received", stored, leg)
    return seq


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the four ends, or another try at `due_at`."""

    state: outbox.State
    receipt: Receipt | None = None
    error: DeliveryError | None = None
    due_at: int = 0


class Sender:
    """Carries out one part after the other and notes everything: before the call, and after it."""

    def __init__(
        self,
        database: Database,
        wire: NetworkWire,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        self._database = database
        self._wire = wire
        self._clock = clock
        self._chance = chance

    async def send(self, part: Part, connector: Connector[Any], keeper: Keeper, *, open_network: bool) -> Outcome:
        """Sends a claimed part and records its end, unless somebody else has taken the part over."""
        with sending(self._database, part, connector.name) as span:
            try:
                outcome = await self._attempt(part, connector, keeper, open_network)
            except Superseded:
                return Outcome("retrying")
            if outcome.state == "uncertain":
                outcome = await self._settle(part, connector, outcome, keeper, open_network)
            span.set(state=outcome.state)
            if outcome.error is not None:
                span.set(error=type(outcome.error).__name__)
            with tracing.span("receipt", part=tracing.part_id(part.key), state=outcome.state):
                await self._note_end(part, outcome)
        return outcome

    async def give_up(self, part: Part, reason: str) -> None:
        """It cannot even be tried."""
        await self._note_end(part, Outcome("failed", error=Unsupported(reason)))

    async def put_off(self, part: Part) -> None:
        """The store does not answer, and nothing has been asked yet."""
        await self._note_end(part, self._later(part, _STORE))

    async def _note_end(self, part: Part, outcome: Outcome) -> None:
        """However long the store does not answer: it is known nowhere else."""
        while True:
            try:
                await _committed(self._database.write(self._end(part, outcome), part.tenant))
            except StoreError:
                await asyncio.sleep(1.0)
            else:
                return

    def _end(self, part: Part, outcome: Outcome) -> Callable[[Tx], None]:
        def end(tx: Tx) -> None:
            finish(tx, part, outcome, micros(self._clock()))
            if outcome.state in {"sent", "failed"} and tracing.active():
                traces.forget(tx, "part", part.tenant, [part.key])

        return end

    async def _attempt(self, part: Part, connector: Connector[Any], keeper: Keeper, open_network: bool) -> Outcome:
        try:
            notes = Notes(self._database, part, connector, lambda: self._too_late(part, connector), self._clock)
        except StoreError:
            return self._later(part, _STORE)
        outcome = await self._carried_out(part, connector, keeper, open_network, notes)
        return Outcome("failed", error=notes.barred) if notes.barred else outcome

    async def _carried_out(
        self, part: Part, connector: Connector[Any], keeper: Keeper, open_network: bool, notes: Notes
    ) -> Outcome:
        try:
            receipt = await self._wire.run(
                connector.send(part.intent),
                connector,
                keeper=keeper,
                thread=part.thread,
                open_network=open_network,
                step=notes.step,
            )
        except DeliveryError as error:
            return self._refused(part, error)
        except Superseded:
            raise
        except Parked as parked:
            return Outcome("retrying", error=_PARKED, due_at=parked.until)
        except StoreError as error:
            return Outcome("uncertain", error=Uncertain(str(error))) if notes.called else self._later(part, _STORE)
        except (Exception, SystemExit) as error:
            told = redact(f"{connector.name} failed: {type(error).__name__}: {error}", secrets_in(connector.settings))
            return Outcome("uncertain" if notes.called else "failed", error=Uncertain(told))
        return Outcome("sent", receipt=receipt)

    def _refused(self, part: Part, error: DeliveryError) -> Outcome:
        if isinstance(error, RateLimited | AuthExpired):
            return self._later(part, error)
        return Outcome("uncertain" if isinstance(error, Uncertain) else "failed", error=error)

    def _too_late(self, part: Part, connector: Connector[Any]) -> Unreachable | None:
        """What was planned in time may have waited until its reply window closed."""
        if isinstance(part.intent, Typing) and micros(self._clock()) - part.created_at > doing.TYPING:
            return Unreachable("that somebody types is no news any more", code="too_late")
        last = self._database.read(lambda tx: _last_inbound(tx, part))
        if last is None:
            return None
        closed = window_closed(connector, part.intent, now=self._clock(), last_inbound=moment(last))
        return (
            Unreachable(f"reply window closed: {closed.reason}; {closed.remedy}", code=closed.rule) if closed else None
        )

    def _later(self, part: Part, error: DeliveryError) -> Outcome:
        """What waits for credentials that an operator must mend waits until then."""
        now = micros(self._clock())
        if now - part.created_at > GIVE_UP and not isinstance(error, AuthExpired):
            return Outcome("failed", error=error)
        wait = getattr(error, "retry_after", None)
        if wait is None:
            ceiling = min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(part.attempts, 20))
            wait = ceiling / 2 + self._chance.random() * ceiling / 2
        return Outcome("retrying", error=error, due_at=now + int(wait * 1_000_000))

    async def _settle(
        self, part: Part, connector: Connector[Any], outcome: Outcome, keeper: Keeper, open_network: bool
    ) -> Outcome:
        """What may have been sent is looked up where the network allows it; never sent again blindly."""
        how = connector.capabilities.settles
        if how == "native_key":
            return self._later(part, outcome.error or Uncertain("no answer"))
        if how != "lookup":
            return outcome
        since = max(moment(part.created_at), self._clock() - LOOKED_UP_FOR) - timedelta(minutes=10)
        try:
            found = await self._wire.read(
                lambda: connector.lookup(part.intent, since), connector, keeper=keeper, open_network=open_network
            )
        except DeliveryError as error:
            return self._looked_up_again(part, error, outcome)
        except (Exception, SystemExit):
            return outcome
        if found is not None:
            return Outcome("sent", receipt=found)
        with suppress(StoreError):  # then it is looked up once more
            await _committed(self._database.write(lambda tx: outbox.forget_attempt(tx, part)))
        return self._later(part, Unavailable("it was not delivered at the first try"))

    def _looked_up_again(self, part: Part, error: DeliveryError, outcome: Outcome) -> Outcome:
        """What was asked stays noted, so the next try begins with the look-up, and not with the call."""
        if self._clock() - moment(part.created_at) > LOOKED_UP_FOR:
            return outcome
        return self._later(part, error)


async def _committed(future: "Future[T]") -> T:
    return await asyncio.wrap_future(future)


def _last_inbound(tx: Tx, part: Part) -> int | None:
    """When the customer spoke last on the leg where the part stands in the timeline."""
    key = interactions.key_by_seq(tx, part.tenant, part.seq) if part.seq is not None else None
    stored = interactions.get(tx, part.tenant, key) if key else None
    leg = conversations.leg(tx, stored.leg) if stored else None
    return leg.last_inbound if leg else None


def finish(tx: Tx, part: Part, outcome: Outcome, now: int) -> None:
    """Records how a try ended: in the outbox, in the timeline, in the log."""
    error = str(outcome.error) if outcome.error else None
    code = outcome.error.code if outcome.error else None
    if not outbox.move(tx, part, outcome.state, error=error, code=code, due_at=outcome.due_at):
        return
    if outcome.receipt is not None:
        _note_receipt(tx, part, outcome.receipt, now)
    if part.seq is not None and (key := interactions.key_by_seq(tx, part.tenant, part.seq)):
        interactions.set_state(tx, part.tenant, key, outcome.state)
    if outcome.state == "sent":
        doing.take_effect(tx, part, now)
    if outcome.state == "failed" and doing.is_said(part.intent):
        weigh(tx, part, now)
    kind = "intent.uncertain" if outcome.state == "uncertain" else "delivery.updated"
    data: dict[str, Any] = part.shown | {"state": outcome.state}
    if outcome.receipt is not None and outcome.receipt.native_id:
        data["native_id"] = outcome.receipt.native_id
    if error:
        data |= {"reason": error, "code": code}
    log.publish(
        tx,
        part.tenant,
        kind,
        now,
        data,
        channel=part.channel,
        thread=part.thread,
        conversation=part.conversation,
    )
    if outcome.receipt is not None and outcome.receipt.native_id:
        catch_up(tx, Place(part.tenant, part.channel, "", None), outcome.receipt.native_id)


def judge(tx: Tx, part: Part, state: outbox.State, agent: str, now: int) -> bool:
    """A person's verdict on what may or may not have been sent; False if there was nothing to decide."""
    if part.state not in {"uncertain", "failed"} or not outbox.move(tx, part, state, due_at=now):
        return False
    outbox.forget_asks(tx, part)
    if part.seq is not None and (key := interactions.key_by_seq(tx, part.tenant, part.seq)):
        interactions.set_state(tx, part.tenant, key, state, judged=True)
    if state == "sent":
        doing.take_effect(tx, part, now)
    if doing.is_said(part.intent):
        weigh(tx, part, now)
    data = part.shown | {"state": state, "agent": agent}
    log.publish(
        tx,
        part.tenant,
        "delivery.updated",
        now,
        data,
        channel=part.channel,
        thread=part.thread,
        conversation=part.conversation,
    )
    return True


def _note_receipt(tx: Tx, part: Part, receipt: Receipt, now: int) -> None:
    """The provisional id gives way to the network's; if the echo came first, that one stays and is ours."""
    if isinstance(part.intent, OpenPrivate):
        _note_opened(tx, part, part.intent, receipt, now)
        return
    key = interactions.key_by_seq(tx, part.tenant, part.seq) if part.seq else None
    if key is None or receipt.native_id is None:
        return
    thread = receipt.thread.id if receipt.thread else part.thread
    place = Place(part.tenant, part.channel, "", None)
    if receipt.thread is not None and (stored := interactions.get(tx, part.tenant, key)):
        arrival.name_thread(tx, stored.leg, part.thread, thread)
    if name_natively(tx, place, key, receipt.native_id, receipt.thread, receipt.context):
        return
    echo = interactions.key_of(tx, part.tenant, part.channel, receipt.native_id, thread)
    if echo is not None and echo.seq != key.seq:
        interactions.remove(tx, part.tenant, key)
        interactions.adopt(tx, part.tenant, echo, part.agent, part.key, "sent")


def _note_opened(tx: Tx, part: Part, intent: OpenPrivate, receipt: Receipt, now: int) -> None:
    """A private thread has been opened: from here on it is a leg of the same conversation."""
    found = conversations.current(tx, part.tenant, part.conversation)
    mine = _addressed(tx, found, part, intent) if found else None
    if mine is None or found is None or receipt.thread is None or receipt.native_id is None:
        return
    echo = interactions.key_of(tx, part.tenant, part.channel, receipt.native_id, receipt.thread.id)
    if echo is not None:
        interactions.adopt(tx, part.tenant, echo, part.agent, part.key, "sent")
        return
    where = ThreadOf(part.channel, mine.network, mine.own_account, receipt.thread.id, "private")
    reason = f"{part.agent} wrote privately to somebody who spoke in public"
    leg = conversations.add_leg(tx, found, where, mine.node, now, "open_private", reason)
    speaker = next((one for one in accounts.agents(tx, part.tenant) if one.id == part.agent), None)
    sent = SendMessage(
        key=part.key,
        own_account=intent.own_account,
        thread=receipt.thread,
        recipient=intent.recipient,
        text=intent.text,
    )
    agent = speaker or accounts.Agent(part.tenant, part.agent, part.agent)
    _show(tx, sent, leg, agent, moment(now), now, native_id=receipt.native_id, state="sent")
    publish_handed_off(tx, found, part.channel, part.channel, part.agent, now, "opened")


def _addressed(tx: Tx, found: Conversation, part: Part, intent: OpenPrivate) -> Leg | None:
    """Where the one spoke to whom we write: of those who speak in one public thread two may be one customer by now."""
    legs = conversations.legs(tx, part.tenant, found.id)
    legs = [one for one in legs if (one.channel, one.thread) == (part.channel, part.thread)]
    nodes = identity.by_numbers(tx, [one.node for one in legs])
    named = intent.recipient.identifiers if intent.recipient else ()
    return next((one for one in legs if nodes[one.node].identifier in named), legs[0] if legs else None)


def recover(tx: Tx, now: int) -> int:
    """What was being sent when its process died goes on; its notes tell what may be repeated."""
    stuck = outbox.abandoned(tx, now)
    for part in stuck:
        outbox.move(tx, part, "retrying", error="the process ended while this was being sent", due_at=now)
    return len(stuck)
