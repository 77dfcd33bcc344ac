"""How many agents it takes."""

from datetime import datetime, timedelta
from typing import Any

from socialsupport_core.contract import ConfigError
from socialsupport_core.guidance import Guidance
from socialsupport_core.hub.base import Base
from socialsupport_core.insight import History, Settings
from socialsupport_core.insight.history import read as read_history
from socialsupport_core.insight.staffing import staffing
from socialsupport_core.store import Tx, micros

LOOKED_BACK = timedelta(weeks=8)


class Staffing(Base):
    def staffing(
        self,
        tenant: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        share: float = 0.8,
        handling: float | None = None,
        target: float | None = None,
        shrinkage: float = 0.3,
    ) -> dict[str, Any]:
        """The fewest agents, by hour of the week, with whom that share of contacts is answered within the targets
        (Erlang C), from the arrivals since then (eight weeks). `handling` (seconds for one contact) is measured unless
        given, `target` (seconds) as in the tenant's guidance; of an agent's time `shrinkage` goes elsewhere.

        Raises ConfigError.
        """
        if not (0 < share < 1 and 0 <= shrinkage < 1 and (handling is None or handling > 0) and (target or 1) > 0):
            raise ConfigError("share lies between 0 and 1, shrinkage from 0 to below 1, handling and target above 0")
        end = until or self.clock()
        seen = micros(end)

        def look(tx: Tx) -> tuple[History, Guidance]:
            conduct = self.channels.conducting.of(tx, tenant)
            return read_history(tx, tenant, conduct, seen), conduct.guidance

        history, guidance = self._database.read(look)
        settings = Settings(target=guidance.target, targets=guidance.targets, hours=guidance.hours)
        begin = micros(since or end - LOOKED_BACK)
        try:
            return staffing(
                history, settings, begin, share=share, handling=handling, target=target, shrinkage=shrinkage
            )
        except ValueError as error:
            raise ConfigError(str(error)) from None
