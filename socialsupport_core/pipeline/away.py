"""Whoever writes out of hours is told when somebody is there again: once, and never in a circle of machines.

What a machine says leaves nobody waiting (`author.is_bot`), so it is never answered. A machine that does not say what
it is hears from us once: the conversation goes on waiting for a person, and nobody is told twice within a day.
"""

import asyncio
import logging
from zoneinfo import ZoneInfo

from socialsupport_core.contract import ConfigError
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.conversation.handing.words import Words
from socialsupport_core.guidance.away import Acknowledge, Expected, expected
from socialsupport_core.pipeline import placing
from socialsupport_core.pipeline.asking import language_of, said_to
from socialsupport_core.pipeline.handing import Desk
from socialsupport_core.store import (
    Row,
    StoreError,
    Tx,
    accounts,
    capacity,
    conversations,
    handoffs,
    identity,
    moment,
)
from socialsupport_core.store.accounts import Agent
from socialsupport_core.store.conversations import Leg

logger = logging.getLogger("socialsupport")
SECOND = 1_000_000
FRESH = 3600 * SECOND
"""Who has waited for longer when we look, as after a pause of ours, is told nothing: it would be no news."""
RECENT = 14 * 86_400 * SECOND
ANSWERS = 50
MOST = 50
AGENT = "auto"
"""The bot that says it."""


class Acknowledging:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def turn(self, tenant: str, conduct: Conduct, now: int) -> int:
        """How many contacts were dealt with, whether or not something could be said."""
        guidance = conduct.guidance
        if not guidance.acknowledge.enabled or guidance.hours.open_at(now):
            return 0
        due = self._desk.database.read(lambda tx: capacity.unacknowledged(tx, tenant, now - FRESH, MOST))
        for row in due:
            await asyncio.to_thread(self._deal, tenant, conduct, row["conversation"], now)
        return len(due)

    def _deal(self, tenant: str, conduct: Conduct, conversation: str, now: int) -> None:
        """In one transaction: who looks at the same time finds it done."""
        try:
            self._desk.database.do(lambda tx: self._acknowledge(tx, tenant, conduct, conversation, now), tenant)
        except StoreError:
            raise
        except Exception as error:  # a channel that is gone: the others are told
            logger.warning("nobody could be told about %s: %s", conversation, error, exc_info=True)
            self._desk.database.do(lambda tx: self._note(tx, tenant, conversation, now, "failed"), tenant)

    def _acknowledge(self, tx: Tx, tenant: str, conduct: Conduct, conversation: str, now: int) -> None:
        if not any(row["conversation"] == conversation for row in self._due(tx, tenant, now)):
            return
        self._note(tx, tenant, conversation, now, self._say(tx, tenant, conduct, conversation, now))

    def _due(self, tx: Tx, tenant: str, now: int) -> "list[Row]":
        return capacity.unacknowledged(tx, tenant, now - FRESH, 10 * MOST)

    def _note(self, tx: Tx, tenant: str, conversation: str, now: int, state: str) -> None:
        one = conversations.get(tx, tenant, conversation)
        if one is not None and one.waiting_since is not None:
            capacity.acknowledge(tx, tenant, conversation, one.waiting_since, one.node, now, state)

    def _say(self, tx: Tx, tenant: str, conduct: Conduct, conversation: str, now: int) -> str:
        """`said`, or why nothing was."""
        wanted, found = conduct.guidance.acknowledge, conversations.get(tx, tenant, conversation)
        if found is None or found.waiting_since is None or conduct.guidance.hours.open_at(found.waiting_since):
            return "written within the hours"
        leg = placing.heard_last(tx, found)
        if leg.visibility == "public" and not wanted.public:
            return "public"
        if not _is_wanted(wanted, leg):
            return "another channel"
        owner = identity.by_numbers(tx, [found.node])[found.node].customer
        nodes = [one.number for one in identity.members(tx, tenant, owner)]
        if capacity.was_told(tx, tenant, nodes, now - int(wanted.again_after * SECOND)):
            return "told lately"
        when = self._expected(tx, tenant, conduct, leg, now)
        return "nobody will be there" if when is None else self._told(tx, conduct, leg, when, found.waiting_since)

    def _told(self, tx: Tx, conduct: Conduct, leg: Leg, when: Expected, contact: int) -> str:
        zone = conduct.guidance.hours.zone
        said = Words(handoffs.templates(tx, leg.tenant))
        language = language_of(tx, leg)
        if leg.visibility == "public":
            text = said.say("public_away", language, said_to(tx, leg))
        else:
            text = said.say("away", language, opens=_local(when.opens, zone), by=_local(when.by, zone))
        speaker = speaker_of(tx, leg.tenant)
        try:
            half = self._desk.half(tx, leg, text, speaker, f"away~{leg.conversation}~{contact}")
        except ConfigError:
            return "the channel is gone"
        if not half.is_possible:
            return "not possible there"
        half.say(tx, speaker, self._desk.clock())
        return "said"

    def _expected(self, tx: Tx, tenant: str, conduct: Conduct, leg: Leg, now: int) -> Expected | None:
        guidance = conduct.guidance
        answers = capacity.first_answers(tx, tenant, now - RECENT, ANSWERS)
        spans = [guidance.hours.within(begin, end) for begin, end in answers]
        return expected(guidance.hours, now, spans, guidance.target_of(leg.channel, leg.network))


def _is_wanted(wanted: Acknowledge, leg: Leg) -> bool:
    return not wanted.channels or bool(wanted.channels & {leg.channel, leg.network})


def speaker_of(tx: Tx, tenant: str) -> Agent:
    known = next((one for one in accounts.agents(tx, tenant) if one.id == AGENT), None)
    if known is None:
        known = Agent(tenant, AGENT, "Automatic reply", is_bot=True)
        accounts.add_agent(tx, known)
    return known


def _local(at: int, zone: str) -> str:
    """A full hour or a minute after it, as in an appointment; the zone says whose."""
    rounded = -(-at // (60 * SECOND)) * 60 * SECOND
    return f"{moment(rounded).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M} ({zone})"
