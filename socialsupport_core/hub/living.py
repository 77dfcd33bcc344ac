"""How it goes right now: counts, not the report."""

import json
import threading
from functools import cached_property
from typing import Any

from socialsupport_core.conversation.views import time
from socialsupport_core.guidance import Guidance
from socialsupport_core.hub.base import Base
from socialsupport_core.insight.today import TYPES, Today, midnight
from socialsupport_core.store import Row, Tx, live, micros

PAGE = 2000
"""Events that are counted at a time."""


class Living(Base):
    @cached_property
    def _days(self) -> tuple[threading.Lock, dict[str, Today]]:
        """Today by tenant: each call counts on where the one before has stopped."""
        return threading.Lock(), {}

    def live(self, tenant: str) -> dict[str, Any]:
        """How many conversations wait, which has waited longest, and what became of the contacts that began today in
        the zone of the tenant's hours. Cheap: it reads what has happened since it was asked last."""
        now = micros(self.clock())

        def look(tx: Tx) -> tuple[int, live.Waiting | None, Guidance]:
            return *live.waiting(tx, tenant), self.channels.conducting.of(tx, tenant).guidance

        count, oldest, guidance = self._database.read(look)
        lock, days = self._days
        with lock:
            begin = midnight(guidance, now)
            day = days.get(tenant)
            if day is None or day.begin != begin:
                day = days[tenant] = Today(begin, self._database.read(lambda tx: live.before(tx, tenant, begin)))
            self._count(day, tenant)
            today = day.figures(guidance, now)
        return {"waiting": count, "oldest": _told(oldest, guidance, now) if oldest else None, "today": today}

    def _count(self, day: Today, tenant: str) -> None:
        while rows := self._database.read(lambda tx: live.since(tx, tenant, day.cursor, TYPES, PAGE)):
            for row in rows:
                _take(day, row)
            if len(rows) < PAGE:
                return


def _take(day: Today, row: Row) -> None:
    day.take(row["type"], row["channel"] or "", row["thread"] or "", row["conversation"] or "", json.loads(row["data"]))
    day.cursor = row["cursor"]


def _told(oldest: live.Waiting, guidance: Guidance, now: int) -> dict[str, Any]:
    target = guidance.target_of(oldest.channel, oldest.network)
    return {
        "conversation": oldest.conversation,
        "channel": oldest.channel,
        "since": time(oldest.since) or "",
        "target_seconds": target / 1_000_000,
        "overdue": guidance.hours.within(oldest.since, now) > target,
    }
