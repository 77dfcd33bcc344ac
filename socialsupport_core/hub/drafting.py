"""Drafts: somebody, mostly a machine, writes an answer; a person sends it, or throws it away."""

from typing import Any

from socialsupport_core.contract import SocialSupportError
from socialsupport_core.conversation.views import present, time
from socialsupport_core.hub.acting import Acting
from socialsupport_core.hub.base import agent_of, conversation_of
from socialsupport_core.pipeline import replying
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store import Tx, accounts, conversations, drafts, micros
from socialsupport_core.store.drafts import Draft, State

LONGEST = 20_000  # characters of a draft
MOST = 10
"""Open drafts of one conversation; whoever makes more says too much."""


class NoSuchDraft(SocialSupportError, LookupError):
    """The tenant has no draft with this id."""


class Drafting(Acting):
    def draft(
        self,
        tenant: str,
        conversation: str,
        text: str,
        *,
        agent: str,
        leg: int | None = None,
        private: bool = False,
        why: str | None = None,
        source: str = "api",
    ) -> dict[str, Any]:
        """Keeps an answer for a person to look at; nothing is sent. `leg` as in `reply`. Raises ReplyRefused."""
        if not text.strip() or len(text) > LONGEST or len(why or "") > LONGEST:
            raise ReplyRefused(f"a draft is a text of at most {LONGEST:,} characters, and so is its reason")
        id, at, ways = self._id("dr"), micros(self.clock()), self._ways(tenant)

        def write(tx: Tx) -> Draft:
            agent_of(tx, tenant, agent)
            found = conversation_of(tx, tenant, conversation)
            if sum(one.state == "open" for one in _of(tx, tenant, found.id)) >= MOST:
                raise ReplyRefused(f"{MOST} drafts wait for a person here already; one of them must go first")
            where = replying.choose_leg(tx, found, leg, ways)
            made = Draft(tenant, id, found.id, where.node, where.id, text, private, why, agent, source, at)
            drafts.put(tx, made)
            self._tell(tx, made, "open", agent)
            return made

        made = self._database.do(write, tenant)
        return self._database.read(lambda tx: _shown(made, _machines(tx, tenant)))

    def drafts(self, tenant: str, conversation: str, *, ended: bool = False) -> list[dict[str, Any]]:
        """The newest first; those that were sent or discarded too if they are asked for."""

        def read(tx: Tx) -> list[dict[str, Any]]:
            found = _of(tx, tenant, conversation_of(tx, tenant, conversation).id)
            machines = _machines(tx, tenant) if found else frozenset[str]()
            return [_shown(one, machines) for one in found if ended or one.state == "open"]

        return self._database.read(read)

    def send_draft(self, tenant: str, draft: str, text: str | None = None, *, agent: str, **how: Any) -> dict[str, Any]:
        """A person sends it, as it is or as `text` reads now; `how` as in `reply`. Sent again it is the same reply.

        Raises NoSuchDraft, ReplyRefused: also for a bot, which cannot send what another, or itself, has drafted.
        """
        found, speaker = self._database.read(lambda tx: (_get(tx, tenant, draft), agent_of(tx, tenant, agent)))
        if speaker.is_bot:
            raise ReplyRefused("a draft is sent by a person")
        if found.state == "discarded" or (found.state == "sent" and found.ended_by != agent):
            raise ReplyRefused(f"the draft was {found.state} by {found.ended_by} before")
        given = {"leg": found.leg, "private": found.private} | how
        said = found.text if text is None else text
        sent = self.reply(tenant, found.conversation, said, agent=agent, key=f"{agent}:draft.{found.id}", **given)
        self._end(tenant, found, "sent", agent, sent["key"])
        return sent

    def discard_draft(self, tenant: str, draft: str, *, agent: str) -> None:
        """Raises NoSuchDraft."""
        self._database.read(lambda tx: agent_of(tx, tenant, agent))
        self._end(tenant, self._database.read(lambda tx: _get(tx, tenant, draft)), "discarded", agent)

    def _end(self, tenant: str, one: Draft, state: State, agent: str, part: str | None = None) -> None:
        at = micros(self.clock())

        def write(tx: Tx) -> None:
            if drafts.end(tx, one, state, agent, at, part):
                self._tell(tx, one, state, agent)

        self._database.do(write, tenant)

    def _tell(self, tx: Tx, one: Draft, state: State, agent: str) -> None:
        """Without the text: whoever may read it asks for it."""
        data = {"draft": one.id, "state": state, "agent": agent}
        self._publish(tx, one.tenant, "draft.changed", data, one.conversation)


def _get(tx: Tx, tenant: str, draft: str) -> Draft:
    found = drafts.get(tx, tenant, draft)
    if found is None:
        raise NoSuchDraft(f"there is no draft {draft[:80]!r}")
    return found


def _of(tx: Tx, tenant: str, conversation: str) -> list[Draft]:
    """Those of legs that came from other conversations too."""
    began = {leg.began for leg in conversations.legs(tx, tenant, conversation)}
    return drafts.of_conversations(tx, tenant, {conversation, *began})


def _machines(tx: Tx, tenant: str) -> frozenset[str]:
    return frozenset(one.id for one in accounts.agents(tx, tenant) if one.is_bot)


def _shown(one: Draft, machines: frozenset[str]) -> dict[str, Any]:
    return present(
        id=one.id,
        conversation=one.conversation,
        leg=one.leg,
        text=one.text,
        private=one.private,
        why=one.why,
        agent=one.agent,
        by_machine=one.source == "mcp" or one.agent in machines,
        source=one.source,
        at=time(one.at),
        state=one.state,
        ended_at=time(one.ended_at),
        ended_by=one.ended_by,
        key=one.part,
    )
