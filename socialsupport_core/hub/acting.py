"""What an agent does."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from socialsupport_core import identity as people
from socialsupport_core import tracing
from socialsupport_core.contract import ConfigError, Refusal
from socialsupport_core.conversation.continuity import reunite
from socialsupport_core.hub.base import Base, agent_of, conversation_of
from socialsupport_core.model import Choice, Intent, Interaction, Party, Template, Thread
from socialsupport_core.model.interaction import Attachment
from socialsupport_core.pipeline import answers as answering
from socialsupport_core.pipeline import approving, judging, outbound, placing, rating, replying
from socialsupport_core.pipeline.plan import Plan
from socialsupport_core.pipeline.record import publish_interaction
from socialsupport_core.pipeline.replying import KeyReused, ReplyRefused, Saying
from socialsupport_core.store import Tx, answers, conversations, interactions, micros, outbox, traces
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.interactions import Stored


@dataclass(frozen=True, slots=True)
class Said:
    """What is about to be said."""

    leg: conversations.Leg
    intent: Intent
    speaker: Agent
    plan: Plan
    found: tuple[Refusal, ...]
    """All that objects to it."""
    again: bool = False
    """It is known under its key as one that waits, or waited, for a second person."""
    answer: str | None = None
    """The id of the answer with which it began."""

    @property
    def held(self) -> tuple[Refusal, ...]:
        return judging.holding(self.found)

    def check(self) -> None:
        """Raises ReplyRefused."""
        refused = judging.forbidding(self.found)
        if not self.again and (refused or not self.plan.possible):
            reasons = [one.reason for one in refused] + [one.reason for one in self.plan.obstacles]
            raise ReplyRefused("; ".join(reasons), refusals=refused, plan=self.plan)


def _sent(said: Said, parts: Sequence[outbox.Part]) -> dict[str, Any]:
    shown = [part.shown | {"state": part.state} for part in parts]
    return {"key": said.intent.key, "leg": said.leg.id, "parts": shown}


class Acting(Base):
    def plan(self, tenant: str, conversation: str, text: str | None, *, agent: str, **how: Any) -> dict[str, Any]:
        """What would go out, in how many parts, what is lost, and what forbids it. Nothing is sent."""
        said = self._planned(tenant, conversation, agent, self._saying(text, "plan", how), how)
        return replying.shown(said.plan, said.found, said.leg)

    def reply(
        self,
        tenant: str,
        conversation: str,
        text: str | None,
        *,
        agent: str,
        key: str | None = None,
        connection: Any = None,
        **how: Any,
    ) -> dict[str, Any]:
        """Puts a reply into the outbox, once for each key. Raises ReplyRefused, and then nothing is sent.

        Where a rule asks for a second person it is kept until somebody has approved it: the answer then has no parts,
        but an `approval`.

        `how`: `leg` (else the one that is answered: where the customer spoke last, and once there is a private leg the
        newest private one that can be reached; where that is not clear it is refused),
        `attachments` (blob digests with media type and name),
        `choices`, `subject`, `private` (open a private thread with somebody who spoke in public; in private it is a
        reply like any other), `template` (its
        `name`, `language` and `parameters`; a text beside it is only shown in the timeline), `answer` (the id of the
        one of `answers` with which it began, so that what came of it is known).
        `connection`: the caller's own to the same PostgreSQL, within a transaction: the reply is sent if and when the
        caller commits. Until then nobody else changes anything of this tenant, so commit soon.
        """
        saying = self._saying(text, plain_key(key) if key else self._id("out"), how)
        with tracing.span("reply", tenant=tenant, conversation=conversation):
            return self._replied(tenant, conversation, agent, saying, how, connection)

    def _replied(
        self, tenant: str, conversation: str, agent: str, saying: Saying, how: Mapping[str, Any], connection: Any
    ) -> dict[str, Any]:
        with tracing.span("plan") as span:
            said = self._planned(tenant, conversation, agent, saying, how)
            span.set(network=said.leg.network, channel=said.leg.channel, parts=len(said.plan.parts))
        said.check()
        with tracing.span("outbox", part=tracing.part_id(saying.key), parts=len(said.plan.parts)) as span:
            return self._put(said, span.context, connection)

    def _put(self, said: "Said", context: str | None = None, connection: Any = None) -> dict[str, Any]:
        """Into the outbox, or among what waits for a second person; the same key once."""
        now, id, tenant = self.clock(), self._id("apr"), said.leg.tenant
        within = self._database.within

        def write(tx: Tx) -> dict[str, Any]:
            held = approving.known(tx, tenant, said.intent)
            if held is None and said.held and not outbox.parts_of(tx, tenant, said.intent.key):
                expires = self.channels.conducting.of(tx, tenant).guidance.policy.expires
                due = micros(now + expires)
                held = approving.ask(tx, said.leg, said.speaker, said.intent, said.held, id, micros(now), due)
                self._note_answer(tx, said, now)
            if held is not None:
                parts = outbox.parts_of(tx, tenant, held.key)
                return _sent(said, parts) | {
                    "approval": {"id": held.id, "state": held.state, "rules": list(held.rules)}
                }
            parts = outbound.enqueue(tx, said.plan, said.leg, said.speaker, said.intent.key, now)
            for part in parts if context else ():
                traces.put(tx, "part", tenant, part.key, context or "")
            self._note_answer(tx, said, now)
            return _sent(said, parts)

        return self._database.do(write, tenant) if connection is None else within(connection, write, tenant)

    def _saying(self, text: str | None, key: str, how: Mapping[str, Any]) -> Saying:
        if unknown := how.keys() - {"leg", "attachments", "choices", "subject", "private", "template", "answer"}:
            raise TypeError(f"a reply has no {', '.join(sorted(unknown))}")
        return Saying(
            text=text,
            key=key,
            attachments=tuple(Attachment.model_validate(one) for one in how.get("attachments") or ()),
            choices=tuple(Choice.model_validate(one) for one in how.get("choices") or ()),
            subject=how.get("subject"),
            private=bool(how.get("private")),
            template=Template.model_validate(template) if (template := how.get("template")) else None,
        )

    def _planned(self, tenant: str, conversation: str, agent: str, saying: Saying, how: Mapping[str, Any]) -> "Said":
        ways = self._ways(tenant)

        def place(tx: Tx) -> tuple[conversations.Leg, Intent, Agent]:
            found = conversation_of(tx, tenant, conversation)
            wanted = how.get("leg") or replying.leg_of_key(tx, found, saying.key)
            leg = replying.choose_leg(tx, found, wanted, ways, in_public=saying.private)
            speaker = agent_of(tx, tenant, agent)
            return leg, replying.compose(tx, leg, saying, by_person=not speaker.is_bot), speaker

        return self._weighed(tenant, place, how.get("answer"))

    def _weighed(
        self, tenant: str, place: Callable[[Tx], tuple[conversations.Leg, Intent, Agent]], answer: str | None = None
    ) -> "Said":
        """What is about to be said, planned, with all that objects to it."""
        now = self.clock()

        def read(tx: Tx) -> tuple[conversations.Leg, Intent, Agent, tuple[Refusal, ...], bool]:
            leg, intent, speaker = place(tx)
            found = judging.objections(
                tx, self._policies, self.channels.conducting.of(tx, tenant), intent, leg, speaker, now
            )
            return leg, intent, speaker, found, approving.known(tx, tenant, intent) is not None

        leg, intent, speaker, found, again = self._database.read(read)
        plan = replying.plan_for(self.channels.get(tenant, leg.channel).connector, intent, leg, now)
        return Said(leg, intent, speaker, plan, found, again, answer)

    def _note_answer(self, tx: Tx, said: "Said", now: datetime) -> None:
        found = conversations.get(tx, said.leg.tenant, said.leg.conversation) if said.answer else None
        if found is not None and said.answer is not None:
            connector = self.channels.get(said.leg.tenant, said.leg.channel).connector
            conduct = self.channels.conducting.of(tx, said.leg.tenant)
            place = answering.Place(found, said.leg, said.speaker, connector, conduct)
            text = getattr(said.intent, "text", None) or ""
            answering.note_use(tx, place, said.answer, text, said.intent.key, micros(now))

    def note(self, tenant: str, conversation: str, text: str, *, agent: str, key: str | None = None) -> None:
        """An internal note in the timeline, once for each key; it never leaves. Raises KeyReused."""
        if not text.strip():
            raise ConfigError("the note is empty; write what it says")
        now, native = self.clock(), plain_key(key) if key else self._id("note")

        def write(tx: Tx) -> None:
            speaker = agent_of(tx, tenant, agent)
            leg = placing.heard_last(tx, conversation_of(tx, tenant, conversation))
            interaction = Interaction(
                network="internal",
                native_id=native,
                kind="note",
                direction="internal",
                own_account=tenant,
                thread=Thread(id=conversation, visibility="private"),
                author=Party(name=speaker.name, is_self=True, is_bot=speaker.is_bot),
                text=text,
                sent_at=now,
                client_key=native if key else None,
            )
            at = micros(now)
            seq = interactions.claim_key(tx, tenant, "internal", conversation, native, leg.node, at)
            if seq is None:
                _must_be(tx, tenant, conversation, interaction)  # told again
                return
            stored = Stored(seq, leg.node, at, leg.id, None, interaction, at, None, None, agent, None, None)
            interactions.store(tx, tenant, stored)
            publish_interaction(tx, tenant, "interaction.received", stored, None, conversation=conversation)

        self._database.do(write, tenant)

    def assign(self, tenant: str, conversation: str, assignee: str | None, *, agent: str) -> None:
        def write(tx: Tx) -> None:
            if assignee is not None:
                agent_of(tx, tenant, assignee)
            conversation_of(tx, tenant, conversation)
            conversations.assign(tx, tenant, conversation, assignee)
            data = {"assignee": assignee or "", "agent": agent}
            self._publish(tx, tenant, "conversation.assigned", data, conversation)

        self._database.do(write, tenant)

    def resolve(self, tenant: str, conversation: str, *, agent: str) -> None:
        self._set_status(tenant, conversation, "resolved", agent)

    def reopen(self, tenant: str, conversation: str, *, agent: str) -> None:
        self._set_status(tenant, conversation, "open", agent)

    def _set_status(self, tenant: str, conversation: str, status: str, agent: str) -> None:
        type_ = "conversation.resolved" if status == "resolved" else "conversation.reopened"

        def write(tx: Tx) -> None:
            agent_of(tx, tenant, agent)
            found, at = conversation_of(tx, tenant, conversation), micros(self.clock())
            if found.status != status:
                conversations.set_status(tx, tenant, conversation, status, at)
                if status == "resolved":
                    self._keep_answer(tx, found, at)
                    rating.expect(tx, found, agent, at, self.channels.conducting.of(tx, tenant))
                self._publish(tx, tenant, type_, {"agent": agent}, conversation)

        self._database.do(write, tenant)

    def _keep_answer(self, tx: Tx, found: conversations.Conversation, at: int) -> None:
        """What was answered here may help in the next such matter, and the answers that were used have helped."""
        answers.note_resolved(tx, found.tenant, found.id)
        if self.channels.conducting.of(tx, found.tenant).guidance.answers.matters:
            answering.index_matter(tx, found, at)

    def link(self, tenant: str, who: str, other: str, *, agent: str, note: str | None = None) -> people.Verdict:
        """These two are one customer. Raises VerdictRefused."""
        at = micros(self.clock())
        return self._judge(tenant, agent, lambda tx: people.link(tx, tenant, who, other, agent=agent, at=at, note=note))

    def split(self, tenant: str, who: str, leaving: Sequence[str], *, agent: str) -> people.Verdict:
        """These accounts are somebody else."""
        at = micros(self.clock())

        def call(tx: Tx) -> people.Verdict:
            return people.split(tx, tenant, who, leaving, agent=agent, at=at)

        return self._judge(tenant, agent, call, parts=True)

    def undo(self, tenant: str, verdict: str, *, agent: str, who: str | None = None) -> people.Verdict:
        """`who`: the customer whom the verdict must concern, by an id or any identifier."""
        at = micros(self.clock())

        def call(tx: Tx) -> people.Verdict:
            of = people.customer_of(tx, tenant, who).id if who is not None else None
            return people.undo(tx, tenant, verdict, agent=agent, at=at, of=of)

        return self._judge(tenant, agent, call, parts=True)

    def _judge(
        self, tenant: str, agent: str, verdict: Callable[[Tx], people.Verdict], *, parts: bool = False
    ) -> people.Verdict:
        """A verdict on identities, and what follows for their conversations, in one commit. It may part somebody."""

        def write(tx: Tx) -> people.Verdict:
            agent_of(tx, tenant, agent)
            found = verdict(tx)
            reunite(tx, tenant, found.nodes, self.channels.conducting.of(tx, tenant), judged=parts)
            return found

        return self._database.do(write, tenant)

    def settle(self, tenant: str, part: str, state: outbox.State, *, agent: str) -> None:
        """A person has looked: an uncertain part was `sent`, or `failed`, or goes out again (`queued`)."""
        if state not in outbox.NEXT["uncertain"]:
            raise ValueError(f"{state!r} is no verdict; say sent, failed or queued")
        now = micros(self.clock())

        def write(tx: Tx) -> None:
            found = outbox.get(tx, tenant, part)
            if found is None or not outbound.judge(tx, found, state, agent, now):
                raise ReplyRefused(f"the part {part!r} is not waiting for a verdict")

        self._database.do(write, tenant)


def _must_be(tx: Tx, tenant: str, conversation: str, note: Interaction) -> None:
    known = interactions.key_of(tx, tenant, "internal", note.native_id, conversation)
    stored = interactions.get(tx, tenant, known) if known else None
    if stored is not None and stored.interaction.text != note.text:
        raise KeyReused(note.native_id)


def plain_key(key: str) -> str:
    """A key that leaves room for the numbers of its parts, and holds no slash, which begins those."""
    if len(key) <= 100 and "/" not in key:
        return key
    return f"{key[:60].replace('/', '.')}~{hashlib.sha256(key.encode()).hexdigest()[:32]}"
