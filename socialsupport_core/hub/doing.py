"""What an agent does to what was said: edit, delete, react; and that somebody types."""

from collections.abc import Callable
from typing import Any

from socialsupport_core.contract import SocialSupportError
from socialsupport_core.hub.acting import Acting, plain_key
from socialsupport_core.hub.base import agent_of, conversation_of
from socialsupport_core.model import Intent
from socialsupport_core.pipeline import doing, replying
from socialsupport_core.pipeline.doing import Verb
from socialsupport_core.pipeline.replying import ReplyRefused
from socialsupport_core.store import Tx, conversations


class NoSuchInteraction(SocialSupportError, LookupError):
    """The tenant has no interaction with this id."""


class Doing(Acting):
    def edit(self, tenant: str, interaction: str, text: str, *, agent: str, key: str | None = None) -> dict[str, Any]:
        """Another text in place of what we said; `interaction` is its id in the timeline.

        Into the outbox, once for each key; the timeline shows it when the network has done it. Raises ReplyRefused if
        the network cannot or the guard forbids it, NoSuchInteraction.
        """
        return self._do(tenant, interaction, "edit", text, agent, key)

    def delete(self, tenant: str, interaction: str, *, agent: str, key: str | None = None) -> dict[str, Any]:
        """Takes back what we said there. As `edit`."""
        return self._do(tenant, interaction, "delete", "", agent, key)

    def react(
        self, tenant: str, interaction: str, reaction: str, *, agent: str, key: str | None = None
    ) -> dict[str, Any]:
        """An emoji at a message; an empty one takes ours back. As `edit`."""
        if len(reaction) > doing.MOST_REACTION or any(one.isspace() for one in reaction):
            raise ReplyRefused("a reaction is one emoji, or empty to take ours back")
        return self._do(tenant, interaction, "react", reaction, agent, key)

    def typing(self, tenant: str, conversation: str, *, agent: str, leg: int | None = None) -> dict[str, Any]:
        """Shows the customer that somebody types, for some seconds. Raises ReplyRefused."""
        key, ways = self._id("typ"), self._ways(tenant)

        def place(tx: Tx) -> tuple[conversations.Leg, Intent]:
            found = conversation_of(tx, tenant, conversation)
            where = replying.choose_leg(tx, found, leg, ways)
            return where, doing.sign(where, key, doing.recipient_on(tx, where))

        return self._done(tenant, place, agent)

    def _do(self, tenant: str, id: str, verb: Verb, said: str, agent: str, key: str | None) -> dict[str, Any]:
        told = plain_key(key) if key else self._id("out")

        def place(tx: Tx) -> tuple[conversations.Leg, Intent]:
            try:
                about, leg = doing.found(tx, tenant, id, verb, told)
            except LookupError as error:
                raise NoSuchInteraction(str(error)) from None
            return leg, doing.compose(leg, verb, about, said, told, doing.recipient_on(tx, leg))

        return self._done(tenant, place, agent)

    def _done(self, tenant: str, place: Callable[[Tx], tuple[conversations.Leg, Intent]], agent: str) -> dict[str, Any]:
        said = self._weighed(tenant, lambda tx: (*place(tx), agent_of(tx, tenant, agent)))
        try:
            said.check()
        except ReplyRefused as error:
            raise ReplyRefused(f"{said.leg.channel}: {error}", refusals=error.refusals, plan=error.plan) from None
        done = self._put(said)
        return done | {"parts": [{"key": one["key"], "state": one["state"]} for one in done["parts"]]}
