"""Recording one event: whose it is, where it belongs, and what changes. One function an event type."""

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from socialsupport_core.contract import MalformedPayload
from socialsupport_core.conversation import context, handoff, moving, rating, sorting
from socialsupport_core.conversation.answering import weigh
from socialsupport_core.conversation.conduct import DEFAULT, Conduct
from socialsupport_core.conversation.continuity import Touch, attach, reunite
from socialsupport_core.conversation.handing import arrival, ending
from socialsupport_core.conversation.sorting import Word
from socialsupport_core.identity import observe, proofs
from socialsupport_core.identity.proofs import Bringing
from socialsupport_core.model import (
    EVENT,
    DeliveryUpdated,
    ErasureRequested,
    Event,
    Identifier,
    IdentityClaimed,
    Interaction,
    InteractionDeleted,
    InteractionEdited,
    InteractionReceived,
    Party,
    ProfileUpdated,
    ReactionAdded,
    ReactionRemoved,
    Thread,
    ThreadUpdated,
    TypingStarted,
    Unrecognised,
)
from socialsupport_core.pipeline import asking, erasure_requests, proving, reports, subjects
from socialsupport_core.pipeline.edits import is_no_edit, says_the_same
from socialsupport_core.pipeline.manual import CHANNEL as BY_HAND
from socialsupport_core.pipeline.triaging import Triaging
from socialsupport_core.store import (
    Tx,
    attachments,
    conversations,
    identity,
    interactions,
    log,
    micros,
    outbox,
    waiting,
)
from socialsupport_core.store.conversations import Leg, ThreadOf
from socialsupport_core.store.identity import Node
from socialsupport_core.store.interactions import Key, Stored
from socialsupport_core.store.journal import Entry

SKEW = timedelta(minutes=10) // timedelta(microseconds=1)
"""By so much our clock may be behind a network's; more than that ahead of us is their mistake."""


class Place(NamedTuple):
    """The channel through which an event came, and the journal entry that held it, if it is the event's first time."""

    tenant: str
    channel: str
    network: str
    own_account: str | None
    entry: Entry | None = None
    is_signed: bool = True
    """The network is known to have sent it: it is verified, or we have fetched it there."""

    @property
    def received_at(self) -> int:
        assert self.entry is not None
        return self.entry.received_at

    def thread(self, interaction: Interaction) -> ThreadOf:
        """What was noted by hand happened on the network that it names."""
        thread, network = interaction.thread, self.network if self.network != BY_HAND else interaction.network
        return ThreadOf(self.channel, network, interaction.own_account, thread.id, thread.visibility)


def marker(event: Event) -> str:
    return f"{event.type}:{event.id}"


