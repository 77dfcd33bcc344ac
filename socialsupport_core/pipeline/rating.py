"""Whose matter was resolved is asked once how it went: in private, within the hours, where it may be said."""

import asyncio
import logging

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.conversation.handing.words import Words
from socialsupport_core.guidance.rating import CHOICE, VALUES
from socialsupport_core.model import Choice
from socialsupport_core.pipeline.asking import language_of
from socialsupport_core.pipeline.away import speaker_of
from socialsupport_core.pipeline.handing import Desk
from socialsupport_core.store import Row, StoreError, Tx, conversations, handoffs, identity, ratings
from socialsupport_core.store.conversations import Conversation, Leg

logger = logging.getLogger("socialsupport")
SECOND = 1_000_000
FRESH = 3 * 86_400 * SECOND
"""What was resolved longer ago, as before a long weekend, nobody is asked about any more."""
MOST = 50
CHOICES = tuple(Choice(title=str(value), value=f"{CHOICE}{value}") for value in VALUES)


def expect(tx: Tx, found: Conversation, agent: str, at: int, conduct: Conduct) -> None:
    """It was resolved; asked is later, by a worker."""
    wanted = conduct.guidance.rating
    if wanted.enabled:
        ratings.expect(tx, found.tenant, found.id, found.node, agent, at, at + int(wanted.after * SECOND))


class Surveying:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def turn(self, tenant: str, conduct: Conduct, now: int) -> int:
        """How many were dealt with, asked or not."""
        guidance = conduct.guidance
        if not guidance.rating.enabled or not guidance.hours.open_at(now):
            return 0
        due = self._desk.database.read(lambda tx: ratings.due(tx, tenant, now, MOST))
        for row in due:
            await asyncio.to_thread(self._deal, tenant, conduct, row, now)
        return len(due)

    def _deal(self, tenant: str, conduct: Conduct, row: Row, now: int) -> None:
        """In one transaction: who looks at the same time finds it done."""
        name: str = row["conversation"]
        try:
            self._desk.database.do(lambda tx: self._ask(tx, tenant, conduct, name, now), tenant)
        except StoreError:
            raise
        except Exception as error:  # a channel that is gone: the others are asked
            logger.warning("nobody could be asked about %s: %s", name, error, exc_info=True)
            self._desk.database.do(lambda tx: ratings.leave(tx, tenant, name, "failed"), tenant)

    def _ask(self, tx: Tx, tenant: str, conduct: Conduct, name: str, now: int) -> None:
        row = ratings.get(tx, tenant, name)
        if row is None or row["state"] != "due":
            return
        why_not = self._say(tx, tenant, conduct, row, now)
        if why_not:
            ratings.leave(tx, tenant, name, why_not)

    def _say(self, tx: Tx, tenant: str, conduct: Conduct, row: Row, now: int) -> str | None:
        """Why nothing is asked; None if it is."""
        found = conversations.get(tx, tenant, row["conversation"])
        if found is None or found.status != "resolved":
            return "it goes on"
        if ratings.was_asked(tx, tenant, found.id):
            return "asked before"
        wanted, leg = conduct.guidance.rating, _private(tx, found)
        if leg is None or now - row["resolved_at"] > FRESH:
            return "public" if leg is None else "too long ago"
        if wanted.channels and not wanted.channels & {leg.channel, leg.network}:
            return "another channel"
        if _has_declined(tx, leg):
            return "wants no messages there"
        return self._send(tx, leg, now, int(wanted.answer_within * SECOND))

    def _send(self, tx: Tx, leg: Leg, now: int, open_for: int) -> str | None:
        speaker = speaker_of(tx, leg.tenant)
        try:
            able = self._desk.channels.get(leg.tenant, leg.channel).connector.capabilities
            choices = CHOICES if able.choices >= len(CHOICES) else ()
            text = Words(handoffs.templates(tx, leg.tenant)).say("rating", language_of(tx, leg))
            half = self._desk.half(tx, leg, text, speaker, f"{CHOICE}{leg.conversation}", choices=choices)
        except ConfigError:
            return "the channel is gone"
        if not half.is_possible:
            return "not possible there"
        half.say(tx, speaker, self._desk.clock())
        until = now + open_for
        ratings.asked(tx, leg.tenant, leg.conversation, leg.id, leg.channel, leg.thread, leg.node, now, until)
        return None


def _private(tx: Tx, found: Conversation) -> Leg | None:
    """The private leg on which the customer spoke last, if nothing was said in public since."""
    spoken = [one for one in conversations.legs(tx, found.tenant, found.id) if one.last_inbound]
    last = max(spoken, key=lambda one: (one.last_inbound or 0, one.id), default=None)
    return last if last is not None and last.visibility == "private" else None


def _has_declined(tx: Tx, leg: Leg) -> bool:
    node = identity.by_numbers(tx, [leg.node])[leg.node]
    members = [one.number for one in identity.members(tx, leg.tenant, node.customer)]
    state, *_ = handoffs.consents(tx, leg.tenant, members).get(leg.channel, ("in", 0, ""))
    return state == "out"
