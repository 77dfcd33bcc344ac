"""Warnings before a target runs out, and word of those that did: once each for a contact that waits."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from socialsupport_core.conversation.views import SECOND, time
from socialsupport_core.guidance import Guidance
from socialsupport_core.store import Database, StoreError, Tx, conversations, log, micros, standing
from socialsupport_core.store.conversations import Conversation, Leg
from socialsupport_core.store.standing import Due

logger = logging.getLogger("socialsupport")
PAUSE = 5_000_000  # microseconds between looks, while nothing is due
TOLD: Mapping[int, str] = {1: "service.warning", 2: "service.breached"}


class Alerting:
    """`turn` looks by an index at whose time has come. Several workers may: whoever is second finds nothing left."""

    def __init__(
        self, database: Database, guidance: Callable[[Tx, str], Guidance], clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._guidance = guidance
        self._clock = clock
        self._next_look = 0

    async def turn(self, *, at_once: bool = False) -> int:
        """How many were looked at. Looks every few seconds unless it is asked to look `at_once`."""
        now = micros(self._clock())
        if now < self._next_look and not at_once:
            return 0
        found = self._database.read(lambda tx: standing.due(tx, now))
        by_tenant: dict[str, list[Due]] = {}
        for one in found:
            by_tenant.setdefault(one.tenant, []).append(one)
        done = 0
        for tenant, mine in by_tenant.items():
            done += await asyncio.to_thread(self._try, tenant, mine, now)
        self._next_look = now if done else now + PAUSE
        return done

    def _try(self, tenant: str, found: list[Due], now: int) -> int:
        """A mistake of ours holds up nobody else's, and nothing but this."""
        try:
            self._look(tenant, found, now)
        except StoreError:
            raise
        except Exception:
            logger.exception("the targets of %s could not be looked at", tenant)
            return 0
        return len(found)

    def _look(self, tenant: str, found: list[Due], now: int) -> None:
        def look(tx: Tx) -> None:
            guidance = self._guidance(tx, tenant)
            for one in found:
                _look_at(tx, one, guidance, now)

        self._database.do(look, tenant)


def _look_at(tx: Tx, one: Due, guidance: Guidance, now: int) -> None:
    found = conversations.get(tx, one.tenant, one.conversation)
    if found is None or found.superseded_by or not one.waiting_since or found.standing.noise:
        standing.forget_alert(tx, one)
        return
    leg = _leg(tx, found)
    due_at = one.due_at
    if due_at is None:  # it waits since another time than when it was heard
        due_at = guidance.due(one.waiting_since, leg.channel, leg.network, found.standing.urgency)
    level, next_at = _level(one, due_at, guidance, now)
    if standing.alert(tx, one, due_at, next_at, max(level, one.alerted)) and level > one.alerted and due_at:
        _publish(tx, found, leg, one, due_at, level, guidance, now)


def _level(one: Due, due_at: int | None, guidance: Guidance, now: int) -> tuple[int, int | None]:
    """What is to be told now (0 is nothing), and when to look again."""
    if due_at is None:
        return 0, None
    if now >= due_at:
        return 2, None
    warned = guidance.warned(one.waiting_since, due_at)
    return (1, due_at) if now >= warned or one.alerted else (0, warned)


def _leg(tx: Tx, found: Conversation) -> Leg:
    """Where the customer spoke last."""
    return max(conversations.legs(tx, found.tenant, found.id), key=lambda leg: (leg.last_inbound or 0, leg.id))


def _publish(
    tx: Tx, found: Conversation, leg: Leg, one: Due, due_at: int, level: int, guidance: Guidance, now: int
) -> None:
    data: dict[str, Any] = {
        "waiting_since": time(one.waiting_since),
        "due_at": time(due_at),
        "target": guidance.target_of(leg.channel, leg.network, found.standing.urgency) // SECOND,
        "urgency": found.standing.urgency or "normal",
    }
    data |= {"kind": found.standing.kind} if found.standing.kind else {}
    data |= {"assignee": found.assignee} if found.assignee else {}
    log.publish(tx, found.tenant, TOLD[level], now, data, channel=leg.channel, thread=leg.thread, conversation=found.id)
