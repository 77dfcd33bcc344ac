"""Many customers at once: noticed from the log, told once, with what they have in common and some of them."""

import asyncio
import json
import logging
from typing import Any

from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.guidance.spikes import Cause, Spikes, causes, unusual
from socialsupport_core.store import Database, StoreError, Tx, capacity, conversations, identity, interactions, log
from socialsupport_core.store.capacity import HOUR

logger = logging.getLogger("socialsupport")
WEEK = 168  # hours
PAGE = 5000  # entries of the log in one commit
LOOKED_AT = 200  # conversations whose texts are compared
AGAIN = 2
"""A spike is told of again when it has grown to so many times what was told."""


class Watching:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def turn(self, tenant: str, conduct: Conduct, now: int) -> int:
        """How much of the log was read, and spikes were told."""
        settings = conduct.guidance.spikes
        if not settings.enabled or not self._database.read(lambda tx: capacity.unread(tx, tenant)):
            return 0
        return await asyncio.to_thread(self._look, tenant, settings, now)

    def _look(self, tenant: str, settings: Spikes, now: int) -> int:
        try:
            return self._database.do(lambda tx: self._take_in(tx, tenant, settings, now), tenant)
        except StoreError:
            raise
        except Exception:
            logger.exception("nobody can say whether %s hears from more customers than usual", tenant)
            return 0

    def _take_in(self, tx: Tx, tenant: str, settings: Spikes, now: int) -> int:
        read = capacity.take_in(tx, tenant, PAGE)
        hour = now // HOUR
        capacity.forget_before(tx, tenant, hour - (settings.weeks + 1) * WEEK)
        for one in (hour - 1, hour):  # what came in the last moments of an hour is read in the next
            self._tell(tx, tenant, settings, one, now)
        return read

    def _tell(self, tx: Tx, tenant: str, settings: Spikes, hour: int, now: int) -> None:
        counted, told = capacity.count(tx, tenant, hour), capacity.spike(tx, tenant, hour)
        if counted < max(settings.least, told * AGAIN):
            return
        first = capacity.first_hour(tx, tenant) or hour
        weeks = [hour - n * WEEK for n in range(1, settings.weeks + 1) if hour - n * WEEK >= first]
        found = unusual(counted, [capacity.count(tx, tenant, one) for one in weeks], settings)
        if found is None:
            return
        data = {
            "hour": hour * 3600,
            "count": found.count,
            "usual": found.usual,
            "reason": found.reason,
            "causes": [_shown(one) for one in self._causes(tx, tenant, hour, settings)],
        }
        capacity.put_spike(tx, tenant, hour, counted, now, json.dumps(data))
        log.publish(tx, tenant, "volume.spike", now, data)

    def _causes(self, tx: Tx, tenant: str, hour: int, settings: Spikes) -> list[Cause]:
        mine = capacity.began_in(tx, tenant, hour, hour, LOOKED_AT)
        earlier = capacity.began_in(tx, tenant, hour - WEEK, hour - 1, LOOKED_AT)
        texts = {one: _first_words(tx, tenant, one) for one in mine}
        before = [_first_words(tx, tenant, one) for one in earlier]
        return causes(texts, before, {one: _customer(tx, tenant, one) for one in mine}, settings)


def _shown(one: Cause) -> dict[str, Any]:
    return {"words": list(one.words), "count": one.count, "conversations": list(one.conversations)}


def _first_words(tx: Tx, tenant: str, conversation: str) -> str:
    """The newest of what the customer has written there."""
    legs = conversations.legs(tx, tenant, conversation)
    nodes = sorted({one.node for one in legs})
    found = interactions.newest_of_all(tx, tenant, nodes, None, 3, {one.id for one in legs}) if legs else []
    said = [one.interaction for one in found if one.interaction.direction == "inbound" and one.deleted_at is None]
    return "\n".join(f"{one.subject or ''} {one.text or ''}" for one in said)


def _customer(tx: Tx, tenant: str, conversation: str) -> str:
    one = conversations.get(tx, tenant, conversation)
    return str(identity.by_numbers(tx, [one.node])[one.node].customer) if one else conversation
