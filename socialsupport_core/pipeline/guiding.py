"""What guides agents by itself: routing, a word to who writes at night, and an eye on the volume."""

from collections.abc import Sequence

from socialsupport_core.contract import Router
from socialsupport_core.conversation.conduct import Conduct
from socialsupport_core.pipeline.away import Acknowledging
from socialsupport_core.pipeline.handing import Desk
from socialsupport_core.pipeline.rating import Surveying
from socialsupport_core.pipeline.routing import Guide
from socialsupport_core.pipeline.spikes import Watching
from socialsupport_core.store import Tx

PAUSE = 1_000_000  # microseconds between two looks


class Guiding:
    """`turn` looks about once a second at the tenants that have switched something on; the others cost nothing more."""

    def __init__(self, desk: Desk, routers: Sequence[Router]) -> None:
        self._desk = desk
        self._routing = Guide(desk.database, desk.channels, routers)
        self._away = Acknowledging(desk)
        self._rating = Surveying(desk)
        self._volume = Watching(desk.database)
        self._next_look = 0

    async def turn(self, *, at_once: bool = False) -> int:
        """How much was done."""
        now = self._desk.now
        if now < self._next_look and not at_once:
            return 0
        self._next_look = now + PAUSE
        done = 0
        for tenant, conduct in self._wanted():
            done += await self._routing.turn(tenant, conduct, now)
            done += await self._away.turn(tenant, conduct, now)
            done += await self._rating.turn(tenant, conduct, now)
            done += await self._volume.turn(tenant, conduct, now)
        return done

    def _wanted(self) -> list[tuple[str, Conduct]]:
        tenants = sorted({live.channel.tenant for live in self._desk.channels.all().values()})

        def read(tx: Tx) -> list[tuple[str, Conduct]]:
            return [(one, self._desk.channels.conducting.of(tx, one)) for one in tenants]

        return [one for one in self._desk.database.read(read) if one[1].guidance.acts] if tenants else []