class Recorder:
    """`new_id` makes conversation ids; `conduct` is a tenant's; `answer` tells who has typed a code what came of it."""

    def __init__(
        self,
        new_id: Callable[[], str],
        conduct: Callable[[Tx, str], Conduct] = lambda _tx, _tenant: DEFAULT,
        triaging: Triaging | None = None,
        answer: asking.Answer = asking.nothing,
    ) -> None:
        self._answer = answer
        self._new_id = new_id
        self._conduct = conduct
        self._triaging = triaging or Triaging()

    def record(self, tx: Tx, place: Place, event: Event) -> str | None:
        """Records an event once. Returns why nothing was done, None if something was."""
        if subjects.is_erased(tx, place.tenant, place.channel, event):
            return subjects.ERASED
        outcome = self._record(tx, place, event)
        if place.entry is not None and (outcome or not isinstance(event, InteractionReceived)):
            subjects.note(tx, place.tenant, place.channel, event, place.entry.number)
        return outcome

    def _record(self, tx: Tx, place: Place, event: Event) -> str | None:
        if not interactions.see(tx, place.tenant, place.channel, marker(event)):
            return "it was recorded before"
        handle, before = _HANDLERS[type(event)], len(tx.told)
        outcome = handle(self, tx, place, event)
        self._follow(tx, place.tenant, before)
        return outcome

    def _follow(self, tx: Tx, tenant: str, before: int) -> None:
        """Conversations follow whoever has turned out to be one customer, or two, since the log stood at `before`."""
        if len(tx.told) == before:
            return
        changed = [json.loads(row[6])["accounts"] for row in tx.told[before:] if row[1] == "customer.changed"]
        found = [identity.find(tx, tenant, Identifier.parse(one)) for accounts in changed for one in accounts]
        moved = {node.number for node in found if node}
        if moved and conversations.legs_of_nodes(tx, tenant, moved):
            reunite(tx, tenant, moved, self._conduct(tx, tenant))

    def received(self, tx: Tx, place: Place, event: InteractionReceived) -> str | None:
        interaction = event.interaction
        if interaction.direction == "outbound":
            return self._echo(tx, place, event)
        at, before = self._at(place, interaction), len(tx.told)
        node = observe(tx, place.tenant, interaction.author, at)
        if node is None:
            raise MalformedPayload("its author has no identifier")
        self._follow(tx, place.tenant, before)
        event = proving.marked(tx, place.tenant, node, event, place.entry)
        interaction = event.interaction
        leg = self._store(tx, place, interaction, node, at) or self._store_namesake(tx, place, event, node, at)
        if leg is None:
            return "it was recorded before"
        arrival.arrive(tx, leg, node, place.received_at)
        if heard := proving.hear(tx, leg, node, event.id, interaction.text or "", place.entry, place.received_at):
            self._answer(tx, leg, *heard)
        catch_up(tx, place, interaction.native_id, self)
        return None

    def _echo(self, tx: Tx, place: Place, event: InteractionReceived) -> str | None:
        """Our own message comes back: it settles its outbox part, or was typed in the native app."""
        interaction = event.interaction
        native = interaction.native_id
        if interactions.key_of(tx, place.tenant, place.channel, native, interaction.thread.id):
            return "it is the echo of a message that is recorded"
        if part := reports.part_of(tx, place, interaction):
            return settle_by_echo(tx, place, part, interaction)
        node = self._addressee(tx, place, interaction)
        if node is None:
            return "our own message to nobody that is known"
        at = self._at(place, interaction)
        if leg := self._store(tx, place, interaction, node, at, state="sent"):
            waiting.we_spoke(tx, place.tenant, leg.conversation, at)
        catch_up(tx, place, native, self)
        _catch_up_until(tx, place, interaction.thread.id)
        return None

    def _addressee(self, tx: Tx, place: Place, interaction: Interaction) -> Node | None:
        if interaction.counterpart is not None:
            return observe(tx, place.tenant, interaction.counterpart, self._at(place, interaction))
        leg = conversations.newest_in_thread(tx, place.tenant, place.channel, interaction.thread.id)
        return identity.by_numbers(tx, [leg.node])[leg.node] if leg else None

    def _at(self, place: Place, interaction: Interaction) -> int:
        """When it was sent, by the network's clock, unless that is too far ahead of ours to be right."""
        sent = micros(interaction.sent_at)
        return sent if sent <= place.received_at + SKEW else place.received_at

    def _store(
        self, tx: Tx, place: Place, interaction: Interaction, node: Node, at: int, state: str | None = None
    ) -> Leg | None:
        """The leg on which it was recorded; None if it is there already."""
        thread = place.thread(interaction)
        seq = interactions.claim_key(tx, place.tenant, place.channel, thread.id, interaction.native_id, node.number, at)
        if seq is None:
            return None
        conduct = self._conduct(tx, place.tenant)
        told = context.extract(interaction, conduct)
        written = interactions.Written.of(interaction)
        answer = rating.answering(tx, place.tenant, thread, node, interaction, at, conduct)
        mere = answer.leg if answer else None
        leg = mere or attach(tx, Touch(place.tenant, thread, node, interaction, at, conduct, told), self._new_id)
        kinds = dict.fromkeys(one.kind for one in told)
        is_code = interaction.direction == "inbound" and proving.is_mere_code(
            tx, place.tenant, node, interaction.text or ""
        )
        settled = mere is not None or is_code
        verdict = None if settled else self._triaging.judge(place.tenant, place.channel, interaction, kinds, conduct)
        triage = verdict.to_json() if verdict else None
        entry = place.entry.number if place.entry else None
        where = seq, node.number, at, leg.id, entry
        tie = interactions.tie(place.channel, thread.id, interaction.native_id)
        stored = Stored(*where, interaction, place.received_at, None, None, None, None, state, triage, tie)
        interactions.store(tx, place.tenant, stored, written.whole, settled=settled)
        context.keep(tx, place.tenant, node.number, at, seq, thread.visibility, told)
        if interaction.attachments:
            attachments.expect(tx, place.tenant, seq, interaction)
        about: dict[str, Any] = {"customer": node, "written": written, "settled": settled}
        publish_interaction(tx, place.tenant, "interaction.received", stored, leg, **about)
        if interaction.direction != "outbound" and not interaction.author.is_bot:
            said = Word(node, interaction, at, place.received_at, verdict, triage, settled=settled)
            sorting.heard(tx, leg, said, conduct)
        if answer:
            answer.note(tx, leg, seq, at)
        return leg

    def _store_namesake(self, tx: Tx, place: Place, event: InteractionReceived, node: Node, at: int) -> Leg | None:
        """A stranger may reuse a message's id (a Message-ID is no secret): what says something else is kept too."""
        interaction = event.interaction
        key = interactions.key_of(tx, place.tenant, place.channel, interaction.native_id, interaction.thread.id)
        known = interactions.get(tx, place.tenant, key) if key else None
        if known is None or says_the_same(known.interaction, interaction):
            return None
        own = hashlib.sha256(event.id.encode()).hexdigest()[:16]
        apart = interaction.model_copy(update={"native_id": f"{interaction.native_id[:1000]}#{own}"})
        return self._store(tx, place, apart, node, at)

    def _about(self, tx: Tx, place: Place, event: Any, native_id: str) -> tuple[Key, Stored] | None:
        """The interaction that an event is about; None if it has not come yet, and then the event waits."""
        thread = event.interaction.thread if hasattr(event, "interaction") else event.thread
        key = interactions.key_of(tx, place.tenant, place.channel, native_id, thread.id if thread else None)
        stored = interactions.get(tx, place.tenant, key) if key else None
        if key is None or stored is None:
            _keep_early(tx, place, native_id, event)
            return None
        return key, stored

    def edited(self, tx: Tx, place: Place, event: InteractionEdited) -> str | None:
        found = self._about(tx, place, event, event.interaction.native_id)
        if found is None:
            return "it waits for the message that it edits"
        key, stored = found
        if is_no_edit(stored.interaction, event):
            return "it says what is there already"
        if not interactions.edit(tx, place.tenant, key, event.interaction, micros(event.edited_at), event.id):
            return "a newer edit is there already"
        where, conduct = (key.node, key.at, key.seq), self._conduct(tx, place.tenant)
        context.change(tx, place.tenant, where, stored.interaction, event.interaction, conduct)
        leg = conversations.leg(tx, stored.leg)
        verdict = self._triaging.judge(place.tenant, place.channel, event.interaction, (), conduct)
        sorting.edited(tx, place.tenant, key, leg, verdict)
        publish_interaction(tx, place.tenant, event.type, stored._replace(interaction=event.interaction), leg)
        return None

    def deleted(self, tx: Tx, place: Place, event: InteractionDeleted) -> str | None:
        found = self._about(tx, place, event, event.native_id)
        if found is None:
            return "it waits for the message that it deletes"
        key, stored = found
        if interactions.delete(tx, place.tenant, key, micros(event.at)):
            context.forget(tx, place.tenant, key.seq)
            ending.withdraw_said(tx, place.tenant, stored.part, stored.agent or "", micros(event.at))
            reports.publish(tx, place, event, stored, {"id": str(stored.seq)})
        return None

    def reacted(self, tx: Tx, place: Place, event: ReactionAdded | ReactionRemoved) -> str | None:
        found = self._about(tx, place, event, event.native_id)
        if found is None:
            return "it waits for the message that it is about"
        _, stored = found
        author = "us" if event.author.is_self else str(event.author.account or "")
        present = event.type == "reaction.added"
        at = micros(event.at)
        told = interactions.Reaction(stored.seq, author, event.reaction, at, present, event.sole)
        if interactions.react(tx, place.tenant, told):
            reports.publish(tx, place, event, stored, {"id": str(stored.seq), "reaction": event.reaction})
        return None

    def delivery(self, tx: Tx, place: Place, event: DeliveryUpdated) -> str | None:
        if event.native_id is None and event.client_key is None:
            return self._delivered_until(tx, place, event)
        key = reports.named(tx, place, event) or _keyed(tx, place, event)
        if key is not None:
            return None if reports.further(tx, place, event, key) else "it is that far already"
        if event.native_id is None:
            return "it is about a message that is not ours"
        _keep_early(tx, place, event.native_id, event)
        return "it waits for the message that it is about"

    def _delivered_until(self, tx: Tx, place: Place, event: DeliveryUpdated) -> str | None:
        """Everything of ours in the thread until then; kept, for an echo that comes late."""
        if event.thread is None:
            return "it names no message"
        _keep_early(tx, place, _until(event.thread.id), event)
        found = interactions.sent_until(tx, place.tenant, place.channel, event.thread.id, micros(event.at))
        moved = [reports.further(tx, place, event, key) for key in found]
        return None if any(moved) else "there is nothing that it is about"

    def profile(self, tx: Tx, place: Place, event: ProfileUpdated) -> str | None:
        node = observe(tx, place.tenant, event.party, micros(event.at))
        return None if node else "it names nobody"

    def claimed(self, tx: Tx, place: Place, event: IdentityClaimed) -> str | None:
        at = min(micros(event.at), place.received_at)
        party = Party(identifiers=(event.subject,))
        node = observe(tx, place.tenant, party, at)
        assert node is not None
        bringing = Bringing(event, place.network, at, place.is_signed)
        proving.claim(tx, place.tenant, place.channel, bringing, node, place.entry)
        if event.token and event.thread:
            where = handoff.thread_of(event.thread, place.channel, place.network, event.own_account)
            fresh = identity.by_numbers(tx, [node.number])[node.number]
            seen = place.received_at  # the event's own time may be the bearer's to choose, as in a mail's Date
            entry = place.entry.number if place.entry else None
            genuine = proofs.is_authentic(tx, place.tenant, fresh, entry)
            redemption = handoff.redeem(tx, place.tenant, event, where, fresh, seen, is_authentic=genuine)
            found = conversations.get(tx, place.tenant, redemption.conversation) if redemption.conversation else None
            if found:
                moving.bring(tx, found, where, node.number, at)
            return redemption.refused
        return None

    def demanded(self, tx: Tx, place: Place, event: ErasureRequested) -> str | None:
        self.noted(tx, place, event)
        return erasure_requests.take(tx, place.tenant, place.channel, event, place.received_at)

    def noted(self, tx: Tx, place: Place, event: ThreadUpdated | TypingStarted | ErasureRequested) -> str | None:
        thread = getattr(event, "thread", None)
        log.publish(
            tx,
            place.tenant,
            event.type,
            micros(event.at),
            event.model_dump(mode="json", exclude_none=True, exclude={"type"}),
            channel=place.channel,
            thread=thread.id if thread else None,
        )
        return None

    def unrecognised(self, tx: Tx, place: Place, event: Unrecognised) -> str | None:
        data = event.model_dump(mode="json", exclude_none=True, exclude={"type"})
        log.publish(tx, place.tenant, event.type, place.received_at, data, channel=place.channel)
        return f"unrecognised: {event.native_type}" + (f" ({event.reason})" if event.reason else "")


