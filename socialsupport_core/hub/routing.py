"""Who is there, and what routing has decided."""

import json
from contextlib import suppress
from typing import Any

from socialsupport_core.conversation.views import present, time
from socialsupport_core.hub.base import Base, agent_of, conversation_of
from socialsupport_core.pipeline.routing import at_work
from socialsupport_core.store import StoreError, Tx, capacity, micros, routing

SEEN = 60_000_000
"""Microseconds between two notes that an agent is there."""


class Routing(Base):
    def sign_off(self, tenant: str, agent: str, *, away: bool = True) -> None:
        """The agent gets nothing from routing until it signs on again (`away=False`)."""
        at = micros(self.clock())

        def write(tx: Tx) -> None:
            agent_of(tx, tenant, agent)
            routing.sign_off(tx, tenant, agent, at, away=away)

        self._database.do(write, tenant)

    def seen(self, tenant: str, agent: str) -> None:
        """The agent has the page open. Noted once a minute, and not waited for."""
        at, known = micros(self.clock()), self._seen
        if at - known.get((tenant, agent), 0) >= SEEN:
            known[tenant, agent] = at
            with suppress(StoreError):  # the store is closing, or has more to do than it can
                self._database.write(lambda tx: routing.see(tx, tenant, agent, at))

    @property
    def _seen(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = self.__dict__.setdefault("_noted", {})
        return found

    def team(self, tenant: str) -> list[dict[str, Any]]:
        """The agents to whom routing may give something, as things stand now."""
        now = micros(self.clock())

        def read(tx: Tx) -> list[dict[str, Any]]:
            conduct = self.channels.conducting.of(tx, tenant)
            seen = routing.seen(tx, tenant)
            return [
                present(
                    agent=one.agent,
                    load=one.load,
                    capacity=one.at.capacity,
                    on=one.on,
                    away=one.away,
                    seen_at=time(seen[one.agent].seen_at) if one.agent in seen else None,
                    skills=sorted(one.at.skills),
                    languages=sorted(one.at.languages),
                    groups=sorted(one.at.groups),
                )
                for one in at_work(tx, tenant, conduct, now)
            ]

        return self._database.read(read)

    def spikes(self, tenant: str) -> list[dict[str, Any]]:
        """When more customers wrote than usual, within the last day; the newest first."""
        since = micros(self.clock()) // capacity.HOUR - 24
        return [json.loads(row["data"]) for row in self._database.read(lambda tx: capacity.spikes(tx, tenant, since))]

    def routed(self, tenant: str, conversation: str) -> dict[str, Any] | None:
        """What routing decided of this conversation last, and why; None if it had nothing to decide."""

        def read(tx: Tx) -> dict[str, Any] | None:
            one = conversation_of(tx, tenant, conversation)
            found = routing.of(tx, tenant, [one.id]).get(one.id)
            if found is None:
                return None
            return present(agent=found.agent, reason=found.reason, group=found.team, step=found.step, at=time(found.at))

        return self._database.read(read)
