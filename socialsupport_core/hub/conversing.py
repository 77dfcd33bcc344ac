"""What an agent does with whole conversations and with what their customers have told; how a tenant wants them."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from socialsupport_core.contract import ConfigError, SocialSupportError
from socialsupport_core.conversation import moving, views
from socialsupport_core.conversation.conduct import ConductSection
from socialsupport_core.conversation.kinds import same
from socialsupport_core.guidance import Guidance, Service
from socialsupport_core.hub.base import Base, agent_of, check_tenant, conversation_of
from socialsupport_core.mistakes import mistakes
from socialsupport_core.store import Tx, accounts, conduct, identity, log, micros, standing
from socialsupport_core.store import context as told
from socialsupport_core.store.conversations import Conversation


class NothingTold(SocialSupportError, LookupError):
    """The customer of this conversation has told no such value."""


class Conversing(Base):
    def merge_conversation(self, tenant: str, conversation: str, into: str, *, agent: str) -> moving.Moved:
        """All of it goes on in `into`, where its id leads from then on. Raises MoveRefused."""
        at = micros(self.clock())
        return self._move(
            tenant,
            conversation,
            agent,
            lambda tx, one: moving.merge(tx, one, _other(tx, one, into), agent=agent, at=at),
        )

    def split_conversation(
        self, tenant: str, conversation: str, *, agent: str, legs: Sequence[int] = (), since: int | None = None
    ) -> moving.Moved:
        """These legs, or the thread of the interaction `since` from there on, become a conversation of their own.

        Raises MoveRefused.
        """
        at, new = micros(self.clock()), self._new_conversation_id()
        return self._move(
            tenant, conversation, agent, lambda tx, one: moving.split(tx, one, legs, since, new, agent=agent, at=at)
        )

    def move_legs(
        self,
        tenant: str,
        conversation: str,
        into: str,
        *,
        agent: str,
        legs: Sequence[int] = (),
        since: int | None = None,
    ) -> moving.Moved:
        """These legs, or the thread of the interaction `since` from there on, go on in `into`. Raises MoveRefused."""
        at = micros(self.clock())

        def carry(tx: Tx, one: Conversation) -> moving.Moved:
            return moving.move(tx, one, _other(tx, one, into), legs, since, agent=agent, at=at)

        return self._move(tenant, conversation, agent, carry)

    def undo_move(self, tenant: str, conversation: str, move: str | None = None, *, agent: str) -> moving.Moved:
        """Takes a merge, split or move back; the last one of this conversation unless it is named.

        Raises MoveRefused.
        """
        at = micros(self.clock())

        def undo(tx: Tx, one: Conversation) -> moving.Moved:
            return moving.undo(tx, tenant, move or moving.last(tx, one), agent=agent, at=at)

        return self._move(tenant, conversation, agent, undo, follow=False)

    def _move(
        self,
        tenant: str,
        conversation: str,
        agent: str,
        call: Callable[[Tx, Conversation], moving.Moved],
        *,
        follow: bool = True,
    ) -> moving.Moved:
        def write(tx: Tx) -> moving.Moved:
            agent_of(tx, tenant, agent)
            return call(tx, conversation_of(tx, tenant, conversation, follow=follow))

        return self._database.do(write, tenant)

    # context

    def change_context(
        self, tenant: str, conversation: str, kind: str, value: str, *, agent: str, corrected: str | None = None
    ) -> list[dict[str, Any]]:
        """An agent corrects a value that the customer has told, or removes it (without `corrected`).

        What the conversation's context is then. Raises NothingTold.
        """
        state = "removed" if corrected is None else "corrected"
        return self._judge_context(tenant, conversation, kind, value, state, corrected, agent)

    def restore_context(
        self, tenant: str, conversation: str, kind: str, value: str, *, agent: str
    ) -> list[dict[str, Any]]:
        """Takes a correction or a removal back. Raises NothingTold."""
        return self._judge_context(tenant, conversation, kind, value, "told", None, agent)

    def _judge_context(
        self, tenant: str, conversation: str, kind: str, value: str, state: str, corrected: str | None, agent: str
    ) -> list[dict[str, Any]]:
        at = micros(self.clock())

        def write(tx: Tx) -> list[dict[str, Any]]:
            agent_of(tx, tenant, agent)
            one = conversation_of(tx, tenant, conversation)
            found = [each for each in self._told(tx, one) if each.kind == kind and _is(each, value)]
            if not found:
                raise NothingTold(f"no {kind[:40]} like that was told here; the conversation's context lists what was")
            by = agent if state != "told" else None
            for each in found:
                told.decide(tx, tenant, each, state, corrected, by, at if by else None)
            data = {"kind": kind, "state": state, "agent": agent}
            log.publish(tx, tenant, "conversation.context", at, data, conversation=one.id)
            return views.context(tx, one, self.channels.conducting.of(tx, tenant))

        return self._database.do(write, tenant)

    def _told(self, tx: Tx, one: Conversation) -> list[told.Told]:
        customer = identity.by_numbers(tx, [one.node])[one.node].customer
        return told.of_nodes(tx, one.tenant, [node.number for node in identity.members(tx, one.tenant, customer)])

    # how a tenant wants it

    def set_conduct(
        self,
        tenant: str,
        *,
        window: timedelta | None = None,
        rules: Sequence[str] | None = None,
        context: Mapping[str, Mapping[str, Any]] | None = None,
        allowed: Sequence[str] = (),
        countries: Sequence[str] = (),
    ) -> None:
        """What continues what, what is looked for in texts, what may always be said in public. Raises ConfigError.

        Whatever is left out is as it is shipped. Conversations stay as they are; what comes from now on follows.
        """
        continuity = {"window": window, "rules": rules}
        given = {
            "continuity": {name: value for name, value in continuity.items() if value is not None},
            "context": dict(context or {}),
            "guard": {"allowed": list(allowed), "countries": list(countries)},
        }
        self._set(tenant, given)

    def set_guidance(self, tenant: str, given: Mapping[str, Any]) -> None:
        """What customers may expect, and how agents are guided: the keys of `[tenants.TENANT.guidance]`, all of them
        anew. Raises ConfigError."""
        before = self.guidance(tenant)
        self._set(tenant, {"guidance": dict(given)})
        if any(getattr(before, name) != getattr(self.guidance(tenant), name) for name in Service.model_fields):
            self._database.do(lambda tx: standing.reckon_anew(tx, tenant), tenant)

    def _set(self, tenant: str, given: Mapping[str, Any]) -> None:
        """These sections anew; the others stay."""

        def write(tx: Tx) -> None:
            check_tenant(tx, tenant)
            if conduct.put(tx, tenant, _checked({**conduct.get(tx, tenant), **given})):
                accounts.changed(tx)

        self._database.do(write)
        self.channels.forget()

    def guidance(self, tenant: str) -> Guidance:
        return self._database.read(lambda tx: self.channels.conducting.of(tx, tenant)).guidance

    def conduct(self, tenant: str) -> dict[str, Any]:
        """The same, as JSON; what is as it is shipped is left out."""
        return self._database.read(lambda tx: conduct.get(tx, tenant))


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """As it is kept. Raises ConfigError."""
    try:
        return ConductSection.model_validate(given).model_dump(mode="json", exclude_defaults=True)
    except ValidationError as error:
        raise ConfigError("; ".join(f"{key}: {what}" for key, what in mistakes(error, ConductSection))) from None


def _other(tx: Tx, one: Conversation, into: str) -> Conversation:
    return conversation_of(tx, one.tenant, into)


def _is(one: told.Told, value: str) -> bool:
    return same(value) in {same(one.value), same(one.corrected or one.value)}