_HANDLERS: dict[type, Callable[..., str | None]] = {
    InteractionReceived: Recorder.received,
    InteractionEdited: Recorder.edited,
    InteractionDeleted: Recorder.deleted,
    ReactionAdded: Recorder.reacted,
    ReactionRemoved: Recorder.reacted,
    DeliveryUpdated: Recorder.delivery,
    ProfileUpdated: Recorder.profile,
    IdentityClaimed: Recorder.claimed,
    ThreadUpdated: Recorder.noted,
    TypingStarted: Recorder.noted,
    ErasureRequested: Recorder.demanded,
    Unrecognised: Recorder.unrecognised,
}


def publish_interaction(
    tx: Tx,
    tenant: str,
    type: str,
    stored: Stored,
    leg: Leg | None,
    conversation: str | None = None,
    customer: Node | None = None,
    written: interactions.Written | None = None,
    *,
    settled: bool = False,
) -> None:
    """`customer` is the interaction's node, where it is at hand; so is what was written of it."""
    data: dict[str, Any] = {"id": str(stored.seq), "customer": _customer(tx, customer or _node(tx, stored.node))}
    if stored.agent:
        data["agent"] = stored.agent
    if settled:
        data["settled"] = True
    if stored.state:
        data["state"] = stored.state
    told = written or interactions.Written.of(stored.interaction)
    log.publish(
        tx,
        tenant,
        type,
        stored.at,
        data,
        channel=leg.channel if leg else None,
        thread=stored.interaction.thread.id,
        conversation=leg.conversation if leg else conversation,
        written={"interaction": told.told},
    )


def catch_up(tx: Tx, place: Place, native_id: str, recorder: Recorder | None = None) -> None:
    """Applies what came before its original."""
    for data in interactions.take_early(tx, place.tenant, place.channel, native_id):
        event = EVENT.validate_json(data)
        _HANDLERS[type(event)](recorder or _LATER, tx, place, event)


def _catch_up_until(tx: Tx, place: Place, thread: str) -> None:
    for data in interactions.take_early(tx, place.tenant, place.channel, _until(thread)):
        _LATER.delivery(tx, place, DeliveryUpdated.model_validate_json(data))


_LATER = Recorder(str)  # what happens to a message afterwards opens no conversation


def _keep_early(tx: Tx, place: Place, native_id: str, event: Event) -> None:
    entry = place.entry.number if place.entry else None
    at = place.received_at if place.entry else 0
    known_as = marker(event)
    interactions.keep_early(tx, place.tenant, place.channel, native_id, known_as, event.to_json(), at, entry)


def _until(thread: str) -> str:
    """The key under which "everything in the thread until then" is kept; no native id begins like this."""
    return f"\0until:{thread}"


def _node(tx: Tx, number: int) -> Node:
    return identity.by_numbers(tx, [number])[number]


def _customer(tx: Tx, node: Node) -> str:
    return node.id if node.customer == node.number else _node(tx, node.customer).id


def settle_by_echo(tx: Tx, place: Place, part: outbox.Part, interaction: Interaction) -> str | None:
    """The network shows our message, so it was sent, whatever the answer to the call was."""
    _prove(tx, place, part, interaction.native_id, interaction.thread, by="echo")
    return "it is the echo of a message that is recorded"


def _prove(tx: Tx, place: Place, part: outbox.Part, native_id: str | None, thread: Thread | None, *, by: str) -> None:
    key = interactions.key_by_seq(tx, place.tenant, part.seq) if part.seq else None
    if key is not None:
        if native_id:
            name_natively(tx, place, key, native_id, thread)
        interactions.set_state(tx, place.tenant, key, "sent")
        if native_id:
            catch_up(tx, place, native_id)
    if outbox.move(tx, part, "sent"):
        if part.state == "failed":
            weigh(tx, part, place.received_at)
        data = part.shown | {"state": "sent", "by": by} | ({"native_id": native_id} if native_id else {})
        log.publish(
            tx,
            place.tenant,
            "delivery.updated",
            place.received_at,
            data,
            channel=place.channel,
            thread=part.thread,
            conversation=part.conversation,
        )


def name_natively(
    tx: Tx, place: Place, key: Key, native_id: str, thread: Thread | None, context: str | None = None
) -> bool:
    """The provisional id gives way to the network's; False if that one is taken."""
    stored = interactions.get(tx, place.tenant, key)
    if stored is None:
        return False
    where = thread or stored.interaction.thread
    if not interactions.rename(tx, place.tenant, key.seq, native_id, where.id):
        return False
    told: dict[str, Any] = {"native_id": native_id, "thread": where, "context": context or stored.interaction.context}
    interactions.set_native(tx, place.tenant, key, stored.interaction.model_copy(update=told))
    return True


def _keyed(tx: Tx, place: Place, event: DeliveryUpdated) -> Key | None:
    """A report that names a part by our own key alone, or comes before we know the network's id of it."""
    part = outbox.get(tx, place.tenant, event.client_key) if event.client_key else None
    if part is None or part.seq is None or part.channel != place.channel:
        return None
    if event.state != "failed" and part.state != "sent":
        _prove(tx, place, part, event.native_id, event.thread, by="status")
    elif event.native_id and part.state == "sending":
        return None  # the answer of the call says which message failed
    return interactions.key_by_seq(tx, place.tenant, part.seq)
